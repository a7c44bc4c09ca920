/* SPDX-License-Identifier: MIT */
/*
 * links - inodes of the source that have several names, and what was noted of
 * each: rows of a spool under a table of slots, for a tree of hard-linked
 * backups has tens of millions of them. A row holds all that a further name
 * needs: it is met anywhere, and the entry of the first name lies in a spool
 * that is many times as large.
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

/*
 * What was noted of the inode, NULL for nothing, and for what can have but one
 * name. Stays where it is. A number that was freed and given out again to an
 * inode of another type is another one.
 */
const struct mk_link *mk_links_find(struct mk_links *links,
				    const struct stat *st);

/* Notes it, if the inode can have several names. */
int mk_links_note(struct mk_links *links, const struct stat *st, uint64_t entry,
		  uint32_t xset);

#endif
