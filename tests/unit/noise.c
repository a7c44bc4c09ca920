/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "noise.h"
#include "testdata.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)
#define FRAME ((size_t)ARC_FRAME_MAX)

static uint8_t frame[ARC_FRAME_MAX];
static struct arc_noise *noise;

static int make(void **state)
{
	(void)state;
	return arc_noise_new(&noise);
}

static int drop(void **state)
{
	(void)state;
	arc_noise_free(noise);
	return 0;
}

static void random_bytes(size_t off, size_t n, uint64_t seed)
{
	testdata_random(frame + off, n, &seed);
}

/* Of a frame of n bytes, how many segments are noise. */
static unsigned count(size_t n, uint8_t window_log, bool named)
{
	unsigned found = 0;

	arc_noise_begin(noise, (struct arc_span){ frame, n }, window_log);
	for (uint32_t s = 0; s < arc_segment_count((uint32_t)n); s++)
		found += arc_noise_is(noise, s, named);
	return found;
}

static bool is_noise(bool named)
{
	return count(SEGMENT, ARC_GROUP_LOG_MIN, named) == 1;
}

static void random_bytes_are_noise(void **state)
{
	(void)state;
	random_bytes(0, FRAME, 1);
	for (uint8_t log = ARC_GROUP_LOG_MIN; log <= ARC_GROUP_LOG_MAX; log++)
		assert_true(count(FRAME, log, false) >= 254);
}

static void any_size_is_judged_or_left_to_the_codec(void **state)
{
	static const size_t sizes[] = { 1,
					7,
					8,
					63,
					64,
					65,
					ARC_NOISE_MIN - 1,
					ARC_NOISE_MIN,
					ARC_NOISE_MIN + 1,
					5000,
					SEGMENT - 1,
					SEGMENT,
					SEGMENT + 1,
					SEGMENT + ARC_NOISE_MIN - 1,
					SEGMENT + ARC_NOISE_MIN,
					2 * SEGMENT - 1 };

	(void)state;
	random_bytes(0, 2 * SEGMENT, 2);
	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		size_t n = sizes[i], last = n % SEGMENT;
		unsigned whole = (unsigned)(n / SEGMENT);
		unsigned want = whole + (last >= ARC_NOISE_MIN);

		/* Of its own, so that a read behind the end is noticed. */
		uint8_t *exact = malloc(n);
		unsigned found = 0;

		memcpy(exact, frame, n);
		arc_noise_begin(noise, (struct arc_span){ exact, n }, 20);
		for (uint32_t s = 0; s < arc_segment_count((uint32_t)n); s++)
			found += arc_noise_is(noise, s, false);
		free(exact);
		assert_int_equal(found, want);
	}
}

static void what_shrinks_is_not_noise(void **state)
{
	uint64_t seed = 3;

	(void)state;
	testdata_text(frame, SEGMENT, &seed);
	assert_false(is_noise(false));
	assert_false(is_noise(true));
	memset(frame, 0, SEGMENT);
	assert_false(is_noise(false));
	assert_false(is_noise(true));
	/* As many of each byte, in order. */
	for (size_t i = 0; i < SEGMENT; i++)
		frame[i] = (uint8_t)i;
	assert_false(is_noise(false));
	assert_false(is_noise(true));
	/* 16 different bytes; only the upper half of each; base64. */
	random_bytes(0, SEGMENT, 4);
	for (size_t i = 0; i < SEGMENT; i++)
		frame[i] &= 0x0f;
	assert_false(is_noise(true));
	random_bytes(0, SEGMENT, 4);
	for (size_t i = 0; i < SEGMENT; i++)
		frame[i] = (uint8_t)("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/"[frame[i] % 64]);
	assert_false(is_noise(true));
}

/* 12 bits that are never all of them used, packed; and counters of 8 bytes. */
static void packed_numbers_are_not_noise(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i + 3 <= SEGMENT; i += 3) {
		uint64_t v = testdata_next(&seed);
		uint32_t a = 2048 + (v & 0xff) + (v >> 8 & 0xff);
		uint32_t b = 2048 + (v >> 16 & 0xff) + (v >> 24 & 0xff);

		frame[i] = (uint8_t)a;
		frame[i + 1] = (uint8_t)(a >> 8 | b << 4);
		frame[i + 2] = (uint8_t)(b >> 4);
	}
	assert_false(is_noise(false));
	for (size_t i = 0; i < SEGMENT; i += 8) {
		uint64_t v = 1000000 + i * 977;

		memcpy(frame + i, &v, sizeof(v));
	}
	assert_false(is_noise(false));
}

/* Random records of a small set: every byte is as frequent as any other. */
static void repeated_records_are_not_noise(void **state)
{
	static const size_t lengths[] = { 5, 8, 16, 100 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(lengths); i++) {
		uint8_t records[20000];
		uint64_t seed = 6;
		size_t n = lengths[i], some = sizeof(records) / n;

		testdata_random(records, sizeof(records), &seed);
		for (size_t at = 0; at + n <= SEGMENT; at += n)
			memcpy(frame + at,
			       records + testdata_next(&seed) % some * n, n);
		assert_false(is_noise(false));
	}
}

static void text_inside_of_noise_is_seen(void **state)
{
	uint64_t seed = 7;

	(void)state;
	random_bytes(0, SEGMENT, 8);
	testdata_text(frame + 30001, 500, &seed);
	assert_false(is_noise(false));
	random_bytes(0, SEGMENT, 8);
	memset(frame + 50001, 0, 500);
	assert_false(is_noise(false));
}

static void a_repeat_is_seen_as_far_as_the_window_reaches(void **state)
{
	const size_t half = FRAME / 2;

	(void)state;
	random_bytes(0, half, 9);
	memcpy(frame + half, frame, half);
	assert_true(count(FRAME, ARC_GROUP_LOG_MAX, false) <= 128);
	assert_true(count(FRAME, ARC_GROUP_LOG_MAX, true) <= 128);
	assert_true(count(FRAME, ARC_GROUP_LOG_MAX - 1, false) >= 254);
	/* 2,000 bytes of the segment before. */
	random_bytes(0, 2 * SEGMENT, 10);
	memcpy(frame + SEGMENT + 20000, frame + 100, 2000);
	assert_int_equal(count(2 * SEGMENT, 17, false), 1);
	assert_int_equal(count(2 * SEGMENT, 16, false), 2);
}

/* What was no noise itself, and so was not looked through in its turn. */
static void a_repeat_of_what_was_not_noise_is_seen(void **state)
{
	uint64_t seed = 11;

	(void)state;
	random_bytes(0, 2 * SEGMENT, 12);
	testdata_text(frame, SEGMENT / 2, &seed);
	memcpy(frame + SEGMENT + 1000, frame + SEGMENT / 2, 3000);
	assert_int_equal(count(2 * SEGMENT, 20, false), 0);
}

/* One byte is more frequent than it should be, in places where no codec gains
 * by it. */
static void a_name_lets_more_pass_and_not_everything(void **state)
{
	uint64_t seed = 13;

	(void)state;
	random_bytes(0, SEGMENT, 14);
	for (size_t i = 0; i < SEGMENT; i += 64)
		frame[i] = 'A';
	assert_false(is_noise(false));
	assert_true(is_noise(true));
	testdata_text(frame + 30000, 1000, &seed);
	assert_false(is_noise(true));
}

static void what_came_before_changes_nothing(void **state)
{
	bool first[32], second[32];

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		bool *found = turn ? second : first;

		testdata_fill(TESTDATA_MIXED, frame, 32 * SEGMENT, 15);
		arc_noise_begin(noise, (struct arc_span){ frame, 32 * SEGMENT },
				20);
		for (uint32_t s = 0; s < 32; s++)
			found[s] = arc_noise_is(noise, s, s % 3 == 0);
		random_bytes(0, FRAME, 16);
		count(FRAME, 24, false);
	}
	assert_memory_equal(first, second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_are_noise),
		cmocka_unit_test(any_size_is_judged_or_left_to_the_codec),
		cmocka_unit_test(what_shrinks_is_not_noise),
		cmocka_unit_test(packed_numbers_are_not_noise),
		cmocka_unit_test(repeated_records_are_not_noise),
		cmocka_unit_test(text_inside_of_noise_is_seen),
		cmocka_unit_test(a_repeat_is_seen_as_far_as_the_window_reaches),
		cmocka_unit_test(a_repeat_of_what_was_not_noise_is_seen),
		cmocka_unit_test(a_name_lets_more_pass_and_not_everything),
		cmocka_unit_test(what_came_before_changes_nothing),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
