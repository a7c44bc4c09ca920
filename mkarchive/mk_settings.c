/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "match.h"
#include "mk_options_i.h"

static const struct mk_codec_choice codecs[] = {
	[MK_CODEC_AUTO] = { "auto", "lzext3", 20 },
	[MK_CODEC_RAW] = { "raw", NULL, 18 },
	[MK_CODEC_LZ4] = { "lz4", "lz4", 17 },
	[MK_CODEC_LZ4HC] = { "lz4hc", "lz4hc", 17 },
	[MK_CODEC_LZEXT3] = { "lzext3", "lzext3", 20 },
	[MK_CODEC_ZSTD] = { "zstd", "zstd", 20 },
};

const struct mk_codec_choice *mk_codec_choice(enum mk_codec codec)
{
	return &codecs[codec];
}

/* A size between bounds that is a multiple of `unit`. */
static int parse_bounded(const char *arg, uint64_t min, uint64_t max,
			 uint64_t unit, uint64_t *ret)
{
	uint64_t n;
	int r = arc_size_parse(arg, &n);

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

/* A key of the configuration. */
static int give(struct mk_options *opt, enum arc_config_id id, const char *arg)
{
	return arc_config_offer(&opt->config, id, arg, ARC_CONFIG_COMMAND);
}

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
	r = arc_size_parse(arg, &n);
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
	return give(opt, ARC_CONFIG_HASH_LOG, arg);
}

static int set_candidates(struct mk_options *opt, const char *arg)
{
	return give(opt, ARC_CONFIG_HASH_CANDIDATES, arg);
}

static int set_good_enough(struct mk_options *opt, const char *arg)
{
	return give(opt, ARC_CONFIG_GOOD_ENOUGH_MATCH, arg);
}

static int set_threads(struct mk_options *opt, const char *arg)
{
	return give(opt, ARC_CONFIG_MAX_WORKER_THREADS, arg);
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

static int set_gpu(struct mk_options *opt, const char *arg)
{
	return arc_gpu_ask(&opt->gpu, &opt->config, arg);
}

static int set_gpu_memory(struct mk_options *opt, const char *arg)
{
	return parse_bounded(arg, 64 * ARC_MIB, UINT64_MAX, 1,
			     &opt->gpu.memory);
}

static int set_gpu_batch(struct mk_options *opt, const char *arg)
{
	return give(opt, ARC_CONFIG_COMPRESSOR_BATCH_SIZE, arg);
}

static int set_gpu_check(struct mk_options *opt, const char *arg)
{
	return parse_number(arg, 0, 1000000, &opt->gpu.check_every);
}

static int set_profile(struct mk_options *opt, const char *arg)
{
	static const char *const names[] = { "auto", "serial", "parallel" };
	int i = choose(arg, names, ARC_COUNT(names));

	if (i < 0)
		return i;
	opt->profile = (enum mk_profile)i;
	return 0;
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

static const char *const order_names[] = {
	[MK_ORDER_WALK] = "walk",
	[MK_ORDER_PATH] = "path",
	[MK_ORDER_REVPATH] = "revpath",
	[MK_ORDER_SIZE] = "size",
	[MK_ORDER_SIMILARITY] = "similarity",
};

const char *mk_order_name(enum mk_order_kind order)
{
	return order_names[order];
}

static int set_order(struct mk_options *opt, const char *arg)
{
	int i = choose(arg, order_names, ARC_COUNT(order_names));

	if (i < 0)
		return i;
	opt->order = (enum mk_order_kind)i;
	return 0;
}

static int set_key(struct mk_options *opt, const char *arg)
{
	return arc_config_assign(&opt->config, arg);
}

static int set_stdin_name(struct mk_options *opt, const char *arg)
{
	opt->stdin_name = arg;
	return arc_format_name_ok((const uint8_t *)arg, strlen(arg)) ? 0
								     : -EINVAL;
}

static int set_files_from(struct mk_options *opt, const char *arg)
{
	opt->files_from = arg;
	return 0;
}

static int set_report(struct mk_options *opt, const char *arg)
{
	opt->report = arg;
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

static const struct mk_setting settings[] = {
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
	{ KEY_GPU, set_gpu, ARC_GPU_MODES, false },
	{ KEY_GPU_MEMORY, set_gpu_memory, "a size of at least 64M", false },
	{ KEY_GPU_BATCH, set_gpu_batch, "a number from 1 to 256", false },
	{ KEY_GPU_CHECK, set_gpu_check, "a number from 0 to 1000000", false },
	{ KEY_PROFILE, set_profile, "serial, parallel or auto", true },
	{ KEY_ORDER, set_order, ORDER_NAMES, false },
	{ KEY_DIGEST, set_digest, "xxh128, sha256 or none", false },
	{ KEY_STDIN_NAME, set_stdin_name, "the name of a file", false },
	{ KEY_FILES_FROM, set_files_from, "a file", false },
	{ KEY_REPORT, set_report, "a file", false },
	{ KEY_EXCLUDE, add_exclude, "a pattern", false },
	{ KEY_EXCLUDE_FROM, add_exclude_from, "a readable file of patterns",
	  false },
	{ KEY_SET, set_key, "KEY=VALUE as arcfs.conf(5) has it", false },
};

const struct mk_setting *mk_setting_find(int key)
{
	for (size_t i = 0; i < ARC_COUNT(settings); i++) {
		if (settings[i].key == key)
			return &settings[i];
	}
	return NULL;
}
