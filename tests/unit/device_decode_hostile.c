/* SPDX-License-Identifier: MIT */
/*
 * Segments that nobody's encoder writes: a device says what the C decoder says,
 * by itself and not because of a checksum, and spoils nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devicecases.h"

/* In a first batch, at its end, behind it. */
static const unsigned befores[] = { 0, 3, 59, 60, 63, 64, 123, 127, 128, 1000 };

#define EACH_PLAIN(i) for (size_t i = 0; i < ARC_COUNT(befores); i++)

/* ---- tests --------------------------------------------------------------- */

static void streams_have_exactly_what_is_taken(void **state)
{
	int *const offs[] = { &a.tokens_off, &a.lo_off, &a.hi_off, &a.x8_off,
			      &a.x16_off };

	(void)state;
	EACH_PLAIN(i)
	{
		asm_plain(&a, befores[i]);
		add_case();
		for (size_t k = 0; k < ARC_COUNT(offs); k++) {
			for (int by = -1; by <= 1; by += 2) {
				asm_plain(&a, befores[i]);
				*offs[k] = by;
				add_case();
			}
		}
	}
	flush_cases();
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
			asm_plain(&a, befores[i]);
			a.no_padding = true;
			streams[k].stream->n -= streams[k].bytes;
			add_case();
			asm_plain(&a, befores[i]);
			a.no_padding = true;
			asm_put(streams[k].stream, 1, streams[k].bytes);
			add_case();
		}
	}
	flush_cases();
}

static void x16_may_be_missing_for_either_length(void **state)
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
			add_case();
		}
	}
	flush_cases();
}

static void lengths_go_up_to_the_segment(void **state)
{
	static const uint32_t lits[] = { 3 + 255, 3 + 256, 30000, 65000 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(lits); i++) {
		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], SEGMENT - lits[i], 17);
		add_case();
		a.n_off = -1;
		add_case();
		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], 19 + 255 + 65535, 17);
		a.n_off = (int)SEGMENT - (int)a.n;
		add_case();
		/* all of them too long */
		asm_begin(&a, 0, 16);
		for (unsigned k = 0; k < 300; k++) {
			asm_put(&a.tok, 0xdf, 1); /* L 3, K 1, M 15 */
			asm_put(&a.hi, 1, 1);
			asm_put(&a.x8, 0xffff, 2);
			asm_put(&a.x16, 0xffffffff, 4);
		}
		a.n_off = (int)SEGMENT;
		add_case();
	}
	flush_cases();
}

static void output_is_exactly_full(void **state)
{
	static const int offs[] = { -120, -101, -100, -99, -8, -2,
				    -1,	  1,	2,    7,   8,  120 };

	(void)state;
	EACH_PLAIN(i)
	{
		for (size_t k = 0; k < ARC_COUNT(offs); k++) {
			asm_plain(&a, befores[i]);
			a.n_off = offs[k];
			add_case();
		}
	}
	flush_cases();
}

static void literals_may_end_anywhere(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		asm_plain(&a, befores[i]);
		a.no_padding = true;
		for (size_t k = 0; k < 8; k++) {
			a.lit.n -= (size_t)1 << k & 31;
			add_case();
		}
		a.lit.n = 1;
		add_case();
		a.lit.n = 0;
		add_case();
	}
	flush_cases();
}

static void padding_is_one_byte_of_zero(void **state)
{
	(void)state;
	for (uint32_t tail = 1; tail <= 2; tail++) {
		for (int off = -1; off <= 2; off++) {
			for (uint8_t padding = 0; padding <= 1; padding++) {
				asm_begin(&a, 0, 16);
				asm_match(&a, 10, 30, 10);
				asm_tail(&a, tail);
				a.padding = padding;
				a.size_off = off;
				add_case();
			}
		}
	}
	flush_cases();
}

static void distances_of_zero_are_refused(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		for (uint32_t k = 0; k <= 3; k++) {
			asm_plain(&a, befores[i]);
			asm_match_k(&a, 0, 4, 0, k);
			asm_tail(&a, 100);
			add_case();
		}
		asm_begin(&a, 5, 18); /* nothing to repeat yet */
		asm_all_near(&a);
		asm_match_k(&a, 10, 4, 0, 0);
		for (unsigned k = 0; k < befores[i]; k++)
			asm_match(&a, 3, 5, 5);
		asm_tail(&a, 100);
		add_case();
	}
	flush_cases();
}

/* Segment 14 of groups of 256 KiB: 12 may be used and 13 not, besides 2 and 3
 * of the list. */
static void sources_lie_where_they_may(void **state)
{
	static const uint32_t borders[] = { 0, 2, 3, 4, 12, 13, 14 };
	static const uint32_t lens[] = { 4, 40, 400 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(borders); i++) {
		for (size_t k = 0; k < ARC_COUNT(lens); k++) {
			for (int by = -401; by <= 1; by += 4 - by % 2) {
				int at = (int)(borders[i] * SEGMENT) + by;

				asm_begin(&a, 14, 18);
				a.x.near = arc_put16(1);
				asm_list(&a, 2);
				asm_list(&a, 3);
				asm_match_k(&a, 2, lens[k],
					    14 * SEGMENT + 2 - (uint32_t)at, 3);
				if (k == 0 || by > -50)
					add_case();
			}
		}
	}
	flush_cases();
}

/* The segment behind it in the frame is decoded before it, for it refers to
 * another one. */
static void a_segment_that_is_too_long_does_not_spoil_the_next(void **state)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	const struct arc_segment next = {
		.offset = 2 * SEGMENT,
		.size = SEGMENT,
		.type = ARC_SEGMENT_RAW,
		.check = arc_xxh64(arena + 2 * SEGMENT, SEGMENT),
	};
	struct arc_decode_job *job;
	struct arc_record *r;
	size_t n;

	(void)state;
	asm_begin(&a, 1, 16);
	asm_list(&a, 0);
	for (unsigned i = 0; i < 200; i++)
		asm_match(&a, 1, 600, 1);
	n = asm_bytes(&a, bytes);
	r = record_of(&next, 2, SEGMENT, 16);
	r->segment[1] = asm_entry(&a, n);
	r->segment[1].offset = ASM_SEGMENTS * SEGMENT;
	memcpy(arena + ASM_SEGMENTS * SEGMENT, bytes, n);
	job = device_add(r, arena, NULL);
	device_want(job, 0, 3);
	assert_int_equal(device_check(), 1);
	assert_true(arc_segset_has(&job->bad, 1));
	assert_int_equal(arc_device_decoder_figures(world.decoder[0]).launches,
			 2);
	device_clear();
}

/* Every match copies the one before, a byte further on: the way back to a
 * literal is as long as it can be. */
static void sources_are_traced_through_all_of_a_batch(void **state)
{
	(void)state;
	for (uint32_t dist = 1; dist <= 9; dist++) {
		asm_begin(&a, 0, 16);
		asm_match(&a, 16, 4, dist);
		for (unsigned i = 0; i < 1000; i++)
			asm_match(&a, i % 37 == 0, 4 + i % 3, dist + i % 2);
		add_case();
	}
	flush_cases();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_have_exactly_what_is_taken),
		cmocka_unit_test(items_are_neither_missing_nor_left_over),
		cmocka_unit_test(x16_may_be_missing_for_either_length),
		cmocka_unit_test(lengths_go_up_to_the_segment),
		cmocka_unit_test(output_is_exactly_full),
		cmocka_unit_test(literals_may_end_anywhere),
		cmocka_unit_test(padding_is_one_byte_of_zero),
		cmocka_unit_test(distances_of_zero_are_refused),
		cmocka_unit_test(sources_lie_where_they_may),
		cmocka_unit_test(
			a_segment_that_is_too_long_does_not_spoil_the_next),
		cmocka_unit_test(sources_are_traced_through_all_of_a_batch),
	};

	return cmocka_run_group_tests(tests, cases_setup, cases_teardown);
}
