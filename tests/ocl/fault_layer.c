/* SPDX-License-Identifier: MIT */
/*
 * fault_layer - a layer between the ICD loader and the drivers that makes
 * calls fail: OPENCL_LAYERS=.../libfault_layer.so. Intercepts every call that
 * core/ocl makes, counts them from 1 and does what the environment orders:
 *
 *	ARC_FAULT_CALL=n	call n answers CL_OUT_OF_RESOURCES. It is not
 *				made, but for releases, which are; a question
 *				for the state of an event is answered with a
 *				command that has failed
 *	ARC_FAULT_FLIP=n	the n-th read of a buffer has one bit flipped
 *				in its middle
 *	ARC_FAULT_SLOW=n	launches seem to have taken n ms longer
 *	ARC_FAULT_HANG=n	call n never returns
 *	ARC_FAULT_HANG_IN=name	nor does any call of that name
 *	ARC_FAULT_COUNT=file	at exit: "CALLS LIVE READS NAME", one line: calls
 *				made, objects and mappings of the driver that
 *				were made and not released, reads of buffers,
 *				and the call that was made to fail (or "-")
 */
#include <CL/cl_layer.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const cl_icd_dispatch *next;
	cl_icd_dispatch table;
	unsigned long fail_at;
	unsigned long flip_at;
	unsigned long hang_at;
	unsigned long slow_ms;
	const char *hang_in;
	atomic_ulong calls;
	atomic_ulong reads;
	atomic_long live;
	_Atomic(const char *) failed;
} layer;

/* Counts a call and tells whether it fails. */
static int strikes(const char *name)
{
	unsigned long n = atomic_fetch_add(&layer.calls, 1) + 1;

	while (n == layer.hang_at ||
	       (layer.hang_in && strcmp(name, layer.hang_in) == 0))
		pause();
	if (n != layer.fail_at)
		return 0;
	atomic_store(&layer.failed, name);
	return 1;
}

/* ---- calls that answer a code -------------------------------------------- */

#define ANSWERS_CODE(name, params, args)                                       \
	static cl_int CL_API_CALL faulty_##name params                         \
	{                                                                      \
		return strikes(#name) ? CL_OUT_OF_RESOURCES                    \
				      : layer.next->name args;                 \
	}

ANSWERS_CODE(clGetPlatformIDs, (cl_uint n, cl_platform_id *to, cl_uint *ret_n),
	     (n, to, ret_n))
ANSWERS_CODE(clGetPlatformInfo,
	     (cl_platform_id id, cl_platform_info what, size_t n, void *to,
	      size_t *ret_n),
	     (id, what, n, to, ret_n))
ANSWERS_CODE(clGetDeviceIDs,
	     (cl_platform_id id, cl_device_type type, cl_uint n,
	      cl_device_id *to, cl_uint *ret_n),
	     (id, type, n, to, ret_n))
ANSWERS_CODE(clGetDeviceInfo,
	     (cl_device_id id, cl_device_info what, size_t n, void *to,
	      size_t *ret_n),
	     (id, what, n, to, ret_n))
ANSWERS_CODE(clFlush, (cl_command_queue q), (q))
ANSWERS_CODE(clFinish, (cl_command_queue q), (q))
ANSWERS_CODE(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))
ANSWERS_CODE(clBuildProgram,
	     (cl_program program, cl_uint n, const cl_device_id *ids,
	      const char *options,
	      void(CL_CALLBACK *notify)(cl_program, void *), void *ctx),
	     (program, n, ids, options, notify, ctx))
ANSWERS_CODE(clGetProgramBuildInfo,
	     (cl_program program, cl_device_id id, cl_program_build_info what,
	      size_t n, void *to, size_t *ret_n),
	     (program, id, what, n, to, ret_n))
ANSWERS_CODE(clGetProgramInfo,
	     (cl_program program, cl_program_info what, size_t n, void *to,
	      size_t *ret_n),
	     (program, what, n, to, ret_n))
ANSWERS_CODE(clSetKernelArg,
	     (cl_kernel kernel, cl_uint i, size_t n, const void *p),
	     (kernel, i, n, p))
static cl_int CL_API_CALL faulty_clGetEventProfilingInfo(cl_event event,
							 cl_profiling_info what,
							 size_t n, void *to,
							 size_t *ret_n)
{
	cl_ulong ns;
	cl_int err;

	if (strikes("clGetEventProfilingInfo"))
		return CL_OUT_OF_RESOURCES;
	err = layer.next->clGetEventProfilingInfo(event, what, n, to, ret_n);
	if (err || what != CL_PROFILING_COMMAND_END || n != sizeof(ns) || !to)
		return err;
	memcpy(&ns, to, sizeof(ns));
	ns += layer.slow_ms * 1000000;
	memcpy(to, &ns, sizeof(ns));
	return err;
}

static cl_int CL_API_CALL faulty_clGetEventInfo(cl_event event,
						cl_event_info what, size_t n,
						void *to, size_t *ret_n)
{
	const cl_int status = CL_OUT_OF_RESOURCES;

	if (!strikes("clGetEventInfo"))
		return layer.next->clGetEventInfo(event, what, n, to, ret_n);
	if (what != CL_EVENT_COMMAND_EXECUTION_STATUS || n != sizeof(status))
		return CL_OUT_OF_RESOURCES;
	memcpy(to, &status, sizeof(status));
	return CL_SUCCESS;
}

/* ---- releases: made in any case ------------------------------------------ */

#define RELEASES(name, type)                                                   \
	static cl_int CL_API_CALL faulty_##name(type object)                   \
	{                                                                      \
		int struck = strikes(#name);                                   \
		cl_int err = layer.next->name(object);                         \
                                                                               \
		if (!err)                                                      \
			atomic_fetch_sub(&layer.live, 1);                      \
		return struck ? CL_OUT_OF_RESOURCES : err;                     \
	}

RELEASES(clReleaseContext, cl_context)
RELEASES(clReleaseCommandQueue, cl_command_queue)
RELEASES(clReleaseMemObject, cl_mem)
RELEASES(clReleaseProgram, cl_program)
RELEASES(clReleaseKernel, cl_kernel)
RELEASES(clReleaseEvent, cl_event)

static cl_int CL_API_CALL faulty_clEnqueueUnmapMemObject(cl_command_queue q,
							 cl_mem mem, void *p,
							 cl_uint n,
							 const cl_event *wait,
							 cl_event *ret)
{
	int struck = strikes("clEnqueueUnmapMemObject");
	cl_int err =
		layer.next->clEnqueueUnmapMemObject(q, mem, p, n, wait, ret);

	if (!err)
		atomic_fetch_sub(&layer.live, 1);
	return struck ? CL_OUT_OF_RESOURCES : err;
}

/* ---- calls that make something ------------------------------------------- */

static void count_made(const void *object)
{
	if (object)
		atomic_fetch_add(&layer.live, 1);
}

#define MAKES(type, name, params, args)                                        \
	static type CL_API_CALL faulty_##name params                           \
	{                                                                      \
		type made = NULL;                                              \
                                                                               \
		if (strikes(#name)) {                                          \
			*err = CL_OUT_OF_RESOURCES;                            \
			return NULL;                                           \
		}                                                              \
		made = layer.next->name args;                                  \
		count_made(made);                                              \
		return made;                                                   \
	}

MAKES(cl_context, clCreateContext,
      (const cl_context_properties *properties, cl_uint n,
       const cl_device_id *ids,
       void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *),
       void *ctx, cl_int *err),
      (properties, n, ids, notify, ctx, err))
MAKES(cl_command_queue, clCreateCommandQueue,
      (cl_context context, cl_device_id id,
       cl_command_queue_properties properties, cl_int *err),
      (context, id, properties, err))
MAKES(cl_mem, clCreateBuffer,
      (cl_context context, cl_mem_flags flags, size_t n, void *p, cl_int *err),
      (context, flags, n, p, err))
MAKES(cl_program, clCreateProgramWithSource,
      (cl_context context, cl_uint n, const char **texts, const size_t *lengths,
       cl_int *err),
      (context, n, texts, lengths, err))
MAKES(cl_program, clCreateProgramWithBinary,
      (cl_context context, cl_uint n, const cl_device_id *ids,
       const size_t *lengths, const unsigned char **binaries, cl_int *status,
       cl_int *err),
      (context, n, ids, lengths, binaries, status, err))
MAKES(cl_kernel, clCreateKernel,
      (cl_program program, const char *name, cl_int *err), (program, name, err))

static void *CL_API_CALL faulty_clEnqueueMapBuffer(
	cl_command_queue q, cl_mem mem, cl_bool blocking, cl_map_flags flags,
	size_t off, size_t n, cl_uint waits, const cl_event *wait,
	cl_event *ret, cl_int *err)
{
	void *p;

	if (strikes("clEnqueueMapBuffer")) {
		*err = CL_OUT_OF_RESOURCES;
		return NULL;
	}
	p = layer.next->clEnqueueMapBuffer(q, mem, blocking, flags, off, n,
					   waits, wait, ret, err);
	count_made(p);
	return p;
}

/* ---- commands ------------------------------------------------------------ */

#define ENQUEUES(name, params, args)                                           \
	static cl_int CL_API_CALL faulty_##name params                         \
	{                                                                      \
		cl_int err;                                                    \
                                                                               \
		if (strikes(#name))                                            \
			return CL_OUT_OF_RESOURCES;                            \
		err = layer.next->name args;                                   \
		count_made(!err && ret ? *ret : NULL);                         \
		return err;                                                    \
	}

ENQUEUES(clEnqueueWriteBuffer,
	 (cl_command_queue q, cl_mem mem, cl_bool blocking, size_t off,
	  size_t n, const void *p, cl_uint waits, const cl_event *wait,
	  cl_event *ret),
	 (q, mem, blocking, off, n, p, waits, wait, ret))
ENQUEUES(clEnqueueFillBuffer,
	 (cl_command_queue q, cl_mem mem, const void *pattern, size_t width,
	  size_t off, size_t n, cl_uint waits, const cl_event *wait,
	  cl_event *ret),
	 (q, mem, pattern, width, off, n, waits, wait, ret))
ENQUEUES(clEnqueueNDRangeKernel,
	 (cl_command_queue q, cl_kernel kernel, cl_uint dimensions,
	  const size_t *offset, const size_t *global, const size_t *local,
	  cl_uint waits, const cl_event *wait, cl_event *ret),
	 (q, kernel, dimensions, offset, global, local, waits, wait, ret))

/* A read that gets its bit flipped is waited for here, so that the bit is
 * flipped behind the driver's back and not overwritten by it. */
static cl_int CL_API_CALL faulty_clEnqueueReadBuffer(
	cl_command_queue q, cl_mem mem, cl_bool blocking, size_t off, size_t n,
	void *p, cl_uint waits, const cl_event *wait, cl_event *ret)
{
	int flips = atomic_fetch_add(&layer.reads, 1) + 1 == layer.flip_at;
	cl_int err;

	if (strikes("clEnqueueReadBuffer"))
		return CL_OUT_OF_RESOURCES;
	err = layer.next->clEnqueueReadBuffer(q, mem,
					      flips ? CL_TRUE : blocking, off,
					      n, p, waits, wait, ret);
	count_made(!err && ret ? *ret : NULL);
	if (!err && flips)
		((uint8_t *)p)[n / 2] ^= 1;
	return err;
}

/* ---- the layer itself ---------------------------------------------------- */

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t n,
					       void *to, size_t *ret_n)
{
	static const char name[] = "arcfs fault layer";
	const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
	const void *from =
		what == CL_LAYER_API_VERSION ? (const void *)&version : name;
	size_t size =
		what == CL_LAYER_API_VERSION ? sizeof(version) : sizeof(name);

	if (what != CL_LAYER_API_VERSION && what != CL_LAYER_NAME)
		return CL_INVALID_VALUE;
	if (to && n < size)
		return CL_INVALID_VALUE;
	if (to)
		memcpy(to, from, size);
	if (ret_n)
		*ret_n = size;
	return CL_SUCCESS;
}

static unsigned long order(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static void put_faults(cl_icd_dispatch *table)
{
#define PUT(name) table->name = faulty_##name
	PUT(clGetPlatformIDs);
	PUT(clGetPlatformInfo);
	PUT(clGetDeviceIDs);
	PUT(clGetDeviceInfo);
	PUT(clCreateContext);
	PUT(clReleaseContext);
	PUT(clCreateCommandQueue);
	PUT(clReleaseCommandQueue);
	PUT(clCreateBuffer);
	PUT(clReleaseMemObject);
	PUT(clCreateProgramWithSource);
	PUT(clCreateProgramWithBinary);
	PUT(clBuildProgram);
	PUT(clGetProgramBuildInfo);
	PUT(clGetProgramInfo);
	PUT(clReleaseProgram);
	PUT(clCreateKernel);
	PUT(clReleaseKernel);
	PUT(clSetKernelArg);
	PUT(clEnqueueWriteBuffer);
	PUT(clEnqueueReadBuffer);
	PUT(clEnqueueFillBuffer);
	PUT(clEnqueueNDRangeKernel);
	PUT(clEnqueueMapBuffer);
	PUT(clEnqueueUnmapMemObject);
	PUT(clFlush);
	PUT(clFinish);
	PUT(clWaitForEvents);
	PUT(clGetEventInfo);
	PUT(clGetEventProfilingInfo);
	PUT(clReleaseEvent);
#undef PUT
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint n,
					    const cl_icd_dispatch *next,
					    cl_uint *ret_n,
					    const cl_icd_dispatch **ret)
{
	const size_t entries = sizeof(layer.table) / sizeof(void *);

	if (n < entries)
		return CL_INVALID_VALUE;
	layer.next = next;
	layer.table = *next;
	layer.fail_at = order("ARC_FAULT_CALL");
	layer.flip_at = order("ARC_FAULT_FLIP");
	layer.hang_at = order("ARC_FAULT_HANG");
	layer.slow_ms = order("ARC_FAULT_SLOW");
	layer.hang_in = getenv("ARC_FAULT_HANG_IN");
	put_faults(&layer.table);
	*ret_n = (cl_uint)entries;
	*ret = &layer.table;
	return CL_SUCCESS;
}

__attribute__((destructor)) static void write_counts(void)
{
	const char *path = getenv("ARC_FAULT_COUNT");
	const char *failed = atomic_load(&layer.failed);
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%lu %ld %lu %s\n", atomic_load(&layer.calls),
		atomic_load(&layer.live), atomic_load(&layer.reads),
		failed ? failed : "-");
	fclose(f);
}
