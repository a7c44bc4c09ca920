/* SPDX-License-Identifier: MIT */
/*
 * opencache - a set with a stream of known bytes, and a cache opened on it.
 */
#ifndef OPENCACHE_H
#define OPENCACHE_H

#include "cache.h"
#include "setmaker.h"
#include "testdata.h"

#define STREAM ((size_t)3 * SET_FRAME + 100000)
#define SEGMENT ARC_SEGMENT_SIZE
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

struct shape {
	enum testdata_kind kind;
	const char *codec;
	uint8_t group_log;
	uint64_t limit; /* of volumes */
};

static const struct shape text = { TESTDATA_TEXT, "lz4", 18, 98 << 20 };

static inline void make(struct opened *o, const struct shape *s)
{
	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	o->stream = malloc(STREAM);
	assert_non_null(o->stream);
	testdata_fill(s->kind, o->stream, STREAM, 1);
	set_begin(&o->m, s->limit, SET_FRAME, 1);
	set_stream(&o->m, o->stream, STREAM, SET_FRAME, s->codec, s->group_log);
	set_dir(&o->m, 0, 0, 0);
	set_end(&o->m);
}

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

static inline struct arc_cache_stats stats_of(struct opened *o)
{
	struct arc_cache_stats s;

	arc_cache_stats(o->cache, &s);
	return s;
}

static inline uint64_t segments_decoded(struct opened *o)
{
	struct arc_cache_stats s = stats_of(o);
	uint64_t n = 0;

	for (size_t i = 0; i < ARC_CODEC_COUNT; i++)
		n += s.segments[i];
	return n;
}

/* Pins, compares, unpins; how much was pinned, or an error. */
static inline ssize_t touch(struct opened *o, uint64_t off, size_t n)
{
	struct arc_pin pin;
	int err = arc_cache_pin(o->cache, off, n, &pin);
	ssize_t got;

	if (err < 0)
		return err;
	got = (ssize_t)pin.n;
	assert_true(got > 0 && pin.n <= n);
	if (memcmp(pin.p, o->stream + off, pin.n) != 0)
		got = -EIO;
	arc_cache_unpin(o->cache, &pin);
	return got;
}

#endif
