/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crew.h"

/* One request from its arrival to its answer, by a thread that waits. */
static void serve_one(struct arcfs_crew *c, bool was_there)
{
	arcfs_crew_take(c, was_there);
	arcfs_crew_answered(c);
	assert_true(arcfs_crew_wait(c));
}

/* As after a mount's first requests: one thread waits. */
static void start(struct arcfs_crew *c, unsigned max)
{
	arcfs_crew_init(c, max);
	assert_true(arcfs_crew_wait(c));
}

/* The same after two requests at once: two threads wait. */
static void start_two(struct arcfs_crew *c, unsigned max)
{
	start(c, max);
	assert_true(arcfs_crew_take(c, true));
	assert_true(arcfs_crew_wait(c));
	arcfs_crew_answered(c);
	assert_true(arcfs_crew_wait(c));
}

static void one_reader_is_answered_by_one_thread(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 8);
	assert_false(arcfs_crew_wait(&c));
	for (int i = 0; i < 3 * ARCFS_CREW_WINDOW; i++) {
		assert_false(arcfs_crew_take(&c, false));
		assert_false(arcfs_crew_wait(&c));
		arcfs_crew_answered(&c);
		assert_true(arcfs_crew_wait(&c));
	}
	assert_int_equal(c.waiting, 1);
	assert_int_equal(c.busy, 0);
}

static void a_request_that_was_there_calls_another_thread(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 2);
	assert_true(arcfs_crew_take(&c, true));
	assert_true(arcfs_crew_wait(&c)); /* the other one */
	assert_false(arcfs_crew_wait(&c)); /* two are all there may be */
	assert_false(arcfs_crew_take(&c, true));
	assert_int_equal(c.busy, 2);
}

static void no_thread_is_called_while_another_waits(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start_two(&c, 8);
	assert_int_equal(c.waiting, 2);
	assert_false(arcfs_crew_take(&c, true)); /* one is left */
}

static void a_tick_calls_another_when_nothing_moves(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 3);
	assert_false(arcfs_crew_tick(&c)); /* idle */
	assert_false(arcfs_crew_take(&c, false));
	assert_false(arcfs_crew_tick(&c)); /* it has only just begun */
	assert_true(arcfs_crew_tick(&c));
	assert_true(arcfs_crew_wait(&c));
	assert_false(arcfs_crew_tick(&c)); /* one waits */
	arcfs_crew_take(&c, false);
	assert_false(arcfs_crew_tick(&c));
	assert_true(arcfs_crew_tick(&c));
	assert_true(arcfs_crew_wait(&c));
	arcfs_crew_take(&c, false);
	assert_false(arcfs_crew_tick(&c));
	assert_false(arcfs_crew_tick(&c)); /* three are all there may be */
}

/* Two at a time, again and again: no thread may be sent away. */
static void as_many_stay_as_have_work_at_once(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start_two(&c, 8);
	for (int i = 0; i < 2 * ARCFS_CREW_WINDOW; i++) {
		arcfs_crew_take(&c, false);
		arcfs_crew_take(&c, false);
		arcfs_crew_answered(&c);
		assert_true(arcfs_crew_wait(&c));
		arcfs_crew_answered(&c);
		assert_true(arcfs_crew_wait(&c));
	}
	assert_int_equal(c.wanted, 2);
}

/* The other way to have work for two: one by one, each found waiting. */
static void as_many_stay_as_could_have_work_at_once(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 2);
	for (int i = 0; i < 2 * ARCFS_CREW_WINDOW; i++) {
		arcfs_crew_take(&c, true);
		arcfs_crew_answered(&c);
		assert_true(arcfs_crew_wait(&c));
	}
	assert_int_equal(c.wanted, 2);
}

static void who_has_no_work_for_a_window_is_sent_away(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 8);
	for (int i = 1; i < 8; i++) {
		assert_true(arcfs_crew_take(&c, true));
		assert_true(arcfs_crew_wait(&c));
	}
	arcfs_crew_take(&c, true);
	assert_int_equal(c.busy, 8);
	for (int i = 0; i < 8; i++)
		arcfs_crew_answered(&c);
	assert_true(arcfs_crew_wait(&c));
	for (int i = 0; i < 2 * ARCFS_CREW_WINDOW; i++)
		serve_one(&c, false);
	assert_int_equal(c.wanted, 1);
	assert_int_equal(c.waiting, 1);
	assert_false(arcfs_crew_wait(&c));
}

/* Threads are short for a while, and all that there are are busy for long. */
static void who_could_not_be_had_is_called_again(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 3);
	arcfs_crew_take(&c, false);
	arcfs_crew_tick(&c);
	for (int i = 0; i < 10; i++) {
		assert_true(arcfs_crew_tick(&c));
		arcfs_crew_alone(&c);
	}
	assert_true(arcfs_crew_tick(&c));
	assert_true(arcfs_crew_wait(&c));
}

static void a_wait_for_nothing_changes_nothing(void **state)
{
	struct arcfs_crew c;

	(void)state;
	start(&c, 1);
	arcfs_crew_missed(&c);
	assert_int_equal(c.waiting, 0);
	assert_true(arcfs_crew_wait(&c));
	assert_false(arcfs_crew_take(&c, true)); /* one is all there may be */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_reader_is_answered_by_one_thread),
		cmocka_unit_test(a_request_that_was_there_calls_another_thread),
		cmocka_unit_test(no_thread_is_called_while_another_waits),
		cmocka_unit_test(a_tick_calls_another_when_nothing_moves),
		cmocka_unit_test(as_many_stay_as_have_work_at_once),
		cmocka_unit_test(as_many_stay_as_could_have_work_at_once),
		cmocka_unit_test(who_has_no_work_for_a_window_is_sent_away),
		cmocka_unit_test(who_could_not_be_had_is_called_again),
		cmocka_unit_test(a_wait_for_nothing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
