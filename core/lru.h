/* SPDX-License-Identifier: MIT */
/*
 * lru - a bounded cache of objects by 64-bit key. An object is made once
 * however many threads ask for it at the same time (single flight), stays
 * where it is while pinned, and is dropped in least-recently-used order when
 * the budget is passed.
 *
 * The budget bounds what is kept: an object that is pinned is never dropped,
 * so requests in flight may pass the budget by what they pin themselves; as
 * soon as they unpin, the excess is dropped.
 *
 * Threads: locked inside. `load` and `drop` are called without the lock.
 */
#ifndef ARC_LRU_H
#define ARC_LRU_H

#include "base.h"

struct arc_lru;

/* Makes the object of a key; *ret_cost are the bytes it counts for. */
typedef int (*arc_lru_load)(void *ctx, uint64_t key, void **ret_obj,
			    size_t *ret_cost);
typedef void (*arc_lru_drop)(void *ctx, void *obj);

struct arc_lru_stats {
	uint64_t hits;
	uint64_t misses; /* loads begun */
	uint64_t evictions;
	uint64_t cost; /* bytes held now */
	uint64_t peak;
};

int arc_lru_new(size_t budget, arc_lru_load load, arc_lru_drop drop, void *ctx,
		struct arc_lru **ret);

/* Nothing may be pinned. Drops everything. Accepts NULL. */
void arc_lru_free(struct arc_lru *lru);
ARC_DEFINE_CLEANUP(struct arc_lru, arc_lru_free)

/*
 * Pins the object of key and returns it. A failed load is returned to every
 * thread that waited for it and is not remembered.
 */
int arc_lru_pin(struct arc_lru *lru, uint64_t key, void **ret_obj);

/* Undoes one pin of key. */
void arc_lru_unpin(struct arc_lru *lru, uint64_t key);

/* Lets it keep so many bytes more. */
void arc_lru_grow(struct arc_lru *lru, size_t bytes);

/* Drops whatever is not pinned. */
void arc_lru_trim(struct arc_lru *lru);

void arc_lru_stats(struct arc_lru *lru, struct arc_lru_stats *ret);

#endif
