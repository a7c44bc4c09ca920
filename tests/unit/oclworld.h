/* SPDX-License-Identifier: MIT */
/*
 * oclworld - a device with a folder of its own and ears for its messages, for
 * the tests of ocl.
 *
 * Threads: one owner, but for the device.
 */
#ifndef TEST_OCLWORLD_H
#define TEST_OCLWORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocldevice.h"

/* to[i] = from[i] * factor + offset, by way of local memory. */
static const char world_text[] =
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
	"}\n"
	"\n"
	"kernel void count(global uint *to, global const uint *null)\n"
	"{\n"
	"	to[get_global_id(0)] += null ? 1000000 : 1;\n"
	"}\n"
	"\n"
	"kernel void spin(global uint *to, uint rounds)\n"
	"{\n"
	"	uint x = to[0];\n"
	"\n"
	"	for (uint i = 0; i < rounds; i++)\n"
	"		x = (x ^ i) * 0x9e3779b1;\n"
	"	to[0] = x | 1;\n"
	"}\n";

struct ocl_world {
	char dir[64];
	struct arc_diag diag;
	struct arc_ocl_device *dev;
	char said[1 << 16]; /* all messages, one a line */
};

static inline void world_hear(void *ctx, enum arc_level level, const char *text)
{
	struct ocl_world *w = ctx;
	size_t n = strlen(w->said);

	snprintf(w->said + n, sizeof(w->said) - n, "%d %.500s\n", (int)level,
		 text);
}

static inline int world_open(void **state)
{
	struct ocl_world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	snprintf(w->dir, sizeof(w->dir), "/tmp/ocl-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	arc_diag_init(&w->diag, world_hear, w, ARC_DEBUG);
	w->dev = ocl_open_cpu(&w->diag);
	*state = w;
	return 0;
}

static inline int world_close(void **state)
{
	struct ocl_world *w = *state;
	char command[128];

	arc_ocl_close(w->dev);
	arc_diag_fini(&w->diag);
	snprintf(command, sizeof(command), "rm -rf -- %s", w->dir);
	free(w);
	*state = NULL;
	return system(command);
}

static inline int world_try(struct ocl_world *w, const char *text,
			    const char *options, const char *dir,
			    struct arc_ocl_program **ret)
{
	const char *const sources[] = { "/* a part of its own */\n", text };

	w->said[0] = '\0';
	return arc_ocl_build(w->dev, sources, 2, options, dir, ret);
}

static inline struct arc_ocl_program *world_build(struct ocl_world *w)
{
	struct arc_ocl_program *program = NULL;

	assert_int_equal(world_try(w, world_text, "-DOFFSET=7", NULL, &program),
			 0);
	return program;
}

static inline void world_assert_why(struct ocl_world *w, const char *want)
{
	char why[256];

	arc_ocl_why(w->dev, why, sizeof(why));
	assert_string_equal(why, want);
}

#define OCL_TEST(name)                                                         \
	cmocka_unit_test_setup_teardown(name, world_open, world_close)

#endif
