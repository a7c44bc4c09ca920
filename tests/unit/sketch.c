/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sketch.h"
#include "testdata.h"

#define N 16384

static uint8_t one[N], other[N];

static unsigned alike(size_t n, size_t m)
{
	struct mk_sketch a = mk_sketch_of(one, n), b = mk_sketch_of(other, m);

	assert_int_equal(mk_sketch_alike(&a, &b), mk_sketch_alike(&b, &a));
	return mk_sketch_alike(&a, &b);
}

static void the_same_bytes_are_alike(void **state)
{
	uint64_t seed = 1;

	(void)state;
	testdata_random(one, N, &seed);
	memcpy(other, one, N);
	assert_int_equal(alike(N, N), 16);
	assert_int_equal(alike(MK_SKETCH_MIN, MK_SKETCH_MIN), 16);
	assert_true(alike(N, N - 1) >= 15);
}

static void other_bytes_are_not(void **state)
{
	uint64_t seed = 2;

	(void)state;
	testdata_random(one, N, &seed);
	testdata_random(other, N, &seed);
	assert_int_equal(alike(N, N), 0);
}

static void few_bytes_are_like_nothing(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 63 };

	(void)state;
	memset(one, 1, N);
	memset(other, 1, N);
	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		uint8_t *exact = malloc(sizes[i] + 1);
		struct mk_sketch s;

		memset(exact, 1, sizes[i] + 1);
		s = mk_sketch_of(exact, sizes[i]);
		free(exact);
		for (size_t b = 0; b < MK_SKETCH_BINS; b++)
			assert_int_equal(s.bin[b], MK_SKETCH_EMPTY);
		assert_int_equal(alike(sizes[i], sizes[i]), 0);
		assert_int_equal(alike(sizes[i], N), 0);
	}
	/* One kind of run fills one bin. */
	assert_int_equal(alike(64, N), 16);
}

/* The more they share, the more alike they are, on average. */
static void what_they_share_is_measured(void **state)
{
	unsigned sum[5] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 32; seed++) {
		for (unsigned quarters = 0; quarters < 5; quarters++) {
			uint64_t s = seed << 8;

			testdata_random(one, N, &s);
			testdata_random(other, N, &s);
			memcpy(other, one, N / 4 * quarters);
			sum[quarters] += alike(N, N);
		}
	}
	/* Of 512: 0, 1/7, 1/3, 3/5 and all. */
	assert_int_equal(sum[0], 0);
	assert_in_range(sum[1], 40, 110);
	assert_in_range(sum[2], 130, 210);
	assert_in_range(sum[3], 260, 355);
	assert_int_equal(sum[4], 512);
}

/* Bytes put in before do not hide what comes behind. */
static void a_shift_changes_little(void **state)
{
	uint64_t seed = 3;

	(void)state;
	testdata_random(one, N, &seed);
	memcpy(other, "inserted", 8);
	memcpy(other + 8, one, N - 8);
	assert_true(alike(N, N) >= 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_bytes_are_alike),
		cmocka_unit_test(other_bytes_are_not),
		cmocka_unit_test(few_bytes_are_like_nothing),
		cmocka_unit_test(what_they_share_is_measured),
		cmocka_unit_test(a_shift_changes_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
