/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

static const char *const variables[] = {
	"FORCE_CPU_MODE",	 "GPU_FALLBACK_ENABLED",
	"COMPRESSOR_BATCH_SIZE", "DECOMPRESSOR_BATCH_SIZE",
	"GPU_TIMEOUT",
};

static int clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARC_COUNT(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

static void without_a_word_devices_are_chosen_by_speed(void **state)
{
	struct arc_gpu_options opt;
	const char *bad;

	(void)state;
	setenv("FORCE_CPU_MODE", "", 1);
	assert_int_equal(arc_gpu_defaults(&opt, &bad), 0);
	assert_int_equal(opt.mode, ARC_GPU_AUTO);
	assert_false(opt.no_fallback);
	assert_int_equal(opt.encode_batch, 0);
	assert_int_equal(opt.decode_batch, 0);
	assert_int_equal(opt.memory, 0);
	assert_int_equal(opt.check_every, 1);
	assert_int_equal(opt.timeout_ms, 0);
	assert_string_equal(opt.list, "");
}

static void the_environment_is_heard(void **state)
{
	struct arc_gpu_options opt;
	const char *bad;

	(void)state;
	setenv("FORCE_CPU_MODE", "Yes", 1);
	setenv("GPU_FALLBACK_ENABLED", "no", 1);
	setenv("COMPRESSOR_BATCH_SIZE", "16", 1);
	setenv("DECOMPRESSOR_BATCH_SIZE", "256", 1);
	setenv("GPU_TIMEOUT", "30", 1);
	assert_int_equal(arc_gpu_defaults(&opt, &bad), 0);
	assert_int_equal(opt.mode, ARC_GPU_OFF);
	assert_true(opt.no_fallback);
	assert_int_equal(opt.encode_batch, 16);
	assert_int_equal(opt.decode_batch, 256);
	assert_int_equal(opt.timeout_ms, 30000);
}

static void nonsense_in_the_environment_is_named(void **state)
{
	static const char *const values[] = { "maybe", "2", "0", "257", "0" };
	struct arc_gpu_options opt;
	const char *bad;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(variables); i++) {
		clear(NULL);
		setenv(variables[i], values[i], 1);
		assert_int_equal(arc_gpu_defaults(&opt, &bad), -EINVAL);
		assert_string_equal(bad, variables[i]);
	}
}

static void modes_and_lists_are_told_apart(void **state)
{
	struct arc_gpu_options opt = { 0 };
	char longer[300];

	(void)state;
	assert_int_equal(arc_gpu_set_mode(&opt, "off"), 0);
	assert_int_equal(opt.mode, ARC_GPU_OFF);
	assert_int_equal(arc_gpu_set_mode(&opt, "1,h200"), 0);
	assert_int_equal(opt.mode, ARC_GPU_FORCE);
	assert_string_equal(opt.list, "1,h200");
	assert_int_equal(arc_gpu_set_mode(&opt, "force"), 0);
	assert_string_equal(opt.list, "");
	assert_int_equal(arc_gpu_set_mode(&opt, "auto"), 0);
	assert_int_equal(opt.mode, ARC_GPU_AUTO);
	assert_int_equal(arc_gpu_set_mode(&opt, ""), -EINVAL);
	assert_int_equal(arc_gpu_set_mode(&opt, ",1"), -EINVAL);
	assert_int_equal(arc_gpu_set_mode(&opt, "1,"), -EINVAL);
	assert_int_equal(arc_gpu_set_mode(&opt, "1,,2"), -EINVAL);
	assert_int_equal(arc_gpu_set_mode(&opt, "1:,2"), -EINVAL);
	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(arc_gpu_set_mode(&opt, longer), -E2BIG);
}

static bool is_listed(const char *list, unsigned i, const char *name)
{
	struct arc_gpu_options opt = { 0 };
	struct arc_ocl_info info = { 0 };

	assert_int_equal(arc_gpu_set_mode(&opt, list), 0);
	strcpy(info.name, name);
	return arc_gpu_is_listed(&opt, i, &info);
}

static void devices_are_listed_by_number_and_by_name(void **state)
{
	(void)state;
	assert_true(is_listed("force", 7, "NVIDIA H200"));
	assert_true(is_listed("0", 0, "NVIDIA H200"));
	assert_false(is_listed("0", 1, "NVIDIA H200"));
	assert_false(is_listed("1", 0, "Radeon 11"));
	assert_true(is_listed("3,h200", 1, "NVIDIA H200"));
	assert_true(is_listed("3:1", 1, "NVIDIA H200"));
	assert_true(is_listed("Nvidia h", 1, "NVIDIA H200"));
	assert_false(is_listed("radeon", 1, "NVIDIA H200"));
	assert_false(is_listed("99999999999999999999", 1, "NVIDIA H200"));
}

static void what_means_no_device_is_named(void **state)
{
	struct arc_gpu_options opt = { 0 };
	struct arc_ocl_list *list;
	char item[64] = "";

	(void)state;
	assert_int_equal(arc_ocl_list_new(&list), 0);
	assert_true(arc_ocl_count(list) > 0);
	assert_int_equal(arc_gpu_set_mode(&opt, "0"), 0);
	assert_false(arc_gpu_unknown(&opt, list, item, sizeof(item)));
	assert_int_equal(arc_gpu_set_mode(&opt, "0,no such card,1"), 0);
	assert_true(arc_gpu_unknown(&opt, list, item, sizeof(item)));
	assert_string_equal(item, "no such card");
	arc_ocl_list_free(list);
}

static void batches_are_numbers_within_bounds(void **state)
{
	unsigned n = 5;

	(void)state;
	assert_int_equal(arc_gpu_set_batch(&n, "0"), -EINVAL);
	assert_int_equal(arc_gpu_set_batch(&n, "257"), -EINVAL);
	assert_int_equal(arc_gpu_set_batch(&n, "4294967297"), -EINVAL);
	assert_int_equal(arc_gpu_set_batch(&n, "4x"), -EINVAL);
	assert_int_equal(arc_gpu_set_batch(&n, ""), -EINVAL);
	assert_int_equal(n, 5);
	assert_int_equal(arc_gpu_set_batch(&n, "64"), 0);
	assert_int_equal(n, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, clear)
		TEST(without_a_word_devices_are_chosen_by_speed),
		TEST(the_environment_is_heard),
		TEST(nonsense_in_the_environment_is_named),
		TEST(modes_and_lists_are_told_apart),
		TEST(devices_are_listed_by_number_and_by_name),
		TEST(what_means_no_device_is_named),
		TEST(batches_are_numbers_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
