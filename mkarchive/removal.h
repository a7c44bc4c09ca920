/* SPDX-License-Identifier: MIT */
/*
 * removal - removes from the source what recheck has found in the archive as it
 * is in the source, and nothing else.
 *
 * A name is removed only if, at that moment, it is still the inode that was
 * compared, its size, its times of change, its mode and its owner are still
 * those, and nobody has it open to write; through the directory that was
 * compared, which is opened from the one above it and never through a symbolic
 * link. A folder is removed when it was compared and is empty then. The source
 * itself stays, unless it is one file.
 *
 * Threads: one owner, after recheck.
 */
#ifndef MK_REMOVAL_H
#define MK_REMOVAL_H

#include "mk_run.h"

/*
 * Sets MK_ENTRY_REMOVED. What cannot be removed is a problem of that entry; a
 * negative errno ends it, said.
 */
int mk_removal(struct mk_run *run, struct mk_tree *tree);

#endif
