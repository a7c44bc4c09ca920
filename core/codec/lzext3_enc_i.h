/* SPDX-License-Identifier: MIT */
/*
 * lzext3_enc_i - the parts of the LZ-EXT3 encoder. A *parser* turns a segment
 * into matches with the help of a *finder*; the writer turns these into the
 * streams of a segment. The fast parser needs no finder and writes as it goes.
 *
 *	lzext3_enc    levels, state, the segments of a frame
 *	lzext3_fast   parser of levels 1 and 2: one or two probes
 *	lzext3_lazy   parser of levels 3 to 6
 *	lzext3_best   parser of levels 7 to 9: the cheapest path
 *	lzext3_find   match finder of levels 3 to 6
 *	lzext3_deep   match finder of levels 7 to 9
 *	lzext3_ring   what both of them do with the rows of their tables
 *	lzext3_parallel  parser of all levels of the parallel profile
 *	lzext3_far    far references and the choice of the reach
 *	lzext3_write  matches -> streams
 *
 * Positions are offsets in the group; a finder's table holds position + 1, and
 * 0 for nothing. Everything starts anew with each group, so that a group's
 * bytes depend on nothing before it.
 *
 * Threads: a state has one owner.
 */
#ifndef ARC_LZEXT3_ENC_I_H
#define ARC_LZEXT3_ENC_I_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "lzext3_i.h"

/* A match and the literals before it. */
struct lzx_match {
	uint32_t lit;
	uint32_t len;
	uint32_t dist;
};

/* The matches of a segment, in order; the rest is literals. */
struct lzx_matches {
	uint32_t n;
	struct lzx_match item[LZX_TOKENS_MAX];
};

/* A match whose source lies before the group: at position `at`. */
struct lzx_far_match {
	uint32_t at;
	uint32_t len;
	uint32_t dist;
};

/* What is being encoded: bytes [off, end) of the group at base. Bytes up to
 * `readable` may be looked at. */
struct lzx_input {
	const uint8_t *base;
	uint32_t off;
	uint32_t end;
	uint32_t readable;
	const struct lzx_far_match *far; /* that may be used, in order */
	uint32_t fars;
};

/* ---- what the parsers share --------------------------------------------- */

static inline uint32_t lzx_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t lzx_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* A product whose upper bits depend on the first n bytes at p, 4..8; eight
 * bytes are read. */
static inline uint64_t lzx_mix(const uint8_t *p, unsigned n)
{
	return (lzx_load64(p) << (64 - 8 * n)) * UINT64_C(0x9e3779b97f4a7c15);
}

#ifdef __SSE2__
/* Bit i: byte i is equal. */
static inline uint32_t lzx_equal16(const uint8_t *p, const uint8_t *q)
{
	__m128i a = _mm_loadu_si128((const __m128i *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)q);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
}
#endif

/* How many bytes at p and q are equal, p + result <= end; q < p. */
static inline uint32_t lzx_common(const uint8_t *p, const uint8_t *q,
				  const uint8_t *end)
{
	const uint8_t *start = p;

#ifdef __SSE2__
	while (end - p >= 16) {
		uint32_t equal = lzx_equal16(p, q);

		if (equal != 0xffff)
			return (uint32_t)(p - start) +
			       (uint32_t)__builtin_ctz(~equal);
		p += 16;
		q += 16;
	}
#endif
	while (end - p >= 8) {
		uint64_t x = lzx_load64(p) ^ lzx_load64(q);

		if (x)
			return (uint32_t)(p - start) +
			       (uint32_t)__builtin_ctzll(x) / 8;
		p += 8;
		q += 8;
	}
	while (p < end && *p == *q) {
		p++;
		q++;
	}
	return (uint32_t)(p - start);
}

/* The same where p + LZX_WIDE <= end: of that many bytes all are compared at
 * once, for a loop's last round cannot be foreseen. */
#define LZX_WIDE 32

static inline uint32_t lzx_common_wide(const uint8_t *p, const uint8_t *q,
				       const uint8_t *end)
{
#ifdef __SSE2__
	uint32_t equal = lzx_equal16(p, q) | lzx_equal16(p + 16, q + 16) << 16;

	if (equal != UINT32_MAX)
		return (uint32_t)__builtin_ctz(~equal);
	return LZX_WIDE + lzx_common(p + LZX_WIDE, q + LZX_WIDE, end);
#else
	return lzx_common(p, q, end);
#endif
}

/* How long the match with the last distance is at `at`; 0: none. */
static inline uint32_t lzx_match_last(const struct lzx_input *in, uint32_t at,
				      uint32_t last)
{
	const uint8_t *p = in->base + at;

	if (!last || last > at || lzx_load32(p) != lzx_load32(p - last))
		return 0;
	return lzx_common(p, p - last, in->base + in->end);
}

/* The far match that covers `at`, cut to begin there; len 0: none. *cursor
 * walks along the list while `at` ascends. */
static inline struct lzx_far_match lzx_far_at(const struct lzx_input *in,
					      uint32_t at, uint32_t *cursor)
{
	struct lzx_far_match m = { 0 };

	while (*cursor < in->fars &&
	       in->far[*cursor].at + in->far[*cursor].len < at + LZX_MIN_MATCH)
		++*cursor;
	if (*cursor < in->fars && in->far[*cursor].at <= at) {
		m = in->far[*cursor];
		m.len -= at - m.at;
		m.at = at;
	}
	return m;
}

/* A small group needs no large table, and clearing one takes its time. */
static inline unsigned lzx_table_log(unsigned log, size_t n)
{
	while (log > 12 && (size_t)1 << (log - 1) >= n)
		log--;
	return log;
}

/* Bytes of a distance that is not the last one. */
static inline uint32_t lzx_dist_bytes(uint32_t dist)
{
	return 1u + (dist > 0xff) + (dist > 0xffff);
}

/* Bytes that a match takes besides its token and distance. */
static inline uint32_t lzx_len_bytes(uint32_t len)
{
	uint32_t more = LZX_MIN_MATCH + LZX_LEN_MORE;

	return (len >= more) + 2u * (len >= more + LZX_X8_MORE);
}

static inline void lzx_put(struct lzx_matches *m, uint32_t lit, uint32_t len,
			   uint32_t dist)
{
	m->item[m->n++] =
		(struct lzx_match){ .lit = lit, .len = len, .dist = dist };
}

/*
 * Where nothing has matched for SKIM bytes, only positions are looked at whose
 * bytes say so: about one in eight. It is what the bytes are that decides, so
 * that a repeat of such data is found at the same positions again.
 */
#define LZX_SKIM 512

static inline bool lzx_is_sample(const uint8_t *p)
{
	return (lzx_mix(p, 8) >> 28 & 7) == 0;
}

/* ---- parts --------------------------------------------------------------- */

/* Settings, all of them resolved: level, reach and overrides. */
struct lzx_settings {
	unsigned hash_log; /* entries of the finder's table */
	unsigned candidates; /* with the same four bytes; levels 3 to 6 */
	unsigned long_candidates; /* with the same eight */
	unsigned good_enough;
	unsigned lazy; /* positions to look ahead */
	bool two_tables; /* fast parser */
};

struct lzx_streams; /* lzext3_write.h */

/* A parser: its own state, with the finder's. */
struct lzx_parser {
	int (*new_state)(const struct lzx_settings *set, void **ret);
	void (*free_state)(void *state);
	void (*begin)(void *state, size_t n); /* a new group of n bytes */

	/* The segments of in, one or more, are not parsed; what follows may
	 * repeat them. NULL: there never are such. */
	void (*pass)(void *state, const struct lzx_input *in);

	/* Either finds the matches of a segment ... */
	void (*parse)(void *state, const struct lzx_input *in,
		      struct lzx_matches *out);
	/* ... or writes them, without far ones, as lzx_write() does. */
	uint32_t (*write)(void *state, const struct lzx_input *in,
			  struct lzx_streams *out);
};

extern const struct lzx_parser lzx_fast;
extern const struct lzx_parser lzx_lazy;
extern const struct lzx_parser lzx_best;

#endif
