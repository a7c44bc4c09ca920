/* SPDX-License-Identifier: MIT */
/*
 * The engine beside workers that fail, hang or come back late, as devices do
 * when nobody wants it: here they do so exactly when a test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "diag.h"
#include "engine/engine_i.h"
#include "engine/staging.h"
#include "testdata.h"

#define JOBS 40
#define FRAME ((size_t)3000)
#define BY_DEVICE UINT64_C(0xdec1ce)

/* What a worker does with its n-th batch, counted from 1. */
struct script {
	unsigned batch; /* jobs it takes at once */
	unsigned fails_at; /* 0: never, as below */
	unsigned wrong_at;
	unsigned hangs_at;
	bool fails_to_prepare;
	bool lends;
};

struct scripted {
	struct arc_worker worker;
	struct script script;
	unsigned batches;
	atomic_uint stored; /* jobs */
	atomic_bool abandoned;
	uint8_t lends[2][FRAME]; /* frames */
	sem_t go_on; /* ends a hang */
	sem_t gone_on;
};

struct world {
	struct arc_record_params record;
	struct arc_engine_params params;
	struct arc_diag diag;
	char said[1024];
	unsigned messages;
	uint8_t frame[FRAME];
	struct arc_job job[JOBS];
	struct scripted device[2];
	atomic_uint freed;
	unsigned ended; /* areas that were lent */
};

static struct world *world;

static unsigned takes(struct arc_worker *worker, struct arc_job *const *jobs,
		      unsigned n)
{
	struct scripted *w = (struct scripted *)worker;

	(void)jobs;
	return ARC_MIN(w->script.batch, n);
}

static int prepare(struct arc_worker *worker)
{
	return ((struct scripted *)worker)->script.fails_to_prepare ? -EIO : 0;
}

/* Its device has no queue any more that may take from it. */
static void end_area(void *ctx)
{
	(void)ctx;
	assert_int_equal(world->freed, world->params.devices);
	world->ended++;
}

static void lend(struct arc_worker *worker, struct arc_staging *staging)
{
	struct scripted *w = (struct scripted *)worker;
	const struct arc_staging_area area = {
		.device = worker->device,
		.p = w->lends[0],
		.block = FRAME,
		.blocks = ARC_COUNT(w->lends),
		.end = end_area,
	};

	if (w->script.lends)
		assert_int_equal(arc_staging_add(staging, &area), 0);
}

static int load(struct arc_worker *worker, struct arc_job *const *jobs,
		unsigned n)
{
	struct scripted *w = (struct scripted *)worker;

	(void)jobs;
	(void)n;
	w->batches++;
	return 0;
}

static int run(struct arc_worker *worker)
{
	struct scripted *w = (struct scripted *)worker;

	if (w->batches == w->script.hangs_at) {
		sem_wait(&w->go_on);
		sem_post(&w->gone_on);
	}
	return w->batches == w->script.fails_at ? -EIO : 0;
}

static int store(struct arc_worker *worker, struct arc_job *const *jobs,
		 unsigned n)
{
	struct scripted *w = (struct scripted *)worker;

	assert_false(atomic_load(&w->abandoned));
	if (w->batches == w->script.wrong_at)
		return -EIO;
	for (unsigned i = 0; i < n; i++) {
		jobs[i]->err = 0;
		jobs[i]->encode.info.digest = BY_DEVICE;
	}
	atomic_fetch_add(&w->stored, n);
	return 0;
}

static void why(struct arc_worker *worker, char *out, size_t cap)
{
	snprintf(out, cap, "device %u: reason", worker->device);
}

static void set_abandoned(struct arc_worker *worker)
{
	atomic_store(&((struct scripted *)worker)->abandoned, true);
}

static void count_free(struct arc_worker *worker)
{
	(void)worker;
	atomic_fetch_add(&world->freed, 1);
}

static const struct arc_worker_ops ops = {
	.prepare = prepare,
	.lend = lend,
	.takes = takes,
	.load = load,
	.run = run,
	.store = store,
	.why = why,
	.abandon = set_abandoned,
	.free = count_free,
};

static void sink(void *ctx, enum arc_level level, const char *text)
{
	struct world *w = ctx;

	(void)level;
	w->messages++;
	snprintf(w->said, sizeof(w->said), "%s", text);
}

static int make_world(void **state)
{
	uint64_t seed = 1;

	(void)state;
	world = calloc(1, sizeof(*world));
	if (!world)
		return -1;
	testdata_text(world->frame, FRAME, &seed);
	world->record = (struct arc_record_params){
		.encoder = arc_encoder_find("lz4"),
		.codec = { .level = 1, .group_log = 16 },
	};
	arc_diag_init(&world->diag, sink, world, ARC_DEBUG);
	world->params = (struct arc_engine_params){
		.threads = 2,
		.record = &world->record,
		.diag = &world->diag,
		.deadline_ms = 200,
	};
	for (size_t i = 0; i < JOBS; i++)
		world->job[i].encode.out = malloc(arc_record_bound(FRAME));
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < JOBS; i++)
		free(world->job[i].encode.out);
	arc_diag_fini(&world->diag);
	free(world);
	return 0;
}

/* devices: how many of the world's are used; the CPU comes last, so that the
 * devices have the first choice. */
static struct arc_engine *new_engine(unsigned devices,
				     const struct script script[])
{
	struct arc_engine *e = NULL;

	world->params.devices = devices;
	assert_int_equal(arc_engine_new_empty(&world->params, devices + 2, &e),
			 0);
	for (unsigned i = 0; i < devices; i++) {
		struct scripted *w = &world->device[i];

		w->worker.ops = &ops;
		w->worker.device = i + 1;
		w->script = script[i];
		sem_init(&w->go_on, 0, 0);
		sem_init(&w->gone_on, 0, 0);
		assert_int_equal(arc_engine_add(e, &w->worker, JOBS), 0);
	}
	for (unsigned i = 0; i < world->params.threads; i++) {
		struct arc_worker *cpu;

		assert_int_equal(arc_worker_cpu_new(&world->record, &cpu), 0);
		assert_int_equal(arc_engine_add(e, cpu, 1), 0);
	}
	return e;
}

static void run_jobs(struct arc_engine *e)
{
	for (size_t i = 0; i < JOBS; i++) {
		struct arc_job *job = &world->job[i];

		job->encode.in = (struct arc_span){ world->frame, FRAME };
		job->encode.number = i;
		job->err = -EINVAL;
		arc_engine_submit(e, job);
	}
	for (size_t i = 0; i < JOBS; i++)
		arc_engine_wait(e, &world->job[i]);
}

/* Jobs that ended well, and those of them that the CPU did. */
static void count_jobs(unsigned *ret_good, unsigned *ret_by_cpu)
{
	*ret_good = *ret_by_cpu = 0;
	for (size_t i = 0; i < JOBS; i++) {
		const struct arc_job *job = &world->job[i];

		if (job->err == 0)
			++*ret_good;
		else
			assert_int_equal(job->err, -EIO);
		if (job->err == 0 && job->encode.info.digest != BY_DEVICE)
			++*ret_by_cpu;
	}
}

/* ---- tests --------------------------------------------------------------- */

static void only_devices_work_if_so_told(void **state)
{
	const struct script script[] = { { .batch = 7 }, { .batch = 3 } };
	struct arc_engine *e;
	unsigned good, by_cpu;

	(void)state;
	world->params.devices_only = true;
	e = new_engine(2, script);
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, JOBS);
	assert_int_equal(by_cpu, 0);
	assert_int_equal(world->device[0].stored + world->device[1].stored,
			 JOBS);
	arc_engine_free(e);
	assert_int_equal(world->freed, 2);
	assert_int_equal(world->messages, 0);
}

static void all_work_side_by_side(void **state)
{
	const struct script script[] = { { .batch = 4 } };
	struct arc_engine *e = new_engine(1, script);
	unsigned good, by_cpu;

	(void)state;
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, JOBS);
	assert_int_equal(by_cpu + world->device[0].stored, JOBS);
	arc_engine_free(e);
}

/* The jobs that the device had are done by the CPU, and all after them. */
static void check_retired(const struct script *script)
{
	struct arc_engine *e;
	unsigned good, by_cpu;

	world->params.devices_only = true;
	e = new_engine(1, script);
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, JOBS);
	assert_true(by_cpu > 0);
	arc_engine_free(e);
	assert_int_equal(world->freed, 1);
	assert_int_equal(world->messages, 1);
	assert_string_equal(world->said,
			    "device 1: reason; going on without it");
}

static void a_device_that_fails_is_retired(void **state)
{
	(void)state;
	check_retired(&(const struct script){ .batch = 5, .fails_at = 2 });
}

static void a_device_that_gives_wrong_results_is_retired(void **state)
{
	(void)state;
	check_retired(&(const struct script){ .batch = 5, .wrong_at = 2 });
}

static void a_device_that_cannot_be_prepared_is_retired(void **state)
{
	(void)state;
	check_retired(
		&(const struct script){ .batch = 5, .fails_to_prepare = true });
}

static void the_other_device_goes_on(void **state)
{
	const struct script script[] = { { .batch = 5, .fails_at = 1 },
					 { .batch = 5 } };
	struct arc_engine *e;
	unsigned good, by_cpu;

	(void)state;
	world->params.devices_only = true;
	e = new_engine(2, script);
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, JOBS);
	assert_int_equal(by_cpu, 0);
	arc_engine_free(e);
}

static void without_fallback_jobs_fail(void **state)
{
	const struct script script[] = { { .batch = 5, .fails_at = 2 } };
	struct arc_engine *e;
	unsigned good, by_cpu;

	(void)state;
	world->params.devices_only = true;
	world->params.no_fallback = true;
	e = new_engine(1, script);
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, world->device[0].stored);
	assert_int_equal(by_cpu, 0);
	arc_engine_free(e);
	assert_int_equal(world->messages, 1);
	assert_string_equal(world->said,
			    "device 1: reason; to go on without it was not "
			    "allowed");
}

/* Lends until it gets some of a device's. Areas come when lanes are ready. */
static uint8_t *lend_of(struct arc_engine *e, const struct scripted *device)
{
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t *p = arc_engine_lend(e, FRAME);

		assert_non_null(p);
		if (p == device->lends[0] || p == device->lends[1])
			return p;
		arc_engine_give_back(e, p);
		usleep(10000);
	}
	fail_msg("nothing is lent");
	return NULL;
}

/* Frames lie in memory of a device that fails: the CPU reads them from there,
 * and from then on all is plain. */
static void what_a_device_has_lent_outlives_it(void **state)
{
	const struct script script[] = {
		{ .batch = 5, .fails_at = 1, .lends = true }
	};
	struct arc_job *job = &world->job[0];
	struct arc_engine *e;
	uint8_t *lent, *plain;

	(void)state;
	world->params.devices_only = true;
	e = new_engine(1, script);
	lent = lend_of(e, &world->device[0]);
	memcpy(lent, world->frame, FRAME);
	job->encode.in = (struct arc_span){ lent, FRAME };
	arc_engine_submit(e, job);
	arc_engine_wait(e, job);
	assert_int_equal(job->err, 0);
	assert_int_equal(job->staged, 1);
	assert_false(job->by_device);
	assert_memory_equal(lent, world->frame, FRAME);
	plain = arc_engine_lend(e, FRAME);
	assert_true(plain != world->device[0].lends[0] &&
		    plain != world->device[0].lends[1]);
	arc_engine_give_back(e, plain);
	arc_engine_give_back(e, lent);
	assert_int_equal(world->ended, 0);
	arc_engine_free(e);
	assert_int_equal(world->ended, 1);
}

static void the_device_does_what_lies_in_its_memory(void **state)
{
	const struct script script[] = { { .batch = 5, .lends = true } };
	struct arc_job *job = &world->job[0];
	struct arc_engine *e;
	uint8_t *lent;

	(void)state;
	world->params.devices_only = true;
	e = new_engine(1, script);
	lent = lend_of(e, &world->device[0]);
	job->encode.in = (struct arc_span){ lent, FRAME };
	arc_engine_submit(e, job);
	arc_engine_wait(e, job);
	assert_int_equal(job->err, 0);
	assert_int_equal(job->staged, 1);
	assert_true(job->by_device);
	arc_engine_give_back(e, lent);
	arc_engine_free(e);
	assert_int_equal(world->ended, 1);
}

/* Left for good, with a thread that hung: not freed, and not lost either. */
static struct arc_engine *volatile left_alone;

/* Its thread comes back later and finds out. */
static void a_device_that_hangs_is_given_up(void **state)
{
	const struct script script[] = { { .batch = 5, .hangs_at = 2 } };
	struct arc_engine *e;
	unsigned good, by_cpu;

	(void)state;
	world->params.devices_only = true;
	e = new_engine(1, script);
	run_jobs(e);
	count_jobs(&good, &by_cpu);
	assert_int_equal(good, JOBS);
	assert_int_equal(by_cpu, JOBS - world->device[0].stored);
	assert_true(atomic_load(&world->device[0].abandoned));
	assert_int_equal(world->messages, 1);
	assert_non_null(strstr(world->said, "does not answer"));
	left_alone = e;
	arc_engine_free(left_alone);
	assert_int_equal(world->freed, 0);
	sem_post(&world->device[0].go_on);
	sem_wait(&world->device[0].gone_on);
	usleep(50000);
	count_jobs(&good, &by_cpu);
	assert_int_equal(by_cpu, JOBS - world->device[0].stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)
		TEST(only_devices_work_if_so_told),
		TEST(all_work_side_by_side),
		TEST(a_device_that_fails_is_retired),
		TEST(a_device_that_gives_wrong_results_is_retired),
		TEST(a_device_that_cannot_be_prepared_is_retired),
		TEST(the_other_device_goes_on),
		TEST(without_fallback_jobs_fail),
		TEST(what_a_device_has_lent_outlives_it),
		TEST(the_device_does_what_lies_in_its_memory),
		TEST(a_device_that_hangs_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
