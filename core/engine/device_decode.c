/* SPDX-License-Identifier: MIT */
/*
 * A decoder, and a run up to what comes back from the device.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "device_decode_i.h"
#include "device_kernel.h"
#include "device_words.h"
#include "pool.h"

/*
 * A work-group has 64 work-items: two warps, or one wavefront, have something
 * to do while the others wait for memory, and what a batch makes is shared out
 * in one or two turns (64 tokens are some 800 bytes, 100 words). More would
 * only pay where chains are too few to fill the device. Twice as many tokens
 * would halve the barriers for a byte, but matches are traced back as far as
 * the batch reaches: in tables of structures each word takes 2.5 steps with 64
 * tokens and 4.3 with 128, in text 0.8 and 1.3. Where there is one core for a
 * work-group, work-items only cost.
 */
static const struct arc_decode_shape shape_gpu = { .items = 64, .tokens = 64 };
static const struct arc_decode_shape shape_cpu = { .items = 1, .tokens = 64 };

/* Work-groups that a unit of a GPU has at once, about. */
#define GROUPS_PER_UNIT 8

/* Where stored bytes begin in the device's memory, and how much more there is
 * of it behind the last, for loads of whole words. */
#define ALIGN 16
#define PAYLOAD_SLACK ALIGN

bool arc_device_decodes(const struct arc_record *r)
{
	return r->decoder && r->codec == ARC_CODEC_LZEXT3;
}

/* ---- making one ---------------------------------------------------------- */

void arc_device_decoder_free(struct arc_device_decoder *d)
{
	if (!d)
		return;
	arc_ocl_queue_free(d->queue);
	arc_ocl_kernel_free(d->kernel);
	arc_mirror_fini(&d->payload);
	arc_mirror_fini(&d->segments);
	arc_mirror_fini(&d->chains);
	arc_mirror_fini(&d->output);
	arc_mirror_fini(&d->status);
	arc_device_plan_free(d->plan);
	free(d->frame);
	free(d->base);
	free(d->owner);
	free(d->fetched);
	free(d->src);
	free(d->direct);
	free(d->at);
	free(d->upload);
	free(d);
}

static int build(struct arc_device_decoder *d, struct arc_ocl_device *dev,
		 const char *cache_dir, const struct arc_decode_shape *shape)
{
	static const char *const files[] = { "lzext3_layout.h",
					     "decode_layout.h", "decode.cl" };
	char options[64];

	snprintf(options, sizeof(options),
		 "-cl-std=CL1.2 -DITEMS=%u -DLOG_TOKENS=%u", shape->items,
		 (unsigned)__builtin_ctz(shape->tokens));
	return arc_device_kernel_new(dev, files, ARC_COUNT(files), options,
				     cache_dir, "decode", &d->kernel);
}

static int allocate(struct arc_device_decoder *d, struct arc_ocl_device *dev)
{
	size_t cap = d->cap;
	int err;

	d->frame = calloc(cap, sizeof(*d->frame));
	d->base = calloc(cap, sizeof(*d->base));
	d->owner = calloc(cap, sizeof(*d->owner));
	d->fetched = calloc(cap, sizeof(*d->fetched));
	d->src = calloc(cap, sizeof(*d->src));
	d->direct = calloc(cap, sizeof(*d->direct));
	d->at = calloc(cap, sizeof(*d->at));
	d->upload = calloc(cap, sizeof(*d->upload));
	if (!d->frame || !d->base || !d->owner || !d->fetched || !d->src ||
	    !d->direct || !d->at || !d->upload)
		return -ENOMEM;
	err = arc_device_plan_new(d->cap, &d->plan);
	if (err == 0)
		err = arc_mirror_init(&d->payload, dev,
				      d->stored_max + PAYLOAD_SLACK);
	if (err == 0)
		err = arc_mirror_init(&d->segments, dev,
				      cap * DEC_WORDS * sizeof(uint32_t));
	if (err == 0)
		err = arc_mirror_init(&d->chains, dev,
				      cap * sizeof(struct arc_plan_chain));
	if (err == 0)
		err = arc_mirror_init(&d->output, dev, cap << ARC_SEGMENT_LOG);
	if (err == 0)
		err = arc_mirror_init(&d->status, dev, cap * sizeof(uint32_t));
	return err < 0 ? err : arc_ocl_queue_new(dev, &d->queue);
}

int arc_device_decoder_new_shaped(struct arc_ocl_device *dev,
				  const char *cache_dir,
				  const struct arc_decode_shape *shape,
				  size_t raw_max, size_t stored_max,
				  unsigned check_threads,
				  struct arc_device_decoder **ret)
{
	arc_cleanup(arc_device_decoder_freep) struct arc_device_decoder *d =
		calloc(1, sizeof(*d));
	const struct arc_ocl_info *info = arc_ocl_info(dev);
	unsigned per_unit = info->cpu ? 1 : GROUPS_PER_UNIT;
	int err;

	if (!d)
		return -ENOMEM;
	assert(raw_max > 0 && stored_max > 0);
	if (!info->little || shape->items > info->work_group)
		return -ENODEV;
	d->cap = (uint32_t)ARC_MIN(arc_div_up(raw_max, ARC_SEGMENT_SIZE),
				   UINT32_MAX >> 1);
	d->stored_max = ARC_MIN(stored_max, (size_t)DEC_UNIT * INT32_MAX);
	d->items = shape->items;
	d->threads = check_threads;
	d->at_once = ARC_MAX(info->units, 1u) * per_unit;
	err = build(d, dev, cache_dir, shape);
	if (err == 0)
		err = allocate(d, dev);
	if (err < 0)
		return err;
	*ret = arc_steal(d);
	return 0;
}

int arc_device_decoder_new(struct arc_ocl_device *dev, const char *cache_dir,
			   size_t raw_max, size_t stored_max,
			   unsigned check_threads,
			   struct arc_device_decoder **ret)
{
	const struct arc_ocl_info *info = arc_ocl_info(dev);
	struct arc_decode_shape shape = info->cpu ? shape_cpu : shape_gpu;

	shape.items = (unsigned)ARC_MIN(shape.items, info->work_group);
	return arc_device_decoder_new_shaped(dev, cache_dir, &shape, raw_max,
					     stored_max, check_threads, ret);
}

/* ---- what fits ----------------------------------------------------------- */

static bool is_empty(const struct arc_segset *set)
{
	return arc_segset_count(set) == 0;
}

/* Segments of the output that a job takes. */
static uint32_t span_of(const struct arc_segset *set)
{
	if (is_empty(set))
		return 0;
	return arc_segset_highest(set) - arc_segset_lowest(set) + 1;
}

/* Units that n stored bytes take. */
static uint32_t units_of(size_t n)
{
	return (uint32_t)arc_div_up(n, ALIGN) * (ALIGN / DEC_UNIT);
}

/* Device's memory that a job takes, gathered or as it is. */
static size_t stored_of(const struct arc_decode_job *job)
{
	const struct arc_segment *first = NULL;
	size_t gathered = 0, span = 0;

	for (uint32_t s = 0; s < job->record->segments; s++) {
		const struct arc_segment *seg = &job->record->segment[s];

		if (!arc_segset_has(&job->set, s))
			continue;
		first = first ? first : seg;
		gathered += units_of(seg->size);
		span = seg->offset + seg->size - first->offset;
	}
	return ARC_MAX(gathered, units_of(job->pinned ? span : 0)) * DEC_UNIT;
}

unsigned arc_device_decoder_fits(const struct arc_device_decoder *d,
				 const struct arc_decode_job *jobs, unsigned n)
{
	size_t stored = 0;
	uint32_t raw = 0;
	unsigned i;

	for (i = 0; i < n && i < d->cap; i++) {
		size_t add = stored_of(&jobs[i]);
		uint32_t span = span_of(&jobs[i].set);

		if (add > d->stored_max - stored || span > d->cap - raw)
			break;
		stored += add;
		raw += span;
	}
	return i;
}

/* ---- telling the device -------------------------------------------------- */

/* The i-th segment of the plan: its words and, where they are gathered, its
 * stored bytes. Called by several threads. */
static int put_segment(void *ctx, uint64_t i)
{
	struct arc_device_decoder *d = ctx;
	const struct arc_plan_segment *p = &d->plan->segment[i];
	const struct arc_decode_job *job = &d->jobs[p->frame];
	const struct arc_record *r = job->record;
	const struct arc_segment *seg = &r->segment[p->s];
	uint32_t lowest = arc_segset_lowest(&job->set);
	uint32_t words[DEC_WORDS];

	arc_decode_words(r, p->s, lowest, words);
	words[DEC_SRC] = d->src[i];
	words[DEC_FRAME] = d->base[p->frame];
	memcpy((uint8_t *)d->segments.p + i * sizeof(words), words,
	       sizeof(words));
	if (seg->size > 0 && !d->direct[p->frame])
		memcpy((uint8_t *)d->payload.p + (size_t)d->src[i] * DEC_UNIT,
		       job->payload + seg->offset, seg->size);
	return 0;
}

/* Whether a device can decode what it needs of a job from where it lies. Only an
 * odd size in the middle of a frame, of which no encoder knows, is against
 * it. */
static bool is_direct(const struct arc_decode_job *job,
		      const struct arc_segset *set)
{
	const struct arc_record *r = job->record;
	uint32_t odd = 0, first;

	if (!job->pinned || is_empty(set))
		return false;
	first = r->segment[arc_segset_lowest(set)].offset;
	for (uint32_t s = 0; s < r->segments; s++) {
		if (arc_segset_has(set, s) && r->segment[s].size > 0)
			odd |= r->segment[s].offset - first;
	}
	return odd % DEC_UNIT == 0;
}

/* Bytes from the first segment of a set, which is not empty, to the last. */
static size_t stored_span(const struct arc_record *r,
			  const struct arc_segset *set)
{
	const struct arc_segment *first = &r->segment[arc_segset_lowest(set)];
	const struct arc_segment *last = &r->segment[arc_segset_highest(set)];

	return last->offset + last->size - first->offset;
}

/* Of the i-th segment of the plan. */
static const struct arc_segment *segment_of(const struct arc_device_decoder *d,
					    uint32_t i)
{
	const struct arc_plan_segment *p = &d->plan->segment[i];

	return &d->jobs[p->frame].record->segment[p->s];
}

/* Where in its payload what is needed of job i begins. */
static uint32_t first_offset(const struct arc_device_decoder *d, uint32_t i)
{
	uint32_t s = arc_segset_lowest(&d->frame[i].set);

	return d->jobs[i].record->segment[s].offset;
}

/* The pieces of a job's payload that are needed, which go to `to` (bytes) as
 * they lie. */
static void plan_uploads(struct arc_device_decoder *d, uint32_t i, size_t to)
{
	const struct arc_record *r = d->jobs[i].record;
	const struct arc_segset *set = &d->frame[i].set;
	const uint8_t *first = d->jobs[i].payload + first_offset(d, i);
	struct arc_upload *last = NULL;

	for (uint32_t s = 0; s < r->segments; s++) {
		const struct arc_segment *seg = &r->segment[s];
		const uint8_t *from = d->jobs[i].payload + seg->offset;

		if (!arc_segset_has(set, s) || seg->size == 0)
			continue;
		if (!last || last->from + last->n != from) {
			last = &d->upload[d->uploads++];
			*last = (struct arc_upload){
				.from = from, .to = to + (size_t)(from - first)
			};
		}
		last->n += seg->size;
	}
}

/* Where the stored bytes of segments lie that are gathered; behind them those of
 * jobs whose payload the device takes as it is. */
static void lay_out(struct arc_device_decoder *d)
{
	const struct arc_device_plan *plan = d->plan;
	uint32_t units = 0;

	for (uint32_t i = 0; i < plan->segments; i++) {
		d->src[i] = units;
		if (!d->direct[plan->segment[i].frame])
			units += units_of(segment_of(d, i)->size);
	}
	d->figures.gathered = (size_t)units * DEC_UNIT;
	d->uploads = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		d->at[i] = units;
		if (!d->direct[i])
			continue;
		plan_uploads(d, i, (size_t)units * DEC_UNIT);
		units += units_of(
			stored_span(d->jobs[i].record, &d->frame[i].set));
	}
	for (uint32_t i = 0; i < plan->segments; i++) {
		uint32_t k = plan->segment[i].frame;

		if (d->direct[k])
			d->src[i] = d->at[k] + (segment_of(d, i)->offset -
						first_offset(d, k)) /
						       DEC_UNIT;
	}
}

static void count_bytes(struct arc_device_decoder *d)
{
	d->figures = (struct arc_decode_figures){
		.chains = d->plan->chains,
		.launches = d->plan->levels,
	};
	for (uint32_t i = 0; i < d->plan->segments; i++) {
		const struct arc_plan_segment *p = &d->plan->segment[i];

		d->figures.raw +=
			arc_record_segment_raw(d->jobs[p->frame].record, p->s);
		d->figures.stored += segment_of(d, i)->size;
	}
}

static void gather(struct arc_device_decoder *d)
{
	count_bytes(d);
	lay_out(d);
	arc_parallel_each(d->threads, d->plan->segments, put_segment, d);
	memcpy(d->chains.p, d->plan->chain,
	       d->plan->chains * sizeof(d->plan->chain[0]));
}

static int send_payload(struct arc_device_decoder *d)
{
	int err = arc_mirror_send(&d->payload, d->queue, 0,
				  (size_t)d->figures.gathered);

	for (uint32_t i = 0; i < d->uploads && err == 0; i++) {
		const struct arc_upload *u = &d->upload[i];

		err = arc_ocl_write(d->queue, d->payload.device, u->to, u->from,
				    u->n);
	}
	return err;
}

static int send(struct arc_device_decoder *d)
{
	size_t n = d->plan->segments;
	int err = send_payload(d);

	if (err == 0)
		err = arc_mirror_send(&d->segments, d->queue, 0,
				      n * DEC_WORDS * sizeof(uint32_t));
	if (err == 0)
		err = arc_mirror_send(&d->chains, d->queue, 0,
				      d->plan->chains *
					      sizeof(d->plan->chain[0]));
	if (err == 0)
		err = arc_ocl_fill(d->queue, d->status.device, 0, DEC_NOT_RUN,
				   d->slots * sizeof(uint32_t));
	return err;
}

static int launch(struct arc_device_decoder *d)
{
	const struct arc_device_plan *plan = d->plan;
	int err = 0;

	for (uint32_t k = 0; k < plan->levels && err == 0; k++) {
		uint32_t first = plan->level[k];
		const struct arc_ocl_arg args[] = {
			ARC_OCL_BUFFER(d->payload.device),
			ARC_OCL_BUFFER(d->segments.device),
			ARC_OCL_BUFFER(d->chains.device),
			ARC_OCL_VALUE(first),
			ARC_OCL_BUFFER(d->output.device),
			ARC_OCL_BUFFER(d->status.device),
		};

		err = arc_ocl_run(d->queue, d->kernel,
				  plan->level[k + 1] - first, d->items, args,
				  ARC_COUNT(args));
	}
	return err;
}

/* ---- what comes back ----------------------------------------------------- */

static int fetch_slots(struct arc_device_decoder *d, uint32_t first, uint32_t n)
{
	return arc_mirror_fetch(&d->output, d->queue,
				(size_t)first << ARC_SEGMENT_LOG,
				(size_t)n << ARC_SEGMENT_LOG);
}

/* As long as slots follow each other in one go. */
static int receive(struct arc_device_decoder *d)
{
	uint32_t first = 0, n = 0;
	int err = 0;

	for (uint32_t slot = 0; slot < d->slots && err == 0; slot++) {
		if (d->fetched[slot]) {
			first = n == 0 ? slot : first;
			n++;
		} else {
			err = fetch_slots(d, first, n);
			n = 0;
		}
	}
	if (err == 0)
		err = fetch_slots(d, first, n);
	if (err == 0)
		err = arc_mirror_fetch(&d->status, d->queue, 0,
				       d->slots * sizeof(uint32_t));
	if (err == 0)
		err = arc_ocl_finish(d->queue);
	d->figures.kernel_ns = arc_ocl_kernel_ns(d->queue);
	d->figures.launch_ns = arc_ocl_longest_ns(d->queue);
	return err;
}

/* ---- a run --------------------------------------------------------------- */

/* What of a job is the device's: what is coded, and what that needs. -EINVAL
 * when the job's sets cannot be. */
static int take_part(const struct arc_decode_job *job, struct arc_segset *ret)
{
	const struct arc_record *r = job->record;
	uint64_t lacking = 0;

	*ret = (struct arc_segset){ 0 };
	if (!is_empty(&job->set) &&
	    arc_segset_highest(&job->set) >= r->segments)
		return -EINVAL;
	for (uint32_t s = 0; s < r->segments; s++) {
		struct arc_segset set = { 0 };

		if (!arc_segset_has(&job->set, s) ||
		    r->segment[s].type != ARC_SEGMENT_CODED)
			continue;
		arc_segset_add(&set, s);
		arc_record_closure(r, s, s, NULL, &set);
		for (size_t w = 0; w < ARC_COUNT(set.word); w++)
			ret->word[w] |= set.word[w];
	}
	for (size_t w = 0; w < ARC_COUNT(ret->word); w++)
		lacking |=
			(ret->word[w] | job->want.word[w]) & ~job->set.word[w];
	return lacking ? -EINVAL : 0;
}

/* Wanted segments that need no decoding are not fetched. */
static void note_fetched(struct arc_device_decoder *d, unsigned i)
{
	const struct arc_decode_job *job = &d->jobs[i];

	for (uint32_t slot = d->base[i]; slot < d->slots; slot++) {
		uint32_t s;

		slot_job(d, slot, &s);
		d->fetched[slot] =
			arc_segset_has(&job->want, s) &&
			job->record->segment[s].type == ARC_SEGMENT_CODED;
	}
}

static int plan_jobs(struct arc_device_decoder *d)
{
	d->slots = 0;
	for (unsigned i = 0; i < d->n; i++) {
		struct arc_decode_job *job = &d->jobs[i];
		struct arc_plan_frame *frame = &d->frame[i];
		uint32_t end = d->slots + span_of(&job->set);
		int err;

		assert(arc_device_decodes(job->record));
		job->bad = (struct arc_segset){ 0 };
		frame->record = job->record;
		err = take_part(job, &frame->set);
		if (err < 0)
			return err;
		d->direct[i] = is_direct(job, &frame->set);
		for (d->base[i] = d->slots; d->slots < end; d->slots++)
			d->owner[d->slots] = i;
		note_fetched(d, i);
	}
	return arc_device_plan_make(d->plan, d->frame, d->n, d->at_once);
}

int arc_device_decoder_load(struct arc_device_decoder *d,
			    struct arc_decode_job *jobs, unsigned n)
{
	int err;

	if (arc_device_decoder_fits(d, jobs, n) < n)
		return -EINVAL;
	d->jobs = jobs;
	d->n = n;
	err = plan_jobs(d);
	if (err == 0)
		gather(d);
	return err;
}

int arc_device_decoder_compute(struct arc_device_decoder *d)
{
	int err = send(d);

	if (err == 0)
		err = launch(d);
	if (err == 0)
		err = receive(d);
	return err;
}

int arc_device_decoder_run(struct arc_device_decoder *d,
			   struct arc_decode_job *jobs, unsigned n)
{
	int err = arc_device_decoder_load(d, jobs, n);

	if (err == 0)
		err = arc_device_decoder_compute(d);
	return err < 0 ? err : arc_device_decoder_store(d);
}

struct arc_decode_figures
arc_device_decoder_figures(const struct arc_device_decoder *d)
{
	return d->figures;
}
