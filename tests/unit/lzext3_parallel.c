/* SPDX-License-Identifier: MIT */
/*
 * The parallel profile of LZ-EXT3, as the CPU does it: its bytes are an
 * ordinary archive's, and depend on what is coded alone. Inputs lie before a
 * wall.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lzext3_asm.h"
#include "record.h"

#define SEVERAL ((1 << 20) + 3 * (size_t)SEGMENT + 100)

static uint8_t *raw_end; /* a wall */
static uint8_t *out_end; /* likewise */
static uint8_t *stored, *other;
static struct arc_record_info info;

static int allocate(void **state)
{
	size_t n = arc_record_bound(ARC_FRAME_MAX) + ARC_DECODE_SLACK;

	(void)state;
	raw_end = walled(ARC_FRAME_MAX);
	out_end = walled(ARC_FRAME_MAX);
	stored = malloc(n);
	other = malloc(n);
	return stored && other ? 0 : -1;
}

static int release(void **state)
{
	(void)state;
	free(stored);
	free(other);
	return 0;
}

static struct arc_encoder_params profile(unsigned level, uint8_t group_log)
{
	return (struct arc_encoder_params){ .level = level,
					    .group_log = group_log,
					    .parallel = true };
}

static struct arc_record_encoder *encoder(struct arc_encoder_params p)
{
	const struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"), .codec = p
	};
	struct arc_record_encoder *e = NULL;

	assert_int_equal(arc_record_encoder_new(&params, &e), 0);
	return e;
}

/* The n bytes before the wall, as a record in `to`. */
static void encode(struct arc_record_encoder *e, size_t n, uint8_t *to)
{
	const struct arc_span raw = { raw_end - n, n };

	assert_int_equal(arc_record_encode(e, 7, raw, to, &info), 0);
}

/* The same, with an encoder of its own; returns the bytes of the record. */
static size_t encode_once(struct arc_encoder_params p, size_t n, uint8_t *to)
{
	struct arc_record_encoder *e = encoder(p);

	encode(e, n, to);
	arc_record_encoder_free(e);
	return info.stored;
}

static void check_record(size_t n)
{
	const struct arc_span record = { stored, info.stored };
	struct arc_record *r = NULL;

	assert_int_equal(arc_record_parse(record, &r), 0);
	assert_int_equal(arc_record_decode_all(r, record, out_end - n), 0);
	assert_memory_equal(out_end - n, raw_end - n, n);
	free(r);
}

static void trip(struct arc_encoder_params p, size_t n)
{
	encode_once(p, n, stored);
	check_record(n);
}

/* ---- round trips --------------------------------------------------------- */

static void every_length_up_to_70_comes_back(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		struct arc_record_encoder *e = encoder(profile(level, 20));

		for (unsigned kind = 0; kind < TESTDATA_KINDS; kind++) {
			for (size_t n = 1; n <= 70; n++) {
				testdata_fill((enum testdata_kind)kind,
					      raw_end - n, n, level);
				encode(e, n, stored);
				check_record(n);
			}
		}
		arc_record_encoder_free(e);
	}
}

static void lengths_about_segments_and_groups_come_back(void **state)
{
	unsigned level = 1;

	(void)state;
	for (unsigned log = 8; log <= 20; log += log < 16 ? 4 : 2) {
		for (size_t n = ((size_t)1 << log) - 9;
		     n <= ((size_t)1 << log) + 9; n += 1 + n % 3) {
			testdata_fill(TESTDATA_TEXT, raw_end - n, n, n);
			trip(profile(level, 16), n);
			trip(profile(level, 20), n);
			level = level % 9 + 1;
		}
	}
}

static void every_kind_level_and_reach_comes_back(void **state)
{
	static const uint8_t reaches[] = { 16, 18, 20, 24 };

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		for (unsigned kind = 0; kind < TESTDATA_KINDS; kind++) {
			testdata_fill((enum testdata_kind)kind,
				      raw_end - SEVERAL, SEVERAL, level);
			trip(profile(level, reaches[(level + kind) % 4]),
			     SEVERAL);
		}
	}
}

static void the_largest_frame_comes_back(void **state)
{
	(void)state;
	testdata_fill(TESTDATA_MIXED, raw_end - ARC_FRAME_MAX, ARC_FRAME_MAX,
		      9);
	trip(profile(6, 24), ARC_FRAME_MAX);
}

static void programs_come_back(void **state)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(out_end - (1 << 20), 1, 1 << 20, f);
	fclose(f);
	assert_true(n > 10000);
	memmove(raw_end - n, out_end - (1 << 20), n);
	for (unsigned level = 1; level <= 9; level++)
		trip(profile(level, 20), n);
}

static void every_period_is_found(void **state)
{
	static const size_t periods[] = { 1,   2,     3,     4,	    5,	  7,
					  63,  64,    65,    255,   256,  257,
					  511, 40000, 65535, 65536, 65537 };
	const size_t n = 3 * (size_t)SEGMENT + 100;

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(periods); i++) {
			size_t period = periods[i];
			uint64_t seed = period;
			uint8_t *p = raw_end - n;

			testdata_random(p, period, &seed);
			for (size_t at = period; at < n; at++)
				p[at] = p[at - period];
			trip(profile(level, 20), n);
			assert_true(info.stored < period + period / 32 + 600);
		}
	}
}

/* Long runs of literals and matches, in turn. */
static void long_lengths_come_back(void **state)
{
	const size_t n = 2 * (size_t)SEGMENT;
	uint8_t *p = raw_end - n;

	(void)state;
	for (size_t run = 14; run <= 30000; run += 1 + run / 7) {
		size_t fresh = n;

		testdata_fill(TESTDATA_RANDOM, p, n, run);
		for (size_t at = run; at + 2 * run <= n; at += 2 * run) {
			memcpy(p + at + run, p, run);
			fresh -= run - 6;
		}
		trip(profile(3, 20), n);
		assert_true(info.stored < fresh + 400);
	}
}

/* ---- settings ------------------------------------------------------------ */

/* Sentences that come again after a while, some of them changed. */
static void make_book(uint8_t *p, size_t n)
{
	uint64_t seed = 5;

	testdata_fill(TESTDATA_TEXT, p, n, 3);
	for (size_t at = 300000; at + 3000 < n; at += 3000) {
		uint64_t v = testdata_next(&seed);

		memcpy(p + at, p + v % (at - 3000), 2900);
		for (size_t i = at + v % 30; i < at + 2900; i += 30 + v % 50)
			p[i] = (uint8_t)(v >> i % 50);
	}
}

static void a_higher_level_is_smaller(void **state)
{
	size_t before = SIZE_MAX;

	(void)state;
	make_book(raw_end - SEVERAL, SEVERAL);
	for (unsigned level = 1; level <= 9; level++) {
		size_t now = encode_once(profile(level, 20), SEVERAL, stored);

		assert_true(now < before);
		before = now;
	}
}

static void it_is_as_small_as_the_serial_profile(void **state)
{
	(void)state;
	make_book(raw_end - SEVERAL, SEVERAL);
	for (unsigned level = 1; level <= 9; level++) {
		struct arc_encoder_params p = profile(level, 20);
		size_t parallel = encode_once(p, SEVERAL, stored);

		p.parallel = false;
		assert_true(parallel * 100 <
			    encode_once(p, SEVERAL, other) * 104);
	}
}

static size_t size_with(unsigned hash_log, unsigned candidates,
			unsigned good_enough)
{
	struct arc_encoder_params p = profile(6, 20);

	p.hash_log = hash_log;
	p.candidates = candidates;
	p.good_enough = good_enough;
	encode_once(p, SEVERAL, stored);
	check_record(SEVERAL);
	return info.stored;
}

static void settings_do_what_they_say(void **state)
{
	(void)state;
	make_book(raw_end - SEVERAL, SEVERAL);
	assert_true(size_with(18, 0, 0) < size_with(13, 0, 0));
	assert_true(size_with(0, 8, 0) < size_with(0, 1, 0));
	assert_true(size_with(0, 16, 256) < size_with(0, 16, 6));
	/* the limits of each, and a number that is no power of two */
	size_with(12, 64, 4);
	size_with(24, 1, 65536);
	size_with(0, 5, 0);
}

static void far_references_are_not_made(void **state)
{
	struct arc_encoder_params p = profile(6, 17);
	struct arc_record *r = NULL;
	size_t n;

	(void)state;
	make_book(raw_end - SEVERAL, SEVERAL);
	p.far_max = 16;
	n = encode_once(p, SEVERAL, stored);
	assert_int_equal(arc_record_parse((struct arc_span){ stored, n }, &r),
			 0);
	for (uint32_t s = 0; s < r->segments; s++) {
		struct arc_disk_lzext3 x;

		memcpy(&x, r->segment[s].ext, sizeof(x));
		assert_int_equal(x.fars, 0);
	}
	free(r);
}

static void the_reach_can_be_chosen_by_frame(void **state)
{
	const size_t n = 6 * (size_t)SEGMENT;
	struct arc_encoder_params p = profile(6, 24);

	(void)state;
	p.group_auto = true;
	testdata_fill(TESTDATA_TEXT, raw_end - n, n, 1);
	trip(p, n);
	assert_true(info.group_log < 24);
}

/* ---- determinism --------------------------------------------------------- */

static void used_encoders_write_what_new_ones_do(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		struct arc_record_encoder *used = encoder(profile(level, 17));
		size_t n;

		testdata_fill(TESTDATA_TEXT, raw_end - SEVERAL, SEVERAL, level);
		encode(used, SEVERAL / 2, other);
		testdata_fill(TESTDATA_MIXED, raw_end - SEVERAL, SEVERAL,
			      level);
		n = encode_once(profile(level, 17), SEVERAL, stored);
		for (unsigned i = 0; i < 2; i++) {
			encode(used, SEVERAL, other);
			assert_int_equal(info.stored, n);
			assert_memory_equal(stored, other, n);
		}
		arc_record_encoder_free(used);
	}
}

/* What is before a group or behind it is no matter. */
static void a_group_depends_on_itself_alone(void **state)
{
	const size_t n = 2 * (size_t)SEGMENT;
	struct arc_record *r = NULL;
	size_t whole, half;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw_end - 2 * n, 2 * n, 4);
	whole = encode_once(profile(6, 17), 2 * n, other);
	half = encode_once(profile(6, 17), n, stored);
	assert_int_equal(
		arc_record_parse((struct arc_span){ other, whole }, &r), 0);
	assert_memory_equal(other + r->head + r->segment[2].offset,
			    stored + half -
				    (r->segment[2].size + r->segment[3].size),
			    r->segment[2].size + r->segment[3].size);
	free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_up_to_70_comes_back),
		cmocka_unit_test(lengths_about_segments_and_groups_come_back),
		cmocka_unit_test(every_kind_level_and_reach_comes_back),
		cmocka_unit_test(the_largest_frame_comes_back),
		cmocka_unit_test(programs_come_back),
		cmocka_unit_test(every_period_is_found),
		cmocka_unit_test(long_lengths_come_back),
		cmocka_unit_test(a_higher_level_is_smaller),
		cmocka_unit_test(it_is_as_small_as_the_serial_profile),
		cmocka_unit_test(settings_do_what_they_say),
		cmocka_unit_test(far_references_are_not_made),
		cmocka_unit_test(the_reach_can_be_chosen_by_frame),
		cmocka_unit_test(used_encoders_write_what_new_ones_do),
		cmocka_unit_test(a_group_depends_on_itself_alone),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
