/* SPDX-License-Identifier: MIT */
/*
 * meter - one progress line on a terminal: bytes, percent, MB/s. Nothing when
 * stderr is no terminal: there is no meter then, and every function accepts
 * NULL.
 *
 * Threads: locked inside.
 */
#ifndef TOOL_METER_H
#define TOOL_METER_H

#include "base.h"

struct tool_meter;

/* what: "checked", borrowed. *ret is NULL when there is nothing to draw on. */
int tool_meter_new(const char *what, struct tool_meter **ret);
void tool_meter_free(struct tool_meter *m); /* clears the line */
ARC_DEFINE_CLEANUP(struct tool_meter, tool_meter_free)

/* total 0: not known */
void tool_meter_total(struct tool_meter *m, uint64_t total);
void tool_meter_set(struct tool_meter *m, uint64_t done);
void tool_meter_add(struct tool_meter *m, uint64_t more);

/* Clears the line, so that something else can be printed. */
void tool_meter_clear(struct tool_meter *m);

#endif
