/* SPDX-License-Identifier: MIT */
/*
 * chosengpu - the OpenCL device that tests run on, chosen by force.
 *
 * Threads: one owner.
 */
#ifndef TEST_CHOSENGPU_H
#define TEST_CHOSENGPU_H

#include <stdio.h>

#include "gpu.h"
#include "ocldevice.h"

static inline struct arc_gpu *gpu_choose_cpu(enum arc_gpu_work work)
{
	struct arc_gpu_options opt = { .mode = ARC_GPU_FORCE };
	struct arc_gpu_purpose purpose = { .threads = 2 };
	struct arc_ocl_list *list = NULL;
	struct arc_gpu *gpu = NULL;

	assert_int_equal(arc_ocl_list_new(&list), 0);
	snprintf(opt.list, sizeof(opt.list), "%u", ocl_cpu_at(list));
	arc_ocl_list_free(list);
	purpose.work[work] = true;
	assert_int_equal(arc_gpu_choose(&opt, &purpose, false, NULL, &gpu), 0);
	assert_int_equal(gpu->used[work].count, 1);
	return gpu;
}

#endif
