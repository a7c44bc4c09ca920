/* SPDX-License-Identifier: MIT */
/*
 * walk - goes over the tree of an archive without recursion, in the order of
 * the names: a directory, what it holds, then once more the directory as it is
 * left. What is damaged is handed out as such, and the walk goes on behind it.
 *
 * A hostile index is survived: every directory must name as its parent the one
 * it was found in, and no more directories are entered than there are inodes,
 * so neither a loop nor a directory that is found over and over ends badly.
 *
 * Threads: one owner.
 */
#ifndef TOOL_WALK_H
#define TOOL_WALK_H

#include "select.h"

struct tool_walk;

enum tool_step {
	TOOL_STEP_ENTRY, /* an entry; a directory before what it holds */
	TOOL_STEP_LEAVE, /* the directory `path` is done */
	TOOL_STEP_BAD /* something cannot be read: err */
};

/* Pointers are valid until the next step. */
struct tool_entry {
	enum tool_step step;
	const char *path; /* from the root, NUL-terminated; the root: "" */
	size_t path_len;
	const char *name; /* the last part of path */
	struct arc_inode inode; /* ENTRY and LEAVE */
	bool taken; /* false: only on the way to something chosen */

	/* BAD: entries [first, first + count) of the directory `path`, or,
	 * with count 0, the entry `path` itself. */
	int err;
	uint64_t first;
	uint64_t count;
};

/* Borrows t and select. */
int tool_walk_new(struct tool *t, const struct tool_select *select,
		  struct tool_walk **ret);
void tool_walk_free(struct tool_walk *w); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct tool_walk, tool_walk_free)

/* 1: *ret is the next step. 0: the end. A negative errno (said) ends it. */
int tool_walk_next(struct tool_walk *w, struct tool_entry *ret);

/* The directory just handed out is not entered, and not left either. */
void tool_walk_skip(struct tool_walk *w);

/* Says what a BAD step is about. */
void tool_walk_say_bad(struct tool *t, const struct tool_entry *bad);

#endif
