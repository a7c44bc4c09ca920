/* SPDX-License-Identifier: MIT */
/*
 * mk_options_i - what the files of the options share: mk_options.c (the command
 * line), mk_settings.c (values).
 */
#ifndef MK_OPTIONS_I_H
#define MK_OPTIONS_I_H

#include "mk_options.h"

/* Options without a letter of their own. */
enum {
	KEY_REACH = 0x100,
	KEY_FAR,
	KEY_HASH_LOG,
	KEY_CANDIDATES,
	KEY_GOOD_ENOUGH,
	KEY_NO_SKIP,
	KEY_ORDER,
	KEY_GPU,
	KEY_GPU_MEMORY,
	KEY_GPU_BATCH,
	KEY_GPU_CHECK,
	KEY_NO_GPU_FALLBACK,
	KEY_PROFILE,
	KEY_DIGEST,
	KEY_STDIN_NAME,
	KEY_AS_FILE,
	KEY_UNPACK,
	KEY_FILES_FROM,
	KEY_NULL,
	KEY_EXCLUDE_FROM,
	KEY_EXCLUDE,
	KEY_FORCE,
	KEY_RESUME,
	KEY_NO_SYNC,
	KEY_JSON,
	KEY_VERIFY,
	KEY_REMOVE_SOURCE,
	KEY_REPORT,
	KEY_CONFIG,
	KEY_SET,
	KEY_SHOW_CONFIG
};

#define ORDER_NAMES "walk, path, revpath, size or similarity"
#define CODEC_NAMES "raw, lz4, lz4hc, lzext3, zstd or auto"

/* What -c may say, by enum mk_codec. */
struct mk_codec_choice {
	const char *name;
	const char *encoder; /* NULL: none */
	uint8_t reach_log; /* where --reach says nothing */
};

const struct mk_codec_choice *mk_codec_choice(enum mk_codec codec);

/* An option with a value. */
struct mk_setting {
	int key;
	/* 0 or a negative errno; the message comes from the caller. */
	int (*set)(struct mk_options *opt, const char *arg);
	const char *what; /* a good value */
	bool lzext3_only;
};

/* NULL: none of that key. */
const struct mk_setting *mk_setting_find(int key);

/* Reads the configuration (file NULL: where it is looked for) and enters what
 * is in force into opt. 0, or a negative errno, which has been explained on
 * stderr. */
int mk_config_settle(struct mk_options *opt, const char *file);

/* A key of the configuration that the command line gives and that the codec
 * does not know, NULL: none. */
const char *mk_config_misplaced(const struct mk_options *opt);

#endif
