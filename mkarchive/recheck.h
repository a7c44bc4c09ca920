/* SPDX-License-Identifier: MIT */
/*
 * recheck - reads the finished set back, as any reader would, and compares all
 * that it holds with the source: every entry's type, mode, owner, time, size,
 * target, device number, attributes and links, and every byte of every file.
 *
 *	archive says otherwise, source as listed	the archive is wrong
 *	source not as listed any more			cannot be compared
 *
 * The first is a difference, after which nothing of the source may be removed;
 * the second is a doubt about that entry alone. Both are said, as problems.
 *
 * Threads: one owner; starts threads of its own.
 */
#ifndef MK_RECHECK_H
#define MK_RECHECK_H

#include "mk_run.h"
#include "scan.h"

/*
 * Compares a source that can be read again: tree->root_fd is open. Sets
 * MK_ENTRY_VERIFIED, MK_ENTRY_DOUBT and MK_ENTRY_DIFFERS. skip: the set's own
 * files; dir_fd: the folder they lie in, where spools go too. A negative errno
 * when it could not be done to its end, which has been said.
 */
int mk_recheck(struct mk_run *run, struct mk_tree *tree,
	       const struct mk_scan_skip *skip, int dir_fd);

/* Of a source that came but once: compares all checksums of the set. */
int mk_recheck_sums(struct mk_run *run, const struct mk_scan_skip *skip,
		    int dir_fd);

/* The entry and what its name stands for were compared, and are equal. */
bool mk_recheck_passed(const struct mk_tree *tree, uint64_t entry);

/* "OUT.001", with which a reader begins; freed by the caller. NULL: no
 * memory. */
char *mk_recheck_first(const struct mk_options *opt);

#endif
