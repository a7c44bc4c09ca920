/* SPDX-License-Identifier: MIT */
/*
 * config - the values that tune the programs: one table of all keys, and where
 * the value of each comes from.
 *
 *	command line > environment > file > default
 *
 * A value is offered with its source, and what counts less than what is there
 * already is dropped: so the sources may come in any order. The file is
 * described in arcfs.conf(5), which is made from the table, as the sample file
 * is.
 *
 * Threads: pure; a struct arc_config has one owner.
 */
#ifndef ARC_CONFIG_H
#define ARC_CONFIG_H

#include <stdio.h>

#include "diag.h"

enum arc_config_id {
	ARC_CONFIG_MAX_WORKER_THREADS,
	ARC_CONFIG_NUM_SCAN_WORKERS,
	ARC_CONFIG_NUM_IO_WORKERS,
	ARC_CONFIG_NUM_READERS,
	ARC_CONFIG_BUFFER_SIZE,
	ARC_CONFIG_READ_BUFFER_BATCHES,
	ARC_CONFIG_WRITE_BUFFER_BATCHES,
	ARC_CONFIG_HASH_LOG,
	ARC_CONFIG_HASH_CANDIDATES,
	ARC_CONFIG_GOOD_ENOUGH_MATCH,
	ARC_CONFIG_SKIP_COMPRESSED,
	ARC_CONFIG_FORCE_CPU_MODE,
	ARC_CONFIG_GPU_FALLBACK_ENABLED,
	ARC_CONFIG_COMPRESSOR_BATCH_SIZE,
	ARC_CONFIG_DECOMPRESSOR_BATCH_SIZE,
	ARC_CONFIG_GPU_TIMEOUT,
	ARC_CONFIG_KEYS
};

enum arc_config_kind {
	ARC_CONFIG_NUMBER,
	ARC_CONFIG_SIZE, /* bytes */
	ARC_CONFIG_SWITCH /* yes, no */
};

enum arc_config_program {
	ARC_CONFIG_MKARCHIVE = 1,
	ARC_CONFIG_ARCFS = 2,
	ARC_CONFIG_ARCTOOL = 4
};

/* One row of the table. */
struct arc_config_key {
	const char *name;
	const char *unit; /* "threads"; NULL: none */
	const char *automatic; /* what is done without a value; NULL: the
				* fallback is one */
	const char *about; /* sentences */
	const char *options; /* of the command line that say the same, NULL:
			      * none */
	uint64_t min, max; /* both are allowed */
	uint64_t fallback; /* 0 where something is automatic */
	uint64_t example; /* there: a sensible value */
	enum arc_config_kind kind;
	unsigned programs; /* enum arc_config_program, or'ed: who uses it */
	bool environment; /* a variable of that name is heard, too */
};

extern const struct arc_config_key arc_config_keys[ARC_CONFIG_KEYS];

/* A higher one is not overridden by a lower one. */
enum arc_config_source {
	ARC_CONFIG_DEFAULT,
	ARC_CONFIG_FILE,
	ARC_CONFIG_ENVIRONMENT,
	ARC_CONFIG_COMMAND
};

struct arc_config_value {
	uint64_t number;
	enum arc_config_source source;
	unsigned line; /* of the file */
};

struct arc_config {
	struct arc_config_value value[ARC_CONFIG_KEYS];
	char *path; /* of the file that was read; NULL: none was */
};

void arc_config_init(struct arc_config *c); /* to the defaults */
void arc_config_fini(struct arc_config *c);

/* 0 where something automatic is wanted; a switch: 0 or 1. */
static inline uint64_t arc_config_number(const struct arc_config *c,
					 enum arc_config_id id)
{
	return c->value[id].number;
}

static inline bool arc_config_is_from(const struct arc_config *c,
				      enum arc_config_id id,
				      enum arc_config_source source)
{
	return c->value[id].source == source;
}

/* "98M", "1G", "512K", "65536": powers of 1024, up to T; -EINVAL, -EOVERFLOW. */
int arc_size_parse(const char *text, uint64_t *ret);

/* -EINVAL, -EOVERFLOW: the key does not allow that. */
int arc_config_offer(struct arc_config *c, enum arc_config_id id,
		     const char *text, enum arc_config_source source);

/* The same with "KEY=VALUE" of the command line; -EINVAL: no such key, too. */
int arc_config_assign(struct arc_config *c, const char *text);

/*
 * Hears the environment and reads the file: `path`, or without one the first
 * that is there and may be read of $XDG_CONFIG_HOME/arcfs/config and
 * /etc/arcfs.conf, if any. An unknown key is a warning; what is wrong is said
 * to diag with its line, and -EINVAL.
 */
int arc_config_load(struct arc_config *c, const char *path,
		    struct arc_diag *diag);

/* Every key that the program uses, its value and where that comes from, as a
 * file that could be read again. */
void arc_config_print(const struct arc_config *c,
		      enum arc_config_program program, FILE *out);

/* "a number from 1 to 64", "a size from 1M to 64G", "yes or no". */
void arc_config_allowed(enum arc_config_id id, char *out, size_t cap);

/* Its default: "4", "16M", "by level". */
void arc_config_fallback(enum arc_config_id id, char *out, size_t cap);

/* What a sample shows: the default, where it is a value. */
void arc_config_example(enum arc_config_id id, char *out, size_t cap);

#define ARC_CONFIG_TEXT 80 /* room enough for any of them */

#endif
