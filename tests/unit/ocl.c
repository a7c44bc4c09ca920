/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oclworld.h"

#define N 4096
#define ITEMS 16

/* ---- devices ------------------------------------------------------------- */

static void devices_are_listed_with_what_they_are(void **state)
{
	arc_cleanup(arc_ocl_list_freep) struct arc_ocl_list *list = NULL;
	const struct arc_ocl_info *info;
	unsigned n;

	(void)state;
	assert_int_equal(arc_ocl_list_new(&list), 0);
	n = arc_ocl_count(list);
	info = arc_ocl_at(list, ocl_cpu_at(list));
	assert_true(info->cpu);
	assert_true(info->little);
	assert_true(info->name[0] > ' ');
	assert_true(info->platform[0] > ' ');
	assert_true(info->driver[0] > ' ');
	assert_memory_equal(info->version, "OpenCL ", 7);
	assert_true(info->memory >= info->largest);
	assert_true(info->largest > 0);
	assert_true(info->local_memory >= 8 * ARC_KIB);
	assert_true(info->work_group > 0);
	assert_true(info->units > 0);
	assert_null(arc_ocl_at(list, n));
}

static void a_device_that_is_not_there_is_refused(void **state)
{
	arc_cleanup(arc_ocl_list_freep) struct arc_ocl_list *list = NULL;
	struct arc_ocl_device *dev = NULL;

	(void)state;
	assert_int_equal(arc_ocl_list_new(&list), 0);
	assert_int_equal(arc_ocl_open(list, arc_ocl_count(list), NULL, &dev),
			 -ENODEV);
	assert_null(dev);
}

/* ---- memory -------------------------------------------------------------- */

static void parts_of_a_buffer_are_written_filled_and_read(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	const uint32_t two[] = { 0x11111111, 0x22222222 };
	uint32_t all[16];

	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(all), &b), 0);
	assert_int_equal(arc_ocl_buffer_size(b), sizeof(all));
	assert_int_equal(arc_ocl_queue_new(w->dev, &q), 0);
	assert_int_equal(arc_ocl_fill(q, b, 0, 0xaaaaaaaa, sizeof(all)), 0);
	assert_int_equal(arc_ocl_fill(q, b, 16, 0x01020304, 12), 0);
	assert_int_equal(arc_ocl_write(q, b, 40, two, sizeof(two)), 0);
	assert_int_equal(arc_ocl_write(q, b, 0, two, 0), 0);
	assert_int_equal(arc_ocl_fill(q, b, 0, 0, 0), 0);
	assert_int_equal(arc_ocl_read(q, b, 4, all + 1, sizeof(all) - 4), 0);
	assert_int_equal(arc_ocl_read(q, b, 0, all, 0), 0);
	assert_int_equal(arc_ocl_read(q, b, 0, all, 3), 0);
	assert_int_equal(arc_ocl_finish(q), 0);
	assert_memory_equal(all, "\xaa\xaa\xaa", 3);
	for (unsigned i = 1; i < 16; i++)
		assert_int_equal(all[i], i == 10	   ? two[0]
					 : i == 11	   ? two[1]
					 : i >= 4 && i < 7 ? 0x01020304
							   : 0xaaaaaaaa);
}

static void memory_that_is_not_there_is_an_error(void **state)
{
	struct ocl_world *w = *state;
	size_t n = (size_t)arc_ocl_info(w->dev)->memory;
	struct arc_ocl_buffer *b = NULL;
	struct arc_ocl_pinned *p = NULL;

	assert_int_equal(arc_ocl_buffer_new(w->dev, 2 * n, &b), -ENOMEM);
	world_assert_why(w, "clCreateBuffer: CL_INVALID_BUFFER_SIZE");
	assert_int_equal(arc_ocl_pinned_new(w->dev, 2 * n, &p), -ENOMEM);
	assert_null(b);
	assert_null(p);
	assert_int_equal(arc_ocl_in_use(w->dev), 0);
}

static void memory_in_use_is_counted(void **state)
{
	struct ocl_world *w = *state;
	struct arc_ocl_buffer *a = NULL;
	struct arc_ocl_buffer *b = NULL;
	struct arc_ocl_pinned *p = NULL;

	assert_int_equal(arc_ocl_in_use(w->dev), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, 1000, &a), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, 50000, &b), 0);
	assert_int_equal(arc_ocl_pinned_new(w->dev, 7777, &p), 0);
	assert_int_equal(arc_ocl_in_use(w->dev), 51000);
	arc_ocl_buffer_free(a);
	assert_int_equal(arc_ocl_in_use(w->dev), 50000);
	arc_ocl_buffer_free(b);
	arc_ocl_pinned_free(p);
	assert_int_equal(arc_ocl_in_use(w->dev), 0);
}

static void pinned_memory_is_copied_from_and_to(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_pinned_freep) struct arc_ocl_pinned *from = NULL;
	arc_cleanup(arc_ocl_pinned_freep) struct arc_ocl_pinned *to = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;

	assert_int_equal(arc_ocl_pinned_new(w->dev, N, &from), 0);
	assert_int_equal(arc_ocl_pinned_new(w->dev, N, &to), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, N, &b), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &q), 0);
	for (unsigned round = 1; round <= 3; round++) {
		memset(arc_ocl_pinned_at(from), (int)round, N);
		assert_int_equal(
			arc_ocl_write(q, b, 0, arc_ocl_pinned_at(from), N), 0);
		assert_int_equal(
			arc_ocl_read(q, b, 0, arc_ocl_pinned_at(to), N), 0);
		assert_int_equal(arc_ocl_finish(q), 0);
		assert_memory_equal(arc_ocl_pinned_at(to),
				    arc_ocl_pinned_at(from), N);
	}
}

/* ---- queues -------------------------------------------------------------- */

/* What one thread does on a queue of its own. */
struct job {
	struct arc_ocl_device *dev;
	struct arc_ocl_program *program;
	uint32_t factor;
	unsigned rounds;
	uint32_t numbers[N];
	uint32_t results[N];
	uint64_t ns;
};

/* 0, or the error of a call. Asserts nothing: threads may not. */
static int compute(struct job *job)
{
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *a = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	const size_t n = sizeof(job->numbers);
	int err;

	if ((err = arc_ocl_kernel_new(job->program, "scale", &kernel)) < 0 ||
	    (err = arc_ocl_buffer_new(job->dev, n, &a)) < 0 ||
	    (err = arc_ocl_buffer_new(job->dev, n, &b)) < 0 ||
	    (err = arc_ocl_queue_new(job->dev, &q)) < 0 ||
	    (err = arc_ocl_write(q, a, 0, job->numbers, n)) < 0)
		return err;
	for (unsigned i = 0; i < job->rounds; i++) {
		err = arc_ocl_run(
			q, kernel, N / ITEMS, ITEMS,
			(struct arc_ocl_arg[]){ ARC_OCL_BUFFER(i % 2 ? b : a),
						ARC_OCL_BUFFER(i % 2 ? a : b),
						ARC_OCL_VALUE(job->factor),
						ARC_OCL_LOCAL(ITEMS * 4) },
			4);
		if (err < 0)
			return err;
	}
	if ((err = arc_ocl_flush(q)) < 0 ||
	    (err = arc_ocl_read(q, job->rounds % 2 ? b : a, 0, job->results,
				n)) < 0)
		return err;
	err = arc_ocl_finish(q);
	job->ns = arc_ocl_kernel_ns(q);
	return err;
}

static void *run_job(void *arg)
{
	return compute(arg) < 0 ? arg : NULL; /* NULL: all is well */
}

static struct job *new_job(struct ocl_world *w, struct arc_ocl_program *program,
			   uint32_t factor, unsigned rounds)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->dev = w->dev;
	job->program = program;
	job->factor = factor;
	job->rounds = rounds;
	for (uint32_t i = 0; i < N; i++)
		job->numbers[i] = i;
	return job;
}

static void check_job(const struct job *job)
{
	for (uint32_t i = 0; i < N; i++) {
		uint32_t want = i;

		for (unsigned k = 0; k < job->rounds; k++)
			want = want * job->factor + 7;
		assert_int_equal(job->results[i], want);
	}
	assert_true(job->ns > 0);
}

static void a_kernel_gets_its_arguments(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	arc_cleanup(arc_freep) struct job *job = new_job(w, program, 3, 1);

	assert_int_equal(compute(job), 0);
	check_job(job);
}

static void queues_of_two_threads_overlap(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	struct job *jobs[2];
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++) {
		jobs[i] = new_job(w, program, 3 + 2 * i, 101);
		assert_int_equal(
			pthread_create(&threads[i], NULL, run_job, jobs[i]), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		void *bad = NULL;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
		check_job(jobs[i]);
		free(jobs[i]);
	}
	assert_int_equal(arc_ocl_in_use(w->dev), 0);
}

static void a_queue_takes_any_number_of_commands(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	const unsigned runs = 2500;
	uint32_t counts[ITEMS];

	assert_int_equal(arc_ocl_kernel_new(program, "count", &kernel), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(counts), &b), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &q), 0);
	assert_int_equal(arc_ocl_fill(q, b, 0, 0, sizeof(counts)), 0);
	for (unsigned i = 0; i < runs; i++)
		assert_int_equal(arc_ocl_run(q, kernel, 1, ITEMS,
					     (struct arc_ocl_arg[]){
						     ARC_OCL_BUFFER(b),
						     ARC_OCL_BUFFER(NULL) },
					     2),
				 0);
	assert_int_equal(arc_ocl_run(q, kernel, 0, ITEMS, NULL, 0), 0);
	assert_int_equal(arc_ocl_read(q, b, 0, counts, sizeof(counts)), 0);
	assert_int_equal(arc_ocl_finish(q), 0);
	for (unsigned i = 0; i < ITEMS; i++)
		assert_int_equal(counts[i], runs);
	assert_true(arc_ocl_kernel_ns(q) > 0);
	assert_int_equal(arc_ocl_finish(q), 0);
	assert_int_equal(arc_ocl_kernel_ns(q), 0); /* nothing ran since */
}

static void an_error_stays_with_its_queue(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *bad = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *good = NULL;
	uint8_t bytes[64] = { 0 };

	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(bytes), &b), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &bad), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &good), 0);
	assert_int_equal(arc_ocl_read(bad, b, 60, bytes, 5), -EIO);
	world_assert_why(w, "clEnqueueReadBuffer: CL_INVALID_VALUE");
	assert_int_equal(arc_ocl_write(bad, b, 0, bytes, 4), -EIO);
	assert_int_equal(arc_ocl_fill(bad, b, 0, 1, 4), -EIO);
	assert_int_equal(arc_ocl_flush(bad), -EIO);
	assert_int_equal(arc_ocl_finish(bad), -EIO);
	assert_int_equal(arc_ocl_write(good, b, 0, bytes, 4), 0);
	assert_int_equal(arc_ocl_finish(good), 0);
}

/* Host memory may go once a queue has gone, whatever happened to it. */
static void freeing_a_queue_waits_for_what_it_was_given(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	struct arc_ocl_queue *q = NULL;
	const uint32_t rounds = 50000000;
	uint32_t result = 0;

	assert_int_equal(arc_ocl_kernel_new(program, "spin", &kernel), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(result), &b), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &q), 0);
	assert_int_equal(
		arc_ocl_run(q, kernel, 1, 1,
			    (struct arc_ocl_arg[]){ ARC_OCL_BUFFER(b),
						    ARC_OCL_VALUE(rounds) },
			    2),
		0);
	assert_int_equal(arc_ocl_read(q, b, 0, &result, sizeof(result)), 0);
	assert_int_equal(arc_ocl_read(q, b, 1, &result, sizeof(result)), -EIO);
	arc_ocl_queue_free(q);
	assert_int_equal(result & 1, 1);
}

static void a_launch_that_cannot_be_is_named(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *a = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *c = NULL;
	const struct arc_ocl_arg null = ARC_OCL_BUFFER(NULL);
	const struct arc_ocl_arg both[] = { null, null };
	uint16_t small = 0;

	assert_int_equal(arc_ocl_kernel_new(program, "count", &kernel), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &a), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &b), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &c), 0);
	assert_int_equal(arc_ocl_run(a, kernel, 1, (size_t)1 << 20, both, 2),
			 -EIO);
	world_assert_why(w, "clEnqueueNDRangeKernel (count): "
			    "CL_INVALID_WORK_GROUP_SIZE");
	assert_int_equal(
		arc_ocl_run(b, kernel, 1, 1,
			    (struct arc_ocl_arg[]){ ARC_OCL_VALUE(small) }, 1),
		-EIO);
	world_assert_why(w, "clSetKernelArg (count, 0): CL_INVALID_ARG_SIZE");
	assert_int_equal(arc_ocl_run(c, kernel, SIZE_MAX, 16, both, 2), -EIO);
	world_assert_why(w, "clEnqueueNDRangeKernel (count): "
			    "CL_INVALID_GLOBAL_WORK_SIZE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_listed_with_what_they_are),
		cmocka_unit_test(a_device_that_is_not_there_is_refused),
		OCL_TEST(parts_of_a_buffer_are_written_filled_and_read),
		OCL_TEST(memory_that_is_not_there_is_an_error),
		OCL_TEST(memory_in_use_is_counted),
		OCL_TEST(pinned_memory_is_copied_from_and_to),
		OCL_TEST(a_kernel_gets_its_arguments),
		OCL_TEST(queues_of_two_threads_overlap),
		OCL_TEST(a_queue_takes_any_number_of_commands),
		OCL_TEST(an_error_stays_with_its_queue),
		OCL_TEST(freeing_a_queue_waits_for_what_it_was_given),
		OCL_TEST(a_launch_that_cannot_be_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
