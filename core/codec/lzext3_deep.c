/* SPDX-License-Identifier: MIT */
#include "lzext3_deep.h"
#include "lzext3_ring.h"

#define WIDTH_LOG_MIN 4 /* the places of a row fill a cache line then */
#define WIDTH_LOG_MAX 6
#define LINE 64
#define LINE_PLACES (LINE / sizeof(uint32_t))
#define PLACE_BITS 24
#define PLACE ((UINT32_C(1) << PLACE_BITS) - 1)

/* So many times as many near places, log2, as there are in a row: who looks at
 * more of these wants more of those as well. But with a long reach not so much
 * less, log2, than there are in all rows. */
#define NEAR_LOG 13
#define NEAR_LESS 2

#define BY_WIDTH LZX_BY_WIDTH

static_assert(1 << WIDTH_LOG_MAX == LZX_DEEP_MAX, "width of rows");
/* The last bytes are not entered, so that this much is enough. */
static_assert(ARC_GROUP_LOG_MAX <= PLACE_BITS, "position + 1");

/* ---- tables ------------------------------------------------------------- */

static size_t near_size(unsigned log)
{
	return (LZX_NEARS * sizeof(uint32_t)) << log;
}

int lzx_deep_init(struct lzx_deep *f, const struct lzx_settings *set)
{
	*f = (struct lzx_deep){ .log = set->hash_log,
				.width_log = WIDTH_LOG_MIN,
				.candidates = set->long_candidates,
				.good_enough = set->good_enough };
	while (f->width_log < WIDTH_LOG_MAX &&
	       1u << f->width_log < f->candidates)
		f->width_log++;
	f->near_log = ARC_MAX(f->width_log + NEAR_LOG, f->log - NEAR_LESS);
	f->near_log = ARC_MIN(f->near_log, f->log);
	f->near = aligned_alloc(LINE, near_size(f->near_log));
	f->place = aligned_alloc(LINE, sizeof(uint32_t) << f->log);
	f->head = malloc((size_t)1 << (f->log - f->width_log));
	if (f->near && f->place && f->head)
		return 0;
	lzx_deep_fini(f);
	return -ENOMEM;
}

void lzx_deep_fini(struct lzx_deep *f)
{
	free(f->near);
	free(f->place);
	free(f->head);
	*f = (struct lzx_deep){ 0 };
}

void lzx_deep_begin(struct lzx_deep *f, size_t n)
{
	unsigned log = lzx_table_log(f->log, n);

	f->row_bits = log - f->width_log;
	f->near_bits = lzx_table_log(f->near_log, n);
	memset(f->near, 0, near_size(f->near_bits));
	memset(f->place, 0, sizeof(uint32_t) << log);
	memset(f->head, 0, (size_t)1 << f->row_bits);
	f->next = 0;
	f->hashed = 0;
}

/* ---- entering ----------------------------------------------------------- */

/* Made for each length, which is then a constant. */
static BY_WIDTH void hash_near(const struct lzx_deep *f,
			       struct lzx_slots *slots, const uint8_t *p,
			       unsigned i)
{
	uint64_t mix = lzx_mix(p, LZX_MIN_MATCH + i);
	uint32_t slot =
		(uint32_t)(mix >> (64 - f->near_bits)) | i << f->near_bits;

	slots->near[i] = slot;
	__builtin_prefetch(f->near + slot, 1);
}

/* Says where `at` is to be entered, and asks for the memory. */
static BY_WIDTH void hash(struct lzx_deep *f, unsigned width_log,
			  const struct lzx_input *in, uint32_t at)
{
	struct lzx_slots *slots = &f->slots[at % LZX_AHEAD];
	const uint8_t *p = in->base + at;
	uint64_t mix = lzx_mix(p, LZX_LONG);
	uint32_t row = (uint32_t)(mix >> (64 - f->row_bits));
	const uint32_t *places = f->place + ((size_t)row << width_log);

	slots->row = row | (uint32_t)(mix >> 32) << PLACE_BITS;
	for (size_t i = 0; i < 1u << width_log; i += LINE_PLACES)
		__builtin_prefetch(places + i, 1);
	hash_near(f, slots, p, 0);
	hash_near(f, slots, p, 1);
	hash_near(f, slots, p, 2);
	hash_near(f, slots, p, 3);
}

static BY_WIDTH void enter_one(struct lzx_deep *f, unsigned width_log,
			       uint32_t at)
{
	const struct lzx_slots *slots = &f->slots[at % LZX_AHEAD];
	size_t row = slots->row & PLACE;
	unsigned slot = (f->head[row] - 1u) & ((1u << width_log) - 1);

	f->near[slots->near[0]] = at;
	f->near[slots->near[1]] = at;
	f->near[slots->near[2]] = at;
	f->near[slots->near[3]] = at;
	f->head[row] = (uint8_t)slot;
	f->place[(row << width_log) + slot] = (slots->row & ~PLACE) | (at + 1);
}

static BY_WIDTH void enter_samples(struct lzx_deep *f, unsigned width_log,
				   const struct lzx_input *in, uint32_t at)
{
	for (; f->next < at; f->next++) {
		if (!lzx_is_sample(in->base + f->next))
			continue;
		hash(f, width_log, in, f->next);
		enter_one(f, width_log, f->next);
	}
	f->hashed = f->next;
}

/* Positions up to `end` may be hashed, and LZX_AHEAD of them are when they can
 * be: `at`, which is looked at next, is among these. */
static BY_WIDTH void enter_all(struct lzx_deep *f, unsigned width_log,
			       const struct lzx_input *in, uint32_t at,
			       uint32_t end)
{
	uint32_t next = f->next;
	uint32_t hashed = f->hashed;

	for (; hashed < ARC_MIN(next + LZX_AHEAD, end); hashed++)
		hash(f, width_log, in, hashed);
	for (; next < at; next++) {
		enter_one(f, width_log, next);
		if (hashed < end)
			hash(f, width_log, in, hashed++);
	}
	f->next = next;
	f->hashed = hashed;
}

static BY_WIDTH void enter(struct lzx_deep *f, unsigned width_log,
			   const struct lzx_input *in, uint32_t at,
			   bool samples)
{
	uint32_t end = in->readable - ARC_MIN(in->readable, LZX_LONG);

	at = ARC_MIN(at, end);
	if (samples)
		enter_samples(f, width_log, in, at);
	else
		enter_all(f, width_log, in, at, end);
}

void lzx_deep_enter(struct lzx_deep *f, const struct lzx_input *in, uint32_t at,
		    bool samples)
{
	switch (f->width_log) {
	case 4:
		enter(f, 4, in, at, samples);
		break;
	case 5:
		enter(f, 5, in, at, samples);
		break;
	default:
		enter(f, 6, in, at, samples);
		break;
	}
}

/* ---- finding ------------------------------------------------------------ */

static BY_WIDTH uint32_t near_dist(const struct lzx_deep *f,
				   const struct lzx_slots *slots,
				   const uint8_t *p, uint32_t at, unsigned i)
{
	uint32_t dist = at - f->near[slots->near[i]];
	uint64_t differ = lzx_load64(p) ^ lzx_load64(p - dist);

	return differ << (64 - 8 * (LZX_MIN_MATCH + i)) ? 0 : dist;
}

/* The nearest place of each length, if its bytes are what its hash says. */
static inline void find_near(const struct lzx_deep *f,
			     const struct lzx_input *in, uint32_t at,
			     uint32_t dist[LZX_NEARS])
{
	const struct lzx_slots *slots = &f->slots[at % LZX_AHEAD];
	const uint8_t *p = in->base + at;

	dist[0] = near_dist(f, slots, p, at, 0);
	dist[1] = near_dist(f, slots, p, at, 1);
	dist[2] = near_dist(f, slots, p, at, 2);
	dist[3] = near_dist(f, slots, p, at, 3);
}

/* Bit i: the hash beside place i is that of `row`. */
#ifdef __SSE2__
static inline __m128i equal_places(const uint32_t *place, __m128i want)
{
	__m128i have = _mm_load_si128((const __m128i *)place);

	return _mm_cmpeq_epi32(_mm_srli_epi32(have, PLACE_BITS), want);
}

static BY_WIDTH uint64_t equal_hashes(const uint32_t *place, unsigned width,
				      uint32_t row)
{
	const __m128i want = _mm_set1_epi32((int)(row >> PLACE_BITS));
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i += 16) {
		__m128i a = equal_places(place + i, want);
		__m128i b = equal_places(place + i + 4, want);
		__m128i c = equal_places(place + i + 8, want);
		__m128i d = equal_places(place + i + 12, want);
		__m128i all = _mm_packs_epi16(_mm_packs_epi32(a, b),
					      _mm_packs_epi32(c, d));

		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(all) << i;
	}
	return bits;
}
#else
static BY_WIDTH uint64_t equal_hashes(const uint32_t *place, unsigned width,
				      uint32_t row)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i++)
		bits |= (uint64_t)((place[i] ^ row) <= PLACE) << i;
	return bits;
}
#endif

/* Collects the places whose hash is right, latest first, and asks for what
 * stands there. */
static BY_WIDTH unsigned gather(const struct lzx_deep *f, unsigned width_log,
				const struct lzx_input *in, uint32_t at,
				uint32_t *places)
{
	const unsigned width = 1u << width_log;
	uint32_t row = f->slots[at % LZX_AHEAD].row;
	const uint32_t *place = f->place + ((size_t)(row & PLACE) << width_log);
	uint64_t hits = equal_hashes(place, width, row);

	return lzx_ring_gather(place, PLACE, f->head[row & PLACE], width, hits,
			       f->candidates, in->base, places);
}

/* Finds the places that match longer than each nearer one. */
static inline void compare(const struct lzx_deep *f, const struct lzx_input *in,
			   uint32_t at, const uint32_t *places, unsigned tried,
			   struct lzx_found *found)
{
	const uint8_t *p = in->base + at;
	const uint8_t *end = in->base + in->end;
	uint32_t best = LZX_LONG - 1;

	for (unsigned i = 0; i < tried; i++) {
		const uint8_t *q = in->base + places[i];
		uint32_t len;

		if (lzx_load32(q + best - 3) != lzx_load32(p + best - 3))
			continue;
		len = lzx_common(p, q, end);
		if (len <= best)
			continue;
		best = len;
		found->item[found->n++] =
			(struct lzx_long){ len, (uint32_t)(p - q) };
		if (len >= f->good_enough || p + len == end)
			break;
	}
}

/*
 * Whether a long match is likely: what matches long matches short. Another hash
 * may have taken the near place, but not often that of two lengths, unless so
 * much has been entered that rows remember what near places cannot.
 */
static inline bool matches_short(const struct lzx_deep *f, uint32_t at,
				 const uint32_t near[LZX_NEARS])
{
	return near[LZX_NEARS - 1] || near[LZX_NEARS - 2] ||
	       at >> f->near_bits >= 4;
}

static BY_WIDTH void find(struct lzx_deep *f, unsigned width_log,
			  const struct lzx_input *in, uint32_t at,
			  struct lzx_found *found)
{
	uint32_t places[LZX_DEEP_MAX];
	unsigned tried;

	enter(f, width_log, in, at, false);
	find_near(f, in, at, found->near);
	found->n = 0;
	if (!matches_short(f, at, found->near))
		return;
	tried = gather(f, width_log, in, at, places);
	compare(f, in, at, places, tried, found);
}

void lzx_deep_find(struct lzx_deep *f, const struct lzx_input *in, uint32_t at,
		   struct lzx_found *found)
{
	switch (f->width_log) {
	case 4:
		find(f, 4, in, at, found);
		break;
	case 5:
		find(f, 5, in, at, found);
		break;
	default:
		find(f, 6, in, at, found);
		break;
	}
}
