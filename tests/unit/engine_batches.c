/* SPDX-License-Identifier: MIT */
/*
 * A lane of a device, step by step. How many jobs it takes at once: what its
 * trial promises, and then what launches take; the fault layer makes the device
 * seem slow. And from where it takes them.
 */
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chosengpu.h"
#include "engine/device_lane.h"
#include "engine/staging.h"
#include "testdata.h"

#define JOBS 40
#define FRAME ((size_t)ARC_SEGMENT_SIZE)
#define MS UINT64_C(1000000)

static uint8_t raw[FRAME];
static uint8_t out[JOBS][FRAME];
static uint8_t *groups[JOBS][1];
static uint8_t *stored; /* the record of raw */
static struct arc_record *record;
static struct arc_job jobs[JOBS];
static struct arc_gpu *gpu;

/* ---- what launches teach ------------------------------------------------- */

static struct arc_device_lane lane_of(unsigned now, unsigned batch)
{
	return (struct arc_device_lane){ .now = now, .batch = batch };
}

static void a_launch_that_takes_too_long_halves_the_batch(void **state)
{
	struct arc_device_lane l = lane_of(16, 16);

	(void)state;
	arc_device_lane_learn(&l, 16, 51 * MS, 0);
	assert_int_equal(l.now, 8);
	arc_device_lane_learn(&l, 3, 51 * MS, 0);
	assert_int_equal(l.now, 1);
	arc_device_lane_learn(&l, 1, 1000 * MS, 0);
	assert_int_equal(l.now, 1);
}

static void short_launches_let_it_grow_one_by_one(void **state)
{
	struct arc_device_lane l = lane_of(4, 6);

	(void)state;
	arc_device_lane_learn(&l, 3, 1 * MS, 0); /* there were no more jobs */
	assert_int_equal(l.now, 4);
	arc_device_lane_learn(&l, 4, 1 * MS, 0);
	assert_int_equal(l.now, 5);
	arc_device_lane_learn(&l, 5, 45 * MS, 0); /* one more: 54 ms */
	assert_int_equal(l.now, 5);
	arc_device_lane_learn(&l, 5, 40 * MS, 0);
	assert_int_equal(l.now, 6);
	arc_device_lane_learn(&l, 6, 1 * MS, 0); /* no memory for more */
	assert_int_equal(l.now, 6);
}

static void without_the_clock_of_the_device_ours_counts(void **state)
{
	struct arc_device_lane l = lane_of(8, 16);

	(void)state;
	arc_device_lane_learn(&l, 8, 0, 0); /* since the machine started */
	assert_int_equal(l.now, 4);
}

static void what_the_user_says_is_obeyed(void **state)
{
	struct arc_device_lane l = lane_of(16, 16);

	(void)state;
	l.obeys = true;
	arc_device_lane_learn(&l, 16, 1000 * MS, 0);
	assert_int_equal(l.now, 16);
}

/* ---- a lane, step by step ------------------------------------------------ */

/* A lane of a device that did `rate` bytes a second on trial. */
static struct arc_worker *new_lane(double rate, unsigned batch,
				   unsigned batch_max)
{
	struct arc_device *const *device = gpu->used[ARC_GPU_DECODE].device;
	const struct arc_engine_params params = {
		.work = ARC_JOB_DECODE,
		.threads = 1,
		.device = device,
		.devices = 1,
		.devices_only = true,
		.frame_max = FRAME,
		.batch = batch,
		.batch_max = batch_max,
	};
	struct arc_device_lane *l = NULL;

	device[0]->rate.work[ARC_GPU_DECODE] = rate;
	assert_int_equal(arc_lane_decode_new(&params, 0, &l), 0);
	assert_int_equal(l->worker.ops->prepare(&l->worker), 0);
	return &l->worker;
}

static void set_jobs(struct arc_job **list)
{
	memset(out, 0, sizeof(out));
	for (size_t i = 0; i < JOBS; i++) {
		groups[i][0] = out[i];
		jobs[i] = (struct arc_job){
			.kind = ARC_JOB_DECODE,
			.decode = { .record = record,
				    .payload = stored + record->head,
				    .groups = groups[i] },
			.err = -EINVAL,
		};
		arc_segset_add(&jobs[i].decode.set, 0);
		arc_segset_add(&jobs[i].decode.want, 0);
		list[i] = &jobs[i];
	}
}

/* Does what there is to do; the sizes of the batches in *sizes. */
static unsigned do_all(struct arc_worker *w, unsigned sizes[JOBS])
{
	const struct arc_worker_ops *ops = w->ops;
	struct arc_job *list[JOBS];
	unsigned done = 0, batches = 0;

	set_jobs(list);
	while (done < JOBS) {
		unsigned n = ops->takes(w, list + done, JOBS - done);

		assert_int_equal(ops->load(w, list + done, n), 0);
		assert_int_equal(ops->run(w), 0);
		assert_int_equal(ops->store(w, list + done, n), 0);
		sizes[batches++] = n;
		done += n;
	}
	for (size_t i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].err, 0);
		assert_int_equal(jobs[i].decode.bad.word[0], 0);
		assert_memory_equal(out[i], raw, FRAME);
	}
	return batches;
}

static void the_batches_of_a_slow_device_shrink(void **state)
{
	static const unsigned want[] = { 16, 8, 4, 2, 1, 1 };
	struct arc_worker *w = new_lane(1e12, 0, 0);
	unsigned sizes[JOBS];

	(void)state;
	assert_true(do_all(w, sizes) > ARC_COUNT(want));
	for (size_t i = 0; i < ARC_COUNT(want); i++)
		assert_int_equal(sizes[i], want[i]);
	w->ops->free(w);
}

static void the_first_batch_is_what_the_trial_promises(void **state)
{
	struct arc_worker *w = new_lane(5 * (double)FRAME / 0.05 + 1000, 0, 0);
	struct arc_worker *bounded = new_lane(1e12, 0, 3);
	struct arc_worker *slow = new_lane(1000, 0, 0);
	unsigned sizes[JOBS];

	(void)state;
	do_all(w, sizes);
	assert_int_equal(sizes[0], 5);
	assert_int_equal(sizes[1], 2);
	do_all(bounded, sizes);
	assert_int_equal(sizes[0], 3);
	assert_int_equal(do_all(slow, sizes), JOBS);
	w->ops->free(w);
	bounded->ops->free(bounded);
	slow->ops->free(slow);
}

static void batches_that_were_asked_for_do_not_shrink(void **state)
{
	struct arc_worker *w = new_lane(1000, 10, 0);
	unsigned sizes[JOBS];

	(void)state;
	assert_int_equal(do_all(w, sizes), JOBS / 10);
	w->ops->free(w);
}

/* ---- memory that a lane lends -------------------------------------------- */

/* What is changed behind load() is seen by the device if and only if it takes
 * the payload from where it lies; the checksum tells, of the CPU too. Returns
 * whether the job was bad. */
static bool sees_change(struct arc_worker *w, struct arc_staging *staging,
			uint8_t *payload)
{
	struct arc_job *list[JOBS];
	struct arc_job *job = &jobs[0];
	bool bad;

	set_jobs(list);
	memcpy(payload, stored + record->head, record->payload);
	memset(payload + record->payload, 0, ARC_DECODE_SLACK);
	job->decode.payload = payload;
	job->staged = arc_staging_device(staging, payload);
	assert_int_equal(w->ops->takes(w, list, 1), 1);
	assert_int_equal(w->ops->load(w, list, 1), 0);
	payload[record->payload - 1] ^= 1;
	assert_int_equal(w->ops->run(w), 0);
	assert_int_equal(w->ops->store(w, list, 1), 0);
	assert_int_equal(job->err, 0);
	bad = arc_segset_has(&job->decode.bad, 0);
	if (!bad)
		assert_memory_equal(out[0], raw, FRAME);
	return bad;
}

static void what_is_lent_is_taken_from_where_it_lies(void **state)
{
	struct arc_worker *w = new_lane(1e12, 2, 0);
	struct arc_worker *other = new_lane(1e12, 1, 0);
	size_t n = record->payload + ARC_DECODE_SLACK;
	struct arc_staging *s = NULL;
	uint8_t *p[3];

	(void)state;
	assert_int_equal(arc_staging_new(&s), 0);
	w->ops->lend(w, s);
	for (size_t i = 0; i < ARC_COUNT(p); i++)
		p[i] = arc_staging_lend(s, n);
	assert_true(sees_change(w, s, p[0]));
	assert_true(sees_change(w, s, p[1]));
	assert_false(sees_change(w, s, p[2])); /* there were two blocks */
	assert_true(sees_change(other, s, p[0])); /* of the same device */
	for (size_t i = 0; i < ARC_COUNT(p); i++)
		arc_staging_give_back(s, p[i]);
	w->ops->free(w);
	other->ops->free(other);
	arc_staging_free(s);
}

/* ------------------------------------------------------------------------- */

static int setup(void **state)
{
	const struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = { .level = 3, .group_log = 16 },
	};
	struct arc_record_encoder *e = NULL;
	struct arc_record_info info;
	uint64_t seed = 1;

	(void)state;
	gpu = gpu_choose_cpu(ARC_GPU_DECODE);
	testdata_text(raw, FRAME, &seed);
	stored = malloc(arc_record_bound(FRAME) + ARC_DECODE_SLACK);
	assert_non_null(stored);
	assert_int_equal(arc_record_encoder_new(&params, &e), 0);
	assert_int_equal(arc_record_encode(e, 0,
					   (struct arc_span){ raw, FRAME },
					   stored, &info),
			 0);
	arc_record_encoder_free(e);
	return arc_record_parse((struct arc_span){ stored, info.stored },
				&record);
}

static int teardown(void **state)
{
	(void)state;
	free(record);
	free(stored);
	arc_gpu_free(gpu);
	return 0;
}

/* The loader looks for layers when it is first called. */
static void load_layer(const char *program)
{
	char dir[4096], path[4200];

	snprintf(dir, sizeof(dir), "%s", program);
	snprintf(path, sizeof(path), "%s/libfault_layer.so", dirname(dir));
	setenv("OPENCL_LAYERS", path, 1);
	setenv("ARC_FAULT_SLOW", "60", 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_launch_that_takes_too_long_halves_the_batch),
		cmocka_unit_test(short_launches_let_it_grow_one_by_one),
		cmocka_unit_test(without_the_clock_of_the_device_ours_counts),
		cmocka_unit_test(what_the_user_says_is_obeyed),
		cmocka_unit_test(the_batches_of_a_slow_device_shrink),
		cmocka_unit_test(the_first_batch_is_what_the_trial_promises),
		cmocka_unit_test(batches_that_were_asked_for_do_not_shrink),
		cmocka_unit_test(what_is_lent_is_taken_from_where_it_lies),
	};

	(void)argc;
	load_layer(argv[0]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
