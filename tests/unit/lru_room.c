/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "lrumaker.h"

/* ---- room --------------------------------------------------------------- */

static void bytes_in_flight_make_idle_objects_go(void **state)
{
	struct arc_lru_claim claim = { 0 };
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 50);
	for (uint64_t i = 0; i < 5; i++)
		touch(lru, i);
	arc_lru_count(lru, 5);
	assert_int_equal(stats_of(lru).cost, 40);
	assert_int_equal(arc_lru_claim(lru, 16, &claim), 0);
	assert_int_equal(stats_of(lru).cost, 20);
	assert_int_equal(stats_of(lru).in_flight, 21);
	assert_int_equal(m.drops[0] + m.drops[1] + m.drops[2], 3);
	touch(lru, 5); /* kept within what is left */
	assert_int_equal(stats_of(lru).cost, 20);
	arc_lru_unclaim(lru, &claim);
	arc_lru_uncount(lru, 5);
	assert_int_equal(stats_of(lru).in_flight, 0);
	assert_int_equal(stats_of(lru).passes, 0);
	free_lru(lru, &m);
}

static void an_object_uses_what_was_claimed_for_it(void **state)
{
	struct arc_lru_claim claim = { 0 };
	struct maker m;
	struct arc_lru *lru;
	void *obj;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 30);
	touch(lru, 1);
	touch(lru, 2);
	assert_int_equal(arc_lru_pin_within(lru, 3, 10, &claim, &obj), 0);
	assert_int_equal(claim.n, 0);
	assert_int_equal(stats_of(lru).cost, 30); /* nothing had to go */
	assert_int_equal(stats_of(lru).peak, 30);
	/* what is there needs no room */
	assert_int_equal(arc_lru_pin_within(lru, 1, 10, &claim, &obj), 0);
	assert_int_equal(stats_of(lru).evictions, 0);
	/* what fails leaves its claim with who made it */
	m.fail_key = 9;
	assert_int_equal(arc_lru_pin_within(lru, 9, 10, &claim, &obj),
			 -EBADMSG);
	assert_int_equal(claim.n, 10);
	assert_int_equal(stats_of(lru).in_flight, 10);
	arc_lru_unclaim(lru, &claim);
	assert_int_equal(stats_of(lru).in_flight, 0);
	arc_lru_unpin(lru, 1);
	arc_lru_unpin(lru, 3);
	free_lru(lru, &m);
}

static void one_claim_may_pass_the_budget(void **state)
{
	struct arc_lru_claim claim = { 0 }, hasty = { .hasty = true };
	struct maker m;
	struct arc_lru *lru;
	void *obj;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 25);
	assert_int_equal(arc_lru_pin_within(lru, 1, 10, &claim, &obj), 0);
	assert_int_equal(arc_lru_pin_within(lru, 2, 10, &claim, &obj), 0);
	assert_false(claim.first);
	assert_int_equal(arc_lru_pin_within(lru, 3, 10, &claim, &obj), 0);
	assert_true(claim.first);
	assert_int_equal(arc_lru_claim(lru, 100, &claim), 0); /* it still may */
	assert_int_equal(stats_of(lru).peak, 130);
	assert_int_equal(arc_lru_claim(lru, 1, &hasty), -E2BIG);
	assert_int_equal(arc_lru_pin_within(lru, 4, 10, &hasty, &obj), -E2BIG);
	assert_int_equal(m.loads[4], 0);
	arc_lru_unpin(lru, 3);
	assert_int_equal(m.drops[3], 1);
	arc_lru_unclaim(lru, &claim);
	assert_false(claim.first);
	assert_int_equal(arc_lru_claim(lru, 5, &hasty), 0);
	assert_int_equal(arc_lru_claim(lru, 1, &hasty), -E2BIG);
	arc_lru_unclaim(lru, &hasty);
	arc_lru_unpin(lru, 1);
	arc_lru_unpin(lru, 2);
	free_lru(lru, &m);
}

/* Somebody who asks for room, in a thread of its own. */
struct claimer {
	struct arc_lru *lru;
	struct arc_lru_claim claim;
	pthread_t thread;
	_Atomic int done;
};

static void *claim_50(void *arg)
{
	struct claimer *c = arg;

	arc_lru_claim(c->lru, 50, &c->claim);
	c->done = 1;
	return NULL;
}

static void start_claimer(struct claimer *c, struct arc_lru *lru,
			  uint64_t waits)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	*c = (struct claimer){ .lru = lru };
	assert_int_equal(pthread_create(&c->thread, NULL, claim_50, c), 0);
	while (stats_of(lru).waits < waits)
		nanosleep(&pause, NULL);
	assert_int_equal(c->done, 0);
}

static void who_asks_waits_until_others_let_go(void **state)
{
	struct arc_lru_claim first = { 0 };
	struct claimer c;
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 60);
	lru = new_lru(&m, 100);
	pin(lru, 1);
	assert_int_equal(arc_lru_claim(lru, 50, &first), 0);
	assert_true(first.first);
	start_claimer(&c, lru, 1);
	arc_lru_unpin(lru, 1); /* 60 may go: 50 + 50 fit */
	pthread_join(c.thread, NULL);
	assert_false(c.claim.first);
	assert_int_equal(m.drops[1], 1);
	arc_lru_unclaim(lru, &c.claim);

	pin(lru, 2);
	start_claimer(&c, lru, stats_of(lru).waits + 1);
	arc_lru_unclaim_bytes(lru, &first);
	assert_true(first.first);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(c.done, 0); /* 60 + 50 do not fit either */
	arc_lru_unclaim(lru, &first); /* but the right of way is free */
	pthread_join(c.thread, NULL);
	assert_true(c.claim.first);
	arc_lru_unclaim(lru, &c.claim);
	arc_lru_unpin(lru, 2);
	free_lru(lru, &m);
}

/* Each thread pins one object after waiting, perhaps another without, and
 * claims some bytes, as requests do. */
static void claiming_step(struct stormer *s)
{
	struct arc_lru_claim claim = { 0 }, more = { .hasty = true };
	uint64_t key = random_key(s), other = random_key(s);
	void *obj = NULL, *second = NULL;

	if (arc_lru_pin_within(s->lru, key, 10, &claim, &obj) < 0) {
		s->wrong += key != s->maker->fail_key;
		arc_lru_unclaim(s->lru, &claim);
		return;
	}
	s->wrong += arc_lru_claim(s->lru, other % 8, &claim) != 0;
	if (arc_lru_pin_within(s->lru, other, 10, &more, &second) == 0) {
		s->wrong += !((struct object *)second)->alive;
		arc_lru_unpin(s->lru, other);
	}
	arc_lru_unclaim(s->lru, &more);
	s->wrong += !((struct object *)obj)->alive;
	arc_lru_unclaim_bytes(s->lru, &claim);
	arc_lru_unpin(s->lru, key);
	arc_lru_unclaim(s->lru, &claim);
}

static void *claiming_storm(void *arg)
{
	struct stormer *s = arg;

	for (int i = 0; i < STORM_STEPS; i++) {
		claiming_step(s);
		if (i % 1000 == 999)
			arc_lru_shrink(s->lru);
		if (i % 100 == 99)
			arc_lru_regrow(s->lru);
	}
	return NULL;
}

static void the_ceiling_holds_in_a_storm(void **state)
{
	static const size_t budgets[] = { 0, 9, 35, 200 };

	(void)state;
	for (size_t b = 0; b < ARC_COUNT(budgets); b++) {
		struct stormer stormers[8];
		struct arc_lru_stats stats;
		struct maker m;
		struct arc_lru *lru;

		maker_init(&m, 10);
		m.fail_key = 13;
		lru = new_lru(&m, budgets[b]);
		for (uint32_t i = 0; i < ARC_COUNT(stormers); i++) {
			stormers[i] = (struct stormer){ .lru = lru,
							.maker = &m,
							.seed = i + 1 };
			assert_int_equal(pthread_create(&stormers[i].thread,
							NULL, claiming_storm,
							&stormers[i]),
					 0);
		}
		for (size_t i = 0; i < ARC_COUNT(stormers); i++) {
			pthread_join(stormers[i].thread, NULL);
			assert_int_equal(stormers[i].wrong, 0);
		}
		stats = stats_of(lru);
		assert_int_equal(stats.in_flight, 0);
		assert_true(stats.cost <= budgets[b]);
		/* what one claim takes, and nothing else */
		assert_true(stats.peak <= budgets[b] + 10 + 7);
		free_lru(lru, &m);
	}
}

/* ---- housekeeping ------------------------------------------------------- */

static void shrinking_halves_and_growing_is_slow(void **state)
{
	unsigned steps = 1;
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 320);
	for (uint64_t i = 0; i < 32; i++)
		touch(lru, i);
	arc_lru_shrink(lru);
	assert_int_equal(stats_of(lru).cost, 160);
	assert_int_equal(m.drops[15], 1); /* the older half */
	assert_int_equal(m.drops[16], 0);
	touch(lru, 40);
	assert_int_equal(stats_of(lru).cost, 160); /* and stays small */
	while (arc_lru_regrow(lru))
		steps++;
	assert_in_range(steps, 20, 40);
	assert_int_equal(stats_of(lru).limit, 320);
	for (uint64_t i = 0; i < 32; i++)
		touch(lru, i);
	assert_int_equal(stats_of(lru).cost, 320);
	for (int i = 0; i < 10; i++)
		arc_lru_shrink(lru);
	assert_int_equal(stats_of(lru).cost, 0);
	assert_int_equal(stats_of(lru).limit, 20); /* a sixteenth */
	assert_int_equal(stats_of(lru).shrinks, 11);
	free_lru(lru, &m);
}

static void what_is_shrunk_still_answers_claims(void **state)
{
	struct arc_lru_claim claim = { .hasty = true };
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 160);
	arc_lru_shrink(lru);
	assert_int_equal(stats_of(lru).limit, 10);
	assert_int_equal(arc_lru_claim(lru, 160, &claim), 0);
	assert_int_equal(arc_lru_claim(lru, 1, &claim), -E2BIG);
	arc_lru_unclaim(lru, &claim);
	free_lru(lru, &m);
}

static void what_is_not_used_is_tidied_away(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 1000);
	assert_int_equal(arc_lru_tidy(lru, UINT32_MAX - 1, 5), 0);
	touch(lru, 1); /* at UINT32_MAX - 1 */
	touch(lru, 2);
	pin(lru, 3);
	assert_int_equal(arc_lru_tidy(lru, 2, 5), 0); /* the clock wraps */
	touch(lru, 2);
	touch(lru, 4);
	assert_int_equal(arc_lru_tidy(lru, 3, 5), 10);
	assert_int_equal(m.drops[1], 1);
	assert_int_equal(m.drops[2] + m.drops[3] + m.drops[4], 0);
	assert_int_equal(arc_lru_tidy(lru, 7, 5), 20);
	assert_int_equal(m.drops[3], 0); /* pinned all the time */
	arc_lru_unpin(lru, 3);
	assert_int_equal(arc_lru_tidy(lru, 8, 5), 0);
	assert_int_equal(arc_lru_tidy(lru, 13, 5), 10);
	assert_int_equal(stats_of(lru).tidied, 4);
	assert_int_equal(stats_of(lru).cost, 0);
	free_lru(lru, &m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_in_flight_make_idle_objects_go),
		cmocka_unit_test(an_object_uses_what_was_claimed_for_it),
		cmocka_unit_test(one_claim_may_pass_the_budget),
		cmocka_unit_test(who_asks_waits_until_others_let_go),
		cmocka_unit_test(the_ceiling_holds_in_a_storm),
		cmocka_unit_test(shrinking_halves_and_growing_is_slow),
		cmocka_unit_test(what_is_shrunk_still_answers_claims),
		cmocka_unit_test(what_is_not_used_is_tidied_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
