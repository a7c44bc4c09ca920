/* SPDX-License-Identifier: MIT */
/*
 * bench_report - the figures as Markdown tables for people, or as one JSON
 * object for scripts.
 *
 * Threads: one owner.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench_measure.h"

/* The rows of one input, with their figures. */
struct bench_table {
	const struct bench_options *opt;
	const char *name; /* of the input */
	size_t bytes;
	const struct bench_row *rows;
	size_t count;
	/* Rows that others are compared with; NULL: --no-reference */
	const struct bench_row *lz4;
	const struct bench_row *hc9;
	const struct bench_row *hc12;
};

/* What stands above all tables: machine, versions, settings. */
void bench_report_head(const struct bench_options *opt);
void bench_report_table(const struct bench_table *table);

/* "- machine: ...", a line of such a head. */
void bench_report_machine(void);

/* The same as JSON: a head (released with json_decref()), tables that are added
 * to it, and all of it printed. -ENOMEM, -EIO. */
struct json_t;
struct json_t *bench_json_head(const struct bench_options *opt);
int bench_json_table(struct json_t *head, const struct bench_table *table);
int bench_json_print(struct json_t *head);

/* "1M", "64K", "auto" */
#define BENCH_REACH_ROOM 16
const char *bench_reach_text(const struct arc_encoder_params *params,
			     char ret[BENCH_REACH_ROOM]);

#endif
