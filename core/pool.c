/* SPDX-License-Identifier: MIT */
/*
 * Every task has a number, counted from 0 in the order of submission. "All
 * tasks before number t have ended" then means: t have been taken from the
 * queue and no thread runs one below t. Waiting for an idle pool instead would
 * never end while another thread goes on submitting.
 */
#include "pool.h"

#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define IDLE UINT64_MAX

struct queued {
	arc_task task;
	void *arg;
};

struct worker {
	struct arc_pool *pool;
	pthread_t thread;
	uint64_t running; /* number of its task, or IDLE; by pool->lock */
};

struct arc_pool {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* a task was queued, or stop was set */
	pthread_cond_t drained; /* a place in the queue became free */
	pthread_cond_t ended; /* a task ended while somebody waited */
	struct queued *ring; /* depth places; by lock, as all below */
	size_t depth;
	uint64_t submitted;
	uint64_t taken; /* ring[taken % depth] is the oldest one queued */
	unsigned waiters;
	bool stop;
	unsigned n; /* workers that run; frozen after arc_pool_new() */
	struct worker *workers;
};

int arc_thread_start(pthread_t *ret, void *(*main)(void *), void *arg)
{
	sigset_t all;
	sigset_t saved;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	err = pthread_create(ret, NULL, main, arg);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return err ? -ENOMEM : 0;
}

/* Takes the next task, or returns false at the end. Called with the lock. */
static bool take_task(struct worker *w, struct queued *ret)
{
	struct arc_pool *pool = w->pool;

	while (pool->taken == pool->submitted && !pool->stop)
		pthread_cond_wait(&pool->filled, &pool->lock);
	if (pool->taken == pool->submitted)
		return false;
	*ret = pool->ring[pool->taken % pool->depth];
	w->running = pool->taken++;
	pthread_cond_signal(&pool->drained);
	return true;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct arc_pool *pool = w->pool;
	struct queued next;

	pthread_mutex_lock(&pool->lock);
	while (take_task(w, &next)) {
		pthread_mutex_unlock(&pool->lock);
		next.task(next.arg);
		pthread_mutex_lock(&pool->lock);
		w->running = IDLE;
		if (pool->waiters > 0)
			pthread_cond_broadcast(&pool->ended);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int arc_pool_new(unsigned threads, size_t depth, struct arc_pool **ret)
{
	arc_cleanup(arc_pool_freep) struct arc_pool *pool = NULL;

	assert(threads >= 1 && depth >= 1);
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	pthread_cond_init(&pool->drained, NULL);
	pthread_cond_init(&pool->ended, NULL);
	pool->depth = depth;
	pool->ring = calloc(depth, sizeof(*pool->ring));
	pool->workers = calloc(threads, sizeof(*pool->workers));
	if (!pool->ring || !pool->workers)
		return -ENOMEM;
	while (pool->n < threads) {
		struct worker *w = &pool->workers[pool->n];
		int err;

		w->pool = pool;
		w->running = IDLE;
		err = arc_thread_start(&w->thread, worker_main, w);
		if (err < 0)
			return err;
		pool->n++;
	}
	*ret = arc_steal(pool);
	return 0;
}

void arc_pool_free(struct arc_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->ended);
	pthread_cond_destroy(&pool->drained);
	pthread_cond_destroy(&pool->filled);
	pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool->ring);
	free(pool);
}

void arc_pool_submit(struct arc_pool *pool, arc_task task, void *arg)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->submitted - pool->taken == pool->depth)
		pthread_cond_wait(&pool->drained, &pool->lock);
	pool->ring[pool->submitted % pool->depth] =
		(struct queued){ .task = task, .arg = arg };
	pool->submitted++;
	pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
}

/* Called with the lock. */
static bool ended_before(const struct arc_pool *pool, uint64_t number)
{
	if (pool->taken < number)
		return false;
	for (unsigned i = 0; i < pool->n; i++) {
		if (pool->workers[i].running < number)
			return false;
	}
	return true;
}

void arc_pool_wait(struct arc_pool *pool)
{
	uint64_t number;

	pthread_mutex_lock(&pool->lock);
	number = pool->submitted;
	pool->waiters++;
	while (!ended_before(pool, number))
		pthread_cond_wait(&pool->ended, &pool->lock);
	pool->waiters--;
	pthread_mutex_unlock(&pool->lock);
}

unsigned arc_pool_threads(const struct arc_pool *pool)
{
	return pool->n;
}

unsigned arc_cpu_count(void)
{
	cpu_set_t set;
	long n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	else /* more processors than the set has places */
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (unsigned)n;
}

/*
 * arc_parallel_each(): chunks are handed out in ascending order, and what lies
 * below the lowest failure is always finished. So the result is the one of the
 * lowest index that fails, with any number of threads.
 */
struct sharing {
	pthread_mutex_t lock;
	uint64_t next; /* first index not handed out; by lock */
	int result; /* of fn(fail_at); by lock */
	_Atomic uint64_t fail_at; /* lowest failed; written with lock */
	uint64_t n; /* frozen, as all below */
	uint64_t chunk;
	arc_each_fn fn;
	void *ctx;
};

/* Chunks per thread: enough of them that all threads end together. */
#define CHUNKS_PER_THREAD 16

/* The longest chunk: what is in work after a failure is bounded by it. */
#define CHUNK_MAX 256

static bool claim_chunk(struct sharing *s, uint64_t *ret_start,
			uint64_t *ret_end)
{
	bool more;

	pthread_mutex_lock(&s->lock);
	more = s->next < ARC_MIN(s->n, atomic_load(&s->fail_at));
	if (more) {
		*ret_start = s->next;
		s->next += ARC_MIN(s->chunk, s->n - s->next);
		*ret_end = s->next;
	}
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void note_failure(struct sharing *s, uint64_t i, int err)
{
	pthread_mutex_lock(&s->lock);
	if (i < atomic_load(&s->fail_at)) {
		atomic_store(&s->fail_at, i);
		s->result = err;
	}
	pthread_mutex_unlock(&s->lock);
}

static void *share_main(void *arg)
{
	struct sharing *s = arg;
	uint64_t i;
	uint64_t end;

	while (claim_chunk(s, &i, &end)) {
		for (; i < end && i < atomic_load(&s->fail_at); i++) {
			int err = s->fn(s->ctx, i);

			if (err < 0)
				note_failure(s, i, err);
		}
	}
	return NULL;
}

int arc_parallel_each(unsigned threads, uint64_t n, arc_each_fn fn, void *ctx)
{
	arc_cleanup(arc_freep) pthread_t *helpers = NULL;
	uint64_t wanted = ARC_MIN((uint64_t)ARC_MAX(threads, 1U), n);
	unsigned started = 0;
	struct sharing s = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.fail_at = UINT64_MAX,
		.n = n,
		.fn = fn,
		.ctx = ctx,
	};

	if (n == 0)
		return 0;
	s.chunk = n / wanted / CHUNKS_PER_THREAD;
	s.chunk = ARC_MAX(ARC_MIN(s.chunk, CHUNK_MAX), 1);
	/* Without memory or threads the caller does it all: slower, not wrong. */
	if (wanted > 1)
		helpers = calloc(wanted - 1, sizeof(*helpers));
	while (helpers && started < wanted - 1 &&
	       arc_thread_start(&helpers[started], share_main, &s) == 0)
		started++;
	share_main(&s);
	for (unsigned i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	pthread_mutex_destroy(&s.lock);
	return s.result;
}
