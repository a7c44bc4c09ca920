/* SPDX-License-Identifier: MIT */
#include "lzext3_rows.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define WIDTH_LOG_MIN 4

int lzx_rows_init(struct lzx_rows *r, unsigned log, unsigned candidates,
		  unsigned bytes)
{
	*r = (struct lzx_rows){ .log = log,
				.width_log = WIDTH_LOG_MIN,
				.bytes = bytes };
	while ((1u << r->width_log) < candidates &&
	       (1u << r->width_log) < LZX_ROW_MAX)
		r->width_log++;
	r->place = malloc(sizeof(uint32_t) << log);
	r->tag = malloc((size_t)1 << log);
	r->head = malloc((size_t)1 << (log - r->width_log));
	if (!r->place || !r->tag || !r->head) {
		lzx_rows_fini(r);
		return -ENOMEM;
	}
	return 0;
}

void lzx_rows_fini(struct lzx_rows *r)
{
	free(r->place);
	free(r->tag);
	free(r->head);
	r->place = NULL;
	r->tag = r->head = NULL;
}

void lzx_rows_begin(struct lzx_rows *r, size_t n)
{
	r->used_log = r->log;
	while (r->used_log > 12 && (size_t)1 << (r->used_log - 1) >= n)
		r->used_log--;
	memset(r->place, 0, sizeof(uint32_t) << r->used_log);
	memset(r->tag, 0, (size_t)1 << r->used_log);
	memset(r->head, 0, (size_t)1 << (r->used_log - r->width_log));
	r->next = 0;
}

static inline size_t row_of(const struct lzx_rows *r, uint64_t mix)
{
	return (size_t)(mix >> (64 - (r->used_log - r->width_log)));
}

static inline uint8_t tag_of(uint64_t mix)
{
	return (uint8_t)(mix >> 32);
}

static inline void enter_one(struct lzx_rows *r, uint64_t mix, uint32_t at)
{
	size_t row = row_of(r, mix);
	unsigned slot = (r->head[row] - 1u) & ((1u << r->width_log) - 1);
	size_t i = (row << r->width_log) + slot;

	r->head[row] = (uint8_t)slot;
	r->tag[i] = tag_of(mix);
	r->place[i] = at + 1;
}

void lzx_rows_enter(struct lzx_rows *r, const struct lzx_input *in, uint32_t at,
		    bool samples)
{
	uint32_t end = in->readable > 8 ? in->readable - 8 : 0;

	at = ARC_MIN(at, end);
	for (; r->next < at; r->next++) {
		const uint8_t *p = in->base + r->next;

		if (!samples || lzx_is_sample(p))
			enter_one(r, lzx_mix(p, r->bytes), r->next);
	}
}

/* Bit i: the tag of slot i is the one looked for. */
#ifdef __SSE2__
static inline uint64_t equal_tags(const uint8_t *tag, unsigned width, uint8_t t)
{
	const __m128i want = _mm_set1_epi8((char)t);
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i += 16) {
		__m128i have = _mm_loadu_si128((const __m128i *)(tag + i));
		uint32_t hit =
			(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(have, want));

		bits |= (uint64_t)hit << i;
	}
	return bits;
}
#else
static inline uint64_t equal_tags(const uint8_t *tag, unsigned width, uint8_t t)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i++)
		bits |= (uint64_t)(tag[i] == t) << i;
	return bits;
}
#endif

/* Turns the bits so that the latest place comes first. */
static inline uint64_t turn(uint64_t bits, unsigned head, unsigned width)
{
	uint64_t all = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

	if (head == 0)
		return bits;
	return (bits >> head | bits << (width - head)) & all;
}

unsigned lzx_rows_find(const struct lzx_rows *r, const struct lzx_input *in,
		       uint32_t at, unsigned candidates, unsigned good_enough,
		       uint32_t best, struct lzx_pair *found)
{
	const uint8_t *p = in->base + at;
	const uint8_t *end = in->base + in->end;
	uint64_t mix = lzx_mix(p, r->bytes);
	unsigned width = 1u << r->width_log;
	size_t row = row_of(r, mix);
	const uint32_t *place = r->place + (row << r->width_log);
	unsigned head = r->head[row];
	uint64_t hits = turn(equal_tags(r->tag + (row << r->width_log), width,
					tag_of(mix)),
			     head, width);
	unsigned n = 0;

	for (; hits && candidates > 0; hits &= hits - 1, candidates--) {
		unsigned slot =
			(head + (unsigned)__builtin_ctzll(hits)) & (width - 1);
		uint32_t entry = place[slot];
		const uint8_t *q;
		uint32_t len, dist;

		if (entry == 0)
			break;
		q = in->base + entry - 1;
		/* Further away it must at least be longer. */
		if (lzx_load32(q + best - 3) != lzx_load32(p + best - 3))
			continue;
		len = lzx_common(p, q, end);
		if (len <= best)
			continue;
		best = len;
		dist = (uint32_t)(p - q);
		found[n++] = (struct lzx_pair){ len, dist };
		if (len >= good_enough || p + len == end)
			break;
	}
	return n;
}
