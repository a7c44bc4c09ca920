/* SPDX-License-Identifier: MIT */
/*
 * ocl_error - names of OpenCL's codes and what they mean to this project.
 */
#include <stdio.h>
#include <string.h>

#include "ocl_i.h"

#define CODES(X)                                                               \
	X(CL_DEVICE_NOT_FOUND)                                                 \
	X(CL_DEVICE_NOT_AVAILABLE)                                             \
	X(CL_COMPILER_NOT_AVAILABLE)                                           \
	X(CL_MEM_OBJECT_ALLOCATION_FAILURE)                                    \
	X(CL_OUT_OF_RESOURCES)                                                 \
	X(CL_OUT_OF_HOST_MEMORY)                                               \
	X(CL_PROFILING_INFO_NOT_AVAILABLE)                                     \
	X(CL_MEM_COPY_OVERLAP)                                                 \
	X(CL_IMAGE_FORMAT_MISMATCH)                                            \
	X(CL_IMAGE_FORMAT_NOT_SUPPORTED)                                       \
	X(CL_BUILD_PROGRAM_FAILURE)                                            \
	X(CL_MAP_FAILURE)                                                      \
	X(CL_MISALIGNED_SUB_BUFFER_OFFSET)                                     \
	X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)                        \
	X(CL_COMPILE_PROGRAM_FAILURE)                                          \
	X(CL_LINKER_NOT_AVAILABLE)                                             \
	X(CL_LINK_PROGRAM_FAILURE)                                             \
	X(CL_DEVICE_PARTITION_FAILED)                                          \
	X(CL_KERNEL_ARG_INFO_NOT_AVAILABLE)                                    \
	X(CL_INVALID_VALUE)                                                    \
	X(CL_INVALID_DEVICE_TYPE)                                              \
	X(CL_INVALID_PLATFORM)                                                 \
	X(CL_INVALID_DEVICE)                                                   \
	X(CL_INVALID_CONTEXT)                                                  \
	X(CL_INVALID_QUEUE_PROPERTIES)                                         \
	X(CL_INVALID_COMMAND_QUEUE)                                            \
	X(CL_INVALID_HOST_PTR)                                                 \
	X(CL_INVALID_MEM_OBJECT)                                               \
	X(CL_INVALID_BINARY)                                                   \
	X(CL_INVALID_BUILD_OPTIONS)                                            \
	X(CL_INVALID_PROGRAM)                                                  \
	X(CL_INVALID_PROGRAM_EXECUTABLE)                                       \
	X(CL_INVALID_KERNEL_NAME)                                              \
	X(CL_INVALID_KERNEL_DEFINITION)                                        \
	X(CL_INVALID_KERNEL)                                                   \
	X(CL_INVALID_ARG_INDEX)                                                \
	X(CL_INVALID_ARG_VALUE)                                                \
	X(CL_INVALID_ARG_SIZE)                                                 \
	X(CL_INVALID_KERNEL_ARGS)                                              \
	X(CL_INVALID_WORK_DIMENSION)                                           \
	X(CL_INVALID_WORK_GROUP_SIZE)                                          \
	X(CL_INVALID_WORK_ITEM_SIZE)                                           \
	X(CL_INVALID_GLOBAL_OFFSET)                                            \
	X(CL_INVALID_EVENT_WAIT_LIST)                                          \
	X(CL_INVALID_EVENT)                                                    \
	X(CL_INVALID_OPERATION)                                                \
	X(CL_INVALID_BUFFER_SIZE)                                              \
	X(CL_INVALID_GLOBAL_WORK_SIZE)                                         \
	X(CL_INVALID_PROPERTY)                                                 \
	X(CL_INVALID_COMPILER_OPTIONS)                                         \
	X(CL_INVALID_LINKER_OPTIONS)

const char *ocl_code_name(cl_int code, char out[32])
{
	switch (code) {
#define NAME_OF(c)                                                             \
	case c:                                                                \
		return #c;
		CODES(NAME_OF)
#undef NAME_OF
	default:
		snprintf(out, 32, "CL error %d", (int)code);
		return out;
	}
}

/* A buffer's size is refused when it is more than the device has. */
int ocl_errno(cl_int code)
{
	switch (code) {
	case CL_OUT_OF_RESOURCES:
	case CL_OUT_OF_HOST_MEMORY:
	case CL_MEM_OBJECT_ALLOCATION_FAILURE:
	case CL_INVALID_BUFFER_SIZE:
		return -ENOMEM;
	case CL_DEVICE_NOT_FOUND:
	case CL_DEVICE_NOT_AVAILABLE:
		return -ENODEV;
	default:
		return -EIO;
	}
}

int ocl_fail(struct arc_ocl_device *dev, const char *call, cl_int code)
{
	char room[32];
	const char *name = ocl_code_name(code, room);

	pthread_mutex_lock(&dev->lock);
	snprintf(dev->why, sizeof(dev->why), "%s: %s", call, name);
	pthread_mutex_unlock(&dev->lock);
	arc_say(dev->diag, ARC_DEBUG, "%s: %s: %s", dev->info.name, call, name);
	return ocl_errno(code);
}

void arc_ocl_why(struct arc_ocl_device *dev, char *out, size_t cap)
{
	pthread_mutex_lock(&dev->lock);
	snprintf(out, cap, "%s", dev->why);
	pthread_mutex_unlock(&dev->lock);
}
