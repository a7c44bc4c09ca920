/* SPDX-License-Identifier: MIT */
/*
 * lzext3_find - the match finder of levels 3 to 6: the latest places with the
 * same four bytes, for what is near and short, and those with the same eight,
 * for long matches that would be pushed out by the many short ones.
 *
 * A hash names a row; a row keeps its latest places in a ring and, beside them,
 * a byte of each one's hash, so that one wide comparison says which places are
 * worth a look (the arrangement of zstd's row-based match finder).
 *
 *	row:  head | tag tag tag ... | place place place ...
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_FIND_H
#define ARC_LZEXT3_FIND_H

#include "lzext3_enc_i.h"

#define LZX_ROW_MAX 64 /* places in a row: 16, 32 or 64 */

/* A match and the bytes it saves against literals; len 0: none. */
struct lzx_gain {
	uint32_t len;
	uint32_t dist;
	int bytes;
};

struct lzx_rows {
	uint32_t *place; /* position + 1 */
	uint8_t *tag;
	uint8_t *head; /* per row: slot of the latest */
};

struct lzx_finder {
	struct lzx_rows shorts;
	struct lzx_rows longs;
	unsigned log; /* of places in each */
	unsigned width_log; /* of places in a row */
	unsigned row_bits; /* of a hash, that name a row; by group */
	unsigned candidates; /* with the same four bytes */
	unsigned long_candidates; /* with the same eight */
	unsigned good_enough;
	uint32_t next; /* position not entered yet */
};

int lzx_finder_init(struct lzx_finder *f, const struct lzx_settings *set);
void lzx_finder_fini(struct lzx_finder *f);
void lzx_finder_begin(struct lzx_finder *f, size_t n);

/* Enters positions before `at`, every one, or samples only. */
void lzx_finder_enter(struct lzx_finder *f, const struct lzx_input *in,
		      uint32_t at, bool samples);

/*
 * A match of len bytes ends at `at`: of a long one only samples are entered.
 * What it repeats has been entered before, and must not be pushed out.
 */
static inline void lzx_finder_pass(struct lzx_finder *f,
				   const struct lzx_input *in, uint32_t at,
				   uint32_t len)
{
	if (len > LZX_SKIM)
		lzx_finder_enter(f, in, at, true);
}

/* Takes the match if it saves more. */
static inline void lzx_consider(uint32_t len, uint32_t dist,
				uint32_t dist_bytes, struct lzx_gain *best)
{
	int bytes = (int)len - (int)(1 + dist_bytes + lzx_len_bytes(len));

	if (bytes > best->bytes)
		*best = (struct lzx_gain){ len, dist, bytes };
}

/*
 * Enters what lies before `at` and considers the matches there, long ones
 * first: nothing but what saves more than *best is looked at closely. One of
 * good_enough bytes ends the search. Lengths end where in does.
 */
void lzx_find_best(struct lzx_finder *f, const struct lzx_input *in,
		   uint32_t at, struct lzx_gain *best);

#endif
