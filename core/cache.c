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
 * A coded segment needs all segments of its group before it; raw and filled
 * ones need nothing. A volume that cannot be read is not remembered: it may
 * come back. Of bad segments the first is tried again whenever one of them is
 * asked for, and the others, which may be bad because of it, once it is good:
 * so asking in vain costs one segment.
 *
 * Buffers of dropped groups are kept for the next ones, since getting and
 * giving back pages costs as much as decoding does. They count for the budget.
 *
 * Locks: a group's own lock is taken with no other lock held.
 */
#include "cache.h"

#define SEGMENTS ARC_FRAME_SEGMENTS_MAX
#define RUN_MAX ((uint32_t)ARC_MIB) /* stored bytes read at once */
#define SPARE_MAX 64 /* buffers kept */
#define HEADS_MIN ((size_t)ARC_MIB)
#define HEADS_MAX ((size_t)16 * ARC_MIB)

/* A set of segments of a group. */
struct bits {
	uint64_t word[SEGMENTS / 64];
};

struct group {
	uint64_t frame;
	uint32_t first; /* segment of the frame */
	uint32_t n; /* bytes */
	uint8_t *buf;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool busy; /* some thread decodes; lock */
	struct bits ready; /* lock */
	struct bits bad; /* lock */
};

struct spare {
	uint8_t *buf;
	size_t n;
};

struct arc_cache {
	struct arc_index *idx; /* borrowed, as vs and diag */
	struct arc_volumes *vs;
	struct arc_diag *diag;
	struct arc_lru *groups; /* struct group by frame << 8 | group */
	struct arc_lru *heads; /* struct arc_record by frame */
	struct arc_said said_heads; /* by frame + 1 */
	struct arc_said said_segments; /* by frame << 8 | segment, + 1 */

	pthread_mutex_t lock; /* of the spare buffers */
	struct spare spare[SPARE_MAX];
	unsigned spares;
	size_t spare_bytes;
	size_t spare_max; /* frozen */

	atomic_uint_fast64_t segments[ARC_CODEC_COUNT];
	atomic_uint_fast64_t decoded;
	atomic_uint_fast64_t served;
	atomic_uint_fast64_t bad_segments;
};

static void count(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static bool has_bit(const struct bits *b, uint32_t i)
{
	return b->word[i / 64] >> (i % 64) & 1;
}

static void set_bit(struct bits *b, uint32_t i)
{
	b->word[i / 64] |= UINT64_C(1) << (i % 64);
}

static void clear_bits(struct bits *b, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i <= hi; i++)
		b->word[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* ---- record heads ------------------------------------------------------- */

bool arc_cache_is_meant(const struct arc_record *r, const struct arc_frame *f)
{
	return r->checksum == f->checksum && r->number == f->number &&
	       r->raw == f->raw && r->codec == f->codec &&
	       r->group_log == f->group_log &&
	       (uint64_t)r->head + r->payload == f->stored;
}

static void report_frame(struct arc_cache *cache, const struct arc_frame *f,
			 int err)
{
	char name[512];

	if (err == -ENOMEM ||
	    arc_said_before(&cache->said_heads, f->number + 1))
		return;
	arc_say(cache->diag, ARC_ERROR, "%s: frame %llu: %s",
		arc_volumes_name(cache->vs, f->volume, name, sizeof(name)),
		(unsigned long long)f->number, arc_error_text(err));
}

static int read_head(struct arc_cache *cache, const struct arc_frame *f,
		     struct arc_record **ret)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	arc_cleanup(arc_freep) uint8_t *head = NULL;
	size_t n =
		arc_record_head_size(arc_segment_count(f->raw), f->entry_size);
	int err;

	head = malloc(n);
	if (!head)
		return -ENOMEM;
	err = arc_volumes_read(cache->vs, f->volume, f->offset, head, n);
	if (err < 0)
		return err;
	err = arc_record_parse((struct arc_span){ head, n }, &r);
	if (err == 0 && !arc_cache_is_meant(r, f))
		err = -EBADMSG;
	if (err < 0) {
		report_frame(cache, f, err);
		return err;
	}
	if (!r->decoder) /* its raw segments can be read all the same */
		report_frame(cache, f, -EOPNOTSUPP);
	*ret = arc_steal(r);
	return 0;
}

static int load_head(void *ctx, uint64_t key, void **ret_obj, size_t *ret_cost)
{
	struct arc_cache *cache = ctx;
	struct arc_record *r = NULL;
	struct arc_frame f;
	int err = arc_index_frame(cache->idx, key, &f);

	if (err == 0)
		err = read_head(cache, &f, &r);
	if (err < 0)
		return err;
	*ret_obj = r;
	*ret_cost = sizeof(*r) + r->segments * sizeof(r->segment[0]);
	return 0;
}

static void drop_head(void *ctx, void *obj)
{
	(void)ctx;
	free(obj);
}

/* ---- groups ------------------------------------------------------------- */

/* A buffer of exactly n bytes, a spare one if there is one. */
static uint8_t *take_buffer(struct arc_cache *cache, size_t n)
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

static void give_buffer(struct arc_cache *cache, uint8_t *buf, size_t n)
{
	pthread_mutex_lock(&cache->lock);
	if (cache->spares < SPARE_MAX &&
	    cache->spare_bytes + n <= cache->spare_max) {
		cache->spare[cache->spares++] = (struct spare){ buf, n };
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
	struct group *g;
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
	g->first = (uint32_t)(start >> ARC_SEGMENT_LOG);
	g->n = (uint32_t)ARC_MIN(f.raw - start, UINT64_C(1) << f.group_log);
	g->buf = take_buffer(cache, g->n);
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
	struct group *g = obj;

	give_buffer(ctx, g->buf, g->n);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* ---- decoding ----------------------------------------------------------- */

/* Segments [lo, hi] of a group, numbered from its first. */
struct run {
	const struct arc_record *record;
	struct group *group;
	uint32_t lo, hi;
};

static void report_segment(struct arc_cache *cache, const struct run *run,
			   uint32_t s)
{
	uint64_t frame = run->group->frame;
	struct arc_frame f;
	char name[512];

	count(&cache->bad_segments, 1);
	if (arc_said_before(&cache->said_segments, (frame << 8 | s) + 1) ||
	    arc_index_frame(cache->idx, frame, &f) < 0)
		return;
	arc_say(cache->diag, ARC_ERROR, "%s: frame %llu, segment %u: %s",
		arc_volumes_name(cache->vs, f.volume, name, sizeof(name)),
		(unsigned long long)frame, s, arc_error_text(-EBADMSG));
}

/* Decodes one segment; src: its stored bytes. */
static int decode_segment(struct arc_cache *cache, const struct run *run,
			  uint32_t i, const uint8_t *src)
{
	const struct arc_record *r = run->record;
	struct group *g = run->group;
	uint32_t s = g->first + i;
	uint32_t n = arc_record_segment_raw(r, s);
	int err = arc_record_decode_segment(r, s, src, g->buf);

	if (err < 0 && err != -EBADMSG)
		return err;
	if (err == 0) {
		if (r->codec < ARC_CODEC_COUNT)
			count(&cache->segments[r->codec], 1);
		count(&cache->decoded, n);
	} else {
		/* The same rubbish for whatever refers to it later. */
		memset(g->buf + ((size_t)i << ARC_SEGMENT_LOG), 0, n);
		report_segment(cache, run, s);
	}
	pthread_mutex_lock(&g->lock);
	set_bit(err == 0 ? &g->ready : &g->bad, i);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

/* Reads the stored bytes of a run with one call and decodes them. */
static int decode_run(struct arc_cache *cache, const struct run *run)
{
	const struct arc_segment *seg =
		&run->record->segment[run->group->first];
	arc_cleanup(arc_freep) uint8_t *stored = NULL;
	uint32_t start = seg[run->lo].offset;
	uint32_t n = seg[run->hi].offset + seg[run->hi].size - start;
	struct arc_frame f;
	int err;

	err = arc_index_frame(cache->idx, run->group->frame, &f);
	if (err < 0)
		return err;
	stored = malloc(n > 0 ? n : 1);
	if (!stored)
		return -ENOMEM;
	if (n > 0) {
		err = arc_volumes_read(cache->vs, f.volume,
				       f.offset + run->record->head + start,
				       stored, n);
		if (err < 0)
			return err;
	}
	for (uint32_t i = run->lo; i <= run->hi && err == 0; i++)
		err = decode_segment(cache, run, i,
				     stored + (seg[i].offset - start));
	return err;
}

/* The first segment that must be decoded for [lo, hi] to be. */
static uint32_t first_needed(const struct run *want)
{
	const struct arc_segment *seg =
		&want->record->segment[want->group->first];

	for (uint32_t i = want->lo; i <= want->hi; i++)
		if (seg[i].type == ARC_SEGMENT_CODED)
			return 0;
	return want->lo;
}

/* Decodes what is missing for [want->lo, want->hi], run by run. Called by the
 * thread that made the group busy, so that nobody else sets bits. */
static int decode_missing(struct arc_cache *cache, const struct run *want)
{
	const struct arc_segment *seg =
		&want->record->segment[want->group->first];
	struct group *g = want->group;
	struct run run = *want;
	uint32_t i = first_needed(want);

	while (i <= want->hi) {
		uint32_t n = 0;
		int err;

		if (has_bit(&g->ready, i) || has_bit(&g->bad, i)) {
			i++;
			continue;
		}
		run.lo = i;
		do {
			n += seg[i].size;
			run.hi = i++;
		} while (i <= want->hi && n + seg[i].size <= RUN_MAX &&
			 !has_bit(&g->ready, i) && !has_bit(&g->bad, i));
		err = decode_run(cache, &run);
		if (err < 0)
			return err;
	}
	return 0;
}

static void forget_bad(struct group *g, uint32_t lo, uint32_t hi)
{
	pthread_mutex_lock(&g->lock);
	clear_bits(&g->bad, lo, hi);
	pthread_mutex_unlock(&g->lock);
}

/* Tries the first bad segment of those that are needed again, and makes the
 * others missing when it is good now. -EBADMSG: it is not. */
static int retry_bad(struct arc_cache *cache, const struct run *want)
{
	struct group *g = want->group;
	struct run run = *want;
	int err;

	run.lo = first_needed(want);
	while (!has_bit(&g->bad, run.lo))
		if (run.lo++ == want->hi)
			return 0;
	run.hi = run.lo;
	forget_bad(g, run.lo, run.lo);
	err = decode_run(cache, &run);
	if (err < 0)
		return err;
	if (has_bit(&g->bad, run.lo))
		return -EBADMSG;
	forget_bad(g, run.lo, want->hi);
	return 0;
}

/* 1: all of [lo, hi] is ready; -EBADMSG: some is bad; 0: neither. Lock held. */
static int look(const struct group *g, uint32_t lo, uint32_t hi)
{
	bool all = true;

	for (uint32_t i = lo; i <= hi; i++) {
		if (has_bit(&g->bad, i))
			return -EBADMSG;
		all = all && has_bit(&g->ready, i);
	}
	return all;
}

/* Decodes as the thread that made the group busy; retry: some of [lo, hi] is
 * known to be bad. */
static int decode_claimed(struct arc_cache *cache, struct group *g, uint32_t lo,
			  uint32_t hi, bool retry)
{
	struct run want = { .group = g, .lo = lo, .hi = hi };
	void *record;
	int err = arc_lru_pin(cache->heads, g->frame, &record);

	if (err < 0)
		return err;
	want.record = record;
	if (retry)
		err = retry_bad(cache, &want);
	if (err == 0)
		err = decode_missing(cache, &want);
	arc_lru_unpin(cache->heads, g->frame);
	return err;
}

/* Makes segments [lo, hi] of the group ready. */
static int need(struct arc_cache *cache, struct group *g, uint32_t lo,
		uint32_t hi)
{
	int state, err = 0;
	bool tried = false;

	pthread_mutex_lock(&g->lock);
	while ((state = look(g, lo, hi)) <= 0 && err == 0) {
		if (state < 0 && tried)
			break;
		if (g->busy) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		g->busy = true;
		tried = true;
		pthread_mutex_unlock(&g->lock);
		err = decode_claimed(cache, g, lo, hi, state < 0);
		pthread_mutex_lock(&g->lock);
		g->busy = false;
		pthread_cond_broadcast(&g->changed);
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
	cache->spare_max = budget / 16;
	err = arc_lru_new(budget - cache->spare_max, load_group, drop_group,
			  cache, &cache->groups);
	if (err == 0)
		err = arc_lru_new(heads, load_head, drop_head, cache,
				  &cache->heads);
	if (err < 0)
		return err;
	*ret = arc_steal(cache);
	return 0;
}

void arc_cache_free(struct arc_cache *cache)
{
	if (!cache)
		return;
	arc_lru_free(cache->groups);
	arc_lru_free(cache->heads);
	for (unsigned i = 0; i < cache->spares; i++)
		free(cache->spare[i].buf);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

int arc_cache_pin(struct arc_cache *cache, uint64_t off, size_t n,
		  struct arc_pin *ret)
{
	struct arc_frame f;
	uint64_t in_frame, in_group, key;
	struct group *g;
	void *obj;
	int err;

	assert(n > 0);
	err = arc_index_frame_at(cache->idx, off, &f);
	if (err < 0)
		return err == -ENOENT ? -EBADMSG : err;
	in_frame = off - f.start;
	key = f.number << 8 | in_frame >> f.group_log;
	err = arc_lru_pin(cache->groups, key, &obj);
	if (err < 0)
		return err;
	g = obj;
	in_group = in_frame & ((UINT64_C(1) << f.group_log) - 1);
	n = ARC_MIN(n, g->n - in_group);
	err = need(cache, g, (uint32_t)(in_group >> ARC_SEGMENT_LOG),
		   (uint32_t)((in_group + n - 1) >> ARC_SEGMENT_LOG));
	if (err < 0) {
		arc_lru_unpin(cache->groups, key);
		return err;
	}
	count(&cache->served, n);
	*ret = (struct arc_pin){ .p = g->buf + in_group, .n = n, .key = key };
	return 0;
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
}
