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

static void second_pin_gives_the_same_object(void **state)
{
	struct maker m;
	struct arc_lru *lru;
	struct object *a;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 100);
	a = pin(lru, 5);
	assert_ptr_equal(pin(lru, 5), a);
	arc_lru_unpin(lru, 5);
	arc_lru_unpin(lru, 5);
	assert_ptr_equal(pin(lru, 5), a);
	arc_lru_unpin(lru, 5);
	assert_int_equal(m.loads[5], 1);
	assert_int_equal(stats_of(lru).hits, 2);
	assert_int_equal(stats_of(lru).misses, 1);
	assert_int_equal(stats_of(lru).cost, 10);
	free_lru(lru, &m);
}

static void oldest_is_dropped_first(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 30);
	touch(lru, 1);
	touch(lru, 2);
	touch(lru, 3);
	assert_int_equal(stats_of(lru).evictions, 0);
	touch(lru, 1); /* 2 is the oldest now */
	touch(lru, 4);
	assert_int_equal(m.drops[2], 1);
	assert_int_equal(m.drops[1] + m.drops[3] + m.drops[4], 0);
	touch(lru, 5);
	assert_int_equal(m.drops[3], 1);
	assert_int_equal(stats_of(lru).evictions, 2);
	assert_int_equal(stats_of(lru).cost, 30);
	assert_int_equal(stats_of(lru).peak, 40);
	touch(lru, 2); /* made again */
	assert_int_equal(m.loads[2], 2);
	free_lru(lru, &m);
}

static void pinned_is_never_dropped(void **state)
{
	struct object *held[8];
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 30);
	for (uint64_t i = 0; i < 8; i++)
		held[i] = pin(lru, i);
	arc_lru_trim(lru);
	for (uint64_t i = 0; i < 8; i++) {
		assert_int_equal(m.drops[i], 0);
		assert_true(held[i]->alive);
	}
	assert_int_equal(stats_of(lru).cost, 80);
	for (uint64_t i = 0; i < 8; i++) {
		uint64_t want = 80 - 10 * (i + 1);

		arc_lru_unpin(lru, i);
		assert_int_equal(stats_of(lru).cost, ARC_MAX(want, 30));
	}
	assert_int_equal(stats_of(lru).evictions, 5);
	free_lru(lru, &m);
}

static void object_above_the_budget_lives_while_pinned(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 1000);
	lru = new_lru(&m, 999);
	assert_true(pin(lru, 1)->alive);
	assert_int_equal(m.drops[1], 0);
	arc_lru_unpin(lru, 1);
	assert_int_equal(m.drops[1], 1);
	assert_int_equal(stats_of(lru).cost, 0);
	assert_int_equal(stats_of(lru).peak, 1000);
	free_lru(lru, &m);
}

static void trim_drops_what_is_not_pinned(void **state)
{
	static const size_t costs[] = { 0, 1, 10 };

	(void)state;
	for (size_t k = 0; k < ARC_COUNT(costs); k++) {
		struct maker m;
		struct arc_lru *lru;

		maker_init(&m, costs[k]);
		lru = new_lru(&m, 1000);
		for (uint64_t i = 0; i < 20; i++)
			touch(lru, i);
		pin(lru, 7);
		arc_lru_trim(lru);
		for (uint64_t i = 0; i < 20; i++)
			assert_int_equal(m.drops[i], i != 7);
		assert_int_equal(stats_of(lru).cost, costs[k]);
		arc_lru_unpin(lru, 7);
		free_lru(lru, &m);
	}
}

static void what_was_passed_goes_first(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 40);
	for (uint64_t i = 1; i <= 4; i++)
		touch(lru, i);
	arc_lru_pass(lru, 3, 40);
	arc_lru_pass(lru, 2, 40);
	arc_lru_pass(lru, 9, 40); /* is not there */
	assert_int_equal(stats_of(lru).passed, 20);
	touch(lru, 5);
	assert_int_equal(m.drops[3], 1);
	touch(lru, 6);
	assert_int_equal(m.drops[2], 1);
	touch(lru, 7);
	assert_int_equal(m.drops[1], 1);
	assert_int_equal(stats_of(lru).passed, 0);
	free_lru(lru, &m);
}

static void no_more_is_kept_of_what_was_passed(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 1000);
	for (uint64_t i = 0; i < 20; i++) {
		touch(lru, i);
		arc_lru_pass(lru, i, 35);
		assert_true(stats_of(lru).passed <= 35);
	}
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(m.drops[i], i < 17);
	assert_int_equal(stats_of(lru).cost, 30);
	free_lru(lru, &m);
}

static void who_pins_what_was_passed_keeps_it(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 100);
	pin(lru, 1);
	arc_lru_pass(lru, 1, 0); /* in use: it goes when it is let go of */
	arc_lru_pass(lru, 1, 0);
	assert_int_equal(m.drops[1], 0);
	touch(lru, 1); /* but for this */
	arc_lru_unpin(lru, 1);
	touch(lru, 2);
	arc_lru_pass(lru, 2, 100);
	touch(lru, 2);
	arc_lru_pass(lru, 3, 0);
	assert_int_equal(m.drops[1] + m.drops[2], 0);
	pin(lru, 2);
	arc_lru_pass(lru, 2, 0);
	arc_lru_unpin(lru, 2);
	arc_lru_pass(lru, 1, 0);
	assert_int_equal(m.drops[1] + m.drops[2], 2);
	assert_int_equal(stats_of(lru).cost, 0);
	free_lru(lru, &m);
}

/* Whether by trimming, shrinking or in time. */
static void what_was_passed_is_housekept_like_the_rest(void **state)
{
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 100);
	for (uint64_t i = 0; i < 4; i++)
		touch(lru, i);
	arc_lru_pass(lru, 1, 100);
	arc_lru_pass(lru, 2, 100);
	assert_int_equal(arc_lru_tidy(lru, 5, 6), 0);
	touch(lru, 3);
	assert_int_equal(arc_lru_tidy(lru, 6, 6), 30);
	assert_int_equal(m.drops[3], 0);
	for (uint64_t i = 0; i < 4; i++)
		touch(lru, i);
	arc_lru_pass(lru, 3, 100);
	arc_lru_shrink(lru);
	assert_int_equal(m.drops[3], 1);
	arc_lru_pass(lru, 2, 100);
	arc_lru_trim(lru);
	assert_int_equal(stats_of(lru).cost + stats_of(lru).passed, 0);
	free_lru(lru, &m);
}

static void failure_is_returned_and_forgotten(void **state)
{
	void *obj = &obj;
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	m.fail_key = 9;
	lru = new_lru(&m, 100);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(arc_lru_pin(lru, 9, &obj), -EBADMSG);
		assert_ptr_equal(obj, &obj); /* written only on success */
		assert_int_equal(m.loads[9], i);
	}
	assert_int_equal(stats_of(lru).cost, 0);
	m.fail_key = KEYS;
	touch(lru, 9);
	assert_int_equal(m.loads[9], 4);
	m.fail_key = 9; /* its failed loads were never dropped */
	free_lru(lru, &m);
}

/* Threads that ask for one key while it is being made. */
#define ASKERS 8

struct asker {
	struct arc_lru *lru;
	pthread_t thread;
	int err;
	void *obj;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	a->err = arc_lru_pin(a->lru, 3, &a->obj);
	return NULL;
}

static void wait_for_hits(struct arc_lru *lru, uint64_t n)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	while (stats_of(lru).hits < n)
		nanosleep(&pause, NULL);
}

/* One load is under way and all the others wait for it when it goes on. */
static void ask_together(struct maker *m, struct arc_lru *lru,
			 struct asker askers[ASKERS])
{
	m->closed = true;
	for (size_t i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){ .lru = lru };
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask,
						&askers[i]),
				 0);
	}
	wait_for_hits(lru, ASKERS - 1);
	pthread_mutex_lock(&m->lock);
	assert_int_equal(m->inside, 1);
	m->closed = false;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	for (size_t i = 0; i < ASKERS; i++)
		pthread_join(askers[i].thread, NULL);
}

static void one_load_serves_all_who_ask(void **state)
{
	struct asker askers[ASKERS];
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 0); /* kept by pins alone */
	ask_together(&m, lru, askers);
	assert_int_equal(m.loads[3], 1);
	for (size_t i = 0; i < ASKERS; i++) {
		assert_int_equal(askers[i].err, 0);
		assert_ptr_equal(askers[i].obj, askers[0].obj);
		assert_int_equal(m.drops[3], 0);
		arc_lru_unpin(lru, 3);
	}
	assert_int_equal(m.drops[3], 1);
	free_lru(lru, &m);
}

static void one_failure_reaches_all_who_ask(void **state)
{
	struct asker askers[ASKERS];
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	m.fail_key = 3;
	lru = new_lru(&m, 100);
	ask_together(&m, lru, askers);
	assert_int_equal(m.loads[3], 1);
	for (size_t i = 0; i < ASKERS; i++)
		assert_int_equal(askers[i].err, -EBADMSG);
	free_lru(lru, &m);
}

static void loading_one_key_does_not_block_another(void **state)
{
	struct asker asker;
	struct maker m;
	struct arc_lru *lru;

	(void)state;
	maker_init(&m, 10);
	lru = new_lru(&m, 100);
	touch(lru, 4);
	m.closed = true;
	asker = (struct asker){ .lru = lru };
	assert_int_equal(pthread_create(&asker.thread, NULL, ask, &asker), 0);
	pthread_mutex_lock(&m.lock);
	while (m.inside < 2)
		pthread_cond_wait(&m.changed, &m.lock);
	pthread_mutex_unlock(&m.lock);
	touch(lru, 4); /* hangs if the lock is held while 3 is made */
	arc_lru_trim(lru);
	assert_int_equal(m.drops[4], 1);
	pthread_mutex_lock(&m.lock);
	m.closed = false;
	pthread_cond_broadcast(&m.changed);
	pthread_mutex_unlock(&m.lock);
	pthread_join(asker.thread, NULL);
	arc_lru_unpin(lru, 3);
	free_lru(lru, &m);
}

static void storm_step(struct stormer *s)
{
	uint64_t keys[2] = { random_key(s), random_key(s) };
	void *objs[2] = { NULL, NULL };
	int errs[2];

	for (int i = 0; i < 2; i++) {
		uint64_t want = keys[i] == s->maker->fail_key;

		errs[i] = arc_lru_pin(s->lru, keys[i], &objs[i]);
		s->wrong += errs[i] != (want ? -EBADMSG : 0);
		s->asked++;
	}
	for (int i = 0; i < 2; i++) {
		const struct object *obj = objs[i];

		if (errs[i] < 0)
			continue;
		s->wrong += obj->key != keys[i] || !obj->alive;
		arc_lru_unpin(s->lru, keys[i]);
	}
}

static void *storm(void *arg)
{
	struct stormer *s = arg;

	for (int i = 0; i < STORM_STEPS; i++) {
		storm_step(s);
		if (i % 1000 == 999)
			arc_lru_trim(s->lru);
	}
	return NULL;
}

static void storm_with_budget(size_t budget)
{
	struct stormer stormers[8];
	struct arc_lru_stats stats;
	struct maker m;
	struct arc_lru *lru;
	uint64_t asked = 0;
	uint64_t loads = 0;

	maker_init(&m, 10);
	m.fail_key = 13;
	lru = new_lru(&m, budget);
	for (uint32_t i = 0; i < ARC_COUNT(stormers); i++) {
		stormers[i] = (struct stormer){ .lru = lru,
						.maker = &m,
						.seed = i + 1 };
		assert_int_equal(pthread_create(&stormers[i].thread, NULL,
						storm, &stormers[i]),
				 0);
	}
	for (size_t i = 0; i < ARC_COUNT(stormers); i++) {
		pthread_join(stormers[i].thread, NULL);
		assert_int_equal(stormers[i].wrong, 0);
		asked += stormers[i].asked;
	}
	for (size_t i = 0; i < KEYS; i++)
		loads += m.loads[i];
	stats = stats_of(lru);
	assert_int_equal(stats.hits + stats.misses, asked);
	assert_int_equal(stats.misses, loads);
	assert_true(stats.cost <= budget);
	/* what is kept, and two objects in the hands of every thread */
	assert_true(stats.peak <= budget + ARC_COUNT(stormers) * 2 * 10);
	free_lru(lru, &m);
}

static void many_threads_see_only_living_objects(void **state)
{
	(void)state;
	storm_with_budget(0);
	storm_with_budget(200);
	storm_with_budget(100000);
}

static void freeing_nothing_is_allowed(void **state)
{
	(void)state;
	arc_lru_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_pin_gives_the_same_object),
		cmocka_unit_test(oldest_is_dropped_first),
		cmocka_unit_test(pinned_is_never_dropped),
		cmocka_unit_test(object_above_the_budget_lives_while_pinned),
		cmocka_unit_test(trim_drops_what_is_not_pinned),
		cmocka_unit_test(what_was_passed_goes_first),
		cmocka_unit_test(no_more_is_kept_of_what_was_passed),
		cmocka_unit_test(who_pins_what_was_passed_keeps_it),
		cmocka_unit_test(what_was_passed_is_housekept_like_the_rest),
		cmocka_unit_test(failure_is_returned_and_forgotten),
		cmocka_unit_test(one_load_serves_all_who_ask),
		cmocka_unit_test(one_failure_reaches_all_who_ask),
		cmocka_unit_test(loading_one_key_does_not_block_another),
		cmocka_unit_test(many_threads_see_only_living_objects),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
