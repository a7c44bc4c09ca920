/* SPDX-License-Identifier: MIT */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "guard.h"

/* A device that is not clearly faster is not worth its memory and its noise. */
#define FASTER 1.2

/* Programs are built in it; a driver that takes longer hangs. */
#define TRIAL_MS 180000
#define LIST_MS 30000

/* Why a device need not be looked at any closer; NULL: it must be. */
static const char *reason_against(const struct arc_gpu_options *opt,
				  const struct arc_gpu_device *d)
{
	if (opt->mode == ARC_GPU_OFF)
		return "devices are switched off";
	if (!arc_gpu_is_listed(opt, d->number, &d->info))
		return "not among those asked for";
	if (!d->info.little)
		return "its byte order is not the one supported";
	if (opt->mode == ARC_GPU_AUTO && d->info.cpu)
		return "it is made of CPU cores, which do better without it";
	return NULL;
}

static double speedup(const struct arc_gpu_device *d,
		      const struct arc_gpu_rates *cpu, enum arc_gpu_work work)
{
	return cpu->work[work] > 0 ? d->rate.work[work] / cpu->work[work] : 0;
}

/* "hash 3.10, encode 2.00 times as fast as the CPU" */
static void tell_speed(const struct arc_gpu_purpose *purpose,
		       const struct arc_gpu_rates *cpu,
		       struct arc_gpu_device *d)
{
	static const char *const names[ARC_GPU_WORKS] = {
		[ARC_GPU_HASH] = "hash",
		[ARC_GPU_ENCODE] = "encode",
		[ARC_GPU_DECODE] = "decode",
	};
	const char *sep = "";
	size_t n = 0;

	for (unsigned i = 0; i < ARC_GPU_WORKS; i++) {
		if (!purpose->work[i])
			continue;
		n += (size_t)snprintf(d->why + n, sizeof(d->why) - n,
				      "%s%s %.2f", sep, names[i],
				      speedup(d, cpu, i));
		sep = ", ";
	}
	snprintf(d->why + n, sizeof(d->why) - n, " times as fast as the CPU");
}

/* One device on trial. A driver may hang: then this is left to it. */
struct trial {
	const struct arc_ocl_list *list;
	unsigned number;
	struct arc_gpu_options opt;
	struct arc_gpu_purpose purpose;
	struct arc_encoder_params coding;
	struct arc_device *device;
	struct arc_gpu_rates rate, cpu;
};

static int open_and_try(void *ctx)
{
	struct trial *t = ctx;
	int err = arc_device_open(t->list, t->number, &t->opt,
				  t->purpose.encoder, NULL, &t->device);

	return err ? err
		   : arc_device_try(t->device, &t->purpose, &t->rate, &t->cpu);
}

static struct trial *new_trial(const struct arc_ocl_list *list, unsigned number,
			       const struct arc_gpu_options *opt,
			       const struct arc_gpu_purpose *purpose)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->list = list;
	t->number = number;
	t->opt = *opt;
	t->purpose = *purpose;
	if (purpose->coding) {
		t->coding = *purpose->coding;
		t->purpose.coding = &t->coding;
	}
	return t;
}

static void explain(struct arc_gpu_device *d, struct arc_device *device)
{
	if (d->err == -EBADMSG)
		snprintf(d->why, sizeof(d->why), "it computes wrongly");
	else if (d->err == -ECANCELED)
		snprintf(d->why, sizeof(d->why), "it does not answer");
	else if (device)
		arc_ocl_why(device->ocl, d->why, sizeof(d->why));
	if (!d->why[0])
		snprintf(d->why, sizeof(d->why), "%s", arc_error_text(d->err));
}

/* Takes the trial's results, and the device if it is to be used. */
static void conclude(struct trial *t, bool wanted, struct arc_gpu *gpu,
		     struct arc_gpu_device *d)
{
	bool used = false;

	d->rate = t->rate;
	gpu->cpu = t->cpu;
	if (!wanted)
		return;
	t->device->rate = t->rate;
	tell_speed(&t->purpose, &t->cpu, d);
	for (unsigned i = 0; i < ARC_GPU_WORKS; i++) {
		struct arc_gpu_set *set = &gpu->used[i];
		double times = speedup(d, &t->cpu, i);

		if (!t->purpose.work[i] ||
		    (t->opt.mode != ARC_GPU_FORCE && times < FASTER))
			continue;
		t->device->share[i] = times / (times + 1);
		set->device[set->count++] = t->device;
		used = true;
	}
	if (used)
		d->device = arc_steal(t->device);
}

/* Opens and tries one; it stays open when it is used. */
static int look_at(const struct arc_ocl_list *list,
		   const struct arc_gpu_options *opt,
		   const struct arc_gpu_purpose *purpose, bool all,
		   struct arc_diag *diag, struct arc_gpu *gpu,
		   struct arc_gpu_device *d)
{
	const char *against = reason_against(opt, d);
	struct trial *t;

	if (against)
		snprintf(d->why, sizeof(d->why), "%s", against);
	if (against && !(all && d->info.little))
		return 0;
	t = new_trial(list, d->number, opt, purpose);
	if (!t)
		return -ENOMEM;
	d->tried = true;
	d->err = arc_guard(open_and_try, t,
			   opt->timeout_ms ? opt->timeout_ms : TRIAL_MS);
	if (d->err == -ECANCELED) {
		arc_ocl_abandon(NULL); /* t is its thread's */
		explain(d, NULL);
		return 0;
	}
	if (t->device)
		t->device->diag = diag;
	if (d->err)
		explain(d, t->device);
	else
		conclude(t, !against, gpu, d);
	arc_device_close(t->device);
	free(t);
	return 0;
}

/* What was asked for and is not to be had is worth a warning. */
static void say(const struct arc_gpu_options *opt,
		const struct arc_gpu_device *d, struct arc_diag *diag)
{
	bool missed = opt->mode == ARC_GPU_FORCE && !d->device &&
		      arc_gpu_is_listed(opt, d->number, &d->info);

	arc_say(diag, missed ? ARC_WARN : ARC_INFO, "device %u, %s: %s: %s",
		d->number, d->info.name, d->device ? "used" : "not used",
		d->why);
}

/* Devices that could not even be asked are in no list. */
static void say_left_out(const struct arc_gpu_options *opt,
			 const struct arc_ocl_list *list, struct arc_diag *diag)
{
	const char *why = list ? arc_ocl_list_why(list) : "";

	if (*why)
		arc_say(diag, opt->mode == ARC_GPU_FORCE ? ARC_WARN : ARC_INFO,
			"a device was left out: %s", why);
}

static int new_gpu(const struct arc_ocl_list *list, struct arc_gpu **ret)
{
	arc_cleanup(arc_gpu_freep) struct arc_gpu *gpu =
		calloc(1, sizeof(*gpu));
	unsigned n = list ? arc_ocl_count(list) : 0;

	if (!gpu)
		return -ENOMEM;
	gpu->device = calloc((size_t)n + 1, sizeof(*gpu->device));
	if (!gpu->device)
		return -ENOMEM;
	for (size_t i = 0; i < ARC_GPU_WORKS; i++) {
		gpu->used[i].device =
			calloc((size_t)n + 1, sizeof(struct arc_device *));
		if (!gpu->used[i].device)
			return -ENOMEM;
	}
	for (; gpu->count < n; gpu->count++) {
		gpu->device[gpu->count].number = gpu->count;
		gpu->device[gpu->count].info = *arc_ocl_at(list, gpu->count);
	}
	*ret = arc_steal(gpu);
	return 0;
}

/* Whether the kernel knows of a GPU: where there is none, not even the drivers
 * need be loaded, some of which are large. */
static bool is_gpu_likely(void)
{
	static const char *const patterns[] = {
		"/dev/nvidia[0-9]*",
		"/dev/dri/render*",
		"/dev/kfd",
		"/dev/mali*",
	};
	bool found = false;

	for (size_t i = 0; i < ARC_COUNT(patterns) && !found; i++) {
		glob_t paths;

		if (glob(patterns[i], GLOB_NOSORT, NULL, &paths))
			continue;
		found = paths.gl_pathc > 0;
		globfree(&paths);
	}
	return found;
}

static int make_list(void *ctx)
{
	return arc_ocl_list_new(ctx);
}

/* The devices there are. A loader that hangs keeps the place it writes to. */
static int find_devices(const struct arc_gpu_options *opt,
			struct arc_diag *diag, struct arc_ocl_list **ret)
{
	unsigned ms = opt->timeout_ms ? opt->timeout_ms : LIST_MS;
	struct arc_ocl_list **place = calloc(1, sizeof(struct arc_ocl_list *));
	int err;

	if (!place)
		return -ENOMEM;
	err = arc_guard(make_list, place, ms);
	if (err == -ECANCELED) {
		arc_ocl_abandon(NULL);
		arc_say(diag, ARC_WARN,
			"OpenCL does not answer; going on without it");
		return -ENODEV;
	}
	if (!err)
		*ret = *place;
	free(place);
	return err;
}

static int look_at_all(const struct arc_ocl_list *list,
		       const struct arc_gpu_options *opt,
		       const struct arc_gpu_purpose *purpose, bool all,
		       struct arc_diag *diag, struct arc_gpu *gpu)
{
	for (unsigned i = 0; i < gpu->count; i++) {
		struct arc_gpu_device *d = &gpu->device[i];
		int err = look_at(list, opt, purpose, all, diag, gpu, d);

		if (err)
			return err;
		say(opt, d, diag);
	}
	return 0;
}

static bool is_any_used(const struct arc_gpu *gpu)
{
	for (size_t i = 0; i < ARC_GPU_WORKS; i++) {
		if (gpu->used[i].count)
			return true;
	}
	return false;
}

int arc_gpu_choose(const struct arc_gpu_options *opt,
		   const struct arc_gpu_purpose *purpose, bool all,
		   struct arc_diag *diag, struct arc_gpu **ret)
{
	struct arc_ocl_list *list = NULL;
	arc_cleanup(arc_gpu_freep) struct arc_gpu *gpu = NULL;
	char unknown[64];
	int err = 0;

	if (opt->mode != ARC_GPU_AUTO || all || is_gpu_likely())
		err = find_devices(opt, diag, &list);
	if (err && err != -ENODEV)
		return err;
	err = new_gpu(list, &gpu);
	if (!err)
		err = look_at_all(list, opt, purpose, all, diag, gpu);
	say_left_out(opt, list, diag);
	if (!err && list &&
	    arc_gpu_unknown(opt, list, unknown, sizeof(unknown)))
		arc_say(diag, ARC_WARN, "no device is meant by '%s'", unknown);
	if (!arc_ocl_any_abandoned()) /* or a thread still looks at it */
		arc_ocl_list_free(list);
	if (!err && opt->mode == ARC_GPU_FORCE && !is_any_used(gpu)) {
		arc_say(diag, ARC_ERROR,
			"none of the devices asked for can be used");
		err = -ENODEV;
	}
	if (!err)
		*ret = arc_steal(gpu);
	return err;
}

void arc_gpu_drop(struct arc_gpu *gpu, const struct arc_device *device)
{
	for (size_t i = 0; i < ARC_GPU_WORKS; i++) {
		struct arc_gpu_set *set = &gpu->used[i];
		unsigned kept = 0;

		for (unsigned k = 0; k < set->count; k++) {
			if (set->device[k] != device)
				set->device[kept++] = set->device[k];
		}
		set->count = kept;
	}
}

void arc_gpu_free(struct arc_gpu *gpu)
{
	if (!gpu)
		return;
	for (unsigned i = 0; i < gpu->count; i++)
		arc_device_close(gpu->device[i].device);
	for (size_t i = 0; i < ARC_GPU_WORKS; i++)
		free(gpu->used[i].device);
	free(gpu->device);
	free(gpu);
}
