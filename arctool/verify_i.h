/* SPDX-License-Identifier: MIT */
/*
 * verify_i - from damaged pieces of an archive to the paths that use them.
 *
 * Threads: one owner.
 */
#ifndef TOOL_VERIFY_I_H
#define TOOL_VERIFY_I_H

#include "walk.h"

/* A damage that is kept: d.what is unused, what is a copy. */
struct tool_damage {
	struct arc_damage d;
	char what[48];
};

/*
 * Walks the whole tree and prints every entry that the n damages touch, with
 * the ranges of bytes: lines of text, or elements of a JSON array.
 */
int tool_verify_print_affected(struct tool *t, const struct tool_damage *damage,
			       size_t n, uint64_t *ret_affected);

#endif
