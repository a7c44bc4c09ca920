/* SPDX-License-Identifier: MIT */
/*
 * slots - a hash table of row numbers. The rows lie elsewhere (in a spool); a
 * slot is eight bytes, where a table of nodes would take a hundred for each
 * row. A small table lies in memory, a large one in a spool: it is slower where
 * it does not fit into the kernel's cache, but memory does not grow.
 *
 *	hash -> slot | row + 1, mark | 0 | row + 1, mark | ...	linear probing
 *
 * The mark is half of the hash: rows may lie anywhere, and are only looked at
 * where it is the same, nor when the table grows.
 *
 * Threads: one owner.
 */
#ifndef MK_SLOTS_H
#define MK_SLOTS_H

#include "spool.h"

struct mk_slot {
	uint32_t row; /* 1 + it, 0: free */
	uint32_t mark;
};

struct mk_slots {
	struct mk_slot *slot;
	uint64_t count; /* of slots, a power of two; 0: none yet */
	uint64_t used;
	struct mk_spool file; /* where a large table lies */
	int dir_fd; /* for that (borrowed), if has_dir */
	bool has_dir;
	uint64_t steps;
};

/* Where a large table goes; without it all lie in memory. For a zeroed one. */
void mk_slots_init(struct mk_slots *t, int dir_fd);

/* What the table asks about a row; ctx is handed through. */
typedef bool (*mk_slots_same)(const void *ctx, uint32_t row);

/* True and *ret_row when there is a row of this hash for which same() holds. */
bool mk_slots_find(struct mk_slots *t, uint64_t hash, mk_slots_same same,
		   const void *ctx, uint32_t *ret_row);

/*
 * Adds the next row: they are numbered 0, 1, 2 ... in the order in which they
 * are added. -E2BIG for more than 3 * 2^30 of them.
 */
int mk_slots_add(struct mk_slots *t, uint64_t hash);

void mk_slots_fini(struct mk_slots *t); /* accepts a zeroed one */

#endif
