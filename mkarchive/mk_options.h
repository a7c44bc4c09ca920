/* SPDX-License-Identifier: MIT */
/*
 * mk_options - the command line of mkarchive, parsed by one argp table that
 * also prints --help.
 *
 * Threads: frozen after mk_options_parse().
 */
#ifndef MK_OPTIONS_H
#define MK_OPTIONS_H

#include "gpu.h"
#include "record.h"

struct mk_match;

enum mk_codec {
	MK_CODEC_AUTO,
	MK_CODEC_RAW,
	MK_CODEC_LZ4,
	MK_CODEC_LZ4HC,
	MK_CODEC_LZEXT3,
	MK_CODEC_ZSTD
};

/* Which parse a level means: the one that is best on the CPU, or the one that
 * devices run as well. */
enum mk_profile { MK_PROFILE_AUTO, MK_PROFILE_SERIAL, MK_PROFILE_PARALLEL };

/* In which order contents are stored (order.h). */
enum mk_order_kind {
	MK_ORDER_WALK,
	MK_ORDER_PATH,
	MK_ORDER_REVPATH,
	MK_ORDER_SIZE,
	MK_ORDER_SIMILARITY
};

enum mk_digest { MK_DIGEST_NONE, MK_DIGEST_XXH128, MK_DIGEST_SHA256 };

struct mk_options {
	const char *src; /* "-": standard input */
	const char *out;
	const char *stdin_name; /* --stdin-name: standard input is this file */
	const char *files_from; /* --files-from; "-": standard input */
	bool null; /* --null: its names end in a NUL byte */
	bool as_file; /* --as-file: an archive is a file like others */
	bool unpack; /* --unpack: whatever its name, SRC is an archive */
	uint64_t volume_size; /* -s, >= ARC_VOLUME_MIN; default 98M */
	uint32_t frame_size; /* -F, multiple of 64K, 64K..16M; already cut
			      * down so that a frame fits a volume */
	enum mk_codec codec; /* -c; default auto */
	/* -l 1..9, default 6; --reach 64K..16M or auto, default by codec; --far
	 * 0..16, default 0; what overrides the level, default 0. All but level
	 * and a reach in bytes only with a codec that knows them. */
	struct arc_encoder_params coding;
	struct arc_gpu_options gpu; /* --gpu, --gpu-memory, --gpu-batch,
				     * --no-gpu-fallback */
	enum mk_profile profile; /* --profile; settled before packing: then
				  * coding.parallel says the same */
	enum mk_order_kind order; /* --order; default walk */
	enum mk_digest digest; /* --digest xxh128|sha256|none */
	struct arc_config config; /* what the values below come from */
	unsigned threads; /* -j; default: all cores */
	unsigned scan_workers; /* threads ahead of the walk */
	unsigned io_workers; /* of the search for duplicates; 0: threads */
	unsigned readers; /* threads that read files before their turn */
	size_t buffer_size; /* for what they have read */
	unsigned read_batches; /* of frames, that wait to be encoded */
	unsigned write_batches; /* that wait to be written */
	struct mk_match *match; /* --exclude, --exclude-from, in order */
	bool one_file_system; /* -x */
	bool force;
	bool resume;
	bool sync; /* off with --no-sync */
	bool skip; /* noise is not tried; off with --no-skip */
	bool json; /* --json: summary as one JSON object on stdout */
	bool verify; /* --verify; with remove_source always */
	bool remove_source; /* --remove-source */
	const char *report; /* --report; "-": standard output */
	int verbosity; /* -q: -1, default 0, -v: 1, -vv: 2 */
};

#define MK_VOLUME_SIZE_DEFAULT ((uint64_t)98 << 20)
#define MK_LEVEL_DEFAULT 6

/* Exit codes of mkarchive; also in its manual. */
enum mk_exit {
	MK_EXIT_OK = 0, /* everything is stored */
	MK_EXIT_PARTIAL = 1, /* finished; something was skipped or changed */
	MK_EXIT_USAGE = 2,
	MK_EXIT_FAILED = 3 /* no valid archive was left */
};

/*
 * Parses argv and reads the configuration. Returns -1 to go on, else the exit
 * code (--help, --version, --show-config, usage errors, which have been
 * explained on stderr). Borrows argv's strings.
 */
int mk_options_parse(int argc, char **argv, struct mk_options *ret);
void mk_options_fini(struct mk_options *opt);

/* What --order calls it. */
const char *mk_order_name(enum mk_order_kind order);

/* The encoder that the codec means; NULL for raw. */
const struct arc_encoder *mk_options_encoder(const struct mk_options *opt);

#endif
