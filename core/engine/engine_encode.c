/* SPDX-License-Identifier: MIT */
/*
 * A lane that encodes. What a device has coded is made a record of by the same
 * code as on the CPU, through an encoder that has everything ready; and then
 * decoded and compared, for a device that computes wrongly would otherwise lose
 * what is archived.
 */
#include <stdatomic.h>
#include <string.h>

#include "codec/lzext3_far.h"
#include "device_encode.h"
#include "device_lane.h"
#include "device_trial.h"
#include "pool.h"

/* What arc_device_encoder_new() says, and tables; and what is lent, of the host,
 * which shall be no more. */
#define TIMES 11

struct encode_lane {
	struct arc_device_lane lane;
	struct arc_record_params params; /* with the ready encoder */
	struct arc_device_encoder *encoder;
	struct arc_ocl_pinned *raw; /* of all frames, at whole segments */
	struct arc_encode_frame frame[ARC_ENGINE_BATCH_MAX];
	bool pinned[ARC_ENGINE_BATCH_MAX]; /* frames that lie so that the device
					    * takes them from there */
	unsigned n;
	struct arc_job *const *jobs; /* while they are stored */
	unsigned check; /* every how many-th record is decoded; 0: none */
	atomic_bool wrong;
};

/* ---- the encoder that has everything ready ------------------------------- */

struct ready {
	const struct arc_encode_frame *coded;
	const uint8_t *frame;
};

static int new_ready(const struct arc_encoder_params *params, void **ret)
{
	(void)params;
	*ret = calloc(1, sizeof(struct ready));
	return *ret ? 0 : -ENOMEM;
}

static void plan_ready(void *state, struct arc_span frame,
		       struct arc_frame_plan *plan)
{
	struct ready *r = state;

	r->frame = frame.p;
	plan->group_log = r->coded->group_log;
}

static void begin_ready(void *state, const uint8_t *base, size_t n)
{
	(void)state;
	(void)base;
	(void)n;
}

static size_t encode_ready(void *state, const uint8_t *base, size_t off,
			   size_t n, uint8_t *out, size_t cap,
			   struct arc_segment *seg)
{
	const struct ready *r = state;
	size_t s = ((size_t)(base - r->frame) + off) >> ARC_SEGMENT_LOG;
	const struct arc_encoded_segment *coded = &r->coded->segment[s];

	(void)n;
	if (coded->size == 0 || coded->size > cap)
		return 0;
	memcpy(out, r->coded->coded + coded->offset, coded->size);
	memcpy(seg->ext, &coded->ext, sizeof(coded->ext));
	return coded->size;
}

static const struct arc_encoder ready_encoder = {
	.name = "lzext3",
	.about = "LZ-EXT3, coded by a device",
	.id = ARC_CODEC_LZEXT3,
	.entry_size =
		ARC_ENTRY_SIZE_MIN + offsetof(struct arc_disk_lzext3, far),
	.new_state = new_ready,
	.free_state = free,
	.plan = plan_ready,
	.begin = begin_ready,
	.encode = encode_ready,
};

/* ---- before and on the device -------------------------------------------- */

static int make(struct arc_device_lane *lane)
{
	struct encode_lane *l = (struct encode_lane *)lane;
	size_t n = lane->batch * lane->frame_max;
	int err = arc_device_encoder_new(lane->device->ocl,
					 lane->device->cache_dir,
					 &l->params.codec, n, &l->encoder);

	if (!err)
		err = arc_ocl_pinned_new(lane->device->ocl, n, &l->raw);
	if (err)
		arc_device_encoder_free(arc_steal(l->encoder));
	return err;
}

static int prepare(struct arc_worker *worker)
{
	return arc_device_lane_prepare((struct arc_device_lane *)worker, make);
}

static unsigned takes(struct arc_worker *worker, struct arc_job *const *jobs,
		      unsigned n)
{
	(void)jobs;
	return arc_device_lane_takes((struct arc_device_lane *)worker, n);
}

/* As the encoder of the CPU chooses it. */
static int choose_reach(struct arc_encode_frame *f)
{
	struct lzx_far *far = NULL;
	int err = lzx_far_new(0, true, f->group_log, &far);

	if (err)
		return err;
	f->group_log = lzx_far_reach(far, f->raw, f->group_log);
	lzx_far_free(far);
	return 0;
}

static int copy_raw(void *ctx, uint64_t i)
{
	struct encode_lane *l = ctx;
	uint8_t *raw = arc_ocl_pinned_at(l->raw);

	if (l->params.codec.group_auto) {
		int err = choose_reach(&l->frame[i]);

		if (err)
			return err;
	}
	if (l->pinned[i])
		return 0;
	raw += i * l->lane.frame_max;
	memcpy(raw, l->frame[i].raw.p, l->frame[i].raw.n);
	l->frame[i].raw.p = raw;
	return 0;
}

static int load(struct arc_worker *worker, struct arc_job *const *jobs,
		unsigned n)
{
	struct encode_lane *l = (struct encode_lane *)worker;

	for (unsigned i = 0; i < n; i++) {
		assert(jobs[i]->kind == ARC_JOB_ENCODE);
		l->frame[i] = (struct arc_encode_frame){
			.raw = jobs[i]->encode.in,
			.group_log = l->params.codec.group_log,
		};
		l->pinned[i] = jobs[i]->staged == worker->device;
	}
	l->n = n;
	return arc_parallel_each(l->lane.threads, n, copy_raw, l);
}

static int run(struct arc_worker *worker)
{
	struct encode_lane *l = (struct encode_lane *)worker;

	double begun = arc_trial_now();
	int err = arc_device_encoder_run(l->encoder, l->frame, l->n);

	if (!err)
		arc_device_lane_learn(
			&l->lane, l->n,
			arc_device_encoder_figures(l->encoder).launch_ns,
			begun);
	return err;
}

/* ---- records ------------------------------------------------------------- */

static int make_record(struct encode_lane *l, struct arc_encode_job *job,
		       const struct arc_encode_frame *coded)
{
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	struct ready *ready;
	int err = arc_record_encoder_new(&l->params, &e);

	if (err)
		return err;
	ready = arc_record_encoder_state(e);
	ready->coded = coded;
	return arc_record_encode_named(e, job->number, job->in, &job->named,
				       job->out, &job->info);
}

/* Decodes one group after another and compares. */
static int compare_groups(const struct arc_record *r,
			  const struct arc_encode_job *job, uint8_t *group)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	uint32_t n = UINT32_C(1) << (r->group_log - ARC_SEGMENT_LOG);

	for (uint32_t s = 0; s < r->segments; s++) {
		const uint8_t *src = job->out + r->head + r->segment[s].offset;
		size_t at = (size_t)s << ARC_SEGMENT_LOG;
		int err;

		groups[s / n] = group;
		err = arc_record_decode_segment(r, s, src, groups);
		if (!err &&
		    memcmp(group + arc_offset_in_group(s, r->group_log),
			   job->in.p + at, arc_record_segment_raw(r, s)) != 0)
			err = -EBADMSG;
		if (err)
			return err;
	}
	return 0;
}

static int check_record(const struct arc_encode_job *job)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	arc_cleanup(arc_freep) uint8_t *group = NULL;
	size_t head = arc_record_head_size(arc_segment_count(job->info.raw),
					   job->info.entry_size);
	int err = arc_record_parse((struct arc_span){ job->out, head }, &r);

	if (err)
		return err;
	group = malloc((size_t)1 << r->group_log);
	return group ? compare_groups(r, job, group) : -ENOMEM;
}

static int store_one(void *ctx, uint64_t i)
{
	struct encode_lane *l = ctx;
	struct arc_encode_job *job = &l->jobs[i]->encode;
	int err = make_record(l, job, &l->frame[i]);

	if (!err && l->check && !job->info.detached &&
	    job->number % l->check == 0)
		err = check_record(job);
	if (err == -EBADMSG)
		atomic_store(&l->wrong, true);
	l->jobs[i]->err = err;
	return err == -EBADMSG ? err : 0;
}

static int store(struct arc_worker *worker, struct arc_job *const *jobs,
		 unsigned n)
{
	struct encode_lane *l = (struct encode_lane *)worker;
	int err;

	l->jobs = jobs;
	err = arc_parallel_each(l->lane.threads, n, store_one, l);
	l->lane.wrong = atomic_load(&l->wrong);
	return err;
}

/* -------------------------------------------------------------------------- */

static int end(void *lane)
{
	struct encode_lane *l = lane;

	arc_device_encoder_free(l->encoder);
	arc_ocl_pinned_free(l->raw);
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

static int new_lane(const struct arc_engine_params *params, unsigned i,
		    struct arc_device_lane **ret)
{
	struct encode_lane *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	assert(params->record && params->record->codec.parallel);
	arc_device_lane_init(&l->lane, params, i, ARC_GPU_ENCODE, TIMES);
	l->lane.block = l->lane.frame_max;
	l->lane.worker.ops = &ops;
	l->params = *params->record;
	l->params.encoder = &ready_encoder;
	l->check = l->lane.device->opt.check_every;
	*ret = &l->lane;
	return 0;
}

const struct arc_gpu_encoder arc_gpu_encoder = {
	.try_it = arc_trial_encode,
	.new_lane = new_lane,
};
