/* SPDX-License-Identifier: MIT */
#include "noise.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- limits -------------------------------------------------------------- */

/* The sample: PIECES evenly over the segment, some of them before the rest. */
#define PIECES 32
#define PIECE 256
#define PIECES_FIRST 4

/* Of places: the lowest bits of their first byte. */
#define SAMPLE_MASK 0x7f
#define SAMPLE_BITS 0x1e /* rare in text */

/* Entries of the table: a position + 1, and above it a part of the hash. Places
 * of a frame of 16 MiB push each other out; of a long repeat some stay. */
#define LOG_MIN 10
#define LOG_MAX 16
#define PLACE_LOG (ARC_GROUP_LOG_MAX + 1)

/* Runs of bytes in which each place is compared with the latest like it. */
#define RUNS 2
#define RUN 1024
#define RUN_LOG 10

#define BLOCK 64 /* bytes looked at as one */
#define NEAR 65536 /* from here on four bytes are not worth a distance */

/* What counts against noise, and how much of it is let pass. */
struct limits {
	uint32_t uneven; /* chi-squared; of even bytes 255, +- 23 */
	unsigned flat; /* blocks */
	unsigned repeats; /* points: 1 for a short one, 2 for 8 bytes */
	unsigned close; /* repeats in the runs */
};

static const struct limits strict = { 400, 3, 1, 0 };
static const struct limits lax = { 1000, 3, 1, 1 };

/* ---- making -------------------------------------------------------------- */

struct arc_noise {
	struct arc_span frame;
	uint8_t window_log;
	unsigned log; /* of entries in use */
	bool cleared; /* the table, for this frame */
	size_t entered; /* bytes before it are in the table, or out of reach */
	uint32_t table[1u << LOG_MAX];
};

int arc_noise_new(struct arc_noise **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void arc_noise_free(struct arc_noise *n)
{
	free(n);
}

void arc_noise_begin(struct arc_noise *n, struct arc_span frame,
		     uint8_t window_log)
{
	n->frame = frame;
	n->window_log = window_log;
	n->log = LOG_MAX;
	while (n->log > LOG_MIN && (size_t)BLOCK << (n->log - 2) >= frame.n)
		n->log--;
	n->cleared = false;
	n->entered = 0;
}

/* ---- evenness ------------------------------------------------------------ */

/* Counts of bytes; four tables, for equal bytes in a row. */
struct counts {
	uint16_t of[4][256];
	uint32_t total;
};

static void count_piece(struct arc_span seg, size_t i, struct counts *c)
{
	size_t stride = seg.n / PIECES;
	size_t n = ARC_MIN(stride, PIECE) / 4 * 4;
	const uint8_t *p = seg.p + i * stride;

	for (size_t at = 0; at < n; at += 4) {
		c->of[0][p[at]]++;
		c->of[1][p[at + 1]]++;
		c->of[2][p[at + 2]]++;
		c->of[3][p[at + 3]]++;
	}
	c->total += (uint32_t)n;
}

static bool is_even(const struct counts *c, const struct limits *limits)
{
	uint64_t squares = 0;

	for (unsigned b = 0; b < 256; b++) {
		uint32_t n = (uint32_t)c->of[0][b] + c->of[1][b] + c->of[2][b] +
			     c->of[3][b];

		squares += n * n;
	}
	return squares * 256 / c->total - c->total <= limits->uneven;
}

/* ---- repeats ------------------------------------------------------------- */

/* Bit i of each: byte i is that of a place; its highest bit. */
struct masks {
	uint64_t places;
	uint64_t high;
};

#ifdef __SSE2__
static inline struct masks masks_of_16(const uint8_t *p)
{
	const __m128i mask = _mm_set1_epi8(SAMPLE_MASK);
	const __m128i bits = _mm_set1_epi8(SAMPLE_BITS);
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	__m128i is = _mm_cmpeq_epi8(_mm_and_si128(v, mask), bits);

	return (struct masks){ (uint32_t)_mm_movemask_epi8(is),
			       (uint32_t)_mm_movemask_epi8(v) };
}

static inline struct masks masks_of(const uint8_t *p)
{
	struct masks a = masks_of_16(p), b = masks_of_16(p + 16);
	struct masks c = masks_of_16(p + 32), d = masks_of_16(p + 48);

	return (struct masks){
		a.places | b.places << 16 | c.places << 32 | d.places << 48,
		a.high | b.high << 16 | c.high << 32 | d.high << 48,
	};
}
#else
static inline struct masks masks_of(const uint8_t *p)
{
	struct masks m = { 0 };

	for (unsigned i = 0; i < BLOCK; i++) {
		bool is = (p[i] & SAMPLE_MASK) == SAMPLE_BITS;

		m.places |= (uint64_t)is << i;
		m.high |= (uint64_t)(p[i] >> 7) << i;
	}
	return m;
}
#endif

static inline uint64_t load64(const uint8_t *p)
{
	struct arc_le64 v;

	memcpy(&v, p, sizeof(v));
	return arc_get64(v);
}

/* Enters the place; the points of the one that was there. */
static inline unsigned visit(struct arc_noise *n, size_t at, size_t low)
{
	const uint8_t *base = n->frame.p;
	uint64_t bytes = load64(base + at);
	uint32_t hash = (uint32_t)bytes * UINT32_C(0x9e3779b1);
	uint32_t *entry = &n->table[hash >> (32 - n->log)];
	uint32_t tag = hash << n->log >> PLACE_LOG << PLACE_LOG;
	uint32_t old = *entry ^ tag;
	uint64_t differ;

	*entry = tag | (uint32_t)(at + 1);
	if (old >> PLACE_LOG || old <= low)
		return 0;
	differ = bytes ^ load64(base + old - 1);
	if (!differ)
		return 2;
	if ((uint32_t)differ)
		return 0;
	return !(uint8_t)(differ >> 32) || at - (old - 1) < NEAR;
}

/* What speaks against noise in the bytes from..to; enters their places. Beyond
 * the limits it need not be exact. */
struct signs {
	unsigned flat;
	unsigned repeats;
};

static struct signs look_through(struct arc_noise *n, size_t from, size_t to,
				 size_t low)
{
	struct signs signs = { 0 };

	to = ARC_MIN(to, n->frame.n - sizeof(uint64_t));
	for (size_t at = from; at + BLOCK <= to; at += BLOCK) {
		struct masks m = masks_of(n->frame.p + at);

		signs.flat += m.high == 0 || m.high == UINT64_MAX;
		for (; m.places; m.places &= m.places - 1)
			signs.repeats += visit(
				n, at + (size_t)__builtin_ctzll(m.places), low);
	}
	return signs;
}

/* Everything before `at` that its window reaches. */
static void enter_before(struct arc_noise *n, size_t at, size_t low)
{
	if (!n->cleared)
		memset(n->table, 0, sizeof(n->table[0]) << n->log);
	n->cleared = true;
	n->entered = ARC_MAX(n->entered, low);
	if (n->entered < at)
		look_through(n, n->entered, at, low);
	n->entered = at;
}

/* Places in the runs whose four bytes came shortly before. */
static unsigned close_repeats(struct arc_span seg)
{
	unsigned found = 0;

	for (unsigned i = 0; i < RUNS; i++) {
		const uint8_t *p = seg.p + (2 * i + 1) * (seg.n / (2 * RUNS));
		uint16_t table[1u << RUN_LOG] = { 0 };

		for (uint32_t at = 0; at + sizeof(uint64_t) <= RUN; at++) {
			uint32_t bytes = (uint32_t)load64(p + at);
			uint16_t *entry = &table[bytes * UINT32_C(0x9e3779b1) >>
						 (32 - RUN_LOG)];

			found +=
				at > 0 && bytes == (uint32_t)load64(p + *entry);
			*entry = (uint16_t)at;
		}
	}
	return found;
}

/* The rest of the sample comes last: then its bytes are in the cache. */
bool arc_noise_is(struct arc_noise *n, uint32_t s, bool named)
{
	const struct limits *limits = named ? &lax : &strict;
	size_t at = (size_t)s << ARC_SEGMENT_LOG;
	size_t low = at >> n->window_log << n->window_log;
	struct arc_span seg = { n->frame.p + at,
				ARC_MIN(n->frame.n - at, ARC_SEGMENT_SIZE) };
	struct counts counts = { 0 };
	struct signs signs;

	if (seg.n < ARC_NOISE_MIN)
		return false;
	for (size_t i = 0; i < PIECES; i += PIECES / PIECES_FIRST)
		count_piece(seg, i, &counts);
	if (!is_even(&counts, limits))
		return false;
	enter_before(n, at, low);
	signs = look_through(n, at, at + seg.n, low);
	n->entered = at + seg.n;
	if (signs.flat > limits->flat || signs.repeats > limits->repeats)
		return false;
	for (size_t i = 0; i < PIECES; i++)
		if (i % (PIECES / PIECES_FIRST))
			count_piece(seg, i, &counts);
	return is_even(&counts, limits) && close_repeats(seg) <= limits->close;
}
