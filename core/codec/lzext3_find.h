/* SPDX-License-Identifier: MIT */
/*
 * lzext3_find - the match finder of levels 3 to 9: rows of places with the
 * same four bytes, for what is near and short, and rows of places with the
 * same eight, for long matches that would be pushed out of the former by the
 * many short ones.
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_FIND_H
#define ARC_LZEXT3_FIND_H

#include "lzext3_rows.h"

#define LZX_FOUND_MAX (2 * LZX_ROW_MAX)

struct lzx_finder {
	struct lzx_rows shorts;
	struct lzx_rows longs;
	unsigned candidates[2]; /* of each */
	unsigned good_enough;
};

int lzx_finder_init(struct lzx_finder *f, const struct lzx_settings *set);
void lzx_finder_fini(struct lzx_finder *f);
void lzx_finder_begin(struct lzx_finder *f, size_t n);

/* Enters positions before `at`, every one, or samples only. */
void lzx_finder_enter(struct lzx_finder *f, const struct lzx_input *in,
		      uint32_t at, bool samples);

/* Enters what lies before `at` and finds matches there: with ascending
 * lengths. Returns how many, at most LZX_FOUND_MAX. */
unsigned lzx_find(struct lzx_finder *f, const struct lzx_input *in, uint32_t at,
		  struct lzx_pair *found);

#endif
