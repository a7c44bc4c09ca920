/* SPDX-License-Identifier: MIT */
/* Segments that a codec is not given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "onerecord.h"

#define SEGMENTS 24

static const char *const codecs[] = { "lz4", "lz4hc", "lzext3", "zstd" };

static struct arc_record_encoder *encoder_of(const char *codec, unsigned level,
					     bool no_skip, bool parallel)
{
	const struct arc_record_params p = {
		.encoder = arc_encoder_find(codec),
		.codec = { .level = level,
			   .group_log = 19,
			   .parallel = parallel },
		.no_skip = no_skip,
		.id = ID,
	};
	struct arc_record_encoder *e = NULL;

	assert_int_equal(arc_record_encoder_new(&p, &e), 0);
	return e;
}

/* Noise and text by turns, and one segment of noise that came before. */
static void fill(void)
{
	uint64_t seed = 1;

	testdata_random(raw, SEGMENTS * SEGMENT, &seed);
	for (uint32_t s = 0; s < SEGMENTS; s++)
		if (s % 3 == 1)
			testdata_text(raw + s * SEGMENT, SEGMENT, &seed);
	memcpy(raw + 5 * SEGMENT + 77, raw + 4 * SEGMENT + 7, 50000);
	memcpy(raw + 11 * SEGMENT, raw + 9 * SEGMENT, SEGMENT);
	memset(raw + 14 * SEGMENT, 7, SEGMENT);
}

static void what_is_skipped_is_raw_and_can_be_repeated(void **state)
{
	(void)state;
	fill();
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		for (unsigned level = 1; level <= 9; level++) {
			struct arc_record_encoder *e =
				encoder_of(codecs[c], level, true, false);
			uint32_t all;

			encode_with(e, SEGMENTS * SEGMENT - 5);
			assert_int_equal(info.skipped, 0);
			all = info.stored;
			arc_record_encoder_free(e);
			e = encoder_of(codecs[c], level, false, false);
			encode_with(e, SEGMENTS * SEGMENT - 5);
			check_round_trip();
			assert_true(info.skipped >= 11 * SEGMENT);
			assert_true(info.skipped <= 14 * SEGMENT);
			assert_int_equal(info.skipped_named, 0);
			assert_true(info.stored <= all + all / 2000);
			arc_record_encoder_free(e);
		}
	}
}

/* What the kernels do not know of is not skipped: but whole groups are. */
static void the_parallel_profile_skips_whole_groups(void **state)
{
	struct arc_record_encoder *e = encoder_of("lzext3", 3, true, true);
	uint64_t seed = 2;
	uint32_t all;

	(void)state;
	fill();
	testdata_random(raw, 8 * SEGMENT, &seed);
	encode_with(e, SEGMENTS * SEGMENT);
	check_round_trip();
	all = info.checksum & UINT32_MAX;
	arc_record_encoder_free(e);
	e = encoder_of("lzext3", 3, false, true);
	encode_with(e, SEGMENTS * SEGMENT);
	check_round_trip();
	assert_true(info.skipped >= 8 * SEGMENT);
	/* The same bytes as without: what was skipped gains nothing. */
	assert_int_equal(info.checksum & UINT32_MAX, all);
	arc_record_encoder_free(e);
}

static void a_name_is_overruled_by_what_stands_there(void **state)
{
	struct arc_record_encoder *e = encoder_of("lzext3", 6, false, false);
	struct arc_segset named;
	uint32_t plain;

	(void)state;
	memset(&named, 0xff, sizeof(named));
	fill();
	encode_with(e, SEGMENTS * SEGMENT);
	plain = info.stored;
	assert_int_equal(arc_record_encode_named(
				 e, 42,
				 (struct arc_span){ raw, SEGMENTS * SEGMENT },
				 &named, stored, &info),
			 0);
	check_round_trip();
	assert_int_equal(info.stored, plain);
	assert_int_equal(info.skipped, info.skipped_named);
	arc_record_encoder_free(e);
}

static void a_detached_record_is_a_head_and_the_frame(void **state)
{
	static uint8_t whole_record[ARC_FRAME_MAX + 65536];
	const struct arc_encoder *const encoders[] = {
		NULL, arc_encoder_find("lzext3")
	};
	uint64_t seed = 3;

	(void)state;
	testdata_random(raw, SEGMENTS * SEGMENT, &seed);
	for (size_t i = 0; i < ARC_COUNT(encoders); i++) {
		struct arc_record_params p = {
			.encoder = encoders[i],
			.codec = { .level = 3, .group_log = 20 },
			.id = ID,
		};
		struct arc_record_encoder *e = NULL;
		size_t head;

		assert_int_equal(arc_record_encoder_new(&p, &e), 0);
		encode_with(e, SEGMENTS * SEGMENT);
		assert_false(info.detached);
		memcpy(whole_record, stored, info.stored);
		arc_record_encoder_free(e);
		p.detach = true;
		assert_int_equal(arc_record_encoder_new(&p, &e), 0);
		encode_with(e, SEGMENTS * SEGMENT);
		assert_true(info.detached);
		head = info.stored - SEGMENTS * SEGMENT;
		assert_memory_equal(stored, whole_record, head);
		assert_memory_equal(raw, whole_record + head,
				    SEGMENTS * SEGMENT);
		/* Fill takes no room: then the frame is not the payload. */
		memset(raw + 3 * SEGMENT, 0, SEGMENT);
		encode_with(e, SEGMENTS * SEGMENT);
		assert_false(info.detached);
		check_round_trip();
		arc_record_encoder_free(e);
		testdata_random(raw, SEGMENTS * SEGMENT, &seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_skipped_is_raw_and_can_be_repeated),
		cmocka_unit_test(the_parallel_profile_skips_whole_groups),
		cmocka_unit_test(a_name_is_overruled_by_what_stands_there),
		cmocka_unit_test(a_detached_record_is_a_head_and_the_frame),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
