/* SPDX-License-Identifier: MIT */
/*
 * onerecord - one frame, its record, and what comes out of it; for the tests of
 * records, which include it after cmocka.h.
 *
 * Threads: one owner.
 */
#ifndef ARC_ONERECORD_H
#define ARC_ONERECORD_H

#include "hash.h"
#include "record.h"
#include "testdata.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)
#define ID UINT64_C(0xfedcba9876543210)

static uint8_t raw[ARC_FRAME_MAX];
static uint8_t out[ARC_FRAME_MAX];
static uint8_t *stored;
static struct arc_record_info info;

static inline int allocate(void **state)
{
	(void)state;
	stored = malloc(arc_record_bound(ARC_FRAME_MAX) + ARC_DECODE_SLACK);
	return stored ? 0 : -1;
}

static inline int release(void **state)
{
	(void)state;
	free(stored);
	return 0;
}

static inline struct arc_record_encoder *
encoder(const char *codec, unsigned level, uint8_t group_log)
{
	const struct arc_record_params p = {
		.encoder = arc_encoder_find(codec),
		.codec = { .level = level, .group_log = group_log },
		.id = ID,
	};
	struct arc_record_encoder *e = NULL;

	assert_int_equal(arc_record_encoder_new(&p, &e), 0);
	return e;
}

/* The first n bytes of raw, as frame 42. */
static inline void encode_with(struct arc_record_encoder *e, size_t n)
{
	assert_int_equal(arc_record_encode(e, 42, (struct arc_span){ raw, n },
					   stored, &info),
			 0);
	assert_true(info.stored <= arc_record_bound((uint32_t)n));
	assert_int_equal(info.raw, n);
}

static inline void encode(const char *codec, size_t n, uint8_t group_log)
{
	struct arc_record_encoder *e = encoder(codec, 6, group_log);

	encode_with(e, n);
	arc_record_encoder_free(e);
}

static inline struct arc_span whole(void)
{
	return (struct arc_span){ stored, info.stored };
}

static inline struct arc_record *parse(void)
{
	struct arc_record *r = NULL;

	assert_int_equal(arc_record_parse(whole(), &r), 0);
	return r;
}

/* What was encoded last comes back, and says of itself what info says. */
static inline void check_round_trip(void)
{
	struct arc_record *r = parse();

	assert_int_equal(r->number, 42);
	assert_int_equal(r->raw, info.raw);
	assert_int_equal(r->segments, arc_segment_count(info.raw));
	assert_int_equal((uint64_t)r->head + r->payload, info.stored);
	assert_int_equal(r->digest, info.digest);
	assert_int_equal(r->digest, arc_xxh64(raw, info.raw));
	assert_int_equal(r->checksum, info.checksum);
	assert_int_equal(r->id, ID);
	assert_int_equal(r->codec, info.codec);
	assert_int_equal(r->group_log, info.group_log);
	memset(out, 0x77, info.raw);
	assert_int_equal(arc_record_decode_all(r, whole(), out), 0);
	assert_memory_equal(out, raw, info.raw);
	free(r);
}

/* ---- forging ------------------------------------------------------------ */

static inline struct arc_disk_record *disk_head(void)
{
	return (struct arc_disk_record *)stored;
}

static inline struct arc_disk_segment *disk_segment(uint32_t s)
{
	return (struct arc_disk_segment *)(stored + 64 + s * 24);
}

static inline int parse_sealed(struct arc_record **ret)
{
	size_t head = 0;
	struct arc_span front = { stored, 56 };
	struct arc_span table = { stored + 64, 0 };
	int err = arc_record_peek(whole(), &head);

	if (err < 0)
		return err;
	table.n = head - 64;
	disk_head()->checksum = arc_put64(arc_xxh64_2(front, table));
	return arc_record_parse(whole(), ret);
}

#endif
