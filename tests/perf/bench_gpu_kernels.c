/* SPDX-License-Identifier: MIT */
/*
 * Runs of one batch with the device's own clock, again and again for a while.
 * The first run of each is not counted: programs are loaded, memory is touched,
 * clocks go up.
 */
#include <string.h>

#include "bench_gpu.h"
#include "bench_measure.h"
#include "engine/device_decode.h"
#include "engine/device_encode.h"
#include "engine/device_hash.h"
#include "hash.h"
#include "record.h"

#define SECONDS_MIN 0.1

static double rate(uint64_t n, uint64_t ns)
{
	return ns ? (double)n * 1e9 / (double)ns : 0;
}

/* Counts runs. */
struct clock {
	double end; /* none begins later; 0: none has been counted */
	uint64_t ns;
	uint64_t runs;
};

static bool runs_on(const struct clock *c)
{
	return c->end == 0 || c->runs == 0 ||
	       bench_now(CLOCK_MONOTONIC) < c->end;
}

static void count_run(struct clock *c, uint64_t ns)
{
	if (c->end == 0) {
		c->end = bench_now(CLOCK_MONOTONIC) + SECONDS_MIN;
		return;
	}
	c->ns += ns;
	c->runs++;
}

/* ---- hashing ------------------------------------------------------------- */

#define LEAVES_MIN 4096 /* so that it takes long enough to be measured */

struct leaves {
	struct arc_span *leaf;
	uint64_t *hash;
	uint64_t *wanted;
	size_t n; /* in all */
	size_t batch;
};

static void free_leaves(struct leaves *l)
{
	free(l->leaf);
	free(l->hash);
	free(l->wanted);
}

/* Several batches, so that gathering one and hashing another overlap. */
static int make_leaves(const struct gpu_frames *f, unsigned batch,
		       struct leaves *l)
{
	l->batch = batch * (f->size / ARC_FNV_LEAF);
	l->n = arc_div_up(ARC_MAX(4 * l->batch, LEAVES_MIN), l->batch) *
	       l->batch;
	l->leaf = calloc(l->n, sizeof(l->leaf[0]));
	l->hash = calloc(l->n, sizeof(l->hash[0]));
	l->wanted = calloc(l->batch, sizeof(l->wanted[0]));
	if (!l->leaf || !l->hash || !l->wanted)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		l->leaf[i] =
			(struct arc_span){ f->raw + i % l->batch * ARC_FNV_LEAF,
					   ARC_FNV_LEAF };
	arc_fnv_leaves(f->raw, l->batch * ARC_FNV_LEAF, l->wanted);
	return 0;
}

/* Hashes the first n leaves, whole batches. */
static int hash_some(struct arc_device_hasher *h, struct leaves *l, size_t n,
		     double *ret_seconds)
{
	double begun = bench_now(CLOCK_MONOTONIC);
	int err = arc_device_hasher_run(h, l->leaf, n, l->hash);

	*ret_seconds = bench_now(CLOCK_MONOTONIC) - begun;
	for (size_t i = 0; i < n && !err; i += l->batch) {
		if (memcmp(l->hash + i, l->wanted,
			   l->batch * sizeof(l->hash[0])) != 0)
			err = -EBADMSG;
	}
	return err;
}

static int hash_leaves(const struct gpu_bench *b, struct leaves *l,
		       double *ret_kernels, double *ret_engine)
{
	arc_cleanup(arc_device_hasher_freep) struct arc_device_hasher *h = NULL;
	struct clock clock = { 0 };
	double seconds;
	int err =
		arc_device_hasher_new(b->device->ocl, b->device->cache_dir,
				      (uint32_t)l->batch, b->opt->threads, &h);

	while (!err && runs_on(&clock)) {
		err = hash_some(h, l, l->batch, &seconds);
		if (!err)
			count_run(&clock, arc_device_hasher_kernel_ns(h));
	}
	if (!err)
		err = hash_some(h, l, l->n, &seconds);
	if (err)
		return err;
	*ret_engine = (double)(l->n * ARC_FNV_LEAF) / seconds;
	*ret_kernels = rate(clock.runs * l->batch * ARC_FNV_LEAF, clock.ns);
	return 0;
}

int gpu_measure_hash(const struct gpu_bench *b, unsigned batch,
		     double *ret_kernels, double *ret_engine)
{
	struct leaves l = { 0 };
	int err = make_leaves(b->frames, batch, &l);

	if (!err)
		err = hash_leaves(b, &l, ret_kernels, ret_engine);
	free_leaves(&l);
	return err;
}

/* ---- encoding ------------------------------------------------------------ */

/* Whether the first frame's segments are those of the C code. Segments that a
 * record has as one byte repeated were not coded there. */
static int compare_twin(const struct gpu_frames *f,
			const struct arc_encode_frame *coded)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	int err = arc_record_parse((struct arc_span){ f->twin, f->twin_n }, &r);

	if (err)
		return err;
	for (uint32_t s = 0; s < r->segments; s++) {
		const struct arc_segment *want = &r->segment[s];
		const struct arc_encoded_segment *got = &coded->segment[s];
		const uint8_t *bytes = f->twin + r->head + want->offset;

		if (want->type == ARC_SEGMENT_CODED &&
		    (want->size != got->size ||
		     memcmp(bytes, coded->coded + got->offset, got->size) != 0))
			return -EBADMSG;
	}
	return 0;
}

int gpu_measure_encode_kernels(const struct gpu_bench *b, unsigned batch,
			       double *ret)
{
	const struct gpu_frames *f = b->frames;
	arc_cleanup(arc_device_encoder_freep) struct arc_device_encoder *e =
		NULL;
	arc_cleanup(arc_freep) struct arc_encode_frame *frame =
		calloc(batch, sizeof(*frame));
	struct clock clock = { 0 };
	int err = frame ? arc_device_encoder_new(b->device->ocl,
						 b->device->cache_dir,
						 &b->opt->coding,
						 batch * f->size, &e)
			: -ENOMEM;

	while (!err && runs_on(&clock)) {
		for (unsigned i = 0; i < batch; i++)
			frame[i] = (struct arc_encode_frame){
				.raw = gpu_frame(f, i),
				.group_log = b->opt->coding.group_log,
			};
		err = arc_device_encoder_run(e, frame, batch);
		if (!err)
			err = compare_twin(f, &frame[0]);
		if (!err)
			count_run(&clock,
				  arc_device_encoder_figures(e).kernel_ns);
	}
	if (!err)
		*ret = rate(clock.runs * batch * f->size, clock.ns);
	return err;
}

/* ---- decoding ------------------------------------------------------------ */

/* Of a batch. */
struct decoding {
	struct arc_decode_job *job;
	uint8_t *(*groups)[ARC_FRAME_SEGMENTS_MAX];
	uint8_t *out;
};

static void free_decoding(struct decoding *d)
{
	free(d->job);
	free(d->groups);
	free(d->out);
}

static int make_decoding(const struct gpu_frames *f, unsigned batch,
			 struct decoding *d)
{
	d->job = calloc(batch, sizeof(d->job[0]));
	d->groups = calloc(batch, sizeof(d->groups[0]));
	d->out = calloc(batch, f->size);
	if (!d->job || !d->groups || !d->out)
		return -ENOMEM;
	for (unsigned i = 0; i < batch; i++) {
		const struct arc_record *r = f->record[i];
		struct arc_decode_job *job = &d->job[i];

		arc_record_place_groups(r, d->out + i * f->size, d->groups[i]);
		*job = (struct arc_decode_job){
			.record = r,
			.payload = f->coded + i * f->stride + r->head,
			.groups = d->groups[i],
		};
		for (uint32_t s = 0; s < r->segments; s++)
			arc_segset_add(&job->set, s);
		job->want = job->set;
	}
	return 0;
}

/* What is bad has not been written, and could be right from the run before. */
static bool is_right(const struct gpu_frames *f, unsigned batch,
		     const struct decoding *d)
{
	static const struct arc_segset none;

	for (unsigned i = 0; i < batch; i++) {
		if (memcmp(&d->job[i].bad, &none, sizeof(none)) != 0)
			return false;
	}
	return memcmp(d->out, f->raw, batch * f->size) == 0;
}

static int decode(const struct gpu_bench *b, unsigned batch, struct decoding *d,
		  double *ret)
{
	const struct gpu_frames *f = b->frames;
	arc_cleanup(arc_device_decoder_freep) struct arc_device_decoder *dec =
		NULL;
	struct clock clock = { 0 };
	int err = arc_device_decoder_new(b->device->ocl, b->device->cache_dir,
					 batch * f->size,
					 batch * (f->size + ARC_MIB),
					 b->opt->threads, &dec);

	while (!err && runs_on(&clock)) {
		err = arc_device_decoder_run(dec, d->job, batch);
		if (!err)
			count_run(&clock,
				  arc_device_decoder_figures(dec).kernel_ns);
	}
	if (!err && !is_right(f, batch, d))
		err = -EBADMSG;
	if (!err)
		*ret = rate(clock.runs * batch * f->size, clock.ns);
	return err;
}

int gpu_measure_decode_kernels(const struct gpu_bench *b, unsigned batch,
			       double *ret)
{
	struct decoding d = { 0 };
	int err = make_decoding(b->frames, batch, &d);

	if (!err)
		err = decode(b, batch, &d, ret);
	free_decoding(&d);
	return err;
}
