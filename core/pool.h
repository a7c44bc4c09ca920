/* SPDX-License-Identifier: MIT */
/*
 * pool - threads, and threads that run tasks from one bounded queue. Tasks start in the
 * order in which they were submitted and end in any order.
 *
 * Threads: locked inside; any thread may submit or wait, a task must not wait
 * for its own pool.
 */
#ifndef ARC_POOL_H
#define ARC_POOL_H

#include <pthread.h>

#include "base.h"

struct arc_pool;

typedef void (*arc_task)(void *arg);

/*
 * Starts a thread that signals do not reach: they are for the program's own
 * threads; a handler that ran in it would not interrupt the call that the
 * program waits in. -ENOMEM.
 */
int arc_thread_start(pthread_t *ret, void *(*main)(void *), void *arg);

/* threads >= 1; depth >= 1 is how many tasks wait before submit blocks. */
int arc_pool_new(unsigned threads, size_t depth, struct arc_pool **ret);

/* Runs what is queued to its end, joins. Accepts NULL. */
void arc_pool_free(struct arc_pool *pool);
ARC_DEFINE_CLEANUP(struct arc_pool, arc_pool_free)

/* Blocks while the queue is full. Borrows arg until the task has run. */
void arc_pool_submit(struct arc_pool *pool, arc_task task, void *arg);

/* Returns when every task submitted before the call has ended. */
void arc_pool_wait(struct arc_pool *pool);

unsigned arc_pool_threads(const struct arc_pool *pool);

/* How many threads this machine and our affinity mask offer, at least 1. */
unsigned arc_cpu_count(void);

typedef int (*arc_each_fn)(void *ctx, uint64_t i);

/*
 * fn(ctx, i) for i in [0, n), shared out over up to `threads` threads in
 * ascending chunks (the caller is one of them). The first negative result
 * stops handing out more and is returned; else 0.
 */
int arc_parallel_each(unsigned threads, uint64_t n, arc_each_fn fn, void *ctx);

#endif
