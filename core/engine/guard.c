/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <time.h>

#include "pool.h"

/* Shared by the two threads; the last one to leave frees it. */
struct guard {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int (*fn)(void *ctx);
	void *ctx;
	int result;
	bool done;
	bool left; /* the caller waits no more */
};

static void free_guard(struct guard *g)
{
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static void *guard_main(void *arg)
{
	struct guard *g = arg;
	int result = g->fn(g->ctx);
	bool left;

	pthread_mutex_lock(&g->lock);
	g->result = result;
	g->done = true;
	left = g->left;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
	if (left)
		free_guard(g);
	return NULL;
}

static struct guard *new_guard(int (*fn)(void *ctx), void *ctx)
{
	struct guard *g = calloc(1, sizeof(*g));
	pthread_condattr_t attr;

	if (!g)
		return NULL;
	g->fn = fn;
	g->ctx = ctx;
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &attr);
	pthread_condattr_destroy(&attr);
	return g;
}

/* Whether it came to its end in time. */
static bool wait_done(struct guard *g, unsigned ms)
{
	struct timespec until;
	int err = 0;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&g->lock);
	while (!g->done && !err)
		err = pthread_cond_timedwait(&g->changed, &g->lock, &until);
	done = g->done;
	g->left = !done;
	pthread_mutex_unlock(&g->lock);
	return done;
}

int arc_guard(int (*fn)(void *ctx), void *ctx, unsigned ms)
{
	struct guard *g = new_guard(fn, ctx);
	pthread_t thread;
	int result;

	if (!g)
		return -ENOMEM;
	if (arc_thread_start(&thread, guard_main, g)) {
		free_guard(g);
		return -ENOMEM;
	}
	if (!wait_done(g, ms)) {
		pthread_detach(thread);
		return -ECANCELED;
	}
	pthread_join(thread, NULL);
	result = g->result;
	free_guard(g);
	return result;
}
