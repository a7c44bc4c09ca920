/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "mk_options.h"
#include "pool.h"

/* No option has a letter, but for those of mkarchive. */
enum {
	KEY_REACH = 0x100,
	KEY_FAR,
	KEY_HASH_LOG,
	KEY_CANDIDATES,
	KEY_GOOD_ENOUGH,
	KEY_BARE,
	KEY_NO_REFERENCE,
	KEY_MAX,
	KEY_ROUNDS,
	KEY_ENCODE_ROUNDS,
	KEY_SECONDS,
	KEY_READS,
	KEY_JSON
};

static const struct argp_option option_table[] = {
	{ 0, 0, 0, 0, "Rows of the table:", 1 },
	{ "codec", 'c', "NAME[,NAME...]", 0,
	  "Codecs of the project, below (default: all)", 0 },
	{ "level", 'l', "N[,N...]", 0, "1 to 9 (default: 1,6,9)", 0 },
	{ "reach", KEY_REACH, "SIZE[,SIZE...]", 0,
	  "How far back repeats are used, powers of two from 64K to 16M, or "
	  "auto (default: 1M)",
	  0 },
	{ "no-reference", KEY_NO_REFERENCE, 0, 0,
	  "Neither liblz4 nor libzstd; no columns beside them", 0 },
	{ 0, 0, 0, 0, "How the project's codecs encode and decode:", 2 },
	{ "far", KEY_FAR, "N", 0,
	  "Far references of a segment at most, 0 to 16 (default: 0)", 0 },
	{ "hash-log", KEY_HASH_LOG, "N", 0,
	  "Size of the match finder's table, 12 to 24 (default: by level)", 0 },
	{ "candidates", KEY_CANDIDATES, "N", 0,
	  "Matches tried at a position at most, 1 to 64 (default: by level)",
	  0 },
	{ "good-enough", KEY_GOOD_ENOUGH, "N", 0,
	  "A match this long ends a search, 4 to 65536 (default: by level)",
	  0 },
	{ "frame-size", 'F', "SIZE", 0,
	  "Bytes of a frame, 64K to 16M (default: 16M)", 0 },
	{ "bare", KEY_BARE, 0, 0,
	  "Decode without comparing checksums, as liblz4 and libzstd do here",
	  0 },
	{ 0, 0, 0, 0, "Inputs:", 3 },
	{ "max", KEY_MAX, "SIZE", 0,
	  "Bytes read from a folder, and of each generated input (default: "
	  "64M)",
	  0 },
	{ 0, 0, 0, 0, "Measuring:", 4 },
	{ "rounds", KEY_ROUNDS, "N", 0,
	  "Each row is measured once a round; medians count (default: 3)", 0 },
	{ "encode-rounds", KEY_ENCODE_ROUNDS, "N", 0,
	  "Encode in the first N rounds only (default: all)", 0 },
	{ "seconds", KEY_SECONDS, "S", 0,
	  "Repeat a pass over the input until it has run that long (default: "
	  "0.2)",
	  0 },
	{ "reads", KEY_READS, "N", 0,
	  "Cold reads of 4 KiB in a round (default: 256)", 0 },
	{ "threads", 'j', "N", 0,
	  "Threads that decode where all cores do (default: one per core)", 0 },
	{ 0, 0, 0, 0, "Output:", 5 },
	{ "json", KEY_JSON, 0, 0,
	  "One JSON object with every round's figures, not tables", 0 },
	{ 0 }
};

/* ---- values ------------------------------------------------------------- */

static int parse_size(const char *arg, uint64_t min, uint64_t max,
		      uint64_t *ret)
{
	uint64_t n;
	int err = arc_size_parse(arg, &n);

	if (err < 0)
		return err;
	if (n < min || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int parse_number(const char *arg, unsigned min, unsigned max,
			unsigned *ret)
{
	uint64_t n;
	int err = parse_size(arg, min, max, &n);

	if (err < 0)
		return err;
	*ret = (unsigned)n;
	return 0;
}

/* Calls add() for each part of a list with commas. */
static int parse_list(struct bench_options *opt, const char *arg,
		      int (*add)(struct bench_options *opt, const char *part))
{
	arc_cleanup(arc_freep) char *copy = strdup(arg);
	char *rest = copy;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (rest && err == 0)
		err = add(opt, strsep(&rest, ","));
	return err;
}

/* ---- setters: 0 or a negative errno; the caller says what is wrong ------ */

static int add_codec(struct bench_options *opt, const char *part)
{
	const struct arc_encoder *encoder = arc_encoder_find(part);

	if (!encoder || opt->encoders == ARC_COUNT(opt->encoder))
		return -EINVAL;
	opt->encoder[opt->encoders++] = encoder;
	return 0;
}

static int set_codecs(struct bench_options *opt, const char *arg)
{
	opt->encoders = 0;
	return parse_list(opt, arg, add_codec);
}

static int add_level(struct bench_options *opt, const char *part)
{
	if (opt->levels == ARC_COUNT(opt->level))
		return -EINVAL;
	return parse_number(part, 1, 9, &opt->level[opt->levels++]);
}

static int set_levels(struct bench_options *opt, const char *arg)
{
	opt->levels = 0;
	return parse_list(opt, arg, add_level);
}

static int add_reach(struct bench_options *opt, const char *part)
{
	struct bench_reach reach = { .group_log = ARC_GROUP_LOG_MAX,
				     .group_auto = !strcmp(part, "auto") };
	uint64_t n = ARC_FRAME_MAX;

	if (!reach.group_auto && parse_size(part, 1, ARC_FRAME_MAX, &n) < 0)
		return -EINVAL;
	while (reach.group_log > ARC_GROUP_LOG_MIN &&
	       UINT64_C(1) << reach.group_log > n)
		reach.group_log--;
	if (n != UINT64_C(1) << reach.group_log ||
	    opt->reaches == ARC_COUNT(opt->reach))
		return -EINVAL;
	opt->reach[opt->reaches++] = reach;
	return 0;
}

static int set_reaches(struct bench_options *opt, const char *arg)
{
	opt->reaches = 0;
	return parse_list(opt, arg, add_reach);
}

static int set_far(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 0, 16, &opt->params.far_max);
}

static int set_hash_log(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 12, 24, &opt->params.hash_log);
}

static int set_candidates(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 1, 64, &opt->params.candidates);
}

static int set_good_enough(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 4, 65536, &opt->params.good_enough);
}

static int set_frame_size(struct bench_options *opt, const char *arg)
{
	uint64_t n;

	if (parse_size(arg, ARC_SEGMENT_SIZE, ARC_FRAME_MAX, &n) < 0 ||
	    n % ARC_SEGMENT_SIZE)
		return -EINVAL;
	opt->frame_size = (uint32_t)n;
	return 0;
}

static int set_max(struct bench_options *opt, const char *arg)
{
	return parse_size(arg, 1, PTRDIFF_MAX, &opt->max);
}

static int set_rounds(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 1, BENCH_ROUNDS_MAX, &opt->rounds);
}

static int set_encode_rounds(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 1, BENCH_ROUNDS_MAX, &opt->encode_rounds);
}

static int set_seconds(struct bench_options *opt, const char *arg)
{
	char *end;
	double n = strtod(arg, &end);

	if (end == arg || *end || !isfinite(n) || n < 0 || n > 3600)
		return -EINVAL;
	opt->seconds = n;
	return 0;
}

static int set_reads(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 1, 1000000, &opt->reads);
}

static int set_threads(struct bench_options *opt, const char *arg)
{
	return parse_number(arg, 1, BENCH_THREADS_MAX, &opt->threads);
}

static const struct {
	int key;
	int (*set)(struct bench_options *opt, const char *arg);
	const char *what; /* a good value */
} setters[] = {
	{ 'c', set_codecs, "a list of codecs (see --help)" },
	{ 'l', set_levels, "a list of levels from 1 to 9" },
	{ KEY_REACH, set_reaches,
	  "a list of powers of two from 64K to 16M, or auto" },
	{ KEY_FAR, set_far, "a number from 0 to 16" },
	{ KEY_HASH_LOG, set_hash_log, "a number from 12 to 24" },
	{ KEY_CANDIDATES, set_candidates, "a number from 1 to 64" },
	{ KEY_GOOD_ENOUGH, set_good_enough, "a number from 4 to 65536" },
	{ 'F', set_frame_size, "a multiple of 64K from 64K to 16M" },
	{ KEY_MAX, set_max, "a size" },
	{ KEY_ROUNDS, set_rounds, "a number from 1 to 99" },
	{ KEY_ENCODE_ROUNDS, set_encode_rounds, "a number from 1 to 99" },
	{ KEY_SECONDS, set_seconds, "a number of seconds" },
	{ KEY_READS, set_reads, "a number from 1 to 1000000" },
	{ 'j', set_threads, "a number of threads from 1 to 4096" },
};

/* ---- argp --------------------------------------------------------------- */

static const char *option_name(int key)
{
	for (size_t i = 0; i < ARC_COUNT(option_table); i++) {
		if (option_table[i].key == key && option_table[i].name)
			return option_table[i].name;
	}
	return "?";
}

static error_t set_value(struct argp_state *state, int key, const char *arg)
{
	for (size_t i = 0; i < ARC_COUNT(setters); i++) {
		int err;

		if (setters[i].key != key)
			continue;
		err = setters[i].set(state->input, arg);
		if (err == -ENOMEM)
			return ENOMEM;
		if (err < 0)
			argp_error(state, "--%s: '%s' is not %s",
				   option_name(key), arg, setters[i].what);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct bench_options *opt = state->input;

	switch (key) {
	case KEY_NO_REFERENCE:
		opt->reference = false;
		return 0;
	case KEY_BARE:
		opt->bare = true;
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case ARGP_KEY_ARG:
		/* getopt has moved all arguments to the end. */
		opt->inputs = &state->argv[state->next - 1];
		opt->input_count = (size_t)(state->argc - state->next + 1);
		state->next = state->argc;
		return 0;
	default:
		return arg ? set_value(state, key, arg) : ARGP_ERR_UNKNOWN;
	}
}

/* The text behind the options of --help: codecs from their table. */
static char *list_codecs(int key, const char *text, void *input)
{
	const struct arc_encoder *encoder;
	char *out = NULL;
	size_t n;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	f = open_memstream(&out, &n);
	if (!f)
		return NULL;
	fputs("Codecs:\n", f);
	for (unsigned i = 0; (encoder = arc_encoder_at(i)); i++)
		fprintf(f, "  %-10s %s\n", encoder->name, encoder->about);
	fprintf(f, "\n%s", text);
	return fclose(f) == 0 ? out : NULL;
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "[FILE|FOLDER...]",
	.doc = "Measures codecs beside liblz4 and libzstd: one table for each "
	       "input.\v"
	       "A file is read whole. A folder is read recursively, in the "
	       "order of its names, its files one behind the other. Without "
	       "inputs there are generated ones: text, records, random bytes, "
	       "zeros. SIZE takes K, M or G, powers of 1024.\n\n"
	       "Everything that was encoded is decoded and compared with the "
	       "input in the first round. Figures per core are CPU time of "
	       "the thread, those of all cores wall time. The cold read is "
	       "the time to decode all that 4 KiB at a random place need: of "
	       "liblz4 the block of 64 KiB, its window given; of libzstd the "
	       "piece of 1 MiB; of the project's codecs the closure of the "
	       "segment.\n\n"
	       "Exit status: 0 all measured; 1 an input cannot be read, or "
	       "what was decoded is not the input; 2 wrong usage.",
	.help_filter = list_codecs,
};

void bench_options_parse(int argc, char **argv, struct bench_options *ret)
{
	static char title[] = "arc-bench codec";
	const struct arc_encoder *encoder;

	*ret = (struct bench_options){
		.max = (uint64_t)64 << 20,
		.level = { 1, 6, 9 },
		.levels = 3,
		.reach = { { .group_log = 20 } },
		.reaches = 1,
		.frame_size = ARC_FRAME_MAX,
		.reference = true,
		.rounds = 3,
		.encode_rounds = BENCH_ROUNDS_MAX,
		.seconds = 0.2,
		.reads = 256,
		.threads = arc_cpu_count(),
	};
	for (unsigned i = 0;
	     i < ARC_COUNT(ret->encoder) && (encoder = arc_encoder_at(i)); i++)
		ret->encoder[ret->encoders++] = encoder;
	argv[0] = title;
	argp_parse(&argp, argc, argv, 0, NULL, ret);
	ret->encode_rounds = ARC_MIN(ret->encode_rounds, ret->rounds);
}
