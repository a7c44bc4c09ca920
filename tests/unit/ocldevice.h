/* SPDX-License-Identifier: MIT */
/*
 * ocldevice - the OpenCL device that tests run on: the first one that is made
 * of CPU cores. A machine without one cannot run the tests, which is a failure
 * and not a reason to skip them.
 *
 * Threads: one owner.
 */
#ifndef TEST_OCLDEVICE_H
#define TEST_OCLDEVICE_H

#include "ocl.h"

/* Number of the device in the list. */
static inline unsigned ocl_cpu_at(const struct arc_ocl_list *list)
{
	for (unsigned i = 0; i < arc_ocl_count(list); i++) {
		if (arc_ocl_at(list, i)->cpu)
			return i;
	}
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
