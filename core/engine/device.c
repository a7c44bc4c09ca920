/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"

/* Where the user says nothing: others have use for a device too. */
#define MEMORY_SHARE_NUM 3
#define MEMORY_SHARE_DEN 4

#define RELEASE_MS 20000

int arc_device_open(const struct arc_ocl_list *list, unsigned i,
		    const struct arc_gpu_options *opt,
		    const struct arc_gpu_encoder *encoder,
		    struct arc_diag *diag, struct arc_device **ret)
{
	arc_cleanup(arc_device_closep) struct arc_device *d =
		calloc(1, sizeof(*d));
	const struct arc_ocl_info *info = arc_ocl_at(list, i);
	int err;

	if (!d)
		return -ENOMEM;
	d->opt = *opt;
	d->encoder = encoder;
	snprintf(d->name, sizeof(d->name), "%s", info->name);
	d->memory = info->memory / MEMORY_SHARE_DEN * MEMORY_SHARE_NUM;
	if (opt->memory)
		d->memory = ARC_MIN(d->memory, opt->memory);
	for (size_t k = 0; k < ARC_GPU_WORKS; k++)
		d->share[k] = 1;
	d->cache_dir = arc_ocl_cache_dir();
	err = arc_ocl_open(list, i, diag, &d->ocl);
	if (err)
		return err;
	*ret = arc_steal(d);
	return 0;
}

int arc_device_release(const struct arc_device *d, int (*fn)(void *ctx),
		       void *ctx)
{
	unsigned ms = d->opt.timeout_ms ? d->opt.timeout_ms : RELEASE_MS;
	int err = arc_guard(fn, ctx, ms);

	if (err == -ECANCELED)
		arc_say(d->diag, ARC_WARN,
			"%s: it does not answer when it is released; "
			"going on without it",
			d->name);
	return err == -ENOMEM ? fn(ctx) : err;
}

static int close_ocl(void *ctx)
{
	arc_ocl_close(ctx);
	return 0;
}

void arc_device_close(struct arc_device *d)
{
	if (!d || arc_ocl_any_abandoned())
		return;
	if (arc_device_release(d, close_ocl, d->ocl)) {
		arc_ocl_abandon(NULL);
		return;
	}
	free(d->cache_dir);
	free(d);
}

void arc_device_why(struct arc_device *d, char *out, size_t cap)
{
	char why[192];

	arc_ocl_why(d->ocl, why, sizeof(why));
	snprintf(out, cap, "%s%s%s", d->name, *why ? ": " : "", why);
}
