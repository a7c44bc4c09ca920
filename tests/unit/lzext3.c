/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, there and back. Inputs lie before a wall, and what is decoded too:
 * neither encoder nor decoder looks behind the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lzext3_asm.h"
#include "record.h"

#define GROUP_MAX (3 * (size_t)SEGMENT + 100)

static const uint8_t reaches[] = { 16, 18, 20, 24 };

static const struct arc_encoder *lz(void)
{
	return arc_encoder_find("lzext3");
}

static void *new_state(unsigned level, uint8_t group_log)
{
	const struct arc_encoder_params p = { .level = level,
					      .group_log = group_log };
	void *s = NULL;

	assert_int_equal(lz()->new_state(&p, &s), 0);
	return s;
}

/* ---- groups, by the codec alone ------------------------------------------ */

/* A segment coded in whatever it takes, even if that is more than it has; then
 * decoded behind what is decoded already. Returns its bytes. */
static size_t trip_segment(void *state, const uint8_t *base, size_t off,
			   size_t n, uint8_t group_log, uint8_t *decoded)
{
	const struct arc_decoder *d = arc_decoder_find(ARC_CODEC_LZEXT3);
	static uint8_t coded[2 * ARC_SEGMENT_SIZE];
	struct arc_segment seg = { .type = ARC_SEGMENT_CODED };
	uint8_t *src = asm_place()->src_end - ARC_DECODE_SLACK;
	uint8_t *groups[1] = { decoded };
	struct arc_decode one = { .seg = &seg,
				  .s = (uint32_t)(off >> ARC_SEGMENT_LOG),
				  .n = (uint32_t)n,
				  .group_log = group_log,
				  .groups = groups };

	seg.size = (uint32_t)lz()->encode(state, base, off, n, coded,
					  sizeof(coded), &seg);
	assert_in_range(seg.size, 1, n + n / 255 + 2);
	assert_int_equal(seg.size % 2, 0);
	one.src = src - seg.size;
	memcpy(src - seg.size, coded, seg.size);
	assert_int_equal(d->check(&seg, one.s, one.n, group_log), 0);
	assert_int_equal(d->decode(&one), 0);
	assert_memory_equal(decoded + off, base + off, n);
	return seg.size;
}

/* n bytes as a group; returns what is stored of them. */
static size_t trip(void *state, const uint8_t *bytes, size_t n,
		   uint8_t group_log)
{
	static uint8_t *in_end, *out_end;
	size_t sum = 0;
	uint8_t *in, *out;

	if (!in_end) {
		in_end = walled(GROUP_MAX);
		out_end = walled(GROUP_MAX);
	}
	assert_true(n <= GROUP_MAX);
	in = in_end - n;
	out = out_end - n;
	memcpy(in, bytes, n);
	lz()->begin(state, in, n);
	for (size_t off = 0; off < n; off += SEGMENT)
		sum += trip_segment(state, in, off, ARC_MIN(n - off, SEGMENT),
				    group_log, out);
	return sum;
}

static void every_length_up_to_70_comes_back(void **state)
{
	uint8_t bytes[70];

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		void *s = new_state(level, 20);

		for (unsigned kind = 0; kind < TESTDATA_KINDS; kind++) {
			testdata_fill((enum testdata_kind)kind, bytes,
				      sizeof(bytes), level);
			for (size_t n = 1; n <= sizeof(bytes); n++)
				trip(s, bytes, n, 20);
		}
		lz()->free_state(s);
	}
}

/* The i-th string over three letters of n bytes. */
static void spell(uint8_t *to, size_t n, unsigned i)
{
	for (; n > 0; n--, i /= 3)
		*to++ = (uint8_t)('a' + i % 3);
}

static unsigned power3(size_t n)
{
	return n == 0 ? 1 : 3 * power3(n - 1);
}

/*
 * Alone, and four times with the letters "abc" in between: short ones are
 * too near the end for a match.
 */
static void every_word_of_three_letters_comes_back(void **state)
{
	uint8_t bytes[4 * 11];

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		void *s = new_state(level, 20);

		for (size_t n = 1; n <= 8; n++) {
			for (unsigned i = 0; i < power3(n); i++) {
				for (size_t k = 0; k < 4; k++) {
					spell(bytes + k * (n + 3), n, i);
					spell(bytes + k * (n + 3) + n, 3, 21);
				}
				trip(s, bytes, n, 20);
				trip(s, bytes, 4 * (n + 3), 20);
			}
		}
		lz()->free_state(s);
	}
}

static void words_behind_a_segment_come_back(void **state)
{
	static uint8_t bytes[ARC_SEGMENT_SIZE + 8];

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		void *s = new_state(level, 20);

		for (size_t n = 1; n <= 8; n++) {
			for (unsigned i = 0; i < SEGMENT; i++)
				bytes[i] = (uint8_t)('a' + i / 5 % 3);
			spell(bytes + SEGMENT, n, power3(n) / 2 + level);
			trip(s, bytes, SEGMENT + n, 20);
		}
		lz()->free_state(s);
	}
}

static void make_periodic(uint8_t *p, size_t n, size_t period)
{
	uint64_t seed = period;

	testdata_random(p, ARC_MIN(n, period), &seed);
	for (size_t i = period; i < n; i++)
		p[i] = p[i - period];
}

static void every_period_is_found(void **state)
{
	static const size_t large[] = { 254,   255,   256,   257,  4000,
					65534, 65535, 65536, 65537 };
	static uint8_t bytes[GROUP_MAX];

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		void *s = new_state(level, 20);

		for (size_t i = 1; i <= 70 + ARC_COUNT(large); i++) {
			size_t period = i <= 70 ? i : large[i - 71];
			size_t stored;

			make_periodic(bytes, GROUP_MAX, period);
			stored = trip(s, bytes, GROUP_MAX, 20);
			assert_true(stored < period + period / 64 + 200);
		}
		lz()->free_state(s);
	}
}

/* ---- records ------------------------------------------------------------- */

static uint8_t *raw_end; /* a wall */
static uint8_t *out_end; /* likewise */
static uint8_t *stored, *other;
static struct arc_record_info info;

static int allocate(void **state)
{
	size_t n = arc_record_bound(ARC_FRAME_MAX) + ARC_DECODE_SLACK;

	(void)state;
	raw_end = walled(ARC_FRAME_MAX);
	out_end = walled(ARC_FRAME_MAX);
	stored = malloc(n);
	other = malloc(n);
	return stored && other ? 0 : -1;
}

static int release(void **state)
{
	(void)state;
	free(stored);
	free(other);
	return 0;
}

static struct arc_record_encoder *encoder(struct arc_encoder_params p)
{
	const struct arc_record_params params = { .encoder = lz(), .codec = p };
	struct arc_record_encoder *e = NULL;

	assert_int_equal(arc_record_encoder_new(&params, &e), 0);
	return e;
}

/* The n bytes before the wall, as a record in `to`. */
static void encode(struct arc_record_encoder *e, size_t n, uint8_t *to)
{
	const struct arc_span raw = { raw_end - n, n };

	assert_int_equal(arc_record_encode(e, 7, raw, to, &info), 0);
}

static struct arc_record *parse(void)
{
	struct arc_record *r = NULL;

	assert_int_equal(
		arc_record_parse((struct arc_span){ stored, info.stored }, &r),
		0);
	return r;
}

static void check_record(size_t n)
{
	struct arc_record *r = parse();

	assert_int_equal(arc_record_decode_all(
				 r, (struct arc_span){ stored, info.stored },
				 out_end - n),
			 0);
	assert_memory_equal(out_end - n, raw_end - n, n);
	free(r);
}

static void trip_record(unsigned level, uint8_t group_log, size_t n)
{
	struct arc_record_encoder *e = encoder((struct arc_encoder_params){
		.level = level, .group_log = group_log });

	encode(e, n, stored);
	check_record(n);
	arc_record_encoder_free(e);
}

static void frames_about_the_size_of_groups_come_back(void **state)
{
	unsigned level = 1;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw_end - ARC_FRAME_MAX, ARC_FRAME_MAX,
		      8);
	for (unsigned log = 16; log <= 20; log += 2) {
		for (size_t n = ((size_t)1 << log) - 1;
		     n <= ((size_t)1 << log) + 1; n++) {
			for (size_t i = 0; i < ARC_COUNT(reaches); i++) {
				trip_record(level, reaches[i], n);
				level = level % 9 + 1;
			}
		}
	}
	for (size_t n = 1; n < 3 * (size_t)SEGMENT; n += 13 + n / 3)
		trip_record(1 + n % 9, 17, n);
}

static void the_largest_frames_come_back(void **state)
{
	(void)state;
	testdata_fill(TESTDATA_MIXED, raw_end - ARC_FRAME_MAX, ARC_FRAME_MAX,
		      9);
	trip_record(1, 24, ARC_FRAME_MAX);
	trip_record(2, 24, ARC_FRAME_MAX - 1);
	trip_record(3, 20, ARC_FRAME_MAX);
}

static void every_level_and_reach_comes_back(void **state)
{
	const size_t n = (1 << 20) + 70000;

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		for (size_t i = 0; i < ARC_COUNT(reaches); i++) {
			enum testdata_kind kind = (level + i) % 2
							  ? TESTDATA_MIXED
							  : TESTDATA_TEXT;

			testdata_fill(kind, raw_end - n, n, level + i);
			trip_record(level, reaches[i], n);
		}
	}
}

static void programs_come_back(void **state)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(out_end - (1 << 20), 1, 1 << 20, f);
	fclose(f);
	assert_true(n > 10000);
	memmove(raw_end - n, out_end - (1 << 20), n);
	for (unsigned level = 1; level <= 9; level++)
		trip_record(level, 20, n);
}

/* ---- closures ------------------------------------------------------------ */

/* Segment s, of whose frame nothing is known but its closure. */
static void check_closure(const struct arc_record *r, uint32_t s)
{
	const size_t at = (size_t)s << ARC_SEGMENT_LOG;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_segset set = { 0 };
	uint8_t *out = out_end - r->raw;

	memset(out, 0xee, r->raw);
	arc_record_place_groups(r, out, groups);
	arc_segset_add(&set, s);
	arc_record_closure(r, 0, s, NULL, &set);
	for (uint32_t i = 0; i <= s; i++) {
		if (arc_segset_has(&set, i))
			assert_int_equal(
				arc_record_decode_segment(
					r, i,
					stored + r->head + r->segment[i].offset,
					groups),
				0);
	}
	assert_memory_equal(out + at, raw_end - r->raw + at,
			    arc_record_segment_raw(r, s));
}

/* Text that comes again and again, and differs from place to place. */
static void make_relatives(uint8_t *p, size_t n)
{
	size_t piece = 150000;

	testdata_fill(TESTDATA_TEXT, p, n, 3);
	for (size_t at = piece; at + piece < n; at += 2 * piece)
		memmove(p + at, p + (at / 3), piece);
}

static void a_closure_is_all_that_a_segment_needs(void **state)
{
	const size_t n = 40 * (size_t)SEGMENT - 77;

	(void)state;
	make_relatives(raw_end - n, n);
	for (unsigned level = 1; level <= 9; level += 2) {
		for (unsigned far = 0; far <= 16; far += 8) {
			struct arc_record_encoder *e = encoder(
				(struct arc_encoder_params){ .level = level,
							     .group_log = 18,
							     .far_max = far });
			struct arc_record *r;

			encode(e, n, stored);
			arc_record_encoder_free(e);
			check_record(n);
			r = parse();
			for (uint32_t s = far % 3; s < r->segments; s += 7)
				check_closure(r, s);
			free(r);
		}
	}
}

/* ---- determinism --------------------------------------------------------- */

static void used_encoders_write_what_new_ones_do(void **state)
{
	const size_t n = 5 * (size_t)SEGMENT + 1000;

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		const struct arc_encoder_params p = { .level = level,
						      .group_log = 17,
						      .far_max =
							      level % 4 * 4 };
		struct arc_record_encoder *used = encoder(p);
		struct arc_record_encoder *fresh = encoder(p);
		uint32_t before;

		testdata_fill(TESTDATA_TEXT, raw_end - n, n, level);
		encode(used, n / 2, other);
		testdata_fill(TESTDATA_MIXED, raw_end - n, n, level);
		encode(used, n, other);
		before = info.stored;
		encode(fresh, n, stored);
		assert_int_equal(info.stored, before);
		assert_memory_equal(stored, other, before);
		encode(fresh, n, stored); /* used now, too */
		assert_memory_equal(stored, other, before);
		arc_record_encoder_free(used);
		arc_record_encoder_free(fresh);
	}
}

/* Every segment has something of the one before its group. */
static void make_web(uint8_t *p, size_t n)
{
	testdata_fill(TESTDATA_RANDOM, p, n, 7);
	for (size_t at = 2 * SEGMENT; at < n; at += SEGMENT)
		memcpy(p + at + 9, p + at - at % (2 * SEGMENT) - 30000, 20000);
}

/*
 * Segments that are one byte repeated may never reach the codec, and yet be
 * referred to: what the same segments of another frame needed is no matter.
 */
static void make_with_zeros(uint8_t *p, size_t n)
{
	testdata_fill(TESTDATA_RANDOM, p, n, 6);
	for (size_t at = SEGMENT; at + SEGMENT <= n; at += 2 * SEGMENT) {
		memset(p + at, 0, SEGMENT);
		for (size_t i = 1; i <= 8; i++)
			memset(p + at - i * 4000, 0, 40 * i);
	}
}

static void zeros_of_another_frame_are_forgotten(void **state)
{
	const size_t n = 24 * (size_t)SEGMENT;

	(void)state;
	for (unsigned level = 1; level <= 9; level++) {
		const struct arc_encoder_params p = { .level = level,
						      .group_log = 17,
						      .far_max = 16 };
		struct arc_record_encoder *used = encoder(p);
		struct arc_record_encoder *fresh = encoder(p);

		make_web(raw_end - n, n);
		encode(used, n, other);
		make_with_zeros(raw_end - n, n);
		encode(used, n, other);
		encode(fresh, n, stored);
		check_record(n);
		assert_memory_equal(stored, other, info.stored);
		arc_record_encoder_free(used);
		arc_record_encoder_free(fresh);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_up_to_70_comes_back),
		cmocka_unit_test(every_word_of_three_letters_comes_back),
		cmocka_unit_test(words_behind_a_segment_come_back),
		cmocka_unit_test(every_period_is_found),
		cmocka_unit_test(frames_about_the_size_of_groups_come_back),
		cmocka_unit_test(the_largest_frames_come_back),
		cmocka_unit_test(every_level_and_reach_comes_back),
		cmocka_unit_test(programs_come_back),
		cmocka_unit_test(a_closure_is_all_that_a_segment_needs),
		cmocka_unit_test(used_encoders_write_what_new_ones_do),
		cmocka_unit_test(zeros_of_another_frame_are_forgotten),
	};

	return cmocka_run_group_tests(tests, allocate, release);
}
