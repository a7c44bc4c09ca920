/* SPDX-License-Identifier: MIT */
/*
 * Where things lie, for a run of two frames of which the first ends with half a
 * segment:
 *
 *	raw	 | segment | segment | half |  | segment ...
 *	way	 a word for each byte of raw: first the match there, then the
 *		 step to take there, in the end the matches of the segment
 *	coded	 | of a segment | of the next ...	without gaps
 *
 * Kernels follow each other in one queue. How many coded bytes there are is
 * known when they are through; then these are fetched.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "codec/lzext3_parallel.h"
#include "device_encode.h"
#include "device_kernel.h"
#include "device_mirror.h"
#include "encode_layout.h"

/* On a GPU a work-item has one position of each tile. The others work by
 * themselves mostly, and more of them would not find room in local memory. */
#define SEARCH_DEFAULT LZP_TILE
#define ITEMS_DEFAULT 64

/* Where there is one core for a work-group, work-items only cost. */
#define ITEMS_CPU 1

/* Work-groups that a unit of a GPU has at once: so many threads of it are at
 * work as there can be on today's. */
#define SEARCHES_PER_UNIT 8

#define CHUNKS (ARC_SEGMENT_SIZE / LZP_CHUNK) /* of a segment */
#define WAY_BYTES (ARC_SEGMENT_SIZE * sizeof(uint32_t)) /* of a segment */

static_assert(ENC_ITEMS_MAX * 2 <= UINT8_MAX, "sums of a batch");

enum kernel_id { SEARCH, WAYS, WALK, PLACE, EMIT, KERNELS };

struct arc_device_encoder {
	struct arc_ocl_queue *queue;
	struct arc_ocl_kernel *kernel[KERNELS];
	struct arc_ocl_buffer *raw, *way, *tables;
	struct arc_mirror groups, segments, results, coded;
	struct arc_encoded_segment *segment; /* what the frames get */
	struct lzx_settings set;
	struct arc_encode_shape shape;
	uint8_t group_log;
	uint32_t cap; /* segments */
	uint32_t searches; /* work-groups that have tables */
	uint32_t n; /* segments of this run */
	struct arc_encode_figures figures;
};

/* ---- making one ---------------------------------------------------------- */

void arc_device_encoder_free(struct arc_device_encoder *e)
{
	if (!e)
		return;
	arc_ocl_queue_free(e->queue);
	for (unsigned i = 0; i < KERNELS; i++)
		arc_ocl_kernel_free(e->kernel[i]);
	arc_ocl_buffer_free(e->raw);
	arc_ocl_buffer_free(e->way);
	arc_ocl_buffer_free(e->tables);
	arc_mirror_fini(&e->groups);
	arc_mirror_fini(&e->segments);
	arc_mirror_fini(&e->results);
	arc_mirror_fini(&e->coded);
	free(e->segment);
	free(e);
}

static int build(struct arc_device_encoder *e, struct arc_ocl_device *dev,
		 const char *cache_dir)
{
	static const char *const files[] = {
		"lzext3_layout.h",  "lzext3_parallel_layout.h",
		"encode_layout.h",  "encode_bytes.cl",
		"encode_search.cl", "encode_parse.cl",
		"encode_emit.cl",
	};
	static const char *const names[KERNELS] = {
		"encode_search", "encode_ways", "encode_walk",
		"encode_place",	 "encode_emit",
	};
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		NULL;
	char options[256];
	int err;

	snprintf(options, sizeof(options),
		 "-cl-std=CL1.2 -DSEARCH_ITEMS=%u -DWAYS_ITEMS=%u "
		 "-DEMIT_ITEMS=%u -DHASH_LOG=%u -DSHORTS=%u -DLONGS=%u "
		 "-DSHORTS_LOG=%u -DLONGS_LOG=%u -DGOOD=%u",
		 e->shape.search, e->shape.items, e->shape.items,
		 e->set.hash_log, e->set.candidates, e->set.long_candidates,
		 lzx_parallel_width_log(e->set.candidates),
		 lzx_parallel_width_log(e->set.long_candidates),
		 e->set.good_enough);
	err = arc_device_program_new(dev, files, ARC_COUNT(files), options,
				     cache_dir, &program);
	for (unsigned i = 0; i < KERNELS && err == 0; i++)
		err = arc_ocl_kernel_new(program, names[i], &e->kernel[i]);
	return err;
}

/* Bytes of the tables of a work-group. */
static size_t table_bytes(const struct arc_device_encoder *e)
{
	return (sizeof(uint32_t) << e->set.hash_log) *
	       (e->set.long_candidates > 0 ? 2 : 1);
}

/* So many work-groups as the device runs at once, but no more tables than have
 * room in as much memory as the ways take, nor than there are groups. */
static uint32_t count_searches(const struct arc_device_encoder *e,
			       const struct arc_ocl_info *info)
{
	size_t per_unit = info->cpu ? 1 : SEARCHES_PER_UNIT;
	size_t n = ARC_MAX(info->units, 1u) * per_unit;

	n = ARC_MIN(n, e->cap * WAY_BYTES / table_bytes(e));
	n = ARC_MIN(n, e->cap);
	return (uint32_t)ARC_MAX(n, 1);
}

static int allocate_buffers(struct arc_device_encoder *e,
			    struct arc_ocl_device *dev)
{
	size_t raw = (size_t)e->cap << ARC_SEGMENT_LOG;
	int err = arc_ocl_buffer_new(dev, raw + ENC_SLACK, &e->raw);

	if (err == 0)
		err = arc_ocl_buffer_new(dev, e->cap * WAY_BYTES, &e->way);
	if (err == 0)
		err = arc_ocl_buffer_new(dev, e->searches * table_bytes(e),
					 &e->tables);
	if (err == 0)
		err = arc_mirror_init(&e->coded, dev, raw);
	return err;
}

static int allocate(struct arc_device_encoder *e, struct arc_ocl_device *dev)
{
	const size_t word = sizeof(uint32_t);
	size_t cap = e->cap;
	int err;

	e->segment = calloc(cap, sizeof(*e->segment));
	if (!e->segment)
		return -ENOMEM;
	err = allocate_buffers(e, dev);
	if (err == 0)
		err = arc_mirror_init(&e->groups, dev,
				      cap * ENC_GROUP_WORDS * word);
	if (err == 0)
		err = arc_mirror_init(&e->segments, dev,
				      cap * ENC_WORDS * word);
	if (err == 0)
		err = arc_mirror_init(&e->results, dev,
				      (cap + 1) * ENC_RESULTS * word);
	return err < 0 ? err : arc_ocl_queue_new(dev, &e->queue);
}

/* Bytes between frames are loaded with those beside them, but never looked
 * at. They have a value all the same. */
static int clear_raw(struct arc_device_encoder *e)
{
	size_t n = arc_ocl_buffer_size(e->raw);
	int err = arc_ocl_fill(e->queue, e->raw, 0, 0, n);

	return err < 0 ? err : arc_ocl_finish(e->queue);
}

int arc_device_encoder_new_shaped(struct arc_ocl_device *dev,
				  const char *cache_dir,
				  const struct arc_encode_shape *shape,
				  const struct arc_encoder_params *params,
				  size_t raw_max,
				  struct arc_device_encoder **ret)
{
	arc_cleanup(arc_device_encoder_freep) struct arc_device_encoder *e =
		calloc(1, sizeof(*e));
	const struct arc_ocl_info *info = arc_ocl_info(dev);
	int err;

	assert(raw_max > 0);
	assert(shape->search >= 1 && LZP_TILE % shape->search == 0);
	assert(shape->items >= 1 && ENC_ITEMS_MAX % shape->items == 0);
	if (!e)
		return -ENOMEM;
	if (!info->little || shape->search > info->work_group ||
	    shape->items > info->work_group)
		return -ENODEV;
	e->shape = *shape;
	e->set = lzx_parallel_settings(params);
	e->group_log = params->group_log;
	e->cap = (uint32_t)ARC_MIN(arc_div_up(raw_max, ARC_SEGMENT_SIZE),
				   ENC_SEGMENTS_MAX);
	e->searches = count_searches(e, info);
	err = build(e, dev, cache_dir);
	if (err == 0)
		err = allocate(e, dev);
	if (err == 0)
		err = clear_raw(e);
	if (err < 0)
		return err;
	*ret = arc_steal(e);
	return 0;
}

/* The largest power of two that is no larger. */
static unsigned shrink(unsigned items, size_t most)
{
	while (items > most && items > 1)
		items /= 2;
	return items;
}

int arc_device_encoder_new(struct arc_ocl_device *dev, const char *cache_dir,
			   const struct arc_encoder_params *params,
			   size_t raw_max, struct arc_device_encoder **ret)
{
	const struct arc_ocl_info *info = arc_ocl_info(dev);
	struct arc_encode_shape shape = { SEARCH_DEFAULT, ITEMS_DEFAULT };

	if (info->cpu)
		shape = (struct arc_encode_shape){ ITEMS_CPU, ITEMS_CPU };
	shape.search = shrink(shape.search, info->work_group);
	shape.items = shrink(shape.items, info->work_group);
	return arc_device_encoder_new_shaped(dev, cache_dir, &shape, params,
					     raw_max, ret);
}

unsigned arc_device_encoder_hash_log(const struct arc_device_encoder *e)
{
	return e->set.hash_log;
}

/* ---- telling the device -------------------------------------------------- */

unsigned arc_device_encoder_fits(const struct arc_device_encoder *e,
				 const struct arc_encode_frame *frames,
				 unsigned n)
{
	uint32_t segments = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		uint32_t add = arc_segment_count((uint32_t)frames[i].raw.n);

		if (add > e->cap - segments)
			break;
		segments += add;
	}
	return i;
}

static void tell_group(struct arc_device_encoder *e, uint32_t first,
		       size_t bytes)
{
	uint32_t *words =
		(uint32_t *)e->groups.p + e->figures.groups++ * ENC_GROUP_WORDS;

	words[ENC_GROUP_FIRST] = first;
	words[ENC_GROUP_BYTES] = (uint32_t)bytes;
}

/* A frame whose segments are behind those that have been told. */
static void tell_frame(struct arc_device_encoder *e,
		       const struct arc_encode_frame *f)
{
	const uint32_t segments = arc_segment_count((uint32_t)f->raw.n);
	const uint32_t base = e->n;

	for (uint32_t s = 0; s < segments; s++) {
		uint32_t *words =
			(uint32_t *)e->segments.p + e->n++ * ENC_WORDS;
		size_t at = (size_t)s << ARC_SEGMENT_LOG;
		size_t off = arc_offset_in_group(s, f->group_log);
		size_t left = f->raw.n - at;

		if (off == 0)
			tell_group(e, base + s,
				   ARC_MIN(left, (size_t)1 << f->group_log));
		words[ENC_FIRST] =
			base + s - (uint32_t)(off >> ARC_SEGMENT_LOG);
		words[ENC_OFF] = (uint32_t)off;
		words[ENC_BYTES] = (uint32_t)ARC_MIN(left, ARC_SEGMENT_SIZE);
		words[ENC_GRANULE_LOG] = lzx_granule_log(f->group_log);
	}
	e->figures.raw += f->raw.n;
}

static int send(struct arc_device_encoder *e,
		const struct arc_encode_frame *frames, unsigned n)
{
	const size_t word = sizeof(uint32_t);
	int err = 0;

	e->figures = (struct arc_encode_figures){ 0 };
	e->n = 0;
	for (unsigned i = 0; i < n && err == 0; i++) {
		err = arc_ocl_write(e->queue, e->raw,
				    (size_t)e->n << ARC_SEGMENT_LOG,
				    frames[i].raw.p, frames[i].raw.n);
		tell_frame(e, &frames[i]);
	}
	if (err == 0)
		err = arc_mirror_send(&e->groups, e->queue, 0,
				      e->figures.groups * ENC_GROUP_WORDS *
					      word);
	if (err == 0)
		err = arc_mirror_send(&e->segments, e->queue, 0,
				      e->n * ENC_WORDS * word);
	if (err == 0)
		err = arc_ocl_fill(e->queue, e->results.device, 0, ENC_NOT_RUN,
				   (e->n + 1) * ENC_RESULTS * word);
	return err;
}

/* ---- launches ------------------------------------------------------------ */

static int launch_search(struct arc_device_encoder *e)
{
	const struct arc_ocl_arg args[] = {
		ARC_OCL_BUFFER(e->raw),
		ARC_OCL_BUFFER(e->groups.device),
		ARC_OCL_VALUE(e->figures.groups),
		ARC_OCL_BUFFER(e->tables),
		ARC_OCL_BUFFER(e->way),
	};

	return arc_ocl_run(e->queue, e->kernel[SEARCH],
			   ARC_MIN(e->figures.groups, e->searches),
			   e->shape.search, args, ARC_COUNT(args));
}

static int launch_ways(struct arc_device_encoder *e)
{
	const struct arc_ocl_arg args[] = {
		ARC_OCL_BUFFER(e->raw),
		ARC_OCL_BUFFER(e->segments.device),
		ARC_OCL_VALUE(e->n),
		ARC_OCL_BUFFER(e->way),
	};

	return arc_ocl_run(e->queue, e->kernel[WAYS],
			   arc_div_up((size_t)e->n * CHUNKS, e->shape.items),
			   e->shape.items, args, ARC_COUNT(args));
}

static int launch_walk(struct arc_device_encoder *e)
{
	const struct arc_ocl_arg args[] = {
		ARC_OCL_BUFFER(e->raw),
		ARC_OCL_BUFFER(e->segments.device),
		ARC_OCL_VALUE(e->n),
		ARC_OCL_BUFFER(e->way),
		ARC_OCL_BUFFER(e->results.device),
	};

	return arc_ocl_run(e->queue, e->kernel[WALK],
			   arc_div_up(e->n, e->shape.items), e->shape.items,
			   args, ARC_COUNT(args));
}

static int launch_emit(struct arc_device_encoder *e)
{
	const struct arc_ocl_arg place[] = {
		ARC_OCL_BUFFER(e->results.device),
		ARC_OCL_VALUE(e->n),
	};
	const struct arc_ocl_arg emit[] = {
		ARC_OCL_BUFFER(e->raw),
		ARC_OCL_BUFFER(e->segments.device),
		ARC_OCL_BUFFER(e->way),
		ARC_OCL_BUFFER(e->results.device),
		ARC_OCL_BUFFER(e->coded.device),
	};
	int err = arc_ocl_run(e->queue, e->kernel[PLACE], 1, e->shape.items,
			      place, ARC_COUNT(place));

	if (err < 0)
		return err;
	return arc_ocl_run(e->queue, e->kernel[EMIT], e->n, e->shape.items,
			   emit, ARC_COUNT(emit));
}

static int launch(struct arc_device_encoder *e)
{
	int err = launch_search(e);

	if (err == 0)
		err = launch_ways(e);
	if (err == 0)
		err = launch_walk(e);
	return err < 0 ? err : launch_emit(e);
}

/* ---- what comes back ----------------------------------------------------- */

static const uint32_t *result_of(const struct arc_device_encoder *e, uint32_t s)
{
	return (const uint32_t *)e->results.p + (size_t)s * ENC_RESULTS;
}

/* Coded bytes lie where they should, as far as the device says so. */
static int check(struct arc_device_encoder *e)
{
	uint32_t at = 0;

	for (uint32_t s = 0; s < e->n; s++) {
		const uint32_t *r = result_of(e, s);
		const uint32_t *words =
			(const uint32_t *)e->segments.p + s * ENC_WORDS;

		if (r[ENC_SIZE] >= words[ENC_BYTES] || r[ENC_AT] != at)
			return -EIO;
		at += r[ENC_SIZE];
	}
	e->figures.coded = at;
	return result_of(e, e->n)[ENC_AT] == at ? 0 : -EIO;
}

static int receive(struct arc_device_encoder *e)
{
	int err = arc_mirror_fetch(&e->results, e->queue, 0,
				   ((size_t)e->n + 1) * ENC_RESULTS *
					   sizeof(uint32_t));

	if (err == 0)
		err = arc_ocl_finish(e->queue);
	if (err == 0)
		err = check(e);
	if (err < 0)
		return err;
	e->figures.kernel_ns = arc_ocl_kernel_ns(e->queue);
	e->figures.launch_ns = arc_ocl_longest_ns(e->queue);
	if (e->figures.coded == 0)
		return 0;
	err = arc_mirror_fetch(&e->coded, e->queue, 0, e->figures.coded);
	return err < 0 ? err : arc_ocl_finish(e->queue);
}

/* Segment s of a frame whose coded bytes begin at `from`. */
static void take_segment(struct arc_device_encoder *e, uint32_t s,
			 uint32_t from)
{
	const uint32_t *r = result_of(e, s);

	e->segment[s] = (struct arc_encoded_segment){
		.offset = r[ENC_AT] - from,
		.size = r[ENC_SIZE],
		.ext = { .tokens = arc_put16((uint16_t)r[ENC_TOKENS]),
			 .lo = arc_put16((uint16_t)r[ENC_LO]),
			 .hi = arc_put16((uint16_t)r[ENC_HI]),
			 .x8 = arc_put16((uint16_t)r[ENC_X8]),
			 .x16 = arc_put16((uint16_t)r[ENC_X16]),
			 .near = arc_put16((uint16_t)r[ENC_NEAR]) },
	};
}

static void hand_out(struct arc_device_encoder *e,
		     struct arc_encode_frame *frames, unsigned n)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t end = s + arc_segment_count((uint32_t)frames[i].raw.n);
		uint32_t from = result_of(e, s)[ENC_AT];

		frames[i].coded = (const uint8_t *)e->coded.p + from;
		frames[i].segment = &e->segment[s];
		for (; s < end; s++)
			take_segment(e, s, from);
	}
}

int arc_device_encoder_run(struct arc_device_encoder *e,
			   struct arc_encode_frame *frames, unsigned n)
{
	int err;

	assert(arc_device_encoder_fits(e, frames, n) == n);
	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		assert(frames[i].raw.n > 0 &&
		       frames[i].raw.n <= ARC_FRAME_MAX &&
		       frames[i].group_log >= ARC_GROUP_LOG_MIN &&
		       frames[i].group_log <= e->group_log);
	err = send(e, frames, n);
	if (err == 0)
		err = launch(e);
	if (err == 0)
		err = receive(e);
	if (err == 0)
		hand_out(e, frames, n);
	return err;
}

struct arc_encode_figures
arc_device_encoder_figures(const struct arc_device_encoder *e)
{
	return e->figures;
}
