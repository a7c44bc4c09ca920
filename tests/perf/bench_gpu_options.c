/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <math.h>
#include <string.h>

#include "bench_gpu.h"
#include "mk_options.h"
#include "pool.h"

enum {
	KEY_DEVICE = 0x100,
	KEY_BATCHES,
	KEY_REACH,
	KEY_MAX,
	KEY_SOURCE,
	KEY_ROUNDS,
	KEY_SECONDS,
	KEY_NOTE,
	KEY_JSON
};

static const struct argp_option option_table[] = {
	{ "device", KEY_DEVICE, "N|NAME", 0,
	  "By number or part of its name, as arctool devices shows them "
	  "(default: the first that is no CPU, or else the first)",
	  0 },
	{ "batches", KEY_BATCHES, "N[,N...]", 0,
	  "Frames at once, ascending, 1 to 85 (default: 1,4,16,64; on a CPU "
	  "1,4)",
	  0 },
	{ "frame-size", 'F', "SIZE", 0,
	  "Bytes of a frame, 64K to 16M (default: 16M; on a CPU 1M)", 0 },
	{ "level", 'l', "N", 0, "1 to 9 (default: 6)", 0 },
	{ "reach", KEY_REACH, "SIZE", 0,
	  "How far back repeats are used, a power of two from 64K to 16M "
	  "(default: 1M)",
	  0 },
	{ "max", KEY_MAX, "SIZE", 0,
	  "Bytes of an input at most (default: 64M; on a CPU 4M)", 0 },
	{ "source", KEY_SOURCE, "FILE|FOLDER", 0,
	  "Source code from there, not made up", 0 },
	{ "rounds", KEY_ROUNDS, "N", 0,
	  "Everything is measured once a round; medians count (default: 3)",
	  0 },
	{ "seconds", KEY_SECONDS, "S", 0,
	  "Begin no measurement after so long (default: 400)", 0 },
	{ "threads", 'j', "N", 0, "Threads of the CPU (default: one per core)",
	  0 },
	{ "note", KEY_NOTE, "TEXT", 0,
	  "A line above the table; may be given again", 0 },
	{ "json", KEY_JSON, 0, 0,
	  "One JSON object with every round's figures, not a table", 0 },
	{ 0 }
};

/* Two lanes have one each, and one waits. */
#define BATCH_MAX (256 / 3)

/* ---- values: 0 or a negative errno --------------------------------------- */

static int parse_number(const char *arg, uint64_t min, uint64_t max,
			uint64_t *ret)
{
	uint64_t n = 0;
	int err = arc_size_parse(arg, &n);

	if (!err && (n < min || n > max))
		err = -EINVAL;
	if (!err)
		*ret = n;
	return err;
}

static int parse_unsigned(const char *arg, unsigned max, unsigned *ret)
{
	uint64_t n = 0;
	int err = parse_number(arg, 1, max, &n);

	if (!err)
		*ret = (unsigned)n;
	return err;
}

static int set_device(struct gpu_options *opt, char *arg)
{
	opt->device = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_batches(struct gpu_options *opt, char *arg)
{
	char *rest = arg;

	opt->batches = 0;
	while (rest) {
		unsigned *batch = &opt->batch[opt->batches];

		if (opt->batches == GPU_BATCHES_MAX ||
		    parse_unsigned(strsep(&rest, ","), BATCH_MAX, batch) < 0 ||
		    (opt->batches && batch[0] <= batch[-1]))
			return -EINVAL;
		opt->batches++;
	}
	return 0;
}

static int set_frame_size(struct gpu_options *opt, char *arg)
{
	uint64_t n = 0;

	if (parse_number(arg, ARC_SEGMENT_SIZE, ARC_FRAME_MAX, &n) < 0 ||
	    n % ARC_SEGMENT_SIZE)
		return -EINVAL;
	opt->frame_size = (size_t)n;
	return 0;
}

static int set_level(struct gpu_options *opt, char *arg)
{
	return parse_unsigned(arg, 9, &opt->coding.level);
}

static int set_reach(struct gpu_options *opt, char *arg)
{
	uint64_t n = 0;
	uint8_t log = ARC_GROUP_LOG_MIN;

	if (parse_number(arg, 1, ARC_FRAME_MAX, &n) < 0)
		return -EINVAL;
	while (UINT64_C(1) << log < n)
		log++;
	opt->coding.group_log = log;
	return UINT64_C(1) << log == n ? 0 : -EINVAL;
}

static int set_max(struct gpu_options *opt, char *arg)
{
	return parse_number(arg, 1, PTRDIFF_MAX, &opt->max);
}

static int set_source(struct gpu_options *opt, char *arg)
{
	opt->source = arg;
	return *arg ? 0 : -EINVAL;
}

static int set_rounds(struct gpu_options *opt, char *arg)
{
	return parse_unsigned(arg, BENCH_ROUNDS_MAX, &opt->rounds);
}

static int set_seconds(struct gpu_options *opt, char *arg)
{
	char *end;
	double n = strtod(arg, &end);

	if (end == arg || *end || !isfinite(n) || n <= 0 || n > 86400)
		return -EINVAL;
	opt->seconds = n;
	return 0;
}

static int set_threads(struct gpu_options *opt, char *arg)
{
	return parse_unsigned(arg, BENCH_THREADS_MAX, &opt->threads);
}

static int set_note(struct gpu_options *opt, char *arg)
{
	if (opt->notes == GPU_NOTES_MAX)
		return -EINVAL;
	opt->note[opt->notes++] = arg;
	return 0;
}

static const struct {
	int key;
	int (*set)(struct gpu_options *opt, char *arg);
	const char *name;
	const char *what; /* a good value */
} setters[] = {
	{ KEY_DEVICE, set_device, "device", "a number or a name" },
	{ KEY_BATCHES, set_batches, "batches",
	  "an ascending list of numbers from 1 to 85" },
	{ 'F', set_frame_size, "frame-size",
	  "a multiple of 64K from 64K to 16M" },
	{ 'l', set_level, "level", "a number from 1 to 9" },
	{ KEY_REACH, set_reach, "reach", "a power of two from 64K to 16M" },
	{ KEY_MAX, set_max, "max", "a size" },
	{ KEY_SOURCE, set_source, "source", "a file or a folder" },
	{ KEY_ROUNDS, set_rounds, "rounds", "a number from 1 to 99" },
	{ KEY_SECONDS, set_seconds, "seconds", "a number of seconds" },
	{ 'j', set_threads, "threads", "a number of threads from 1 to 4096" },
	{ KEY_NOTE, set_note, "note", "one of eight notes at most" },
};

/* ---- argp ---------------------------------------------------------------- */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct gpu_options *opt = state->input;

	if (key == KEY_JSON) {
		opt->json = true;
		return 0;
	}
	if (key == ARGP_KEY_ARG) {
		/* getopt has moved all arguments to the end. */
		opt->inputs = &state->argv[state->next - 1];
		opt->input_count = (size_t)(state->argc - state->next + 1);
		state->next = state->argc;
		return 0;
	}
	for (size_t i = 0; i < ARC_COUNT(setters); i++) {
		if (setters[i].key != key)
			continue;
		if (setters[i].set(opt, arg) < 0)
			argp_error(state, "--%s: '%s' is not %s",
				   setters[i].name, arg, setters[i].what);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "[FILE|FOLDER...]",
	.doc = "Measures hashing, encoding and decoding by an OpenCL device: "
	       "its kernels alone, the engine from memory to memory, all "
	       "threads of the CPU, liblz4 on as many.\v"
	       "Without inputs there are source code (made up, or --source), "
	       "programs and libraries of this machine, JSON lines and random "
	       "bytes. An input is repeated without end, and frame i of a "
	       "batch begins at byte i * (frame size + 1000003) of that. SIZE "
	       "takes K, M or G, powers of 1024.\n\n"
	       "All results are compared: bytes decoded and hashes with those "
	       "of the CPU, every record by decoding it, and the first one "
	       "with what the C code of the same profile makes.\n\n"
	       "Exit status: 0 all measured, or what there was time for; 1 no "
	       "such device or input, or a result was wrong; 2 wrong usage.",
};

void gpu_options_parse(int argc, char **argv, struct gpu_options *ret)
{
	static char title[] = "arc-bench gpu";
	static char any[] = "";

	*ret = (struct gpu_options){
		.device = any,
		.coding = { .level = 6, .group_log = 20, .parallel = true },
		.rounds = 3,
		.seconds = 400,
		.threads = arc_cpu_count(),
	};
	argv[0] = title;
	argp_parse(&argp, argc, argv, 0, NULL, ret);
}

void gpu_options_settle(struct gpu_options *opt,
			const struct arc_ocl_info *info)
{
	static const unsigned batch[] = { 1, 4, 16, 64 };

	if (!opt->batches) {
		opt->batches = info->cpu ? 2 : ARC_COUNT(batch);
		memcpy(opt->batch, batch, sizeof(batch));
	}
	if (!opt->frame_size)
		opt->frame_size = info->cpu ? ARC_MIB : ARC_FRAME_MAX;
	if (!opt->max)
		opt->max = (info->cpu ? 4 : 64) * ARC_MIB;
}
