/* SPDX-License-Identifier: MIT */
/*
 * lzext3_rows - finds matches among the latest places with the same
 * hash. A hash names a row; a row keeps its last places in a ring and, beside
 * them, a byte of each one's hash, so that one wide comparison says which
 * places are worth a look (the arrangement of zstd's row-based match finder).
 *
 *	row:  head | tag tag tag ... | position position position ...
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_ROWS_H
#define ARC_LZEXT3_ROWS_H

#include "lzext3_enc_i.h"

#define LZX_ROW_MAX 64 /* places in a row */

struct lzx_pair {
	uint32_t len;
	uint32_t dist;
};

struct lzx_rows {
	unsigned log; /* of places in the table */
	unsigned used_log; /* of these, used for the group */
	unsigned width_log; /* of places in a row */
	unsigned bytes; /* that are hashed */
	uint32_t *place; /* position + 1 */
	uint8_t *tag;
	uint8_t *head; /* per row: slot of the latest */
	uint32_t next; /* position not entered yet */
};

/* A row has as many places as `candidates`, rounded up to a power of 2. */
int lzx_rows_init(struct lzx_rows *r, unsigned log, unsigned candidates,
		  unsigned bytes);
void lzx_rows_fini(struct lzx_rows *r);
void lzx_rows_begin(struct lzx_rows *r, size_t n);

/* Enters positions up to `at`, every one, or samples only. */
void lzx_rows_enter(struct lzx_rows *r, const struct lzx_input *in, uint32_t at,
		    bool samples);

/*
 * Puts matches at `at` that are longer than `best` and than each nearer one
 * into `found` (LZX_ROW_MAX of them at most), nearest first; returns how many.
 * At most `candidates` are compared; one of `good_enough` bytes ends the
 * search. Lengths end where in does.
 */
unsigned lzx_rows_find(const struct lzx_rows *r, const struct lzx_input *in,
		       uint32_t at, unsigned candidates, unsigned good_enough,
		       uint32_t best, struct lzx_pair *found);

#endif
