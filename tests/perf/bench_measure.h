/* SPDX-License-Identifier: MIT */
/*
 * bench_measure - runs coders over one input and takes the time. The rows of a
 * table take turns: every one of them once a round, so that a machine whose
 * speed drifts is as fair to each.
 *
 * Threads: one owner; decoding with all cores starts its own.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <time.h>

#include "bench_coder.h"

/* By round; bytes and seconds. */
struct bench_figures {
	double encode[BENCH_ROUNDS_MAX]; /* B/s of CPU time; encode_rounds */
	double decode[BENCH_ROUNDS_MAX]; /* B/s of CPU time */
	double decode_all[BENCH_ROUNDS_MAX]; /* B/s, all threads together */
	double read_mean[BENCH_ROUNDS_MAX]; /* CPU time of a cold read */
	double read_p95[BENCH_ROUNDS_MAX];
	double closure; /* mean raw bytes decoded for a cold read */
	uint64_t stored; /* bytes of the coded input */
};

struct bench_row {
	char name[64];
	const struct bench_coder *coder;
	struct bench_setting setting;
	struct bench_figures fig;

	/* bench_measure.c's */
	size_t piece_size;
	size_t piece_count;
	struct bench_piece *pieces;
	void *encoder;
	void *decoder;
};

/*
 * Fills in the figures of n rows, which have a name, a coder and a setting.
 * Everything decoded is compared with the input once. Says what is wrong:
 * -EBADMSG when the bytes differ.
 */
int bench_measure(const struct bench_options *opt, struct arc_span input,
		  struct bench_row *rows, size_t n, struct arc_diag *diag);

/* Seconds of a clock. */
double bench_now(clockid_t clock);

/* Puts n values in ascending order. */
void bench_sort(double *values, size_t n);

/* ---- all cores (bench_parallel.c) --------------------------------------- */

/*
 * Each of `threads` threads decodes all pieces `passes` times, starting at a
 * piece of its own, into room + its number * row->piece_size. Says how many
 * seconds it was from the first start to the last end.
 */
int bench_decode_parallel(const struct bench_row *row, unsigned threads,
			  unsigned passes, uint8_t *room, double *ret);

#endif
