/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, decoding. Every stream's next item is found by adding what a table
 * says of the token, so that the processor looks many tokens ahead: the only
 * numbers that must be waited for are the lengths. Short copies are made with
 * fixed sizes and no branches; what is long, overlaps or is near the end of
 * the segment goes a slower way.
 *
 * How many items the tokens will take from LO, HI and X8 is counted before
 * anything is decoded. After that only X16, the literals, the room and the
 * distances need to be watched.
 */
#include "lzext3_i.h"

#define SHORT_LIT 16 /* literals copied in one go */
#define SHORT_LEN 64 /* bytes of a match, in two steps of half of it */
#define WILD 16 /* step of longer copies, which may write that far beyond */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* What a token means. */
struct token {
	uint32_t mask; /* of the distance; 0: the last one */
	uint8_t shift; /* of the distance */
	uint8_t lo, hi; /* bytes taken from LO and HI */
	uint8_t lit, lit_mask, lit_x; /* literals: base, mask and bytes of X8 */
	uint8_t len, len_mask, len_x;
};

#define TOKEN(t)                                                               \
	{                                                                      \
		.mask = ((t) >> 4 & 3) == 0   ? 0                              \
			: ((t) >> 4 & 3) == 1 ? 0xff                           \
			: ((t) >> 4 & 3) == 2 ? 0xffff                         \
					      : 0xffffff,                      \
		.shift = ((t) >> 4 & 3) == 1 ? 16 : 0,                         \
		.lo = ((t) >> 5 & 1) * 2, .hi = (t) >> 4 & 1, .lit = (t) >> 6, \
		.lit_mask = (t) >> 6 == LZX_LIT_MORE ? 0xff : 0,               \
		.lit_x = (t) >> 6 == LZX_LIT_MORE,                             \
		.len = ((t)&15) + LZX_MIN_MATCH,                               \
		.len_mask = ((t)&15) == LZX_LEN_MORE ? 0xff : 0,               \
		.len_x = ((t)&15) == LZX_LEN_MORE,                             \
	}
#define TOKENS4(t) TOKEN(t), TOKEN((t) + 1), TOKEN((t) + 2), TOKEN((t) + 3)
#define TOKENS16(t)                                                            \
	TOKENS4(t), TOKENS4((t) + 4), TOKENS4((t) + 8), TOKENS4((t) + 12)
#define TOKENS64(t)                                                            \
	TOKENS16(t), TOKENS16((t) + 16), TOKENS16((t) + 32), TOKENS16((t) + 48)

static const struct token tokens[256] = { TOKENS64(0), TOKENS64(64),
					  TOKENS64(128), TOKENS64(192) };

/* Where we are in each stream and in the output. */
struct cursor {
	const uint8_t *tok, *tok_end;
	const uint8_t *lo, *hi, *x8;
	const uint8_t *x16, *x16_end;
	const uint8_t *lit, *lit_end;
	uint8_t *out, *out_end;
	const uint8_t *low; /* matches may start from here on unchecked */
	uint32_t last; /* distance */
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

/* ---- counting ----------------------------------------------------------- */

static uint32_t sum_bytes(uint64_t lanes)
{
	uint64_t pairs = (lanes & UINT64_C(0x00ff00ff00ff00ff)) +
			 (lanes >> 8 & UINT64_C(0x00ff00ff00ff00ff));

	return (uint32_t)((pairs * UINT64_C(0x0001000100010001)) >> 48);
}

/* Whether the tokens take what the streams have; eight tokens at a time, with
 * a counter per lane. */
static bool counts_fit(const uint8_t *tok, size_t n,
		       const struct arc_disk_lzext3 *x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint32_t lo = 0, hi = 0, x8 = 0;

	while (n >= 8) {
		uint64_t lanes_lo = 0, lanes_hi = 0, lanes_x8 = 0;
		size_t rounds = ARC_MIN(n / 8, 127); /* x8 counts two each */

		for (size_t i = 0; i < rounds; i++, tok += 8) {
			uint64_t w;

			memcpy(&w, tok, sizeof(w));
			lanes_lo += w >> 5 & ones;
			lanes_hi += w >> 4 & ones;
			lanes_x8 += (w >> 6 & w >> 7 & ones) +
				    (w & w >> 1 & w >> 2 & w >> 3 & ones);
		}
		n -= rounds * 8;
		lo += sum_bytes(lanes_lo);
		hi += sum_bytes(lanes_hi);
		x8 += sum_bytes(lanes_x8);
	}
	for (; n > 0; n--, tok++) {
		lo += tokens[*tok].lo / 2u;
		hi += tokens[*tok].hi;
		x8 += (uint32_t)tokens[*tok].lit_x + tokens[*tok].len_x;
	}
	return lo == arc_get16(x->lo) && hi == arc_get16(x->hi) &&
	       x8 == arc_get16(x->x8);
}

/* ---- tokens ------------------------------------------------------------- */

static inline uint32_t load16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

/* Takes the next token and what belongs to it, but for X16. */
static inline struct match next_match(struct cursor *c)
{
	const struct token *t = &tokens[*c->tok++];
	uint32_t dist = load16(c->lo) | (uint32_t)*c->hi << 16;
	struct match m;

	m.lit = (size_t)t->lit + (*c->x8 & t->lit_mask);
	c->x8 += t->lit_x;
	m.len = (size_t)t->len + (*c->x8 & t->len_mask);
	c->x8 += t->len_x;
	dist = dist >> t->shift & t->mask;
	c->last = t->mask ? dist : c->last;
	m.dist = c->last;
	c->lo += t->lo;
	c->hi += t->hi;
	return m;
}

/* Adds what X16 has for the match. */
static int take_x16(struct cursor *c, struct match *m)
{
	if (m->lit == LZX_LIT_MORE + LZX_X8_MORE) {
		if (c->x16 == c->x16_end)
			return -EBADMSG;
		m->lit += load16(c->x16);
		c->x16 += 2;
	}
	if (m->len == LZX_MIN_MATCH + LZX_LEN_MORE + LZX_X8_MORE) {
		if (c->x16 == c->x16_end)
			return -EBADMSG;
		m->len += load16(c->x16);
		c->x16 += 2;
	}
	return 0;
}

/* ---- copying ------------------------------------------------------------ */

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
 * group, or in a listed segment, wholly. NULL: in neither.
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

	if (m->dist == 0)
		return NULL;
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
 * As long as the output has room for the fixed copies of any short match. What
 * changes with each token is kept in variables of its own, for they shall live
 * in registers; the slower ways get them through the cursor.
 */
static int decode_fast(struct cursor *c)
{
	const uint8_t *tok = c->tok, *lo = c->lo, *hi = c->hi, *x8 = c->x8;
	const uint8_t *lit = c->lit;
	uint8_t *out = c->out;
	size_t last = 0;
	uint8_t *safe = c->out_end;

	if ((size_t)(c->out_end - c->out) <= SHORT_LIT + SHORT_LEN)
		return 0;
	safe -= SHORT_LIT + SHORT_LEN;
	while (tok < c->tok_end && out < safe) {
		const struct token *t = &tokens[*tok++];
		size_t dist = load16(lo) | (uint32_t)*hi << 16;
		size_t n_lit = (size_t)t->lit + (*x8 & t->lit_mask);
		size_t len;

		x8 += t->lit_x;
		len = (size_t)t->len + (*x8 & t->len_mask);
		x8 += t->len_x;
		lo += t->lo;
		hi += t->hi;
		dist = dist >> t->shift & t->mask;
		last = t->mask ? dist : last;
		if (unlikely(n_lit > SHORT_LIT || len > SHORT_LEN ||
			     (size_t)(c->lit_end - lit) < n_lit ||
			     last - 1 >= (size_t)(out - c->low) + n_lit)) {
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
	c->tok = tok;
	c->lo = lo;
	c->hi = hi;
	c->x8 = x8;
	c->lit = lit;
	c->out = out;
	c->last = (uint32_t)last;
	return 0;
}

static int decode_rest(struct cursor *c)
{
	size_t n;

	while (c->tok < c->tok_end) {
		struct match m = next_match(c);

		if (take_x16(c, &m) < 0 || copy_exact(c, &m) < 0)
			return -EBADMSG;
	}
	n = (size_t)(c->out_end - c->out);
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

	c.lo = d->src;
	c.x16 = c.lo + (size_t)2 * arc_get16(x->lo);
	c.tok = c.x16_end = c.x16 + (size_t)2 * arc_get16(x->x16);
	c.hi = c.tok_end = c.tok + arc_get16(x->tokens);
	c.x8 = c.hi + arc_get16(x->hi);
	c.lit = c.x8 + arc_get16(x->x8);
	c.lit_end = d->src + d->seg->size;
	c.low = low_of(d, out, off);
	if (!counts_fit(c.tok, arc_get16(x->tokens), x) ||
	    decode_fast(&c) < 0 || decode_rest(&c) < 0 || !is_end(&c))
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
