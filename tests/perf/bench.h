/* SPDX-License-Identifier: MIT */
/*
 * bench - what the files of arc-bench share: what was asked for on the command
 * line, and how a verb is called.
 *
 * A verb is one `struct bench_verb` and one line in the table of bench_main.c.
 *
 * Threads: struct bench_options is frozen after it was parsed.
 */
#ifndef BENCH_H
#define BENCH_H

#include "codec.h"
#include "diag.h"

#define BENCH_READ_SIZE ((size_t)4096) /* bytes of a cold read */
#define BENCH_ENCODERS_MAX 16
#define BENCH_LEVELS_MAX 9
#define BENCH_REACHES_MAX 16
#define BENCH_ROUNDS_MAX 99
#define BENCH_THREADS_MAX 4096

/* Exit codes. */
enum bench_exit {
	BENCH_EXIT_OK = 0,
	BENCH_EXIT_FAILED = 1, /* an input, memory, or wrong bytes */
	BENCH_EXIT_USAGE = 2
};

/* One value of --reach. */
struct bench_reach {
	uint8_t group_log;
	bool group_auto; /* the codec chooses */
};

/* The command line of `arc-bench codec`. Strings are argv's. */
struct bench_options {
	char *const *inputs; /* none: generated ones */
	size_t input_count;
	uint64_t max; /* bytes of a folder or a generated input */

	/* Rows: each encoder with each level and each reach. */
	const struct arc_encoder *encoder[BENCH_ENCODERS_MAX];
	unsigned encoders;
	unsigned level[BENCH_LEVELS_MAX];
	unsigned levels;
	struct bench_reach reach[BENCH_REACHES_MAX];
	unsigned reaches;
	struct arc_encoder_params params; /* what all rows have in common */
	uint32_t frame_size;
	bool reference; /* rows of liblz4 and libzstd */
	bool bare; /* no checksums are compared while decoding */

	unsigned rounds;
	unsigned encode_rounds; /* only the first ones encode */
	double seconds; /* each pass is repeated until they have gone by */
	unsigned reads; /* cold reads a round */
	unsigned threads; /* of decoding with all cores */
	bool json;
};

/*
 * Parses the arguments behind the verb; argv[0] is replaced for messages. Ends
 * the program after --help and at wrong usage, as argp does.
 */
void bench_options_parse(int argc, char **argv, struct bench_options *ret);

struct bench_verb {
	const char *name;
	const char *about; /* one line for arc-bench --help */
	/* Arguments as main() has them, from the verb on. An exit code. */
	int (*run)(int argc, char **argv, struct arc_diag *diag);
};

extern const struct bench_verb bench_verb_codec;
extern const struct bench_verb bench_verb_gpu;
extern const struct bench_verb bench_verb_sizes;

#endif
