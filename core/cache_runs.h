/* SPDX-License-Identifier: MIT */
/*
 * cache_runs - notices who reads the stream in order, and says which pieces of
 * it will be wanted next. What is read counts, not how far apart it lies: who
 * reads here and there never makes a run.
 *
 *	stream  ...|####|####|>> . . |  piece  |  piece  |...
 *	             a run's ^        \_ asked for, at most as far ahead as
 *	              reader              the run is long, and as `window`
 *
 * Threads: none; whoever shares it locks.
 */
#ifndef ARC_CACHE_RUNS_H
#define ARC_CACHE_RUNS_H

#include "base.h"

#define ARC_RUNS 8 /* readers told apart */
#define ARC_RUNS_ASKED 64 /* pieces asked for and not taken; a power of two */

struct arc_runs_policy {
	uint64_t piece; /* bytes asked for at once, from a multiple of it on */
	uint64_t near; /* so far from a reader's place is still his */
	uint64_t begin; /* bytes read in order before anything is asked for */
	uint64_t window; /* how far ahead; less than `piece`: nothing ever */
	uint64_t behind; /* so far behind him nothing is expected any more of
			  * who has read as much in order */
};

struct arc_run {
	uint64_t at; /* how far the reader is; 0: no run */
	uint64_t read; /* bytes */
	uint64_t asked; /* how far pieces have been asked for */
	uint64_t passed; /* how far it has been told that he is past it */
	uint64_t noted; /* when, by count of notes */
};

struct arc_runs {
	struct arc_runs_policy policy;
	struct arc_run run[ARC_RUNS];
	uint64_t notes;
	uint64_t longest; /* bytes read by one reader in order, ever */
	uint64_t asked[ARC_RUNS_ASKED]; /* offsets of the stream, a ring */
	uint64_t put, taken;
};

/* Forgets what was asked for; goes on with other rules. */
void arc_runs_init(struct arc_runs *r, const struct arc_runs_policy *policy);

/*
 * [off, off + n) has been read. fresh: it was not there already, or is used for
 * the first time since it came by being asked for. True: something was asked
 * for by that.
 */
bool arc_runs_note(struct arc_runs *r, uint64_t off, size_t n, bool fresh);

/* Whether who reads at `off` reads in order. Where nothing is ever asked for
 * everybody may be. */
bool arc_runs_is_order(const struct arc_runs *r, uint64_t off);

/* What the reader who has come to `at` is past, since it was told last: false:
 * nothing. */
bool arc_runs_pass(struct arc_runs *r, uint64_t at, uint64_t *ret_from,
		   uint64_t *ret_to);

/* The next piece that a reader has yet to come to; false: there is none. */
bool arc_runs_take(struct arc_runs *r, uint64_t *ret);

#endif
