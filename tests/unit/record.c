/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "onerecord.h"

/* ---- round trips -------------------------------------------------------- */

static void frames_of_every_small_size_come_back(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2 * TESTDATA_KINDS; k++) {
		struct arc_record_encoder *e =
			encoder(k & 1 ? "zstd" : "lz4hc", 6, 18);

		for (size_t n = 1; n <= 70; n++) {
			testdata_fill((enum testdata_kind)(k / 2), raw, n, n);
			encode_with(e, n);
			check_round_trip();
		}
		arc_record_encoder_free(e);
	}
}

/* Around every border there is, with one codec after the other. */
static void frames_around_the_borders_come_back(void **state)
{
	static const size_t sizes[] = { SEGMENT, 2 * SEGMENT, 3 * SEGMENT,
					4 * SEGMENT, 9 * SEGMENT };
	static const char *const codecs[] = { "", "lz4", "lz4hc", "zstd" };

	(void)state;
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		struct arc_record_encoder *e = encoder(codecs[c], 3, 17);

		for (size_t i = 0; i < ARC_COUNT(sizes) * 3; i++) {
			size_t n = sizes[i / 3] + i % 3 - 1;

			for (unsigned k = 0; k < TESTDATA_KINDS; k++) {
				testdata_fill((enum testdata_kind)k, raw, n, i);
				encode_with(e, n);
				check_round_trip();
			}
		}
		arc_record_encoder_free(e);
	}
}

static void largest_frames_come_back_with_every_group_size(void **state)
{
	size_t n = ARC_FRAME_MAX;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, n, 1);
	for (uint8_t log = ARC_GROUP_LOG_MIN; log <= ARC_GROUP_LOG_MAX; log++) {
		encode("lz4", n, log);
		assert_int_equal(info.codec, ARC_CODEC_LZ4);
		assert_true(info.stored < n);
		check_round_trip();
		n = n == ARC_FRAME_MAX ? ARC_FRAME_MAX - 1 : ARC_FRAME_MAX;
	}
}

static void every_level_comes_back(void **state)
{
	static const char *const codecs[] = { "lz4", "lz4hc", "zstd" };

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, 8 * SEGMENT, 4);
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		for (unsigned level = 1; level <= 9; level++) {
			struct arc_record_encoder *e =
				encoder(codecs[c], level, 18);

			encode_with(e, 8 * SEGMENT - 3);
			check_round_trip();
			arc_record_encoder_free(e);
		}
	}
}

static void one_segment_is_decoded_with_its_group_alone(void **state)
{
	static uint8_t group[4 * ARC_SEGMENT_SIZE];
	struct arc_record *r;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, 11 * SEGMENT, 8);
	encode("lz4hc", 11 * SEGMENT - 77, 18);
	r = parse();
	for (uint32_t from = 0; from < r->segments; from += 4) {
		uint8_t *groups[ARC_FRAME_SEGMENTS_MAX] = { NULL };

		memset(group, 0x77, sizeof(group));
		groups[from / 4] = group;
		for (uint32_t s = from; s < r->segments && s < from + 4; s++) {
			const uint8_t *src =
				stored + r->head + r->segment[s].offset;
			uint32_t n = arc_record_segment_raw(r, s);

			assert_int_equal(arc_record_decode_segment(r, s, src,
								   groups),
					 0);
			assert_memory_equal(group + (s - from) * SEGMENT,
					    raw + s * SEGMENT, n);
		}
	}
	assert_int_equal(arc_record_segment_raw(r, 10), SEGMENT - 77);
	free(r);
}

/* ---- sizes -------------------------------------------------------------- */

static void zeros_cost_a_table_with_any_codec(void **state)
{
	(void)state;
	testdata_fill(TESTDATA_ZERO, raw, ARC_FRAME_MAX, 1);
	encode("", ARC_FRAME_MAX, 18);
	assert_int_equal(info.stored, 64 + 256 * 24);
	check_round_trip();
	encode("lz4hc", ARC_FRAME_MAX, 18);
	assert_int_equal(info.stored, 64 + 256 * 24);
	assert_int_equal(info.codec, ARC_CODEC_RAW);
	check_round_trip();
	encode("zstd", ARC_FRAME_MAX, 20);
	assert_int_equal(info.stored, 64 + 256 * 24);
	assert_int_equal(info.codec, ARC_CODEC_RAW);
	check_round_trip();
}

static void frames_that_do_not_shrink_are_raw_records(void **state)
{
	static const char *const codecs[] = { "lz4", "lz4hc", "zstd" };

	(void)state;
	testdata_fill(TESTDATA_RANDOM, raw, ARC_FRAME_MAX, 1);
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		encode(codecs[c], ARC_FRAME_MAX, 18);
		assert_int_equal(info.codec, ARC_CODEC_RAW);
		assert_int_equal(info.entry_size, 24);
		assert_int_equal(info.stored, 64 + 256 * 24 + ARC_FRAME_MAX);
		/* growth of at most 0.15 percent */
		assert_true((info.stored - ARC_FRAME_MAX) * UINT64_C(10000) <=
			    ARC_FRAME_MAX * UINT64_C(15));
		check_round_trip();
	}
}

static void segments_have_the_type_that_is_smallest(void **state)
{
	struct arc_record *r;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, SEGMENT, 1);
	testdata_fill(TESTDATA_BYTE, raw + SEGMENT, SEGMENT, 1);
	testdata_fill(TESTDATA_RANDOM, raw + 2 * SEGMENT, SEGMENT, 1);
	testdata_fill(TESTDATA_TEXT, raw + 3 * SEGMENT, 100, 1);
	encode("lz4", 3 * SEGMENT + 100, 18);
	r = parse();
	assert_int_equal(r->segment[0].type, ARC_SEGMENT_CODED);
	assert_int_equal(r->segment[1].type, ARC_SEGMENT_FILL);
	assert_int_equal(r->segment[1].fill, 0xa5);
	assert_int_equal(r->segment[1].size, 0);
	assert_int_equal(r->segment[2].type, ARC_SEGMENT_RAW);
	assert_int_equal(r->segment[2].size, SEGMENT);
	free(r);
	check_round_trip();
}

/* A match across the border of a fill segment and its successor: its bytes
 * are part of the window like any others. */
static void fill_segments_are_part_of_the_window(void **state)
{
	struct arc_record *r;

	(void)state;
	testdata_fill(TESTDATA_RANDOM, raw, 3 * SEGMENT, 1);
	memset(raw + SEGMENT, 0xa5, SEGMENT);
	memset(raw + 2 * SEGMENT, 0xa5, 40000);
	encode("lz4", 3 * SEGMENT, 18);
	r = parse();
	assert_int_equal(r->segment[1].type, ARC_SEGMENT_FILL);
	assert_int_equal(r->segment[2].type, ARC_SEGMENT_CODED);
	/* its first token takes no literal but copies from before */
	assert_int_equal(stored[r->head + r->segment[2].offset], 0x0f);
	free(r);
	check_round_trip();
}

/* ---- determinism -------------------------------------------------------- */

static void equal_frames_give_equal_records(void **state)
{
	static const char *const codecs[] = { "", "lz4", "lz4hc", "zstd" };
	static uint8_t first[7 * ARC_SEGMENT_SIZE + 20000];
	size_t n = 7 * SEGMENT - 5;

	(void)state;
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		struct arc_record_encoder *e = encoder(codecs[c], 7, 18);

		for (unsigned k = 0; k < TESTDATA_KINDS; k++) {
			uint32_t was;

			testdata_fill((enum testdata_kind)k, raw, n, 3);
			encode(codecs[c], n, 18);
			encode_with(e, n); /* after other frames */
			was = info.stored;
			memcpy(first, stored, was);
			testdata_fill(TESTDATA_MIXED, raw, 2 * n, k);
			encode_with(e, 2 * n);
			testdata_fill((enum testdata_kind)k, raw, n, 3);
			encode_with(e, n);
			assert_int_equal(info.stored, was);
			assert_memory_equal(first, stored, was);
		}
		arc_record_encoder_free(e);
	}
}

/* ---- damage ------------------------------------------------------------- */

static void every_flipped_bit_of_a_head_is_noticed(void **state)
{
	struct arc_record *r = NULL;
	size_t head;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, 3 * SEGMENT, 5);
	encode("lz4", 3 * SEGMENT, 17);
	head = arc_record_head_size(3, 24);
	for (size_t bit = 0; bit < head * 8; bit++) {
		stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(arc_record_parse(whole(), &r), -EBADMSG);
		stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	check_round_trip();
}

static void heads_cut_short_are_refused(void **state)
{
	struct arc_record *r = NULL;
	struct arc_span head;
	size_t need = 0;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 2 * SEGMENT, 5);
	encode("lz4", 2 * SEGMENT, 17);
	head = whole();
	assert_int_equal(arc_record_peek(head, &need), 0);
	assert_int_equal(need, 64 + 2 * 24);
	for (head.n = 0; head.n < need; head.n++)
		assert_int_equal(arc_record_parse(head, &r), -EBADMSG);
	assert_null(r);
	assert_int_equal(arc_record_parse(head, &r), 0);
	free(r);
	head.n = 63;
	assert_int_equal(arc_record_peek(head, &need), -EBADMSG);
}

/* Every segment with its right neighbours before it; true: it came out right,
 * false: it was refused. */
static bool segment_survives(const struct arc_record *r, uint32_t s)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	uint32_t n = arc_record_segment_raw(r, s);
	int err;

	memcpy(out, raw, s * SEGMENT);
	arc_record_place_groups(r, out, groups);
	err = arc_record_decode_segment(
		r, s, stored + r->head + r->segment[s].offset, groups);
	if (err < 0) {
		assert_int_equal(err, -EBADMSG);
		return false;
	}
	assert_memory_equal(out + s * SEGMENT, raw + s * SEGMENT, n);
	return true;
}

static void damage_in_the_payload_hits_its_segment_alone(void **state)
{
	struct arc_record *r;
	uint64_t seed = 17;
	uint32_t refused = 0;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, 6 * SEGMENT, 21);
	encode("lz4hc", 6 * SEGMENT - 9, 17);
	r = parse();
	for (int i = 0; i < 300; i++) {
		uint64_t v = testdata_next(&seed);
		uint32_t at = (uint32_t)((v >> 8) % r->payload);

		stored[r->head + at] ^= (uint8_t)(1u << v % 8);
		for (uint32_t s = 0; s < r->segments; s++) {
			const struct arc_segment *seg = &r->segment[s];
			bool hit = at >= seg->offset &&
				   at - seg->offset < seg->size;
			bool ok = segment_survives(r, s);

			/* a coded segment may by chance decode to the same */
			if (!hit)
				assert_true(ok);
			else if (seg->type == ARC_SEGMENT_RAW)
				assert_false(ok);
			refused += !ok;
		}
		stored[r->head + at] ^= (uint8_t)(1u << v % 8);
	}
	assert_true(refused > 250);
	free(r);
	check_round_trip();
}

static void whole_records_cut_or_grown_are_refused(void **state)
{
	struct arc_record *r;
	struct arc_span all;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, SEGMENT, 21);
	encode("lz4", SEGMENT, 17);
	r = parse();
	all = whole();
	all.n--;
	assert_int_equal(arc_record_decode_all(r, all, out), -EBADMSG);
	all.n += 2;
	assert_int_equal(arc_record_decode_all(r, all, out), -EBADMSG);
	free(r);
}

/* ---- hostile heads, with right checksums -------------------------------- */

/* text, one byte repeated, random bytes, 100 bytes of text */
static void encode_all_types(void)
{
	testdata_fill(TESTDATA_TEXT, raw, SEGMENT, 1);
	testdata_fill(TESTDATA_BYTE, raw + SEGMENT, SEGMENT, 1);
	testdata_fill(TESTDATA_RANDOM, raw + 2 * SEGMENT, SEGMENT, 1);
	testdata_fill(TESTDATA_TEXT, raw + 3 * SEGMENT, 100, 1);
	encode("lz4", 3 * SEGMENT + 100, 18);
}

enum field { OFFSET, SIZE, TYPE };

static void forged_entries_are_refused(void **state)
{
	static const struct {
		uint32_t segment;
		enum field field;
		uint32_t value;
	} forged[] = {
		{ 0, OFFSET, 1 },
		{ 1, OFFSET, 0 },
		{ 3, OFFSET, UINT32_MAX },
		{ 0, SIZE, 0 },
		{ 0, SIZE, ARC_SEGMENT_SIZE },
		{ 0, SIZE, UINT32_MAX },
		{ 1, SIZE, 1 },
		{ 2, SIZE, ARC_SEGMENT_SIZE - 1 },
		{ 2, SIZE, 0 },
		{ 2, TYPE, ARC_SEGMENT_CODED },
		{ 0, TYPE, ARC_SEGMENT_RAW },
		{ 0, TYPE, ARC_SEGMENT_FILL },
		{ 1, TYPE, ARC_SEGMENT_RAW },
		{ 1, TYPE, ARC_SEGMENT_CODED },
		{ 0, TYPE, ARC_SEGMENT_JOINED },
		{ 1, TYPE, ARC_SEGMENT_JOINED },
		{ 0, TYPE, ARC_SEGMENT_TYPES },
		{ 0, TYPE, 255 },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(forged); i++) {
		struct arc_disk_segment *d = disk_segment(forged[i].segment);
		struct arc_record *r = NULL;

		encode_all_types();
		switch (forged[i].field) {
		case OFFSET:
			d->offset = arc_put32(forged[i].value);
			break;
		case SIZE:
			d->size = arc_put32(forged[i].value);
			break;
		case TYPE:
			d->type = (uint8_t)forged[i].value;
			break;
		}
		assert_int_equal(parse_sealed(&r), -EBADMSG);
		assert_null(r);
	}
}

static void forged_numbers_of_the_header_are_refused(void **state)
{
	struct arc_record *r = NULL;

	(void)state;
	encode_all_types();
	disk_head()->payload = arc_put32(arc_get32(disk_head()->payload) - 1);
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	encode_all_types();
	disk_head()->segments = arc_put32(5);
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	encode_all_types();
	disk_head()->raw = arc_put32(UINT32_MAX);
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	encode_all_types();
	disk_head()->group_log = 64;
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	encode_all_types();
	disk_head()->codec = ARC_CODEC_RAW; /* but has coded segments */
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	assert_null(r);
}

static void no_header_asks_for_more_than_the_largest_table(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct arc_disk_record d;
		struct arc_span s = { (const uint8_t *)&d, sizeof(d) };
		size_t head = 0;

		testdata_random((uint8_t *)&d, sizeof(d), &seed);
		memcpy(d.magic, ARC_RECORD_MAGIC, sizeof(d.magic));
		d.entry_size &= 0x78;
		d.raw.b[3] = 0;
		d.segments = arc_put32(arc_segment_count(arc_get32(d.raw)) +
				       (i & 1));
		if (arc_record_peek(s, &head) == 0)
			assert_in_range(head, 64 + 24, 64 + 256 * 64);
	}
}

static void wider_entries_are_read_by_their_first_bytes(void **state)
{
	struct arc_record *r = NULL;
	uint8_t entry[24];

	(void)state;
	/* one segment of 24 bytes' entry becomes one of 64 bytes */
	testdata_fill(TESTDATA_TEXT, raw, 1000, 1);
	encode("lz4", 1000, 18);
	memcpy(entry, stored + 64, 24);
	memmove(stored + 64 + 64, stored + 64 + 24, info.stored - 64 - 24);
	memset(stored + 64 + 24, 0x33, 40);
	info.stored += 40;
	disk_head()->entry_size = 64;
	assert_int_equal(parse_sealed(&r), 0);
	assert_int_equal(r->head, 128);
	assert_int_equal(arc_record_decode_all(r, whole(), out), 0);
	assert_memory_equal(out, raw, 1000);
	free(r);
}

static void unknown_codecs_are_unsupported_where_coded(void **state)
{
	static uint8_t group[4 * ARC_SEGMENT_SIZE];
	uint8_t *groups[] = { group };
	struct arc_record *r = NULL;
	const struct arc_segment *seg;

	(void)state;
	encode_all_types();
	disk_head()->codec = 77;
	assert_int_equal(parse_sealed(&r), 0);
	assert_null(r->decoder);
	seg = r->segment;
	assert_int_equal(arc_record_decode_segment(r, 0, stored + r->head,
						   groups),
			 -EOPNOTSUPP);
	assert_int_equal(arc_record_decode_segment(r, 1, NULL, groups), 0);
	assert_int_equal(arc_record_decode_segment(
				 r, 2, stored + r->head + seg[2].offset,
				 groups),
			 0);
	assert_int_equal(arc_record_decode_all(r, whole(), out), -EOPNOTSUPP);
	free(r);
	disk_segment(0)->type = 9;
	assert_int_equal(parse_sealed(&r), -EOPNOTSUPP);
}

static void unknown_flags_are_unsupported_unless_they_are_damage(void **state)
{
	struct arc_record *r = NULL;

	(void)state;
	encode_all_types();
	disk_head()->flags = 1;
	assert_int_equal(arc_record_parse(whole(), &r), -EBADMSG);
	assert_int_equal(parse_sealed(&r), -EOPNOTSUPP);
	assert_null(r);
}

static void forged_checksums_of_content_are_noticed(void **state)
{
	struct arc_record *r = NULL;

	(void)state;
	encode_all_types();
	disk_head()->digest.b[0] ^= 1;
	assert_int_equal(parse_sealed(&r), 0);
	assert_int_equal(arc_record_decode_all(r, whole(), out), -EBADMSG);
	free(r);
	for (uint32_t s = 0; s < 4; s++) {
		encode_all_types();
		disk_segment(s)->check.b[7] ^= 1;
		assert_int_equal(parse_sealed(&r), 0);
		assert_int_equal(arc_record_decode_all(r, whole(), out),
				 -EBADMSG);
		free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_every_small_size_come_back),
		cmocka_unit_test(frames_around_the_borders_come_back),
		cmocka_unit_test(
			largest_frames_come_back_with_every_group_size),
		cmocka_unit_test(every_level_comes_back),
		cmocka_unit_test(one_segment_is_decoded_with_its_group_alone),
		cmocka_unit_test(zeros_cost_a_table_with_any_codec),
		cmocka_unit_test(frames_that_do_not_shrink_are_raw_records),
		cmocka_unit_test(segments_have_the_type_that_is_smallest),
		cmocka_unit_test(fill_segments_are_part_of_the_window),
		cmocka_unit_test(equal_frames_give_equal_records),
		cmocka_unit_test(every_flipped_bit_of_a_head_is_noticed),
		cmocka_unit_test(heads_cut_short_are_refused),
		cmocka_unit_test(damage_in_the_payload_hits_its_segment_alone),
		cmocka_unit_test(whole_records_cut_or_grown_are_refused),
		cmocka_unit_test(forged_entries_are_refused),
		cmocka_unit_test(forged_numbers_of_the_header_are_refused),
		cmocka_unit_test(
			no_header_asks_for_more_than_the_largest_table),
		cmocka_unit_test(wider_entries_are_read_by_their_first_bytes),
		cmocka_unit_test(unknown_codecs_are_unsupported_where_coded),
		cmocka_unit_test(
			unknown_flags_are_unsupported_unless_they_are_damage),
		cmocka_unit_test(forged_checksums_of_content_are_noticed),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
