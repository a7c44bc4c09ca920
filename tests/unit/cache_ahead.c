/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "gpu.h"
#include "opencache.h"

#define PIECE ((size_t)128 << 10)
#define READERS 4

static void open_ahead(struct opened *o, size_t budget)
{
	static const struct arc_gpu_options gpu = { .mode = ARC_GPU_OFF };
	const struct arc_ahead_options opt = {
		.gpu = &gpu,
		.cpu = true,
		.threads = 2,
	};

	make(o, &text);
	open_cache(o, budget);
	assert_int_equal(arc_cache_read_ahead(o->cache, &opt), 0);
}

/* Reads [off, end) in order. */
static void read_in_order(struct opened *o, size_t off, size_t end)
{
	while (off < end) {
		ssize_t n = touch(o, off, ARC_MIN(PIECE, end - off));

		assert_true(n > 0);
		off += (size_t)n;
	}
}

/* Waits until so many groups have been decoded ahead. */
static void await_groups(struct opened *o, uint64_t groups)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; stats_of(o).ahead.groups < groups; i++) {
		assert_true(i < 60000);
		nanosleep(&moment, NULL);
	}
}

static void what_is_read_in_order_is_decoded_ahead(void **state)
{
	struct opened o;
	uint64_t decoded, used;

	(void)state;
	open_ahead(&o, BUDGET);
	read_in_order(&o, 0, (size_t)1 << 20);
	await_groups(&o, 4);
	decoded = stats_of(&o).decoded;
	used = stats_of(&o).ahead.used;
	read_in_order(&o, (size_t)1 << 20, ((size_t)1 << 20) + 4 * PIECE);
	assert_true(stats_of(&o).ahead.used > used);
	read_in_order(&o, 0, STREAM);
	assert_true(decoded > (size_t)1 << 20);
	assert_string_equal(stats_of(&o).ahead.state, "off");
	drop(&o);
}

/* However the two come to it: each byte is decoded once. */
static void nothing_is_decoded_twice(void **state)
{
	struct opened o;

	(void)state;
	open_ahead(&o, BUDGET);
	read_in_order(&o, 0, STREAM);
	assert_int_equal(stats_of(&o).decoded, STREAM);
	assert_int_equal(stats_of(&o).served, STREAM);
	drop(&o);
}

struct reader {
	struct opened *o;
	size_t from;
};

static void *read_all(void *arg)
{
	const struct reader *r = arg;

	read_in_order(r->o, r->from, STREAM);
	return NULL;
}

static void threads_read(size_t budget)
{
	struct reader reader[READERS];
	pthread_t thread[READERS];
	struct opened o;

	open_ahead(&o, budget);
	for (size_t i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ &o, i * (STREAM / READERS) };
		assert_int_equal(pthread_create(&thread[i], NULL, read_all,
						&reader[i]),
				 0);
	}
	for (size_t i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	drop(&o);
}

static void readers_at_several_places_get_right_bytes(void **state)
{
	(void)state;
	threads_read(BUDGET);
}

static void a_small_cache_serves_readers_too(void **state)
{
	(void)state;
	threads_read((size_t)8 << 20);
}

static void a_tiny_cache_is_not_filled_ahead(void **state)
{
	struct opened o;

	(void)state;
	open_ahead(&o, (size_t)1 << 20);
	read_in_order(&o, 0, STREAM);
	assert_int_equal(stats_of(&o).ahead.groups, 0);
	drop(&o);
}

static void it_ends_while_it_is_at_work(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct opened o;

		open_ahead(&o, BUDGET);
		read_in_order(&o, 0, (size_t)(i + 1) * PIECE);
		drop(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_in_order_is_decoded_ahead),
		cmocka_unit_test(nothing_is_decoded_twice),
		cmocka_unit_test(readers_at_several_places_get_right_bytes),
		cmocka_unit_test(a_small_cache_serves_readers_too),
		cmocka_unit_test(a_tiny_cache_is_not_filled_ahead),
		cmocka_unit_test(it_ends_while_it_is_at_work),
	};

	return cmocka_run_group_tests_name("cache_ahead", tests, NULL, NULL);
}
