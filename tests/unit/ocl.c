/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ocl.h"
#include "ocldevice.h"

/* to[i] = from[i] * factor + offset, by way of local memory. */
static const char scale_text[] =
	"kernel void scale(global const uint *from, global uint *to,\n"
	"		  uint factor, local uint *room)\n"
	"{\n"
	"	uint i = get_global_id(0);\n"
	"	uint l = get_local_id(0);\n"
	"	uint n = get_local_size(0);\n"
	"\n"
	"	room[n - 1 - l] = from[i];\n"
	"	barrier(CLK_LOCAL_MEM_FENCE);\n"
	"	to[i] = room[n - 1 - l] * factor + OFFSET;\n"
	"}\n";

struct world {
	char dir[64];
	struct arc_diag diag;
	struct arc_ocl_device *dev;
	char said[1 << 16]; /* all messages, one a line */
};

static void hear(void *ctx, enum arc_level level, const char *text)
{
	struct world *w = ctx;
	size_t n = strlen(w->said);

	snprintf(w->said + n, sizeof(w->said) - n, "%d %.500s\n", (int)level,
		 text);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	snprintf(w->dir, sizeof(w->dir), "/tmp/ocl-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	arc_diag_init(&w->diag, hear, w, ARC_DEBUG);
	w->dev = ocl_open_cpu(&w->diag);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	arc_ocl_close(w->dev);
	arc_diag_fini(&w->diag);
	snprintf(command, sizeof(command), "rm -rf -- %s", w->dir);
	free(w);
	*state = NULL;
	return system(command);
}

static struct arc_ocl_program *build(struct world *w, const char *options,
				     const char *dir)
{
	const char *const sources[] = { scale_text };
	struct arc_ocl_program *program = NULL;

	w->said[0] = '\0';
	assert_int_equal(
		arc_ocl_build(w->dev, sources, 1, options, dir, &program), 0);
	return program;
}

#define N 4096

static void a_kernel_gets_its_arguments(void **state)
{
	struct world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		build(w, "-DOFFSET=7", NULL);
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *from = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *to = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	uint32_t numbers[N];
	uint32_t results[N];
	uint32_t factor = 3;
	const size_t items = 16;

	assert_int_equal(arc_ocl_kernel_new(program, "scale", &kernel), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(numbers), &from), 0);
	assert_int_equal(arc_ocl_buffer_new(w->dev, sizeof(results), &to), 0);
	assert_int_equal(arc_ocl_queue_new(w->dev, &q), 0);
	for (uint32_t i = 0; i < N; i++)
		numbers[i] = i;
	assert_int_equal(arc_ocl_write(q, from, 0, numbers, sizeof(numbers)),
			 0);
	assert_int_equal(
		arc_ocl_run(q, kernel, N / items, items,
			    (struct arc_ocl_arg[]){ ARC_OCL_BUFFER(from),
						    ARC_OCL_BUFFER(to),
						    ARC_OCL_VALUE(factor),
						    ARC_OCL_LOCAL(items * 4) },
			    4),
		0);
	assert_int_equal(arc_ocl_read(q, to, 0, results, sizeof(results)), 0);
	assert_int_equal(arc_ocl_finish(q), 0);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(results[i], 3 * i + 7);
	assert_true(arc_ocl_kernel_ns(q) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kernel_gets_its_arguments,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
