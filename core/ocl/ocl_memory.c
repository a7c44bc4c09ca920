/* SPDX-License-Identifier: MIT */
/*
 * ocl_memory - memory of the device, and of the host where the driver likes it
 * best.
 *
 * Pinned memory is a buffer that stays mapped all its life and is never given
 * to a kernel: that is how OpenCL hands out memory which the device's copy
 * engine reaches by itself. Mapping needs a queue; the device has one for
 * that.
 */
#include <assert.h>

#include "ocl_i.h"

int arc_ocl_buffer_new(struct arc_ocl_device *dev, size_t n,
		       struct arc_ocl_buffer **ret)
{
	arc_cleanup(arc_freep) struct arc_ocl_buffer *buffer = NULL;
	int dead = ocl_alive(dev);
	cl_int err;

	assert(n > 0);
	if (dead < 0)
		return dead;
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return -ENOMEM;
	buffer->dev = dev;
	buffer->n = n;
	buffer->mem =
		clCreateBuffer(dev->context, CL_MEM_READ_WRITE, n, NULL, &err);
	if (!buffer->mem)
		return ocl_fail(dev, "clCreateBuffer", err);
	atomic_fetch_add(&dev->in_use, n);
	*ret = arc_steal(buffer);
	return 0;
}

void arc_ocl_buffer_free(struct arc_ocl_buffer *buffer)
{
	if (!buffer || ocl_alive(buffer->dev) < 0)
		return;
	clReleaseMemObject(buffer->mem);
	atomic_fetch_sub(&buffer->dev->in_use, buffer->n);
	free(buffer);
}

size_t arc_ocl_buffer_size(const struct arc_ocl_buffer *buffer)
{
	return buffer->n;
}

struct arc_ocl_pinned {
	struct arc_ocl_device *dev;
	cl_mem mem;
	void *p; /* NULL until it is mapped */
};

int arc_ocl_pinned_new(struct arc_ocl_device *dev, size_t n,
		       struct arc_ocl_pinned **ret)
{
	arc_cleanup(arc_ocl_pinned_freep) struct arc_ocl_pinned *pinned = NULL;
	int dead = ocl_alive(dev);
	cl_int err;

	assert(n > 0);
	if (dead < 0)
		return dead;
	pinned = calloc(1, sizeof(*pinned));
	if (!pinned)
		return -ENOMEM;
	pinned->dev = dev;
	pinned->mem = clCreateBuffer(dev->context,
				     CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
				     n, NULL, &err);
	if (!pinned->mem)
		return ocl_fail(dev, "clCreateBuffer", err);
	pinned->p = clEnqueueMapBuffer(dev->house, pinned->mem, CL_TRUE,
				       CL_MAP_READ | CL_MAP_WRITE, 0, n, 0,
				       NULL, NULL, &err);
	if (!pinned->p)
		return ocl_fail(dev, "clEnqueueMapBuffer", err);
	*ret = arc_steal(pinned);
	return 0;
}

/* The driver keeps the memory until it has been unmapped, so that is waited
 * for. */
void arc_ocl_pinned_free(struct arc_ocl_pinned *pinned)
{
	if (!pinned || ocl_alive(pinned->dev) < 0)
		return;
	if (pinned->p) {
		clEnqueueUnmapMemObject(pinned->dev->house, pinned->mem,
					pinned->p, 0, NULL, NULL);
		clFinish(pinned->dev->house);
	}
	if (pinned->mem)
		clReleaseMemObject(pinned->mem);
	free(pinned);
}

void *arc_ocl_pinned_at(const struct arc_ocl_pinned *pinned)
{
	return pinned->p;
}
