/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "device_decode.h"
#include "device_lane.h"
#include "device_trial.h"
#include "staging.h"

/* Jobs at once, where the user says nothing: more would take too much of the
 * host's memory, for every lane holds some of it for each. */
#define BATCH 16

/* Nor shall a device that also draws somebody's screen be gone for longer. The
 * first batch is what it did in that time on trial; then launches tell. */
#define LAUNCH_S 0.05
#define LAUNCH_NS UINT64_C(50000000)
#define HEADROOM 2 /* memory for so many times the first batch */

void arc_device_lane_init(struct arc_device_lane *l,
			  const struct arc_engine_params *params, unsigned i,
			  enum arc_gpu_work work, unsigned times)
{
	struct arc_device *d = params->device[i];
	size_t frame = params->frame_max ? params->frame_max : ARC_FRAME_MAX;
	uint64_t fits = d->memory / ARC_DEVICE_LANES / times / frame;
	uint64_t quick = (uint64_t)ARC_MIN(
		d->rate.work[work] * LAUNCH_S / (double)frame, BATCH);
	uint64_t most = params->batch_max ? params->batch_max : BATCH;

	if (params->batch)
		most = quick = params->batch;
	l->worker.device = i + 1;
	l->device = d;
	l->threads = params->threads;
	l->share = params->devices_only ? 1 : d->share[work];
	l->frame_max = arc_div_up(frame, ARC_SEGMENT_SIZE) * ARC_SEGMENT_SIZE;
	l->obeys = params->batch > 0;
	most = ARC_MIN(most, quick * HEADROOM);
	l->batch = (unsigned)ARC_MAX(ARC_MIN(fits, most), 1);
	l->now = (unsigned)ARC_MAX(ARC_MIN(l->batch, quick), 1);
}

static int take_lent(struct arc_device_lane *l)
{
	int err = 0;

	if (l->block)
		err = arc_ocl_pinned_new(l->device->ocl, l->batch * l->block,
					 &l->lent);
	return err == -ENOMEM ? 0 : err;
}

int arc_device_lane_prepare(struct arc_device_lane *l, arc_lane_make make)
{
	int err = make(l);

	while (err == -ENOMEM && l->batch > 1) {
		l->batch /= 2;
		err = make(l);
	}
	l->now = ARC_MIN(l->now, l->batch);
	return err ? err : take_lent(l);
}

/* ---- memory that is lent -------------------------------------------------- */

struct lent {
	const struct arc_device *device;
	struct arc_ocl_pinned *pinned;
};

static int free_pinned(void *pinned)
{
	arc_ocl_pinned_free(pinned);
	return 0;
}

static void end_lent(void *ctx)
{
	struct lent *t = ctx;

	if (arc_device_release(t->device, free_pinned, t->pinned))
		arc_ocl_abandon(t->device->ocl);
	free(t);
}

/* Without memory for it nothing is lent. */
void arc_device_lane_lend(struct arc_worker *worker,
			  struct arc_staging *staging)
{
	struct arc_device_lane *l = (struct arc_device_lane *)worker;
	struct lent *t = l->lent ? malloc(sizeof(*t)) : NULL;
	struct arc_staging_area area = {
		.device = worker->device,
		.block = l->block,
		.blocks = l->batch,
		.end = end_lent,
		.ctx = t,
	};

	if (!t)
		return;
	*t = (struct lent){ l->device, arc_steal(l->lent) };
	area.p = arc_ocl_pinned_at(t->pinned);
	arc_staging_add(staging, &area);
}

void arc_device_lane_end(struct arc_device_lane *l)
{
	arc_ocl_pinned_free(l->lent);
}

/* -------------------------------------------------------------------------- */

unsigned arc_device_lane_takes(const struct arc_device_lane *l, unsigned n)
{
	unsigned most = (unsigned)((double)n * l->share + 0.999);

	return ARC_MAX(ARC_MIN(ARC_MIN(most, l->now), n), 1);
}

void arc_device_lane_learn(struct arc_device_lane *l, unsigned n,
			   uint64_t launch_ns, double begun)
{
	if (l->obeys || n == 0)
		return;
	if (launch_ns == 0)
		launch_ns = (uint64_t)((arc_trial_now() - begun) * 1e9);
	if (launch_ns > LAUNCH_NS)
		l->now = ARC_MAX(ARC_MIN(n, l->now) / 2, 1);
	else if (n == l->now && n < l->batch &&
		 launch_ns + launch_ns / n <= LAUNCH_NS)
		l->now++;
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
