/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "device_decode.h"
#include "device_lane.h"

/* Jobs at once, where the user says nothing: more would take too much of the
 * host's memory, for every lane holds some of it for each. */
#define BATCH 16

/* Nor shall a device that also draws somebody's screen be gone for longer. */
#define LAUNCH_S 0.05

void arc_device_lane_init(struct arc_device_lane *l,
			  const struct arc_engine_params *params, unsigned i,
			  enum arc_gpu_work work, unsigned times)
{
	struct arc_device *d = params->device[i];
	size_t frame = params->frame_max ? params->frame_max : ARC_FRAME_MAX;
	uint64_t fits = d->memory / ARC_DEVICE_LANES / times / frame;
	uint64_t quick =
		(uint64_t)(d->rate.work[work] * LAUNCH_S / (double)frame);
	uint64_t most = params->batch ? params->batch : ARC_MIN(quick, BATCH);

	l->worker.device = i + 1;
	l->device = d;
	l->threads = params->threads;
	l->share = params->devices_only ? 1 : d->share[work];
	l->frame_max = arc_div_up(frame, ARC_SEGMENT_SIZE) * ARC_SEGMENT_SIZE;
	l->batch = (unsigned)ARC_MAX(ARC_MIN(fits, most), 1);
}

int arc_device_lane_prepare(struct arc_device_lane *l, arc_lane_make make)
{
	int err = make(l);

	while (err == -ENOMEM && l->batch > 1) {
		l->batch /= 2;
		err = make(l);
	}
	return err;
}

unsigned arc_device_lane_takes(const struct arc_device_lane *l, unsigned n)
{
	unsigned most = (unsigned)((double)n * l->share + 0.999);

	return ARC_MAX(ARC_MIN(ARC_MIN(most, l->batch), n), 1);
}

void arc_device_lane_why(struct arc_worker *worker, char *out, size_t cap)
{
	struct arc_device_lane *l = (struct arc_device_lane *)worker;

	if (l->wrong)
		snprintf(out, cap, "%s: it computes wrongly", l->device->name);
	else
		arc_device_why(l->device, out, cap);
}

void arc_device_lane_abandon(struct arc_worker *worker)
{
	arc_ocl_abandon(((struct arc_device_lane *)worker)->device->ocl);
}

void arc_device_lane_free(struct arc_device_lane *l, int (*end)(void *l))
{
	const struct arc_device *d = l->device;

	if (arc_device_release(d, end, l))
		arc_ocl_abandon(d->ocl);
}

int arc_worker_device_new(const struct arc_engine_params *params, unsigned i,
			  struct arc_worker **ret, unsigned *ret_jobs)
{
	struct arc_device_lane *l = NULL;
	int err;

	if (params->work == ARC_JOB_ENCODE)
		err = params->device[i]->encoder->new_lane(params, i, &l);
	else if (params->work == ARC_JOB_DECODE)
		err = arc_lane_decode_new(params, i, &l);
	else
		err = arc_lane_hash_new(params, i, &l);
	if (err)
		return err;
	*ret_jobs = l->batch;
	*ret = &l->worker;
	return 0;
}

bool arc_engine_devices_decode(const struct arc_record *r)
{
	return arc_device_decodes(r);
}
