/* SPDX-License-Identifier: MIT */
/*
 * unpack_i - what the files of unpack share: unpack.c (entries and data),
 * unpack_xattr.c (attributes and ACLs of an entry), unpack_gzip.c (gzip, with
 * its checksum).
 *
 * Threads: one owner.
 */
#ifndef MK_UNPACK_I_H
#define MK_UNPACK_I_H

#include "unpack.h"

struct archive;
struct archive_entry;

struct mk_gunzip;

struct mk_unpack {
	struct mk_unpack_params params;
	struct archive *a;
	struct archive_entry *entry; /* libarchive's */
	const char *path; /* of entry */
	uint8_t *block; /* what is read at once */
	struct mk_gunzip *gunzip; /* NULL: the input is no gzip */
	bool begun; /* the first block is here */
	void *utf8; /* locale_t for formats that store Unicode, or NULL */
	struct mk_xattr_in *xattr;
	size_t xattrs, xattr_cap;
	struct arc_buf names; /* names that had to be decoded */
	struct arc_buf acl[2]; /* access, default: as the kernel has them */
};

/* Sets u->xattr, u->xattrs; corrects the group bits of *mode, which an ACL
 * changes the meaning of. -ENOMEM. */
int mk_unpack_xattrs(struct mk_unpack *u, uint32_t *mode);

/* ---- gzip ---------------------------------------------------------------- */

bool mk_gunzip_is_gzip(const uint8_t *p, size_t n);
int mk_gunzip_new(struct mk_gunzip **ret);
void mk_gunzip_free(struct mk_gunzip *g); /* accepts NULL */

/* While it wants input: gives it some (borrowed), nothing at the end. */
bool mk_gunzip_wants(const struct mk_gunzip *g);
void mk_gunzip_put(struct mk_gunzip *g, const uint8_t *p, size_t n);

/* What has come out, nothing while it wants input and at the end. -EBADMSG:
 * damaged; -ENODATA: the end is missing. */
int mk_gunzip_get(struct mk_gunzip *g, const void **ret, size_t *ret_n);

#endif
