/* SPDX-License-Identifier: MIT */
/*
 * cache_decode - fills groups with what a request needs, and nothing else.
 *
 * What a segment needs may lie in earlier groups of its frame too. A request
 * pins all groups it needs something of and goes through them in ascending
 * order: each is made ready before the next is begun, so that whatever is
 * decoded finds what it needs, in memory that stays.
 *
 * No deadlock: a thread has at most one group busy, and while it has, it waits
 * for no other; it waits for a busy group only while it has none.
 *
 * Who has a group busy is the only one to change its bits and to write into its
 * buffer, and never where a segment is ready. A segment of an earlier group
 * that is bad may be tried again by another thread at any time, so it is not
 * even read: what refers to it is bad.
 */
#include "cache_i.h"

/* What one request needs of a frame. */
struct task {
	struct arc_cache *cache;
	const struct arc_record *record;
	struct arc_frame frame;
	bool retry; /* bad segments are tried again */
	bool once; /* as in the wish */
	struct arc_lru_claim *claim; /* borrowed */
	struct arc_segset need; /* and are not known to be ready */
	struct arc_segset ready; /* of the groups below, seen to be ready */
	struct arc_cache_group *group[ARC_FRAME_SEGMENTS_MAX]; /* pinned */
	uint8_t *buf[ARC_FRAME_SEGMENTS_MAX]; /* of these groups */
};

static uint32_t last_of(const struct arc_cache_group *g)
{
	return g->first + arc_segment_count(g->n) - 1;
}

static uint8_t *place_of(const struct arc_cache_group *g, uint32_t s)
{
	return g->buf + ((size_t)(s - g->first) << ARC_SEGMENT_LOG);
}

/* Needed, and not known to be ready or bad. */
static bool is_missing(const struct task *t, const struct arc_cache_group *g,
		       uint32_t s)
{
	return arc_segset_has(&t->need, s) && !arc_segset_has(&g->ready, s) &&
	       !arc_segset_has(&g->bad, s);
}

static bool is_bad(const struct task *t, const struct arc_cache_group *g,
		   uint32_t s)
{
	return arc_segset_has(&t->need, s) && arc_segset_has(&g->bad, s);
}

/* ---- what is needed ----------------------------------------------------- */

/* Called with the group's lock. */
static void note_ready(struct task *t, const struct arc_cache_group *g)
{
	for (size_t i = 0; i < ARC_COUNT(t->ready.word); i++)
		t->ready.word[i] |= g->ready.word[i];
}

static bool needs_group(const struct task *t, uint32_t number)
{
	uint32_t n = UINT32_C(1) << (t->record->group_log - ARC_SEGMENT_LOG);

	for (uint32_t s = number * n; s < (number + 1) * n; s++)
		if (arc_segset_has(&t->need, s))
			return true;
	return false;
}

/* Takes what is ready of a pinned group out of what is needed, and adds what
 * the rest of it needs. */
static void add_group(struct task *t, struct arc_cache_group *g)
{
	t->group[g->number] = g;
	t->buf[g->number] = g->buf;
	pthread_mutex_lock(&g->lock);
	note_ready(t, g);
	pthread_mutex_unlock(&g->lock);
	arc_record_closure(t->record, g->first, last_of(g), &t->ready,
			   &t->need);
}

/* Pins the earlier groups that something is needed of: from the last to the
 * first, as each tells what it needs of those before it. */
static int pin_groups(struct task *t, struct arc_cache_group *own)
{
	add_group(t, own);
	for (uint32_t i = own->number; i-- > 0;) {
		void *obj;
		int err;

		if (!needs_group(t, i))
			continue;
		err = arc_lru_pin_within(
			t->cache->groups, arc_cache_key(own->frame, i),
			arc_cache_group_cost((size_t)1 << t->record->group_log),
			t->claim, &obj);
		if (err < 0)
			return err;
		add_group(t, obj);
	}
	return 0;
}

static void unpin_groups(struct task *t, const struct arc_cache_group *own)
{
	for (uint32_t i = 0; i < own->number; i++)
		if (t->group[i])
			arc_lru_unpin_within(t->cache->groups,
					     arc_cache_key(own->frame, i),
					     t->claim);
}

/* What is read with n stored bytes at most, and slack behind them. */
static size_t stored_room(size_t n)
{
	return n + 2 * ARC_STORE_BLOCK + ARC_DECODE_SLACK;
}

/* Buffers of stored bytes are reused by those that need a little less. */
static size_t stored_max(size_t n)
{
	return stored_room(n) + n / 4;
}

/* The most stored bytes that will be held at once for what is needed of a
 * group. */
static size_t stored_at_once(const struct task *t,
			     const struct arc_cache_group *g)
{
	size_t n = 0;

	for (uint32_t s = g->first; s <= last_of(g); s++) {
		if (!arc_segset_has(&t->need, s))
			continue;
		if (arc_record_is_coded_whole(t->record, s))
			return stored_max(t->record->segment[g->first].size);
		n += t->record->segment[s].size;
	}
	return stored_max(ARC_MIN(n, ARC_CACHE_RUN_MAX));
}

/* Room for stored bytes: claimed while nothing is busy. */
static int claim_stored(struct task *t, const struct arc_cache_group *own)
{
	size_t most = 0;

	for (uint32_t i = 0; i <= own->number; i++)
		if (t->group[i])
			most = ARC_MAX(most, stored_at_once(t, t->group[i]));
	return arc_lru_claim(t->cache->groups, most, t->claim);
}

/* ---- segments ----------------------------------------------------------- */

static void report_segment(const struct task *t, uint32_t s)
{
	struct arc_cache *cache = t->cache;
	const struct arc_frame *f = &t->frame;
	char name[512];

	arc_cache_count(&cache->bad_segments, 1);
	if (arc_said_before(&cache->said_segments, (f->number << 8 | s) + 1))
		return;
	arc_say(cache->diag, ARC_ERROR, "%s: frame %llu, segment %u: %s",
		arc_volumes_name(cache->vs, f->volume, name, sizeof(name)),
		(unsigned long long)f->number, s, arc_error_text(-EBADMSG));
}

/* What came of a segment: ready, or bad (-EBADMSG). */
static void publish(const struct task *t, struct arc_cache_group *g, uint32_t s,
		    int err)
{
	uint32_t n = arc_record_segment_raw(t->record, s);
	uint8_t codec = t->record->codec;

	if (err == 0) {
		if (codec < ARC_CODEC_COUNT)
			arc_cache_count(&t->cache->segments[codec], 1);
		arc_cache_count(&t->cache->decoded, n);
	} else {
		/* The same rubbish for whatever refers to it later. */
		memset(place_of(g, s), 0, n);
		report_segment(t, s);
	}
	pthread_mutex_lock(&g->lock);
	arc_segset_add(err == 0 ? &g->ready : &g->bad, s);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

/* Whether all that s refers to in earlier groups is ready. */
static bool is_founded(const struct task *t, const struct arc_cache_group *g,
		       uint32_t s)
{
	struct arc_segset set = { 0 };

	arc_segset_add(&set, s);
	arc_record_closure(t->record, s, s, NULL, &set);
	for (uint32_t i = 0; i < g->first; i++)
		if (arc_segset_has(&set, i) && !arc_segset_has(&t->ready, i))
			return false;
	return true;
}

/* Stored bytes in a buffer of the cache's. */
struct stored {
	struct arc_cache *cache;
	uint8_t *buf;
	size_t cap;
	const uint8_t *p; /* where in it they are */
};

static void give_stored(struct stored *s)
{
	if (s->buf)
		arc_cache_give_buffer(s->cache, s->buf, s->cap);
}

/* Reads `n` stored bytes of the payload, with slack behind them. */
static int read_stored(const struct task *t, uint32_t start, uint32_t n,
		       struct stored *ret)
{
	uint64_t at = t->frame.offset + t->record->head + start;
	struct arc_volumes *vs = t->cache->vs;
	uint8_t *p;
	int err = 0;

	ret->cache = t->cache;
	p = ret->buf = arc_cache_take_buffer(t->cache, stored_room(n),
					     stored_max(n), &ret->cap);
	if (!p)
		return -ENOMEM;
	if (n > 0 && t->once)
		err = arc_volumes_read_once(vs, t->frame.volume, at, p, n, &p);
	else if (n > 0)
		err = arc_volumes_read(vs, t->frame.volume, at, p, n);
	if (err < 0)
		return err;
	memset(p + n, 0, ARC_DECODE_SLACK);
	ret->p = p;
	return 0;
}

/* Raw segments, all of them full but the last: as they are in the volume, so
 * are they in the group. */
static bool is_raw_run(const struct task *t, uint32_t lo, uint32_t hi)
{
	const struct arc_segment *seg = t->record->segment;

	for (uint32_t s = lo; s <= hi; s++)
		if (seg[s].type != ARC_SEGMENT_RAW ||
		    seg[s].offset - seg[lo].offset !=
			    (s - lo) << ARC_SEGMENT_LOG)
			return false;
	return true;
}

/* Decodes segments [lo, hi] of a group, whose stored bytes follow each other,
 * after reading them with one call. */
static int decode_run(const struct task *t, struct arc_cache_group *g,
		      uint32_t lo, uint32_t hi)
{
	const struct arc_segment *seg = t->record->segment;
	arc_cleanup(give_stored) struct stored stored = { 0 };
	uint32_t start = seg[lo].offset;
	uint32_t n = seg[hi].offset + seg[hi].size - start;
	const uint8_t *from = place_of(g, lo);
	int err;

	if (!t->once && is_raw_run(t, lo, hi)) {
		err = arc_volumes_read(t->cache->vs, t->frame.volume,
				       t->frame.offset + t->record->head +
					       start,
				       place_of(g, lo), n);
	} else {
		err = read_stored(t, start, n, &stored);
		from = stored.p;
	}
	for (uint32_t s = lo; s <= hi && err == 0; s++) {
		const uint8_t *src = from + (seg[s].offset - start);
		int bad = -EBADMSG;

		if (is_founded(t, g, s))
			bad = arc_record_decode_segment(t->record, s, src,
							t->buf);
		if (bad == 0 || bad == -EBADMSG)
			publish(t, g, s, bad);
		else
			err = bad;
	}
	return err;
}

static bool has_ready(const struct arc_cache_group *g)
{
	for (size_t i = 0; i < ARC_COUNT(g->ready.word); i++)
		if (g->ready.word[i])
			return true;
	return false;
}

/* Decodes a group that is coded whole into out and publishes each segment that
 * is not ready. Where out is not the group's own buffer, what is right in it is
 * copied. */
static int decode_whole_into(struct task *t, struct arc_cache_group *g,
			     const uint8_t *stored, uint8_t *out)
{
	int err = 0;

	t->buf[g->number] = out;
	for (uint32_t s = g->first; s <= last_of(g) && err == 0; s++) {
		size_t off = arc_offset_in_group(s, t->record->group_log);
		int bad =
			arc_record_decode_segment(t->record, s, stored, t->buf);

		if (bad < 0 && bad != -EBADMSG) {
			err = bad;
		} else if (!arc_segset_has(&g->ready, s)) {
			if (bad == 0 && out != g->buf)
				memcpy(g->buf + off, out + off,
				       arc_record_segment_raw(t->record, s));
			publish(t, g, s, bad);
		}
	}
	t->buf[g->number] = g->buf;
	return err;
}

/* What is ready in a group may be in use, so that the group is decoded beside
 * it when only some of its segments were right before. */
static int decode_whole(struct task *t, struct arc_cache_group *g)
{
	const struct arc_segment *seg = &t->record->segment[g->first];
	arc_cleanup(give_stored) struct stored stored = { 0 };
	uint8_t *out = g->buf;
	size_t n = g->n;
	int err = read_stored(t, seg->offset, seg->size, &stored);

	if (err < 0)
		return err;
	if (!has_ready(g))
		return decode_whole_into(t, g, stored.p, out);
	arc_lru_count(t->cache->groups, n);
	out = arc_cache_take_buffer(t->cache, n, n, &n);
	if (out) {
		err = decode_whole_into(t, g, stored.p, out);
		arc_cache_give_buffer(t->cache, out, n);
	}
	arc_lru_uncount(t->cache->groups, g->n);
	return out ? err : -ENOMEM;
}

/* ---- groups ------------------------------------------------------------- */

/* Decodes what is missing of a group that this thread has busy, run by run. */
static int decode_missing(struct task *t, struct arc_cache_group *g)
{
	const struct arc_segment *seg = t->record->segment;
	uint32_t s = g->first, last = last_of(g);

	while (s <= last) {
		uint32_t lo = s, n = 0;
		int err;

		if (!is_missing(t, g, s)) {
			s++;
			continue;
		}
		if (arc_record_is_coded_whole(t->record, s))
			return decode_whole(t, g);
		do
			n += seg[s++].size;
		while (s <= last && n + seg[s].size <= ARC_CACHE_RUN_MAX &&
		       is_missing(t, g, s));
		err = decode_run(t, g, lo, s - 1);
		if (err < 0)
			return err;
	}
	return 0;
}

static void forget_bad(const struct task *t, struct arc_cache_group *g,
		       uint32_t lo, uint32_t hi)
{
	pthread_mutex_lock(&g->lock);
	for (uint32_t s = lo; s <= hi; s++)
		if (is_bad(t, g, s))
			g->bad.word[s / 64] &= ~(UINT64_C(1) << (s % 64));
	pthread_mutex_unlock(&g->lock);
}

/* Tries the first bad segment of those that are needed again, and makes the
 * others missing when it is good now. -EBADMSG: it is not. */
static int retry_bad(const struct task *t, struct arc_cache_group *g)
{
	uint32_t s = g->first, last = last_of(g);
	int err;

	while (!is_bad(t, g, s))
		if (s++ == last)
			return 0;
	if (!arc_record_is_coded_whole(t->record, s)) {
		forget_bad(t, g, s, s);
		err = decode_run(t, g, s, s);
		if (err < 0)
			return err;
		if (is_bad(t, g, s))
			return -EBADMSG;
	}
	forget_bad(t, g, s, last);
	return 0;
}

/* What must be done about a group; called with its lock. */
static bool is_settled(const struct task *t, const struct arc_cache_group *g,
		       bool retry)
{
	for (uint32_t s = g->first; s <= last_of(g); s++)
		if (is_missing(t, g, s) || (retry && is_bad(t, g, s)))
			return false;
	return true;
}

/* Sees to it that every segment needed of a group is ready or bad. */
static int settle(struct task *t, struct arc_cache_group *g)
{
	bool retry = t->retry;
	int err = 0;

	pthread_mutex_lock(&g->lock);
	while (err == 0 && !is_settled(t, g, retry)) {
		if (g->busy) {
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		g->busy = true;
		pthread_mutex_unlock(&g->lock);
		if (retry)
			err = retry_bad(t, g);
		if (err == 0)
			err = decode_missing(t, g);
		retry = false;
		pthread_mutex_lock(&g->lock);
		g->busy = false;
		pthread_cond_broadcast(&g->changed);
	}
	note_ready(t, g);
	pthread_mutex_unlock(&g->lock);
	return err;
}

int arc_cache_decode(struct arc_cache *cache, struct arc_cache_group *g,
		     const struct arc_cache_wish *wish,
		     struct arc_lru_claim *claim)
{
	struct task t = { .cache = cache,
			  .retry = wish->retry,
			  .once = wish->once,
			  .claim = claim };
	void *record;
	int err = arc_index_frame(cache->idx, g->frame, &t.frame);

	if (err == 0)
		err = arc_lru_pin(cache->heads, g->frame, &record);
	if (err < 0)
		return err;
	t.record = record;
	for (uint32_t s = wish->lo; s <= wish->hi; s++)
		arc_segset_add(&t.need, s);
	err = pin_groups(&t, g);
	if (err == 0)
		err = claim_stored(&t, g);
	for (uint32_t i = 0; i <= g->number && err == 0; i++)
		if (t.group[i])
			err = settle(&t, t.group[i]);
	arc_lru_unclaim_bytes(cache->groups, claim);
	unpin_groups(&t, g);
	arc_lru_unpin(cache->heads, g->frame);
	return err;
}
