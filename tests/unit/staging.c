/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/staging.h"

#define BLOCK 100

static uint8_t memory[2][8 * BLOCK];
static unsigned ended;

static void count_end(void *ctx)
{
	assert_ptr_equal(ctx, memory);
	ended++;
}

/* With an area of so many blocks for each of two devices. */
static struct arc_staging *make(unsigned first, unsigned second)
{
	const unsigned blocks[2] = { first, second };
	struct arc_staging *s = NULL;

	ended = 0;
	assert_int_equal(arc_staging_new(&s), 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct arc_staging_area area = {
			.device = i + 1,
			.p = memory[i],
			.block = BLOCK,
			.blocks = blocks[i],
			.end = count_end,
			.ctx = memory,
		};

		assert_int_equal(arc_staging_add(s, &area), 0);
	}
	return s;
}

static void end(struct arc_staging *s)
{
	assert_int_equal(ended, 0);
	arc_staging_free(s);
	assert_int_equal(ended, 2);
}

/* ---- tests --------------------------------------------------------------- */

static void blocks_are_lent_until_there_are_none(void **state)
{
	struct arc_staging *s = make(3, 2);
	uint8_t *p[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		p[i] = arc_staging_lend(s, BLOCK);
		assert_non_null(p[i]);
		memset(p[i], (int)i, BLOCK);
		assert_int_equal(arc_staging_device(s, p[i]) > 0, i < 5);
	}
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < BLOCK; k++)
			assert_int_equal(p[i][k], i);
	}
	for (unsigned i = 0; i < 6; i++)
		arc_staging_give_back(s, p[i]);
	end(s);
}

static void devices_are_asked_in_turn(void **state)
{
	struct arc_staging *s = make(2, 2);
	uint8_t *a = arc_staging_lend(s, 1);
	uint8_t *b = arc_staging_lend(s, 1);

	(void)state;
	assert_int_not_equal(arc_staging_device(s, a),
			     arc_staging_device(s, b));
	assert_int_equal(arc_staging_device(s, a + BLOCK - 1),
			 arc_staging_device(s, a));
	arc_staging_give_back(s, a);
	arc_staging_give_back(s, b);
	end(s);
}

static void what_is_too_large_for_a_block_is_plain(void **state)
{
	struct arc_staging *s = make(2, 2);
	uint8_t *p = arc_staging_lend(s, BLOCK + 1);

	(void)state;
	assert_non_null(p);
	memset(p, 1, BLOCK + 1);
	assert_int_equal(arc_staging_device(s, p), 0);
	arc_staging_give_back(s, p);
	arc_staging_give_back(s, NULL);
	end(s);
}

static void nothing_more_is_lent_of_a_retired_device(void **state)
{
	struct arc_staging *s = make(2, 1);
	uint8_t *before = arc_staging_lend(s, BLOCK);
	uint8_t *after[2];

	(void)state;
	assert_int_equal(arc_staging_device(s, before), 1);
	arc_staging_retire(s, 1);
	memset(before, 7, BLOCK); /* still there */
	after[0] = arc_staging_lend(s, BLOCK);
	after[1] = arc_staging_lend(s, BLOCK);
	assert_int_equal(arc_staging_device(s, after[0]), 2);
	assert_int_equal(arc_staging_device(s, after[1]), 0);
	arc_staging_give_back(s, before);
	arc_staging_give_back(s, after[0]);
	arc_staging_give_back(s, after[1]);
	before = arc_staging_lend(s, BLOCK);
	assert_int_equal(arc_staging_device(s, before), 2);
	arc_staging_give_back(s, before);
	end(s);
}

static void without_areas_all_is_plain(void **state)
{
	struct arc_staging *s = NULL;
	uint8_t *p;

	(void)state;
	assert_int_equal(arc_staging_new(&s), 0);
	p = arc_staging_lend(s, BLOCK);
	assert_non_null(p);
	assert_int_equal(arc_staging_device(s, p), 0);
	assert_int_equal(arc_staging_device(s, NULL), 0);
	arc_staging_give_back(s, p);
	arc_staging_free(s);
	arc_staging_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_lent_until_there_are_none),
		cmocka_unit_test(devices_are_asked_in_turn),
		cmocka_unit_test(what_is_too_large_for_a_block_is_plain),
		cmocka_unit_test(nothing_more_is_lent_of_a_retired_device),
		cmocka_unit_test(without_areas_all_is_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
