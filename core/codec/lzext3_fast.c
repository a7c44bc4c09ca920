/* SPDX-License-Identifier: MIT */
/*
 * The parser of levels 1 and 2: takes the first match it sees. Level 1 looks
 * at the last place with the same six bytes, level 2 at the last with the same
 * eight and then at the last with the same five. The last distance is tried
 * one byte ahead of both, since it costs nothing to say.
 */
#include "lzext3_enc_i.h"

#define SHORT_BYTES 5
#define ONLY_BYTES 6 /* with one table */
#define LONG_BYTES 8
#define TAIL 12 /* bytes at the end that are not looked at */

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
	unsigned shift; /* of a hash, to get an entry's number */
	const uint8_t *base;
	const uint8_t *end;
	uint32_t limit; /* no match begins from here on */
	uint32_t readable;
};

/* Where a match is, from where. */
struct found {
	uint32_t at;
	uint32_t from;
	uint32_t len; /* 0: none */
};

/* How short a match may be for its distance. */
static INLINE uint32_t min_len(uint32_t dist)
{
	return dist > 0xffff ? 6 : SHORT_BYTES;
}

static INLINE uint64_t short_mix(const uint8_t *p, bool two)
{
	return lzx_mix(p, two ? SHORT_BYTES : ONLY_BYTES);
}

/* Looks a position up in a table and enters it. */
static INLINE uint32_t swap_entry(uint32_t *table, unsigned shift, uint64_t mix,
				  uint32_t at)
{
	uint32_t *entry = &table[mix >> shift];
	uint32_t old = *entry;

	*entry = at + 1;
	return old;
}

/* Whether there is a match, of SHORT_BYTES at least. */
static INLINE bool try_entry(const struct view *v, uint32_t entry, uint32_t at,
			     struct found *ret)
{
	const uint8_t *p = v->base + at;
	const uint8_t *q = v->base + entry - 1;
	uint64_t x;

	if (entry == 0)
		return false;
	x = lzx_load64(p) ^ lzx_load64(q);
	if (x << (64 - 8 * SHORT_BYTES))
		return false;
	ret->at = at;
	ret->from = entry - 1;
	ret->len = x ? (uint32_t)__builtin_ctzll(x) / 8
		     : 8 + lzx_common(p + 8, q + 8, v->end);
	return ret->len >= min_len(at - ret->from);
}

static INLINE bool look_up(const struct view *v, uint32_t at, uint64_t mix,
			   bool two, struct found *ret)
{
	uint32_t shorter = swap_entry(v->shorts, v->shift, mix, at);

	if (two) {
		uint32_t longer =
			swap_entry(v->longs, v->shift,
				   lzx_mix(v->base + at, LONG_BYTES), at);

		if (try_entry(v, longer, at, ret))
			return true;
	}
	return try_entry(v, shorter, at, ret);
}

/* The next match from `at` on, its last distance being `last`. */
static INLINE struct found next_match(const struct view *v, uint32_t anchor,
				      uint32_t last, bool two)
{
	const uint8_t *base = v->base;
	struct found f = { 0 };
	uint32_t at = anchor;

	while (at < v->limit) {
		uint64_t mix = short_mix(base + at, two);
		bool skimming = at - anchor > LZX_SKIM;

		if (skimming && !lzx_is_sample(base + at)) {
			at++;
			continue;
		}
		if (last && lzx_load32(base + at + 1) ==
				    lzx_load32(base + at + 1 - last)) {
			swap_entry(v->shorts, v->shift, mix, at);
			f.at = at + 1;
			f.from = f.at - last;
			f.len = lzx_common(base + f.at, base + f.from, v->end);
			return f;
		}
		if (look_up(v, at, mix, two, &f))
			return f;
		at += skimming ? 1 : 1 + ((at - anchor) >> 4);
	}
	f.len = 0;
	return f;
}

static INLINE void extend_back(const struct view *v, uint32_t anchor,
			       struct found *f)
{
	while (f->at > anchor && f->from > 0 &&
	       v->base[f->at - 1] == v->base[f->from - 1]) {
		f->at--;
		f->from--;
		f->len++;
	}
}

/* Positions within a match: one near its begin and one near its end. */
static INLINE void enter_some(const struct view *v, const struct found *f,
			      bool two)
{
	const uint32_t at[2] = { f->at + 2, f->at + f->len - 2 };

	for (unsigned i = 0; i < 2; i++) {
		if (at[i] + 8 > v->readable)
			continue;
		swap_entry(v->shorts, v->shift, short_mix(v->base + at[i], two),
			   at[i]);
		if (two)
			swap_entry(v->longs, v->shift,
				   lzx_mix(v->base + at[i], LONG_BYTES), at[i]);
	}
}

static INLINE void parse_with(const struct state *s, const struct lzx_input *in,
			      struct lzx_matches *out, bool two)
{
	const struct view view = {
		.shorts = s->shorts,
		.longs = s->longs,
		.shift = 64 - s->used_log,
		.base = in->base,
		.end = in->base + in->end,
		.limit = in->end - in->off > TAIL ? in->end - TAIL : in->off,
		.readable = in->readable,
	};
	const struct view *v = &view;
	uint32_t anchor = in->off;
	uint32_t last = 0;

	for (;;) {
		struct found f = next_match(v, anchor, last, two);

		if (f.len == 0)
			break;
		extend_back(v, anchor, &f);
		lzx_put(out, f.at - anchor, f.len, f.at - f.from);
		last = f.at - f.from;
		anchor = f.at + f.len;
		enter_some(v, &f, two);
	}
}

static void parse(void *state, const struct lzx_input *in,
		  struct lzx_matches *out)
{
	struct state *s = state;

	if (s->two_tables)
		parse_with(s, in, out, true);
	else
		parse_with(s, in, out, false);
}

const struct lzx_parser lzx_fast = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.parse = parse,
};
