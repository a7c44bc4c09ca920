/* SPDX-License-Identifier: MIT */
/*
 * scan - walks the source and fills the tree: metadata, xattrs, symlink
 * targets, hard links. Never follows a symlink below the source's own path;
 * any depth; a bounded number of descriptors. No file is opened for reading.
 *
 * Threads: one owner.
 */
#ifndef MK_SCAN_H
#define MK_SCAN_H

#include "mk_run.h"

/*
 * Fills an opened tree from run->opt->src. What cannot be read is reported
 * through mk_problem() and left out (a directory that cannot be listed is kept
 * empty); a source that is missing or unreadable altogether is an error and
 * said. A stored attribute user.arcfs.* is left out with a problem.
 * The files of the archive being written are left out (skip_dev/skip_ino: the
 * folder they lie in; skip_base: their name without the number).
 */
struct mk_scan_skip {
	uint64_t dev;
	uint64_t ino;
	const char *base;
};
int mk_scan(struct mk_run *run, struct mk_tree *tree,
	    const struct mk_scan_skip *skip);

#endif
