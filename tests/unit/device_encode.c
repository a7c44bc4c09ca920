/* SPDX-License-Identifier: MIT */
/*
 * A device's encoder makes the bytes that the C code of the parallel profile
 * makes, however its work-groups are made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/device_encode.h"
#include "ocldevice.h"
#include "testdata.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)
#define RAW_MAX (64 * SEGMENT)
#define FRAMES 60
#define REACH 20 /* of the params; frames may have less */

static const struct arc_encode_shape alone = { 1, 1 };
static const struct arc_encode_shape together = { 64, 64 };
static const struct arc_encode_shape uneven = { 256, 16 };

static struct arc_ocl_device *dev;
static uint8_t *bytes; /* of the frames */
static size_t used; /* bytes of them */
static struct arc_encode_frame frame[FRAMES];
static unsigned frames;

static int setup(void **state)
{
	(void)state;
	dev = ocl_open_cpu(NULL);
	bytes = malloc(ARC_FRAME_MAX);
	return bytes ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arc_ocl_close(dev);
	free(bytes);
	return 0;
}

/* ---- frames -------------------------------------------------------------- */

static void begin_frames(void)
{
	frames = 0;
	used = 0;
}

static uint8_t *add_frame(size_t n, uint8_t group_log)
{
	uint8_t *p = bytes + used;

	assert_true(frames < FRAMES && n <= ARC_FRAME_MAX - used);
	frame[frames++] = (struct arc_encode_frame){ .raw = { p, n },
						     .group_log = group_log };
	used += n;
	return p;
}

static void add_kind(enum testdata_kind kind, size_t n, uint8_t group_log)
{
	testdata_fill(kind, add_frame(n, group_log), n, n + kind);
}

static void add_periodic(size_t period, size_t n, uint8_t group_log)
{
	uint8_t *p = add_frame(n, group_log);
	uint64_t seed = period;

	testdata_random(p, period, &seed);
	for (size_t i = period; i < n; i++)
		p[i] = p[i - period];
}

static void add_program(size_t most, uint8_t group_log)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	uint8_t *p = add_frame(most, group_log);
	size_t n;

	assert_non_null(f);
	n = fread(p, 1, most, f);
	fclose(f);
	assert_true(n > 10000);
	frame[frames - 1].raw.n = n;
}

/* Runs of literals and matches of all lengths. */
static void add_runs(size_t n, uint8_t group_log)
{
	uint8_t *p = add_frame(n, group_log);
	size_t at = 0;

	testdata_fill(TESTDATA_RANDOM, p, n, 5);
	for (size_t run = 4; at + 2 * run < n; run += 1 + run / 6) {
		memcpy(p + at + run, p + at, run);
		at += 2 * run;
	}
}

/* A small frame of everything. */
static void add_everything(void)
{
	begin_frames();
	for (size_t n = 1; n <= 13; n++)
		add_kind(TESTDATA_ZERO, n, 16);
	for (size_t n = 7; n <= 40; n += 3)
		add_kind(TESTDATA_TEXT, n, 16);
	for (unsigned kind = 0; kind < TESTDATA_KINDS; kind++)
		add_kind((enum testdata_kind)kind, 30011 + kind, 18);
	for (size_t n = SEGMENT - 1; n <= SEGMENT + 1; n++)
		add_kind(TESTDATA_TEXT, n, 20);
	add_kind(TESTDATA_MIXED, 2 * SEGMENT + 9, 16);
	add_kind(TESTDATA_TEXT, 4 * SEGMENT - 1, 17);
	add_kind(TESTDATA_MIXED, 5 * SEGMENT + 1, 18);
	add_periodic(3, SEGMENT + 700, 17);
	add_periodic(65, SEGMENT, 17);
	add_periodic(40000, 3 * SEGMENT, 20);
	add_runs(2 * SEGMENT, 20);
	add_program(4 * SEGMENT, 20);
}

/* ---- comparing ----------------------------------------------------------- */

static struct arc_encoder_params profile(unsigned level)
{
	return (struct arc_encoder_params){ .level = level,
					    .group_log = REACH,
					    .parallel = true };
}

static void compare_segment(void *c, const struct arc_encode_frame *f,
			    uint32_t s)
{
	const struct arc_encoder *lz = arc_encoder_find("lzext3");
	static uint8_t coded[ARC_SEGMENT_SIZE];
	size_t off = arc_offset_in_group(s, f->group_log);
	const uint8_t *p = f->raw.p + s * SEGMENT;
	size_t left = (size_t)(f->raw.p + f->raw.n - p);
	size_t n = ARC_MIN(left, SEGMENT);
	const struct arc_encoded_segment *got = &f->segment[s];
	struct arc_segment want = { 0 };
	size_t size;

	if (off == 0)
		lz->begin(c, p, ARC_MIN(left, (size_t)1 << f->group_log));
	size = lz->encode(c, p - off, off, n, coded, n - 1, &want);
	assert_int_equal(got->size, size);
	if (size == 0)
		return;
	assert_memory_equal(&got->ext, want.ext, sizeof(got->ext));
	assert_memory_equal(f->coded + got->offset, coded, size);
}

/* The frames of a run, with what the C code makes of them. */
static void compare(const struct arc_encoder_params *params)
{
	const struct arc_encoder *lz = arc_encoder_find("lzext3");
	void *c = NULL;

	assert_int_equal(lz->new_state(params, &c), 0);
	for (unsigned i = 0; i < frames; i++) {
		struct arc_encode_frame *f = &frame[i];
		struct arc_frame_plan plan = { f->group_log, lz->entry_size };
		uint32_t segments = arc_segment_count((uint32_t)f->raw.n);
		uint32_t at = 0;

		lz->plan(c, f->raw, &plan);
		for (uint32_t s = 0; s < segments; s++) {
			assert_int_equal(f->segment[s].offset, at);
			compare_segment(c, f, s);
			at += f->segment[s].size;
		}
	}
	lz->free_state(c);
}

static struct arc_device_encoder *
new_encoder(const struct arc_encoder_params *params,
	    const struct arc_encode_shape *shape, size_t raw_max)
{
	struct arc_device_encoder *e = NULL;

	assert_int_equal(arc_device_encoder_new_shaped(dev, NULL, shape, params,
						       raw_max, &e),
			 0);
	return e;
}

static void run(struct arc_device_encoder *e)
{
	assert_int_equal(arc_device_encoder_fits(e, frame, frames), frames);
	assert_int_equal(arc_device_encoder_run(e, frame, frames), 0);
}

static void check(struct arc_encoder_params params,
		  const struct arc_encode_shape *shape)
{
	struct arc_device_encoder *e = new_encoder(&params, shape, RAW_MAX);

	add_everything();
	run(e);
	compare(&params);
	arc_device_encoder_free(e);
}

/* ---- tests --------------------------------------------------------------- */

static void level_1_is_what_the_c_code_makes(void **state)
{
	(void)state;
	check(profile(1), &alone);
	check(profile(1), &together);
}

static void level_3_is_what_the_c_code_makes(void **state)
{
	(void)state;
	check(profile(3), &alone);
	check(profile(3), &together);
}

static void level_6_is_what_the_c_code_makes(void **state)
{
	(void)state;
	check(profile(6), &alone);
	check(profile(6), &together);
	check(profile(6), &uneven);
}

static void level_9_is_what_the_c_code_makes(void **state)
{
	(void)state;
	check(profile(9), &alone);
	check(profile(9), &together);
}

static void other_numbers_of_the_search_reach_the_kernels(void **state)
{
	struct arc_encoder_params params = profile(6);

	(void)state;
	params.hash_log = 12;
	params.candidates = 5;
	params.good_enough = 9;
	check(params, &together);
	params.hash_log = 24;
	params.candidates = 64;
	params.good_enough = 65536;
	check(params, &alone);
}

static void tables_are_no_larger_than_a_group_can_fill(void **state)
{
	struct arc_encoder_params params = profile(6);
	struct arc_device_encoder *e;

	(void)state;
	params.hash_log = 24;
	e = new_encoder(&params, &alone, SEGMENT);
	assert_int_equal(arc_device_encoder_hash_log(e), REACH);
	arc_device_encoder_free(e);
}

static void runs_depend_on_nothing_before_them(void **state)
{
	const struct arc_encoder_params params = profile(6);
	struct arc_device_encoder *e = NULL;

	(void)state;
	assert_int_equal(
		arc_device_encoder_new(dev, NULL, &params, RAW_MAX, &e), 0);
	add_everything();
	for (unsigned i = 0; i < 2; i++) {
		run(e);
		compare(&params);
	}
	begin_frames(); /* other frames in the same places */
	add_kind(TESTDATA_RANDOM, 3 * SEGMENT, 17);
	add_kind(TESTDATA_TEXT, 7 * SEGMENT - 500, 18);
	run(e);
	compare(&params);
	begin_frames(); /* nothing that shrinks */
	add_kind(TESTDATA_RANDOM, 3 * SEGMENT, 17);
	run(e);
	compare(&params);
	assert_int_equal(arc_device_encoder_figures(e).coded, 0);
	begin_frames(); /* nothing at all */
	run(e);
	arc_device_encoder_free(e);
}

static void the_largest_frame_is_coded(void **state)
{
	const struct arc_encoder_params params = profile(6);
	struct arc_device_encoder *e =
		new_encoder(&params, &alone, ARC_FRAME_MAX);
	struct arc_encode_figures figures;

	(void)state;
	begin_frames();
	add_kind(TESTDATA_MIXED, ARC_FRAME_MAX, REACH);
	run(e);
	compare(&params);
	figures = arc_device_encoder_figures(e);
	assert_int_equal(figures.raw, ARC_FRAME_MAX);
	assert_int_equal(figures.groups, ARC_FRAME_MAX >> REACH);
	assert_in_range(figures.coded, 1, ARC_FRAME_MAX - 1);
	assert_true(figures.kernel_ns > 0);
	arc_device_encoder_free(e);
}

static void what_does_not_fit_is_known(void **state)
{
	const struct arc_encoder_params params = profile(1);
	struct arc_device_encoder *e =
		new_encoder(&params, &alone, 3 * SEGMENT + 1);

	(void)state;
	begin_frames();
	add_kind(TESTDATA_TEXT, 1, 16);
	add_kind(TESTDATA_TEXT, 2 * SEGMENT, 16);
	add_kind(TESTDATA_TEXT, SEGMENT + 1, 16);
	assert_int_equal(arc_device_encoder_fits(e, frame, frames), 2);
	frame[2].raw.n--;
	assert_int_equal(arc_device_encoder_fits(e, frame, frames), 3);
	run(e);
	compare(&params);
	arc_device_encoder_free(e);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(level_1_is_what_the_c_code_makes),
		cmocka_unit_test(level_3_is_what_the_c_code_makes),
		cmocka_unit_test(level_6_is_what_the_c_code_makes),
		cmocka_unit_test(level_9_is_what_the_c_code_makes),
		cmocka_unit_test(other_numbers_of_the_search_reach_the_kernels),
		cmocka_unit_test(tables_are_no_larger_than_a_group_can_fill),
		cmocka_unit_test(runs_depend_on_nothing_before_them),
		cmocka_unit_test(the_largest_frame_is_coded),
		cmocka_unit_test(what_does_not_fit_is_known),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
