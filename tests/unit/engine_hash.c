/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "chosengpu.h"
#include "engine/engine_i.h"
#include "hash.h"
#include "testdata.h"

#define JOBS 70 /* some batches */
#define BYTES ((size_t)4 * ARC_FNV_LEAF)

static struct arc_gpu *gpu;
static uint8_t bytes[BYTES];

struct hash_job {
	struct arc_job job;
	struct arc_span leaf[ARC_HASH_JOB_LEAVES];
	uint64_t hash[ARC_HASH_JOB_LEAVES];
};

static struct hash_job jobs[JOBS];
static char said[512];
static unsigned messages;

static void sink(void *ctx, enum arc_level level, const char *text)
{
	(void)ctx;
	(void)level;
	messages++;
	snprintf(said, sizeof(said), "%s", text);
}

static int setup(void **state)
{
	uint64_t seed = 1;

	(void)state;
	testdata_random(bytes, BYTES, &seed);
	gpu = gpu_choose_cpu(ARC_GPU_HASH);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arc_gpu_free(gpu);
	return 0;
}

/* n leaves, most of them short, of all lengths in the end; one job in ten has
 * whole ones. */
static void set_job(struct hash_job *j, size_t seed, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t v = seed * 2654435761U + i * 40503U;
		size_t len =
			seed % 10 == 0 ? ARC_FNV_LEAF - i % 2 : v / 7 % 3000;

		j->leaf[i] = (struct arc_span){ bytes + v % ARC_FNV_LEAF, len };
	}
	j->job = (struct arc_job){
		.kind = ARC_JOB_HASH,
		.hash = { .leaf = j->leaf, .n = n, .hash = j->hash },
		.err = -EINVAL,
	};
	memset(j->hash, 0x5a, sizeof(j->hash));
}

static void check_job(const struct hash_job *j)
{
	uint32_t n = j->job.hash.n;

	assert_int_equal(j->job.err, 0);
	for (uint32_t i = 0; i < n; i++)
		assert_true(j->hash[i] ==
			    arc_fnv1a(j->leaf[i].p, j->leaf[i].n));
	for (uint32_t i = n; i < ARC_HASH_JOB_LEAVES; i++)
		assert_true(j->hash[i] == UINT64_C(0x5a5a5a5a5a5a5a5a));
}

/* Returns how many of the jobs a device did. */
static unsigned run_jobs(struct arc_engine *e)
{
	unsigned by_device = 0;

	for (size_t i = 0; i < JOBS; i++) {
		set_job(&jobs[i], i, (uint32_t)(i % (ARC_HASH_JOB_LEAVES + 1)));
		arc_engine_submit(e, &jobs[i].job);
	}
	for (size_t i = 0; i < JOBS; i++) {
		arc_engine_wait(e, &jobs[i].job);
		check_job(&jobs[i]);
		by_device += jobs[i].job.by_device;
	}
	return by_device;
}

static struct arc_engine_params params(struct arc_diag *diag)
{
	messages = 0;
	arc_diag_init(diag, sink, NULL, ARC_DEBUG);
	return (struct arc_engine_params){
		.work = ARC_JOB_HASH,
		.threads = 2,
		.diag = diag,
		.device = gpu->used[ARC_GPU_HASH].device,
		.devices = 1,
		.devices_only = true,
		.batch = 4,
	};
}

static void the_cpu_hashes(void **state)
{
	const struct arc_engine_params p = { .work = ARC_JOB_HASH,
					     .threads = 2 };
	struct arc_engine *e;

	(void)state;
	assert_int_equal(arc_engine_new(&p, &e), 0);
	assert_int_equal(run_jobs(e), 0);
	arc_engine_free(e);
}

static void a_device_hashes_the_same(void **state)
{
	struct arc_diag diag;
	const struct arc_engine_params p = params(&diag);
	struct arc_engine *e;

	(void)state;
	assert_int_equal(arc_engine_new(&p, &e), 0);
	assert_int_equal(run_jobs(e), JOBS);
	assert_false(arc_engine_is_retired(e, 0));
	arc_engine_free(e);
	assert_int_equal(messages, 0);
	arc_diag_fini(&diag);
}

static void leaves_of_every_length_are_hashed(void **state)
{
	static const size_t lengths[] = { 0,	 1,	2,     3,     15,
					  16,	 17,	63,    64,    65,
					  65519, 65520, 65521, 65535, 65536 };
	struct arc_diag diag;
	const struct arc_engine_params p = params(&diag);
	struct arc_engine *e;

	(void)state;
	assert_int_equal(arc_engine_new(&p, &e), 0);
	set_job(&jobs[0], 0, ARC_COUNT(lengths));
	for (size_t i = 0; i < ARC_COUNT(lengths); i++)
		jobs[0].leaf[i].n = lengths[i];
	arc_engine_submit(e, &jobs[0].job);
	arc_engine_wait(e, &jobs[0].job);
	check_job(&jobs[0]);
	assert_true(jobs[0].job.by_device);
	arc_engine_free(e);
	arc_diag_fini(&diag);
}

/* ---- a device that computes wrongly -------------------------------------- */

/* For a lane, to have what it loaded change is as if its device had erred. */
static const struct arc_worker_ops *true_ops;

static int store_wrong(struct arc_worker *w, struct arc_job *const *j,
		       unsigned n)
{
	int err;

	bytes[0] ^= 1;
	err = true_ops->store(w, j, n);
	bytes[0] ^= 1;
	return err;
}

static void wrong_results_retire_a_device(void **state)
{
	struct arc_diag diag;
	const struct arc_engine_params p = params(&diag);
	struct arc_worker_ops lying;
	struct arc_worker *device, *cpu;
	struct arc_engine *e;
	unsigned more;

	(void)state;
	assert_int_equal(arc_engine_new_empty(&p, 2, &e), 0);
	assert_int_equal(arc_worker_device_new(&p, 0, &device, &more), 0);
	true_ops = device->ops;
	lying = *true_ops;
	lying.store = store_wrong;
	device->ops = &lying;
	assert_int_equal(arc_engine_add(e, device, more), 0);
	set_job(&jobs[0], 0, 1);
	jobs[0].leaf[0].p = bytes;
	arc_engine_submit(e, &jobs[0].job);
	for (int i = 0; i < 10000 && arc_engine_has_devices(e); i++)
		usleep(1000);
	assert_false(arc_engine_has_devices(e));
	assert_int_equal(arc_worker_cpu_new(NULL, &cpu), 0);
	assert_int_equal(arc_engine_add(e, cpu, 1), 0);
	arc_engine_wait(e, &jobs[0].job);
	check_job(&jobs[0]);
	assert_false(jobs[0].job.by_device);
	assert_true(arc_engine_is_retired(e, 0));
	arc_engine_free(e);
	assert_int_equal(messages, 1);
	assert_non_null(strstr(said, "it computes wrongly"));
	arc_diag_fini(&diag);
}

/* Wherever in a job it is, before many batches have passed. */
static void a_leaf_that_is_always_wrong_is_found(void **state)
{
	struct arc_diag diag;
	const struct arc_engine_params p = params(&diag);
	struct arc_job *job = &jobs[0].job;
	struct arc_worker *w;
	unsigned more;

	(void)state;
	for (uint32_t at = 0; at < ARC_HASH_JOB_LEAVES; at += 31) {
		int err = 0;

		assert_int_equal(arc_worker_device_new(&p, 0, &w, &more), 0);
		assert_int_equal(w->ops->prepare(w), 0);
		set_job(&jobs[0], 1, ARC_HASH_JOB_LEAVES);
		jobs[0].leaf[at] = (struct arc_span){ bytes, 100 };
		for (unsigned i = 0; i < ARC_HASH_JOB_LEAVES && !err; i++) {
			assert_int_equal(w->ops->load(w, &job, 1), 0);
			assert_int_equal(w->ops->run(w), 0);
			jobs[0].leaf[at].n = 99;
			err = w->ops->store(w, &job, 1);
			jobs[0].leaf[at].n = 100;
		}
		assert_int_equal(err, -EIO);
		w->ops->why(w, said, sizeof(said));
		assert_non_null(strstr(said, "it computes wrongly"));
		w->ops->free(w);
	}
	arc_diag_fini(&diag);
}

static void a_device_that_was_dropped_is_in_no_set(void **state)
{
	struct arc_device *device = gpu->used[ARC_GPU_HASH].device[0];

	(void)state;
	arc_gpu_drop(gpu, NULL);
	assert_int_equal(gpu->used[ARC_GPU_HASH].count, 1);
	arc_gpu_drop(gpu, device);
	for (size_t i = 0; i < ARC_GPU_WORKS; i++)
		assert_int_equal(gpu->used[i].count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_hashes),
		cmocka_unit_test(a_device_hashes_the_same),
		cmocka_unit_test(leaves_of_every_length_are_hashed),
		cmocka_unit_test(wrong_results_retire_a_device),
		cmocka_unit_test(a_leaf_that_is_always_wrong_is_found),
		cmocka_unit_test(a_device_that_was_dropped_is_in_no_set),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
