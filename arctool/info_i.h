/* SPDX-License-Identifier: MIT */
/*
 * info_i - what `info` tells, put together once for people and for machines.
 *
 * Threads: one owner.
 */
#ifndef TOOL_INFO_I_H
#define TOOL_INFO_I_H

#include "tool.h"

#define TOOL_INFO_NAME_ROOM 4352 /* a path and a volume number */

/* A volume, or several that are missing one after the other. */
struct tool_info_run {
	uint32_t first;
	uint32_t last;
	int err;
	uint64_t bytes;
};

/* What a read at a random place costs, over some segments. */
struct tool_closure {
	uint64_t segments;
	uint64_t bytes; /* raw ones, of what each needs and of itself */
	uint64_t max; /* the most that one segment takes */
};

struct tool_closures {
	struct tool_closure all;
	struct tool_closure codec[ARC_CODEC_COUNT];
	uint64_t reach[ARC_GROUP_LOG_MAX + 1]; /* frames, by group_log */
	uint64_t unknown; /* frames whose tables cannot be read */
};

struct tool_info {
	uint64_t frames;
	uint64_t volumes; /* of the set */
	uint64_t absent; /* of these: missing, foreign or damaged */
	uint64_t out; /* bytes of the volumes that are there */
	struct arc_buf runs; /* struct tool_info_run, ascending */
	bool surveyed; /* closures is known */
	struct tool_closures closures;
};

/* The caller releases ret->runs, on failure too. */
int tool_info_sum_up(struct tool *t, struct tool_info *ret);

/* Reads the table of every frame. What cannot be read is counted: -ENOMEM. */
int tool_info_closures(struct tool *t, struct tool_closures *ret);

/* The i-th run of volumes, NULL past the end. */
const struct tool_info_run *tool_info_run_at(const struct tool_info *info,
					     size_t i);

/* Percent saved of what went in; only true when every volume is there. */
double tool_info_reduction(const struct arc_summary *s,
			   const struct tool_info *info);
double tool_info_ratio(uint64_t in, uint64_t out); /* 0 for nothing */
double tool_info_mean(const struct tool_closure *c); /* bytes for a segment */

/* What the writer said about an option (ret_n bytes); NULL: nothing. */
const char *tool_info_option(struct tool *t, const char *key, size_t *ret_n);
bool tool_info_number(const char *text, size_t n, uint64_t *ret);

int tool_info_print_json(struct tool *t, const struct tool_info *info);

#endif
