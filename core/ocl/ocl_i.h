/* SPDX-License-Identifier: MIT */
/*
 * ocl_i - what the files of the ocl module share. The only header that knows
 * OpenCL's own.
 *
 * Threads: as ocl.h says.
 */
#ifndef ARC_OCL_I_H
#define ARC_OCL_I_H

#include <CL/cl.h>
#include <stdatomic.h>

#include "hash.h"
#include "ocl.h"

struct ocl_found {
	cl_platform_id platform;
	cl_device_id id;
	struct arc_ocl_info info;
};

const struct ocl_found *ocl_found_at(const struct arc_ocl_list *list,
				     unsigned i);

struct arc_ocl_device {
	struct arc_ocl_info info;
	struct arc_diag *diag;
	cl_device_id id;
	cl_context context;
	cl_command_queue house; /* maps and unmaps pinned memory */
	atomic_uint_fast64_t in_use;
	atomic_bool abandoned;
	pthread_mutex_t lock; /* of why */
	char why[256];
};

struct arc_ocl_program {
	struct arc_ocl_device *dev;
	cl_program program;
	bool cached;
};

struct arc_ocl_kernel {
	struct arc_ocl_device *dev;
	cl_kernel kernel;
	char name[64]; /* for messages; may be cut */
};

struct arc_ocl_buffer {
	struct arc_ocl_device *dev;
	cl_mem mem;
	size_t n;
};

/* "CL_OUT_OF_RESOURCES"; "CL error -9999" in out for an unknown one. */
const char *ocl_code_name(cl_int code, char out[32]);

/* What the code is in the list of diag.h. */
int ocl_errno(cl_int code);

/* Keeps what a call answered as the device's `why` and translates it. */
int ocl_fail(struct arc_ocl_device *dev, const char *call, cl_int code);

/* -ENODEV when the device was given up: no call may reach its driver, and
 * nothing made from it is released. */
int ocl_alive(const struct arc_ocl_device *dev);

/* ---- binaries of programs, in a folder ----------------------------------- */

/*
 * Reads what ocl_cache_put() wrote under the key. -ENOENT when nothing is
 * there, -EBADMSG when it is not that; the caller frees *ret.
 */
int ocl_cache_get(const char *dir, const struct arc_digest128 *key,
		  uint8_t **ret, size_t *ret_n);
int ocl_cache_put(const char *dir, const struct arc_digest128 *key,
		  const void *p, size_t n);

/* Removes binaries that have not been used for 90 days, all but the
 * OCL_CACHE_FILES that were used last, and what was never finished. Files of
 * other names and of other users stay. */
#define OCL_CACHE_FILES 64
void ocl_cache_tidy(const char *dir);

/* Notes that a binary, open as fd, is being used. */
void ocl_cache_touch(int fd);

#endif
