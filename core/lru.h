/* SPDX-License-Identifier: MIT */
/*
 * lru - a bounded cache of objects by 64-bit key. An object is made once
 * however many threads ask for it at the same time (single flight), stays
 * where it is while pinned, and is dropped in least-recently-used order when
 * the budget is passed.
 *
 * The budget is a ceiling on all that is counted: objects, pinned ones too, and
 * bytes in flight, which are whatever else a request needs memory for. Idle
 * objects make room for both. Where that is not enough, those who have asked
 * for room wait until others let go of theirs:
 *
 *	0 ........................ limit ........ budget
 *	| pinned | in flight |  idle  | (kept no more   |
 *	                                while shrunk)
 *
 * No deadlock: one of those who wait has the right of way, and is given what
 * it asks for, above the budget, until it lets go of the right. So it never
 * waits for room. The law for callers is: while you wait, you may have objects
 * pinned, all of them through the claim that you wait with, but be at work on
 * nothing that others wait for (no load, nothing busy). So nobody else keeps
 * the one with the right of way waiting for ever either, it comes to its end,
 * and the right goes to the next.
 *
 * An object made above the budget may be pinned by others too when its maker
 * lets go of it. Then the next has the right of way only when the excess is
 * gone; or, where nothing is pinned but by those who wait, one of these, who by
 * that comes to let go of it.
 *
 * So the budget can be passed by what one claim takes (and what others who
 * come to share it still need), and by what is loaded by arc_lru_pin() or
 * counted by arc_lru_count(), which never wait.
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

/* Room that a request has asked for. Zero-initialised: none. One owner. */
struct arc_lru_claim {
	size_t n; /* bytes, not used by objects yet */
	unsigned pins; /* taken by arc_lru_pin_within() */
	bool first; /* has the right of way */
	bool hasty; /* the owner's: get -E2BIG instead of waiting */
};

struct arc_lru_stats {
	uint64_t hits;
	uint64_t misses; /* loads begun */
	uint64_t evictions;
	uint64_t cost; /* bytes of objects held now */
	uint64_t in_flight; /* bytes counted beside them */
	uint64_t peak; /* of both together */
	uint64_t budget;
	uint64_t limit; /* less than the budget: shrunk */
	uint64_t waits; /* for room */
	uint64_t passes; /* times the budget was passed by right of way */
	uint64_t shrinks;
	uint64_t tidied; /* objects dropped since they were not used */
	uint64_t passed; /* bytes of objects held that were passed */
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

/* The same; if the object, of n bytes, must be made, room is claimed before. */
int arc_lru_pin_within(struct arc_lru *lru, uint64_t key, size_t n,
		       struct arc_lru_claim *claim, void **ret_obj);

/* Undoes one pin of key. */
void arc_lru_unpin(struct arc_lru *lru, uint64_t key);

/* The same before the claim is used for something else. */
void arc_lru_unpin_within(struct arc_lru *lru, uint64_t key,
			  struct arc_lru_claim *claim);

/*
 * The object of key, if it is there, has been used to its end by who goes on to
 * the next: it is the first to be dropped, and of all of which that is so no
 * more than `keep` bytes are held. Whoever pins it undoes that.
 */
void arc_lru_pass(struct arc_lru *lru, uint64_t key, size_t keep);

/* ---- room --------------------------------------------------------------- */

/* Adds n bytes to a claim, waiting for them; -E2BIG for the hasty. */
int arc_lru_claim(struct arc_lru *lru, size_t n, struct arc_lru_claim *claim);

/* Gives back the bytes of a claim that no object uses; not the right of way,
 * which is for what is pinned, too. */
void arc_lru_unclaim_bytes(struct arc_lru *lru, struct arc_lru_claim *claim);

/* Gives back both. Once nothing is pinned any more that was pinned within. */
void arc_lru_unclaim(struct arc_lru *lru, struct arc_lru_claim *claim);

/* Counts n bytes in flight that cannot wait. */
void arc_lru_count(struct arc_lru *lru, size_t n);
void arc_lru_uncount(struct arc_lru *lru, size_t n);

/* Lets it keep so many bytes more. */
void arc_lru_grow(struct arc_lru *lru, size_t bytes);

/* ---- housekeeping ------------------------------------------------------- */

/* Drops whatever is not pinned. */
void arc_lru_trim(struct arc_lru *lru);

/* Drops the older half of what it holds, and keeps no more from now on (but a
 * sixteenth of the budget at least) until it is let grow again. */
void arc_lru_shrink(struct arc_lru *lru);

/* Undoes a 64th of any shrinking. Whether there is more to undo. */
bool arc_lru_regrow(struct arc_lru *lru);

/*
 * Drops what has not been used for `age` ticks; `now` is the present one, which
 * objects used from now on remember (so nothing reads a clock for a use).
 * Returns the bytes dropped.
 */
size_t arc_lru_tidy(struct arc_lru *lru, uint32_t now, uint32_t age);

void arc_lru_stats(struct arc_lru *lru, struct arc_lru_stats *ret);

#endif
