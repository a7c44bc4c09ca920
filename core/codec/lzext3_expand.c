/* SPDX-License-Identifier: MIT */
#include "lzext3_expand.h"

static_assert(ARC_DECODE_SLACK >= 2 * LZX_BATCH + 16,
	      "what a batch may read behind the end of a stream");

static int verdict(const struct lzx_streams *s, bool zero)
{
	return s->lo <= s->lo_end && s->hi <= s->hi_end && s->x8 <= s->x8_end &&
			       !zero
		       ? 0
		       : -EBADMSG;
}

/* Takes n tokens one by one, without branches, for none could be foreseen;
 * whether a distance is 0. */
static bool expand_each(struct lzx_streams *s, size_t n, uint32_t *length,
			uint32_t *dist)
{
	bool zero = false;

	for (size_t i = 0; i < n; i++) {
		uint32_t t = *s->tok++;
		uint32_t k = t >> 4 & 3;
		uint32_t more_lit = t >> 6 == LZX_LIT_MORE;
		uint32_t more_len = (t & 15) == LZX_LEN_MORE;
		uint32_t lit = (t >> 6) + (*s->x8 & (0u - more_lit));
		uint32_t len, d;

		s->x8 += more_lit;
		len = (t & 15) + (*s->x8 & (0u - more_len)) + LZX_MIN_MATCH;
		s->x8 += more_len;
		length[i] = lit | len << 16;
		d = lzx_load16(s->lo) & (0u - (k >> 1));
		s->lo += k & 2;
		d |= (*s->hi & (0u - (k & 1))) << ((k & 2) << 3);
		s->hi += k & 1;
		zero |= k != 0 && d == 0;
		dist[i] = d;
	}
	return zero;
}

int lzx_expand_portable(struct lzx_streams *s, size_t n, struct lzx_batch *b)
{
	bool zero = expand_each(s, n, b->length, b->dist);

	return verdict(s, zero);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <tmmintrin.h>

/*
 * How to spread the next bytes over those of eight lanes whose bit is set; a
 * lane without gets 0 (what pshufb does where the upper bit of an index is
 * set). The second table does that with pairs of bytes.
 */
#define BITS(m, i) (((m) & ((1 << (i)) - 1)))
#define COUNT(m)                                                               \
	(((m)&1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) +          \
	 ((m) >> 4 & 1) + ((m) >> 5 & 1) + ((m) >> 6 & 1) + ((m) >> 7 & 1))
#define LANE(m, i) ((m) >> (i)&1 ? COUNT(BITS(m, i)) : 0x80)
#define PAIR(m, i)                                                             \
	((m) >> (i)&1 ? 2 * COUNT(BITS(m, i)) : 0x80),                         \
		((m) >> (i)&1 ? 2 * COUNT(BITS(m, i)) + 1 : 0x80)
#define SPREAD(m)                                                              \
	{                                                                      \
		LANE(m, 0), LANE(m, 1), LANE(m, 2), LANE(m, 3), LANE(m, 4),    \
			LANE(m, 5), LANE(m, 6), LANE(m, 7)                     \
	}
#define SPREAD2(m)                                                             \
	{                                                                      \
		PAIR(m, 0), PAIR(m, 1), PAIR(m, 2), PAIR(m, 3), PAIR(m, 4),    \
			PAIR(m, 5), PAIR(m, 6), PAIR(m, 7)                     \
	}
#define EACH4(what, m) what(m), what((m) + 1), what((m) + 2), what((m) + 3)
#define EACH16(what, m)                                                        \
	EACH4(what, m), EACH4(what, (m) + 4), EACH4(what, (m) + 8),            \
		EACH4(what, (m) + 12)
#define EACH64(what, m)                                                        \
	EACH16(what, m), EACH16(what, (m) + 16), EACH16(what, (m) + 32),       \
		EACH16(what, (m) + 48)
#define EACH256(what)                                                          \
	EACH64(what, 0), EACH64(what, 64), EACH64(what, 128), EACH64(what, 192)

static const uint8_t spread[256][8] = { EACH256(SPREAD) };
static const uint8_t spread2[256][16] = { EACH256(SPREAD2) };
static const uint8_t counts[256] = { EACH256(COUNT) };

#define SSSE3 __attribute__((target("ssse3")))

/* The next of the eight bytes at *p, spread by mask. */
static inline SSSE3 __m128i take(const uint8_t **p, unsigned mask)
{
	__m128i items = _mm_loadl_epi64((const __m128i *)*p);
	__m128i how = _mm_loadl_epi64((const __m128i *)spread[mask]);

	*p += counts[mask];
	return _mm_shuffle_epi8(items, how);
}

static inline SSSE3 __m128i take2(const uint8_t **p, unsigned mask)
{
	__m128i items = _mm_loadu_si128((const __m128i *)*p);
	__m128i how = _mm_loadu_si128((const __m128i *)spread2[mask]);

	*p += (size_t)2 * counts[mask];
	return _mm_shuffle_epi8(items, how);
}

/* Lengths of eight tokens, which stand in the lower half of t. */
static inline SSSE3 void lengths8(struct lzx_streams *s, __m128i t,
				  uint32_t *length)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i lit = _mm_and_si128(_mm_srli_epi16(t, 6), _mm_set1_epi8(3));
	__m128i len = _mm_and_si128(t, _mm_set1_epi8(15));
	__m128i more_lit = _mm_cmpeq_epi8(lit, _mm_set1_epi8(LZX_LIT_MORE));
	__m128i more_len = _mm_cmpeq_epi8(len, _mm_set1_epi8(LZX_LEN_MORE));
	__m128i more = _mm_unpacklo_epi8(more_lit, more_len);
	unsigned mask = (unsigned)_mm_movemask_epi8(more);
	__m128i x_low = take(&s->x8, mask & 0xff);
	__m128i x_high = take(&s->x8, mask >> 8);
	__m128i base = _mm_unpacklo_epi8(
		lit, _mm_add_epi8(len, _mm_set1_epi8(LZX_MIN_MATCH)));

	_mm_storeu_si128((__m128i *)length,
			 _mm_add_epi16(_mm_unpacklo_epi8(base, zero),
				       _mm_unpacklo_epi8(x_low, zero)));
	_mm_storeu_si128((__m128i *)(length + 4),
			 _mm_add_epi16(_mm_unpackhi_epi8(base, zero),
				       _mm_unpacklo_epi8(x_high, zero)));
}

/* Their distances; all ones where one is 0 that should not be. */
static inline SSSE3 __m128i distances8(struct lzx_streams *s, __m128i t,
				       uint32_t *dist)
{
	const __m128i zero = _mm_setzero_si128();
	unsigned has_lo =
		(unsigned)_mm_movemask_epi8(_mm_slli_epi16(t, 2)) & 0xff;
	unsigned has_hi =
		(unsigned)_mm_movemask_epi8(_mm_slli_epi16(t, 3)) & 0xff;
	__m128i lo = take2(&s->lo, has_lo);
	__m128i hi = _mm_unpacklo_epi8(take(&s->hi, has_hi), zero);
	__m128i k =
		_mm_and_si128(_mm_unpacklo_epi8(t, zero), _mm_set1_epi16(0x30));
	__m128i is_1 = _mm_cmpeq_epi16(k, _mm_set1_epi16(0x10));
	__m128i bad;

	lo = _mm_or_si128(lo, _mm_and_si128(is_1, hi));
	hi = _mm_andnot_si128(is_1, hi);
	_mm_storeu_si128((__m128i *)dist, _mm_unpacklo_epi16(lo, hi));
	_mm_storeu_si128((__m128i *)(dist + 4), _mm_unpackhi_epi16(lo, hi));
	bad = _mm_cmpeq_epi16(_mm_or_si128(lo, hi), zero);
	return _mm_andnot_si128(_mm_cmpeq_epi16(k, zero), bad);
}

static SSSE3 int expand_ssse3(struct lzx_streams *s, size_t n,
			      struct lzx_batch *b)
{
	__m128i bad = _mm_setzero_si128();
	size_t i = 0;
	bool zero;

	for (; i + 8 <= n; i += 8, s->tok += 8) {
		__m128i t = _mm_loadl_epi64((const __m128i *)s->tok);

		lengths8(s, t, b->length + i);
		bad = _mm_or_si128(bad, distances8(s, t, b->dist + i));
	}
	zero = _mm_movemask_epi8(bad) != 0;
	zero |= expand_each(s, n - i, b->length + i, b->dist + i);
	return verdict(s, zero);
}

int lzx_expand(struct lzx_streams *s, size_t n, struct lzx_batch *b)
{
	if (__builtin_cpu_supports("ssse3"))
		return expand_ssse3(s, n, b);
	return lzx_expand_portable(s, n, b);
}

#else

int lzx_expand(struct lzx_streams *s, size_t n, struct lzx_batch *b)
{
	return lzx_expand_portable(s, n, b);
}

#endif
