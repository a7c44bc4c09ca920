/* SPDX-License-Identifier: MIT */
/*
 * unpack_i - what the files of unpack share: unpack.c (entries and data),
 * unpack_xattr.c (attributes and ACLs of an entry).
 *
 * Threads: one owner.
 */
#ifndef MK_UNPACK_I_H
#define MK_UNPACK_I_H

#include "unpack.h"

struct archive;
struct archive_entry;

struct mk_unpack {
	struct mk_unpack_params params;
	struct archive *a;
	struct archive_entry *entry; /* libarchive's */
	const char *path; /* of entry */
	uint8_t *block; /* what is read at once */
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

#endif
