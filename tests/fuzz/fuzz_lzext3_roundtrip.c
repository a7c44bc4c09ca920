/* SPDX-License-Identifier: MIT */
/*
 * A frame through the encoder of LZ-EXT3 and back, with settings from the
 * input. It comes back whole, and from each segment's closure alone; the same
 * encoder, having coded another frame, makes the same record of it again.
 *
 *	input:  u8 level | u8 group_log | u8 far_max | u8 hash_log |
 *		u8 candidates | u8 good_enough | u8 times | u8 gap | bytes
 *
 * The frame is the bytes, `times` times, with a gap of 256 * gap bytes that
 * never repeat between them: inputs are short, windows are not.
 */
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "testdata.h"

#define HEAD 8
#define FRAME_MAX (3 * ARC_SEGMENT_SIZE + 5000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void *some(size_t n)
{
	void *p = malloc(n);

	if (!p)
		abort();
	return p;
}

static size_t make_frame(const uint8_t *data, size_t n, unsigned times,
			 size_t gap, uint8_t *frame)
{
	uint64_t seed = gap;
	size_t at = 0;

	for (unsigned i = 0; i < times && at + n + gap <= FRAME_MAX; i++) {
		if (i > 0) {
			testdata_random(frame + at, gap, &seed);
			at += gap;
		}
		memcpy(frame + at, data, n);
		at += n;
	}
	return at;
}

static struct arc_record_encoder *encoder(const uint8_t *head)
{
	const struct arc_record_params p = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = { .level = 1 + head[0] % 9u,
			   .group_log = (uint8_t)(16 + head[1] % 9),
			   .group_auto = head[1] & 128,
			   .far_max = head[2] % 17u,
			   .hash_log = head[3] ? 12 + head[3] % 7u : 0,
			   .candidates = head[4] % 65u,
			   .good_enough = head[5] ? 4 + head[5] * 2u : 0 },
	};
	struct arc_record_encoder *e = NULL;

	if (arc_record_encoder_new(&p, &e) < 0)
		abort();
	return e;
}

static void encode(struct arc_record_encoder *e, const uint8_t *p, size_t n,
		   uint8_t *out, struct arc_record_info *ret)
{
	if (arc_record_encode(e, 1, (struct arc_span){ p, n }, out, ret) < 0)
		abort();
}

/* One segment and what it needs, everything else being different. */
static void check_closure(const struct arc_record *r, const uint8_t *payload,
			  const uint8_t *frame, uint32_t s, uint8_t *out)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_segset set = { 0 };

	memset(out, 0xee, r->raw);
	arc_record_place_groups(r, out, groups);
	arc_segset_add(&set, s);
	arc_record_closure(r, 0, s, NULL, &set);
	for (uint32_t i = 0; i <= s; i++)
		if (arc_segset_has(&set, i) &&
		    arc_record_decode_segment(
			    r, i, payload + r->segment[i].offset, groups) < 0)
			abort();
	if (memcmp(out + ((size_t)s << ARC_SEGMENT_LOG),
		   frame + ((size_t)s << ARC_SEGMENT_LOG),
		   arc_record_segment_raw(r, s)) != 0)
		abort();
}

static void check_record(struct arc_span record, struct arc_span frame)
{
	/* exactly as long as they may be read and written */
	uint8_t *copy = some(record.n + ARC_DECODE_SLACK);
	uint8_t *out = some(frame.n);
	struct arc_record *r = NULL;

	memcpy(copy, record.p, record.n);
	memset(copy + record.n, 0xff, ARC_DECODE_SLACK);
	record.p = copy;
	if (arc_record_parse(record, &r) < 0 ||
	    arc_record_decode_all(r, record, out) < 0 ||
	    memcmp(out, frame.p, frame.n) != 0)
		abort();
	for (uint32_t s = 0; s < r->segments; s++)
		check_closure(r, copy + r->head, frame.p, s, out);
	free(r);
	free(out);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arc_record_encoder *e;
	struct arc_record_info info, again;
	uint8_t *frame, *exact, *record, *second;
	size_t bytes, bound;

	if (n <= HEAD || n - HEAD > FRAME_MAX)
		return 0;
	frame = some(FRAME_MAX);
	bytes = make_frame(data + HEAD, n - HEAD, 1u + data[6] % 32u,
			   (size_t)256 * data[7], frame);
	bound = arc_record_bound((uint32_t)bytes);
	exact = some(bytes);
	memcpy(exact, frame, bytes);
	record = some(bound);
	second = some(bound);
	e = encoder(data);
	encode(e, exact, bytes, record, &info);
	if (bytes > 2)
		encode(e, exact + bytes / 3, bytes / 2, second, &again);
	encode(e, exact, bytes, second, &again);
	if (info.stored > bound || info.stored != again.stored ||
	    memcmp(record, second, info.stored) != 0)
		abort();
	check_record((struct arc_span){ record, info.stored },
		     (struct arc_span){ exact, bytes });
	arc_record_encoder_free(e);
	free(second);
	free(record);
	free(exact);
	free(frame);
	return 0;
}
