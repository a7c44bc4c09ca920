/* SPDX-License-Identifier: MIT */
/*
 * lzext3_write - the streams of a segment, while it is encoded. Levels whose
 * parser takes what it finds write each match at once; the others have a list
 * of matches written when it is complete.
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_WRITE_H
#define ARC_LZEXT3_WRITE_H

#include "lzext3_enc_i.h"

#define LZX_WILD 32 /* literals may be copied in steps of so many */

/* Where they are kept, with room for an item more and for a step. */
struct lzx_writer {
	uint8_t lo[LZX_TOKENS_MAX * 2 + 2];
	uint8_t x16[1024];
	uint8_t tok[LZX_TOKENS_MAX];
	uint8_t hi[LZX_TOKENS_MAX + 1];
	uint8_t x8[LZX_TOKENS_MAX * 2 + 1];
	uint8_t lit[ARC_SEGMENT_SIZE + LZX_WILD];
};

/* Their ends so far. A parser keeps these in variables of its own: behind a
 * pointer they would be loaded anew after each byte that is written. */
struct lzx_streams {
	uint8_t *lo, *x16, *tok, *hi, *x8, *lit;
	uint32_t last; /* distance; 0: none yet */
};

static inline struct lzx_streams lzx_streams_begin(struct lzx_writer *w)
{
	return (struct lzx_streams){ .lo = w->lo,
				     .x16 = w->x16,
				     .tok = w->tok,
				     .hi = w->hi,
				     .x8 = w->x8,
				     .lit = w->lit };
}

static inline void lzx_put16(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)v;
	to[1] = (uint8_t)(v >> 8);
}

/*
 * An extension of n, if `more`. Streams are written to whether or not a match
 * takes an item, and their ends moved by what it takes: of that, a processor
 * could not foresee much.
 */
static inline void lzx_put_more(struct lzx_streams *t, uint32_t n,
				uint32_t more)
{
	*t->x8 = (uint8_t)ARC_MIN(n, LZX_X8_MORE);
	t->x8 += more;
	if (more && n >= LZX_X8_MORE) {
		lzx_put16(t->x16, n - LZX_X8_MORE);
		t->x16 += 2;
	}
}

/* Writes the distance; returns K. */
static inline uint32_t lzx_put_distance(struct lzx_streams *t, uint32_t dist)
{
	uint32_t k = dist == t->last ? 0 : lzx_dist_bytes(dist);

	lzx_put16(t->lo, dist);
	t->lo += k & 2;
	*t->hi = (uint8_t)(dist >> ((k & 2) * 8));
	t->hi += k & 1;
	t->last = dist;
	return k;
}

/* A match of len bytes behind `lit` literals. */
static inline void lzx_put_match(struct lzx_streams *t, uint32_t lit,
				 uint32_t len, uint32_t dist)
{
	uint32_t k = lzx_put_distance(t, dist);
	uint32_t l = ARC_MIN(lit, LZX_LIT_MORE);
	uint32_t m = ARC_MIN(len - LZX_MIN_MATCH, LZX_LEN_MORE);

	*t->tok++ = (uint8_t)(l << 6 | k << 4 | m);
	lzx_put_more(t, lit - LZX_LIT_MORE, l == LZX_LIT_MORE);
	lzx_put_more(t, len - LZX_MIN_MATCH - LZX_LEN_MORE, m == LZX_LEN_MORE);
}

/* n literals, of which LZX_WILD can be read. */
static inline void lzx_put_literals(struct lzx_streams *t, const uint8_t *from,
				    size_t n)
{
	if (__builtin_expect(n <= LZX_WILD, 1))
		memcpy(t->lit, from, LZX_WILD);
	else
		memcpy(t->lit, from, n);
	t->lit += n;
}

/* The last literals, wherever they are. */
static inline void lzx_put_tail(struct lzx_streams *t, const uint8_t *from,
				size_t n)
{
	memcpy(t->lit, from, n);
	t->lit += n;
}

/* Writes the segment's matches; returns the earliest position in the group that
 * one copies from, in->off if that is not before the segment. */
uint32_t lzx_write(struct lzx_streams *t, const struct lzx_input *in,
		   const struct lzx_matches *m);

/* Puts the streams together; returns their bytes, 0 when these are more than
 * cap. Fills in the counts of x. */
size_t lzx_collect(const struct lzx_writer *w, const struct lzx_streams *t,
		   uint8_t *out, size_t cap, struct arc_disk_lzext3 *x);

#endif
