/* SPDX-License-Identifier: MIT */
/*
 * summary - what a finished run says at its end, for people or as JSON.
 *
 * Threads: one owner, after the run.
 */
#ifndef MK_SUMMARY_H
#define MK_SUMMARY_H

#include "mk_run.h"

/*
 * Prints to stdout: nothing when quiet, one JSON object with --json, else the
 * lines the manual describes (with -v also the counts of every stage of the
 * search for duplicates, and what each stage of the run has taken). -EIO when stdout cannot be written.
 */
int mk_summary_print(const struct mk_run *run);

#endif
