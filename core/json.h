/* SPDX-License-Identifier: MIT */
/*
 * json - what the programs say to other programs: how bytes that need not be
 * text are put into JSON, which knows nothing but text.
 *
 * Threads: pure.
 */
#ifndef ARC_JSON_H
#define ARC_JSON_H

#include <stdio.h>

#include "base.h"

struct json_t;

/*
 * Sets object[key] to the bytes as a string. Where they are no UTF-8 text, the
 * string has U+FFFD in the place of what is not, and object[key_hex] holds the
 * exact bytes. -ENOMEM.
 */
int arc_json_set(struct json_t *object, const char *key, const void *bytes,
		 size_t n);

/* Sets object[key] to the bytes in lower-case hex. -ENOMEM. */
int arc_json_set_hex(struct json_t *object, const char *key, const void *bytes,
		     size_t n);

/* Prints on one line (with `after` behind it) and releases object. */
int arc_json_line(struct json_t *object, FILE *to, const char *after);

/* What kind of entry a mode speaks of: "file", "directory", "symlink", "char",
 * "block", "fifo", "socket". */
const char *arc_json_type(uint32_t mode);

/* An unsigned number of the archive as JSON has it (signed, 64 bits). */
static inline long long arc_json_int(uint64_t n)
{
	return (long long)ARC_MIN(n, (uint64_t)INT64_MAX);
}

#endif
