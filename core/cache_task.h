/* SPDX-License-Identifier: MIT */
/*
 * cache_task - what one request needs of a frame: the groups, pinned, room for
 * the stored bytes, and these.
 *
 * Threads: a task has one owner.
 */
#ifndef ARC_CACHE_TASK_H
#define ARC_CACHE_TASK_H

#include "cache_i.h"

/* What one request needs of a frame. */
struct arc_cache_task {
	struct arc_cache *cache;
	const struct arc_record *record;
	struct arc_frame frame;
	struct arc_cache_wish wish;
	const struct arc_cache_group *own; /* that the wish is about */
	bool doubt; /* nothing is left unproven */
	struct arc_lru_claim *claim; /* borrowed */
	struct arc_segset need; /* and are not known to be ready */
	struct arc_segset ready; /* of the groups below, seen to be ready */
	struct arc_cache_group *group[ARC_FRAME_SEGMENTS_MAX]; /* pinned */
	uint8_t *buf[ARC_FRAME_SEGMENTS_MAX]; /* of these groups */
};

static inline uint32_t arc_cache_last_of(const struct arc_cache_group *g)
{
	return g->first + arc_segment_count(g->n) - 1;
}

/* Notes what is ready of a group. Called with the group's lock. */
void arc_cache_note_ready(struct arc_cache_task *t,
			  const struct arc_cache_group *g);

/* Pins the earlier groups that something is needed of: from the last to the
 * first, as each tells what it needs of those before it. Undone by the second,
 * on failure too. */
int arc_cache_pin_groups(struct arc_cache_task *t, struct arc_cache_group *own);
void arc_cache_unpin_groups(struct arc_cache_task *t,
			    const struct arc_cache_group *own);

/* Claims room for stored bytes, while nothing is busy. */
int arc_cache_claim_stored(struct arc_cache_task *t,
			   const struct arc_cache_group *own);

/* Stored bytes in a buffer of the cache's. */
struct arc_cache_stored {
	struct arc_cache *cache;
	uint8_t *buf;
	size_t cap;
	const uint8_t *p; /* where in it they are */
};

/* Reads n stored bytes of the payload, with slack behind them; they are given
 * back, on failure too. */
int arc_cache_read_stored(const struct arc_cache_task *t, uint32_t start,
			  uint32_t n, struct arc_cache_stored *ret);
void arc_cache_give_stored(struct arc_cache_stored *s);

#endif
