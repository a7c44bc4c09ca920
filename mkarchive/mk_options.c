/* SPDX-License-Identifier: MIT */
#include "mk_options_i.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "match.h"

/* The command line on its way. */
struct parsing {
	struct mk_options *opt;
	const char *lzext3_only; /* an option given that no other codec knows */
	const char *config; /* --config; NULL: none */
	bool show_config;
};

static const struct argp_option option_table[] = {
	{ 0, 0, 0, 0, "Volumes:", 1 },
	{ "volume-size", 's', "SIZE", 0,
	  "Size no volume exceeds, at least 1M (default: 98M)", 0 },
	{ "force", KEY_FORCE, 0, 0, "Replace an existing set", 0 },
	{ "resume", KEY_RESUME, 0, 0,
	  "Go on with a set that was interrupted; where there is none, begin",
	  0 },
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
	  "lz4hc: 128K)",
	  0 },
	{ "far", KEY_FAR, "N", 0,
	  "Segments of 64K beyond the reach that one segment may refer to, 0 "
	  "to 16 (default: 0)",
	  0 },
	{ "no-skip", KEY_NO_SKIP, 0, 0,
	  "Try to compress even what looks like noise, or is compressed already "
	  "by its name",
	  0 },
	{ "order", KEY_ORDER, "ORDER", 0,
	  "In which order contents are stored: " ORDER_NAMES " (default: walk)",
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
	{ 0, 0, 0, 0, "Devices (OpenCL), for lzext3:", 4 },
	{ "gpu", KEY_GPU, "MODE", 0,
	  "auto: those that are faster than the CPU; off; force: all, the CPU "
	  "only helps out; or which, by number or name, with commas between "
	  "them (default: auto)",
	  0 },
	{ "gpu-memory", KEY_GPU_MEMORY, "SIZE", 0,
	  "Memory taken of each device at most (default: three quarters of it)",
	  0 },
	{ "gpu-batch", KEY_GPU_BATCH, "N", 0,
	  "Frames a device takes at once at most, 1 to 256 (default: as "
	  "many as its memory allows, up to 16, and fewer while a launch "
	  "takes more than 50 ms)",
	  0 },
	{ "gpu-check", KEY_GPU_CHECK, "N", 0,
	  "Decode and compare every N-th frame that a device has encoded; 0: "
	  "none (default: 1, each)",
	  0 },
	{ "no-gpu-fallback", KEY_NO_GPU_FALLBACK, 0, 0,
	  "Fail when a device does, instead of going on on the CPU", 0 },
	{ "profile", KEY_PROFILE, "NAME", 0,
	  "serial: the search that is best on the CPU; parallel: the one that "
	  "devices run, and the CPU with the same result; auto: parallel when "
	  "a device is used (default: auto)",
	  0 },
	{ 0, 0, 0, 0, "What is stored:", 5 },
	{ "files-from", KEY_FILES_FROM, "LIST", 0,
	  "Only what this file names, one path below SRC a line, in its order; "
	  "- is standard input",
	  0 },
	{ "null", KEY_NULL, 0, 0, "Paths in LIST end in a NUL byte", 0 },
	{ "stdin-name", KEY_STDIN_NAME, "NAME", 0,
	  "Standard input (SRC is -) is one file of this name, and no archive",
	  0 },
	{ "as-file", KEY_AS_FILE, 0, 0,
	  "SRC is one file, even if its name is that of an archive", 0 },
	{ "unpack", KEY_UNPACK, 0, 0,
	  "SRC is an archive whatever its name, or a pipe with one", 0 },
	{ "exclude", KEY_EXCLUDE, "PATTERN", 0,
	  "Leave out what matches, as in gitignore(5)", 0 },
	{ "exclude-from", KEY_EXCLUDE_FROM, "FILE", 0,
	  "Patterns from a file, one a line", 0 },
	{ "one-file-system", 'x', 0, 0, "Do not enter other file systems", 0 },
	{ "digest", KEY_DIGEST, "KIND", 0,
	  "Digest kept of every file: xxh128, sha256 (beside xxh128) or none "
	  "(default: xxh128)",
	  0 },
	{ 0, 0, 0, 0, "Afterwards:", 6 },
	{ "verify", KEY_VERIFY, 0, 0,
	  "Read the finished set back and compare it with the source", 0 },
	{ "remove-source", KEY_REMOVE_SOURCE, 0, 0,
	  "Verify, then remove from SRC what was found equal, and nothing else",
	  0 },
	{ 0, 0, 0, 0, "Output:", 7 },
	{ "quiet", 'q', 0, 0, "No progress and no summary", 0 },
	{ "verbose", 'v', 0, 0, "Say more; twice: even more", 0 },
	{ "json", KEY_JSON, 0, 0, "The summary as one JSON object", 0 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "What became of each file, one JSON object a line; - is standard "
	  "output",
	  0 },
	{ 0, 0, 0, 0, "Configuration, see arcfs.conf(5):", 8 },
	{ "config", KEY_CONFIG, "FILE", 0,
	  "Read this file, and no other configuration", 0 },
	{ "set", KEY_SET, "KEY=VALUE", 0, "As a line of that file says it", 0 },
	{ "show-config", KEY_SHOW_CONFIG, 0, 0,
	  "Print what is in force and where it comes from", 0 },
	{ 0 }
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
	const struct mk_setting *setting = mk_setting_find(key);
	struct parsing *p = state->input;

	int r;

	if (!setting)
		return ARGP_ERR_UNKNOWN;
	if (setting->lzext3_only)
		p->lzext3_only = option_name(key);
	r = setting->set(p->opt, arg);
	if (r == -EINVAL || r == -EOVERFLOW)
		argp_error(state, "--%s: '%s' is not %s", option_name(key), arg,
			   setting->what);
	else if (r < 0)
		argp_error(state, "--%s: '%s': %s", option_name(key), arg,
			   arc_error_text(r));
	return 0;
}

static error_t set_flag(struct mk_options *opt, int key)
{
	switch (key) {
	case KEY_FORCE:
		opt->force = true;
		return 0;
	case KEY_RESUME:
		opt->resume = true;
		return 0;
	case KEY_NO_SYNC:
		opt->sync = false;
		return 0;
	case KEY_NO_SKIP:
		return arc_config_offer(&opt->config,
					ARC_CONFIG_SKIP_COMPRESSED, "no",
					ARC_CONFIG_COMMAND);
	case KEY_NO_GPU_FALLBACK:
		return arc_config_offer(&opt->config,
					ARC_CONFIG_GPU_FALLBACK_ENABLED, "no",
					ARC_CONFIG_COMMAND);
	case KEY_AS_FILE:
		opt->as_file = true;
		return 0;
	case KEY_UNPACK:
		opt->unpack = true;
		return 0;
	case KEY_NULL:
		opt->null = true;
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case KEY_REMOVE_SOURCE:
		opt->remove_source = true;
		opt->verify = true;
		return 0;
	case KEY_VERIFY:
		opt->verify = true;
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

/* What devices do not know would change the result, or do nothing. */
static void check_gpu(struct argp_state *state)
{
	const struct parsing *p = state->input;
	const struct mk_options *opt = p->opt;
	const struct arc_encoder *encoder = mk_options_encoder(opt);
	bool parallel = opt->profile == MK_PROFILE_PARALLEL;

	if (opt->gpu.mode == ARC_GPU_FORCE &&
	    (!encoder || encoder->id != ARC_CODEC_LZEXT3))
		argp_error(state, "--gpu: devices encode lzext3 only, not %s",
			   mk_codec_choice(opt->codec)->name);
	if (opt->gpu.mode == ARC_GPU_FORCE && opt->profile == MK_PROFILE_SERIAL)
		argp_error(state, "--gpu: devices do not know the profile "
				  "serial");
	if (opt->coding.far_max && (parallel || opt->gpu.mode == ARC_GPU_FORCE))
		argp_error(state, "--far: only with the profile serial, "
				  "without devices");
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
			   mk_codec_choice(p->opt->codec)->name);
	name = mk_config_misplaced(p->opt);
	if (name)
		argp_error(state, "--set %s: only for lzext3, not for %s", name,
			   mk_codec_choice(p->opt->codec)->name);
}

/* What SRC is said to be must be possible, and not two things. */
static void check_source(struct argp_state *state)
{
	const struct parsing *p = state->input;
	const struct mk_options *opt = p->opt;
	bool from_stdin = opt->src && strcmp(opt->src, "-") == 0;

	if (opt->as_file && opt->unpack)
		argp_error(state, "--as-file and --unpack contradict");
	if (opt->stdin_name && !from_stdin)
		argp_error(state, "--stdin-name: only where SRC is -");
	if (opt->stdin_name && opt->unpack)
		argp_error(state, "--stdin-name and --unpack contradict");
	if (opt->files_from && (from_stdin || opt->as_file || opt->unpack))
		argp_error(state, "--files-from: SRC is a directory then");
	if (opt->order != MK_ORDER_WALK && (from_stdin || opt->files_from))
		argp_error(state, "--order: what comes but once is stored in "
				  "the order in which it comes");
	if (opt->null && !opt->files_from)
		argp_error(state, "--null: only with --files-from");
	if (opt->as_file && from_stdin)
		argp_error(state, "--as-file: standard input needs a name: "
				  "--stdin-name");
}

/* What is removed must be safe in the archive, and two things do not fit one
 * output. */
static void check_after(struct argp_state *state)
{
	const struct parsing *p = state->input;
	const struct mk_options *opt = p->opt;

	if (opt->remove_source && !opt->sync)
		argp_error(state, "--remove-source and --no-sync contradict: "
				  "only what is on the disk may be removed");
	if (opt->remove_source && opt->src && strcmp(opt->src, "-") == 0)
		argp_error(state, "--remove-source: standard input comes but "
				  "once and cannot be compared again");
	if (opt->json && opt->report && strcmp(opt->report, "-") == 0)
		argp_error(state, "--json and --report - both want standard "
				  "output: name a file for one of them");
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
		if (state->arg_num < 2 && !p->show_config)
			argp_error(state, "SRC and OUT are needed");
		check_codec(state);
		check_gpu(state);
		check_source(state);
		if (opt->force && opt->resume)
			argp_error(state, "--force and --resume contradict");
		check_after(state);
		return 0;
	}
	if (key == KEY_CONFIG)
		p->config = arg;
	if (key == KEY_SHOW_CONFIG)
		p->show_config = true;
	if (key == KEY_CONFIG || key == KEY_SHOW_CONFIG)
		return 0;
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
		coding->group_log = mk_codec_choice(opt->codec)->reach_log;
	}
}

int mk_options_parse(int argc, char **argv, struct mk_options *ret)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "SRC OUT",
		.doc = "Archives the tree (or file) SRC as volumes OUT.001, "
		       "OUT.002, ... A file whose name is that of an archive "
		       "(.tar, .tar.zst, .zip, .7z, .cpio and others) is "
		       "unpacked on the way; - is one on standard input.\v"
		       "SIZE takes K, M, G or T, powers of 1024.\n\n"
		       "Exit status: 0 everything is stored; 1 finished, but "
		       "something was skipped or changed while it was read, was "
		       "not verified, or could not be removed; 2 wrong usage; "
		       "3 failed, no valid archive was left.",
	};
	struct parsing parsing = { .opt = ret };
	int r;

	*ret = (struct mk_options){
		.volume_size = MK_VOLUME_SIZE_DEFAULT,
		.frame_size = ARC_FRAME_MAX,
		.codec = MK_CODEC_AUTO,
		.coding = { .level = MK_LEVEL_DEFAULT },
		.digest = MK_DIGEST_XXH128,
		.sync = true,
	};
	arc_config_init(&ret->config);
	arc_gpu_defaults(&ret->gpu);
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
	if (mk_config_settle(ret, parsing.config) < 0)
		return MK_EXIT_USAGE;
	if (parsing.show_config) {
		arc_config_print(&ret->config, ARC_CONFIG_MKARCHIVE, stdout);
		return MK_EXIT_OK;
	}
	fit_frame(ret);
	settle_reach(ret);
	return -1;
}

void mk_options_fini(struct mk_options *opt)
{
	arc_config_fini(&opt->config);
	mk_match_free(opt->match);
	opt->match = NULL;
}

const struct arc_encoder *mk_options_encoder(const struct mk_options *opt)
{
	const char *name = mk_codec_choice(opt->codec)->encoder;

	return name ? arc_encoder_find(name) : NULL;
}
