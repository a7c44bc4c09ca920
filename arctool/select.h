/* SPDX-License-Identifier: MIT */
/*
 * select - the paths that were asked for, as a choice over the walk of a tree.
 * A path stands for itself and everything below it. No path at all stands for
 * the whole archive.
 *
 * Threads: frozen after tool_select_find().
 */
#ifndef TOOL_SELECT_H
#define TOOL_SELECT_H

#include "tool.h"

enum tool_choice {
	TOOL_SKIP,
	TOOL_PASS, /* a directory on the way to something chosen */
	TOOL_TAKE /* chosen, with everything below */
};

struct tool_select {
	char **path; /* sorted, without slashes at either end */
	size_t n;
	size_t cap;
	bool all;
	bool missing; /* something asked for is not in the archive */
};

/*
 * The paths of the request and of its --files-from. What is not in the archive
 * is said, left out, and remembered in ret->missing. -EINVAL for "..", which
 * is said too. End with tool_select_fini(), after an error as well.
 */
int tool_select_find(struct tool *t, struct tool_select *ret);
void tool_select_fini(struct tool_select *s);
ARC_DEFINE_CLEANUP(struct tool_select, tool_select_fini)

/* path: as the walk has it, n bytes and a NUL. */
enum tool_choice tool_select_choose(const struct tool_select *s,
				    const char *path, size_t n);

#endif
