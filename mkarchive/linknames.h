/* SPDX-License-Identifier: MIT */
/*
 * linknames - the further names of inodes, brought together with the first one.
 * The two may lie anywhere in the tree, and a look from each name at its inode
 * would bring as many pages into memory as there are names. So their rows are
 * sorted by inode, which lets one walk over the tree see all inodes, and sorted
 * back by name, which lets another see all names.
 *
 * Threads: one owner.
 */
#ifndef MK_LINKNAMES_H
#define MK_LINKNAMES_H

#include "tree.h"

struct mk_linknames {
	struct mk_tree *tree; /* borrowed */
	struct mk_spool rows;
	struct mk_spool spare; /* to sort them with */
};

int mk_linknames_init(struct mk_linknames *n, struct mk_tree *tree);
void mk_linknames_fini(struct mk_linknames *n);

/* A name that will be in the archive; its inode's first is its `link`. */
int mk_linknames_add(struct mk_linknames *n, uint64_t entry);

/* Adds the names to `nlink` of their inodes. */
int mk_linknames_count(struct mk_linknames *n);

/* Once the inodes have all that numbers gives them: the names get the same. */
int mk_linknames_settle(struct mk_linknames *n);

#endif
