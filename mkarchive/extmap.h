/* SPDX-License-Identifier: MIT */
/*
 * extmap - where the data of a duplicate lies, when its holes are not those of
 * its leader. A run of the duplicate's data is cut along the leader's extents:
 * what the leader stores is pointed to, what is a hole there must be zeros
 * here, for the contents are equal.
 *
 *	leader     |=== stream 100 ===|      hole      |== stream 400 ==|
 *	duplicate      |============ data ============|   hole
 *	pieces         | stream 1xx   |      ZERO      |
 *
 * Threads: pure; struct mk_extmap has one owner.
 */
#ifndef MK_EXTMAP_H
#define MK_EXTMAP_H

#include "tree.h"

/* The leader's extents, ascending, borrowed; and how far they have been used. */
struct mk_extmap {
	const struct mk_extent *extent;
	uint64_t count;
	uint64_t next;
};

/*
 * The piece of [off, end) that begins at off; its length is at least 1. Calls
 * must come with ascending off. off < end.
 */
struct mk_extent mk_extmap_piece(struct mk_extmap *m, uint64_t off,
				 uint64_t end);

#endif
