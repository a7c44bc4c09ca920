/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "latency.h"

#define THREADS 4
#define ADDS 200000

static const struct arcfs_latency empty;

/* Not off by more than latency.h says. */
static void assert_near(uint64_t want, uint64_t found)
{
	uint64_t off = want > found ? want - found : found - want;

	if (off > want / 16)
		fail_msg("%llu is told as %llu", (unsigned long long)want,
			 (unsigned long long)found);
}

static void nothing_added_is_zeros(void **state)
{
	struct arcfs_latency_summary sum;

	(void)state;
	memset(&sum, 0xff, sizeof(sum));
	arcfs_latency_sum_up(&empty, &sum);
	assert_int_equal(sum.p50 | sum.p95 | sum.p99 | sum.max, 0);
}

/* Every value at and about the borders of buckets, and between them. */
static void any_single_value_is_told_within_the_stated_error(void **state)
{
	(void)state;
	for (unsigned log = 0; log < ARCFS_LATENCY_END_LOG; log++) {
		uint64_t low = UINT64_C(1) << log;

		for (uint64_t i = 0; i < 64; i++) {
			uint64_t v = low + low * i / 64 - (i == 0);
			struct arcfs_latency l = empty;
			struct arcfs_latency_summary sum;

			arcfs_latency_add(&l, v);
			arcfs_latency_add(&l, UINT64_C(1) << 39 << 1);
			arcfs_latency_sum_up(&l, &sum);
			assert_near(v, sum.p50);
			if (v < 16)
				assert_int_equal(sum.p50, v);
		}
	}
}

static void no_percentile_is_above_the_maximum(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < 100000; v = v * 21 / 20 + 1) {
		struct arcfs_latency l = empty;
		struct arcfs_latency_summary sum;

		arcfs_latency_add(&l, v);
		arcfs_latency_sum_up(&l, &sum);
		assert_int_equal(sum.max, v);
		assert_true(sum.p50 <= v && sum.p99 <= v);
		assert_near(v, sum.p99);
	}
}

static void very_long_times_count_as_the_longest(void **state)
{
	static const uint64_t values[] = { UINT64_C(1) << 40, UINT64_MAX - 1,
					   UINT64_MAX };
	struct arcfs_latency_summary sum;
	struct arcfs_latency l = empty;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(values); i++) {
		arcfs_latency_add(&l, values[i]);
		arcfs_latency_sum_up(&l, &sum);
		assert_int_equal(sum.max, values[i]);
		assert_near((UINT64_C(1) << 40) - 1, sum.p99);
	}
}

/* ---- distributions ------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 20;
}

static uint64_t uniform(uint64_t *state)
{
	return next_random(state) % 1000000;
}

/* As many between 1 and 2 microseconds as between 1 and 2 seconds. */
static uint64_t all_orders(uint64_t *state)
{
	uint64_t log = 10 + next_random(state) % 20;

	return (UINT64_C(1) << log) + next_random(state) % (UINT64_C(1) << log);
}

/* A cache: most are fast, three in a hundred slow. */
static uint64_t two_humps(uint64_t *state)
{
	bool slow = next_random(state) % 100 < 3;

	return (slow ? 5000000 : 20000) + next_random(state) % 1000;
}

static uint64_t always_the_same(uint64_t *state)
{
	(void)state;
	return 123456;
}

static void percentiles_are_those_of_the_sorted_values(void **state)
{
	static uint64_t (*const draw[])(uint64_t *) = { uniform, all_orders,
							two_humps,
							always_the_same };
	static const size_t counts[] = { 1, 2, 3, 99, 100, 101, 20000 };
	static uint64_t value[20000];

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(draw) * ARC_COUNT(counts); i++) {
		size_t n = counts[i % ARC_COUNT(counts)];
		struct arcfs_latency_summary sum;
		struct arcfs_latency l = empty;
		uint64_t seed = i;

		for (size_t k = 0; k < n; k++) {
			value[k] = draw[i / ARC_COUNT(counts)](&seed);
			arcfs_latency_add(&l, value[k]);
		}
		qsort(value, n, sizeof(value[0]), compare);
		arcfs_latency_sum_up(&l, &sum);
		assert_near(value[(n * 50 + 99) / 100 - 1], sum.p50);
		assert_near(value[(n * 95 + 99) / 100 - 1], sum.p95);
		assert_near(value[(n * 99 + 99) / 100 - 1], sum.p99);
		assert_int_equal(sum.max, value[n - 1]);
	}
}

/* ---- threads ------------------------------------------------------------- */

struct crowd {
	pthread_barrier_t start;
	struct arcfs_latency l;
};

static void *add_many(void *ctx)
{
	struct crowd *c = ctx;

	pthread_barrier_wait(&c->start);
	for (uint64_t i = 1; i <= ADDS; i++)
		arcfs_latency_add(&c->l, i);
	return NULL;
}

static void threads_add_while_others_ask(void **state)
{
	struct arcfs_latency_summary sum;
	struct crowd c = { .l = empty };
	pthread_t thread[THREADS];
	uint64_t all = 0;

	(void)state;
	pthread_barrier_init(&c.start, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add_many, &c),
				 0);
	for (unsigned i = 0; i < 200; i++) {
		arcfs_latency_sum_up(&c.l, &sum);
		assert_true(sum.p50 <= sum.p95 && sum.p95 <= sum.p99 &&
			    sum.p99 <= sum.max && sum.max <= ADDS);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&c.start);
	for (size_t i = 0; i < ARCFS_LATENCY_BUCKETS; i++)
		all += c.l.bucket[i];
	assert_int_equal(all, THREADS * ADDS);
	arcfs_latency_sum_up(&c.l, &sum);
	assert_int_equal(sum.max, ADDS);
	assert_near(ADDS / 2, sum.p50);
	assert_near(ADDS / 100 * 99, sum.p99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_added_is_zeros),
		cmocka_unit_test(
			any_single_value_is_told_within_the_stated_error),
		cmocka_unit_test(no_percentile_is_above_the_maximum),
		cmocka_unit_test(very_long_times_count_as_the_longest),
		cmocka_unit_test(percentiles_are_those_of_the_sorted_values),
		cmocka_unit_test(threads_add_while_others_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
