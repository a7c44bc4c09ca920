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
 * Buffers of dropped groups, and of stored bytes, are kept for the next ones,
 * since getting and giving back pages costs as much as decoding does. A
 * sixteenth of the budget is theirs; the rest is that of the groups, where what
 * is in flight is counted too.
 *
 * Groups go in the order of their last use, but those first that somebody got
 * whole, or has passed in order: the kernel, or whoever it was, has a copy.
 *
 * Locks: a group's own lock is taken with no other lock held.
 */
#include "cache_ahead.h"
#include "cache_i.h"

#define MIX UINT64_C(0x9e3779b97f4a7c15)
#define BUFFER_MIN ((size_t)128 * ARC_KIB) /* smaller ones cost little */
#define BUFFER_LARGE ((size_t)256 * ARC_KIB)
#define HEADS_MAX ((size_t)16 * ARC_MIB)
#define SERVED_KEEP ((size_t)4 * ARC_MIB) /* of groups served whole */

/* ---- groups ------------------------------------------------------------- */

/*
 * Whether buffers are to be made for groups of n bytes: only while the cache
 * fills up; then there are those of the groups that are dropped. Of a large
 * group about half is needed at first: while all processors may have something
 * better to do, who decodes gets pages for that, and no others.
 */
static bool wants_buffers(struct arc_cache *cache, size_t n)
{
	struct arc_lru_stats s;

	if (!cache->ahead || n < BUFFER_MIN ||
	    (n > BUFFER_LARGE && atomic_load(&cache->decoding) > 0) ||
	    n > cache->spare_max / (2 * ARC_CACHE_READY) ||
	    arc_cache_count_buffers(cache, n) >= ARC_CACHE_READY / 2)
		return false;
	arc_lru_stats(cache->groups, &s);
	return s.cost + s.in_flight + ARC_CACHE_READY * n < s.limit;
}

static int load_group(void *ctx, uint64_t key, void **ret_obj, size_t *ret_cost)
{
	struct arc_cache *cache = ctx;
	struct arc_frame f;
	struct arc_cache_group *g;
	uint64_t start;
	size_t n;
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
	g->buf = arc_cache_take_buffer(cache, g->n, g->n, &n);
	if (!g->buf) {
		free(g);
		return -ENOMEM;
	}
	if (wants_buffers(cache, g->n))
		arc_ahead_want_buffers(cache->ahead, g->n);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	*ret_obj = g;
	*ret_cost = arc_cache_group_cost(g->n);
	return 0;
}

/* ---- groups that were dropped --------------------------------------------- */

static uint64_t mix_of(uint64_t key)
{
	return (key + 1) * MIX;
}

static atomic_uint_least32_t *place_of(struct arc_cache *cache, uint64_t key)
{
	return &cache->dropped[mix_of(key) >> (64 - ARC_CACHE_DROPPED_LOG)];
}

static uint32_t mark_of(uint64_t key)
{
	return (uint32_t)(mix_of(key) >> 16) | 1;
}

static void note_dropped(struct arc_cache *cache, uint64_t key)
{
	atomic_store_explicit(place_of(cache, key), mark_of(key),
			      memory_order_relaxed);
}

/* Not for ever, and sometimes of another group. */
static bool was_dropped(struct arc_cache *cache, uint64_t key)
{
	return atomic_load_explicit(place_of(cache, key),
				    memory_order_relaxed) == mark_of(key);
}

static void drop_group(void *ctx, void *obj)
{
	struct arc_cache_group *g = obj;

	note_dropped(ctx, arc_cache_key(g->frame, g->number));
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

/* Where bytes of the stream lie. */
struct spot {
	struct arc_cache_group *g; /* pinned by key */
	uint64_t key;
	uint64_t off;
	uint64_t in_group;
	uint32_t lo, hi; /* segments */
};

/*
 * Whether stored bytes are left out of the system's cache: of what is read here
 * and there, for the first time as far as we know. What has been dropped and is
 * wanted again may be dropped again; who reads in order profits by what the
 * system reads ahead.
 */
static bool is_once(struct arc_cache *cache, const struct spot *at)
{
	return cache->ahead && !was_dropped(cache, at->key) &&
	       !arc_ahead_is_order(cache->ahead, at->off);
}

static int decode_spot(struct arc_cache *cache, const struct spot *at,
		       bool retry, struct arc_lru_claim *claim)
{
	const struct arc_cache_wish wish = { .lo = at->lo,
					     .hi = at->hi,
					     .retry = retry,
					     .once = is_once(cache, at) };
	int err;

	atomic_fetch_add(&cache->decoding, 1);
	err = arc_cache_decode(cache, at->g, &wish, claim);
	atomic_fetch_sub(&cache->decoding, 1);
	return err;
}

/* Makes the segments there ready. Where they are, nothing but the group is
 * looked at. *ret_fresh: they were not, or are for the first time. */
static int need(struct arc_cache *cache, const struct spot *at,
		struct arc_lru_claim *claim, bool *ret_fresh)
{
	struct arc_cache_group *g = at->g;
	int state, err = 0;
	bool tried = false;

	pthread_mutex_lock(&g->lock);
	*ret_fresh = g->ahead;
	if (g->ahead)
		arc_cache_count(&cache->ahead_used, 1);
	g->ahead = false;
	while ((state = look(g, at->lo, at->hi)) <= 0 && err == 0) {
		if (state < 0 && tried)
			break;
		if (g->busy) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		tried = *ret_fresh = true;
		pthread_mutex_unlock(&g->lock);
		err = decode_spot(cache, at, state < 0, claim);
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
	size_t heads = ARC_MIN(budget / 8, HEADS_MAX);
	int err;

	if (!cache)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->copied, NULL);
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
	arc_lru_free(cache->heads); /* counted among the groups */
	arc_lru_free(cache->groups);
	arc_cache_drop_buffers(cache);
	pthread_cond_destroy(&cache->copied);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int arc_cache_read_ahead(struct arc_cache *cache,
			 const struct arc_ahead_options *opt)
{
	return arc_ahead_new(cache, opt, &cache->ahead);
}

/* Pins the group at off; *n is cut to it. */
static int find_spot(struct arc_cache *cache, uint64_t off, size_t *n,
		     struct arc_lru_claim *claim, struct spot *ret)
{
	struct arc_frame f;
	uint64_t in_frame, group_n;
	void *obj;
	int err;

	assert(*n > 0);
	err = arc_index_frame_at(cache->idx, off, &f);
	if (err < 0)
		return err == -ENOENT ? -EBADMSG : err;
	ret->off = off;
	in_frame = off - f.start;
	ret->in_group = in_frame & ((UINT64_C(1) << f.group_log) - 1);
	group_n = ARC_MIN(f.raw - (in_frame - ret->in_group),
			  UINT64_C(1) << f.group_log);
	ret->key = arc_cache_key(f.number, (uint32_t)(in_frame >> f.group_log));
	err = arc_lru_pin_within(cache->groups, ret->key,
				 arc_cache_group_cost(group_n), claim, &obj);
	if (err < 0)
		return err;
	ret->g = obj;
	*n = ARC_MIN(*n, ret->g->n - ret->in_group);
	ret->lo = (uint32_t)(in_frame >> ARC_SEGMENT_LOG);
	ret->hi = (uint32_t)((in_frame + *n - 1) >> ARC_SEGMENT_LOG);
	return 0;
}

int arc_cache_await_devices(struct arc_cache *cache)
{
	return arc_ahead_await(cache->ahead);
}

/*
 * n bytes of the group have been asked for, and decoded for it. Who got a whole
 * group has a copy of it, and its memory is better used for the next one while
 * it is warm; but not where it has been wanted again before.
 */
static void note_served(struct arc_cache *cache, const struct spot *at,
			size_t n)
{
	if (n == at->g->n && !was_dropped(cache, at->key))
		arc_lru_pass(cache->groups, at->key, SERVED_KEEP);
}

static int pin_bytes(struct arc_cache *cache, uint64_t off, size_t n,
		     struct arc_lru_claim *claim, struct arc_pin *ret)
{
	struct spot at;
	bool fresh;
	int err = find_spot(cache, off, &n, claim, &at);

	if (err < 0)
		return err;
	err = need(cache, &at, claim, &fresh);
	if (err < 0) {
		arc_lru_unpin(cache->groups, at.key);
		return err;
	}
	arc_cache_count(&cache->served, n);
	if (cache->ahead)
		arc_ahead_note(cache->ahead, off, n, fresh);
	if (fresh)
		note_served(cache, &at, n);
	*ret = (struct arc_pin){ .p = at.g->buf + at.in_group,
				 .n = n,
				 .key = at.key };
	return 0;
}

static int pin_claiming(struct arc_cache *cache, uint64_t off, size_t n,
			bool hasty, struct arc_pin *ret)
{
	struct arc_lru_claim claim = { .hasty = hasty };
	int err = pin_bytes(cache, off, n, &claim, ret);

	if (err < 0) {
		arc_lru_unclaim(cache->groups, &claim);
		return err;
	}
	arc_lru_unclaim_bytes(cache->groups, &claim);
	ret->claim = claim;
	return 0;
}

int arc_cache_pin(struct arc_cache *cache, uint64_t off, size_t n,
		  struct arc_pin *ret)
{
	return pin_claiming(cache, off, n, false, ret);
}

int arc_cache_pin_more(struct arc_cache *cache, uint64_t off, size_t n,
		       struct arc_pin *ret)
{
	return pin_claiming(cache, off, n, true, ret);
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

/* Returns how many segments have become ready by it. */
static uint32_t fetch_spot(struct arc_cache *cache, const struct spot *at,
			   struct arc_lru_claim *claim)
{
	uint32_t missing = count_missing(at->g, at->lo, at->hi);

	if (missing == 0 || decode_spot(cache, at, false, claim) < 0)
		return 0;
	missing -= count_missing(at->g, at->lo, at->hi);
	if (missing) {
		pthread_mutex_lock(&at->g->lock);
		arc_cache_mark_ahead(cache, at->g);
		pthread_mutex_unlock(&at->g->lock);
	}
	return missing;
}

int arc_cache_fetch(struct arc_cache *cache, uint64_t off, size_t n,
		    size_t *ret_n, uint32_t *segments)
{
	struct arc_lru_claim claim = { .hasty = true };
	struct spot at;
	int err = find_spot(cache, off, &n, &claim, &at);

	if (err == 0) {
		*segments += fetch_spot(cache, &at, &claim);
		arc_lru_unpin(cache->groups, at.key);
	}
	arc_lru_unclaim(cache->groups, &claim);
	*ret_n = n;
	return err;
}

void arc_cache_unpin(struct arc_cache *cache, struct arc_pin *pin)
{
	arc_lru_unpin(cache->groups, pin->key);
	arc_lru_unclaim(cache->groups, &pin->claim);
	pin->p = NULL;
	pin->n = 0;
}

/* ---- memory ------------------------------------------------------------- */

void arc_cache_begin_copy(struct arc_cache *cache, size_t n)
{
	pthread_mutex_lock(&cache->lock);
	while (cache->copies > 0 && cache->copies + n > cache->budget / 4)
		pthread_cond_wait(&cache->copied, &cache->lock);
	cache->copies += n;
	pthread_mutex_unlock(&cache->lock);
	arc_lru_count(cache->groups, n);
}

void arc_cache_end_copy(struct arc_cache *cache, size_t n)
{
	arc_lru_uncount(cache->groups, n);
	pthread_mutex_lock(&cache->lock);
	cache->copies -= n;
	pthread_cond_broadcast(&cache->copied);
	pthread_mutex_unlock(&cache->lock);
}

void arc_cache_shrink(struct arc_cache *cache)
{
	arc_lru_shrink(cache->heads);
	arc_lru_shrink(cache->groups);
	arc_cache_drop_buffers(cache);
}

bool arc_cache_regrow(struct arc_cache *cache)
{
	bool heads = arc_lru_regrow(cache->heads);

	return arc_lru_regrow(cache->groups) || heads;
}

/* Nobody needs buffers where there was nothing to do for so long. */
size_t arc_cache_tidy(struct arc_cache *cache, uint32_t now, uint32_t age)
{
	size_t n = arc_lru_tidy(cache->heads, now, age) +
		   arc_lru_tidy(cache->groups, now, age);

	if (n > 0)
		arc_cache_drop_buffers(cache);
	return n;
}

static void tell_memory(struct arc_cache *cache, struct arc_cache_memory *ret)
{
	struct arc_lru_stats groups, heads;
	uint64_t spare, spare_peak;

	arc_lru_stats(cache->groups, &groups);
	arc_lru_stats(cache->heads, &heads);
	pthread_mutex_lock(&cache->lock);
	spare = cache->spare_bytes;
	spare_peak = cache->spare_peak;
	pthread_mutex_unlock(&cache->lock);
	*ret = (struct arc_cache_memory){
		.ceiling = groups.budget + cache->spare_max,
		.limit = groups.limit + cache->spare_max,
		.held = groups.cost + heads.cost + spare,
		.peak = groups.peak + spare_peak,
		.waits = groups.waits,
		.shrinks = groups.shrinks,
		.tidied = groups.tidied,
	};
	ret->in_flight =
		groups.in_flight - ARC_MIN(groups.in_flight, heads.cost);
}

void arc_cache_stats(struct arc_cache *cache, struct arc_cache_stats *ret)
{
	arc_lru_stats(cache->groups, &ret->groups);
	tell_memory(cache, &ret->memory);
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
