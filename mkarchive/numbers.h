/* SPDX-License-Identifier: MIT */
/*
 * numbers - gives every inode of a packed tree its row in the index, counts
 * links, and finds the sharing classes: regular files of equal content, holes,
 * mode, owner and attributes, which a mount may show as one inode.
 *
 * Threads: one owner.
 */
#ifndef MK_NUMBERS_H
#define MK_NUMBERS_H

#include "format.h"
#include "tree.h"

/*
 * Sets row, nlink, share and share_nlink of every entry that is not gone, and
 * fills the counts of ret that come from the tree (all but stream, stored,
 * codec and tables). The row of a further name is its inode's. A directory's
 * size becomes the number of its entries, its data the first of their rows.
 * What lies below a directory that is gone, or is a name of an inode that is
 * gone, is marked as gone too.
 */
int mk_numbers(struct mk_tree *tree, struct arc_disk_root *ret);

#endif
