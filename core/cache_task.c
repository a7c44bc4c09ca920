/* SPDX-License-Identifier: MIT */
#include "cache_task.h"

void arc_cache_note_ready(struct arc_cache_task *t,
			  const struct arc_cache_group *g)
{
	for (size_t i = 0; i < ARC_COUNT(t->ready.word); i++)
		t->ready.word[i] |= g->ready.word[i];
}

static bool needs_group(const struct arc_cache_task *t, uint32_t number)
{
	uint32_t n = UINT32_C(1) << (t->record->group_log - ARC_SEGMENT_LOG);

	for (uint32_t s = number * n; s < (number + 1) * n; s++)
		if (arc_segset_has(&t->need, s))
			return true;
	return false;
}

/* Takes what is ready of a pinned group out of what is needed, and adds what
 * the rest of it needs. */
static void add_group(struct arc_cache_task *t, struct arc_cache_group *g)
{
	t->group[g->number] = g;
	t->buf[g->number] = g->buf;
	pthread_mutex_lock(&g->lock);
	arc_cache_note_ready(t, g);
	pthread_mutex_unlock(&g->lock);
	arc_record_closure(t->record, g->first, arc_cache_last_of(g), &t->ready,
			   &t->need);
}

int arc_cache_pin_groups(struct arc_cache_task *t, struct arc_cache_group *own)
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

void arc_cache_unpin_groups(struct arc_cache_task *t,
			    const struct arc_cache_group *own)
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
static size_t stored_at_once(const struct arc_cache_task *t,
			     const struct arc_cache_group *g)
{
	size_t n = 0;

	for (uint32_t s = g->first; s <= arc_cache_last_of(g); s++) {
		if (!arc_segset_has(&t->need, s))
			continue;
		if (arc_record_is_coded_whole(t->record, s))
			return stored_max(t->record->segment[g->first].size);
		n += t->record->segment[s].size;
	}
	return stored_max(ARC_MIN(n, ARC_CACHE_RUN_MAX));
}

int arc_cache_claim_stored(struct arc_cache_task *t,
			   const struct arc_cache_group *own)
{
	size_t most = 0;

	for (uint32_t i = 0; i <= own->number; i++)
		if (t->group[i])
			most = ARC_MAX(most, stored_at_once(t, t->group[i]));
	return arc_lru_claim(t->cache->groups, most, t->claim);
}

void arc_cache_give_stored(struct arc_cache_stored *s)
{
	if (s->buf)
		arc_cache_give_buffer(s->cache, s->buf, s->cap);
}

int arc_cache_read_stored(const struct arc_cache_task *t, uint32_t start,
			  uint32_t n, struct arc_cache_stored *ret)
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
	if (n > 0 && t->wish.once)
		err = arc_volumes_read_once(vs, t->frame.volume, at, p, n, &p);
	else if (n > 0)
		err = arc_volumes_read(vs, t->frame.volume, at, p, n);
	if (err < 0)
		return err;
	memset(p + n, 0, ARC_DECODE_SLACK);
	ret->p = p;
	return 0;
}
