/* SPDX-License-Identifier: MIT */
/*
 * cache_i - what the files of the cache share: cache.c keeps the groups,
 * cache_heads.c the heads of their records, cache_decode.c fills them with what
 * a task (cache_task.h) needs, cache_buffers.c has the memory.
 *
 * Threads: as said of each field.
 */
#ifndef ARC_CACHE_I_H
#define ARC_CACHE_I_H

#include "cache.h"

#define ARC_CACHE_SPARES_MAX 64 /* buffers kept */
#define ARC_CACHE_READY 4 /* buffers that should be there for new groups */
#define ARC_CACHE_RUN_MAX ((uint32_t)ARC_MIB) /* stored bytes read at once */
#define ARC_CACHE_DROPPED_LOG 14 /* groups remembered that were dropped */

/* A group of segments, some of them decoded. */
struct arc_cache_group {
	uint64_t frame;
	uint32_t number; /* in its frame */
	uint32_t first; /* segment of the frame */
	uint32_t n; /* bytes */
	uint8_t *buf;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool busy; /* some thread decodes; lock */
	bool ahead; /* decoded ahead, and not pinned since; lock */
	struct arc_segset ready; /* by segment of the frame; lock */
	struct arc_segset unproven; /* decoded, and its checksum not compared
				     * yet; lock */
	struct arc_segset bad; /* lock */
};

struct arc_cache_spare {
	uint8_t *buf;
	size_t n;
};

struct arc_cache {
	struct arc_index *idx; /* borrowed, as vs and diag */
	struct arc_volumes *vs;
	struct arc_diag *diag;
	struct arc_lru *groups; /* struct arc_cache_group by
				 * arc_cache_key() */
	struct arc_lru *heads; /* struct arc_record by frame */
	struct arc_ahead *ahead; /* NULL: nothing is decoded ahead */
	size_t budget;
	struct arc_said said_heads; /* by frame + 1 */
	struct arc_said said_segments; /* by frame << 8 | segment, + 1 */

	/* Groups that were dropped, each in the place that its key's hash
	 * names, until another takes it: the upper part of the hash, never 0. */
	atomic_uint_least32_t dropped[1 << ARC_CACHE_DROPPED_LOG];

	pthread_mutex_t lock; /* of the spare buffers and of copies */
	struct arc_cache_spare spare[ARC_CACHE_SPARES_MAX]; /* oldest first */
	unsigned spares;
	size_t spare_bytes;
	size_t spare_peak;
	size_t spare_max; /* frozen */
	size_t copies; /* bytes */
	pthread_cond_t copied; /* copies have become less */

	atomic_uint decoding; /* threads that are */
	atomic_uint_fast64_t segments[ARC_CODEC_COUNT];
	atomic_uint_fast64_t decoded;
	atomic_uint_fast64_t served;
	atomic_uint_fast64_t bad_segments;
	atomic_uint_fast64_t ahead_groups;
	atomic_uint_fast64_t ahead_used;
};

static inline uint64_t arc_cache_key(uint64_t frame, uint32_t group)
{
	static_assert(ARC_FRAME_SEGMENTS_MAX == 1 << 8, "key of a group");
	return frame << 8 | group;
}

static inline void arc_cache_count(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* What a group of n bytes counts for. */
static inline size_t arc_cache_group_cost(size_t n)
{
	return sizeof(struct arc_cache_group) + n;
}

/* Something of a group has been decoded ahead; with the group's lock. */
static inline void arc_cache_mark_ahead(struct arc_cache *cache,
					struct arc_cache_group *g)
{
	if (!g->ahead)
		arc_cache_count(&cache->ahead_groups, 1);
	g->ahead = true;
}

/*
 * Decodes of [off, off + n) of the stream what lies in the first group, for
 * readers to come; *ret_n: how much that is. Adds to *segments what was decoded.
 */
int arc_cache_fetch(struct arc_cache *cache, uint64_t off, size_t n,
		    size_t *ret_n, uint32_t *segments);

/* The heads of records, as arc_lru_new() wants them. */
int arc_cache_load_head(void *ctx, uint64_t key, void **ret_obj,
			size_t *ret_cost);
void arc_cache_drop_head(void *ctx, void *obj);

/* A buffer of n bytes, or a spare one of up to max, aligned to ARC_STORE_BLOCK;
 * NULL without memory. It is given back with the size it has: *ret_n. */
uint8_t *arc_cache_take_buffer(struct arc_cache *cache, size_t n, size_t max,
			       size_t *ret_n);
void arc_cache_give_buffer(struct arc_cache *cache, uint8_t *buf, size_t n);

/* How many spare buffers of n bytes there are; and away with all of them. */
unsigned arc_cache_count_buffers(struct arc_cache *cache, size_t n);
void arc_cache_drop_buffers(struct arc_cache *cache);

/* Makes spare buffers of n bytes until there are some, with pages that have
 * been touched: who decodes into new ones waits for the kernel at each. */
void arc_cache_make_buffers(struct arc_cache *cache, size_t n);

/* What somebody wants of a group. */
struct arc_cache_wish {
	uint32_t lo, hi; /* segments of the frame */
	bool retry; /* some of them is known to be bad and is tried again */
	bool once; /* stored bytes are hardly wanted again */
};

/*
 * Decodes what is missing for the wish in a pinned group. Afterwards each of
 * the segments is ready or bad, by this thread or another one, but for what was
 * tried again in vain: -EBADMSG. Claims the room it needs; -E2BIG when the
 * claim is hasty and there is none.
 */
int arc_cache_decode(struct arc_cache *cache, struct arc_cache_group *g,
		     const struct arc_cache_wish *wish,
		     struct arc_lru_claim *claim);

#endif
