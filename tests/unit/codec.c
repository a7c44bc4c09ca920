/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec.h"
#include "testdata.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)
#define SEGMENTS 6
#define GROUP (SEGMENTS * SEGMENT)
#define GROUP_LOG 19 /* at least GROUP */

static uint8_t group[GROUP];
static uint8_t other[GROUP];
static uint8_t decoded[GROUP + 16];
static uint8_t coded[SEGMENTS][GROUP + ARC_DECODE_SLACK];
static struct arc_segment entry[SEGMENTS];

static void *state_of(const struct arc_encoder *e, unsigned level)
{
	const struct arc_encoder_params p = { .level = level,
					      .group_log = GROUP_LOG };
	void *s = NULL;

	assert_int_equal(e->new_state(&p, &s), 0);
	return s;
}

/* Codes n bytes of p as a group; what does not shrink has size 0. Of a codec of
 * whole groups there is one entry and its bytes. */
static void encode_group(const struct arc_encoder *e, void *s, const uint8_t *p,
			 size_t n)
{
	memset(coded, 0, sizeof(coded));
	memset(entry, 0, sizeof(entry));
	if (e->encode_group) {
		entry[0].size =
			(uint32_t)e->encode_group(s, p, n, coded[0], n - 1);
		assert_true(entry[0].size < n);
		return;
	}
	e->begin(s, p, n);
	for (size_t off = 0, i = 0; off < n; off += SEGMENT, i++) {
		size_t some = ARC_MIN(SEGMENT, n - off);

		entry[i].size = (uint32_t)e->encode(s, p, off, some, coded[i],
						    some - 1, &entry[i]);
		assert_true(entry[i].size < some);
		for (size_t k = e->entry_size; k < ARC_ENTRY_SIZE_MAX; k++)
			assert_int_equal(entry[i].ext[k - ARC_ENTRY_SIZE_MIN],
					 0);
	}
}

static int decode_one(const struct arc_decoder *d,
		      const struct arc_segment *seg, const uint8_t *src,
		      uint32_t s, size_t n)
{
	uint8_t *const groups[] = { decoded };
	const struct arc_decode one = {
		.seg = seg,
		.src = src,
		.s = s,
		.n = (uint32_t)n,
		.group_log = GROUP_LOG,
		.groups = groups,
	};

	if (d->check)
		assert_int_equal(d->check(seg, s, one.n, GROUP_LOG), 0);
	return d->decode(&one);
}

/* Decodes what encode_group() left and compares it with p. */
static void check_group(const struct arc_encoder *e, const uint8_t *p, size_t n)
{
	const struct arc_decoder *d = arc_decoder_find((uint8_t)e->id);
	size_t unit = e->encode_group ? n : SEGMENT;

	assert_non_null(d);
	memset(decoded, 0xee, sizeof(decoded));
	for (size_t off = 0, i = 0; off < n; off += unit, i++) {
		size_t some = ARC_MIN(unit, n - off);

		if (entry[i].size == 0)
			memcpy(decoded + off, p + off, some);
		else
			assert_int_equal(decode_one(d, &entry[i], coded[i],
						    (uint32_t)i, some),
					 0);
	}
	assert_memory_equal(decoded, p, n);
	for (size_t i = n; i < n + 16; i++)
		assert_int_equal(decoded[i], 0xee);
}

static void table_knows_its_codecs(void **state)
{
	(void)state;
	assert_string_equal(arc_encoder_find("lz4")->name, "lz4");
	assert_string_equal(arc_encoder_find("lz4hc")->name, "lz4hc");
	assert_string_equal(arc_encoder_find("zstd")->name, "zstd");
	assert_null(arc_encoder_find("raw"));
	assert_null(arc_encoder_find(""));
	assert_null(arc_encoder_find("lz4h"));
	assert_non_null(arc_encoder_at(1));
	assert_null(arc_encoder_at(1000));
	assert_string_equal(arc_decoder_find(ARC_CODEC_RAW)->name, "raw");
	assert_string_equal(arc_decoder_find(ARC_CODEC_LZ4)->name, "lz4");
	assert_string_equal(arc_decoder_find(ARC_CODEC_ZSTD)->name, "zstd");
	for (unsigned id = ARC_CODEC_FLOAT; id < 256; id++)
		assert_null(arc_decoder_find((uint8_t)id));
	assert_string_equal(arc_codec_name(ARC_CODEC_RAW), "raw");
	assert_string_equal(arc_codec_name(ARC_CODEC_ZSTD), "zstd");
	assert_string_equal(arc_codec_name(ARC_CODEC_COUNT), "unknown");
	assert_string_equal(arc_codec_name(255), "unknown");
}

static void encoders_and_decoders_of_an_id_agree(void **state)
{
	const struct arc_encoder *e;

	(void)state;
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		const struct arc_decoder *d = arc_decoder_find((uint8_t)e->id);

		assert_non_null(d);
		assert_true(d->entry_size <= e->entry_size);
		assert_int_equal(d->whole_group, e->encode_group != NULL);
		assert_true(e->entry_size >= ARC_ENTRY_SIZE_MIN);
		assert_true(e->entry_size <= ARC_ENTRY_SIZE_MAX);
		assert_ptr_equal(arc_encoder_find(e->name), e);
	}
}

static void groups_of_every_kind_and_level_come_back(void **state)
{
	static const size_t sizes[] = { 1,	     2,	      12,
					13,	     14,      100,
					SEGMENT - 1, SEGMENT, SEGMENT + 1,
					GROUP - 1,   GROUP };
	const struct arc_encoder *e;

	(void)state;
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		for (unsigned level = 1; level <= 9; level++) {
			void *s = state_of(e, level);

			for (unsigned k = 0; k < TESTDATA_KINDS; k++) {
				size_t n =
					sizes[(level + k) % ARC_COUNT(sizes)];

				testdata_fill((enum testdata_kind)k, group,
					      GROUP, level);
				encode_group(e, s, group, GROUP);
				check_group(e, group, GROUP);
				encode_group(e, s, group, n);
				check_group(e, group, n);
			}
			e->free_state(s);
		}
	}
}

static void higher_levels_of_lz4hc_are_not_larger_on_text(void **state)
{
	const struct arc_encoder *e = arc_encoder_find("lz4hc");
	size_t before = SIZE_MAX;

	(void)state;
	testdata_fill(TESTDATA_TEXT, group, GROUP, 5);
	for (unsigned level = 1; level <= 9; level += 4) {
		void *s = state_of(e, level);
		size_t sum = 0;

		encode_group(e, s, group, GROUP);
		for (size_t i = 0; i < SEGMENTS; i++)
			sum += entry[i].size;
		assert_true(sum <= before);
		before = sum;
		e->free_state(s);
	}
}

static void what_was_encoded_before_does_not_matter(void **state)
{
	static uint8_t alone[sizeof(coded)];
	const struct arc_encoder *e;

	(void)state;
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		for (unsigned k = 0; k < 3 * TESTDATA_KINDS; k++) {
			unsigned level = 1 + k % 9;
			void *s = state_of(e, level);

			testdata_fill((enum testdata_kind)(k % TESTDATA_KINDS),
				      group, GROUP, k);
			encode_group(e, s, group, GROUP);
			memcpy(alone, coded, sizeof(alone));
			/* another kind, ending in the middle of a group, then
			 * the same bytes again at another address */
			testdata_fill(TESTDATA_MIXED, other, GROUP, k);
			encode_group(e, s, other, GROUP);
			encode_group(e, s, other + 1, 3 * SEGMENT - 5);
			memmove(other, group, GROUP);
			encode_group(e, s, other, GROUP);
			assert_memory_equal(alone, coded, sizeof(alone));
			e->free_state(s);
		}
	}
}

/* Codes the first segment of the group, in cap bytes of room. */
static size_t encode_first(const struct arc_encoder *e, void *s, uint8_t *out,
			   size_t cap)
{
	struct arc_segment seg = { 0 };

	if (e->encode_group)
		return e->encode_group(s, group, SEGMENT, out, cap);
	e->begin(s, group, SEGMENT);
	return e->encode(s, group, 0, SEGMENT, out, cap, &seg);
}

static void encoders_write_no_more_than_they_may(void **state)
{
	static uint8_t out[ARC_SEGMENT_SIZE + 16];
	const struct arc_encoder *e;

	(void)state;
	testdata_fill(TESTDATA_TEXT, group, SEGMENT, 9);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		void *s = state_of(e, 6);
		size_t n = encode_first(e, s, out, SEGMENT);

		assert_true(n > 0 && n < SEGMENT);
		memset(out, 0xee, sizeof(out));
		for (size_t cap = n - 2; cap <= n; cap++) {
			assert_int_equal(encode_first(e, s, out, cap),
					 cap == n ? n : 0);
			for (size_t at = cap; at < sizeof(out); at++)
				assert_int_equal(out[at], 0xee);
		}
		e->free_state(s);
	}
}

/*
 * Segment 0 is random and stored raw; segment 1 is half a copy of its end and
 * half zeros: small only when the window reaches back into segment 0.
 */
static void segments_stored_raw_still_are_the_window(void **state)
{
	const struct arc_encoder *e;

	(void)state;
	testdata_fill(TESTDATA_RANDOM, group, SEGMENT, 1);
	memcpy(group + SEGMENT, group + SEGMENT - 30000, 30000);
	memset(group + SEGMENT + 30000, 0, SEGMENT - 30000);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		void *s;

		if (e->encode_group)
			continue;
		s = state_of(e, 6);
		encode_group(e, s, group, 2 * SEGMENT);
		assert_int_equal(entry[0].size, 0);
		assert_true(entry[1].size > 0 && entry[1].size < 1000);
		check_group(e, group, 2 * SEGMENT);
		e->free_state(s);
	}
}

static void nothing_reaches_before_the_group(void **state)
{
	const struct arc_encoder *e;

	(void)state;
	testdata_fill(TESTDATA_RANDOM, group, SEGMENT, 1);
	memcpy(group + SEGMENT, group, SEGMENT);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		void *s = state_of(e, 6);

		encode_group(e, s, group, SEGMENT);
		encode_group(e, s, group + SEGMENT, SEGMENT);
		assert_int_equal(entry[0].size, 0);
		e->free_state(s);
	}
}

/* What an LZ4 segment of 24 bytes is decoded to as segment s. */
static int decode_lz4(const uint8_t *src, size_t n, uint32_t s,
		      uint8_t group_log)
{
	static uint8_t frame[3 * ARC_SEGMENT_SIZE];
	uint8_t *groups[3];
	const struct arc_segment seg = { .size = (uint32_t)n,
					 .type = ARC_SEGMENT_CODED };
	const struct arc_decode d = { .seg = &seg,
				      .src = src,
				      .s = s,
				      .n = 24,
				      .group_log = group_log,
				      .groups = groups };

	memset(frame, 'x', sizeof(frame));
	for (size_t g = 0; g < 3; g++)
		groups[g] = frame + (g << group_log);
	if (arc_decoder_find(ARC_CODEC_LZ4)->decode(&d) < 0)
		return -EBADMSG;
	memcpy(decoded, frame + s * SEGMENT, 24);
	return 0;
}

static void decoder_refuses_a_distance_before_the_group(void **state)
{
	/* one literal, a match of 4 + 14 at a distance, five literals */
	uint8_t src[] = { 0x1e, 'a', 1, 0, 0x50, 'b', 'c', 'd', 'e', 'f' };

	(void)state;
	assert_int_equal(decode_lz4(src, sizeof(src), 0, 17), 0);
	assert_memory_equal(decoded, "aaaaaaaaaaaaaaaaaaabcdef", 24);
	src[2] = 2;
	assert_int_equal(decode_lz4(src, sizeof(src), 0, 17), -EBADMSG);
	assert_int_equal(decode_lz4(src, sizeof(src), 1, 17), 0);
	assert_memory_equal(decoded, "axaxaxaxaxaxaxaxaxabcdef", 24);
	assert_int_equal(decode_lz4(src, sizeof(src), 1, 16), -EBADMSG);
	assert_int_equal(decode_lz4(src, sizeof(src), 2, 17), -EBADMSG);
	src[2] = src[3] = 255;
	assert_int_equal(decode_lz4(src, sizeof(src), 1, 17), 0);
	assert_int_equal(decode_lz4(src, sizeof(src), 2, 17), -EBADMSG);
}

static void a_block_of_lz4_needs_all_before_it_in_its_group(void **state)
{
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_LZ4);
	const struct arc_segment seg = { .type = ARC_SEGMENT_CODED };

	(void)state;
	for (uint32_t s = 0; s < 256; s++) {
		struct arc_segset set = { 0 };

		d->needs(&seg, s, 18, &set);
		for (uint32_t i = 0; i < 256; i++)
			assert_int_equal(arc_segset_has(&set, i),
					 i < s && i >= s / 4 * 4);
	}
}

static void decoders_want_exactly_the_segment(void **state)
{
	const struct arc_encoder *e;

	(void)state;
	testdata_fill(TESTDATA_TEXT, group, 5000, 2);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		const struct arc_decoder *d = arc_decoder_find((uint8_t)e->id);
		void *s = state_of(e, 6);
		uint32_t n;

		encode_group(e, s, group, 5000);
		e->free_state(s);
		n = entry[0].size;
		assert_int_equal(decode_one(d, &entry[0], coded[0], 0, 5000),
				 0);
		assert_int_equal(decode_one(d, &entry[0], coded[0], 0, 4999),
				 -EBADMSG);
		/* LZ-EXT3 may take its padding for one literal more. */
		if (e->id != ARC_CODEC_LZEXT3)
			assert_int_equal(decode_one(d, &entry[0], coded[0], 0,
						    5001),
					 -EBADMSG);
		if (d->check) /* may know the size, and refuse it */
			continue;
		for (entry[0].size = 0; entry[0].size < n; entry[0].size++)
			assert_int_equal(decode_one(d, &entry[0], coded[0], 0,
						    5000),
					 -EBADMSG);
	}
}

/* The last piece of the group, with other pieces right before it. */
static void damage_last(const struct arc_encoder *e, uint64_t *seed)
{
	const struct arc_decoder *d = arc_decoder_find((uint8_t)e->id);
	size_t from = e->encode_group ? 0 : SEGMENT;
	const struct arc_segment *seg = &entry[from / SEGMENT];
	const uint8_t *good = coded[from / SEGMENT];
	/* on the heap, exactly as long as it may be read: for ASan */
	uint8_t *src = malloc(seg->size + ARC_DECODE_SLACK);
	uint64_t v = testdata_next(seed);

	memcpy(src, good, seg->size);
	testdata_random(src + seg->size, ARC_DECODE_SLACK, seed);
	src[v % seg->size] ^= (uint8_t)(v >> 32);
	src[(v >> 16) % seg->size] = (uint8_t)(v >> 40);
	memcpy(decoded, group, from);
	decode_one(d, seg, src, (uint32_t)(from / SEGMENT), 2 * SEGMENT - from);
	assert_memory_equal(decoded, group, from);
	for (size_t k = 0; k < 16; k++)
		assert_int_equal(decoded[2 * SEGMENT + k], 0xee);
	free(src);
}

static void damaged_input_never_writes_outside(void **state)
{
	const struct arc_encoder *e;
	uint64_t seed = 11;

	(void)state;
	testdata_fill(TESTDATA_MIXED, group, 2 * SEGMENT, 2);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		void *s = state_of(e, 6);

		encode_group(e, s, group, 2 * SEGMENT);
		e->free_state(s);
		assert_true(entry[e->encode_group ? 0 : 1].size > 0);
		memset(decoded, 0, 2 * SEGMENT);
		memset(decoded + 2 * SEGMENT, 0xee, 16);
		for (int k = 0; k < 3000; k++)
			damage_last(e, &seed);
	}
}

static void raw_codec_has_no_coded_segments(void **state)
{
	const struct arc_segment seg = { .size = 1 };
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_RAW);
	const struct arc_decode one = { .seg = &seg, .src = group, .n = 1 };
	struct arc_segset set = { 0 };

	(void)state;
	assert_int_equal(d->check(&seg, 0, 1, 16), -EBADMSG);
	assert_int_equal(d->decode(&one), -EBADMSG);
	d->needs(&seg, 1, 17, &set);
	assert_false(arc_segset_has(&set, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_knows_its_codecs),
		cmocka_unit_test(encoders_and_decoders_of_an_id_agree),
		cmocka_unit_test(groups_of_every_kind_and_level_come_back),
		cmocka_unit_test(higher_levels_of_lz4hc_are_not_larger_on_text),
		cmocka_unit_test(what_was_encoded_before_does_not_matter),
		cmocka_unit_test(encoders_write_no_more_than_they_may),
		cmocka_unit_test(segments_stored_raw_still_are_the_window),
		cmocka_unit_test(nothing_reaches_before_the_group),
		cmocka_unit_test(decoder_refuses_a_distance_before_the_group),
		cmocka_unit_test(
			a_block_of_lz4_needs_all_before_it_in_its_group),
		cmocka_unit_test(decoders_want_exactly_the_segment),
		cmocka_unit_test(damaged_input_never_writes_outside),
		cmocka_unit_test(raw_codec_has_no_coded_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
