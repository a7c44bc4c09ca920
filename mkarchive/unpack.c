/* SPDX-License-Identifier: MIT */
/*
 * libarchive converts names to the locale's characters, and composes them on
 * the way (Unicode's form C). tar and cpio store bytes: for those it works in
 * the locale C, where the conversion of all that is not ASCII fails and
 * libarchive hands out what stands there. zip, 7z and their like are told by
 * their first bytes and get a locale of UTF-8; a name in another form than the
 * composed one does not survive that.
 *
 * The formats and filters are named one by one. Left out are mtree, which opens
 * the files it names, and filters that start programs.
 */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "unpack_i.h"

#define BLOCK ((size_t)256 << 10)

typedef int (*support)(struct archive *a);

static const support supported[] = {
	archive_read_support_format_tar,      archive_read_support_format_cpio,
	archive_read_support_format_zip,      archive_read_support_format_7zip,
	archive_read_support_format_ar,	      archive_read_support_format_cab,
	archive_read_support_format_iso9660,  archive_read_support_format_lha,
	archive_read_support_format_rar,      archive_read_support_format_rar5,
	archive_read_support_format_xar,      archive_read_support_filter_bzip2,
	archive_read_support_filter_compress, archive_read_support_filter_gzip,
	archive_read_support_filter_lz4,      archive_read_support_filter_lzip,
	archive_read_support_filter_lzma,     archive_read_support_filter_xz,
	archive_read_support_filter_zstd,
};

/* How those begin that store names as Unicode. */
static const struct {
	const char *bytes;
	size_t n;
} unicode[] = {
	{ "PK", 2 },   { "7z\xbc\xaf\x27\x1c", 6 },
	{ "Rar!", 4 }, { "xar!", 4 },
	{ "MSCF", 4 },
};

/* ---- input --------------------------------------------------------------- */

/* libarchive is to work in this locale from here on. */
static void enter_locale(struct mk_unpack *u, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < ARC_COUNT(unicode); i++) {
		if (n < unicode[i].n ||
		    memcmp(p, unicode[i].bytes, unicode[i].n) != 0)
			continue;
		u->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
		if (u->utf8)
			uselocale(u->utf8);
	}
}

/* The next bytes of the input as they are, 0 at its end. */
static ssize_t read_block(struct mk_unpack *u, struct archive *a)
{
	ssize_t n;

	do {
		n = read(u->params.fd, u->block, BLOCK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		archive_set_error(a, errno, "cannot be read: %s",
				  strerrordesc_np(errno));
	return n;
}

static la_ssize_t read_gzip(struct mk_unpack *u, struct archive *a,
			    const void **ret)
{
	size_t n = 0;
	int r;

	while ((r = mk_gunzip_get(u->gunzip, ret, &n)) >= 0 && n == 0 &&
	       mk_gunzip_wants(u->gunzip)) {
		ssize_t got = read_block(u, a);

		if (got < 0)
			return -1;
		mk_gunzip_put(u->gunzip, u->block, (size_t)got);
	}
	if (r < 0) {
		archive_set_error(a, r == -ENOMEM ? ENOMEM : EINVAL, "%s",
				  r == -ENODATA ? "truncated gzip input"
						: "damaged gzip input");
		return -1;
	}
	return (la_ssize_t)n;
}

/* The first block tells what it is. */
static int begin(struct mk_unpack *u, struct archive *a, size_t n)
{
	int r = 0;

	u->begun = true;
	enter_locale(u, u->block, n);
	if (mk_gunzip_is_gzip(u->block, n))
		r = mk_gunzip_new(&u->gunzip);
	if (r < 0)
		archive_set_error(a, ENOMEM, "out of memory");
	else if (u->gunzip)
		mk_gunzip_put(u->gunzip, u->block, n);
	return r;
}

static la_ssize_t read_input(struct archive *a, void *ctx, const void **ret)
{
	struct mk_unpack *u = ctx;
	ssize_t n;

	if (u->gunzip)
		return read_gzip(u, a, ret);
	n = read_block(u, a);
	if (n >= 0 && !u->begun && begin(u, a, (size_t)n) < 0)
		return -1;
	if (u->gunzip)
		return read_gzip(u, a, ret);
	*ret = u->block;
	return n;
}

static la_int64_t seek_input(struct archive *a, void *ctx, la_int64_t off,
			     int whence)
{
	const struct mk_unpack *u = ctx;
	off_t at = u->gunzip ? -1 : lseek(u->params.fd, off, whence);

	(void)a;
	return at < 0 ? ARCHIVE_FATAL : at;
}

/* To the end of the input: the checksum of a gzip stands there, and who writes
 * into a pipe is not to be ended by our closing it. */
static int drain(struct mk_unpack *u)
{
	const void *bytes;
	la_ssize_t n;

	if (!u->gunzip && lseek(u->params.fd, 0, SEEK_CUR) >= 0)
		return 0;
	do {
		n = read_input(u->a, u, &bytes);
	} while (n > 0);
	return n < 0 ? ARCHIVE_FATAL : ARCHIVE_OK;
}

/* ---- making -------------------------------------------------------------- */

/* A library that was built without some filter would start a program for it:
 * asked on the side, for there is no way back. */
static int support_all(struct archive *a)
{
	struct archive *probe = archive_read_new();

	if (!probe)
		return -ENOMEM;
	for (size_t i = 0; i < ARC_COUNT(supported); i++) {
		if (supported[i](probe) == ARCHIVE_OK)
			supported[i](a);
	}
	archive_read_free(probe);
	return 0;
}

int mk_unpack_new(const struct mk_unpack_params *params, struct mk_unpack **ret)
{
	arc_cleanup(mk_unpack_freep) struct mk_unpack *u =
		calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->params = *params;
	u->block = malloc(BLOCK);
	u->a = archive_read_new();
	if (!u->block || !u->a)
		return -ENOMEM;
	r = support_all(u->a);
	if (r < 0)
		return r;
	archive_read_set_read_callback(u->a, read_input);
	if (lseek(params->fd, 0, SEEK_CUR) >= 0)
		archive_read_set_seek_callback(u->a, seek_input);
	archive_read_set_callback_data(u->a, u);
	*ret = arc_steal(u);
	return 0;
}

void mk_unpack_free(struct mk_unpack *u)
{
	if (!u)
		return;
	archive_read_free(u->a);
	mk_gunzip_free(u->gunzip);
	if (u->utf8) {
		uselocale(LC_GLOBAL_LOCALE);
		freelocale(u->utf8);
	}
	free(u->block);
	free(u->xattr);
	arc_buf_fini(&u->names);
	for (size_t i = 0; i < ARC_COUNT(u->acl); i++)
		arc_buf_fini(&u->acl[i]);
	free(u);
}

/* ---- entries ------------------------------------------------------------- */

/* The input is useless from here on. */
static int fail(struct mk_unpack *u)
{
	const char *why = archive_error_string(u->a);

	arc_say(u->params.diag, ARC_ERROR, "%s: %s", u->params.name,
		why ? why : "damaged or cut off");
	return archive_errno(u->a) == ENOMEM ? -ENOMEM : -EIO;
}

static bool is_tar(const struct mk_unpack *u)
{
	return (archive_format(u->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	       ARCHIVE_FORMAT_TAR;
}

/*
 * -1.25 stands for a quarter of a second before -1; libarchive reads it as a
 * quarter after.
 */
static void set_time(const struct mk_unpack *u, struct mk_entry *meta)
{
	meta->mtime = archive_entry_mtime(u->entry);
	meta->mtime_ns =
		(uint32_t)archive_entry_mtime_nsec(u->entry) % 1000000000;
	if (is_tar(u) && meta->mtime < 0 && meta->mtime_ns > 0) {
		meta->mtime--;
		meta->mtime_ns = 1000000000 - meta->mtime_ns;
	}
}

static uint32_t owner(struct mk_unpack *u, la_int64_t id, const char *what)
{
	if (id >= 0 && id < UINT32_MAX)
		return (uint32_t)id;
	u->params.trouble(u->params.ctx, u->path, what);
	return 65534;
}

static int describe(struct mk_unpack *u, struct mk_unpacked *ret)
{
	struct archive_entry *e = u->entry;
	struct mk_entry *meta = &ret->meta;
	int r;

	*ret = (struct mk_unpacked){
		.path = u->path,
		.hardlink = archive_entry_hardlink(e),
		.symlink = archive_entry_symlink(e),
		.size_known = archive_entry_size_is_set(e) &&
			      archive_entry_size(e) >= 0,
	};
	meta->mode = archive_entry_filetype(e);
	if (!meta->mode)
		meta->mode = S_IFREG;
	meta->mode |= archive_entry_mode(e) & 07777;
	meta->uid = owner(u, archive_entry_uid(e),
			  "its owner's number is too large: 65534 instead");
	meta->gid = owner(u, archive_entry_gid(e),
			  "its group's number is too large: 65534 instead");
	set_time(u, meta);
	if (S_ISCHR(meta->mode) || S_ISBLK(meta->mode))
		meta->rdev = (uint64_t)archive_entry_rdevmajor(e) << 32 |
			     (uint32_t)archive_entry_rdevminor(e);
	if (ret->size_known)
		meta->size = (uint64_t)archive_entry_size(e);
	r = mk_unpack_xattrs(u, &meta->mode);
	ret->xattr = u->xattr;
	ret->xattrs = u->xattrs;
	return r;
}

/* What libarchive warns of, but for names that it could not convert: those
 * are as they shall be. */
static void warn(struct mk_unpack *u, int status)
{
	const char *why = archive_error_string(u->a);

	if (status == ARCHIVE_WARN && why && !strstr(why, "convert"))
		u->params.trouble(u->params.ctx, u->path, why);
}

/* A tar ends with a block of zeros. One that was cut off between two entries
 * looks whole but for that. */
static int next_header(struct mk_unpack *u, bool *ret_cut)
{
	la_int64_t before;
	int status = ARCHIVE_OK;

	if (u->entry)
		status = archive_read_data_skip(u->a);
	before = archive_filter_bytes(u->a, 0);
	if (status != ARCHIVE_FATAL)
		do {
			status = archive_read_next_header(u->a, &u->entry);
		} while (status == ARCHIVE_RETRY);
	if (status == ARCHIVE_EOF && is_tar(u))
		*ret_cut = archive_filter_bytes(u->a, 0) - before < 512;
	return status;
}

int mk_unpack_next(struct mk_unpack *u, struct mk_unpacked *ret, bool *ret_cut)
{
	int status = ARCHIVE_OK, r;

	*ret_cut = false;
	if (!u->begun)
		status = archive_read_open1(u->a);
	while (status == ARCHIVE_OK) {
		status = next_header(u, ret_cut);
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			break;
		u->path = archive_entry_pathname(u->entry);
		if (u->path)
			break;
		u->params.trouble(u->params.ctx, u->params.name,
				  "an entry is left out: its name cannot be "
				  "read");
		status = ARCHIVE_OK;
	}
	if (status == ARCHIVE_EOF)
		return drain(u) == ARCHIVE_OK ? 0 : fail(u);
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		return fail(u);
	warn(u, status);
	r = describe(u, ret);
	return r < 0 ? r : 1;
}

/* ---- data ---------------------------------------------------------------- */

int mk_unpack_data(struct mk_unpack *u, const void **ret, size_t *ret_n,
		   uint64_t *ret_off)
{
	la_int64_t off;
	int status;

	do {
		status = archive_read_data_block(u->a, ret, ret_n, &off);
	} while (status == ARCHIVE_RETRY ||
		 (status == ARCHIVE_OK && *ret_n == 0));
	if (status == ARCHIVE_EOF)
		return 0;
	/* A checksum that is wrong is but a warning to libarchive. */
	if (status == ARCHIVE_FAILED || status == ARCHIVE_WARN) {
		const char *why = archive_error_string(u->a);
		char text[256];

		snprintf(text, sizeof(text), "left out: %.200s",
			 why ? why : "it cannot be read");
		u->params.trouble(u->params.ctx, u->path, text);
		return -ENODATA;
	}
	if (status != ARCHIVE_OK)
		return fail(u);
	if (off < 0)
		return fail(u);
	*ret_off = (uint64_t)off;
	return 1;
}
