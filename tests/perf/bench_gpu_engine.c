/* SPDX-License-Identifier: MIT */
/*
 * Jobs through an engine as programs give them to it: so many are under way
 * that every lane works on one batch and one more waits; as soon as one is
 * done, the next takes its place. The clock starts when all of the first ones
 * are done, since they have waited for programs and memory. They are compared
 * when the clock has stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "bench_gpu.h"
#include "bench_measure.h"
#include "engine/engine_i.h"
#include "pool.h"

#define JOBS_MIN 8 /* on the clock */
#define SECONDS_MIN 0.2

/* A place for a job. */
struct slot {
	struct arc_job job;
	unsigned frame;
	uint8_t *out; /* as large as a record may become */
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
};

struct flow {
	const struct gpu_bench *bench;
	enum arc_job_kind kind;
	bool on_device;
	unsigned frames; /* how many different ones come, in turn */
	unsigned window; /* jobs under way */
	unsigned jobs; /* in all at least */
	struct slot *slot; /* `window` of them */
	uint8_t *room;
};

static void free_flow(struct flow *f)
{
	free(f->slot);
	free(f->room);
}

static int make_flow(struct flow *f, unsigned batch)
{
	const struct gpu_bench *b = f->bench;
	unsigned threads = b->opt->threads;

	f->on_device = batch > 0;
	f->frames = batch ? batch : b->frames->n;
	f->window = (ARC_DEVICE_LANES + 1) * batch;
	if (!batch)
		f->window = 2 * threads;
	f->jobs = f->window + ARC_MAX(f->window, JOBS_MIN);
	f->slot = calloc(f->window, sizeof(f->slot[0]));
	f->room = malloc(f->window * b->frames->stride);
	if (!f->slot || !f->room)
		return -ENOMEM;
	for (unsigned i = 0; i < f->window; i++)
		f->slot[i].out = f->room + i * b->frames->stride;
	return 0;
}

static void set_encode(const struct flow *f, struct slot *s)
{
	s->job.encode = (struct arc_encode_job){
		.in = gpu_frame(f->bench->frames, s->frame),
		.number = s->frame,
		.out = s->out,
	};
}

static void set_decode(const struct flow *f, struct slot *s)
{
	const struct gpu_frames *frames = f->bench->frames;
	const struct arc_record *r = frames->record[s->frame];
	struct arc_decode_job *job = &s->job.decode;

	arc_record_place_groups(r, s->out, s->groups);
	*job = (struct arc_decode_job){
		.record = r,
		.payload = frames->coded + s->frame * frames->stride + r->head,
		.groups = s->groups,
	};
	for (uint32_t i = 0; i < r->segments; i++)
		arc_segset_add(&job->set, i);
	job->want = job->set;
}

static void submit(const struct flow *f, struct arc_engine *e, unsigned k)
{
	struct slot *s = &f->slot[k % f->window];

	s->frame = k % f->frames;
	s->job = (struct arc_job){ .kind = f->kind };
	if (f->kind == ARC_JOB_ENCODE)
		set_encode(f, s);
	else
		set_decode(f, s);
	arc_engine_submit(e, &s->job);
}

/* What the job ended with: -EIO also when somebody else did it. */
static int finish(const struct flow *f, struct arc_engine *e, unsigned k)
{
	struct slot *s = &f->slot[k % f->window];
	static const struct arc_segset none;

	arc_engine_wait(e, &s->job);
	if (s->job.err)
		return s->job.err;
	if (s->job.by_device != f->on_device)
		return -EIO;
	if (f->kind == ARC_JOB_DECODE)
		return memcmp(&s->job.decode.bad, &none, sizeof(none)) != 0
			       ? -EBADMSG
			       : 0;
	if (f->on_device)
		f->bench->frames->device_stored[s->frame] =
			s->job.encode.info.stored;
	return 0;
}

static bool is_early(double begun)
{
	return begun > 0 && bench_now(CLOCK_MONOTONIC) < begun + SECONDS_MIN;
}

/* No job is under way afterwards, whatever happens. */
static int run_flow(const struct flow *f, struct arc_engine *e, double *ret)
{
	double begun = 0;
	unsigned given = 0;
	int err = 0;

	while (given < f->window)
		submit(f, e, given++);
	for (unsigned k = 0; k < given; k++) {
		int got = finish(f, e, k);

		err = err ? err : got;
		if (k + 1 == f->window)
			begun = bench_now(CLOCK_MONOTONIC);
		if (!err && (given < f->jobs || is_early(begun)))
			submit(f, e, given++);
	}
	if (err)
		return err;
	*ret = (double)(given - f->window) * (double)f->bench->frames->size /
	       (bench_now(CLOCK_MONOTONIC) - begun);
	return 0;
}

/* Records of a device were decoded and compared by its lane; whether they are
 * those of the C code is looked at here, too. */
static int compare_slot(void *ctx, uint64_t i)
{
	const struct flow *f = ctx;
	const struct gpu_frames *frames = f->bench->frames;
	const struct slot *s = &f->slot[i];
	struct arc_span want = gpu_frame(frames, s->frame);

	if (f->kind == ARC_JOB_ENCODE) {
		if (!f->on_device || s->frame != 0)
			return 0;
		want = (struct arc_span){ frames->twin, frames->twin_n };
		if (s->job.encode.info.stored != want.n)
			return -EBADMSG;
	}
	return memcmp(s->out, want.p, want.n) == 0 ? 0 : -EBADMSG;
}

static int measure(struct flow *f, unsigned batch, double *ret)
{
	const struct gpu_bench *b = f->bench;
	struct arc_record_params record = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = b->opt->coding,
	};
	const struct arc_engine_params params = {
		.work = f->kind,
		.threads = b->opt->threads,
		.record = f->kind == ARC_JOB_ENCODE ? &record : NULL,
		.diag = b->diag,
		.device = &b->device,
		.devices = batch > 0,
		.devices_only = batch > 0,
		.no_fallback = batch > 0,
		.frame_max = b->frames->size,
		.batch = batch,
	};
	arc_cleanup(arc_engine_freep) struct arc_engine *e = NULL;
	int err;

	record.codec.parallel = batch > 0;
	err = arc_engine_new(&params, &e);
	if (!err &&
	    arc_engine_depth(e) < params.threads + ARC_DEVICE_LANES * batch)
		err = -ENOMEM; /* it would take fewer at once */
	if (!err)
		err = run_flow(f, e, ret);
	return err ? err
		   : arc_parallel_each(b->opt->threads, f->window, compare_slot,
				       f);
}

int gpu_measure_engine(const struct gpu_bench *b, enum arc_gpu_work work,
		       unsigned batch, double *ret)
{
	struct flow f = {
		.bench = b,
		.kind = work == ARC_GPU_ENCODE ? ARC_JOB_ENCODE
					       : ARC_JOB_DECODE,
	};
	int err = make_flow(&f, batch);

	if (!err)
		err = measure(&f, batch, ret);
	free_flow(&f);
	return err;
}
