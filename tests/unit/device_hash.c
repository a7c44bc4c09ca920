/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/device_hash.h"
#include "hash.h"
#include "ocldevice.h"
#include "testdata.h"

#define BATCH 40 /* leaves */
#define LEAVES 130

static struct arc_ocl_device *dev;
static struct arc_device_hasher *hasher;
static uint8_t bytes[LEAVES * ARC_FNV_LEAF + 64];

static int setup(void **state)
{
	uint64_t seed = 1;

	(void)state;
	dev = ocl_open_cpu(NULL);
	testdata_random(bytes, sizeof(bytes), &seed);
	return arc_device_hasher_new(dev, NULL, BATCH, 2, &hasher);
}

static int teardown(void **state)
{
	(void)state;
	arc_device_hasher_free(hasher);
	arc_ocl_close(dev);
	return 0;
}

/* Each leaf's hash, and nothing behind the last. */
static void check(const struct arc_span *leaf, size_t n)
{
	uint64_t hash[LEAVES + 1];

	memset(hash, 0x5a, sizeof(hash));
	assert_int_equal(arc_device_hasher_run(hasher, leaf, n, hash), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(hash[i], arc_fnv1a(leaf[i].p, leaf[i].n));
	for (size_t i = n; i < ARC_COUNT(hash); i++)
		assert_int_equal(hash[i], UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void any_number_of_whole_leaves_is_hashed(void **state)
{
	static const size_t counts[] = { 0,
					 1,
					 2,
					 31,
					 32,
					 33,
					 BATCH - 1,
					 BATCH,
					 BATCH + 1,
					 2 * BATCH,
					 2 * BATCH + 1,
					 LEAVES };
	struct arc_span leaf[LEAVES];

	(void)state;
	for (size_t i = 0; i < LEAVES; i++)
		leaf[i] = (struct arc_span){ bytes + i * ARC_FNV_LEAF,
					     ARC_FNV_LEAF };
	for (size_t i = 0; i < ARC_COUNT(counts); i++)
		check(leaf, counts[i]);
}

static void leaves_of_any_length_and_place_are_hashed(void **state)
{
	struct arc_span leaf[LEAVES];

	(void)state;
	for (size_t n = 0; n < LEAVES; n++)
		leaf[n] = (struct arc_span){ bytes + n % 17, n };
	check(leaf, LEAVES);
	for (size_t i = 0; i < LEAVES; i++)
		leaf[i] = (struct arc_span){ bytes + i * 777,
					     ARC_FNV_LEAF - i % 100 };
	check(leaf, LEAVES);
}

static void every_byte_counts(void **state)
{
	struct arc_span leaf[LEAVES];

	(void)state;
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t *p = bytes + i * ARC_FNV_LEAF;

		memset(p, 0, ARC_FNV_LEAF);
		if (i > 0)
			p[(i - 1) * 509 % ARC_FNV_LEAF] = 0x80;
		leaf[i] = (struct arc_span){ p, ARC_FNV_LEAF };
	}
	check(leaf, LEAVES);
}

static void a_leaf_without_bytes_may_be_nowhere(void **state)
{
	const struct arc_span leaf[] = { { NULL, 0 },
					 { bytes, 3 },
					 { NULL, 0 } };

	(void)state;
	check(leaf, ARC_COUNT(leaf));
	check(leaf, 1);
}

static void a_run_tells_how_long_the_kernel_ran(void **state)
{
	struct arc_span leaf[LEAVES];

	(void)state;
	for (size_t i = 0; i < LEAVES; i++)
		leaf[i] = (struct arc_span){ bytes, ARC_FNV_LEAF };
	check(leaf, LEAVES);
	assert_true(arc_device_hasher_kernel_ns(hasher) > 0);
	check(leaf, 0);
	assert_int_equal(arc_device_hasher_kernel_ns(hasher), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_whole_leaves_is_hashed),
		cmocka_unit_test(leaves_of_any_length_and_place_are_hashed),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(a_leaf_without_bytes_may_be_nowhere),
		cmocka_unit_test(a_run_tells_how_long_the_kernel_ran),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
