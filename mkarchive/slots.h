/* SPDX-License-Identifier: MIT */
/*
 * slots - a hash table of row numbers. The rows lie elsewhere (in a spool) and
 * know their own hash; a slot is four bytes, where a table of nodes would take
 * a hundred for each row. A small table lies in memory, a large one in a spool:
 * it is slower where it does not fit into the kernel's cache, but memory does
 * not grow.
 *
 *	hash -> slot | row + 1 | 0 | row + 1 | ...	linear probing
 *
 * Threads: one owner.
 */
#ifndef MK_SLOTS_H
#define MK_SLOTS_H

#include "spool.h"

struct mk_slots {
	uint32_t *slot; /* 1 + row, 0: free */
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
typedef uint64_t (*mk_slots_hash)(const void *ctx, uint32_t row);
typedef bool (*mk_slots_same)(const void *ctx, uint32_t row);

/* True and *ret_row when there is a row of this hash for which same() holds. */
bool mk_slots_find(struct mk_slots *t, uint64_t hash, mk_slots_same same,
		   const void *ctx, uint32_t *ret_row);

/*
 * Adds the next row: they are numbered 0, 1, 2 ... in the order in which they
 * are added. hash() is asked for the earlier ones when the table grows.
 * -E2BIG when there are too many rows for 32 bits.
 */
int mk_slots_add(struct mk_slots *t, uint64_t hash, mk_slots_hash hash_of,
		 const void *ctx);

void mk_slots_fini(struct mk_slots *t); /* accepts a zeroed one */

#endif
