/* SPDX-License-Identifier: MIT */
/*
 * devicedecode - jobs for a device's decoder, and what the C decoder says to
 * the same. Include it after cmocka.h.
 *
 * Threads: one owner.
 */
#ifndef TEST_DEVICEDECODE_H
#define TEST_DEVICEDECODE_H

#include <string.h>

#include "engine/device_decode.h"
#include "hash.h"
#include "ocldevice.h"

#define DEVICE_RAW ((size_t)56 << 20)
#define DEVICE_STORED ((size_t)40 << 20)
#define DEVICE_JOBS 80
#define DEVICE_PINNED (DEVICE_STORED + DEVICE_JOBS * 1024)

/* Two ways of doing the same. */
static const struct arc_decode_shape device_shapes[] = { { 1, 64 },
							 { 64, 128 } };
#define DEVICE_SHAPES ARC_COUNT(device_shapes)

struct device_world {
	struct arc_ocl_device *dev;
	struct arc_device_decoder *decoder[DEVICE_SHAPES];
	struct arc_ocl_pinned *pinned;
	struct arc_decode_job job[DEVICE_JOBS];
	unsigned n;

	/* Of each job. */
	uint8_t *stored[DEVICE_JOBS]; /* the record; owned */
	uint8_t *out[DEVICE_JOBS]; /* the frame; owned */
	uint8_t **groups[DEVICE_JOBS]; /* in it; owned */
};

static struct device_world world;

static inline int device_setup(void **state)
{
	(void)state;
	world.dev = ocl_open_cpu(NULL);
	for (size_t i = 0; i < DEVICE_SHAPES; i++) {
		int err = arc_device_decoder_new_shaped(
			world.dev, NULL, &device_shapes[i], DEVICE_RAW,
			DEVICE_STORED, 2, &world.decoder[i]);

		assert_int_equal(err, 0);
	}
	assert_int_equal(
		arc_ocl_pinned_new(world.dev, DEVICE_PINNED, &world.pinned), 0);
	return 0;
}

static inline int device_teardown(void **state)
{
	(void)state;
	arc_ocl_pinned_free(world.pinned);
	for (size_t i = 0; i < DEVICE_SHAPES; i++)
		arc_device_decoder_free(world.decoder[i]);
	arc_ocl_close(world.dev);
	return 0;
}

/* ---- jobs ---------------------------------------------------------------- */

/* Adds a job that wants nothing yet; takes the record, of which r->head bytes
 * stand before the payload in stored, and stored, if it is not NULL. */
static inline struct arc_decode_job *
device_add(struct arc_record *r, const uint8_t *payload, uint8_t *stored)
{
	unsigned i = world.n++;

	assert_true(i < DEVICE_JOBS);
	world.stored[i] = stored;
	world.out[i] = malloc(r->raw);
	world.groups[i] = calloc(ARC_FRAME_SEGMENTS_MAX, sizeof(uint8_t *));
	assert_true(world.out[i] && world.groups[i]);
	arc_record_place_groups(r, world.out[i], world.groups[i]);
	world.job[i] = (struct arc_decode_job){ .record = r,
						.payload = payload,
						.groups = world.groups[i] };
	return &world.job[i];
}

/* The record of n raw bytes, as the CPU encodes it. */
static inline uint8_t *device_encode(const uint8_t *raw, size_t n,
				     const struct arc_encoder_params *params,
				     struct arc_record_info *ret)
{
	const struct arc_record_params p = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = *params,
	};
	struct arc_record_encoder *e = NULL;
	uint8_t *stored =
		malloc(arc_record_bound((uint32_t)n) + ARC_DECODE_SLACK);

	assert_non_null(stored);
	assert_int_equal(arc_record_encoder_new(&p, &e), 0);
	assert_int_equal(arc_record_encode(e, 7, (struct arc_span){ raw, n },
					   stored, ret),
			 0);
	arc_record_encoder_free(e);
	return stored;
}

static inline void device_want(struct arc_decode_job *job, uint32_t first,
			       uint32_t n)
{
	for (uint32_t s = first; s < first + n; s++) {
		arc_segset_add(&job->set, s);
		arc_segset_add(&job->want, s);
	}
	arc_record_closure(job->record, 0, first + n - 1, NULL, &job->set);
}

/* Encodes n bytes and wants all of them. NULL when devices do not decode what
 * came of it. */
static inline struct arc_decode_job *
device_add_raw(const uint8_t *raw, size_t n,
	       const struct arc_encoder_params *params)
{
	struct arc_record_info info;
	uint8_t *stored = device_encode(raw, n, params, &info);
	struct arc_span record = { stored, info.stored };
	struct arc_record *r = NULL;
	struct arc_decode_job *job;

	assert_int_equal(arc_record_parse(record, &r), 0);
	if (!arc_device_decodes(r)) {
		assert_int_equal(r->codec, ARC_CODEC_RAW);
		free(r);
		free(stored);
		return NULL;
	}
	job = device_add(r, stored + r->head, stored);
	device_want(job, 0, r->segments);
	return job;
}

static inline void device_clear(void)
{
	for (unsigned i = 0; i < world.n; i++) {
		struct arc_record *r = NULL;

		memcpy(&r, &world.job[i].record, sizeof(r));
		free(r);
		free(world.stored[i]);
		free(world.out[i]);
		free(world.groups[i]);
	}
	world.n = 0;
}

/* ---- what the C decoder says --------------------------------------------- */

struct device_verdict {
	struct arc_segset bad;
	struct arc_segset unsure; /* refer to what is bad */
	uint8_t *frame;
};

static inline bool refers_to(const struct arc_record *r, uint32_t s,
			     const struct arc_segset *set)
{
	struct arc_segset needs = { 0 };
	uint64_t common = 0;

	arc_segset_add(&needs, s);
	arc_record_closure(r, s, s, NULL, &needs);
	needs.word[s / 64] &= ~(UINT64_C(1) << s % 64);
	for (size_t w = 0; w < ARC_COUNT(needs.word); w++)
		common |= needs.word[w] & set->word[w];
	return common != 0;
}

/* Of all of the set. What a bad segment leaves behind is not defined, so what
 * refers to it can be anything. */
static inline struct device_verdict
device_verdict(const struct arc_decode_job *job)
{
	const struct arc_record *r = job->record;
	struct device_verdict v = { .frame = malloc(r->raw) };
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];

	assert_non_null(v.frame);
	memset(v.frame, 0x77, r->raw);
	arc_record_place_groups(r, v.frame, groups);
	for (uint32_t s = 0; s < r->segments; s++) {
		if (!arc_segset_has(&job->set, s))
			continue;
		if (refers_to(r, s, &v.bad) || refers_to(r, s, &v.unsure))
			arc_segset_add(&v.unsure, s);
		if (arc_record_decode_segment(
			    r, s, job->payload + r->segment[s].offset, groups) <
		    0)
			arc_segset_add(&v.bad, s);
	}
	return v;
}

/* ---- runs ---------------------------------------------------------------- */

/* A wanted segment is right or called bad, and all others have not been
 * touched. Returns the number of bad ones. */
static inline unsigned device_compare(unsigned i,
				      const struct device_verdict *v)
{
	const struct arc_decode_job *job = &world.job[i];
	const struct arc_record *r = job->record;
	unsigned bad = 0;

	for (uint32_t s = 0; s < r->segments; s++) {
		size_t off = (size_t)s * ARC_SEGMENT_SIZE;
		uint32_t n = arc_record_segment_raw(r, s);
		bool is_bad = arc_segset_has(&job->bad, s);

		if (!arc_segset_has(&job->want, s))
			assert_false(is_bad);
		if (is_bad || !arc_segset_has(&job->want, s)) {
			for (uint32_t k = 0; k < n; k++)
				assert_int_equal(world.out[i][off + k], 0x55);
		} else {
			assert_int_equal(arc_xxh64(world.out[i] + off, n),
					 r->segment[s].check);
		}
		if (!arc_segset_has(&job->want, s))
			continue;
		if (!arc_segset_has(&v->unsure, s))
			assert_int_equal(is_bad, arc_segset_has(&v->bad, s));
		if (!is_bad && !arc_segset_has(&v->bad, s))
			assert_memory_equal(world.out[i] + off, v->frame + off,
					    n);
		bad += is_bad;
	}
	return bad;
}

/* Puts what a job needs of its payload into pinned memory, from an odd place
 * behind `at` on, one segment after the other, as records have it; the record is
 * a copy, to be freed. Returns where there is room for the next one. */
static inline size_t device_pin(struct arc_decode_job *job, size_t at)
{
	uint8_t *p = (uint8_t *)arc_ocl_pinned_at(world.pinned) + (at | 1);
	size_t size = sizeof(struct arc_record) +
		      job->record->segments * sizeof(struct arc_segment);
	struct arc_record *r = malloc(size);
	uint32_t n = 0;

	assert_non_null(r);
	memcpy(r, job->record, size);
	for (uint32_t s = 0; s < r->segments; s++) {
		struct arc_segment *seg = &r->segment[s];

		if (!arc_segset_has(&job->set, s))
			continue;
		assert_true((at | 1) + n + seg->size + ARC_DECODE_SLACK <=
			    DEVICE_PINNED);
		memcpy(p + n, job->payload + seg->offset, seg->size);
		seg->offset = n;
		n += seg->size;
	}
	memset(p + n, 0, ARC_DECODE_SLACK);
	job->record = r;
	job->payload = p;
	job->pinned = true;
	return (at | 1) + n + ARC_DECODE_SLACK;
}

/* All jobs, their payloads gathered, or taken from where they are. */
static inline int device_run(struct arc_device_decoder *d, bool pinned)
{
	static struct arc_decode_job job[DEVICE_JOBS];
	size_t at = 0;
	int err;

	for (unsigned i = 0; i < world.n; i++) {
		job[i] = world.job[i];
		if (pinned)
			at = device_pin(&job[i], at);
	}
	assert_int_equal(arc_device_decoder_fits(d, job, world.n), world.n);
	err = arc_device_decoder_run(d, job, world.n);
	for (unsigned i = 0; i < world.n; i++) {
		struct arc_record *copy = NULL;

		if (pinned)
			memcpy(&copy, &job[i].record, sizeof(copy));
		free(copy);
		world.job[i].bad = job[i].bad;
	}
	return err;
}

/* Runs all jobs that were added, in both shapes, and compares. Returns how many
 * segments were bad. */
static inline unsigned device_check(void)
{
	static struct device_verdict verdict[DEVICE_JOBS];
	unsigned bad = 0;

	for (unsigned i = 0; i < world.n; i++)
		verdict[i] = device_verdict(&world.job[i]);
	for (size_t k = 0; k < DEVICE_SHAPES; k++) {
		struct arc_device_decoder *d = world.decoder[k];

		for (unsigned i = 0; i < world.n; i++)
			memset(world.out[i], 0x55, world.job[i].record->raw);
		assert_int_equal(device_run(d, k > 0), 0);
		bad = 0;
		for (unsigned i = 0; i < world.n; i++)
			bad += device_compare(i, &verdict[i]);
	}
	for (unsigned i = 0; i < world.n; i++)
		free(verdict[i].frame);
	return bad;
}

#endif
