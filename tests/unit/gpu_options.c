/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gpu.h"

static void without_a_word_devices_are_chosen_by_speed(void **state)
{
	struct arc_gpu_options opt;
	struct arc_config config;

	(void)state;
	arc_config_init(&config);
	arc_gpu_defaults(&opt);
	arc_gpu_configure(&opt, &config);
	assert_int_equal(opt.mode, ARC_GPU_AUTO);
	assert_false(opt.no_fallback);
	assert_int_equal(opt.encode_batch, 0);
	assert_int_equal(opt.decode_batch, 0);
	assert_int_equal(opt.memory, 0);
	assert_int_equal(opt.check_every, 1);
	assert_int_equal(opt.timeout_ms, 0);
	assert_string_equal(opt.list, "");
}

static void the_configuration_is_heard(void **state)
{
	struct arc_gpu_options opt;
	struct arc_config config;

	(void)state;
	arc_config_init(&config);
	assert_int_equal(arc_config_assign(&config, "FORCE_CPU_MODE=Yes"), 0);
	assert_int_equal(arc_config_assign(&config, "GPU_FALLBACK_ENABLED=no"),
			 0);
	assert_int_equal(arc_config_assign(&config, "COMPRESSOR_BATCH_SIZE=16"),
			 0);
	assert_int_equal(
		arc_config_assign(&config, "DECOMPRESSOR_BATCH_SIZE=256"), 0);
	assert_int_equal(arc_config_assign(&config, "GPU_TIMEOUT=30"), 0);
	arc_gpu_defaults(&opt);
	arc_gpu_configure(&opt, &config);
	assert_int_equal(opt.mode, ARC_GPU_OFF);
	assert_true(opt.no_fallback);
	assert_int_equal(opt.encode_batch, 16);
	assert_int_equal(opt.decode_batch, 256);
	assert_int_equal(opt.timeout_ms, 30000);
}

static void who_asks_for_devices_gets_them(void **state)
{
	struct arc_gpu_options opt;
	struct arc_config config;

	(void)state;
	arc_config_init(&config);
	arc_gpu_defaults(&opt);
	assert_int_equal(arc_config_offer(&config, ARC_CONFIG_FORCE_CPU_MODE,
					  "yes", ARC_CONFIG_ENVIRONMENT),
			 0);
	assert_int_equal(arc_gpu_ask(&opt, &config, "1,"), -EINVAL);
	assert_true(arc_config_number(&config, ARC_CONFIG_FORCE_CPU_MODE));
	assert_int_equal(arc_gpu_ask(&opt, &config, "force"), 0);
	arc_gpu_configure(&opt, &config);
	assert_int_equal(opt.mode, ARC_GPU_FORCE);
	assert_int_equal(arc_gpu_ask(&opt, &config, "off"), 0);
	arc_gpu_configure(&opt, &config);
	assert_int_equal(opt.mode, ARC_GPU_OFF);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_word_devices_are_chosen_by_speed),
		cmocka_unit_test(the_configuration_is_heard),
		cmocka_unit_test(who_asks_for_devices_gets_them),
		cmocka_unit_test(modes_and_lists_are_told_apart),
		cmocka_unit_test(devices_are_listed_by_number_and_by_name),
		cmocka_unit_test(what_means_no_device_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
