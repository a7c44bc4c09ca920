/* SPDX-License-Identifier: MIT */
/*
 * cache - groups of decoded segments, kept under a byte budget.
 *
 * A group comes into the cache empty; its segments are decoded when somebody
 * asks for them, by that thread and without a lock. While one thread decodes,
 * the group is `busy` and others who miss something in it wait; what is ready
 * stays usable all the time, since ready bytes never change.
 *
 *	missing --decode--> ready     (its checksum was right)
 *	           ^    \-> bad       (it was not)
 *	           \--------/         (asked for again: it may be mended)
 *
 * A coded segment needs those it refers to, raw and filled ones need nothing. A
 * volume that cannot be read is not remembered: it may come back. Of bad
 * segments the first is tried again whenever one of them is asked for, and the
 * others, which may be bad because of it, once it is good: so asking in vain
 * costs one segment.
 *
 * Buffers of dropped groups are kept for the next ones, since getting and
 * giving back pages costs as much as decoding does. They count for the budget.
 *
 * Locks: a group's own lock is taken with no other lock held.
 */
#include "cache_ahead.h"
#include "cache_i.h"

#define HEADS_MIN ((size_t)ARC_MIB)
#define HEADS_MAX ((size_t)16 * ARC_MIB)

/* ---- groups ------------------------------------------------------------- */

uint8_t *arc_cache_take_buffer(struct arc_cache *cache, size_t n)
{
	uint8_t *buf = NULL;

	pthread_mutex_lock(&cache->lock);
	for (unsigned i = cache->spares; i-- > 0 && !buf;) {
		if (cache->spare[i].n != n)
			continue;
		buf = cache->spare[i].buf;
		cache->spare[i] = cache->spare[--cache->spares];
		cache->spare_bytes -= n;
	}
	pthread_mutex_unlock(&cache->lock);
	return buf ? buf : malloc(n);
}

void arc_cache_give_buffer(struct arc_cache *cache, uint8_t *buf, size_t n)
{
	pthread_mutex_lock(&cache->lock);
	if (cache->spares < ARC_CACHE_SPARES_MAX &&
	    cache->spare_bytes + n <= cache->spare_max) {
		cache->spare[cache->spares++] =
			(struct arc_cache_spare){ buf, n };
		cache->spare_bytes += n;
		buf = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	free(buf);
}

static int load_group(void *ctx, uint64_t key, void **ret_obj, size_t *ret_cost)
{
	struct arc_cache *cache = ctx;
	struct arc_frame f;
	struct arc_cache_group *g;
	uint64_t start;
	int err = arc_index_frame(cache->idx, key >> 8, &f);

	if (err < 0)
		return err;
	start = (key & 0xff) << f.group_log;
	assert(start < f.raw);
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->frame = f.number;
	g->number = (uint32_t)(key & 0xff);
	g->first = (uint32_t)(start >> ARC_SEGMENT_LOG);
	g->n = (uint32_t)ARC_MIN(f.raw - start, UINT64_C(1) << f.group_log);
	g->buf = arc_cache_take_buffer(cache, g->n);
	if (!g->buf) {
		free(g);
		return -ENOMEM;
	}
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	*ret_obj = g;
	*ret_cost = sizeof(*g) + g->n;
	return 0;
}

static void drop_group(void *ctx, void *obj)
{
	struct arc_cache_group *g = obj;

	arc_cache_give_buffer(ctx, g->buf, g->n);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* ---- decoding ----------------------------------------------------------- */

/* 1: all of [lo, hi] is ready; -EBADMSG: some is bad; 0: neither. Lock held. */
static int look(const struct arc_cache_group *g, uint32_t lo, uint32_t hi)
{
	bool all = true;

	for (uint32_t s = lo; s <= hi; s++) {
		if (arc_segset_has(&g->bad, s))
			return -EBADMSG;
		all = all && arc_segset_has(&g->ready, s);
	}
	return all;
}

/* Makes segments [lo, hi] of the group ready. Where they are, nothing but the
 * group is looked at. *ret_fresh: they were not, or are for the first time. */
static int need(struct arc_cache *cache, struct arc_cache_group *g, uint32_t lo,
		uint32_t hi, bool *ret_fresh)
{
	int state, err = 0;
	bool tried = false;

	pthread_mutex_lock(&g->lock);
	*ret_fresh = g->ahead;
	if (g->ahead)
		arc_cache_count(&cache->ahead_used, 1);
	g->ahead = false;
	while ((state = look(g, lo, hi)) <= 0 && err == 0) {
		if (state < 0 && tried)
			break;
		if (g->busy) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		tried = *ret_fresh = true;
		pthread_mutex_unlock(&g->lock);
		err = arc_cache_decode(cache, g, lo, hi, state < 0);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	if (state < 0)
		return state;
	return state > 0 ? 0 : err;
}

/* ---- the cache ---------------------------------------------------------- */

int arc_cache_new(struct arc_index *idx, struct arc_volumes *vs, size_t budget,
		  struct arc_diag *diag, struct arc_cache **ret)
{
	arc_cleanup(arc_cache_freep) struct arc_cache *cache =
		calloc(1, sizeof(*cache));
	size_t heads = ARC_MIN(ARC_MAX(budget / 8, HEADS_MIN), HEADS_MAX);
	int err;

	if (!cache)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	cache->idx = idx;
	cache->vs = vs;
	cache->diag = diag;
	cache->budget = budget;
	cache->spare_max = budget / 16;
	err = arc_lru_new(budget - cache->spare_max, load_group, drop_group,
			  cache, &cache->groups);
	if (err == 0)
		err = arc_lru_new(heads, arc_cache_load_head,
				  arc_cache_drop_head, cache, &cache->heads);
	if (err < 0)
		return err;
	*ret = arc_steal(cache);
	return 0;
}

void arc_cache_free(struct arc_cache *cache)
{
	if (!cache)
		return;
	arc_ahead_free(cache->ahead);
	arc_lru_free(cache->groups);
	arc_lru_free(cache->heads);
	for (unsigned i = 0; i < cache->spares; i++)
		free(cache->spare[i].buf);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int arc_cache_read_ahead(struct arc_cache *cache,
			 const struct arc_ahead_options *opt)
{
	return arc_ahead_new(cache, opt, &cache->ahead);
}

/* Where bytes of the stream lie. */
struct spot {
	struct arc_cache_group *g; /* pinned by key */
	uint64_t key;
	uint64_t in_group;
	uint32_t lo, hi; /* segments */
};

/* Pins the group at off; *n is cut to it. */
static int find_spot(struct arc_cache *cache, uint64_t off, size_t *n,
		     struct spot *ret)
{
	struct arc_frame f;
	uint64_t in_frame;
	void *obj;
	int err;

	assert(*n > 0);
	err = arc_index_frame_at(cache->idx, off, &f);
	if (err < 0)
		return err == -ENOENT ? -EBADMSG : err;
	in_frame = off - f.start;
	ret->key = arc_cache_key(f.number, (uint32_t)(in_frame >> f.group_log));
	err = arc_lru_pin(cache->groups, ret->key, &obj);
	if (err < 0)
		return err;
	ret->g = obj;
	ret->in_group = in_frame & ((UINT64_C(1) << f.group_log) - 1);
	*n = ARC_MIN(*n, ret->g->n - ret->in_group);
	ret->lo = (uint32_t)(in_frame >> ARC_SEGMENT_LOG);
	ret->hi = (uint32_t)((in_frame + *n - 1) >> ARC_SEGMENT_LOG);
	return 0;
}

int arc_cache_await_devices(struct arc_cache *cache)
{
	return arc_ahead_await(cache->ahead);
}

int arc_cache_pin(struct arc_cache *cache, uint64_t off, size_t n,
		  struct arc_pin *ret)
{
	struct spot at;
	bool fresh;
	int err = find_spot(cache, off, &n, &at);

	if (err < 0)
		return err;
	err = need(cache, at.g, at.lo, at.hi, &fresh);
	if (err < 0) {
		arc_lru_unpin(cache->groups, at.key);
		return err;
	}
	arc_cache_count(&cache->served, n);
	if (cache->ahead)
		arc_ahead_note(cache->ahead, off, n, fresh);
	*ret = (struct arc_pin){ .p = at.g->buf + at.in_group,
				 .n = n,
				 .key = at.key };
	return 0;
}

/* Segments of [lo, hi] that are not ready. */
static uint32_t count_missing(struct arc_cache_group *g, uint32_t lo,
			      uint32_t hi)
{
	uint32_t n = 0;

	pthread_mutex_lock(&g->lock);
	for (uint32_t s = lo; s <= hi; s++)
		n += !arc_segset_has(&g->ready, s);
	pthread_mutex_unlock(&g->lock);
	return n;
}

int arc_cache_fetch(struct arc_cache *cache, uint64_t off, size_t n,
		    size_t *ret_n, uint32_t *segments)
{
	struct spot at;
	uint32_t missing;
	int err = find_spot(cache, off, &n, &at);

	if (err < 0)
		return err;
	missing = count_missing(at.g, at.lo, at.hi);
	if (missing)
		err = arc_cache_decode(cache, at.g, at.lo, at.hi, false);
	if (missing && err == 0)
		missing -= count_missing(at.g, at.lo, at.hi);
	if (missing && err == 0) {
		pthread_mutex_lock(&at.g->lock);
		arc_cache_mark_ahead(cache, at.g);
		pthread_mutex_unlock(&at.g->lock);
		*segments += missing;
	}
	arc_lru_unpin(cache->groups, at.key);
	*ret_n = n;
	return err;
}

void arc_cache_unpin(struct arc_cache *cache, struct arc_pin *pin)
{
	arc_lru_unpin(cache->groups, pin->key);
	pin->p = NULL;
	pin->n = 0;
}

void arc_cache_stats(struct arc_cache *cache, struct arc_cache_stats *ret)
{
	arc_lru_stats(cache->groups, &ret->groups);
	for (size_t i = 0; i < ARC_CODEC_COUNT; i++)
		ret->segments[i] = atomic_load(&cache->segments[i]);
	ret->decoded = atomic_load(&cache->decoded);
	ret->served = atomic_load(&cache->served);
	ret->bad_segments = atomic_load(&cache->bad_segments);
	ret->ahead = (struct arc_ahead_stats){ .state = "off" };
	if (cache->ahead)
		arc_ahead_stats(cache->ahead, &ret->ahead);
	ret->ahead.groups = atomic_load(&cache->ahead_groups);
	ret->ahead.used = atomic_load(&cache->ahead_used);
}
