/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "pool.h"

static void add_one(void *arg)
{
	atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

static void every_task_runs_once(void **state)
{
	static const struct {
		unsigned threads;
		size_t depth;
	} shapes[] = { { 1, 1 }, { 1, 64 }, { 4, 1 }, { 8, 3 }, { 3, 1000 } };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(shapes); i++) {
		arc_cleanup(arc_pool_freep) struct arc_pool *pool = NULL;
		_Atomic unsigned count = 0;

		assert_int_equal(arc_pool_new(shapes[i].threads,
					      shapes[i].depth, &pool),
				 0);
		assert_int_equal(arc_pool_threads(pool), shapes[i].threads);
		for (unsigned n = 1; n <= 500; n++)
			arc_pool_submit(pool, add_one, &count);
		arc_pool_wait(pool);
		assert_int_equal(count, 500);
	}
}

static void free_runs_what_is_queued(void **state)
{
	struct arc_pool *pool = NULL;
	_Atomic unsigned count = 0;

	(void)state;
	assert_int_equal(arc_pool_new(2, 1000, &pool), 0);
	for (unsigned n = 0; n < 1000; n++)
		arc_pool_submit(pool, add_one, &count);
	arc_pool_free(pool);
	assert_int_equal(count, 1000);
	arc_pool_free(NULL);
}

struct order {
	unsigned ran[200];
	unsigned n;
};

struct numbered {
	struct order *order;
	unsigned number;
};

static void note_number(void *arg)
{
	const struct numbered *task = arg;

	task->order->ran[task->order->n++] = task->number;
}

static void one_thread_runs_tasks_in_order(void **state)
{
	struct arc_pool *pool = NULL;
	struct order order = { .n = 0 };
	struct numbered tasks[200];

	(void)state;
	assert_int_equal(arc_pool_new(1, 7, &pool), 0);
	for (unsigned i = 0; i < ARC_COUNT(tasks); i++) {
		tasks[i] = (struct numbered){ .order = &order, .number = i };
		arc_pool_submit(pool, note_number, &tasks[i]);
	}
	arc_pool_wait(pool);
	for (unsigned i = 0; i < ARC_COUNT(tasks); i++)
		assert_int_equal(order.ran[i], i);
	arc_pool_free(pool);
}

/* A task that stays until it is let go. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned inside;
	bool open;
};

#define GATE_CLOSED                                                            \
	{                                                                      \
		.lock = PTHREAD_MUTEX_INITIALIZER,                             \
		.changed = PTHREAD_COND_INITIALIZER,                           \
	}

static void stay_at_gate(void *arg)
{
	struct gate *gate = arg;

	pthread_mutex_lock(&gate->lock);
	gate->inside++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		pthread_cond_wait(&gate->changed, &gate->lock);
	gate->inside--;
	pthread_mutex_unlock(&gate->lock);
}

static void wait_inside(struct gate *gate, unsigned n)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->inside < n)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static void tasks_run_side_by_side(void **state)
{
	struct arc_pool *pool = NULL;
	struct gate gate = GATE_CLOSED;

	(void)state;
	assert_int_equal(arc_pool_new(3, 3, &pool), 0);
	for (int i = 0; i < 3; i++)
		arc_pool_submit(pool, stay_at_gate, &gate);
	wait_inside(&gate, 3); /* would hang if they ran one by one */
	open_gate(&gate);
	arc_pool_free(pool);
}

struct submitter {
	struct arc_pool *pool;
	_Atomic unsigned submitted;
	_Atomic unsigned ran;
};

static void *submit_ten(void *arg)
{
	struct submitter *s = arg;

	for (int i = 0; i < 10; i++) {
		arc_pool_submit(s->pool, add_one, &s->ran);
		atomic_fetch_add(&s->submitted, 1);
	}
	return NULL;
}

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static void full_queue_blocks_submit(void **state)
{
	struct gate gate = GATE_CLOSED;
	struct submitter s = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(arc_pool_new(1, 4, &s.pool), 0);
	arc_pool_submit(s.pool, stay_at_gate, &gate);
	wait_inside(&gate, 1);
	assert_int_equal(pthread_create(&thread, NULL, submit_ten, &s), 0);
	while (atomic_load(&s.submitted) < 4)
		sched_yield();
	sleep_ms(20);
	assert_int_equal(atomic_load(&s.submitted), 4);
	open_gate(&gate);
	pthread_join(thread, NULL);
	arc_pool_wait(s.pool);
	assert_int_equal(atomic_load(&s.ran), 10);
	arc_pool_free(s.pool);
}

static void *wait_for_pool(void *arg)
{
	struct submitter *s = arg;

	arc_pool_wait(s->pool);
	atomic_store(&s->ran, 1);
	return NULL;
}

static void wait_ends_with_the_task(void **state)
{
	struct gate gate = GATE_CLOSED;
	struct submitter s = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(arc_pool_new(2, 4, &s.pool), 0);
	arc_pool_submit(s.pool, stay_at_gate, &gate);
	wait_inside(&gate, 1);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_pool, &s), 0);
	sleep_ms(20);
	assert_int_equal(atomic_load(&s.ran), 0);
	open_gate(&gate);
	pthread_join(thread, NULL);
	arc_pool_free(s.pool);
}

/*
 * Did a wait end while a task still ran that was submitted after the wait had
 * begun? When it began cannot be seen from outside, so on a busy machine the
 * answer may be a wrong no.
 */
static bool wait_ignores_later_task(void)
{
	struct gate early = GATE_CLOSED;
	struct gate late = GATE_CLOSED;
	struct submitter s = { 0 };
	pthread_t thread;
	bool ended;

	assert_int_equal(arc_pool_new(2, 4, &s.pool), 0);
	arc_pool_submit(s.pool, stay_at_gate, &early);
	wait_inside(&early, 1);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_pool, &s), 0);
	sleep_ms(20);
	arc_pool_submit(s.pool, stay_at_gate, &late);
	wait_inside(&late, 1);
	open_gate(&early);
	for (int i = 0; i < 200 && !atomic_load(&s.ran); i++)
		sleep_ms(10);
	ended = atomic_load(&s.ran) != 0;
	open_gate(&late);
	pthread_join(thread, NULL);
	arc_pool_free(s.pool);
	return ended;
}

static void wait_ends_while_later_tasks_run(void **state)
{
	int tries = 5;

	(void)state;
	while (tries > 0 && !wait_ignores_later_task())
		tries--;
	assert_true(tries > 0);
}

static void ask_mask(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
}

static void workers_leave_signals_to_the_program(void **state)
{
	struct arc_pool *pool = NULL;
	sigset_t before;
	sigset_t worker;
	sigset_t after;

	(void)state;
	ask_mask(&before);
	assert_int_equal(arc_pool_new(1, 1, &pool), 0);
	ask_mask(&after);
	arc_pool_submit(pool, ask_mask, &worker);
	arc_pool_free(pool);
	assert_true(sigismember(&worker, SIGTERM));
	assert_true(sigismember(&worker, SIGALRM));
	assert_int_equal(sigismember(&after, SIGTERM),
			 sigismember(&before, SIGTERM));
}

struct each {
	_Atomic unsigned seen[3000];
	uint64_t fail_from; /* every tenth index from here on fails */
};

static int count_index(void *ctx, uint64_t i)
{
	struct each *each = ctx;

	atomic_fetch_add(&each->seen[i], 1);
	if (i >= each->fail_from && i % 10 == each->fail_from % 10)
		return -(int)i;
	return 5; /* not negative: not a failure */
}

static void each_index_is_visited_once(void **state)
{
	static const uint64_t counts[] = { 0, 1, 2, 3, 15, 16, 17, 1000, 3000 };

	(void)state;
	for (unsigned threads = 0; threads <= 5; threads++) {
		for (size_t k = 0; k < ARC_COUNT(counts); k++) {
			static struct each each;

			for (uint64_t i = 0; i < 3000; i++)
				each.seen[i] = 0;
			each.fail_from = UINT64_MAX;
			assert_int_equal(arc_parallel_each(threads, counts[k],
							   count_index, &each),
					 0);
			for (uint64_t i = 0; i < 3000; i++)
				assert_int_equal(each.seen[i], i < counts[k]);
		}
	}
}

static void lowest_failure_is_the_result(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 4; threads++) {
		for (uint64_t at = 1; at < 3000; at += 173) {
			static struct each each;
			unsigned beyond = 0;

			for (uint64_t i = 0; i < 3000; i++)
				each.seen[i] = 0;
			each.fail_from = at;
			assert_int_equal(arc_parallel_each(threads, 3000,
							   count_index, &each),
					 -(int)at);
			for (uint64_t i = 0; i <= at; i++)
				assert_int_equal(each.seen[i], 1);
			for (uint64_t i = at + 1; i < 3000; i++)
				beyond += each.seen[i];
			if (threads == 1)
				assert_int_equal(beyond, 0);
		}
	}
}

/* 0 and 1 are in work together; `first` fails at once, the other one later. */
struct race {
	uint64_t first;
	_Atomic unsigned begun;
};

static int fail_in_turn(void *ctx, uint64_t i)
{
	struct race *race = ctx;

	atomic_fetch_add(&race->begun, 1);
	while (atomic_load(&race->begun) < 2)
		sched_yield();
	if (i != race->first)
		sleep_ms(20);
	return i == 0 ? -ENOSPC : -EIO;
}

static void lowest_failure_wins_whichever_came_first(void **state)
{
	(void)state;
	for (uint64_t first = 0; first < 2; first++) {
		struct race race = { .first = first };

		assert_int_equal(arc_parallel_each(2, 2, fail_in_turn, &race),
				 -ENOSPC);
	}
}

static void there_is_a_processor(void **state)
{
	(void)state;
	assert_in_range(arc_cpu_count(), 1, 1 << 20);
}

static void processors_respect_the_affinity_mask(void **state)
{
	cpu_set_t saved;
	cpu_set_t one;
	int cpu = 0;
	unsigned n;

	(void)state;
	if (sched_getaffinity(0, sizeof(saved), &saved) < 0)
		skip();
	while (!CPU_ISSET(cpu, &saved))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		skip();
	n = arc_cpu_count();
	assert_int_equal(sched_setaffinity(0, sizeof(saved), &saved), 0);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_task_runs_once),
		cmocka_unit_test(free_runs_what_is_queued),
		cmocka_unit_test(one_thread_runs_tasks_in_order),
		cmocka_unit_test(tasks_run_side_by_side),
		cmocka_unit_test(full_queue_blocks_submit),
		cmocka_unit_test(wait_ends_with_the_task),
		cmocka_unit_test(wait_ends_while_later_tasks_run),
		cmocka_unit_test(workers_leave_signals_to_the_program),
		cmocka_unit_test(each_index_is_visited_once),
		cmocka_unit_test(lowest_failure_is_the_result),
		cmocka_unit_test(lowest_failure_wins_whichever_came_first),
		cmocka_unit_test(there_is_a_processor),
		cmocka_unit_test(processors_respect_the_affinity_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
