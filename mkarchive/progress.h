/* SPDX-License-Identifier: MIT */
/*
 * progress - one line on a terminal that says how far the run is: stage, files,
 * bytes, MB/s, ETA; nothing when stderr is no terminal.
 *
 * Threads: a thread of its own draws the line from the run's counters.
 */
#ifndef MK_PROGRESS_H
#define MK_PROGRESS_H

#include "mk_run.h"

/* Starts the line when stderr is a terminal and not quiet; *ret NULL else.
 * Messages of run->diag must go through mk_progress_sink(). */
int mk_progress_start(struct mk_run *run, struct mk_progress **ret);
void mk_progress_stage(struct mk_progress *p, enum mk_stage stage);
void mk_progress_stop(struct mk_progress *p); /* accepts NULL */

/* As arc_sink_stderr(), but clears the line first. ctx: struct mk_run. */
void mk_progress_sink(void *ctx, enum arc_level level, const char *text);

#endif
