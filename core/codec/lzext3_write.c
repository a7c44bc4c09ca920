/* SPDX-License-Identifier: MIT */
#include "lzext3_enc_i.h"

/* Ends of the streams so far. */
struct tips {
	uint8_t *lo, *x16, *tok, *hi, *x8, *lit;
};

static inline void put16(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)v;
	to[1] = (uint8_t)(v >> 8);
}

/*
 * An extension of n, if `more`. Streams are written to whether or not a match
 * takes an item, and their ends moved by what it takes: of that, a processor
 * could not foresee much.
 */
static inline void put_more(struct tips *t, uint32_t n, uint32_t more)
{
	*t->x8 = (uint8_t)ARC_MIN(n, LZX_X8_MORE);
	t->x8 += more;
	if (more && n >= LZX_X8_MORE) {
		put16(t->x16, n - LZX_X8_MORE);
		t->x16 += 2;
	}
}

/* Writes the distance; returns K. */
static inline uint32_t put_distance(struct tips *t, uint32_t dist,
				    uint32_t last)
{
	uint32_t k = dist == last ? 0 : lzx_dist_bytes(dist);

	put16(t->lo, dist);
	t->lo += k & 2;
	*t->hi = (uint8_t)(dist >> ((k & 2) * 8));
	t->hi += k & 1;
	return k;
}

static inline void put_match(struct tips *t, const struct lzx_match *m,
			     uint32_t last)
{
	uint32_t k = put_distance(t, m->dist, last);
	uint32_t l = ARC_MIN(m->lit, LZX_LIT_MORE);
	uint32_t len = ARC_MIN(m->len - LZX_MIN_MATCH, LZX_LEN_MORE);

	*t->tok++ = (uint8_t)(l << 6 | k << 4 | len);
	put_more(t, m->lit - LZX_LIT_MORE, l == LZX_LIT_MORE);
	put_more(t, m->len - LZX_MIN_MATCH - LZX_LEN_MORE, len == LZX_LEN_MORE);
}

/* May write up to 15 bytes more than n, and read as many where they are. */
static inline void put_literals(struct tips *t, const uint8_t *from, size_t n,
				size_t readable)
{
	if (n <= 16 && readable >= 16)
		memcpy(t->lit, from, 16);
	else
		memcpy(t->lit, from, n);
	t->lit += n;
}

static size_t collect(const struct lzx_writer *w, const struct tips *t,
		      uint8_t *out, size_t cap, struct arc_disk_lzext3 *x)
{
	const struct {
		const uint8_t *p, *end;
	} streams[] = { { w->lo, t->lo },   { w->x16, t->x16 },
			{ w->tok, t->tok }, { w->hi, t->hi },
			{ w->x8, t->x8 },   { w->lit, t->lit } };
	size_t n = 0;

	for (size_t i = 0; i < ARC_COUNT(streams); i++)
		n += (size_t)(streams[i].end - streams[i].p);
	if (n + n % 2 > cap)
		return 0;
	for (size_t i = 0; i < ARC_COUNT(streams); i++) {
		size_t part = (size_t)(streams[i].end - streams[i].p);

		memcpy(out, streams[i].p, part);
		out += part;
	}
	if (n % 2)
		*out = 0;
	x->lo = arc_put16((uint16_t)((t->lo - w->lo) / 2));
	x->x16 = arc_put16((uint16_t)((t->x16 - w->x16) / 2));
	x->tokens = arc_put16((uint16_t)(t->tok - w->tok));
	x->hi = arc_put16((uint16_t)(t->hi - w->hi));
	x->x8 = arc_put16((uint16_t)(t->x8 - w->x8));
	return n + n % 2;
}

size_t lzx_write(struct lzx_writer *w, const struct lzx_input *in,
		 const struct lzx_matches *m, uint8_t *out, size_t cap,
		 struct arc_disk_lzext3 *x)
{
	struct tips t = { .lo = w->lo,
			  .x16 = w->x16,
			  .tok = w->tok,
			  .hi = w->hi,
			  .x8 = w->x8,
			  .lit = w->lit };
	uint32_t last = 0;
	size_t at = in->off;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct lzx_match *p = &m->item[i];

		put_literals(&t, in->base + at, p->lit, in->readable - at);
		put_match(&t, p, last);
		last = p->dist;
		at += p->lit + p->len;
	}
	put_literals(&t, in->base + at, in->end - at, in->readable - at);
	return collect(w, &t, out, cap, x);
}
