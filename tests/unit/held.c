/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "held.h"

#define THREADS 4
#define PIECE 100

static void what_was_put_is_there(void **state)
{
	struct mk_held *h;
	uint64_t a, b;

	(void)state;
	assert_int_equal(mk_held_new(5000, &h), 0);
	memset(mk_held_room(h, 3000, &a), 1, 3000);
	memset(mk_held_room(h, 2000, &b), 2, 2000);
	assert_int_equal(*mk_held_at(h, a + 2999), 1);
	assert_int_equal(*mk_held_at(h, b), 2);
	assert_int_equal(*mk_held_at(h, b + 1999), 2);
	mk_held_free(h);
}

static void there_is_no_room_beyond_the_end(void **state)
{
	struct mk_held *h;
	uint64_t at;

	(void)state;
	assert_int_equal(mk_held_new(5000, &h), 0);
	assert_null(mk_held_room(h, 5001, &at));
	assert_null(mk_held_room(h, 1, &at));
	mk_held_free(h);
	assert_int_equal(mk_held_new(5000, &h), 0);
	assert_non_null(mk_held_room(h, 5000, &at));
	assert_null(mk_held_room(h, 1, &at));
	mk_held_free(h);
}

static void nothing_is_held_where_nothing_may_be(void **state)
{
	struct mk_held *h;
	uint64_t at;

	(void)state;
	assert_int_equal(mk_held_new(0, &h), 0);
	assert_null(h);
	assert_null(mk_held_room(h, 1, &at));
	mk_held_free(h);
}

struct putter {
	struct mk_held *h;
	uint8_t mark;
	unsigned put;
	uint64_t at[1000];
};

static void *put_all(void *arg)
{
	struct putter *p = arg;
	uint8_t *room;

	while ((room = mk_held_room(p->h, PIECE, &p->at[p->put]))) {
		memset(room, p->mark, PIECE);
		p->put++;
	}
	return NULL;
}

static void threads_get_places_of_their_own(void **state)
{
	static struct putter putter[THREADS];
	pthread_t thread[THREADS];
	struct mk_held *h;
	unsigned all = 0;

	(void)state;
	assert_int_equal(mk_held_new(1000 * PIECE + 1, &h), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		putter[i] = (struct putter){ .h = h, .mark = (uint8_t)(i + 1) };
		assert_int_equal(pthread_create(&thread[i], NULL, put_all,
						&putter[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		all += putter[i].put;
		for (unsigned k = 0; k < putter[i].put; k++)
			for (unsigned n = 0; n < PIECE; n++)
				assert_int_equal(
					*mk_held_at(h, putter[i].at[k] + n),
					i + 1);
	}
	assert_int_equal(all, 1000);
	mk_held_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there),
		cmocka_unit_test(there_is_no_room_beyond_the_end),
		cmocka_unit_test(nothing_is_held_where_nothing_may_be),
		cmocka_unit_test(threads_get_places_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
