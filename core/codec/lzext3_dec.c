/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, decoding. Tokens are taken in batches: first each one's lengths and
 * distance are put together (lzext3_expand.h), then the bytes are copied.
 * Short copies are made with fixed sizes and few branches; what is long,
 * overlaps, comes from another segment or is near the end of the segment goes
 * a slower way.
 */
#include "lzext3_expand.h"

#define SHORT_LIT 16 /* literals copied in one go */
#define SHORT_LEN 64 /* bytes of a match, in two steps of half of it */
#define ROOM (SHORT_LIT + SHORT_LEN) /* that these may write to */
#define WILD 16 /* step of longer copies, which may write that far beyond */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Where we are. */
struct cursor {
	const uint8_t *x16, *x16_end;
	const uint8_t *lit, *lit_end;
	uint8_t *out, *out_end;
	const uint8_t *low; /* matches may start from here on unchecked */
	size_t last; /* distance */
	const struct arc_decode *d;
};

/* A token and its extensions. */
struct match {
	size_t lit;
	size_t len;
	size_t dist;
};

static const struct arc_disk_lzext3 *ext_of(const struct arc_segment *seg)
{
	return (const struct arc_disk_lzext3 *)seg->ext;
}

/* ---- what an entry says ------------------------------------------------- */

static size_t fixed_bytes(const struct arc_disk_lzext3 *x)
{
	return (size_t)2 * arc_get16(x->lo) + (size_t)2 * arc_get16(x->x16) +
	       arc_get16(x->tokens) + arc_get16(x->hi) + arc_get16(x->x8);
}

static int check(const struct arc_segment *seg, uint32_t s, uint32_t n,
		 uint8_t group_log)
{
	const struct arc_disk_lzext3 *x = ext_of(seg);
	uint32_t first = s - (uint32_t)(arc_offset_in_group(s, group_log) >>
					ARC_SEGMENT_LOG);

	if (fixed_bytes(x) > seg->size ||
	    arc_get16(x->tokens) > n / LZX_MIN_MATCH ||
	    arc_get16(x->near) & ~lzx_granules_before(s, group_log) ||
	    x->fars > ARC_COUNT(x->far))
		return -EBADMSG;
	for (unsigned i = 0; i < x->fars; i++) {
		if (x->far[i] >= first || (i > 0 && x->far[i] <= x->far[i - 1]))
			return -EBADMSG;
	}
	return 0;
}

static void needs(const struct arc_segment *seg, uint32_t s, uint8_t group_log,
		  struct arc_segset *set)
{
	const struct arc_disk_lzext3 *x = ext_of(seg);
	uint32_t off = (uint32_t)(arc_offset_in_group(s, group_log) >>
				  ARC_SEGMENT_LOG);
	unsigned log = lzx_granule_log(group_log) - ARC_SEGMENT_LOG;

	for (uint32_t i = 0; i < off; i++) {
		if (arc_get16(x->near) >> (i >> log) & 1)
			arc_segset_add(set, s - off + i);
	}
	for (unsigned i = 0; i < x->fars; i++)
		arc_segset_add(set, x->far[i]);
}

/* The start of the usable part of the group that ends at the segment. */
static const uint8_t *low_of(const struct arc_decode *d, const uint8_t *out,
			     size_t off)
{
	uint32_t near = arc_get16(ext_of(d->seg)->near);
	unsigned log = lzx_granule_log(d->group_log);
	size_t low = off;

	while (low > 0 && near >> ((low - 1) >> log) & 1)
		low = (low - 1) >> log << log;
	return out - (off - low);
}

/* ---- copying ------------------------------------------------------------ */

/* Adds what X16 has for the match. */
static int take_x16(struct cursor *c, struct match *m)
{
	if (m->lit == LZX_LIT_MORE + LZX_X8_MORE) {
		if (c->x16 == c->x16_end)
			return -EBADMSG;
		m->lit += lzx_load16(c->x16);
		c->x16 += 2;
	}
	if (m->len == LZX_MIN_MATCH + LZX_LEN_MORE + LZX_X8_MORE) {
		if (c->x16 == c->x16_end)
			return -EBADMSG;
		m->len += lzx_load16(c->x16);
		c->x16 += 2;
	}
	return 0;
}

static inline void copy16(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, 16);
}

static inline void copy8(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, 8);
}

/* Copies n bytes or up to WILD - 1 more; no overlap within 16 bytes. */
static inline void copy_wild(uint8_t *to, const uint8_t *from, size_t n)
{
	uint8_t *end = to + n;

	do {
		copy16(to, from);
		to += 16;
		from += 16;
	} while (to < end);
}

/*
 * Copies n bytes from `dist` < 16 bytes before, or up to WILD - 1 more. The
 * first eight bytes make a distance of at least eight out of a shorter one:
 * a multiple of it means the same.
 */
static inline void copy_near(uint8_t *to, size_t dist, size_t n)
{
	static const uint8_t multiple[8] = { 0, 8, 8, 9, 8, 10, 12, 14 };
	const uint8_t *end = to + n;

	if (dist < 8) {
		for (unsigned i = 0; i < 8; i++)
			to[i] = to[(ptrdiff_t)i - (ptrdiff_t)dist];
		to += 8;
		dist = multiple[dist];
	}
	while (to < end) {
		copy8(to, to - dist);
		to += 8;
	}
}

/*
 * The source of a match before the unchecked part: in a usable granule of the
 * group, or in a listed segment, wholly. NULL: in neither, as with distance 0,
 * whose source is the segment itself.
 */
static const uint8_t *distant(const struct cursor *c, const struct match *m)
{
	const struct arc_decode *d = c->d;
	size_t off = arc_offset_in_group(d->s, d->group_log);
	uint32_t group = arc_group_of(d->s, d->group_log);
	const uint8_t *base = d->groups[group];
	size_t here = (size_t)(c->out - base);
	struct arc_segset usable = { 0 };
	size_t at, last;

	here += (size_t)group << d->group_log;
	if (m->dist > here)
		return NULL;
	at = here - m->dist;
	last = (at + m->len - 1) >> ARC_SEGMENT_LOG;
	needs(d->seg, d->s, d->group_log, &usable);
	for (size_t s = at >> ARC_SEGMENT_LOG; s <= last; s++) {
		if (s >= d->s || !arc_segset_has(&usable, (uint32_t)s))
			return NULL;
		/* Only segments of the group follow each other. */
		if (s != last && s < d->s - (off >> ARC_SEGMENT_LOG))
			return NULL;
	}
	group = arc_group_of((uint32_t)(at >> ARC_SEGMENT_LOG), d->group_log);
	return d->groups[group] + (at & (((size_t)1 << d->group_log) - 1));
}

/* Literals and match with every check, exact to the byte. */
static int copy_exact(struct cursor *c, const struct match *m)
{
	const uint8_t *from;

	if (m->lit > (size_t)(c->lit_end - c->lit) ||
	    m->lit > (size_t)(c->out_end - c->out) ||
	    m->len > (size_t)(c->out_end - c->out) - m->lit)
		return -EBADMSG;
	memcpy(c->out, c->lit, m->lit);
	c->out += m->lit;
	c->lit += m->lit;
	if (m->dist - 1 >= (size_t)(c->out - c->low)) {
		from = distant(c, m);
		if (!from)
			return -EBADMSG;
		memcpy(c->out, from, m->len);
	} else {
		from = c->out - m->dist;
		for (size_t i = 0; i < m->len; i++)
			c->out[i] = from[i];
	}
	c->out += m->len;
	return 0;
}

/* Longer than usual: with X16, in wide steps where there is room. */
static int copy_long(struct cursor *c, struct match *m)
{
	size_t room = (size_t)(c->out_end - c->out);

	if (take_x16(c, m) < 0)
		return -EBADMSG;
	if (m->lit + m->len + WILD > room ||
	    m->lit > (size_t)(c->lit_end - c->lit) ||
	    m->dist - 1 >= (size_t)(c->out - c->low) + m->lit)
		return copy_exact(c, m);
	copy_wild(c->out, c->lit, m->lit);
	c->out += m->lit;
	c->lit += m->lit;
	if (m->dist < 16)
		copy_near(c->out, m->dist, m->len);
	else
		copy_wild(c->out, c->out - m->dist, m->len);
	c->out += m->len;
	return 0;
}

/* ---- a segment ---------------------------------------------------------- */

/*
 * The matches of a batch. What changes with each of them is kept in variables
 * of its own, for they shall live in registers; the slower ways get them
 * through the cursor.
 */
static int copy_batch(struct cursor *c, const struct lzx_batch *b, size_t n)
{
	const uint8_t *lit = c->lit;
	uint8_t *out = c->out;
	const uint8_t *low = c->low;
	size_t last = c->last;

	for (size_t i = 0; i < n; i++) {
		size_t n_lit = b->length[i] & 0xffff;
		size_t len = b->length[i] >> 16;

		last = b->dist[i] ? b->dist[i] : last;
		if (unlikely(n_lit > SHORT_LIT || len > SHORT_LEN ||
			     (size_t)(c->lit_end - lit) < n_lit ||
			     (size_t)(c->out_end - out) < ROOM ||
			     last - 1 >= (size_t)(out - low) + n_lit)) {
			struct match m = { n_lit, len, last };

			c->out = out;
			c->lit = lit;
			if (copy_long(c, &m) < 0)
				return -EBADMSG;
			out = c->out;
			lit = c->lit;
			continue;
		}
		copy16(out, lit);
		out += n_lit;
		lit += n_lit;
		if (unlikely(last < 16)) {
			copy_near(out, last, len);
		} else {
			const uint8_t *from = out - last;

			copy16(out, from);
			copy16(out + 16, from + 16);
			if (unlikely(len > SHORT_LEN / 2)) {
				copy16(out + 32, from + 32);
				copy16(out + 48, from + 48);
			}
		}
		out += len;
	}
	c->lit = lit;
	c->out = out;
	c->last = last;
	return 0;
}

/* The literals behind the last match. */
static int copy_rest(struct cursor *c)
{
	size_t n = (size_t)(c->out_end - c->out);

	if (c->x16 != c->x16_end || n > (size_t)(c->lit_end - c->lit))
		return -EBADMSG;
	memcpy(c->out, c->lit, n);
	c->lit += n;
	return 0;
}

/* One byte of zero may follow, where it makes the size even. */
static bool is_end(const struct cursor *c)
{
	size_t left = (size_t)(c->lit_end - c->lit);

	return left == 0 ||
	       (left == 1 && c->d->seg->size % 2 == 0 && *c->lit == 0);
}

static int decode(const struct arc_decode *d)
{
	const struct arc_disk_lzext3 *x = ext_of(d->seg);
	size_t off = arc_offset_in_group(d->s, d->group_log);
	uint8_t *out = d->groups[arc_group_of(d->s, d->group_log)] + off;
	struct cursor c = { .d = d, .out = out, .out_end = out + d->n };
	struct lzx_streams s;
	struct lzx_batch b;
	size_t left = arc_get16(x->tokens);

	s.lo = d->src;
	c.x16 = s.lo_end = s.lo + (size_t)2 * arc_get16(x->lo);
	s.tok = c.x16_end = c.x16 + (size_t)2 * arc_get16(x->x16);
	s.hi = s.tok + left;
	s.x8 = s.hi_end = s.hi + arc_get16(x->hi);
	c.lit = s.x8_end = s.x8 + arc_get16(x->x8);
	c.lit_end = d->src + d->seg->size;
	c.low = low_of(d, out, off);
	while (left > 0) {
		size_t n = ARC_MIN(left, LZX_BATCH);

		if (lzx_expand(&s, n, &b) < 0 || copy_batch(&c, &b, n) < 0)
			return -EBADMSG;
		left -= n;
	}
	if (!lzx_streams_done(&s) || copy_rest(&c) < 0 || !is_end(&c))
		return -EBADMSG;
	return 0;
}

const struct arc_decoder arc_lzext3_decoder = {
	.name = "lzext3",
	.id = ARC_CODEC_LZEXT3,
	.entry_size =
		ARC_ENTRY_SIZE_MIN + offsetof(struct arc_disk_lzext3, far),
	.check = check,
	.needs = needs,
	.decode = decode,
};
