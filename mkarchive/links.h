/* SPDX-License-Identifier: MIT */
/*
 * links - inodes of the source that have several names, and what was noted of
 * each: rows of a spool under a table of slots, for a tree of hard-linked
 * backups has tens of millions of them.
 *
 * Threads: one owner.
 */
#ifndef MK_LINKS_H
#define MK_LINKS_H

#include "slots.h"
#include "tree.h"

struct mk_links {
	struct mk_spool *rows; /* struct mk_link; borrowed */
	struct mk_slots slots;
};

/* What was noted of the inode, MK_NONE for nothing, and for what can have but
 * one name. */
uint64_t mk_links_find(struct mk_links *links, const struct stat *st);

/* Notes it, if the inode can have several names. */
int mk_links_note(struct mk_links *links, const struct stat *st, uint64_t what);

#endif
