/* SPDX-License-Identifier: MIT */
/*
 * ocldevice - the OpenCL device that tests run on: the first one that is made
 * of CPU cores. A machine without one cannot run the tests, which is a failure
 * and not a reason to skip them. ARC_TEST_DEVICE in the environment names
 * another one, by number or part of its name, or `gpu`: the first that is not
 * made of CPU cores.
 *
 * Threads: one owner.
 */
#ifndef TEST_OCLDEVICE_H
#define TEST_OCLDEVICE_H

#include <string.h>

#include "gpu.h"
#include "ocl.h"

static inline bool ocl_is_meant(const char *which,
				const struct arc_gpu_options *opt, unsigned i,
				const struct arc_ocl_info *info)
{
	if (!which || strcmp(which, "gpu") == 0)
		return info->cpu == !which;
	return arc_gpu_is_listed(opt, i, info);
}

/* Number of the device in the list. */
static inline unsigned ocl_cpu_at(const struct arc_ocl_list *list)
{
	const char *which = getenv("ARC_TEST_DEVICE");
	struct arc_gpu_options opt = { 0 };

	if (which)
		assert_int_equal(arc_gpu_set_mode(&opt, which), 0);
	for (unsigned i = 0; i < arc_ocl_count(list); i++) {
		if (ocl_is_meant(which, &opt, i, arc_ocl_at(list, i)))
			return i;
	}
	if (which)
		fail_msg("no OpenCL device %s among %u (%s)", which,
			 arc_ocl_count(list), arc_ocl_list_why(list));
	fail_msg("no OpenCL device of the CPU among %u (%s): install "
		 "pocl-opencl-icd",
		 arc_ocl_count(list), arc_ocl_list_why(list));
	return 0;
}

static inline struct arc_ocl_device *ocl_open_cpu(struct arc_diag *diag)
{
	struct arc_ocl_list *list = NULL;
	struct arc_ocl_device *dev = NULL;

	assert_int_equal(arc_ocl_list_new(&list), 0);
	assert_int_equal(arc_ocl_open(list, ocl_cpu_at(list), diag, &dev), 0);
	arc_ocl_list_free(list);
	return dev;
}

#endif
