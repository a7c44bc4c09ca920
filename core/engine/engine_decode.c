/* SPDX-License-Identifier: MIT */
/*
 * A lane that decodes. What a device gives for wrong may be: that is found out
 * by doing the same on the CPU. If the device is to blame, it is retired, and
 * all of the batch is done again.
 */
#include "device_decode.h"
#include "device_lane.h"
#include "device_trial.h"

/* What is decoded, what it is decoded from, and tables; and what is lent, of
 * the host, which shall be no more. */
#define TIMES 4

struct decode_lane {
	struct arc_device_lane lane;
	struct arc_device_decoder *decoder;
	struct arc_decode_job job[ARC_ENGINE_BATCH_MAX];
	unsigned n; /* under way */
};

static int make(struct arc_device_lane *lane)
{
	struct decode_lane *l = (struct decode_lane *)lane;
	size_t n = lane->batch * lane->frame_max;

	return arc_device_decoder_new(lane->device->ocl,
				      lane->device->cache_dir, n, n + ARC_MIB,
				      lane->threads, &l->decoder);
}

static int prepare(struct arc_worker *worker)
{
	return arc_device_lane_prepare((struct arc_device_lane *)worker, make);
}

static unsigned takes(struct arc_worker *worker, struct arc_job *const *jobs,
		      unsigned n)
{
	struct decode_lane *l = (struct decode_lane *)worker;

	n = arc_device_lane_takes(&l->lane, n);
	for (unsigned i = 0; i < n; i++) {
		assert(jobs[i]->kind == ARC_JOB_DECODE);
		l->job[i] = jobs[i]->decode;
		l->job[i].pinned = jobs[i]->staged == worker->device;
	}
	n = arc_device_decoder_fits(l->decoder, l->job, n);
	return ARC_MAX(n, 1);
}

static int load(struct arc_worker *worker, struct arc_job *const *jobs,
		unsigned n)
{
	struct decode_lane *l = (struct decode_lane *)worker;

	(void)jobs;
	l->n = n;
	return arc_device_decoder_load(l->decoder, l->job, n);
}

static int run(struct arc_worker *worker)
{
	struct decode_lane *l = (struct decode_lane *)worker;
	double begun = arc_trial_now();
	int err = arc_device_decoder_compute(l->decoder);

	if (!err)
		arc_device_lane_learn(
			&l->lane, l->n,
			arc_device_decoder_figures(l->decoder).launch_ns,
			begun);
	return err;
}

static bool is_empty(const struct arc_segset *set)
{
	for (size_t i = 0; i < ARC_COUNT(set->word); i++) {
		if (set->word[i])
			return false;
	}
	return true;
}

/* Does the job again. -EIO: more of it is right than the device said. */
static int check_bad(struct arc_job *job, const struct arc_segset *bad)
{
	job->err = arc_engine_decode_here(&job->decode);
	if (job->err)
		return 0;
	for (size_t i = 0; i < ARC_COUNT(bad->word); i++) {
		if (bad->word[i] & ~job->decode.bad.word[i])
			return -EIO;
	}
	return 0;
}

static int store(struct arc_worker *worker, struct arc_job *const *jobs,
		 unsigned n)
{
	struct decode_lane *l = (struct decode_lane *)worker;
	int err = arc_device_decoder_store(l->decoder);

	for (unsigned i = 0; i < n && !err; i++) {
		jobs[i]->err = 0;
		jobs[i]->decode.bad = (struct arc_segset){ { 0 } };
		if (is_empty(&l->job[i].bad))
			continue;
		err = check_bad(jobs[i], &l->job[i].bad);
		l->lane.wrong = err != 0;
	}
	return err;
}

static int end(void *lane)
{
	struct decode_lane *l = lane;

	arc_device_decoder_free(l->decoder);
	arc_device_lane_end(&l->lane);
	free(l);
	return 0;
}

static void free_lane(struct arc_worker *worker)
{
	arc_device_lane_free((struct arc_device_lane *)worker, end);
}

static const struct arc_worker_ops ops = {
	.prepare = prepare,
	.lend = arc_device_lane_lend,
	.takes = takes,
	.load = load,
	.run = run,
	.store = store,
	.why = arc_device_lane_why,
	.abandon = arc_device_lane_abandon,
	.free = free_lane,
};

int arc_lane_decode_new(const struct arc_engine_params *params, unsigned i,
			struct arc_device_lane **ret)
{
	struct decode_lane *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	arc_device_lane_init(&l->lane, params, i, ARC_GPU_DECODE, TIMES);
	l->lane.block = arc_record_bound((uint32_t)l->lane.frame_max) +
			ARC_DECODE_SLACK;
	l->lane.worker.ops = &ops;
	*ret = &l->lane;
	return 0;
}
