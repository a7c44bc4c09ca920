/* SPDX-License-Identifier: MIT */
/*
 * What tunes lzext3 is for lzext3: a file that says something about it does not
 * get into the way of other codecs, nor into their archives.
 */
#include "mk_options_i.h"
#include "pool.h"

/* Storage answers more at once than there may be cores. */
#define IO_WORKERS_MIN 8

static const enum arc_config_id of_lzext3[] = {
	ARC_CONFIG_HASH_LOG,
	ARC_CONFIG_HASH_CANDIDATES,
	ARC_CONFIG_GOOD_ENOUGH_MATCH,
};

static bool is_lzext3(const struct mk_options *opt)
{
	const struct arc_encoder *encoder = mk_options_encoder(opt);

	return encoder && encoder->id == ARC_CODEC_LZEXT3;
}

static unsigned number(const struct mk_options *opt, enum arc_config_id id)
{
	return (unsigned)arc_config_number(&opt->config, id);
}

static void apply(struct mk_options *opt)
{
	opt->threads = number(opt, ARC_CONFIG_MAX_WORKER_THREADS);
	if (!opt->threads)
		opt->threads = arc_cpu_count();
	opt->scan_workers = number(opt, ARC_CONFIG_NUM_SCAN_WORKERS);
	opt->io_workers = number(opt, ARC_CONFIG_NUM_IO_WORKERS);
	if (!opt->io_workers)
		opt->io_workers = ARC_MAX(opt->threads, IO_WORKERS_MIN);
	opt->readers = number(opt, ARC_CONFIG_NUM_READERS);
	opt->buffer_size = (size_t)ARC_MIN(
		arc_config_number(&opt->config, ARC_CONFIG_BUFFER_SIZE),
		SIZE_MAX / 2);
	opt->skip = number(opt, ARC_CONFIG_SKIP_COMPRESSED);
	opt->read_batches = number(opt, ARC_CONFIG_READ_BUFFER_BATCHES);
	opt->write_batches = number(opt, ARC_CONFIG_WRITE_BUFFER_BATCHES);
	arc_gpu_configure(&opt->gpu, &opt->config);
	if (!is_lzext3(opt))
		return;
	opt->coding.hash_log = number(opt, ARC_CONFIG_HASH_LOG);
	opt->coding.candidates = number(opt, ARC_CONFIG_HASH_CANDIDATES);
	opt->coding.good_enough = number(opt, ARC_CONFIG_GOOD_ENOUGH_MATCH);
}

int mk_config_settle(struct mk_options *opt, const char *file)
{
	static char program[] = "mkarchive";
	struct arc_diag diag;
	int err;

	arc_diag_init(&diag, arc_sink_stderr, program, ARC_WARN);
	err = arc_config_load(&opt->config, file, &diag);
	arc_diag_fini(&diag);
	if (!err)
		apply(opt);
	return err;
}

const char *mk_config_misplaced(const struct mk_options *opt)
{
	for (size_t i = 0; !is_lzext3(opt) && i < ARC_COUNT(of_lzext3); i++) {
		if (arc_config_is_from(&opt->config, of_lzext3[i],
				       ARC_CONFIG_COMMAND))
			return arc_config_keys[of_lzext3[i]].name;
	}
	return NULL;
}
