/* SPDX-License-Identifier: MIT */
/*
 * What the entry of an LZ-EXT3 segment may say, and which places of the frame
 * it opens to copies. asm_decode() asks the model, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lzext3_asm.h"

static struct asm_segment a;

/* ---- the group ---------------------------------------------------------- */

/* One match after `lit` literals, with or without much room behind it. */
static int one_match(uint32_t s, uint8_t group_log, uint16_t near, uint32_t lit,
		     uint32_t len, uint32_t dist, uint32_t tail)
{
	asm_begin(&a, s, group_log);
	a.x.near = arc_put16(near);
	asm_match(&a, lit, len, dist);
	asm_tail(&a, tail);
	return asm_decode(&a);
}

static void nothing_is_copied_from_before_the_group(void **state)
{
	static const uint32_t tails[] = { 0, 5, 100, 1000 };
	static const uint32_t lits[] = { 1, 10, 100, 1000 };
	static const uint32_t lens[] = { 4, 20, 70, 900 };

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		uint32_t lit = lits[i % 4];
		uint32_t len = lens[i / 4 % 4];
		uint32_t tail = tails[i / 16];

		assert_int_equal(one_match(0, 16, 0, lit, len, lit, tail), 0);
		assert_int_equal(one_match(0, 16, 0, lit, len, lit + 1, tail),
				 -EBADMSG);
		assert_int_equal(one_match(5, 16, 0, lit, len, lit, tail), 0);
		assert_int_equal(one_match(5, 16, 0, lit, len, lit + 1, tail),
				 -EBADMSG);
		assert_int_equal(
			one_match(5, 18, 1, lit, len, lit + SEGMENT, tail), 0);
		assert_int_equal(one_match(5, 18, 1, lit, len,
					   lit + SEGMENT + 1, tail),
				 -EBADMSG);
		assert_int_equal(one_match(5, 18, 1, lit, len, 0xffffff, tail),
				 -EBADMSG);
	}
}

/*
 * Segment 4 of a group of 16: near 1101 makes the segments 0, 2 and 3 usable,
 * 1 is not.
 */
static void unusable_granules_are_not_copied_from(void **state)
{
	static const struct {
		uint32_t at; /* source */
		uint32_t len;
		int result;
	} cases[] = {
		{ 0, 4, 0 },
		{ 0, 300, 0 },
		{ 65536 - 300, 300, 0 }, /* up to the hole */
		{ 65536 - 300, 301, -EBADMSG },
		{ 65536 - 4, 5, -EBADMSG },
		{ 65536, 4, -EBADMSG },
		{ 100000, 300, -EBADMSG },
		{ 131072 - 1, 4, -EBADMSG }, /* its last byte */
		{ 131072, 4, 0 },
		{ 131072, 300, 0 },
		{ 3 * 65536 - 20, 40, 0 }, /* over the border of two usable */
		{ 4 * 65536 - 20, 60, 0 }, /* into its own literals */
		{ 4 * 65536 - 20, 30000, 0 }, /* and its own output */
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		for (uint32_t lit = 0; lit < 40; lit += 13) {
			uint32_t dist = 4 * SEGMENT + lit - cases[i].at;

			assert_int_equal(one_match(4, 20, 0xd, lit,
						   cases[i].len, dist, 0),
					 cases[i].result);
			assert_int_equal(one_match(4, 20, 0xd, lit,
						   cases[i].len, dist, 3000),
					 cases[i].result);
		}
	}
	/* no granule at all */
	assert_int_equal(one_match(4, 20, 0, 5, 4, 5, 9), 0);
	assert_int_equal(one_match(4, 20, 0, 5, 4, 6, 9), -EBADMSG);
}

/* Granules of two segments; the last one is there in part. */
static void granules_have_several_segments_in_large_groups(void **state)
{
	(void)state;
	for (uint32_t s = 1; s < 9; s++) {
		uint16_t all = (uint16_t)((1u << (s + 1) / 2) - 1);
		uint16_t last = (uint16_t)(all & ~(all >> 1));
		uint32_t from = (s - 1) / 2 * 2 * SEGMENT;

		/* the first byte of the group, and of the last granule */
		assert_int_equal(
			one_match(s, 21, all, 9, 50, s * SEGMENT + 9, 20), 0);
		assert_int_equal(one_match(s, 21, last, 9, 50,
					   s * SEGMENT + 9 - from, 20),
				 0);
		if (from == 0)
			continue;
		assert_int_equal(one_match(s, 21, last, 9, 50,
					   s * SEGMENT + 10 - from, 20),
				 -EBADMSG);
		/* all but the last: its first byte, and what is before it */
		assert_int_equal(one_match(s, 21, all >> 1, 9, 50,
					   s * SEGMENT + 9 - from, 20),
				 -EBADMSG);
		assert_int_equal(one_match(s, 21, all >> 1, 9, 50,
					   s * SEGMENT + 59 - from, 20),
				 0);
	}
}

/* ---- the list ------------------------------------------------------------ */

/* Segment 10 of groups of four (8 to 11) with segments 1, 2 and 7 listed. */
static int one_far_match(uint32_t at, uint32_t len, uint32_t tail)
{
	asm_begin(&a, 10, 18);
	asm_all_near(&a);
	asm_list(&a, 1);
	asm_list(&a, 2);
	asm_list(&a, 7);
	asm_match(&a, 11, len, 10 * SEGMENT + 11 - at);
	asm_tail(&a, tail);
	return asm_decode(&a);
}

static void listed_segments_are_copied_from_wholly(void **state)
{
	static const struct {
		uint32_t at;
		uint32_t len;
		int result;
	} cases[] = {
		{ 1 * 65536, 4, 0 },
		{ 1 * 65536, 50000, 0 },
		{ 1 * 65536 + 1000, 100, 0 },
		{ 2 * 65536 - 100, 100, 0 }, /* to the last byte */
		{ 2 * 65536 - 100, 101, -EBADMSG }, /* both are listed */
		{ 3 * 65536 - 4, 4, 0 },
		{ 3 * 65536 - 4, 5, -EBADMSG },
		{ 3 * 65536, 4, -EBADMSG },
		{ 0, 4, -EBADMSG },
		{ 65536 - 1, 4, -EBADMSG },
		{ 4 * 65536, 4, -EBADMSG },
		{ 7 * 65536, 4, 0 },
		{ 8 * 65536 - 9, 9, 0 },
		{ 8 * 65536 - 9, 10, -EBADMSG }, /* into its own group */
		{ 8 * 65536, 10, 0 }, /* near */
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		assert_int_equal(one_far_match(cases[i].at, cases[i].len, 0),
				 cases[i].result);
		assert_int_equal(one_far_match(cases[i].at, cases[i].len, 4000),
				 cases[i].result);
	}
}

static void nothing_is_copied_from_before_the_frame(void **state)
{
	(void)state;
	asm_begin(&a, 4, 16);
	asm_list(&a, 0);
	asm_match(&a, 8, 20, 4 * SEGMENT + 8);
	asm_tail(&a, 8);
	assert_int_equal(asm_decode(&a), 0);
	asm_begin(&a, 4, 16);
	asm_list(&a, 0);
	asm_match(&a, 8, 20, 4 * SEGMENT + 9);
	asm_tail(&a, 8);
	assert_int_equal(asm_decode(&a), -EBADMSG);
}

/* ---- entries ------------------------------------------------------------- */

static int check_list(uint8_t fars, const uint8_t *list)
{
	asm_begin(&a, 30, 18); /* its group begins with 28 */
	asm_tail(&a, 100);
	a.x.fars = fars;
	memcpy(a.x.far, list, ARC_MIN(fars, 16));
	return asm_decode(&a);
}

static void lists_ascend_and_end_before_the_group(void **state)
{
	static const uint8_t good[16] = { 0,  1,  2,  5,  9,  10, 11, 12,
					  20, 21, 22, 23, 24, 25, 26, 27 };
	uint8_t list[16];

	(void)state;
	for (uint8_t n = 0; n <= 16; n++)
		assert_int_equal(check_list(n, good), 0);
	assert_int_equal(check_list(17, good), -EBADMSG);
	assert_int_equal(check_list(255, good), -EBADMSG);
	for (unsigned i = 1; i < 16; i++) {
		memcpy(list, good, sizeof(list));
		list[i] = list[i - 1]; /* twice */
		assert_int_equal(check_list(16, list), -EBADMSG);
		list[i] = good[i];
		list[i - 1] = good[i] + 1;
		assert_int_equal(check_list(16, list), -EBADMSG);
	}
	for (unsigned s = 28; s < 256; s++) {
		memcpy(list, good, sizeof(list));
		list[15] = (uint8_t)s; /* its own group, itself, later */
		assert_int_equal(check_list(16, list), -EBADMSG);
		assert_int_equal(check_list(15, list), 0);
		list[0] = (uint8_t)s;
		assert_int_equal(check_list(1, list), -EBADMSG);
	}
}

static void near_bits_are_granules_before_the_segment(void **state)
{
	static const uint8_t logs[] = { 16, 17, 18, 20, 21, 22, 24 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(logs); i++) {
		for (uint32_t s = 0; s < ASM_SEGMENTS; s++) {
			uint64_t off =
				model_start(s) - model_group_start(s, logs[i]);

			for (unsigned bit = 0; bit < 16; bit++) {
				asm_begin(&a, s, logs[i]);
				asm_tail(&a, 10);
				a.x.near = arc_put16((uint16_t)(1u << bit));
				assert_int_equal(asm_decode(&a),
						 bit * model_granule(logs[i]) <
								 off
							 ? 0
							 : -EBADMSG);
			}
		}
	}
}

static void needs_are_usable_granules_and_the_list(void **state)
{
	const struct arc_decoder *lz = arc_decoder_find(ARC_CODEC_LZEXT3);
	struct arc_segment seg;

	(void)state;
	for (unsigned near = 0; near < 32; near++) {
		struct arc_segset set = { 0 };

		/* granules of two segments, groups of 32 */
		asm_begin(&a, 41, 21);
		a.x.near = arc_put16((uint16_t)near);
		asm_list(&a, 3);
		asm_list(&a, 31);
		seg = asm_entry(&a, 0);
		assert_int_equal(lz->check(&seg, 41, 4, 21), 0);
		lz->needs(&seg, 41, 21, &set);
		for (uint32_t s = 0; s < 256; s++) {
			bool want = s == 3 || s == 31;

			if (s >= 32 && s < 41 && near >> (s - 32) / 2 & 1)
				want = true;
			assert_int_equal(arc_segset_has(&set, s), want);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_copied_from_before_the_group),
		cmocka_unit_test(unusable_granules_are_not_copied_from),
		cmocka_unit_test(
			granules_have_several_segments_in_large_groups),
		cmocka_unit_test(listed_segments_are_copied_from_wholly),
		cmocka_unit_test(nothing_is_copied_from_before_the_frame),
		cmocka_unit_test(lists_ascend_and_end_before_the_group),
		cmocka_unit_test(near_bits_are_granules_before_the_segment),
		cmocka_unit_test(needs_are_usable_granules_and_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
