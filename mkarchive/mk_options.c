/* SPDX-License-Identifier: MIT */
#include "mk_options.h"

#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "match.h"
#include "pool.h"

/* Options without a letter of their own. */
enum {
	KEY_REACH = 0x100,
	KEY_FAR,
	KEY_HASH_LOG,
	KEY_CANDIDATES,
	KEY_GOOD_ENOUGH,
	KEY_DIGEST,
	KEY_EXCLUDE_FROM,
	KEY_EXCLUDE,
	KEY_FORCE,
	KEY_NO_SYNC,
	KEY_JSON
};

#define CODEC_NAMES "raw, lz4, lz4hc, lzext3, zstd or auto"

/* What -c may say. */
static const struct {
	const char *name;
	const char *encoder; /* NULL: none */
	uint8_t reach_log; /* where --reach says nothing */
} codecs[] = {
	[MK_CODEC_AUTO] = { "auto", "lzext3", 20 },
	[MK_CODEC_RAW] = { "raw", NULL, 18 },
	[MK_CODEC_LZ4] = { "lz4", "lz4", 18 },
	[MK_CODEC_LZ4HC] = { "lz4hc", "lz4hc", 18 },
	[MK_CODEC_LZEXT3] = { "lzext3", "lzext3", 20 },
	[MK_CODEC_ZSTD] = { "zstd", "zstd", 20 },
};

/* The command line on its way. */
struct parsing {
	struct mk_options *opt;
	const char *lzext3_only; /* an option given that no other codec knows */
};

static const struct argp_option option_table[] = {
	{ 0, 0, 0, 0, "Volumes:", 1 },
	{ "volume-size", 's', "SIZE", 0,
	  "Size no volume exceeds, at least 1M (default: 98M)", 0 },
	{ "force", KEY_FORCE, 0, 0, "Replace an existing set", 0 },
	{ "no-sync", KEY_NO_SYNC, 0, 0,
	  "Do not wait until the data is on the disk", 0 },
	{ 0, 0, 0, 0, "Compression:", 2 },
	{ "codec", 'c', "NAME", 0,
	  CODEC_NAMES ", which is lzext3 (default: auto)", 0 },
	{ "level", 'l', "N", 0, "1 (fast) to 9 (small) (default: 6)", 0 },
	{ "frame-size", 'F', "SIZE", 0,
	  "Bytes compressed as one frame, 64K to 16M (default: 16M)", 0 },
	{ "reach", KEY_REACH, "SIZE", 0,
	  "How far back repeats are used, a power of two from 64K to 16M, or "
	  "auto; more makes reading at random places dearer (default: 1M; lz4, "
	  "lz4hc: 256K)",
	  0 },
	{ "far", KEY_FAR, "N", 0,
	  "Segments of 64K beyond the reach that one segment may refer to, 0 "
	  "to 16 (default: 0)",
	  0 },
	{ "threads", 'j', "N", 0, "Threads (default: one per core)", 0 },
	{ 0, 0, 0, 0, "How lzext3 searches for repeats:", 3 },
	{ "hash-log", KEY_HASH_LOG, "N", 0,
	  "2^N places are remembered, 12 to 24 (default: by level)", 0 },
	{ "hash-candidates", KEY_CANDIDATES, "N", 0,
	  "Places compared at one position at most, 1 to 64 (default: by level)",
	  0 },
	{ "good-enough-match", KEY_GOOD_ENOUGH, "N", 0,
	  "A repeat of N bytes ends a search, 4 to 65536 (default: by level)",
	  0 },
	{ 0, 0, 0, 0, "What is stored:", 4 },
	{ "exclude", KEY_EXCLUDE, "PATTERN", 0,
	  "Leave out what matches, as in gitignore(5)", 0 },
	{ "exclude-from", KEY_EXCLUDE_FROM, "FILE", 0,
	  "Patterns from a file, one a line", 0 },
	{ "one-file-system", 'x', 0, 0, "Do not enter other file systems", 0 },
	{ "digest", KEY_DIGEST, "KIND", 0,
	  "Digest kept of every file: xxh128, sha256 (beside xxh128) or none "
	  "(default: xxh128)",
	  0 },
	{ 0, 0, 0, 0, "Output:", 5 },
	{ "quiet", 'q', 0, 0, "No progress and no summary", 0 },
	{ "verbose", 'v', 0, 0, "Say more; twice: even more", 0 },
	{ "json", KEY_JSON, 0, 0, "The summary as one JSON object", 0 },
	{ 0 }
};

int mk_size_parse(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	uint64_t n = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		if (!arc_mul_ok(n, (uint64_t)10, &n) ||
		    !arc_add_ok(n, (uint64_t)(*text - '0'), &n))
			return -EOVERFLOW;
	}
	if (!*text) {
		*ret = n;
		return 0;
	}
	suffix = strchr(suffixes, toupper((unsigned char)*text));
	if (!suffix || text[1])
		return -EINVAL;
	for (int i = 0; i <= suffix - suffixes; i++) {
		if (!arc_mul_ok(n, (uint64_t)1024, &n))
			return -EOVERFLOW;
	}
	*ret = n;
	return 0;
}

/* A size between bounds that is a multiple of `unit`. */
static int parse_bounded(const char *arg, uint64_t min, uint64_t max,
			 uint64_t unit, uint64_t *ret)
{
	uint64_t n;
	int r = mk_size_parse(arg, &n);

	if (r < 0)
		return r;
	if (n < min || n > max || n % unit)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int parse_number(const char *arg, unsigned min, unsigned max,
			unsigned *ret)
{
	uint64_t n;
	int r = parse_bounded(arg, min, max, 1, &n);

	if (r < 0)
		return r;
	*ret = (unsigned)n;
	return 0;
}

/* The setters: 0 or a negative errno; the message comes from the caller. */
static int set_volume_size(struct mk_options *opt, const char *arg)
{
	return parse_bounded(arg, ARC_VOLUME_MIN, ARC_FILE_SIZE_MAX, 1,
			     &opt->volume_size);
}

static int set_frame_size(struct mk_options *opt, const char *arg)
{
	uint64_t n;
	int r = parse_bounded(arg, ARC_SEGMENT_SIZE, ARC_FRAME_MAX,
			      ARC_SEGMENT_SIZE, &n);

	if (r < 0)
		return r;
	opt->frame_size = (uint32_t)n;
	return 0;
}

static int set_reach(struct mk_options *opt, const char *arg)
{
	uint64_t n = 0;
	int r;

	opt->coding.group_auto = strcmp(arg, "auto") == 0;
	if (opt->coding.group_auto)
		return 0;
	r = mk_size_parse(arg, &n);
	if (r < 0)
		return r;
	for (uint8_t log = ARC_GROUP_LOG_MIN; log <= ARC_GROUP_LOG_MAX; log++) {
		if (n == (uint64_t)1 << log) {
			opt->coding.group_log = log;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_level(struct mk_options *opt, const char *arg)
{
	if (arg[0] < '1' || arg[0] > '9' || arg[1])
		return -EINVAL;
	opt->coding.level = (unsigned)(arg[0] - '0');
	return 0;
}

static int set_far(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 0, 16, &opt->coding.far_max);
}

static int set_hash_log(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 12, 24, &opt->coding.hash_log);
}

static int set_candidates(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 1, 64, &opt->coding.candidates);
}

static int set_good_enough(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 4, 65536, &opt->coding.good_enough);
}

static int set_threads(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 1, 4096, &opt->threads);
}

/* Index of arg in a list of names, -EINVAL when it is none of them. */
static int choose(const char *arg, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(arg, names[i]))
			return (int)i;
	}
	return -EINVAL;
}

static int set_codec(struct mk_options *opt, const char *arg)
{
	for (size_t i = 0; i < ARC_COUNT(codecs); i++) {
		if (!strcmp(arg, codecs[i].name)) {
			opt->codec = (enum mk_codec)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_digest(struct mk_options *opt, const char *arg)
{
	static const char *const names[] = { "none", "xxh128", "sha256" };
	int i = choose(arg, names, ARC_COUNT(names));

	if (i < 0)
		return i;
	opt->digest = (enum mk_digest)i;
	return 0;
}

static int add_exclude(struct mk_options *opt, const char *arg)
{
	return mk_match_add(opt->match, arg);
}

static int add_exclude_from(struct mk_options *opt, const char *arg)
{
	return mk_match_add_file(opt->match, arg);
}

static const struct {
	int key;
	int (*set)(struct mk_options *opt, const char *arg);
	const char *what; /* a good value */
	bool lzext3_only;
} setters[] = {
	{ 's', set_volume_size, "a size of at least 1M", false },
	{ 'F', set_frame_size, "a multiple of 64K from 64K to 16M", false },
	{ KEY_REACH, set_reach, "a power of two from 64K to 16M, or auto",
	  false },
	{ KEY_FAR, set_far, "a number from 0 to 16", true },
	{ KEY_HASH_LOG, set_hash_log, "a number from 12 to 24", true },
	{ KEY_CANDIDATES, set_candidates, "a number from 1 to 64", true },
	{ KEY_GOOD_ENOUGH, set_good_enough, "a number from 4 to 65536", true },
	{ 'l', set_level, "a level from 1 to 9", false },
	{ 'j', set_threads, "a number of threads from 1 to 4096", false },
	{ 'c', set_codec, CODEC_NAMES, false },
	{ KEY_DIGEST, set_digest, "xxh128, sha256 or none", false },
	{ KEY_EXCLUDE, add_exclude, "a pattern", false },
	{ KEY_EXCLUDE_FROM, add_exclude_from, "a readable file of patterns",
	  false },
};

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
	struct parsing *p = state->input;

	for (size_t i = 0; i < ARC_COUNT(setters); i++) {
		int r;

		if (setters[i].key != key)
			continue;
		if (setters[i].lzext3_only)
			p->lzext3_only = option_name(key);
		r = setters[i].set(p->opt, arg);
		if (r == -EINVAL || r == -EOVERFLOW)
			argp_error(state, "--%s: '%s' is not %s",
				   option_name(key), arg, setters[i].what);
		else if (r < 0)
			argp_error(state, "--%s: '%s': %s", option_name(key),
				   arg, arc_error_text(r));
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t set_flag(struct mk_options *opt, int key)
{
	switch (key) {
	case KEY_FORCE:
		opt->force = true;
		return 0;
	case KEY_NO_SYNC:
		opt->sync = false;
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case 'x':
		opt->one_file_system = true;
		return 0;
	case 'q':
		opt->verbosity = -1;
		return 0;
	case 'v':
		opt->verbosity++;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What only one codec knows would silently do nothing with the others. */
static void check_codec(struct argp_state *state)
{
	const struct parsing *p = state->input;
	const char *name =
		p->opt->coding.group_auto ? "reach=auto" : p->lzext3_only;
	const struct arc_encoder *encoder = mk_options_encoder(p->opt);

	if (name && (!encoder || encoder->id != ARC_CODEC_LZEXT3))
		argp_error(state, "--%s: only for lzext3, not for %s", name,
			   codecs[p->opt->codec].name);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	struct mk_options *opt = p->opt;

	if (key == ARGP_KEY_ARG) {
		if (state->arg_num == 0)
			opt->src = arg;
		else if (state->arg_num == 1)
			opt->out = arg;
		else
			argp_error(state, "too many arguments: '%s'", arg);
		return 0;
	}
	if (key == ARGP_KEY_END) {
		if (state->arg_num < 2)
			argp_error(state, "SRC and OUT are needed");
		check_codec(state);
		return 0;
	}
	return arg ? set_value(state, key, arg) : set_flag(opt, key);
}

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "mkarchive %s, archive format %d\n", ARC_VERSION,
		ARC_FORMAT_VERSION);
}

/* The largest frame whose record fits an empty volume of the size wished. */
static void fit_frame(struct mk_options *opt)
{
	while (sizeof(struct arc_disk_volume) +
		       arc_record_bound(opt->frame_size) >
	       opt->volume_size)
		opt->frame_size -= ARC_SEGMENT_SIZE;
}

/* Where the command line left the reach open. */
static void settle_reach(struct mk_options *opt)
{
	struct arc_encoder_params *coding = &opt->coding;

	if (coding->group_auto) {
		coding->group_log = ARC_GROUP_LOG_MIN;
		while (UINT32_C(1) << coding->group_log < opt->frame_size)
			coding->group_log++;
	} else if (!coding->group_log) {
		coding->group_log = codecs[opt->codec].reach_log;
	}
}

int mk_options_parse(int argc, char **argv, struct mk_options *ret)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "SRC OUT",
		.doc = "Archives the tree (or file) SRC as volumes OUT.001, "
		       "OUT.002, ...\v"
		       "SIZE takes K, M, G or T, powers of 1024.\n\n"
		       "Exit status: 0 everything is stored; 1 finished, but "
		       "something was skipped or changed while it was read; 2 "
		       "wrong usage; 3 failed, no valid archive was left.",
	};
	struct parsing parsing = { .opt = ret };
	int r;

	*ret = (struct mk_options){
		.volume_size = MK_VOLUME_SIZE_DEFAULT,
		.frame_size = ARC_FRAME_MAX,
		.codec = MK_CODEC_AUTO,
		.coding = { .level = MK_LEVEL_DEFAULT },
		.digest = MK_DIGEST_XXH128,
		.threads = arc_cpu_count(),
		.sync = true,
	};
	r = mk_match_new(&ret->match);
	if (r < 0) {
		fprintf(stderr, "mkarchive: %s\n", arc_error_text(r));
		return MK_EXIT_FAILED;
	}
	argp_program_version_hook = print_version;
	argp_err_exit_status = MK_EXIT_USAGE;
	r = argp_parse(&argp, argc, argv, 0, NULL, &parsing);
	if (r) {
		fprintf(stderr, "mkarchive: %s\n", arc_error_text(-r));
		return MK_EXIT_USAGE;
	}
	fit_frame(ret);
	settle_reach(ret);
	return -1;
}

void mk_options_fini(struct mk_options *opt)
{
	mk_match_free(opt->match);
	opt->match = NULL;
}

const struct arc_encoder *mk_options_encoder(const struct mk_options *opt)
{
	const char *name = codecs[opt->codec].encoder;

	return name ? arc_encoder_find(name) : NULL;
}
