/* SPDX-License-Identifier: MIT */
/*
 * What the CPU encodes is decoded by a device: the same bytes, whatever the
 * content, the size, the level and the reach.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "devicedecode.h"
#include "testdata.h"

#define SEGMENT ((size_t)ARC_SEGMENT_SIZE)

static uint8_t raw[ARC_FRAME_MAX];

static struct arc_encoder_params params(unsigned level, uint8_t group_log,
					unsigned far_max)
{
	return (struct arc_encoder_params){ .level = level,
					    .group_log = group_log,
					    .far_max = far_max };
}

/* n bytes of raw come back; nothing to do where they do not shrink. */
static void check_frame(size_t n, unsigned level, uint8_t group_log,
			unsigned far_max)
{
	const struct arc_encoder_params p = params(level, group_log, far_max);
	struct arc_decode_job *job = device_add_raw(raw, n, &p);

	if (job) {
		assert_int_equal(device_check(), 0);
		assert_memory_equal(world.out[0], raw, n);
	}
	device_clear();
}

/* Matches of one distance, which passes over all kinds of borders. */
static void fill_periodic(uint8_t *p, size_t n, size_t period, uint64_t seed)
{
	testdata_random(p, ARC_MIN(n, period), &seed);
	for (size_t i = period; i < n; i++)
		p[i] = p[i - period];
}

/* A program: this one. */
static size_t fill_program(uint8_t *p, size_t n)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t some;

	assert_true(fd >= 0);
	while (got < n && (some = read(fd, p + got, n - got)) > 0)
		got += (size_t)some;
	close(fd);
	return got;
}

/* ---- tests --------------------------------------------------------------- */

static void frames_of_any_size_come_back(void **state)
{
	static const size_t sizes[] = { 1,
					2,
					12,
					13,
					100,
					SEGMENT - 1,
					SEGMENT,
					SEGMENT + 1,
					3 * SEGMENT + 7,
					4 * SEGMENT - 1,
					4 * SEGMENT,
					4 * SEGMENT + 1,
					9 * SEGMENT + 12345 };

	(void)state;
	for (int kind = 0; kind < TESTDATA_KINDS; kind++) {
		for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
			testdata_fill(kind, raw, sizes[i], i);
			check_frame(sizes[i], 6, 18, 0);
		}
	}
}

static void every_level_and_reach_comes_back(void **state)
{
	static const unsigned levels[] = { 1, 6, 9 };
	static const uint8_t reaches[] = { 16, 18, 20, 24 };
	size_t n = 33 * SEGMENT + 99;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, n, 3);
	for (size_t i = 0; i < ARC_COUNT(levels); i++) {
		for (size_t k = 0; k < ARC_COUNT(reaches); k++) {
			check_frame(n, levels[i], reaches[k], 0);
			if (reaches[k] < 24)
				check_frame(n, levels[i], reaches[k], 16);
		}
	}
}

static void a_program_comes_back(void **state)
{
	size_t n = fill_program(raw, 40 * SEGMENT);

	(void)state;
	check_frame(n, 1, 20, 0);
	check_frame(n, 9, 18, 16);
}

static void periods_of_all_kinds_come_back(void **state)
{
	static const size_t periods[] = { 1,  2,  3,  4,   5,	6,   7,
					  8,  9,  12, 15,  16,	17,  31,
					  64, 65, 99, 255, 256, 257, 1000 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(periods); i++) {
		size_t n = SEGMENT + 4096 + periods[i];

		fill_periodic(raw, n, periods[i], i);
		/* breaks at all places of a word */
		for (size_t at = 997; at < n; at += 997)
			raw[at] ^= 1;
		check_frame(n, 6, 17, 0);
	}
}

static void periods_about_the_borders_come_back(void **state)
{
	static const size_t borders[] = { SEGMENT, 4 * SEGMENT };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(borders); i++) {
		for (int by = -1; by <= 1; by++) {
			size_t period = (size_t)((ptrdiff_t)borders[i] + by);
			size_t n = 2 * borders[i] + 1000;

			fill_periodic(raw, n, period, i);
			check_frame(n, 6, 18, 0);
			check_frame(n, 6, 20, 0);
			check_frame(n, 6, 16, 16);
		}
	}
}

static void a_largest_frame_comes_back(void **state)
{
	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, ARC_FRAME_MAX, 11);
	check_frame(ARC_FRAME_MAX, 1, 20, 0);
	check_frame(ARC_FRAME_MAX, 1, 24, 0);
	/* a distance of nearly all of it */
	testdata_fill(TESTDATA_RANDOM, raw, 100000, 1);
	memcpy(raw + ARC_FRAME_MAX - 100000, raw, 100000);
	memset(raw + 100000, 7, ARC_FRAME_MAX - 200000);
	check_frame(ARC_FRAME_MAX, 6, 24, 0);
}

static void frames_of_different_shapes_are_one_batch(void **state)
{
	static const uint8_t reaches[] = { 16, 18, 20, 24 };
	uint64_t seed = 1;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		uint64_t v = testdata_next(&seed);
		size_t n = 1 + v % (v >> 60 ? 100000 : 1500000);
		const struct arc_encoder_params p =
			params(1 + (v >> 32) % 9, reaches[(v >> 40) % 4],
			       v >> 50 & 1 ? 16 : 0);

		testdata_fill((v >> 24) % TESTDATA_KINDS, raw + at, n, v);
		device_add_raw(raw + at, n, &p);
		at += n;
	}
	assert_true(world.n > 10 && at < sizeof(raw));
	assert_int_equal(device_check(), 0);
	device_clear();
}

static void what_a_segment_needs_is_enough_for_it(void **state)
{
	static const uint8_t reaches[] = { 16, 18, 20, 24 };
	size_t n = 40 * SEGMENT + 5;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, n, 21);
	for (size_t i = 0; i < ARC_COUNT(reaches); i++) {
		const struct arc_encoder_params p =
			params(6, reaches[i], reaches[i] < 20 ? 16 : 0);

		for (uint32_t s = 0; s <= 40; s += 8) {
			struct arc_decode_job *job = device_add_raw(raw, n, &p);

			assert_non_null(job);
			job->set = job->want = (struct arc_segset){ 0 };
			device_want(job, s, 1);
			if (s == 8) /* and another one far away */
				device_want(job, 39, 2);
		}
		assert_int_equal(device_check(), 0);
		device_clear();
	}
}

static void nothing_is_decoded_where_nothing_is_wanted(void **state)
{
	const struct arc_encoder_params p = params(1, 18, 0);
	struct arc_decode_job *job;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 5 * SEGMENT, 1);
	job = device_add_raw(raw, 5 * SEGMENT, &p);
	job->set = job->want = (struct arc_segset){ 0 };
	assert_int_equal(device_check(), 0);
	device_clear();
	assert_int_equal(arc_device_decoder_run(world.decoder[0], NULL, 0), 0);
}

static void a_run_tells_what_it_was(void **state)
{
	const struct arc_encoder_params p = params(1, 18, 0);
	struct arc_decode_figures f;
	struct arc_decode_job *job;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 9 * SEGMENT, 1);
	job = device_add_raw(raw, 9 * SEGMENT, &p);
	assert_int_equal(device_check(), 0);
	f = arc_device_decoder_figures(world.decoder[0]);
	assert_int_equal(f.raw, 9 * SEGMENT);
	assert_int_equal(f.stored, job->record->payload);
	assert_int_equal(f.chains, 3);
	assert_int_equal(f.launches, 1);
	assert_int_equal(f.refused, 0);
	assert_true(f.kernel_ns > 0);
	assert_true(f.launch_ns > 0 && f.launch_ns <= f.kernel_ns);
	assert_true(f.gathered >= f.stored);
	assert_int_equal(arc_device_decoder_figures(world.decoder[1]).gathered,
			 0);
	device_clear();
}

/* Words of two bytes would lie where no device loads them from. */
static void behind_an_odd_size_nothing_is_taken_as_it_lies(void **state)
{
	const struct arc_encoder_params p = params(1, 18, 0);
	struct arc_device_decoder *d = world.decoder[1];
	struct arc_decode_job *job;
	struct arc_record *r;
	uint8_t *at;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 3 * SEGMENT, 1);
	job = device_add_raw(raw, 3 * SEGMENT, &p);
	at = arc_ocl_pinned_at(world.pinned);
	memcpy(&r, &job->record, sizeof(r));
	for (uint32_t s = 0, n = 0; s < 3; s++) {
		struct arc_segment *seg = &r->segment[s];

		memcpy(at + n, job->payload + seg->offset, seg->size);
		seg->offset = n;
		n += seg->size + (s == 1);
	}
	job->payload = at;
	job->pinned = true;
	assert_int_equal(arc_device_decoder_run(d, job, 1), 0);
	assert_int_equal(job->bad.word[0], 0);
	assert_memory_equal(world.out[0], raw, 3 * SEGMENT);
	assert_true(arc_device_decoder_figures(d).gathered > 0);
	device_clear();
}

static void jobs_that_do_not_fit_are_counted_and_refused(void **state)
{
	const struct arc_encoder_params p = params(1, 20, 0);
	struct arc_device_decoder *d = NULL;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 20 * SEGMENT, 1);
	for (unsigned i = 0; i < 3; i++)
		device_add_raw(raw, 20 * SEGMENT - i, &p);
	assert_int_equal(arc_device_decoder_new(world.dev, NULL, 45 * SEGMENT,
						40 * SEGMENT, 1, &d),
			 0);
	assert_int_equal(arc_device_decoder_fits(d, world.job, 3), 2);
	assert_int_equal(arc_device_decoder_run(d, world.job, 3), -EINVAL);
	assert_int_equal(arc_device_decoder_run(d, world.job, 2), 0);
	/* a part of a frame is not all of it */
	world.job[1].set = world.job[1].want = (struct arc_segset){ 0 };
	device_want(&world.job[1], 2, 1);
	assert_int_equal(arc_device_decoder_fits(d, world.job, 3), 3);
	arc_device_decoder_free(d);
	/* stored bytes count, too */
	assert_int_equal(arc_device_decoder_new(
				 world.dev, NULL, 100 * SEGMENT,
				 world.job[0].record->payload * 3 / 2, 1, &d),
			 0);
	device_want(&world.job[1], 0, 20);
	assert_int_equal(arc_device_decoder_fits(d, world.job, 3), 1);
	arc_device_decoder_free(d);
	device_clear();
}

static void sets_that_cannot_be_are_refused(void **state)
{
	const struct arc_encoder_params p = params(6, 20, 0);
	struct arc_device_decoder *d = world.decoder[0];
	struct arc_decode_job *job;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 5 * SEGMENT, 1);
	job = device_add_raw(raw, 5 * SEGMENT, &p);
	assert_int_equal(arc_device_decoder_run(d, job, 1), 0);
	job->set.word[0] &= ~(uint64_t)1; /* still wanted */
	assert_int_equal(arc_device_decoder_run(d, job, 1), -EINVAL);
	job->want = job->set;
	assert_int_equal(arc_device_decoder_run(d, job, 1), -EINVAL);
	arc_segset_add(&job->set, 0);
	arc_segset_add(&job->set, 5); /* there is none */
	assert_int_equal(arc_device_decoder_run(d, job, 1), -EINVAL);
	job->set.word[0] &= ~(UINT64_C(1) << 5);
	assert_int_equal(arc_device_decoder_run(d, job, 1), 0);
	device_clear();
}

static void bytes_that_are_not_what_a_checksum_says_are_bad(void **state)
{
	const struct arc_encoder_params p = params(1, 16, 0);
	struct arc_decode_job *job;
	struct arc_record *r;

	(void)state;
	testdata_fill(TESTDATA_TEXT, raw, 5 * SEGMENT, 1);
	job = device_add_raw(raw, 5 * SEGMENT, &p);
	memcpy(&r, &job->record, sizeof(r));
	r->segment[2].check ^= 1;
	assert_int_equal(device_check(), 1);
	assert_true(arc_segset_has(&job->bad, 2));
	assert_int_equal(arc_device_decoder_figures(world.decoder[0]).refused,
			 0);
	r->segment[2].check ^= 1;
	assert_int_equal(device_check(), 0);
	device_clear();
}

/* Segments 1 and 3 are raw, 2 and 4 filled, the others coded; nobody copies
 * from another one. */
static struct arc_decode_job *add_mixed_types(void)
{
	const struct arc_encoder_params p = params(1, 16, 0);
	struct arc_decode_job *job;

	testdata_fill(TESTDATA_TEXT, raw, 6 * SEGMENT, 1);
	testdata_fill(TESTDATA_RANDOM, raw + SEGMENT, SEGMENT, 1);
	memset(raw + 2 * SEGMENT, 0, SEGMENT);
	testdata_fill(TESTDATA_RANDOM, raw + 3 * SEGMENT, SEGMENT, 2);
	memset(raw + 4 * SEGMENT, 9, SEGMENT);
	job = device_add_raw(raw, 6 * SEGMENT, &p);
	for (uint32_t s = 0; s < 6; s++)
		assert_int_equal("RCF"[job->record->segment[s].type],
				 "CRFRFC"[s]);
	return job;
}

static void what_needs_no_decoding_stays_at_home(void **state)
{
	struct arc_decode_figures f;
	struct arc_decode_job *job = add_mixed_types();
	struct arc_record *r;

	(void)state;
	assert_int_equal(device_check(), 0);
	f = arc_device_decoder_figures(world.decoder[0]);
	assert_int_equal(f.raw, 2 * SEGMENT);
	memcpy(&r, &job->record, sizeof(r));
	for (uint32_t s = 1; s <= 4; s++) {
		r->segment[s].check ^= 1;
		assert_int_equal(device_check(), 1);
		assert_true(arc_segset_has(&job->bad, s));
		r->segment[s].check ^= 1;
	}
	device_clear();
}

static void only_this_codec_is_taken(void **state)
{
	struct arc_record r = { .codec = ARC_CODEC_ZSTD };

	(void)state;
	r.decoder = arc_decoder_find(r.codec);
	assert_false(arc_device_decodes(&r));
	r.codec = ARC_CODEC_LZEXT3;
	r.decoder = arc_decoder_find(r.codec);
	assert_true(arc_device_decodes(&r));
	r.codec = 77;
	r.decoder = arc_decoder_find(r.codec);
	assert_false(arc_device_decodes(&r));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_any_size_come_back),
		cmocka_unit_test(every_level_and_reach_comes_back),
		cmocka_unit_test(a_program_comes_back),
		cmocka_unit_test(periods_of_all_kinds_come_back),
		cmocka_unit_test(periods_about_the_borders_come_back),
		cmocka_unit_test(a_largest_frame_comes_back),
		cmocka_unit_test(frames_of_different_shapes_are_one_batch),
		cmocka_unit_test(what_a_segment_needs_is_enough_for_it),
		cmocka_unit_test(nothing_is_decoded_where_nothing_is_wanted),
		cmocka_unit_test(a_run_tells_what_it_was),
		cmocka_unit_test(
			behind_an_odd_size_nothing_is_taken_as_it_lies),
		cmocka_unit_test(jobs_that_do_not_fit_are_counted_and_refused),
		cmocka_unit_test(sets_that_cannot_be_are_refused),
		cmocka_unit_test(
			bytes_that_are_not_what_a_checksum_says_are_bad),
		cmocka_unit_test(what_needs_no_decoding_stays_at_home),
		cmocka_unit_test(only_this_codec_is_taken),
	};

	return cmocka_run_group_tests(tests, device_setup, device_teardown);
}
