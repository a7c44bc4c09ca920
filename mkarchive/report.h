/* SPDX-License-Identifier: MIT */
/*
 * report - what became of every file, for other programs: lines of JSON, an
 * object each. First a line for each problem, as it is met; then, when the set
 * is finished, one for each entry, as the index of the set has it.
 *
 * Threads: problems are locked inside; the rest has one owner.
 */
#ifndef MK_REPORT_H
#define MK_REPORT_H

#include "mk_run.h"

/* path "-": standard output. Says what is wrong. */
int mk_report_open(const char *path, struct arc_diag *diag,
		   struct mk_report **ret);

/* A line {"path", "problem"}. path: n bytes, relative to the source where that
 * has entries. */
void mk_report_problem(struct mk_report *r, const void *path, size_t n,
		       const char *what);

/* The lines of all entries of a finished set. -EIO when they cannot be written,
 * and what arc_archive_open() answers; said. */
int mk_report_entries(struct mk_report *r, struct mk_run *run,
		      struct mk_tree *tree);

/* The file that it is written to. */
int mk_report_fd(const struct mk_report *r);

/* -EIO when not all could be written. Accepts NULL. */
int mk_report_close(struct mk_report *r);

#endif
