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
 *
 * What is needed only since others of its group copy from it is decoded, and
 * its checksum not compared: theirs will tell. It is *unproven* until somebody
 * asks for it, and stays between who has the group busy. When a checksum is
 * wrong in a group with something unproven, all of that is decoded again, and
 * compared as it comes: so what is bad is known to the segment.
 */
#include "cache_task.h"

static uint8_t *place_of(const struct arc_cache_group *g, uint32_t s)
{
	return g->buf + ((size_t)(s - g->first) << ARC_SEGMENT_LOG);
}

/* Needed, and not known to be ready or bad. */
static bool is_open(const struct arc_cache_task *t,
		    const struct arc_cache_group *g, uint32_t s)
{
	return arc_segset_has(&t->need, s) && !arc_segset_has(&g->ready, s) &&
	       !arc_segset_has(&g->bad, s);
}

static bool is_missing(const struct arc_cache_task *t,
		       const struct arc_cache_group *g, uint32_t s)
{
	return is_open(t, g, s) && !arc_segset_has(&g->unproven, s);
}

/* Not only for others of its group. */
static bool is_to_be_proven(const struct arc_cache_task *t,
			    const struct arc_cache_group *g, uint32_t s)
{
	return t->doubt || g != t->own || (s >= t->wish.lo && s <= t->wish.hi);
}

static bool lacks_proof(const struct arc_cache_task *t,
			const struct arc_cache_group *g, uint32_t s)
{
	return is_open(t, g, s) && arc_segset_has(&g->unproven, s) &&
	       is_to_be_proven(t, g, s);
}

static bool is_bad(const struct arc_cache_task *t,
		   const struct arc_cache_group *g, uint32_t s)
{
	return arc_segset_has(&t->need, s) && arc_segset_has(&g->bad, s);
}

/* ---- segments ----------------------------------------------------------- */

static void report_segment(const struct arc_cache_task *t, uint32_t s)
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

static void remove_segment(struct arc_segset *set, uint32_t s)
{
	set->word[s / 64] &= ~(UINT64_C(1) << (s % 64));
}

/* What came of a segment: ready, or bad (-EBADMSG). */
static void publish(const struct arc_cache_task *t, struct arc_cache_group *g,
		    uint32_t s, int err)
{
	if (err < 0)
		report_segment(t, s);
	pthread_mutex_lock(&g->lock);
	remove_segment(&g->unproven, s);
	arc_segset_add(err == 0 ? &g->ready : &g->bad, s);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static void count_decoded(const struct arc_cache_task *t, uint32_t s)
{
	uint8_t codec = t->record->codec;

	if (codec < ARC_CODEC_COUNT)
		arc_cache_count(&t->cache->segments[codec], 1);
	arc_cache_count(&t->cache->decoded,
			arc_record_segment_raw(t->record, s));
}

/* Whether all that s refers to in earlier groups is ready. */
static bool is_founded(const struct arc_cache_task *t,
		       const struct arc_cache_group *g, uint32_t s)
{
	struct arc_segset set = { 0 };

	arc_segset_add(&set, s);
	arc_record_closure(t->record, s, s, NULL, &set);
	for (uint32_t i = 0; i < g->first; i++)
		if (arc_segset_has(&set, i) && !arc_segset_has(&t->ready, i))
			return false;
	return true;
}

/* Raw segments, all of them full but the last: as they are in the volume, so
 * are they in the group. */
static bool is_raw_run(const struct arc_cache_task *t, uint32_t lo, uint32_t hi)
{
	const struct arc_segment *seg = t->record->segment;

	for (uint32_t s = lo; s <= hi; s++)
		if (seg[s].type != ARC_SEGMENT_RAW ||
		    seg[s].offset - seg[lo].offset !=
			    (s - lo) << ARC_SEGMENT_LOG)
			return false;
	return true;
}

static bool has_any(const struct arc_segset *set)
{
	for (size_t i = 0; i < ARC_COUNT(set->word); i++)
		if (set->word[i])
			return true;
	return false;
}

/* Decodes one segment; -EBADMSG: nothing is published, it may be the fault of
 * something unproven. */
static int decode_one(const struct arc_cache_task *t, struct arc_cache_group *g,
		      uint32_t s, const uint8_t *src)
{
	bool prove = is_to_be_proven(t, g, s);
	int err = -EBADMSG;

	if (is_founded(t, g, s))
		err = arc_record_decode_unproven(t->record, s, src, t->buf);
	/* What refers to it gets the same whoever asks first: all that was
	 * decoded, for most of it may be right, or nothing. */
	if (err == -EBADMSG)
		memset(place_of(g, s), 0, arc_record_segment_raw(t->record, s));
	if (err == 0 && prove)
		err = arc_record_prove_segment(t->record, s, t->buf);
	if (err < 0)
		return err;
	count_decoded(t, s);
	if (prove) {
		publish(t, g, s, 0);
		return 0;
	}
	pthread_mutex_lock(&g->lock);
	arc_segset_add(&g->unproven, s);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

/* Decodes segments [lo, hi] of a group, whose stored bytes follow each other,
 * after reading them with one call. -EAGAIN: something is wrong with them or
 * with what is unproven. */
static int decode_run(const struct arc_cache_task *t, struct arc_cache_group *g,
		      uint32_t lo, uint32_t hi)
{
	const struct arc_segment *seg = t->record->segment;
	arc_cleanup(
		arc_cache_give_stored) struct arc_cache_stored stored = { 0 };
	uint32_t start = seg[lo].offset;
	uint32_t n = seg[hi].offset + seg[hi].size - start;
	const uint8_t *from = place_of(g, lo);
	int err;

	if (!t->wish.once && is_raw_run(t, lo, hi)) {
		err = arc_volumes_read(t->cache->vs, t->frame.volume,
				       t->frame.offset + t->record->head +
					       start,
				       place_of(g, lo), n);
	} else {
		err = arc_cache_read_stored(t, start, n, &stored);
		from = stored.p;
	}
	for (uint32_t s = lo; s <= hi && err == 0; s++) {
		err = decode_one(t, g, s, from + (seg[s].offset - start));
		if (err == -EBADMSG && has_any(&g->unproven))
			return -EAGAIN;
		if (err == -EBADMSG) {
			publish(t, g, s, err);
			err = 0;
		}
	}
	return err;
}

/* Decodes a group that is coded whole into out and publishes each segment that
 * is not ready. Where out is not the group's own buffer, what is right in it is
 * copied. */
static int decode_whole_into(struct arc_cache_task *t,
			     struct arc_cache_group *g, const uint8_t *stored,
			     uint8_t *out)
{
	int err = 0;

	t->buf[g->number] = out;
	for (uint32_t s = g->first; s <= arc_cache_last_of(g) && err == 0;
	     s++) {
		size_t off = arc_offset_in_group(s, t->record->group_log);
		int bad =
			arc_record_decode_segment(t->record, s, stored, t->buf);

		if (bad < 0 && bad != -EBADMSG) {
			err = bad;
		} else if (!arc_segset_has(&g->ready, s)) {
			if (bad == 0 && out != g->buf)
				memcpy(g->buf + off, out + off,
				       arc_record_segment_raw(t->record, s));
			if (bad == 0)
				count_decoded(t, s);
			publish(t, g, s, bad);
		}
	}
	t->buf[g->number] = g->buf;
	return err;
}

/* What is ready in a group may be in use, so that the group is decoded beside
 * it when only some of its segments were right before. */
static int decode_whole(struct arc_cache_task *t, struct arc_cache_group *g)
{
	const struct arc_segment *seg = &t->record->segment[g->first];
	arc_cleanup(
		arc_cache_give_stored) struct arc_cache_stored stored = { 0 };
	uint8_t *out = g->buf;
	size_t n = g->n;
	int err = arc_cache_read_stored(t, seg->offset, seg->size, &stored);

	if (err < 0)
		return err;
	if (!has_any(&g->ready))
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

/* Compares the checksums of what was left unproven and is wanted itself now.
 * -EAGAIN: one of them is wrong. */
static int prove(const struct arc_cache_task *t, struct arc_cache_group *g)
{
	for (uint32_t s = g->first; s <= arc_cache_last_of(g); s++) {
		if (!lacks_proof(t, g, s))
			continue;
		if (arc_record_prove_segment(t->record, s, t->buf) < 0)
			return -EAGAIN;
		publish(t, g, s, 0);
	}
	return 0;
}

/* Decodes what is missing of a group that this thread has busy, run by run. */
static int decode_missing(struct arc_cache_task *t, struct arc_cache_group *g)
{
	const struct arc_segment *seg = t->record->segment;
	uint32_t s = g->first, last = arc_cache_last_of(g);

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

static void begin_to_doubt(struct arc_cache_task *t, struct arc_cache_group *g)
{
	t->doubt = true;
	pthread_mutex_lock(&g->lock);
	g->unproven = (struct arc_segset){ 0 };
	pthread_mutex_unlock(&g->lock);
}

/* Makes a group that this thread has busy ready, as far as it is needed. */
static int complete(struct arc_cache_task *t, struct arc_cache_group *g)
{
	int err = prove(t, g);

	if (err == 0)
		err = decode_missing(t, g);
	if (err != -EAGAIN)
		return err;
	begin_to_doubt(t, g);
	return decode_missing(t, g);
}

static void forget_bad(const struct arc_cache_task *t,
		       struct arc_cache_group *g, uint32_t lo, uint32_t hi)
{
	pthread_mutex_lock(&g->lock);
	for (uint32_t s = lo; s <= hi; s++)
		if (is_bad(t, g, s))
			remove_segment(&g->bad, s);
	pthread_mutex_unlock(&g->lock);
}

/* Tries the first bad segment of those that are needed again, and makes the
 * others missing when it is good now. -EBADMSG: it is not. */
static int retry_bad(struct arc_cache_task *t, struct arc_cache_group *g)
{
	uint32_t s = g->first, last = arc_cache_last_of(g);
	int err;

	begin_to_doubt(t, g);
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
static bool is_settled(const struct arc_cache_task *t,
		       const struct arc_cache_group *g, bool retry)
{
	for (uint32_t s = g->first; s <= arc_cache_last_of(g); s++)
		if (is_missing(t, g, s) || lacks_proof(t, g, s) ||
		    (retry && is_bad(t, g, s)))
			return false;
	return true;
}

/* Sees to it that every segment needed of a group is ready or bad. */
static int settle(struct arc_cache_task *t, struct arc_cache_group *g)
{
	bool retry = t->wish.retry;
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
			err = complete(t, g);
		retry = false;
		pthread_mutex_lock(&g->lock);
		g->busy = false;
		pthread_cond_broadcast(&g->changed);
	}
	arc_cache_note_ready(t, g);
	pthread_mutex_unlock(&g->lock);
	return err;
}

int arc_cache_decode(struct arc_cache *cache, struct arc_cache_group *g,
		     const struct arc_cache_wish *wish,
		     struct arc_lru_claim *claim)
{
	struct arc_cache_task t = {
		.cache = cache, .wish = *wish, .own = g, .claim = claim
	};
	void *record;
	int err = arc_index_frame(cache->idx, g->frame, &t.frame);

	if (err == 0)
		err = arc_lru_pin(cache->heads, g->frame, &record);
	if (err < 0)
		return err;
	t.record = record;
	for (uint32_t s = wish->lo; s <= wish->hi; s++)
		arc_segset_add(&t.need, s);
	err = arc_cache_pin_groups(&t, g);
	if (err == 0)
		err = arc_cache_claim_stored(&t, g);
	for (uint32_t i = 0; i <= g->number && err == 0; i++)
		if (t.group[i])
			err = settle(&t, t.group[i]);
	arc_lru_unclaim_bytes(cache->groups, claim);
	arc_cache_unpin_groups(&t, g);
	arc_lru_unpin(cache->heads, g->frame);
	return err;
}
