/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "testdata.h"

#define JOBS 24
#define FRAME ((size_t)5 * ARC_SEGMENT_SIZE - 1000)

static uint8_t frames[JOBS][FRAME];
static uint8_t *wanted[JOBS];
static struct arc_record_info wanted_info[JOBS];

static struct arc_record_params params(void)
{
	return (struct arc_record_params){
		.encoder = arc_encoder_find("lz4hc"),
		.codec = { .level = 3, .group_log = 17 },
		.id = UINT64_C(0x1122334455667788),
	};
}

/* Every frame as one encoder alone, new for each, makes it. */
static int encode_frames(void **state)
{
	struct arc_record_params p = params();

	(void)state;
	for (size_t i = 0; i < JOBS; i++) {
		struct arc_record_encoder *e = NULL;

		testdata_fill((enum testdata_kind)(i % TESTDATA_KINDS),
			      frames[i], FRAME, i);
		wanted[i] = malloc(arc_record_bound(FRAME));
		assert_non_null(wanted[i]);
		assert_int_equal(arc_record_encoder_new(&p, &e), 0);
		assert_int_equal(
			arc_record_encode(e, i,
					  (struct arc_span){ frames[i], FRAME },
					  wanted[i], &wanted_info[i]),
			0);
		arc_record_encoder_free(e);
	}
	return 0;
}

static int free_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < JOBS; i++)
		free(wanted[i]);
	return 0;
}

static struct arc_engine *new_engine(unsigned threads,
				     const struct arc_record_params *record)
{
	const struct arc_engine_params params = { .threads = threads,
						  .record = record };
	struct arc_engine *e = NULL;

	assert_int_equal(arc_engine_new(&params, &e), 0);
	assert_true(arc_engine_depth(e) > threads);
	return e;
}

static void submit(struct arc_engine *e, struct arc_job *job, size_t i)
{
	*job = (struct arc_job){
		.kind = ARC_JOB_ENCODE,
		.encode = { .in = { frames[i], FRAME },
			    .number = i,
			    .out = malloc(arc_record_bound(FRAME)) },
		.err = -EINVAL,
	};
	assert_non_null(job->encode.out);
	arc_engine_submit(e, job);
}

static void check_and_free(const struct arc_job *job, size_t i)
{
	assert_int_equal(job->err, 0);
	assert_int_equal(job->encode.info.stored, wanted_info[i].stored);
	assert_int_equal(job->encode.info.checksum, wanted_info[i].checksum);
	assert_int_equal(job->encode.info.digest, wanted_info[i].digest);
	assert_memory_equal(job->encode.out, wanted[i],
			    job->encode.info.stored);
	free(job->encode.out);
}

static void any_number_of_threads_gives_equal_bytes(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 5; threads += 2) {
		struct arc_record_params p = params();
		struct arc_engine *e;
		struct arc_job jobs[JOBS];

		e = new_engine(threads, &p);
		for (size_t i = 0; i < JOBS; i++)
			submit(e, &jobs[i], i);
		for (size_t i = 0; i < JOBS; i++) {
			arc_engine_wait(e, &jobs[i]);
			check_and_free(&jobs[i], i);
		}
		arc_engine_free(e);
	}
}

static void jobs_may_be_waited_for_in_any_order_and_again(void **state)
{
	struct arc_record_params p = params();
	struct arc_engine *e;
	struct arc_job jobs[JOBS];

	(void)state;
	e = new_engine(2, &p);
	for (size_t i = 0; i < JOBS; i++)
		submit(e, &jobs[i], i);
	for (size_t i = JOBS; i-- > 0;) {
		arc_engine_wait(e, &jobs[i]);
		arc_engine_wait(e, &jobs[i]);
		check_and_free(&jobs[i], i);
	}
	submit(e, &jobs[0], 7);
	arc_engine_wait(e, &jobs[0]);
	check_and_free(&jobs[0], 7);
	arc_engine_free(e);
}

static void engine_without_a_codec_makes_raw_records(void **state)
{
	struct arc_record_params p = params();
	struct arc_engine *e;
	struct arc_job job;

	(void)state;
	p.encoder = NULL;
	e = new_engine(1, &p);
	submit(e, &job, TESTDATA_TEXT);
	arc_engine_wait(e, &job);
	assert_int_equal(job.err, 0);
	assert_int_equal(job.encode.info.codec, ARC_CODEC_RAW);
	free(job.encode.out);
	arc_engine_free(e);
}

static void no_engine_can_be_freed(void **state)
{
	(void)state;
	arc_engine_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_threads_gives_equal_bytes),
		cmocka_unit_test(jobs_may_be_waited_for_in_any_order_and_again),
		cmocka_unit_test(engine_without_a_codec_makes_raw_records),
		cmocka_unit_test(no_engine_can_be_freed),
	};

	return cmocka_run_group_tests(tests, encode_frames, free_frames);
}
