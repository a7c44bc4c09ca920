/* SPDX-License-Identifier: MIT */
/*
 * devicecases - segments written by hand (lzext3_asm.h) as jobs for a device:
 * each is the last segment of a frame whose others are raw. A device has to say
 * what the C decoder says, by itself and not because of a checksum. Include it
 * after cmocka.h.
 *
 * Threads: one owner.
 */
#ifndef TEST_DEVICECASES_H
#define TEST_DEVICECASES_H

#include "devicedecode.h"
#include "lzext3_asm.h"

#define CASES 60
#define CASE_ROOM (128 * 1024)

static struct asm_segment a;

/* A frame of random segments, then the stored bytes of cases. */
static uint8_t *arena;
static unsigned cases;
static unsigned refused; /* by the C decoder */
static unsigned good_seen, bad_seen; /* so far */

static inline int cases_setup(void **state)
{
	uint64_t seed = 99;
	size_t n = ASM_SEGMENTS * SEGMENT;

	arena = malloc(n + CASES * CASE_ROOM);
	assert_non_null(arena);
	testdata_random(arena, n, &seed);
	return device_setup(state);
}

static inline int cases_teardown(void **state)
{
	free(arena);
	return device_teardown(state);
}

/* ---- cases --------------------------------------------------------------- */

/* The record of a frame that ends with the segment seg of n raw bytes; before
 * it are raw ones. */
static inline struct arc_record *record_of(const struct arc_segment *seg,
					   uint32_t s, uint32_t n,
					   uint8_t group_log)
{
	struct arc_record *r =
		calloc(1, sizeof(*r) + (s + 1) * sizeof(r->segment[0]));

	assert_non_null(r);
	r->raw = s * SEGMENT + n;
	r->segments = s + 1;
	r->codec = ARC_CODEC_LZEXT3;
	r->group_log = group_log;
	r->decoder = arc_decoder_find(r->codec);
	for (uint32_t i = 0; i < s; i++)
		r->segment[i] = (struct arc_segment){
			.offset = i * SEGMENT,
			.size = SEGMENT,
			.type = ARC_SEGMENT_RAW,
			.check = arc_xxh64(arena + i * SEGMENT, SEGMENT),
		};
	r->segment[s] = *seg;
	return r;
}

/* What the C decoder makes of segment s; the right checksum is put into it. */
static inline int decode_here(struct arc_record *r, const uint8_t *src)
{
	uint32_t s = r->segments - 1;
	uint8_t *frame = malloc(r->raw);
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	const struct arc_decode d = {
		.seg = &r->segment[s],
		.src = src,
		.s = s,
		.n = arc_record_segment_raw(r, s),
		.group_log = r->group_log,
		.groups = groups,
	};
	int err;

	assert_non_null(frame);
	arc_record_place_groups(r, frame, groups);
	memcpy(frame, arena, s * SEGMENT);
	memset(frame + s * SEGMENT, 0, d.n);
	err = r->decoder->decode(&d);
	r->segment[s].check = arc_xxh64(frame + s * SEGMENT, d.n);
	free(frame);
	return err;
}

/* All cases at once; a device refuses as many as the C decoder. */
static inline void flush_cases(void)
{
	unsigned bad = device_check();

	assert_int_equal(bad, refused);
	for (size_t i = 0; i < DEVICE_SHAPES; i++)
		assert_int_equal(
			arc_device_decoder_figures(world.decoder[i]).refused,
			refused);
	good_seen += cases - refused;
	bad_seen += refused;
	device_clear();
	cases = refused = 0;
}

static inline void add_stored(const struct arc_segment *entry,
			      const uint8_t *bytes, uint32_t s, int n,
			      uint8_t group_log)
{
	size_t off = ASM_SEGMENTS * SEGMENT + cases * (size_t)CASE_ROOM;
	struct arc_segment seg = *entry;
	struct arc_decode_job *job;
	struct arc_record *r;

	assert_true(seg.size + ARC_DECODE_SLACK <= CASE_ROOM);
	if (n < 1 || n > (int)SEGMENT)
		return;
	seg.offset = (uint32_t)off;
	r = record_of(&seg, s, (uint32_t)n, group_log);
	if (r->decoder->check(&seg, s, (uint32_t)n, group_log) < 0) {
		free(r);
		return;
	}
	memcpy(arena + off, bytes, seg.size);
	memset(arena + off + seg.size, (int)cases, ARC_DECODE_SLACK);
	refused += decode_here(r, arena + off) < 0;
	job = device_add(r, arena, NULL);
	device_want(job, s, 1);
	if (++cases == CASES)
		flush_cases();
}

static inline void add_case(void)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	size_t n = asm_bytes(&a, bytes);
	struct arc_segment seg = asm_entry(&a, n);

	memset(bytes + n, 0, 2);
	add_stored(&seg, bytes, a.s, (int)a.n + a.n_off, a.group_log);
}

#endif
