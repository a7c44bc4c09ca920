/* SPDX-License-Identifier: MIT */
/*
 * device_kernel - kernels by the names of their files.
 *
 * Threads: pure.
 */
#ifndef ARC_DEVICE_KERNEL_H
#define ARC_DEVICE_KERNEL_H

#include "ocl.h"

#define ARC_KERNEL_FILES_MAX 8

/* Builds the embedded files (n names like "hash.cl", one text after the other).
 * Options and cache_dir as arc_ocl_build() has them. */
int arc_device_program_new(struct arc_ocl_device *dev, const char *const *files,
			   unsigned n, const char *options,
			   const char *cache_dir, struct arc_ocl_program **ret);

/* The same, where one kernel is wanted of them. */
int arc_device_kernel_new(struct arc_ocl_device *dev, const char *const *files,
			  unsigned n, const char *options,
			  const char *cache_dir, const char *name,
			  struct arc_ocl_kernel **ret);

#endif
