/* SPDX-License-Identifier: MIT */
/*
 * opencache - a stream in an archive in memory, a cache on it, and threads that
 * read it. Needs cmocka.h before it.
 *
 * Threads: one owner, but for run_many().
 */
#ifndef TEST_OPENCACHE_H
#define TEST_OPENCACHE_H

#include <pthread.h>

#include "cacheworld.h"
#include "testdata.h"

#define STREAM ((size_t)3 * SET_FRAME + 100000)

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

struct worker {
	struct opened *o;
	pthread_barrier_t *start;
	uint64_t seed;
	unsigned rounds;
	unsigned wrong;
};

static inline bool pin_is_right(struct opened *o, uint64_t off, size_t n)
{
	struct arc_pin pin;
	bool right;

	if (arc_cache_pin(o->cache, off, n, &pin) < 0)
		return false;
	right = memcmp(pin.p, o->stream + off, pin.n) == 0;
	arc_cache_unpin(o->cache, &pin);
	return right;
}

static inline void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->start);
	for (unsigned i = 0; i < w->rounds; i++) {
		uint64_t off = testdata_next(&w->seed) % STREAM;
		size_t n = 1 + testdata_next(&w->seed) % 200000;

		w->wrong += !pin_is_right(w->o, off, ARC_MIN(n, STREAM - off));
	}
	return NULL;
}

#define THREADS 8
#define THREADS_MAX 64

static inline void run_many(struct opened *o, void *(*fn)(void *),
			    unsigned rounds, unsigned threads)
{
	struct worker worker[THREADS_MAX];
	pthread_t thread[THREADS_MAX];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		worker[i] = (struct worker){
			.o = o, .start = &start, .seed = i, .rounds = rounds
		};
		assert_int_equal(
			pthread_create(&thread[i], NULL, fn, &worker[i]), 0);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(worker[i].wrong, 0);
	}
	pthread_barrier_destroy(&start);
}

static inline void run_threads(struct opened *o, void *(*fn)(void *),
			       unsigned rounds)
{
	run_many(o, fn, rounds, THREADS);
}

#endif
