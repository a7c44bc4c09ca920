/* SPDX-License-Identifier: MIT */
/*
 * source - opens the files of the tree again for reading and notices whether
 * they are still what the scan saw.
 *
 * Threads: struct mk_source has one owner (make one per thread).
 */
#ifndef MK_SOURCE_H
#define MK_SOURCE_H

#include "tree.h"

struct mk_source; /* keeps the directory it used last open */

int mk_source_new(const struct mk_tree *tree, struct mk_source **ret);
void mk_source_free(struct mk_source *s); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_source, mk_source_free)

/*
 * Opens a regular file's entry read-only (O_NOFOLLOW, O_NONBLOCK, O_NOATIME
 * where allowed), at any depth. -ESTALE when it is another inode now, or its
 * size, mtime or ctime differ from the scan's; -ENOENT, -EACCES, ... from
 * open.
 */
int mk_source_open(struct mk_source *s, uint64_t entry, int *ret_fd);

/* As mk_source_open(), but nothing is compared: what was opened may be anything
 * with this name. mk_source_check() tells when it has been read. */
int mk_source_open_blind(struct mk_source *s, uint64_t entry, int *ret_fd);

/* As mk_source_open(), but only another inode is -ESTALE: what is there can
 * still be read. *ret_changed: size or times differ from the scan's. */
int mk_source_open_any(struct mk_source *s, uint64_t entry, int *ret_fd,
		       bool *ret_changed);

/* A regular file in an open directory, with those flags; a negative errno. */
int mk_source_open_at(int dir_fd, const char *name);

/* err is not the fault of one file: no memory, no descriptors. Who would take
 * it for one would make an archive that depends on the limits of the day. */
static inline bool mk_source_is_fatal(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

/* How many of `wanted` threads there are descriptors for, when each has `each`
 * of them open. */
unsigned mk_source_threads(const struct mk_tree *tree, unsigned wanted,
			   unsigned each);

/* 0 when fd is the entry's inode and still has the size, mtime and ctime of the
 * scan, else -ESTALE. */
int mk_source_check(const struct mk_tree *tree, uint64_t entry, int fd);

/*
 * The next run of data at or after off: *ret_off, *ret_end. -ENXIO: none left.
 * A file system without SEEK_DATA has one run. limit: the size to stop at.
 */
int mk_source_run(int fd, uint64_t off, uint64_t limit, uint64_t *ret_off,
		  uint64_t *ret_end);

/* Reads up to n bytes at off, going on after short reads and EINTR; fewer
 * only at the end of the file. */
ssize_t mk_source_read(int fd, void *buf, size_t n, uint64_t off);

#endif
