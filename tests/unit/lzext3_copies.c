/* SPDX-License-Identifier: MIT */
/*
 * Copies of LZ-EXT3: every length, distance and place that the decoder treats
 * in a way of its own. The bytes that come out are compared with the model's
 * by asm_decode(), and there is a wall behind the last of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/lzext3_expand.h"
#include "lzext3_asm.h"

static struct asm_segment a;

/* The match is the last one but `behind` bytes. */
static void check_copy(uint32_t lit, uint32_t len, uint32_t dist,
		       uint32_t behind)
{
	asm_begin(&a, 1, 17);
	asm_all_near(&a);
	asm_match(&a, lit, len, dist);
	asm_tail(&a, behind);
	assert_int_equal(asm_decode(&a), 0);
}

static void short_distances_repeat_at_every_length(void **state)
{
	static const uint32_t behinds[] = { 0, 1, 7, 8, 15, 16, 17, 100 };

	(void)state;
	for (uint32_t dist = 1; dist <= 70; dist++) {
		for (uint32_t len = 4; len <= 140; len++) {
			uint32_t behind =
				behinds[(dist + len) % ARC_COUNT(behinds)];

			check_copy(dist, len, dist, behind);
			check_copy(dist, len, dist, 200);
		}
	}
}

static void matches_end_at_every_place_before_the_end(void **state)
{
	static const uint32_t dists[] = { 1, 7, 8, 15, 16, 31, 32, 200, 65536 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(dists); i++) {
		for (uint32_t len = 4; len <= 80; len += 1 + (len > 36) * 7) {
			for (uint32_t behind = 0; behind <= 100; behind++)
				check_copy(behind % 24, len, dists[i], behind);
		}
	}
}

static void literals_of_every_length_come_before_a_match(void **state)
{
	(void)state;
	for (uint32_t lit = 0; lit <= 300; lit++) {
		for (uint32_t behind = 0; behind <= 90; behind += 15) {
			check_copy(lit, 4, 65000, behind);
			check_copy(lit, 65 + lit % 3, 65000, behind);
			check_copy(lit, 19 + 254 + lit % 3, 1 + lit % 20,
				   behind);
		}
	}
}

static void long_matches_repeat_every_period(void **state)
{
	static const uint32_t lens[] = { 272, 273, 274, 275, 1000, 40000 };

	(void)state;
	for (uint32_t dist = 1; dist <= 70; dist++) {
		for (size_t i = 0; i < ARC_COUNT(lens); i++) {
			check_copy(dist, lens[i], dist, dist % 20);
			check_copy(dist, lens[i], dist, 300);
		}
	}
	check_copy(100, 60000, SEGMENT, 0);
	check_copy(100, 60000, SEGMENT + 100, 0);
	check_copy(0, SEGMENT, SEGMENT, 0);
	check_copy(0, SEGMENT, 1, 0);
	check_copy(SEGMENT - 4, 4, 2 * SEGMENT - 4, 0);
}

/* The literals are the last stored bytes: the slack is behind them at once. */
static void literals_may_end_before_the_last_match(void **state)
{
	(void)state;
	for (uint32_t lit = 0; lit <= 40; lit++) {
		for (uint32_t more = 0; more <= 3; more++) {
			asm_begin(&a, 1, 17);
			asm_all_near(&a);
			asm_match(&a, lit, 30, 500);
			for (uint32_t i = 0; i < more; i++)
				asm_match(&a, 0, 60, 1000 + i);
			assert_int_equal(asm_decode(&a), 0);
		}
	}
}

static void segments_of_every_small_size_are_decoded(void **state)
{
	(void)state;
	for (uint32_t n = 4; n <= 200; n++) {
		for (uint32_t lit = 0; lit <= 3; lit++) {
			asm_begin(&a, 1, 17);
			asm_all_near(&a);
			while (a.n + lit + 4 <= n)
				asm_match(&a, lit, 4, 30 + a.n % 3);
			asm_tail(&a, n - a.n);
			assert_int_equal(asm_decode(&a), 0);
		}
	}
}

/* ---- expansion ----------------------------------------------------------- */

/* Streams as lzx_expand() takes them, of random items. */
#define ITEMS ((size_t)LZX_BATCH * 2 + ARC_DECODE_SLACK)

struct items {
	uint8_t tok[LZX_BATCH];
	uint8_t lo[ITEMS], hi[ITEMS], x8[ITEMS];
};

static struct lzx_streams streams_of(const struct items *items, size_t n_lo,
				     size_t n_hi, size_t n_x8)
{
	return (struct lzx_streams){
		.tok = items->tok,
		.lo = items->lo,
		.lo_end = items->lo + 2 * n_lo,
		.hi = items->hi,
		.hi_end = items->hi + n_hi,
		.x8 = items->x8,
		.x8_end = items->x8 + n_x8,
	};
}

/* Both ways say the same of n tokens, and stand at the same place then. */
static int compare_ways(const struct items *items, size_t n, size_t n_lo,
			size_t n_hi, size_t n_x8)
{
	struct lzx_streams s1 = streams_of(items, n_lo, n_hi, n_x8);
	struct lzx_streams s2 = s1;
	struct lzx_batch b1 = { 0 }, b2 = { 0 };
	int r1 = lzx_expand(&s1, n, &b1);
	int r2 = lzx_expand_portable(&s2, n, &b2);

	assert_int_equal(r1, r2);
	assert_memory_equal(&b1, &b2, sizeof(b1));
	assert_memory_equal(&s1, &s2, sizeof(s1));
	return r1;
}

static void both_ways_to_expand_tokens_agree(void **state)
{
	static struct items items;
	uint64_t seed = 5;
	unsigned good = 0, bad = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = 1 + testdata_next(&seed) % LZX_BATCH;
		uint64_t v = testdata_next(&seed);
		size_t lo = 0, hi = 0, x8 = 0;

		testdata_random((uint8_t *)&items, sizeof(items), &seed);
		if (v & 1) /* a zero, somewhere */
			items.hi[(v >> 8) % n] = 0;
		if (v & 2)
			memset(items.lo + (v >> 8) % n * 2, 0, 2);
		for (size_t k = 0; k < n; k++) {
			lo += items.tok[k] >> 5 & 1;
			hi += items.tok[k] >> 4 & 1;
			x8 += (items.tok[k] >> 6 == 3) +
			      ((items.tok[k] & 15) == 15);
		}
		if (v & 4)
			lo -= lo > 0 ? 1 : 0;
		if (v & 8)
			hi -= hi > 0 ? 1 : 0;
		if (v & 16)
			x8 -= x8 > 0 ? 1 : 0;
		if (compare_ways(&items, n, lo, hi, x8) == 0)
			good++;
		else
			bad++;
	}
	assert_true(good > 1000 && bad > 1000);
}

static void each_token_alone_is_expanded(void **state)
{
	static struct items items;

	(void)state;
	for (unsigned t = 0; t < 256; t++) {
		memset(&items, 0x81, sizeof(items));
		memset(items.tok, (int)t, sizeof(items.tok));
		for (size_t n = 1; n <= LZX_BATCH; n++)
			assert_int_equal(compare_ways(&items, n, LZX_BATCH,
						      LZX_BATCH, 2 * LZX_BATCH),
					 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_distances_repeat_at_every_length),
		cmocka_unit_test(matches_end_at_every_place_before_the_end),
		cmocka_unit_test(literals_of_every_length_come_before_a_match),
		cmocka_unit_test(long_matches_repeat_every_period),
		cmocka_unit_test(literals_may_end_before_the_last_match),
		cmocka_unit_test(segments_of_every_small_size_are_decoded),
		cmocka_unit_test(both_ways_to_expand_tokens_agree),
		cmocka_unit_test(each_token_alone_is_expanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
