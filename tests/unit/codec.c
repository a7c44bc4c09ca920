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

static uint8_t group[GROUP];
static uint8_t other[GROUP];
static uint8_t decoded[GROUP + 16];
static uint8_t coded[SEGMENTS][ARC_SEGMENT_SIZE];
static size_t coded_n[SEGMENTS];

static void *state_of(const struct arc_encoder *e, unsigned level)
{
	void *s = NULL;

	assert_int_equal(e->new_state(level, &s), 0);
	return s;
}

/* Codes n bytes of p as a group; what does not shrink has coded_n 0. */
static void encode_group(const struct arc_encoder *e, void *s, const uint8_t *p,
			 size_t n)
{
	memset(coded, 0, sizeof(coded));
	memset(coded_n, 0, sizeof(coded_n));
	e->begin(s, p);
	for (size_t off = 0, i = 0; off < n; off += SEGMENT, i++) {
		size_t some = ARC_MIN(SEGMENT, n - off);
		struct arc_segment seg = { 0 };

		coded_n[i] =
			e->encode(s, p, off, some, coded[i], some - 1, &seg);
		assert_true(coded_n[i] < some);
		assert_int_equal(seg.extra, 0);
	}
}

/* Decodes what encode_group() left and compares it with p. */
static void check_group(const struct arc_encoder *e, const uint8_t *p, size_t n)
{
	const struct arc_decoder *d = arc_decoder_find((uint8_t)e->id);

	assert_non_null(d);
	assert_int_equal(d->entry_size, e->entry_size);
	memset(decoded, 0xee, sizeof(decoded));
	for (size_t off = 0, i = 0; off < n; off += SEGMENT, i++) {
		size_t some = ARC_MIN(SEGMENT, n - off);
		struct arc_segment seg = { .size = (uint32_t)coded_n[i],
					   .type = ARC_SEGMENT_CODED };

		if (coded_n[i] == 0)
			memcpy(decoded + off, p + off, some);
		else
			assert_int_equal(d->decode(&seg, coded[i], decoded, off,
						   some),
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
	assert_null(arc_encoder_find("raw"));
	assert_null(arc_encoder_find(""));
	assert_null(arc_encoder_find("lz4h"));
	assert_non_null(arc_encoder_at(1));
	assert_null(arc_encoder_at(2));
	assert_string_equal(arc_decoder_find(ARC_CODEC_RAW)->name, "raw");
	assert_string_equal(arc_decoder_find(ARC_CODEC_LZ4)->name, "lz4");
	for (unsigned id = ARC_CODEC_LZ4 + 1; id < 256; id++)
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
		assert_int_equal(d->entry_size, e->entry_size);
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
			sum += coded_n[i];
		assert_true(sum <= before);
		before = sum;
		e->free_state(s);
	}
}

static void what_was_encoded_before_does_not_matter(void **state)
{
	static uint8_t alone[SEGMENTS][ARC_SEGMENT_SIZE];
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

static void encoders_write_no_more_than_they_may(void **state)
{
	static uint8_t out[ARC_SEGMENT_SIZE + 16];
	const struct arc_encoder *e;

	(void)state;
	testdata_fill(TESTDATA_TEXT, group, SEGMENT, 9);
	for (unsigned i = 0; (e = arc_encoder_at(i)); i++) {
		void *s = state_of(e, 6);
		struct arc_segment seg = { 0 };
		size_t n;

		e->begin(s, group);
		n = e->encode(s, group, 0, SEGMENT, out, SEGMENT, &seg);
		assert_true(n > 0 && n < SEGMENT);
		memset(out, 0xee, sizeof(out));
		for (size_t cap = n - 2; cap <= n; cap++) {
			e->begin(s, group);
			assert_int_equal(e->encode(s, group, 0, SEGMENT, out,
						   cap, &seg),
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
		void *s = state_of(e, 6);

		encode_group(e, s, group, 2 * SEGMENT);
		assert_int_equal(coded_n[0], 0);
		assert_true(coded_n[1] > 0 && coded_n[1] < 1000);
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
		assert_int_equal(coded_n[0], 0);
		e->free_state(s);
	}
}

static void decoder_refuses_a_distance_before_the_group(void **state)
{
	/* one literal, a match of 4 + 14 at a distance, five literals */
	uint8_t src[] = { 0x1e, 'a', 1, 0, 0x50, 'b', 'c', 'd', 'e', 'f' };
	const struct arc_segment seg = { .size = sizeof(src),
					 .type = ARC_SEGMENT_CODED };
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_LZ4);

	(void)state;
	memset(decoded, 'x', sizeof(decoded));
	assert_int_equal(d->decode(&seg, src, decoded, 0, 24), 0);
	assert_memory_equal(decoded, "aaaaaaaaaaaaaaaaaaabcdef", 24);
	src[2] = 2;
	assert_int_equal(d->decode(&seg, src, decoded, 0, 24), -EBADMSG);
	assert_int_equal(d->decode(&seg, src, decoded, 1, 24), 0);
	src[2] = 102;
	assert_int_equal(d->decode(&seg, src, decoded, 100, 24), -EBADMSG);
	src[2] = 101;
	assert_int_equal(d->decode(&seg, src, decoded, 100, 24), 0);
}

static void decoder_wants_exactly_the_segment(void **state)
{
	const struct arc_encoder *e = arc_encoder_find("lz4");
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_LZ4);
	void *s = state_of(e, 6);
	struct arc_segment seg = { .type = ARC_SEGMENT_CODED };

	(void)state;
	testdata_fill(TESTDATA_TEXT, group, 5000, 2);
	encode_group(e, s, group, 5000);
	e->free_state(s);
	seg.size = (uint32_t)coded_n[0];
	assert_int_equal(d->decode(&seg, coded[0], decoded, 0, 5000), 0);
	assert_int_equal(d->decode(&seg, coded[0], decoded, 0, 4999), -EBADMSG);
	assert_int_equal(d->decode(&seg, coded[0], decoded, 0, 5001), -EBADMSG);
	for (seg.size = 0; seg.size < coded_n[0]; seg.size++)
		assert_int_equal(d->decode(&seg, coded[0], decoded, 0, 5000),
				 -EBADMSG);
}

static void damaged_input_never_writes_outside(void **state)
{
	const struct arc_encoder *e = arc_encoder_find("lz4hc");
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_LZ4);
	void *s = state_of(e, 6);
	uint64_t seed = 11;

	(void)state;
	testdata_fill(TESTDATA_MIXED, group, 2 * SEGMENT, 2);
	encode_group(e, s, group, 2 * SEGMENT);
	e->free_state(s);
	assert_true(coded_n[1] > 0);
	memcpy(decoded, group, SEGMENT);
	memset(decoded + 2 * SEGMENT, 0xee, 16);
	for (int i = 0; i < 3000; i++) {
		uint64_t v = testdata_next(&seed);
		struct arc_segment seg = { .size = (uint32_t)coded_n[1] };
		/* on the heap, exactly as long as it says: for ASan */
		uint8_t *src = malloc(seg.size);

		memcpy(src, coded[1], seg.size);
		src[v % seg.size] ^= (uint8_t)(v >> 32);
		src[(v >> 16) % seg.size] = (uint8_t)(v >> 40);
		if (d->decode(&seg, src, decoded, SEGMENT, SEGMENT) < 0)
			memset(decoded + SEGMENT, 0, SEGMENT);
		assert_memory_equal(decoded, group, SEGMENT);
		for (size_t k = 0; k < 16; k++)
			assert_int_equal(decoded[2 * SEGMENT + k], 0xee);
		free(src);
	}
}

static void raw_codec_has_no_coded_segments(void **state)
{
	const struct arc_segment seg = { .size = 1 };
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_RAW);

	(void)state;
	assert_int_equal(d->decode(&seg, group, decoded, 0, 1), -EBADMSG);
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
		cmocka_unit_test(decoder_wants_exactly_the_segment),
		cmocka_unit_test(damaged_input_never_writes_outside),
		cmocka_unit_test(raw_codec_has_no_coded_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
