/* SPDX-License-Identifier: MIT */
/*
 * prefill - gives the kernel small files before they are asked for.
 *
 * To read a small file costs a request: the reader sleeps, a thread here wakes
 * up, answers, and wakes the reader. For a tree of small files that is most of
 * the time. So readers that take file after file in the archive's order (cp -r,
 * tar, grep -r, find | xargs) are noticed, and the files in front of them are
 * stored in the kernel's page cache (FUSE_NOTIFY_STORE), where they are read
 * without a request.
 *
 *	files in order  ... r r r | s s s s s s s s M s s s s s s s s | . . .
 *	            readers here ^                  ^ left out: whoever reads it
 *	                                              asks for the next ones
 *
 * Only files whose names the kernel has looked up can be stored; the first that
 * it does not know ends it until somebody reads on. Every byte has been checked
 * as for a read; damage ends it too, and is left to be told to who reads the
 * file.
 *
 * Threads: one of its own; noting from any. The kernel may hold a page that is
 * to be stored locked while it waits for the answer to a read of it: so the
 * mount must be served until arcfs_prefill_is_over().
 */
#ifndef ARCFS_PREFILL_H
#define ARCFS_PREFILL_H

#include "ops_i.h"

struct arcfs_prefill;

struct arcfs_prefill_stats {
	uint64_t files; /* stored */
	uint64_t bytes;
};

/* Borrows fs and se. -ENOMEM. */
int arcfs_prefill_new(struct arcfs *fs, struct fuse_session *se,
		      struct arcfs_prefill **ret);

/* Tells the thread to end; is_over: it has, or will without being served. */
void arcfs_prefill_stop(struct arcfs_prefill *p);
bool arcfs_prefill_is_over(struct arcfs_prefill *p);

/* Joins the thread. Accepts NULL. */
void arcfs_prefill_free(struct arcfs_prefill *p);

/* A file is being read from its beginning. Accepts NULL. */
void arcfs_prefill_note(struct arcfs_prefill *p, const struct arc_inode *inode);

void arcfs_prefill_stats(struct arcfs_prefill *p,
			 struct arcfs_prefill_stats *ret);

#endif
