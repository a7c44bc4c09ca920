/* SPDX-License-Identifier: MIT */
/*
 * cacheworld - a cache on an archive in memory. Needs cmocka.h before it.
 *
 * Threads: one owner.
 */
#ifndef TEST_CACHEWORLD_H
#define TEST_CACHEWORLD_H

#include "cache.h"
#include "setmaker.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)
#define BUDGET ((size_t)64 << 20)

/* A cache and what it stands on. */
struct opened {
	struct setmaker m;
	uint8_t *stream;
	struct arc_volumes *vs;
	struct arc_index *idx;
	struct arc_cache *cache;
	struct listener l;
};

static inline void open_cache(struct opened *o, size_t budget)
{
	struct arc_volume_source source = set_source(&o->m);

	assert_int_equal(arc_volumes_open(&source, 1, 0, &o->l.diag, &o->vs),
			 0);
	assert_int_equal(arc_index_open(o->vs, 1 << 20, &o->l.diag, &o->idx),
			 0);
	assert_int_equal(
		arc_cache_new(o->idx, o->vs, budget, &o->l.diag, &o->cache), 0);
}

static inline void close_cache(struct opened *o)
{
	arc_cache_free(o->cache);
	arc_index_close(o->idx);
	arc_volumes_close(o->vs);
}

static inline void drop(struct opened *o)
{
	close_cache(o);
	set_fini(&o->m);
	free(o->stream);
}

#endif
