/* SPDX-License-Identifier: MIT */
/*
 * Segments of LZ-EXT3 that nobody's encoder writes. Whatever the verdict that
 * a test expects, asm_decode() has also asked the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lzext3_asm.h"

static struct asm_segment a;

/* Positions of the plain matches: in a first batch, at its end, behind it. */
static const unsigned befores[] = { 0, 3, 5, 60, 61, 62, 63, 64, 67, 1000 };

#define EACH_PLAIN(i) for (size_t i = 0; i < ARC_COUNT(befores); i++)

static void hand_made_segments_are_right_to_begin_with(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		asm_plain(&a, befores[i]);
		assert_int_equal(asm_decode(&a), 0);
	}
	asm_begin(&a, 0, 16);
	asm_tail(&a, 1);
	assert_int_equal(asm_decode(&a), 0);
}

/* ---- streams ------------------------------------------------------------- */

static void each_stream_has_exactly_what_is_taken(void **state)
{
	int *const offs[] = { &a.tokens_off, &a.lo_off, &a.hi_off, &a.x8_off,
			      &a.x16_off };

	(void)state;
	EACH_PLAIN(i)
	{
		for (size_t k = 0; k < ARC_COUNT(offs); k++) {
			for (int by = -2; by <= 2; by++) {
				asm_plain(&a, befores[i]);
				*offs[k] = by;
				assert_int_equal(asm_decode(&a),
						 by ? -EBADMSG : 0);
			}
		}
	}
}

/* Items are missing or left over, and no other stream has too many or too
 * few for it. */
static void put_or_drop(struct asm_stream *s, int items, unsigned bytes)
{
	for (; items > 0; items--)
		asm_put(s, 1, bytes);
	s->n = (size_t)((int)s->n + items * (int)bytes);
}

static void items_are_neither_missing_nor_left_over(void **state)
{
	static const struct {
		struct asm_stream *stream;
		unsigned bytes;
	} streams[] = {
		{ &a.lo, 2 },  { &a.hi, 1 },  { &a.x8, 1 },
		{ &a.x16, 2 }, { &a.lit, 1 }, { &a.tok, 1 },
	};

	(void)state;
	EACH_PLAIN(i)
	{
		for (size_t k = 0; k < ARC_COUNT(streams); k++) {
			for (int by = -1; by <= 1; by += 2) {
				asm_plain(&a, befores[i]);
				a.no_padding = true; /* or it would be used */
				put_or_drop(streams[k].stream, by,
					    streams[k].bytes);
				assert_int_equal(asm_decode(&a), -EBADMSG);
			}
		}
	}
}

static void numbers_of_x16_may_be_missing_for_either_length(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		for (unsigned have = 0; have <= 3; have++) {
			asm_begin(&a, 0, 16);
			for (unsigned k = 0; k < befores[i]; k++)
				asm_match(&a, 1, 4, 1);
			asm_match(&a, 3 + 255 + 7, 4 + 15 + 255 + 9, 20);
			asm_tail(&a, 3);
			a.x16.n = (size_t)2 * have;
			assert_int_equal(asm_decode(&a),
					 have == 2 ? 0 : -EBADMSG);
		}
	}
}

static void lengths_with_x16_go_up_to_the_segment(void **state)
{
	static const uint32_t lits[] = { 3 + 255, 3 + 256, 30000, 65000 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(lits); i++) {
		uint32_t left = SEGMENT - lits[i];

		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], left, 17); /* to the last byte */
		assert_int_equal(asm_decode(&a), 0);
		a.n_off = -1;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		/* as much as X16 can say */
		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], 19 + 255 + 65535, 17);
		a.n_off = (int)SEGMENT - (int)a.n;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		asm_begin(&a, 0, 16);
		asm_match(&a, 20, 4, 17);
		asm_match(&a, 0, 4, 17);
		asm_put(&a.x16, 65535, 2);
		a.tok.b[1] |= 0xc0;
		asm_put(&a.x8, 255, 1);
		a.n_off = (int)SEGMENT - (int)a.n;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void output_is_exactly_full(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		for (int by = -120; by <= 120; by++) {
			asm_plain(&a, befores[i]);
			a.n_off = by;
			assert_int_equal(asm_decode(&a), by ? -EBADMSG : 0);
		}
	}
	/* without literals behind the last match */
	for (int by = -40; by <= 1; by++) {
		asm_begin(&a, 0, 16);
		asm_match(&a, 10, 30, 10);
		a.n_off = by;
		assert_int_equal(asm_decode(&a), by ? -EBADMSG : 0);
	}
}

static void literals_end_anywhere_but_not_within_a_match(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		asm_plain(&a, befores[i]);
		a.no_padding = true;
		for (size_t all = a.lit.n; a.lit.n > all - 130; a.lit.n--)
			assert_int_equal(asm_decode(&a),
					 a.lit.n == all ? 0 : -EBADMSG);
		a.lit.n = 1;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		a.lit.n = 0;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void padding_is_one_byte_of_zero(void **state)
{
	(void)state;
	asm_begin(&a, 0, 16);
	asm_match(&a, 10, 30, 10);
	asm_tail(&a, 1); /* streams of 1 + 1 + 2 + 11 bytes */
	assert_int_equal(asm_decode(&a), 0);
	a.padding = 1;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.padding = 0;
	a.size_off = 1; /* another one */
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 2;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 0;
	asm_tail(&a, 1); /* even: none is wanted */
	assert_int_equal(asm_decode(&a), 0);
	a.size_off = 1;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 2;
	assert_int_equal(asm_decode(&a), -EBADMSG);
}

/* ---- distances ----------------------------------------------------------- */

static void distances_of_zero_are_refused(void **state)
{
	(void)state;
	for (unsigned before = 0; before < 140; before++) {
		for (uint32_t k = 0; k <= 3; k++) {
			asm_plain(&a, before);
			asm_match_k(&a, 0, 4, 0, k);
			asm_tail(&a, 100);
			/* K = 0 says the last one again, which there is */
			assert_int_equal(asm_decode(&a), k ? -EBADMSG : 0);
		}
	}
}

static void the_first_distance_is_not_that_of_the_last_one(void **state)
{
	(void)state;
	for (unsigned behind = 0; behind < 70; behind++) {
		asm_begin(&a, 5, 18);
		asm_all_near(&a);
		asm_match_k(&a, 10, 4, 0, 0);
		for (unsigned i = 0; i < behind; i++)
			asm_match(&a, 3, 5, 5);
		asm_tail(&a, 100);
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void distances_may_be_stored_longer_than_they_need(void **state)
{
	(void)state;
	asm_begin(&a, 5, 18);
	asm_all_near(&a);
	asm_match_k(&a, 10, 4, 7, 3);
	asm_match_k(&a, 10, 4, 7, 2);
	asm_match_k(&a, 10, 4, 7, 1);
	asm_match_k(&a, 10, 4, 777, 3);
	asm_tail(&a, 100);
	assert_int_equal(asm_decode(&a), 0);
}

/* ---- counts ------------------------------------------------------------- */

static void there_are_no_more_tokens_than_fit(void **state)
{
	(void)state;
	for (uint32_t n = 4; n < 300; n++) {
		asm_begin(&a, 5, 18);
		asm_all_near(&a);
		for (uint32_t i = 0; i < n / 4; i++)
			asm_match(&a, 0, 4, 60000 + i % 2);
		asm_tail(&a, n % 4);
		assert_int_equal(asm_decode(&a), 0);
		asm_match(&a, 0, 4, 1); /* one more, of which no room is left */
		a.n_off = -4;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void streams_lie_within_the_stored_bytes(void **state)
{
	int *const offs[] = { &a.tokens_off, &a.lo_off, &a.hi_off, &a.x8_off,
			      &a.x16_off };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(offs); i++) {
		asm_plain(&a, 0);
		a.x16.n += 1000; /* LIT shorter than any stream grows */
		*offs[i] = 65535 - 600;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

/* Streams end where the stored bytes do, and one item is missing. */
static void streams_are_not_cut_short(void **state)
{
	(void)state;
	for (uint32_t k = 1; k <= 3; k++) {
		asm_begin(&a, 5, 18);
		asm_all_near(&a);
		asm_match_k(&a, 0, 400, 255, k);
		asm_match_k(&a, 0, 400, 254, k);
		a.no_padding = true;
		for (int by = -3; by < 0; by++) {
			a.size_off = by;
			assert_int_equal(asm_decode(&a), -EBADMSG);
		}
	}
}

/* Tokens that would take far more from a stream than there is behind it: who
 * asks only in the end has run into the wall. */
static void no_stream_is_read_on_and_on(void **state)
{
	(void)state;
	for (uint32_t k = 1; k <= 2; k++) {
		asm_begin(&a, 1, 17);
		asm_all_near(&a);
		for (unsigned i = 0; i < SEGMENT / 4 - 1; i++)
			asm_match_k(&a, 0, 4, 0, k);
		a.lo.n = a.hi.n = 0;
		a.n_off = 4;
		a.no_padding = true; /* the slack is no zeros then */
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
	asm_begin(&a, 1, 17);
	asm_all_near(&a);
	for (unsigned i = 0; i < 2303; i++)
		asm_match(&a, 0, 19, 1);
	a.x8.n = 0;
	a.n_off = (int)SEGMENT - (int)a.n;
	assert_int_equal(asm_bytes(&a, a.lit.b) % 256, 0); /* zeros here */
	assert_int_equal(asm_decode(&a), -EBADMSG);
}

/* ---- damage -------------------------------------------------------------- */

/* A segment with a bit of everything, its numbers drawn. */
static void draw_segment(uint64_t *seed)
{
	unsigned matches = (unsigned)(testdata_next(seed) % 200);

	asm_begin(&a, 9, 18);
	a.x.near = arc_put16((uint16_t)(testdata_next(seed) & 1));
	asm_list(&a, 2);
	asm_list(&a, 6);
	for (unsigned i = 0; i < matches; i++) {
		uint64_t v = testdata_next(seed);
		uint32_t lit = v & 7 ? v >> 8 & 7 : v >> 8 & 511;
		uint32_t len = 4 + (v & 56 ? v >> 20 & 15 : v >> 20 & 511);
		uint32_t dist = 1 + (v >> 30 & 15);

		if ((v >> 40 & 15) == 0)
			dist = 7 * SEGMENT - 600 + a.n + (v >> 44 & 63);
		else if ((v >> 40 & 15) < 4)
			dist = SEGMENT + (v >> 44 & 255);
		if (a.n + lit + len > SEGMENT - 2000)
			break;
		asm_match(&a, a.n ? lit : 16, len, dist);
	}
	asm_tail(&a, (uint32_t)(testdata_next(seed) % 200));
	if (a.n == 0)
		asm_tail(&a, 1);
}

static void damaged_segments_decode_as_the_model_says_or_not(void **state)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	uint64_t seed = 2024;
	unsigned good = 0, bad = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		draw_segment(&seed);
		asm_decode(&a);
		for (unsigned k = 0; k < 40; k++) {
			size_t n = asm_bytes(&a, bytes);
			struct arc_segment seg = asm_entry(&a, n);

			asm_damage(&seg, bytes, &seed);
			if (asm_run(&seg, bytes, a.s, a.n, a.group_log) == 0)
				good++;
			else
				bad++;
		}
	}
	/* both happen, or this is no test */
	assert_true(good > 1000 && bad > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_made_segments_are_right_to_begin_with),
		cmocka_unit_test(each_stream_has_exactly_what_is_taken),
		cmocka_unit_test(items_are_neither_missing_nor_left_over),
		cmocka_unit_test(
			numbers_of_x16_may_be_missing_for_either_length),
		cmocka_unit_test(lengths_with_x16_go_up_to_the_segment),
		cmocka_unit_test(output_is_exactly_full),
		cmocka_unit_test(literals_end_anywhere_but_not_within_a_match),
		cmocka_unit_test(padding_is_one_byte_of_zero),
		cmocka_unit_test(distances_of_zero_are_refused),
		cmocka_unit_test(
			the_first_distance_is_not_that_of_the_last_one),
		cmocka_unit_test(distances_may_be_stored_longer_than_they_need),
		cmocka_unit_test(there_are_no_more_tokens_than_fit),
		cmocka_unit_test(streams_lie_within_the_stored_bytes),
		cmocka_unit_test(streams_are_not_cut_short),
		cmocka_unit_test(no_stream_is_read_on_and_on),
		cmocka_unit_test(
			damaged_segments_decode_as_the_model_says_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
