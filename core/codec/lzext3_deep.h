/* SPDX-License-Identifier: MIT */
/*
 * lzext3_deep - the match finder of levels 7 to 9. A parser that weighs all
 * ways wants two things of a position:
 *
 * - *near*: for each short length the nearest place, since the distance's bytes
 *   are most of what such a match costs. A table for each length holds the
 *   latest place of each hash and nothing else.
 * - *long*: the longest match, and the nearest that are longer than all nearer
 *   ones. A row for each hash of eight bytes holds the latest places in a ring,
 *   each with some more of its hash, so that one wide comparison says which are
 *   worth a look.
 *
 *	place:  hash (8 bits) | position + 1 (24 bits)
 *
 * Places of the short lengths are wanted from all over the reach, though most
 * of those matches save nothing: they bring in a distance that what follows may
 * repeat for nothing. (Limited to two bytes of distance they would fit half the
 * memory, and kernel source grows by 1 %.)
 *
 * Every position is entered, and nearly all of that misses the cache, which is
 * what a finder's time goes into. Positions are therefore hashed a little ahead
 * of being entered, and their memory asked for. More rows of fewer places are
 * better here than the other way round.
 *
 * Binary trees (BT4 of LZMA) made kernel source 1 % smaller at a reach of 1M
 * and 2 % at 16M, in about four times the time.
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_DEEP_H
#define ARC_LZEXT3_DEEP_H

#include "lzext3_enc_i.h"

#define LZX_NEARS 4 /* lengths, from LZX_MIN_MATCH on */
#define LZX_LONG (LZX_MIN_MATCH + LZX_NEARS) /* the first beyond them */
#define LZX_DEEP_MAX 64 /* places in a row: 16, 32 or 64 */
#define LZX_AHEAD 8 /* positions hashed before they are entered */

/* Where a position is entered. */
struct lzx_slots {
	uint32_t near[LZX_NEARS]; /* index in near */
	uint32_t row; /* below the bits of the hash that go with a place */
};

struct lzx_deep {
	uint32_t *near; /* positions: a table for each length */
	uint32_t *place; /* rows */
	uint8_t *head; /* per row: slot of the latest */
	unsigned log; /* of places in rows */
	unsigned near_log; /* of places for a length */
	unsigned width_log; /* of places in a row */
	unsigned candidates;
	unsigned good_enough;
	unsigned row_bits; /* of a hash, that name a row; by group */
	unsigned near_bits; /* and that name a near place */
	uint32_t next; /* position not entered yet */
	uint32_t hashed; /* and not hashed */
	struct lzx_slots slots[LZX_AHEAD]; /* of next and those behind it */
};

struct lzx_long {
	uint32_t len;
	uint32_t dist;
};

struct lzx_found {
	uint32_t near[LZX_NEARS]; /* distances; 0: none */
	uint32_t n;
	struct lzx_long item[LZX_DEEP_MAX]; /* each longer than those before */
};

int lzx_deep_init(struct lzx_deep *f, const struct lzx_settings *set);
void lzx_deep_fini(struct lzx_deep *f);
void lzx_deep_begin(struct lzx_deep *f, size_t n);

/* Enters positions before `at`, every one, or samples only. */
void lzx_deep_enter(struct lzx_deep *f, const struct lzx_input *in, uint32_t at,
		    bool samples);

/*
 * Enters what lies before `at`, which has LZX_LONG bytes of in, and finds
 * matches there. One of good_enough bytes ends the search. Lengths end where
 * in does.
 */
void lzx_deep_find(struct lzx_deep *f, const struct lzx_input *in, uint32_t at,
		   struct lzx_found *found);

#endif
