/* SPDX-License-Identifier: MIT */
/*
 * ocl_list - which devices there are. A driver that answers nonsense or an
 * error takes away its own devices and nobody else's.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ocl_i.h"

/* The loader's code for "no driver is installed", of cl_khr_icd. */
#define PLATFORM_NOT_FOUND (-1001)

#define TEXT_ROOM 1024

struct arc_ocl_list {
	struct ocl_found *found;
	unsigned n;
	char why[256];
};

static void leave_out(struct arc_ocl_list *list, const char *who,
		      const char *call, cl_int code)
{
	char room[32];

	snprintf(list->why, sizeof(list->why), "%.100s: %s: %s", who, call,
		 ocl_code_name(code, room));
}

/* Without the spaces at both ends, cut when it is too long. */
static void copy_trimmed(char *out, size_t cap, const char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	n = ARC_MIN(n, cap - 1);
	memcpy(out, text, n);
	out[n] = '\0';
}

static cl_int platform_text(cl_platform_id id, cl_platform_info what, char *out,
			    size_t cap)
{
	char text[TEXT_ROOM] = "";
	cl_int err = clGetPlatformInfo(id, what, sizeof(text) - 1, text, NULL);

	if (!err)
		copy_trimmed(out, cap, text);
	return err;
}

static cl_int device_text(cl_device_id id, cl_device_info what, char *out,
			  size_t cap)
{
	char text[TEXT_ROOM] = "";
	cl_int err = clGetDeviceInfo(id, what, sizeof(text) - 1, text, NULL);

	if (!err)
		copy_trimmed(out, cap, text);
	return err;
}

static cl_int read_texts(cl_device_id id, struct arc_ocl_info *info)
{
	cl_int err =
		device_text(id, CL_DEVICE_NAME, info->name, sizeof(info->name));

	if (!err)
		err = device_text(id, CL_DRIVER_VERSION, info->driver,
				  sizeof(info->driver));
	if (!err)
		err = device_text(id, CL_DEVICE_VERSION, info->version,
				  sizeof(info->version));
	return err;
}

/* What a device is asked for by number. */
struct numbers {
	cl_device_type type;
	cl_bool available;
	cl_bool compiler;
	cl_bool little;
	cl_uint units;
	cl_ulong memory;
	cl_ulong largest;
	cl_ulong local;
	size_t work_group;
};

static cl_int read_numbers(cl_device_id id, struct numbers *ret)
{
	const struct {
		cl_device_info what;
		size_t n;
		void *to;
	} asked[] = {
#define ASKED(what, field) { what, sizeof(ret->field), &ret->field }
		ASKED(CL_DEVICE_TYPE, type),
		ASKED(CL_DEVICE_AVAILABLE, available),
		ASKED(CL_DEVICE_COMPILER_AVAILABLE, compiler),
		ASKED(CL_DEVICE_ENDIAN_LITTLE, little),
		ASKED(CL_DEVICE_MAX_COMPUTE_UNITS, units),
		ASKED(CL_DEVICE_GLOBAL_MEM_SIZE, memory),
		ASKED(CL_DEVICE_MAX_MEM_ALLOC_SIZE, largest),
		ASKED(CL_DEVICE_LOCAL_MEM_SIZE, local),
		ASKED(CL_DEVICE_MAX_WORK_GROUP_SIZE, work_group),
#undef ASKED
	};
	cl_int err = CL_SUCCESS;

	for (size_t i = 0; i < ARC_COUNT(asked) && !err; i++)
		err = clGetDeviceInfo(id, asked[i].what, asked[i].n,
				      asked[i].to, NULL);
	return err;
}

/* Whether it speaks OpenCL 1.2 or later. */
static bool is_new_enough(const char *version)
{
	unsigned major = 0;
	unsigned minor = 0;

	if (sscanf(version, "OpenCL %u.%u", &major, &minor) != 2)
		return false;
	return major > 1 || (major == 1 && minor >= 2);
}

/* Adds the device if it can be worked with. There is room. */
static void add_device(struct arc_ocl_list *list, cl_platform_id platform,
		       const char *platform_name, cl_device_id id)
{
	struct ocl_found *f = &list->found[list->n];
	struct numbers num = { 0 };
	cl_int err;

	*f = (struct ocl_found){ .platform = platform, .id = id };
	err = read_texts(id, &f->info);
	if (!err)
		err = read_numbers(id, &num);
	if (err) {
		leave_out(list, platform_name, "clGetDeviceInfo", err);
		return;
	}
	if (!num.available || !num.compiler ||
	    !is_new_enough(f->info.version)) {
		snprintf(list->why, sizeof(list->why), "%.100s: %s",
			 f->info.name,
			 !num.available	 ? "not available"
			 : !num.compiler ? "has no compiler"
					 : "knows no OpenCL 1.2");
		return;
	}
	copy_trimmed(f->info.platform, sizeof(f->info.platform), platform_name);
	f->info.memory = num.memory;
	f->info.largest = num.largest;
	f->info.local_memory = num.local;
	f->info.work_group = num.work_group;
	f->info.units = num.units;
	f->info.cpu = num.type & CL_DEVICE_TYPE_CPU;
	f->info.little = num.little;
	list->n++;
}

/* -ENOMEM of the host; whatever the platform does wrong is no error. */
static int add_platform(struct arc_ocl_list *list, cl_platform_id platform)
{
	arc_cleanup(arc_freep) cl_device_id *ids = NULL;
	char name[sizeof(list->found->info.platform)] = "a platform";
	struct ocl_found *more;
	cl_uint n = 0;
	cl_int err;

	err = platform_text(platform, CL_PLATFORM_NAME, name, sizeof(name));
	if (err) {
		leave_out(list, name, "clGetPlatformInfo", err);
		return 0;
	}
	err = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &n);
	if (err || n == 0) {
		leave_out(list, name, "clGetDeviceIDs", err);
		return 0;
	}
	ids = calloc(n, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	err = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n, ids, NULL);
	if (err) {
		leave_out(list, name, "clGetDeviceIDs", err);
		return 0;
	}
	more = reallocarray(list->found, (size_t)list->n + n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->found = more;
	for (cl_uint i = 0; i < n; i++)
		add_device(list, platform, name, ids[i]);
	return 0;
}

int arc_ocl_list_new(struct arc_ocl_list **ret)
{
	arc_cleanup(arc_ocl_list_freep) struct arc_ocl_list *list = NULL;
	arc_cleanup(arc_freep) cl_platform_id *platforms = NULL;
	cl_uint n = 0;
	cl_int err;

	list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	err = clGetPlatformIDs(0, NULL, &n);
	if (!err && n > 0) {
		platforms = calloc(n, sizeof(*platforms));
		if (!platforms)
			return -ENOMEM;
		err = clGetPlatformIDs(n, platforms, NULL);
	}
	if (err && err != PLATFORM_NOT_FOUND)
		leave_out(list, "OpenCL", "clGetPlatformIDs", err);
	for (cl_uint i = 0; i < n && !err; i++) {
		int failed = add_platform(list, platforms[i]);

		if (failed < 0)
			return failed;
	}
	*ret = arc_steal(list);
	return 0;
}

void arc_ocl_list_free(struct arc_ocl_list *list)
{
	if (!list)
		return;
	free(list->found);
	free(list);
}

unsigned arc_ocl_count(const struct arc_ocl_list *list)
{
	return list->n;
}

const struct ocl_found *ocl_found_at(const struct arc_ocl_list *list,
				     unsigned i)
{
	return i < list->n ? &list->found[i] : NULL;
}

const struct arc_ocl_info *arc_ocl_at(const struct arc_ocl_list *list,
				      unsigned i)
{
	const struct ocl_found *f = ocl_found_at(list, i);

	return f ? &f->info : NULL;
}

const char *arc_ocl_list_why(const struct arc_ocl_list *list)
{
	return list->why;
}
