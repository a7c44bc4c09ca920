/* SPDX-License-Identifier: MIT */
#include "lzext3_find.h"

#define SHORT_BYTES 4
#define LONG_BYTES 8

int lzx_finder_init(struct lzx_finder *f, const struct lzx_settings *set)
{
	int err;

	*f = (struct lzx_finder){ .good_enough = set->good_enough };
	f->candidates[0] = set->candidates;
	f->candidates[1] = set->long_candidates;
	err = lzx_rows_init(&f->shorts, set->hash_log, f->candidates[0],
			    SHORT_BYTES);
	if (err == 0)
		err = lzx_rows_init(&f->longs, set->hash_log, f->candidates[1],
				    LONG_BYTES);
	if (err < 0)
		lzx_finder_fini(f);
	return err;
}

void lzx_finder_fini(struct lzx_finder *f)
{
	lzx_rows_fini(&f->shorts);
	lzx_rows_fini(&f->longs);
}

void lzx_finder_begin(struct lzx_finder *f, size_t n)
{
	lzx_rows_begin(&f->shorts, n);
	lzx_rows_begin(&f->longs, n);
}

void lzx_finder_enter(struct lzx_finder *f, const struct lzx_input *in,
		      uint32_t at, bool samples)
{
	lzx_rows_enter(&f->shorts, in, at, samples);
	lzx_rows_enter(&f->longs, in, at, samples);
}

unsigned lzx_find(struct lzx_finder *f, const struct lzx_input *in, uint32_t at,
		  struct lzx_pair *found)
{
	uint32_t best = LZX_MIN_MATCH - 1;
	unsigned n;

	lzx_finder_enter(f, in, at, false);
	n = lzx_rows_find(&f->shorts, in, at, f->candidates[0], f->good_enough,
			  best, found);
	if (n > 0)
		best = found[n - 1].len;
	if (best < f->good_enough && in->end - at > best)
		n += lzx_rows_find(&f->longs, in, at, f->candidates[1],
				   f->good_enough, best, found + n);
	return n;
}
