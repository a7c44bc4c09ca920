/* SPDX-License-Identifier: MIT */
/*
 * lzext3_model - LZ-EXT3 as arc-format(5) tells it, a byte at a time and with
 * every question asked: what the decoder is compared with. It shares nothing
 * with the decoder but the structure of the entry.
 *
 * Threads: pure.
 */
#ifndef ARC_LZEXT3_MODEL_H
#define ARC_LZEXT3_MODEL_H

#include <string.h>

#include "codec.h"

struct model_stream {
	const uint8_t *p;
	size_t left; /* bytes */
	bool bad; /* wanted more than there was */
};

static inline uint32_t model_take(struct model_stream *s, unsigned bytes)
{
	uint32_t v = 0;

	if (s->left < bytes) {
		s->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)s->p[i] << (8 * i);
	s->p += bytes;
	s->left -= bytes;
	return v;
}

static inline struct arc_disk_lzext3 model_entry(const struct arc_segment *seg)
{
	struct arc_disk_lzext3 x;

	memcpy(&x, seg->ext, sizeof(x));
	return x;
}

static inline uint64_t model_granule(uint8_t group_log)
{
	return UINT64_C(1) << (group_log < 20 ? 16 : group_log - 4);
}

/* Where segment s and its group begin in the frame. */
static inline uint64_t model_start(uint32_t s)
{
	return (uint64_t)s * ARC_SEGMENT_SIZE;
}

static inline uint64_t model_group_start(uint32_t s, uint8_t group_log)
{
	return model_start(s) - model_start(s) % (UINT64_C(1) << group_log);
}

/* What the entry may say. */
static inline int model_check(const struct arc_segment *seg, uint32_t s,
			      uint32_t n, uint8_t group_log)
{
	struct arc_disk_lzext3 x = model_entry(seg);
	uint64_t group = model_group_start(s, group_log);
	uint64_t sum = arc_get16(x.lo) * 2u + arc_get16(x.x16) * 2u +
		       arc_get16(x.tokens) + arc_get16(x.hi) + arc_get16(x.x8);

	if (arc_get16(x.tokens) > n / 4 || sum > seg->size || x.fars > 16)
		return -EBADMSG;
	for (unsigned i = 0; i < 16; i++) {
		uint64_t granule = group + i * model_granule(group_log);

		if ((arc_get16(x.near) >> i & 1) && granule >= model_start(s))
			return -EBADMSG;
	}
	for (unsigned i = 0; i < x.fars; i++) {
		if (model_start(x.far[i]) >= group)
			return -EBADMSG;
		if (i > 0 && x.far[i - 1] >= x.far[i])
			return -EBADMSG;
	}
	return 0;
}

/* Whether a match may copy len bytes from there. */
static inline bool model_may_copy(const struct arc_decode *d, uint64_t from,
				  uint64_t len)
{
	struct arc_disk_lzext3 x = model_entry(d->seg);
	uint64_t group = model_group_start(d->s, d->group_log);

	for (uint64_t at = from; from >= group && at < from + len; at++) {
		uint64_t i = (at - group) / model_granule(d->group_log);

		if (at >= model_start(d->s))
			break;
		if (!(arc_get16(x.near) >> i & 1))
			return false;
	}
	if (from >= group)
		return true;
	for (unsigned i = 0; i < x.fars; i++) {
		if (from >= model_start(x.far[i]) &&
		    from + len <= model_start(x.far[i] + 1u))
			return true;
	}
	return false;
}

/* A byte of the frame, the segment's own ones being in out. */
static inline uint8_t model_byte(const struct arc_decode *d, const uint8_t *out,
				 uint64_t at)
{
	uint64_t size = UINT64_C(1) << d->group_log;

	if (at >= model_start(d->s))
		return out[at - model_start(d->s)];
	return d->groups[at / size][at % size];
}

struct model_streams {
	struct model_stream lo, x16, tok, hi, x8, lit;
};

static inline struct model_streams model_split(const struct arc_decode *d)
{
	struct arc_disk_lzext3 x = model_entry(d->seg);
	struct model_streams s = { .lo.left = arc_get16(x.lo) * 2u,
				   .x16.left = arc_get16(x.x16) * 2u,
				   .tok.left = arc_get16(x.tokens),
				   .hi.left = arc_get16(x.hi),
				   .x8.left = arc_get16(x.x8) };

	s.lo.p = d->src;
	s.x16.p = s.lo.p + s.lo.left;
	s.tok.p = s.x16.p + s.x16.left;
	s.hi.p = s.tok.p + s.tok.left;
	s.x8.p = s.hi.p + s.hi.left;
	s.lit.p = s.x8.p + s.x8.left;
	s.lit.left = (size_t)(d->src + d->seg->size - s.lit.p);
	return s;
}

static inline uint32_t model_length(struct model_streams *s, uint32_t n,
				    uint32_t more)
{
	uint32_t x;

	if (n != more)
		return n;
	x = model_take(&s->x8, 1);
	return n + x + (x == 255 ? model_take(&s->x16, 2) : 0);
}

static inline uint32_t model_distance(struct model_streams *s, uint32_t k,
				      uint32_t last)
{
	uint32_t low;

	if (k == 0)
		return last;
	if (k == 1)
		return model_take(&s->hi, 1);
	low = model_take(&s->lo, 2);
	return low + (k == 3 ? 65536 * model_take(&s->hi, 1) : 0);
}

static inline bool model_bad(const struct model_streams *s)
{
	return s->lo.bad || s->x16.bad || s->tok.bad || s->hi.bad ||
	       s->x8.bad || s->lit.bad;
}

/* After the last match: literals, and nothing left but the padding. */
static inline int model_finish(const struct arc_decode *d,
			       struct model_streams *s, uint8_t *out,
			       uint64_t at)
{
	while (at < d->n)
		out[at++] = (uint8_t)model_take(&s->lit, 1);
	if (d->seg->size % 2 == 0 && s->lit.left == 1 && *s->lit.p == 0)
		s->lit.left = 0;
	if (model_bad(s) || s->lo.left || s->x16.left || s->tok.left ||
	    s->hi.left || s->x8.left || s->lit.left)
		return -EBADMSG;
	return 0;
}

/* Decodes to out (d->n bytes), whatever lies at the segment's place. The entry
 * is one that may be. */
static inline int model_decode(const struct arc_decode *d, uint8_t *out)
{
	struct model_streams s = model_split(d);
	uint64_t start = model_start(d->s);
	uint32_t last = 0;
	uint64_t at = 0;

	while (s.tok.left > 0) {
		uint32_t t = model_take(&s.tok, 1);
		uint64_t lit = model_length(&s, t >> 6, 3);
		uint64_t len = model_length(&s, t & 15, 15) + 4;

		last = model_distance(&s, t >> 4 & 3, last);
		if (model_bad(&s) || lit + len > d->n - at || last == 0)
			return -EBADMSG;
		for (; lit > 0; lit--)
			out[at++] = (uint8_t)model_take(&s.lit, 1);
		if (model_bad(&s) || last > start + at ||
		    !model_may_copy(d, start + at - last, len))
			return -EBADMSG;
		for (; len > 0; len--, at++)
			out[at] = model_byte(d, out, start + at - last);
	}
	return model_finish(d, &s, out, at);
}

#endif
