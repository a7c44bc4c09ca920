/* SPDX-License-Identifier: MIT */
/*
 * status_i - what the files of the verb status share: a mount's counters
 * (user.arcfs.stats, see arcfs(1)) as they were at one moment.
 *
 * They come from another program, perhaps of another version: what is missing
 * counts as 0, and strings are shown escaped.
 */
#ifndef TOOL_STATUS_I_H
#define TOOL_STATUS_I_H

#include <jansson.h>

#include "tool.h"

struct tool_status {
	const char *root; /* where it is mounted */
	const char *archive; /* as the mount table has it; NULL: not known */
	json_t *now;
	json_t *before; /* of the look before, for rates; NULL: there is none */
};

/* The table for people. */
void tool_status_print(const struct tool_status *s);

#endif
