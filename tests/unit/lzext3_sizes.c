/* SPDX-License-Identifier: MIT */
/*
 * What the settings of LZ-EXT3 do to sizes: repeats are found as far as the
 * reach goes and no further, more search means no more bytes, and what cannot
 * be made smaller does not grow. Sizes by level are tests/perf/sizes.csv.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record.h"
#include "testdata.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static uint8_t raw[ARC_FRAME_MAX];
static uint8_t *stored;
static uint8_t group_log; /* of the last record */

static int allocate(void **state)
{
	(void)state;
	stored = malloc(arc_record_bound(ARC_FRAME_MAX));
	return stored ? 0 : -1;
}

static int release(void **state)
{
	(void)state;
	free(stored);
	return 0;
}

/* Bytes of the record of n bytes of raw. */
static size_t size_with(struct arc_encoder_params p, size_t n)
{
	const struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = p,
	};
	struct arc_record_encoder *e = NULL;
	struct arc_record_info info;

	assert_int_equal(arc_record_encoder_new(&params, &e), 0);
	assert_int_equal(arc_record_encode(e, 0, (struct arc_span){ raw, n },
					   stored, &info),
			 0);
	arc_record_encoder_free(e);
	group_log = info.group_log;
	return info.stored;
}

static size_t size_of(unsigned level, uint8_t reach, size_t n)
{
	return size_with((struct arc_encoder_params){ .level = level,
						      .group_log = reach },
			 n);
}

/* ---- reach --------------------------------------------------------------- */

/* Random bytes whose second half is the first again. */
static void make_twice(size_t half)
{
	uint64_t seed = half;

	testdata_random(raw, half, &seed);
	memcpy(raw + half, raw, half);
}

/*
 * Twice `half` bytes of which each level finds the second ones again when
 * groups hold both, and none when a group holds only one.
 */
static void check_twice(size_t half, uint8_t enough, unsigned level)
{
	size_t all = 2 * half;

	make_twice(half);
	assert_in_range(size_of(level, enough, all), half,
			half + half / 100 + 4000);
	if (enough > 17)
		assert_true(size_of(level, (uint8_t)(enough - 2), all) >= all);
}

static void repeats_at_32_kib_are_found_with_any_reach(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 9; level++)
		for (uint8_t log = 16; log <= 24; log++)
			check_twice(32 * KIB, log > 17 ? 17 : log, level);
}

static void repeats_at_1_mib_are_found_with_a_reach_of_2_mib(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 9; level++)
		check_twice(MIB, 21, level);
}

static void repeats_at_8_mib_are_found_with_a_reach_of_16_mib(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 9; level += 2)
		check_twice(8 * MIB, 24, level);
}

static void the_longest_distance_is_nearly_a_frame(void **state)
{
	size_t n = ARC_FRAME_MAX;
	uint64_t seed = 16;

	(void)state;
	testdata_random(raw, n, &seed);
	memcpy(raw + n - 60 * KIB, raw, 60 * KIB);
	assert_in_range(size_of(6, 24, n), n - 60 * KIB, n - 40 * KIB);
	assert_true(size_of(6, 23, n) >= n);
}

/* Half of each 2 * half bytes is the other half again. */
static void make_repeats(size_t half, size_t n)
{
	uint64_t seed = half;

	testdata_random(raw, n, &seed);
	for (size_t at = 0; at + 2 * half <= n; at += 2 * half)
		memcpy(raw + at + half, raw + at, half);
}

static void a_reach_of_its_own_choice_is_as_far_as_repeats_are(void **state)
{
	static const struct {
		size_t half;
		uint8_t group_log; /* that holds both */
	} cases[] = {
		{ 16 * KIB, 16 },  { 64 * KIB, 17 }, { 128 * KIB, 18 },
		{ 512 * KIB, 20 }, { 4 * MIB, 23 },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		struct arc_encoder_params p = { .level = 3,
						.group_log = 24,
						.group_auto = true };

		make_repeats(cases[i].half, 8 * MIB);
		size_with(p, 8 * MIB);
		assert_int_equal(group_log, cases[i].group_log);
		/* no further than it may */
		p.group_log = 18;
		size_with(p, 8 * MIB);
		assert_true(group_log <= 18);
	}
	testdata_fill(TESTDATA_RANDOM, raw, 8 * MIB, 1);
	memset(raw, 0, 200 * KIB);
	size_of(3, 24, 8 * MIB);
	assert_int_equal(group_log, 24); /* not asked to choose */
}

/* ---- search -------------------------------------------------------------- */

/* Text, and rows of numbers among which text is: what is found depends on how
 * long is looked for it. */
static void make_searchable(size_t n)
{
	uint64_t seed = 4;
	size_t at = 0;

	testdata_text(raw, n, &seed);
	while (at + 400 < n) {
		uint64_t v = testdata_next(&seed);

		for (unsigned i = 0; i < (v & 15); i++, at += 12) {
			uint64_t w = testdata_next(&seed);
			uint64_t row = (w & 1023) << 32 | (w >> 20 & 15);

			memcpy(raw + at, &row, sizeof(row));
		}
		at += v >> 8 & 127;
	}
}

/* Each size is at most `tolerance` thousandths more than the one before, and
 * the last one less than the first. */
static void check_falling(const size_t *size, size_t n, size_t tolerance)
{
	for (size_t i = 1; i < n; i++)
		assert_true(size[i] <=
			    size[i - 1] + size[i - 1] * tolerance / 1000);
	assert_true(size[n - 1] < size[0]);
}

static void more_candidates_make_less(void **state)
{
	static const unsigned candidates[] = { 1, 4, 12, 48 };
	size_t size[ARC_COUNT(candidates)];

	(void)state;
	make_searchable(600 * KIB);
	for (unsigned level = 3; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(candidates); i++)
			size[i] = size_with(
				(struct arc_encoder_params){
					.level = level,
					.group_log = 20,
					.candidates = candidates[i] },
				600 * KIB);
		check_falling(size, ARC_COUNT(size), 0);
	}
}

static void larger_tables_make_less(void **state)
{
	static const unsigned logs[] = { 12, 14, 16, 20 };
	size_t size[ARC_COUNT(logs)];

	(void)state;
	make_searchable(600 * KIB);
	for (unsigned level = 1; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(logs); i++)
			size[i] = size_with(
				(struct arc_encoder_params){ .level = level,
							     .group_log = 20,
							     .hash_log =
								     logs[i] },
				600 * KIB);
		check_falling(size, ARC_COUNT(size), 1);
	}
}

static void a_search_that_ends_later_makes_less(void **state)
{
	static const unsigned good[] = { 4, 16, 256 };
	size_t size[ARC_COUNT(good)];

	(void)state;
	make_searchable(600 * KIB);
	for (unsigned level = 3; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(good); i++)
			size[i] = size_with(
				(struct arc_encoder_params){ .level = level,
							     .group_log = 20,
							     .good_enough =
								     good[i] },
				600 * KIB);
		check_falling(size, ARC_COUNT(size), 1);
	}
}

static void far_references_make_less(void **state)
{
	size_t size[3];

	(void)state;
	testdata_fill(TESTDATA_RANDOM, raw, 3 * MIB, 5);
	for (size_t at = MIB; at < 3 * MIB; at += 200 * KIB)
		memcpy(raw + at, raw + at % (700 * KIB), 50 * KIB);
	for (unsigned level = 3; level <= 9; level++) {
		for (unsigned i = 0; i < 3; i++)
			size[i] = size_with(
				(struct arc_encoder_params){ .level = level,
							     .group_log = 18,
							     .far_max = 8 * i },
				3 * MIB);
		check_falling(size, ARC_COUNT(size), 0);
	}
}

/* ---- what cannot be made smaller ----------------------------------------- */

static void random_bytes_do_not_grow(void **state)
{
	static const size_t sizes[] = { 16,	  70,	     64 * KIB - 1,
					64 * KIB, 300 * KIB, MIB + 2 };

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
			size_t n = sizes[i];
			size_t head = arc_record_head_size(
				arc_segment_count((uint32_t)n),
				ARC_ENTRY_SIZE_MIN);

			testdata_fill(TESTDATA_RANDOM, raw, n, level);
			assert_int_equal(size_of(level, 20, n), head + n);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_at_32_kib_are_found_with_any_reach),
		cmocka_unit_test(
			repeats_at_1_mib_are_found_with_a_reach_of_2_mib),
		cmocka_unit_test(
			repeats_at_8_mib_are_found_with_a_reach_of_16_mib),
		cmocka_unit_test(the_longest_distance_is_nearly_a_frame),
		cmocka_unit_test(
			a_reach_of_its_own_choice_is_as_far_as_repeats_are),
		cmocka_unit_test(more_candidates_make_less),
		cmocka_unit_test(larger_tables_make_less),
		cmocka_unit_test(a_search_that_ends_later_makes_less),
		cmocka_unit_test(far_references_make_less),
		cmocka_unit_test(random_bytes_do_not_grow),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
