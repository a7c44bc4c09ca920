/* SPDX-License-Identifier: MIT */
/*
 * ocl_device - opening a device, closing it, giving it up.
 *
 * A device that was given up is never touched again: the thread that hangs in
 * its driver may hold any of the driver's locks. So its calls end with -ENODEV
 * and releasing what was made from it does nothing, which lets the owners of
 * those things go on as if nothing had happened.
 */
#include <string.h>

#include "ocl_i.h"

static atomic_bool any_abandoned;

int ocl_alive(const struct arc_ocl_device *dev)
{
	return atomic_load(&dev->abandoned) ? -ENODEV : 0;
}

void arc_ocl_abandon(struct arc_ocl_device *dev)
{
	if (dev)
		atomic_store(&dev->abandoned, true);
	atomic_store(&any_abandoned, true);
}

bool arc_ocl_any_abandoned(void)
{
	return atomic_load(&any_abandoned);
}

/* A driver tells more than its codes do; called from a thread of its own. */
static void CL_CALLBACK hear_driver(const char *text, const void *data,
				    size_t n, void *ctx)
{
	struct arc_ocl_device *dev = ctx;

	(void)data;
	(void)n;
	if (ocl_alive(dev) == 0)
		arc_say(dev->diag, ARC_DEBUG, "%s: %.500s", dev->info.name,
			text);
}

static int make_context(struct arc_ocl_device *dev, cl_platform_id platform)
{
	const cl_context_properties properties[] = {
		CL_CONTEXT_PLATFORM, (cl_context_properties)platform, 0
	};
	cl_int err;

	dev->context = clCreateContext(properties, 1, &dev->id, hear_driver,
				       dev, &err);
	if (!dev->context)
		return ocl_fail(dev, "clCreateContext", err);
	dev->house = clCreateCommandQueue(dev->context, dev->id, 0, &err);
	if (!dev->house)
		return ocl_fail(dev, "clCreateCommandQueue", err);
	return 0;
}

int arc_ocl_open(const struct arc_ocl_list *list, unsigned i,
		 struct arc_diag *diag, struct arc_ocl_device **ret)
{
	arc_cleanup(arc_ocl_closep) struct arc_ocl_device *dev = NULL;
	const struct ocl_found *found = ocl_found_at(list, i);
	int err;

	if (!found)
		return -ENODEV;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	pthread_mutex_init(&dev->lock, NULL);
	dev->info = found->info;
	dev->id = found->id;
	dev->diag = diag;
	err = make_context(dev, found->platform);
	if (err < 0)
		return err;
	*ret = arc_steal(dev);
	return 0;
}

void arc_ocl_close(struct arc_ocl_device *dev)
{
	if (!dev || ocl_alive(dev) < 0)
		return;
	if (dev->house)
		clReleaseCommandQueue(dev->house);
	if (dev->context)
		clReleaseContext(dev->context);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

const struct arc_ocl_info *arc_ocl_info(const struct arc_ocl_device *dev)
{
	return &dev->info;
}

uint64_t arc_ocl_in_use(const struct arc_ocl_device *dev)
{
	return atomic_load(&dev->in_use);
}
