/* SPDX-License-Identifier: MIT */
/*
 * unpack - reads tar, cpio, zip, 7z and what else libarchive knows, compressed
 * or not, one entry after the other, from anything that can be read once.
 *
 * Names come as the bytes that stand in the archive (of zip, 7z and others that
 * store Unicode: as UTF-8, composed). Nothing is run and no other file is
 * opened, whatever the input says.
 *
 * Threads: one owner.
 */
#ifndef MK_UNPACK_H
#define MK_UNPACK_H

#include "diag.h"
#include "tree.h"

struct mk_unpack;

/* Valid until the next entry. */
struct mk_unpacked {
	const char *path;
	const char *hardlink; /* path of an earlier entry, or NULL */
	const char *symlink; /* its target, or NULL */
	struct mk_entry meta; /* mode, owner, time, rdev; size of a file */
	bool size_known;
	const struct mk_xattr_in *xattr; /* sorted by name */
	size_t xattrs;
};

/* Something of the entry `path` cannot be kept: what. */
typedef void (*mk_unpack_trouble)(void *ctx, const char *path,
				  const char *what);

struct mk_unpack_params {
	int fd; /* borrowed */
	const char *name; /* of the input, for messages; borrowed */
	struct arc_diag *diag;
	mk_unpack_trouble trouble;
	void *ctx;
};

/* The input is looked at with the first entry. */
int mk_unpack_new(const struct mk_unpack_params *params,
		  struct mk_unpack **ret);
void mk_unpack_free(struct mk_unpack *u); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_unpack, mk_unpack_free)

/*
 * 1: *ret is the next entry. 0: the end; *ret_cut tells that the input just
 * stopped, without the mark of its end. -EIO: it is no archive, is damaged or
 * cannot be read; said.
 */
int mk_unpack_next(struct mk_unpack *u, struct mk_unpacked *ret, bool *ret_cut);

/*
 * 1: n bytes of the entry's content at off, valid until the next call; 0: there
 * is no more. -ENODATA: the content of this entry cannot be read, that of
 * others can; trouble() was told. -EIO as above.
 */
int mk_unpack_data(struct mk_unpack *u, const void **ret, size_t *ret_n,
		   uint64_t *ret_off);

#endif
