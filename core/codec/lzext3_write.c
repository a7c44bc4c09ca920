/* SPDX-License-Identifier: MIT */
#include "lzext3_write.h"

uint32_t lzx_write(struct lzx_streams *t, const struct lzx_input *in,
		   const struct lzx_matches *m)
{
	struct lzx_streams s = *t;
	uint32_t at = in->off, earliest = in->off;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct lzx_match *p = &m->item[i];

		if (in->readable - at >= LZX_WILD)
			lzx_put_literals(&s, in->base + at, p->lit);
		else
			lzx_put_tail(&s, in->base + at, p->lit);
		lzx_put_match(&s, p->lit, p->len, p->dist);
		at += p->lit;
		if (p->dist <= at)
			earliest = ARC_MIN(earliest, at - p->dist);
		at += p->len;
	}
	lzx_put_tail(&s, in->base + at, in->end - at);
	*t = s;
	return earliest;
}

size_t lzx_collect(const struct lzx_writer *w, const struct lzx_streams *t,
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
