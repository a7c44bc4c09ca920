/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache_runs.h"

#define PIECE ((uint64_t)1000)
#define FAR ((uint64_t)1000000)

static const struct arc_runs_policy policy = {
	.piece = PIECE,
	.near = 300,
	.begin = 500,
	.window = 4 * PIECE,
	.behind = 2 * PIECE,
};

static void expect_none(struct arc_runs *r)
{
	uint64_t off;

	assert_false(arc_runs_take(r, &off));
}

static void expect_piece(struct arc_runs *r, uint64_t expected)
{
	uint64_t off = UINT64_MAX;

	assert_true(arc_runs_take(r, &off));
	assert_int_equal(off, expected);
}

static void who_reads_in_order_is_preceded(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	assert_false(arc_runs_note(&r, 700, 400, true));
	assert_true(arc_runs_note(&r, 1100, 900, true));
	expect_piece(&r, 2 * PIECE);
	expect_piece(&r, 3 * PIECE);
	expect_none(&r);
}

static void who_has_read_enough_in_order_is_known(void **state)
{
	struct arc_runs_policy never = policy;
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	assert_false(arc_runs_is_order(&r, 1000));
	arc_runs_note(&r, 700, 300, true);
	assert_false(arc_runs_is_order(&r, 1000));
	arc_runs_note(&r, 1000, 200, true);
	assert_true(arc_runs_is_order(&r, 1200));
	assert_true(arc_runs_is_order(&r, 1200 - policy.near));
	assert_true(arc_runs_is_order(&r, 1200 + policy.near));
	assert_false(arc_runs_is_order(&r, 1201 + policy.near));
	assert_false(arc_runs_is_order(&r, FAR));
	never.window = 0;
	arc_runs_init(&r, &never);
	assert_true(arc_runs_is_order(&r, FAR));
}

/* Not further ahead than what has been read, nor than the window. */
static void the_distance_grows_with_what_was_read(void **state)
{
	struct arc_runs r = { 0 };
	uint64_t off, furthest = 0;

	(void)state;
	arc_runs_init(&r, &policy);
	for (uint64_t at = PIECE; at < 20 * PIECE; at += 100) {
		arc_runs_note(&r, at, 100, true);
		while (arc_runs_take(&r, &off)) {
			assert_true(off >= at + 100);
			assert_true(off < at + 100 + policy.window);
			assert_true(off - PIECE < 2 * (at + 100 - PIECE));
			assert_true(off > furthest);
			furthest = off;
		}
	}
	assert_int_equal(furthest, 23 * PIECE);
}

static void only_fresh_bytes_ask(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	for (uint64_t at = 0; at < 10 * PIECE; at += 100)
		assert_false(arc_runs_note(&r, PIECE + at, 100, false));
	expect_none(&r);
}

static void who_reads_here_and_there_is_left_alone(void **state)
{
	struct arc_runs r = { 0 };
	uint64_t place = 1;

	(void)state;
	arc_runs_init(&r, &policy);
	for (int i = 0; i < 100000; i++) {
		place = place * UINT64_C(6364136223846793005) + 1;
		assert_false(
			arc_runs_note(&r, (place >> 33) % FAR * 40, 40, true));
	}
	expect_none(&r);
}

static void readers_are_told_apart(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	for (uint64_t at = PIECE; at < 2 * PIECE; at += 100)
		for (uint64_t i = 0; i < ARC_RUNS; i++)
			arc_runs_note(&r, i * FAR + at, 100, true);
	for (uint64_t i = 0; i < ARC_RUNS; i++) {
		uint64_t off = 0;

		assert_true(arc_runs_take(&r, &off));
		assert_int_equal(off % FAR, 2 * PIECE);
	}
	expect_none(&r);
}

/* Answers of several threads may come in any order. */
static void a_reader_may_be_a_little_out_of_order(void **state)
{
	static const uint64_t order[] = { 1000, 1200, 1100, 1400, 1300, 1500 };
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	for (size_t i = 0; i < ARC_COUNT(order); i++)
		arc_runs_note(&r, order[i], 100, true);
	expect_piece(&r, 2 * PIECE);
	expect_none(&r);
}

static void what_a_reader_has_passed_is_dropped(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	arc_runs_note(&r, 0, 2 * PIECE, true);
	arc_runs_note(&r, 2 * PIECE, PIECE, false);
	expect_piece(&r, 3 * PIECE);
	expect_none(&r);
}

/* The ring of what is asked for is full: what did not fit is asked for later. */
static void nothing_is_lost_when_too_much_is_asked_for(void **state)
{
	const struct arc_runs_policy wide = {
		.piece = 1,
		.near = 300,
		.begin = 100,
		.window = 1000,
	};
	struct arc_runs r = { 0 };
	uint64_t off;
	unsigned n = 0;

	(void)state;
	arc_runs_init(&r, &wide);
	assert_true(arc_runs_note(&r, 0, 100, true));
	while (arc_runs_take(&r, &off))
		assert_int_equal(off, 100 + n++);
	assert_int_equal(n, ARC_RUNS_ASKED);
	assert_true(arc_runs_note(&r, 100, 1, true));
	expect_piece(&r, 100 + n);
}

static void a_window_smaller_than_a_piece_asks_for_nothing(void **state)
{
	struct arc_runs_policy none = policy;
	struct arc_runs r = { 0 };

	(void)state;
	none.window = PIECE - 1;
	arc_runs_init(&r, &none);
	for (uint64_t at = 0; at < 10 * PIECE; at += 100)
		assert_false(arc_runs_note(&r, at, 100, true));
	expect_none(&r);
}

static void other_rules_forget_what_was_asked_for(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	assert_true(arc_runs_note(&r, 0, PIECE, true));
	arc_runs_init(&r, &policy);
	expect_none(&r);
	assert_int_equal(r.longest, PIECE);
}

static void expect_nothing_passed(struct arc_runs *r, uint64_t at)
{
	uint64_t from, to;

	assert_false(arc_runs_pass(r, at, &from, &to));
}

/* Without gaps, and never what lies less than `behind` behind the reader. */
static void what_lies_behind_a_reader_is_told_once(void **state)
{
	struct arc_runs r = { 0 };
	uint64_t from, to, told = 700;

	(void)state;
	arc_runs_init(&r, &policy);
	for (uint64_t at = 700; at < 20 * PIECE; at += 100) {
		arc_runs_note(&r, at, 100, at % 300 == 0);
		if (!arc_runs_pass(&r, at + 100, &from, &to))
			continue;
		assert_int_equal(from, told);
		assert_int_equal(to, at + 100 - policy.behind);
		assert_true(to >= from + policy.piece);
		expect_nothing_passed(&r, at + 100);
		told = to;
	}
	assert_int_equal(told, 17700);
}

static void who_reads_here_and_there_is_past_nothing(void **state)
{
	struct arc_runs r = { 0 };

	(void)state;
	arc_runs_init(&r, &policy);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t at = i * 77 % 100 * FAR;

		arc_runs_note(&r, at, PIECE, true);
		expect_nothing_passed(&r, at + PIECE);
	}
	expect_nothing_passed(&r, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_reads_in_order_is_preceded),
		cmocka_unit_test(who_has_read_enough_in_order_is_known),
		cmocka_unit_test(the_distance_grows_with_what_was_read),
		cmocka_unit_test(only_fresh_bytes_ask),
		cmocka_unit_test(who_reads_here_and_there_is_left_alone),
		cmocka_unit_test(readers_are_told_apart),
		cmocka_unit_test(a_reader_may_be_a_little_out_of_order),
		cmocka_unit_test(what_a_reader_has_passed_is_dropped),
		cmocka_unit_test(nothing_is_lost_when_too_much_is_asked_for),
		cmocka_unit_test(
			a_window_smaller_than_a_piece_asks_for_nothing),
		cmocka_unit_test(other_rules_forget_what_was_asked_for),
		cmocka_unit_test(what_lies_behind_a_reader_is_told_once),
		cmocka_unit_test(who_reads_here_and_there_is_past_nothing),
	};

	return cmocka_run_group_tests_name("cache_runs", tests, NULL, NULL);
}
