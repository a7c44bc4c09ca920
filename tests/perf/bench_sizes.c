/* SPDX-License-Identifier: MIT */
/*
 * arc-bench sizes: bytes of the records of generated inputs, for each level and
 * reach of LZ-EXT3. Nothing is timed; the table is the same on every machine.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "bench_input.h"
#include "record.h"

#define INPUT_SIZE ((size_t)2 << 20)
#define LEVELS 9

/* What is tried with each level. */
static const struct {
	const char *name; /* of the reach */
	uint8_t group_log;
	unsigned far_max;
} shapes[] = {
	{ "256K", 18, 0 },
	{ "256K", 18, 16 },
	{ "1M", 20, 0 },
	{ "16M", 24, 0 },
};

static int print_size(const struct bench_input *input, unsigned level,
		      size_t shape, uint8_t *out)
{
	const struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = { .level = level,
			   .group_log = shapes[shape].group_log,
			   .far_max = shapes[shape].far_max },
	};
	const struct arc_span raw = { input->bytes.p, input->bytes.n };
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	struct arc_record_info info;
	int err;

	err = arc_record_encoder_new(&params, &e);
	if (err == 0)
		err = arc_record_encode(e, 0, raw, out, &info);
	if (err < 0)
		return err;
	printf("%.*s,%s,%u,%u,%u\n", (int)strcspn(input->name, " "),
	       input->name, shapes[shape].name, shapes[shape].far_max, level,
	       info.stored);
	return 0;
}

static int print_sizes(const struct bench_input *input)
{
	arc_cleanup(arc_freep) uint8_t *out =
		malloc(arc_record_bound((uint32_t)input->bytes.n));

	if (!out)
		return -ENOMEM;
	for (size_t shape = 0; shape < ARC_COUNT(shapes); shape++) {
		for (unsigned level = 1; level <= LEVELS; level++) {
			int err = print_size(input, level, shape, out);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

/* The samples in which there is something to find. */
static int run(int argc, char **argv, struct arc_diag *diag)
{
	int err = 0;

	if (argc > 1) {
		arc_say(diag, ARC_ERROR, "%s takes no arguments", argv[0]);
		return BENCH_EXIT_USAGE;
	}
	puts("input,reach,far,level,bytes");
	for (unsigned i = 0; i < 2 && err == 0; i++) {
		struct bench_input input = { 0 };

		err = bench_input_make(bench_sample_at(i), INPUT_SIZE, diag,
				       &input);
		if (err < 0)
			break;
		err = print_sizes(&input);
		if (err < 0)
			arc_say(diag, ARC_ERROR, "%s: no memory", input.name);
		bench_input_fini(&input);
	}
	return err < 0 ? BENCH_EXIT_FAILED : BENCH_EXIT_OK;
}

const struct bench_verb bench_verb_sizes = {
	.name = "sizes",
	.about = "Print the table that tests/perf/sizes.csv keeps",
	.run = run,
};
