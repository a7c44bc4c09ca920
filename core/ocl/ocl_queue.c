/* SPDX-License-Identifier: MIT */
/*
 * ocl_queue - what is done on a device, in order.
 *
 * Every command leaves an event. clFinish() alone is not enough: drivers
 * differ in whether it tells that one of the commands failed. The events are
 * asked when the queue has finished; whoever gives more commands than there is
 * room for waits for the oldest.
 */
#include <stdio.h>

#include "ocl_i.h"

#define PENDING 1024

struct pending {
	cl_event event;
	const char *call;
	bool kernel;
};

struct arc_ocl_queue {
	struct arc_ocl_device *dev;
	cl_command_queue queue;
	int err; /* the first that happened, for good */
	/* Of kernels since the last finish, as far as known, and at it. */
	uint64_t ns, finished_ns;
	uint64_t longest, finished_longest;
	size_t first; /* of pending; a ring */
	size_t n;
	struct pending pending[PENDING];
};

int arc_ocl_queue_new(struct arc_ocl_device *dev, struct arc_ocl_queue **ret)
{
	arc_cleanup(arc_freep) struct arc_ocl_queue *q = NULL;
	int dead = ocl_alive(dev);
	cl_int err;

	if (dead < 0)
		return dead;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->dev = dev;
	q->queue = clCreateCommandQueue(dev->context, dev->id,
					CL_QUEUE_PROFILING_ENABLE, &err);
	if (!q->queue && err == CL_INVALID_QUEUE_PROPERTIES)
		q->queue = clCreateCommandQueue(dev->context, dev->id, 0, &err);
	if (!q->queue)
		return ocl_fail(dev, "clCreateCommandQueue", err);
	*ret = arc_steal(q);
	return 0;
}

/* The commands may still be using memory of the host, which its owner frees
 * next. */
void arc_ocl_queue_free(struct arc_ocl_queue *q)
{
	if (!q || ocl_alive(q->dev) < 0)
		return;
	if (q->n > 0)
		clFinish(q->queue);
	for (; q->n > 0; q->n--, q->first++)
		clReleaseEvent(q->pending[q->first % PENDING].event);
	clReleaseCommandQueue(q->queue);
	free(q);
}

static int spoil(struct arc_ocl_queue *q, const char *call, cl_int code)
{
	int err = ocl_fail(q->dev, call, code);

	if (q->err == 0)
		q->err = err;
	return err;
}

/* 0 when the device does not tell. */
static uint64_t duration(cl_event event)
{
	cl_ulong start = 0;
	cl_ulong end = 0;

	if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START,
				    sizeof(start), &start, NULL) ||
	    clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END,
				    sizeof(end), &end, NULL))
		return 0;
	return end > start ? end - start : 0;
}

/* Takes what the oldest command ended with. It has ended. */
static void settle_oldest(struct arc_ocl_queue *q)
{
	struct pending *p = &q->pending[q->first++ % PENDING];
	cl_int status = CL_COMPLETE;
	uint64_t ns = 0;
	cl_int err;

	err = clGetEventInfo(p->event, CL_EVENT_COMMAND_EXECUTION_STATUS,
			     sizeof(status), &status, NULL);
	if (err)
		spoil(q, "clGetEventInfo", err);
	else if (status < 0)
		spoil(q, p->call, status);
	else if (p->kernel)
		ns = duration(p->event);
	q->ns += ns;
	q->longest = ARC_MAX(q->longest, ns);
	clReleaseEvent(p->event);
	q->n--;
}

/* Before each command: whether the queue is good, and room for its event. */
static int begin_command(struct arc_ocl_queue *q)
{
	int dead = ocl_alive(q->dev);
	cl_int err;

	if (dead < 0 || q->err < 0)
		return dead < 0 ? dead : q->err;
	if (q->n < PENDING)
		return 0;
	err = clWaitForEvents(1, &q->pending[q->first % PENDING].event);
	if (err && err != CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
		return spoil(q, "clWaitForEvents", err);
	settle_oldest(q);
	return q->err;
}

static int end_command(struct arc_ocl_queue *q, const char *call, cl_int code,
		       cl_event event, bool kernel)
{
	if (code)
		return spoil(q, call, code);
	q->pending[(q->first + q->n++) % PENDING] = (struct pending){
		.event = event, .call = call, .kernel = kernel
	};
	return 0;
}

int arc_ocl_write(struct arc_ocl_queue *q, struct arc_ocl_buffer *to,
		  size_t off, const void *from, size_t n)
{
	int err = begin_command(q);
	cl_event event = NULL;
	cl_int code;

	if (err < 0 || n == 0)
		return err;
	code = clEnqueueWriteBuffer(q->queue, to->mem, CL_FALSE, off, n, from,
				    0, NULL, &event);
	return end_command(q, "clEnqueueWriteBuffer", code, event, false);
}

int arc_ocl_read(struct arc_ocl_queue *q, struct arc_ocl_buffer *from,
		 size_t off, void *to, size_t n)
{
	int err = begin_command(q);
	cl_event event = NULL;
	cl_int code;

	if (err < 0 || n == 0)
		return err;
	code = clEnqueueReadBuffer(q->queue, from->mem, CL_FALSE, off, n, to, 0,
				   NULL, &event);
	return end_command(q, "clEnqueueReadBuffer", code, event, false);
}

int arc_ocl_fill(struct arc_ocl_queue *q, struct arc_ocl_buffer *to, size_t off,
		 uint32_t word, size_t n)
{
	int err = begin_command(q);
	cl_event event = NULL;
	cl_int code;

	if (err < 0 || n == 0)
		return err;
	code = clEnqueueFillBuffer(q->queue, to->mem, &word, sizeof(word), off,
				   n, 0, NULL, &event);
	return end_command(q, "clEnqueueFillBuffer", code, event, false);
}

static int set_args(struct arc_ocl_queue *q, struct arc_ocl_kernel *kernel,
		    const struct arc_ocl_arg *args, unsigned n)
{
	char call[128];

	for (unsigned i = 0; i < n; i++) {
		const struct arc_ocl_arg *a = &args[i];
		bool value = a->p || a->n > 0;
		cl_mem mem = a->buffer ? a->buffer->mem : NULL;
		cl_int code;

		code = value ? clSetKernelArg(kernel->kernel, i, a->n, a->p)
			     : clSetKernelArg(kernel->kernel, i, sizeof(mem),
					      &mem);
		if (code) {
			snprintf(call, sizeof(call), "clSetKernelArg (%s, %u)",
				 kernel->name, i);
			return spoil(q, call, code);
		}
	}
	return 0;
}

int arc_ocl_run(struct arc_ocl_queue *q, struct arc_ocl_kernel *kernel,
		size_t groups, size_t items, const struct arc_ocl_arg *args,
		unsigned n)
{
	int err = begin_command(q);
	cl_event event = NULL;
	char call[128];
	size_t all;
	cl_int code;

	if (err < 0 || groups == 0)
		return err;
	err = set_args(q, kernel, args, n);
	if (err < 0)
		return err;
	code = CL_INVALID_GLOBAL_WORK_SIZE;
	if (arc_mul_ok(groups, items, &all))
		code = clEnqueueNDRangeKernel(q->queue, kernel->kernel, 1, NULL,
					      &all, &items, 0, NULL, &event);
	if (code) {
		snprintf(call, sizeof(call), "clEnqueueNDRangeKernel (%s)",
			 kernel->name);
		return spoil(q, call, code);
	}
	return end_command(q, "clEnqueueNDRangeKernel", code, event, true);
}

int arc_ocl_flush(struct arc_ocl_queue *q)
{
	int dead = ocl_alive(q->dev);
	cl_int code;

	if (dead < 0 || q->err < 0)
		return dead < 0 ? dead : q->err;
	code = clFlush(q->queue);
	return code ? spoil(q, "clFlush", code) : 0;
}

int arc_ocl_finish(struct arc_ocl_queue *q)
{
	int dead = ocl_alive(q->dev);
	cl_int code;

	if (dead < 0 || q->err < 0)
		return dead < 0 ? dead : q->err;
	code = clFinish(q->queue);
	if (code)
		return spoil(q, "clFinish", code);
	while (q->n > 0)
		settle_oldest(q);
	q->finished_ns = q->ns;
	q->finished_longest = q->longest;
	q->ns = q->longest = 0;
	return q->err;
}

uint64_t arc_ocl_kernel_ns(const struct arc_ocl_queue *q)
{
	return q->finished_ns;
}

uint64_t arc_ocl_longest_ns(const struct arc_ocl_queue *q)
{
	return q->finished_longest;
}
