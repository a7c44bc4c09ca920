/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "onerecord.h"

/* ---- groups that are coded whole ---------------------------------------- */

/* Two groups of text, one that is stored as it is (random bytes, then zeros),
 * and what is left: one segment and a bit. */
#define WHOLE_N (13 * SEGMENT + 100)

static void encode_whole_groups(void)
{
	testdata_fill(TESTDATA_TEXT, raw, WHOLE_N, 1);
	memset(raw + 5 * SEGMENT, 0, SEGMENT);
	testdata_fill(TESTDATA_RANDOM, raw + 8 * SEGMENT, SEGMENT, 1);
	memset(raw + 9 * SEGMENT, 0, 3 * SEGMENT);
	encode("zstd", WHOLE_N, 18);
}

static void whole_groups_are_coded_and_joined_or_as_they_are(void **state)
{
	static const char types[] = "CJJJ"
				    "CJJJ"
				    "RFFF"
				    "CJ";
	struct arc_record *r;

	(void)state;
	encode_whole_groups();
	check_round_trip();
	r = parse();
	assert_int_equal(r->segments, strlen(types));
	for (uint32_t s = 0; s < r->segments; s++) {
		assert_int_equal("RCFJ"[r->segment[s].type], types[s]);
		assert_int_equal(arc_record_is_coded_whole(r, s),
				 types[s] == 'C' || types[s] == 'J');
		if (types[s] == 'J' || types[s] == 'F')
			assert_int_equal(r->segment[s].size, 0);
	}
	assert_int_equal(arc_record_groups(r), 4);
	assert_int_equal(arc_record_group_raw(r, 2), 4 * SEGMENT);
	assert_int_equal(arc_record_group_raw(r, 3), SEGMENT + 100);
	free(r);
}

static void forged_entries_of_whole_groups_are_refused(void **state)
{
	static const struct {
		uint32_t segment;
		uint8_t type;
	} forged[] = {
		{ 0, ARC_SEGMENT_JOINED }, /* the first of a group */
		{ 4, ARC_SEGMENT_JOINED }, { 0, ARC_SEGMENT_FILL },
		{ 1, ARC_SEGMENT_FILL }, /* behind a coded one */
		{ 3, ARC_SEGMENT_RAW },	   { 3, ARC_SEGMENT_CODED },
		{ 8, ARC_SEGMENT_CODED }, /* not shorter than it is raw */
		{ 9, ARC_SEGMENT_JOINED }, /* behind a raw one */
		{ 9, ARC_SEGMENT_CODED },  { 13, ARC_SEGMENT_TYPES },
	};
	struct arc_record *r = NULL;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(forged); i++) {
		encode_whole_groups();
		disk_segment(forged[i].segment)->type = forged[i].type;
		assert_int_equal(parse_sealed(&r), -EBADMSG);
	}
	/* a byte goes from one group's stored bytes to a joined segment */
	encode_whole_groups();
	disk_segment(0)->size = arc_put32(arc_get32(disk_segment(0)->size) - 1);
	disk_segment(1)->size = arc_put32(1);
	for (uint32_t s = 1; s < 4; s++)
		disk_segment(s)->offset =
			arc_put32(arc_get32(disk_segment(0)->size) + (s > 1));
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	/* joined where no group is whole */
	encode_whole_groups();
	disk_head()->codec = ARC_CODEC_LZ4;
	assert_int_equal(parse_sealed(&r), -EBADMSG);
	assert_null(r);
}

static void a_group_of_an_unknown_codec_is_unsupported_where_coded(void **state)
{
	struct arc_record *r = NULL;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];

	(void)state;
	encode_whole_groups();
	disk_head()->codec = 77;
	assert_int_equal(parse_sealed(&r), 0);
	arc_record_place_groups(r, out, groups);
	for (uint32_t s = 0; s < r->segments; s++) {
		const uint8_t *src = stored + r->head + r->segment[s].offset;

		assert_int_equal(arc_record_decode_segment(r, s, src, groups),
				 s / 4 == 2 ? 0 : -EOPNOTSUPP);
	}
	free(r);
}

/* How many segments of the first group come out when the byte `at` of its
 * stored bytes is changed; they are the first ones. */
static uint32_t good_segments(const struct arc_record *r, uint32_t at)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	uint32_t good = 0;

	arc_record_place_groups(r, out, groups);
	memset(out, 0x77, 4 * SEGMENT);
	stored[r->head + at] ^= 0x55;
	for (uint32_t s = 0; s < 4; s++) {
		int err = arc_record_decode_segment(r, s, stored + r->head,
						    groups);

		if (err == 0)
			assert_memory_equal(out + s * SEGMENT,
					    raw + s * SEGMENT, SEGMENT);
		else
			assert_int_equal(err, -EBADMSG);
		if (err == 0 && good == s)
			good++;
	}
	stored[r->head + at] ^= 0x55;
	return good;
}

static void a_damaged_group_is_good_up_to_the_damage(void **state)
{
	struct arc_record *r;

	(void)state;
	encode_whole_groups();
	r = parse();
	assert_int_equal(good_segments(r, 0), 0); /* the magic */
	assert_in_range(good_segments(r, r->segment[0].size - 20), 2, 3);
	free(r);
}

/* ---- closures ----------------------------------------------------------- */

/* "0 2 3": the segments of a set. */
static const char *listed(const struct arc_segset *set)
{
	static char text[2000];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t s = 0; s < ARC_FRAME_SEGMENTS_MAX; s++)
		if (arc_segset_has(set, s))
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%s%u", n ? " " : "", s);
	return text;
}

static const char *closure(const struct arc_record *r, uint32_t lo, uint32_t hi,
			   const struct arc_segset *ready)
{
	struct arc_segset set = { 0 };

	for (uint32_t s = lo; s <= hi; s++)
		arc_segset_add(&set, s);
	arc_record_closure(r, 0, hi, ready, &set);
	return listed(&set);
}

static void a_closure_is_what_must_be_decoded(void **state)
{
	struct arc_segset ready = { 0 };
	struct arc_record *r;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 12 * SEGMENT, 1);
	testdata_fill(TESTDATA_RANDOM, raw + 5 * SEGMENT, SEGMENT, 1);
	memset(raw + 6 * SEGMENT, 0, SEGMENT);
	encode("lz4", 12 * SEGMENT, 18);
	r = parse();
	assert_string_equal(closure(r, 0, 0, NULL), "0");
	assert_string_equal(closure(r, 3, 3, NULL), "0 1 2 3");
	assert_string_equal(closure(r, 5, 6, NULL), "5 6");
	assert_string_equal(closure(r, 7, 8, NULL), "4 5 6 7 8");
	arc_segset_add(&ready, 4);
	arc_segset_add(&ready, 6);
	assert_string_equal(closure(r, 7, 8, &ready), "5 7 8");
	arc_segset_add(&ready, 7);
	assert_string_equal(closure(r, 7, 9, &ready), "8 9");
	free(r);
}

static void a_closure_has_whole_groups_whole(void **state)
{
	struct arc_segset ready = { 0 };
	struct arc_record *r;

	(void)state;
	encode_whole_groups();
	r = parse();
	assert_string_equal(closure(r, 2, 2, NULL), "0 1 2 3");
	assert_string_equal(closure(r, 3, 4, NULL), "0 1 2 3 4 5 6 7");
	assert_string_equal(closure(r, 8, 9, NULL), "8 9");
	assert_string_equal(closure(r, 12, 12, NULL), "12 13");
	arc_segset_add(&ready, 0);
	arc_segset_add(&ready, 2);
	assert_string_equal(closure(r, 2, 2, &ready), "");
	assert_string_equal(closure(r, 1, 2, &ready), "0 1 2 3");
	assert_string_equal(closure(r, 2, 4, &ready), "0 1 2 3 4 5 6 7");
	free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			whole_groups_are_coded_and_joined_or_as_they_are),
		cmocka_unit_test(forged_entries_of_whole_groups_are_refused),
		cmocka_unit_test(
			a_group_of_an_unknown_codec_is_unsupported_where_coded),
		cmocka_unit_test(a_damaged_group_is_good_up_to_the_damage),
		cmocka_unit_test(a_closure_is_what_must_be_decoded),
		cmocka_unit_test(a_closure_has_whole_groups_whole),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
