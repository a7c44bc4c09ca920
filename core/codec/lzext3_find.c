/* SPDX-License-Identifier: MIT */
#include "lzext3_find.h"
#include "lzext3_ring.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SHORT_BYTES 4
#define LONG_BYTES 8
#define WIDTH_LOG_MIN 4 /* the places of a row fill a cache line then */
#define WIDTH_LOG_MAX 6
#define LINE 64

#define BY_WIDTH LZX_BY_WIDTH

static_assert(1 << WIDTH_LOG_MAX == LZX_ROW_MAX, "width of rows");

/* ---- tables ------------------------------------------------------------- */

static int rows_init(struct lzx_rows *r, unsigned log, unsigned width_log)
{
	r->place = aligned_alloc(LINE, sizeof(uint32_t) << log);
	r->tag = aligned_alloc(LINE, (size_t)1 << log);
	r->head = malloc((size_t)1 << (log - width_log));
	return r->place && r->tag && r->head ? 0 : -ENOMEM;
}

static void rows_fini(struct lzx_rows *r)
{
	free(r->place);
	free(r->tag);
	free(r->head);
	*r = (struct lzx_rows){ 0 };
}

static void rows_begin(struct lzx_rows *r, unsigned log, unsigned width_log)
{
	memset(r->place, 0, sizeof(uint32_t) << log);
	memset(r->tag, 0, (size_t)1 << log);
	memset(r->head, 0, (size_t)1 << (log - width_log));
}

int lzx_finder_init(struct lzx_finder *f, const struct lzx_settings *set)
{
	unsigned most = ARC_MAX(set->candidates, set->long_candidates);
	int err;

	*f = (struct lzx_finder){ .log = set->hash_log,
				  .width_log = WIDTH_LOG_MIN,
				  .candidates = set->candidates,
				  .long_candidates = set->long_candidates,
				  .good_enough = set->good_enough };
	while (f->width_log < WIDTH_LOG_MAX && 1u << f->width_log < most)
		f->width_log++;
	err = rows_init(&f->shorts, f->log, f->width_log);
	if (err == 0)
		err = rows_init(&f->longs, f->log, f->width_log);
	if (err < 0)
		lzx_finder_fini(f);
	return err;
}

void lzx_finder_fini(struct lzx_finder *f)
{
	rows_fini(&f->shorts);
	rows_fini(&f->longs);
}

void lzx_finder_begin(struct lzx_finder *f, size_t n)
{
	unsigned log = lzx_table_log(f->log, n);

	rows_begin(&f->shorts, log, f->width_log);
	rows_begin(&f->longs, log, f->width_log);
	f->row_bits = log - f->width_log;
	f->next = 0;
}

/* ---- entering ----------------------------------------------------------- */

static inline size_t row_of(const struct lzx_finder *f, uint64_t mix)
{
	return (size_t)(mix >> (64 - f->row_bits));
}

static inline uint8_t tag_of(uint64_t mix)
{
	return (uint8_t)(mix >> 32);
}

static BY_WIDTH void enter_one(const struct lzx_finder *f, struct lzx_rows *r,
			       unsigned width_log, uint64_t mix, uint32_t at)
{
	size_t row = row_of(f, mix);
	unsigned slot = (r->head[row] - 1u) & ((1u << width_log) - 1);
	size_t i = (row << width_log) + slot;

	r->head[row] = (uint8_t)slot;
	r->tag[i] = tag_of(mix);
	r->place[i] = at + 1;
}

static BY_WIDTH void enter(struct lzx_finder *f, unsigned width_log,
			   const struct lzx_input *in, uint32_t at,
			   bool samples)
{
	uint32_t end = in->readable - ARC_MIN(in->readable, LONG_BYTES);
	uint32_t next = f->next;

	for (at = ARC_MIN(at, end); next < at; next++) {
		const uint8_t *p = in->base + next;

		if (samples && !lzx_is_sample(p))
			continue;
		enter_one(f, &f->shorts, width_log, lzx_mix(p, SHORT_BYTES),
			  next);
		enter_one(f, &f->longs, width_log, lzx_mix(p, LONG_BYTES),
			  next);
	}
	f->next = next;
}

void lzx_finder_enter(struct lzx_finder *f, const struct lzx_input *in,
		      uint32_t at, bool samples)
{
	enter(f, f->width_log, in, at, samples);
}

/* Asks for the rows of the place behind p, which is entered next and in most
 * cases looked at. */
static BY_WIDTH void ask_for_next(const struct lzx_finder *f,
				  unsigned width_log, const uint8_t *p)
{
	size_t shorter = row_of(f, lzx_mix(p + 1, SHORT_BYTES)) << width_log;
	size_t longer = row_of(f, lzx_mix(p + 1, LONG_BYTES)) << width_log;

	__builtin_prefetch(f->shorts.tag + shorter);
	__builtin_prefetch(f->shorts.place + shorter);
	__builtin_prefetch(f->longs.tag + longer);
	__builtin_prefetch(f->longs.place + longer);
}

/* ---- finding ------------------------------------------------------------ */

/* Bit i: the tag of slot i is the one looked for. */
#ifdef __SSE2__
static BY_WIDTH uint64_t equal_tags(const uint8_t *tag, unsigned width,
				    uint8_t t)
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
static BY_WIDTH uint64_t equal_tags(const uint8_t *tag, unsigned width,
				    uint8_t t)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i++)
		bits |= (uint64_t)(tag[i] == t) << i;
	return bits;
}
#endif

/* Collects the places whose tag is right, latest first, and asks for what
 * stands there. */
static BY_WIDTH unsigned gather(const struct lzx_finder *f,
				const struct lzx_rows *r, unsigned width_log,
				const uint8_t *base, uint64_t mix,
				unsigned candidates, uint32_t *places)
{
	const unsigned width = 1u << width_log;
	size_t row = row_of(f, mix);
	const uint32_t *place = r->place + (row << width_log);
	uint64_t hits =
		equal_tags(r->tag + (row << width_log), width, tag_of(mix));

	return lzx_ring_gather(place, UINT32_MAX, r->head[row], width, hits,
			       candidates, base, places);
}

/*
 * What a match saves at most that is found by its first four bytes alone. Who
 * has that much, above all in the second of two looks, need not try these:
 * they are most of the work and what they find is too short.
 */
#define SHORT_GAIN (LONG_BYTES - 1 - 2)

/* Looks closely at places that may save more than *best: a distance of more
 * bytes wants a longer match. */
static inline void weigh(const struct lzx_finder *f, const struct lzx_input *in,
			 uint32_t at, const uint32_t *places, unsigned tried,
			 struct lzx_gain *best)
{
	const uint8_t *p = in->base + at;
	const uint8_t *end = in->base + in->end;

	for (unsigned i = 0; i < tried; i++) {
		const uint8_t *q = in->base + places[i];
		uint32_t dist_bytes = lzx_dist_bytes((uint32_t)(p - q));
		/* It has to be longer than this. */
		uint32_t least = ARC_MAX((uint32_t)best->bytes + 1 + dist_bytes,
					 LZX_MIN_MATCH - 1);
		uint32_t len;

		if (least >= end - p)
			continue;
		if (lzx_load32(q + least - 3) != lzx_load32(p + least - 3))
			continue;
		len = lzx_common(p, q, end);
		lzx_consider(len, (uint32_t)(p - q), dist_bytes, best);
		if (len >= f->good_enough)
			break;
	}
}

static BY_WIDTH void find_best(struct lzx_finder *f, unsigned width_log,
			       const struct lzx_input *in, uint32_t at,
			       struct lzx_gain *best)
{
	const uint8_t *p = in->base + at;
	uint32_t places[LZX_ROW_MAX];
	unsigned tried;

	ask_for_next(f, width_log, p);
	enter(f, width_log, in, at, false);
	tried = gather(f, &f->longs, width_log, in->base,
		       lzx_mix(p, LONG_BYTES), f->long_candidates, places);
	weigh(f, in, at, places, tried, best);
	if (best->bytes >= SHORT_GAIN || best->len >= f->good_enough)
		return;
	tried = gather(f, &f->shorts, width_log, in->base,
		       lzx_mix(p, SHORT_BYTES), f->candidates, places);
	weigh(f, in, at, places, tried, best);
}

void lzx_find_best(struct lzx_finder *f, const struct lzx_input *in,
		   uint32_t at, struct lzx_gain *best)
{
	switch (f->width_log) {
	case 4:
		find_best(f, 4, in, at, best);
		break;
	case 5:
		find_best(f, 5, in, at, best);
		break;
	default:
		find_best(f, 6, in, at, best);
		break;
	}
}
