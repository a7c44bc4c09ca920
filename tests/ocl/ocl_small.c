/* SPDX-License-Identifier: MIT */
/*
 * ocl_small CACHE_FOLDER [MILLISECONDS] - a small run of everything core/ocl
 * can do, on the first device made of CPU cores. Exit status:
 *
 *	0	all went well and the results are right
 *	3	something answered an error, which is printed
 *	4	it took longer than MILLISECONDS and the device was given up
 *	5	the results are wrong
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ocl.h"

#define N 1024
#define ITEMS 16

static const char text[] =
	"kernel void add(global const uint *a, global uint *b, uint c,\n"
	"		local uint *room)\n"
	"{\n"
	"	room[get_local_id(0)] = a[get_global_id(0)];\n"
	"	b[get_global_id(0)] += room[get_local_id(0)] + c;\n"
	"}\n";

struct run {
	const char *cache;
	_Atomic(struct arc_ocl_device *) dev; /* once it is open */
	int status;
};

static int open_device(struct arc_ocl_device **ret)
{
	arc_cleanup(arc_ocl_list_freep) struct arc_ocl_list *list = NULL;
	int err = arc_ocl_list_new(&list);

	for (unsigned i = 0; err == 0 && i < arc_ocl_count(list); i++) {
		if (arc_ocl_at(list, i)->cpu)
			return arc_ocl_open(list, i, NULL, ret);
	}
	return err < 0 ? err : -ENODEV;
}

/* b = 7 + a + 3, a and b being 0, 1, 2 ... and nothing. */
static int compute(struct arc_ocl_device *dev, struct arc_ocl_kernel *kernel,
		   uint32_t *from, uint32_t *to)
{
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *a = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	const size_t n = N * sizeof(uint32_t);
	uint32_t c = 3;
	int err;

	if ((err = arc_ocl_buffer_new(dev, n, &a)) < 0 ||
	    (err = arc_ocl_buffer_new(dev, n, &b)) < 0 ||
	    (err = arc_ocl_queue_new(dev, &q)) < 0 ||
	    (err = arc_ocl_write(q, a, 0, from, n)) < 0 ||
	    (err = arc_ocl_fill(q, b, 0, 7, n)) < 0 ||
	    (err = arc_ocl_flush(q)) < 0 ||
	    (err = arc_ocl_run(q, kernel, N / ITEMS, ITEMS,
			       (struct arc_ocl_arg[]){
				       ARC_OCL_BUFFER(a), ARC_OCL_BUFFER(b),
				       ARC_OCL_VALUE(c),
				       ARC_OCL_LOCAL(ITEMS * 4) },
			       4)) < 0 ||
	    (err = arc_ocl_read(q, b, 0, to, n)) < 0)
		return err;
	return arc_ocl_finish(q);
}

static int work(struct arc_ocl_device *dev, const char *cache, bool *ret_right)
{
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		NULL;
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_pinned_freep) struct arc_ocl_pinned *in = NULL;
	arc_cleanup(arc_ocl_pinned_freep) struct arc_ocl_pinned *out = NULL;
	const char *const sources[] = { text };
	uint32_t *from;
	uint32_t *to;
	int err;

	if ((err = arc_ocl_build(dev, sources, 1, "", cache, &program)) < 0 ||
	    (err = arc_ocl_kernel_new(program, "add", &kernel)) < 0 ||
	    (err = arc_ocl_pinned_new(dev, N * sizeof(*from), &in)) < 0 ||
	    (err = arc_ocl_pinned_new(dev, N * sizeof(*to), &out)) < 0)
		return err;
	from = arc_ocl_pinned_at(in);
	to = arc_ocl_pinned_at(out);
	for (uint32_t i = 0; i < N; i++)
		from[i] = i;
	memset(to, 0, N * sizeof(*to));
	err = compute(dev, kernel, from, to);
	if (err < 0)
		return err;
	*ret_right = true;
	for (uint32_t i = 0; i < N; i++)
		*ret_right &= to[i] == i + 10;
	return 0;
}

static void *run_main(void *arg)
{
	struct run *run = arg;
	struct arc_ocl_device *dev = NULL;
	bool right = false;
	char why[256] = "";
	int err = open_device(&dev);

	atomic_store(&run->dev, dev);
	if (err == 0)
		err = work(dev, run->cache, &right);
	if (err < 0) {
		if (dev)
			arc_ocl_why(dev, why, sizeof(why));
		printf("%s: %s\n", arc_error_name(err), why);
	}
	if (dev && !arc_ocl_any_abandoned() && arc_ocl_in_use(dev) > 0)
		right = false;
	run->status = err < 0 ? 3 : right ? 0 : 5;
	atomic_store(&run->dev, NULL);
	arc_ocl_close(dev);
	return NULL;
}

/* Gives up the device, if there is one yet. Everything it has goes on
 * answering, but does nothing. */
static int give_up(struct arc_ocl_device *dev)
{
	struct arc_ocl_queue *q = NULL;

	arc_ocl_abandon(dev);
	if (!arc_ocl_any_abandoned())
		return 5;
	if (dev && arc_ocl_queue_new(dev, &q) != -ENODEV)
		return 5;
	arc_ocl_close(dev);
	return 4;
}

int main(int argc, char **argv)
{
	static struct run run;
	struct timespec until;
	pthread_t thread;
	long ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	if (argc < 2)
		return 2;
	run.cache = argv[1];
	if (ms == 0) {
		run_main(&run);
		return run.status;
	}
	if (pthread_create(&thread, NULL, run_main, &run))
		return 2;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	if (pthread_timedjoin_np(thread, NULL, &until) == 0)
		return run.status;
	fflush(stdout);
	_exit(give_up(atomic_load(&run.dev)));
}
