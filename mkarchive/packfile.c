/* SPDX-License-Identifier: MIT */
/*
 * A file is read once, straight into the open frame, and hashed there while it
 * is in the processor's cache. For a small file that makes openat, fstat,
 * read, fstat and close, and nothing else.
 *
 * What is stored is what was read, always: its size is the number of bytes
 * that came, its digest is theirs. Whether the file was the same all the time
 * is looked at afterwards and said.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "pack_i.h"
#include "suffix.h"

/* One read: small enough to be hashed from the cache. */
#define READ_STEP ((size_t)256 << 10)

/* From this size on the kernel is told to read ahead further. */
#define ADVISE_MIN ARC_MIB

/* A file being read. */
struct reading {
	uint64_t entry;
	struct mk_entry *e;
	int fd;
	uint64_t size; /* when it was opened */
	uint64_t at; /* how far it has been read */
	int err; /* reading failed */
	bool ended; /* before its size */
	bool reported; /* that it changed */
};

/* ---- what goes wrong ---------------------------------------------------- */

/* The entry is lost; says so. */
static int lose(struct mk_packer *p, uint64_t entry, const char *what, int err)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);

	e->flags |= MK_ENTRY_GONE;
	mk_count(&p->run->stats.bytes, -e->size);
	mk_problem(p->run, p->tree, entry, what, err);
	return 0;
}

static int lose_unopened(struct mk_packer *p, uint64_t entry, int err)
{
	switch (err) {
	case -ENOENT:
		return lose(p, entry, "has vanished", 0);
	case -ESTALE:
	case -ELOOP:
	case -ENXIO:
	case -ENOTDIR:
		return lose(p, entry, "has been replaced by something else", 0);
	default:
		return lose(p, entry, "cannot be opened", err);
	}
}

static void report_change(struct mk_packer *p, struct reading *rd,
			  const char *what)
{
	if (!rd->reported)
		mk_problem(p->run, p->tree, rd->entry, what, 0);
	rd->reported = true;
}

/* ---- data and holes ----------------------------------------------------- */

static int hash(struct mk_packer *p, const uint8_t *bytes, size_t n)
{
	if (!p->digesting)
		return 0;
	arc_digest_update(p->digest, bytes, n);
	return p->sha256 ? arc_sha256_update(p->sha256, bytes, n) : 0;
}

/* The data up to `end` goes into the stream. */
static int take_data(struct mk_packer *p, struct reading *rd, uint64_t end)
{
	uint8_t *to;
	size_t n;
	ssize_t got;
	int r = 0;

	while (r >= 0 && rd->at < end) {
		r = mk_framering_room(p->ring, &to, &n);
		if (r < 0)
			return r;
		n = ARC_MIN(ARC_MIN(n, READ_STEP), end - rd->at);
		got = mk_source_read(rd->fd, to, n, rd->at);
		if (got < 0) {
			rd->err = (int)got;
			return 0;
		}
		r = hash(p, to, (size_t)got);
		if (r >= 0)
			r = mk_framering_commit(p->ring, (size_t)got);
		rd->at += (uint64_t)got;
		mk_count(&p->run->stats.read_bytes, (uint64_t)got);
		rd->ended = (size_t)got < n;
		if (rd->ended)
			break;
	}
	return r;
}

/* Zeros up to `end`, not stored. */
static int take_hole(struct mk_packer *p, struct reading *rd, uint64_t end)
{
	uint64_t n = end - rd->at;

	rd->at = end;
	mk_count(&p->run->stats.hole_bytes, n);
	if (!p->digesting)
		return 0;
	arc_digest_zeros(p->digest, n);
	return p->sha256 ? arc_sha256_zeros(p->sha256, n) : 0;
}

int mk_pack_add_extent(struct mk_packer *p, struct mk_entry *e,
		       const struct mk_extent *x)
{
	uint64_t row;
	int r;

	if (e->extents == UINT32_MAX)
		return -E2BIG;
	r = mk_spool_add(&p->tree->extents, 1, &row);
	if (r < 0)
		return r;
	if (!e->extents++)
		e->data = row;
	memcpy(mk_spool_at(&p->tree->extents, row), x, sizeof(*x));
	return 0;
}

/* No data is left: a hole up to the end, which may have come nearer. */
static int take_last_hole(struct mk_packer *p, struct reading *rd)
{
	uint64_t end = rd->size;
	struct stat st;

	if (!fstat(rd->fd, &st) && (uint64_t)st.st_size < end) {
		end = ARC_MAX((uint64_t)st.st_size, rd->at);
		rd->ended = true;
	}
	return take_hole(p, rd, end);
}

/* The next run of data with the hole before it. */
static int take_run(struct mk_packer *p, struct reading *rd)
{
	struct mk_extent x;
	uint64_t end;
	int r = mk_source_run(rd->fd, rd->at, rd->size, &x.file, &end);

	if (r == -ENXIO)
		return take_last_hole(p, rd);
	if (r < 0) {
		rd->err = r;
		return 0;
	}
	r = take_hole(p, rd, x.file);
	if (r < 0)
		return r;
	x.stream = mk_framering_pos(p->ring);
	r = take_data(p, rd, end);
	x.len = rd->at - x.file;
	if (r < 0 || !x.len)
		return r;
	return mk_pack_add_extent(p, rd->e, &x);
}

/* All of it is data, in one piece. */
static bool is_dense(const struct mk_tree *t, const struct mk_entry *e,
		     uint64_t size)
{
	const struct mk_extent *x;

	if (e->extents != 1)
		return !size;
	x = mk_spool_at(&t->extents, e->data);
	return x->file == 0 && x->len == size;
}

static int take_content(struct mk_packer *p, struct reading *rd)
{
	struct mk_entry *e = rd->e;
	uint64_t start = mk_framering_pos(p->ring);
	int r = 0;

	e->extents = 0;
	if (!(e->flags & MK_ENTRY_SPARSE)) {
		r = take_data(p, rd, rd->size);
		e->data = start;
		return r;
	}
	while (r >= 0 && !rd->err && !rd->ended && rd->at < rd->size)
		r = take_run(p, rd);
	if (is_dense(p->tree, e, rd->at)) {
		e->data = start;
		e->extents = 0;
	} else {
		e->flags |= MK_ENTRY_EXTENTS;
	}
	return r;
}

/* ---- one file ----------------------------------------------------------- */

/* What the file is now is what gets stored. False: it is no file any more. */
static bool take_attributes(struct mk_packer *p, struct reading *rd)
{
	struct mk_entry *e = rd->e;
	struct stat st;

	if (fstat(rd->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	mk_count(&p->run->stats.bytes, (uint64_t)st.st_size - e->size);
	e->size = (uint64_t)st.st_size;
	e->mode = st.st_mode;
	e->uid = st.st_uid;
	e->gid = st.st_gid;
	e->mtime = st.st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	e->ctime = st.st_ctim.tv_sec;
	e->ctime_ns = (uint32_t)st.st_ctim.tv_nsec;
	e->flags &= ~(uint32_t)MK_ENTRY_SPARSE;
	if ((uint64_t)st.st_blocks * 512 < e->size)
		e->flags |= MK_ENTRY_SPARSE;
	report_change(p, rd, "has changed since it was listed");
	return true;
}

/* Digests are kept, or tell whether a leader is what it was: holes as large as
 * a file may be, and nobody asking, should cost nothing. */
static int begin_digests(struct mk_packer *p, const struct mk_entry *e)
{
	p->digesting = mk_pack_is_digested(p->run, e);
	arc_digest_reset(p->digest);
	return p->sha256 ? arc_sha256_reset(p->sha256) : 0;
}

static int end_digests(struct mk_packer *p, uint64_t entry)
{
	struct arc_digest128 *d = mk_spool_at(&p->tree->digests, entry);

	*d = arc_digest_value(p->digest);
	if (!p->sha256)
		return 0;
	return arc_sha256_value(p->sha256,
				mk_spool_at(&p->tree->sha256, entry));
}

int mk_pack_store_empty(struct mk_packer *p, uint64_t entry)
{
	int r = begin_digests(p, mk_tree_at(p->tree, entry));

	return r < 0 ? r : end_digests(p, entry);
}

/* Stores the content of an open file. */
static int store_open(struct mk_packer *p, struct reading *rd)
{
	uint64_t start = mk_framering_pos(p->ring);
	struct mk_entry *e = rd->e;
	int r = begin_digests(p, e);

	rd->size = e->size;
	if (rd->size >= ADVISE_MIN)
		(void)posix_fadvise(rd->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (r >= 0)
		r = take_content(p, rd);
	if (r < 0)
		return r;
	if (rd->err) {
		mk_framering_rewind(p->ring, start);
		return lose(p, rd->entry, "cannot be read", rd->err);
	}
	if (rd->ended || mk_source_check(p->tree, rd->entry, rd->fd) < 0)
		report_change(p, rd, "changed while it was read");
	mk_count(&p->run->stats.read_files, 1);
	mk_count(&p->run->stats.bytes, rd->at - e->size);
	e->size = rd->at;
	return end_digests(p, rd->entry);
}

/* Stores the content of a file that somebody has read. */
static int store_bytes(struct mk_packer *p, uint64_t entry,
		       const struct mk_ahead_file *f)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);
	uint8_t *to;
	size_t n, at;
	int r = 0;

	e->extents = 0;
	e->data = mk_framering_pos(p->ring);
	for (at = 0; r >= 0 && at < f->n; at += n) {
		r = mk_framering_room(p->ring, &to, &n);
		if (r < 0)
			return r;
		n = ARC_MIN(n, f->n - at);
		memcpy(to, f->bytes + at, n);
		r = mk_framering_commit(p->ring, n);
	}
	mk_count(&p->run->stats.read_bytes, f->n);
	mk_count(&p->run->stats.read_files, 1);
	return r;
}

/* Stores what a thread has read before its turn. */
static int store_ahead(struct mk_packer *p, uint64_t entry,
		       const struct mk_ahead_file *f)
{
	memcpy(mk_spool_at(&p->tree->digests, entry), &f->digest,
	       sizeof(f->digest));
	if (p->sha256)
		memcpy(mk_spool_at(&p->tree->sha256, entry), f->sha256,
		       sizeof(f->sha256));
	return store_bytes(p, entry, f);
}

/* Stores what the search for duplicates has read. */
static int store_held(struct mk_packer *p, uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);
	struct arc_span held = mk_tree_held(p->tree, e);
	struct mk_ahead_file f = { .bytes = held.p, .n = held.n };
	int r = begin_digests(p, e);

	e->flags &= ~(uint32_t)MK_ENTRY_HELD;
	if (r >= 0)
		r = hash(p, held.p, held.n);
	if (r >= 0)
		r = end_digests(p, entry);
	mk_count(&p->run->stats.held_bytes, held.n);
	mk_count(&p->run->stats.held_files, 1);
	return r < 0 ? r : store_bytes(p, entry, &f);
}

int mk_pack_store(struct mk_packer *p, uint64_t entry)
{
	struct mk_ahead_file ahead;
	arc_cleanup(arc_closep) int fd = -1;
	struct reading rd = { .entry = entry, .e = mk_tree_at(p->tree, entry) };
	bool changed;
	int r;

	mk_framering_expect(
		p->ring, mk_suffix_is_compressed(mk_tree_name(p->tree, rd.e)));
	if (rd.e->flags & MK_ENTRY_HELD)
		return store_held(p, entry);
	if (p->ahead && mk_ahead_take(p->ahead, entry, &ahead)) {
		r = store_ahead(p, entry, &ahead);
		mk_ahead_done(p->ahead);
		return r;
	}
	r = mk_source_open_any(p->source, entry, &fd, &changed);
	if (mk_source_is_fatal(r)) {
		arc_say(p->run->diag, ARC_ERROR, "opening files: %s",
			arc_error_text(r));
		return r;
	}
	if (r < 0)
		return lose_unopened(p, entry, r);
	rd.fd = fd;
	if (changed && !take_attributes(p, &rd))
		return lose_unopened(p, entry, -ESTALE);
	return store_open(p, &rd);
}
