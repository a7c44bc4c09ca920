/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "spool_sort.h"

#define ROW ((size_t)1024)
#define PIECE (MK_SORT_PIECE / ROW)

struct world {
	struct mk_spool rows;
	struct mk_spool spare;
};

static int open_world(void **state)
{
	arc_cleanup(arc_closep) int tmp =
		open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	return !w || mk_spool_open(&w->rows, tmp, ROW) ||
	       mk_spool_open(&w->spare, tmp, ROW);
}

static int close_world(void **state)
{
	struct world *w = *state;

	mk_spool_close(&w->rows);
	mk_spool_close(&w->spare);
	free(w);
	return 0;
}

static int by_first_number(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a;
	uint64_t other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

/* A row says its number at its begin and at its end. */
static void add_rows(struct mk_spool *s, uint64_t n,
		     uint64_t (*number)(uint64_t i, uint64_t n))
{
	uint64_t first;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t *row;

		assert_int_equal(mk_spool_add(s, 1, &first), 0);
		row = mk_spool_at(s, first);
		row[0] = number(i, n);
		row[ROW / 8 - 1] = ~row[0];
	}
}

static void check_row(const struct mk_spool *s, uint64_t i, uint64_t want)
{
	const uint64_t *row = mk_spool_at(s, i);

	if (row[0] != want || row[ROW / 8 - 1] != ~want)
		fail_msg("row %llu", (unsigned long long)i);
}

/* 7919 is prime and no divisor of the counts used: each number once. */
static uint64_t scattered(uint64_t i, uint64_t n)
{
	return i * 7919 % n;
}

static uint64_t backwards(uint64_t i, uint64_t n)
{
	return n - 1 - i;
}

static uint64_t in_order(uint64_t i, uint64_t n)
{
	(void)n;
	return i;
}

static void sort_and_check(struct world *w, uint64_t n,
			   uint64_t (*number)(uint64_t i, uint64_t n))
{
	w->rows.count = 0;
	add_rows(&w->rows, n, number);
	assert_int_equal(mk_spool_sort(&w->rows, &w->spare, by_first_number),
			 0);
	assert_int_equal(w->rows.count, n);
	for (uint64_t i = 0; i < n; i++)
		check_row(&w->rows, i, i);
}

static void rows_around_the_borders_of_pieces_are_sorted(void **state)
{
	static const uint64_t counts[] = {
		0,     1,	  2,	     100,	   PIECE - 1,
		PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 1
	};

	for (size_t i = 0; i < ARC_COUNT(counts); i++)
		sort_and_check(*state, counts[i], scattered);
	sort_and_check(*state, 2 * PIECE + 3, backwards);
	sort_and_check(*state, 2 * PIECE + 3, in_order);
}

static uint64_t one_of_three(uint64_t i, uint64_t n)
{
	(void)n;
	return (i * 7919 >> 3) % 3;
}

static void equal_rows_are_all_kept(void **state)
{
	struct world *w = *state;
	uint64_t n = 2 * PIECE + PIECE / 2, counts[3] = { 0 };

	for (uint64_t i = 0; i < n; i++)
		counts[one_of_three(i, n)]++;
	add_rows(&w->rows, n, one_of_three);
	assert_int_equal(mk_spool_sort(&w->rows, &w->spare, by_first_number),
			 0);
	for (uint64_t i = 0; i < n; i++)
		check_row(&w->rows, i,
			  (i >= counts[0]) + (i >= counts[0] + counts[1]));
}

/* Backwards, where ctx says so; counts how often it is asked. */
struct direction {
	bool back;
	uint64_t asked;
};

static int by_direction(const void *a, const void *b, void *ctx)
{
	struct direction *d = ctx;

	d->asked++;
	return d->back ? by_first_number(b, a) : by_first_number(a, b);
}

static void small_pieces_and_an_order_that_knows_more(void **state)
{
	static const uint64_t counts[] = { 0, 1, 2, 6, 7, 8, 13, 14, 15, 1000 };
	struct world *w = *state;

	for (size_t i = 0; i < ARC_COUNT(counts); i++) {
		struct direction d = { .back = true };
		uint64_t n = counts[i];

		w->rows.count = 0;
		add_rows(&w->rows, n, scattered);
		assert_int_equal(mk_spool_sort_with(&w->rows, &w->spare, 7,
						    by_direction, &d),
				 0);
		assert_int_equal(w->rows.count, n);
		for (uint64_t k = 0; k < n; k++)
			check_row(&w->rows, k, n - 1 - k);
		assert_true(n < 2 || d.asked > 0);
	}
}

static void want_of_room_loses_no_row(void **state)
{
	struct world *w = *state;
	struct rlimit saved, small;
	uint64_t n = PIECE + 1, sum = 0;

	add_rows(&w->rows, n, backwards);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	signal(SIGXFSZ, SIG_IGN);
	small = saved;
	small.rlim_cur = ARC_MIB;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(mk_spool_sort(&w->rows, &w->spare, by_first_number) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	assert_int_equal(w->rows.count, n);
	for (uint64_t i = 0; i < n; i++)
		sum += *(const uint64_t *)mk_spool_at(&w->rows, i);
	assert_int_equal(sum, n * (n - 1) / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)
		TEST(rows_around_the_borders_of_pieces_are_sorted),
		TEST(equal_rows_are_all_kept),
		TEST(small_pieces_and_an_order_that_knows_more),
		TEST(want_of_room_loses_no_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
