/* SPDX-License-Identifier: MIT */
/*
 * The parser of levels 1 and 2: takes the first match it sees and writes it at
 * once, so that the processor is busy with that while it waits for what stands
 * at the next place. Level 1 looks at the last place with the same six bytes,
 * level 2 at the last with the same eight and then at the last with the same
 * five. The last distance is tried one byte ahead of both, since it costs
 * nothing to say.
 *
 * An entry of a table is a position and, in its upper byte, a further part of
 * the hash: so most places that do not match need not be looked at, and that
 * there will be a match is known before it has been loaded. Empty entries name
 * position 0, which is as good as any other.
 */
#include "lzext3_write.h"

#define SHORT_BYTES 5
#define ONLY_BYTES 6 /* with one table */
#define LONG_BYTES 8
#define TAIL 40 /* bytes at the end that are not looked at */
#define TAG_LOG 8

static_assert(ARC_GROUP_LOG_MAX + TAG_LOG <= 32, "an entry is 32 bits");
static_assert(TAIL >= 1 + LZX_WIDE && TAIL >= LZX_WILD, "readable bytes");

/* Made once for one table and once for two. */
#define INLINE inline __attribute__((always_inline))

struct state {
	unsigned log;
	bool two_tables;
	unsigned used_log;
	uint32_t *shorts;
	uint32_t *longs; /* NULL with one table */
};

static void free_state(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	free(s->shorts);
	free(s->longs);
	free(s);
}

static int new_state(const struct lzx_settings *set, void **ret)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->log = set->hash_log;
	s->two_tables = set->two_tables;
	s->shorts = malloc(sizeof(uint32_t) << s->log);
	if (s->two_tables)
		s->longs = malloc(sizeof(uint32_t) << s->log);
	if (!s->shorts || (s->two_tables && !s->longs)) {
		free_state(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static void begin(void *state, size_t n)
{
	struct state *s = state;

	s->used_log = lzx_table_log(s->log, n);
	memset(s->shorts, 0, sizeof(uint32_t) << s->used_log);
	if (s->longs)
		memset(s->longs, 0, sizeof(uint32_t) << s->used_log);
}

/* The tables and the input, in variables of the parser's own: behind pointers
 * they would be loaded anew after each entry that is written. */
struct view {
	uint32_t *shorts;
	uint32_t *longs;
	unsigned shift; /* of a product, to get an entry's number and tag */
	const uint8_t *base;
	const uint8_t *limit; /* no match is looked for from here on */
};

static INLINE struct view view_of(const struct state *s,
				  const struct lzx_input *in)
{
	const uint8_t *begin = in->base + in->off, *end = in->base + in->end;

	return (struct view){
		.shorts = s->shorts,
		.longs = s->longs,
		.shift = 64 - TAG_LOG - s->used_log,
		.base = in->base,
		.limit = end - begin > TAIL ? end - TAIL : begin,
	};
}

/* Where a match is, from where. */
struct found {
	const uint8_t *p;
	const uint8_t *q;
};

/* Enters a place, given the product of its bytes. Returns the entry before; its
 * upper byte is 0 when the tags were the same. */
static INLINE uint32_t swap_entry(const struct view *v, uint32_t *table,
				  uint64_t mix, const uint8_t *p)
{
	uint32_t hash = (uint32_t)(mix >> v->shift);
	uint32_t *entry = &table[hash >> TAG_LOG];
	uint32_t tag = hash << (32 - TAG_LOG);
	uint32_t old = *entry;

	*entry = tag | (uint32_t)(p - v->base);
	return old ^ tag;
}

static INLINE void enter(const struct view *v, const uint8_t *p, bool two)
{
	swap_entry(v, v->shorts, lzx_mix(p, two ? SHORT_BYTES : ONLY_BYTES), p);
	if (two)
		swap_entry(v, v->longs, lzx_mix(p, LONG_BYTES), p);
}

/* Whether n bytes at p are found where the entry says. Over long distances,
 * which take a byte more, one byte more is asked for. */
static INLINE bool try_entry(const struct view *v, uint32_t entry,
			     const uint8_t *p, unsigned n, struct found *ret)
{
	const uint8_t *q = v->base + entry;
	uint64_t x;

	if (entry >> (32 - TAG_LOG))
		return false;
	x = lzx_load64(p) ^ lzx_load64(q);
	if (x << (64 - 8 * n))
		return false;
	if (n < ONLY_BYTES && p - q > 0xffff && x << (64 - 8 * ONLY_BYTES))
		return false;
	*ret = (struct found){ p, q };
	return true;
}

/* Enters p and looks for a match there, or one with the last distance behind
 * it. */
static INLINE bool look_up(const struct view *v, const uint8_t *p, size_t last,
			   bool two, struct found *ret)
{
	unsigned n = two ? SHORT_BYTES : ONLY_BYTES;
	uint32_t shorter = swap_entry(v, v->shorts, lzx_mix(p, n), p);
	uint32_t longer = 0;

	if (two)
		longer = swap_entry(v, v->longs, lzx_mix(p, LONG_BYTES), p);
	if (lzx_load32(p + 1) == lzx_load32(p + 1 - last)) {
		*ret = (struct found){ p + 1, p + 1 - last };
		return true;
	}
	if (two && try_entry(v, longer, p, LONG_BYTES, ret))
		return true;
	return try_entry(v, shorter, p, n, ret);
}

/* The next match behind `anchor`, `from` being the first place to look at:
 * where nothing is found, ever larger steps are taken, and later samples. */
static INLINE bool next_match(const struct view *v, const uint8_t *anchor,
			      const uint8_t *from, size_t last, bool two,
			      struct found *ret)
{
	const uint8_t *p = from;
	const uint8_t *stop =
		v->limit - anchor > LZX_SKIM ? anchor + LZX_SKIM : v->limit;

	while (p < stop) {
		if (look_up(v, p, last, two, ret))
			return true;
		p += 1 + ((p - anchor) >> 5);
	}
	for (; p < v->limit; p++) {
		if (lzx_is_sample(p) && look_up(v, p, last, two, ret))
			return true;
	}
	return false;
}

/* How many bytes before the match are equal as well, p not going below
 * anchor. */
static INLINE size_t common_before(const struct view *v, const uint8_t *anchor,
				   const struct found *f)
{
	size_t room = (size_t)ARC_MIN(f->p - anchor, f->q - v->base);
	size_t n = 0;

	while (n < room && f->q - n >= v->base + 8) {
		uint64_t x =
			lzx_load64(f->p - n - 8) ^ lzx_load64(f->q - n - 8);

		if (x)
			return ARC_MIN(room,
				       n + (size_t)__builtin_clzll(x) / 8);
		n += 8;
	}
	return ARC_MIN(room, n);
}

static INLINE uint32_t write_with(const struct state *s,
				  const struct lzx_input *in,
				  struct lzx_streams *out, bool two)
{
	const uint8_t *begin = in->base + in->off, *end = in->base + in->end;
	const struct view v = view_of(s, in);
	struct lzx_streams streams = *out;
	const uint8_t *anchor = begin, *earliest = begin;
	const uint8_t *from = begin + (in->off == 0); /* 0 is in the tables */
	size_t last = 1; /* a guess */
	struct found f;

	while (next_match(&v, anchor, from, last, two, &f)) {
		uint32_t len = lzx_common_wide(f.p, f.q, end);
		size_t before = common_before(&v, anchor, &f);
		const uint8_t *p = f.p - before;

		last = (size_t)(f.p - f.q);
		earliest = ARC_MIN(earliest, f.q - before);
		lzx_put_literals(&streams, anchor, (size_t)(p - anchor));
		lzx_put_match(&streams, (uint32_t)(p - anchor),
			      (uint32_t)(len + before), (uint32_t)last);
		anchor = from = f.p + len;
		enter(&v, p + 2, two);
		if (anchor < v.limit)
			enter(&v, anchor - 2, two);
	}
	lzx_put_tail(&streams, anchor, (size_t)(end - anchor));
	*out = streams;
	return (uint32_t)(earliest - in->base);
}

static uint32_t write_found(void *state, const struct lzx_input *in,
			    struct lzx_streams *out)
{
	const struct state *s = state;

	return s->two_tables ? write_with(s, in, out, true)
			     : write_with(s, in, out, false);
}

static void pass(void *state, const struct lzx_input *in)
{
	const struct state *s = state;
	const struct view v = view_of(s, in);

	for (const uint8_t *p = in->base + in->off; p < v.limit; p++) {
		if (lzx_is_sample(p))
			enter(&v, p, s->two_tables);
	}
}

const struct lzx_parser lzx_fast = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.pass = pass,
	.write = write_found,
};
