/* SPDX-License-Identifier: MIT */
/*
 * The parser of levels 7 to 9: the cheapest way from the start of a segment to
 * its end, where a step is a literal or a match, found by going through the
 * positions once (the shortest path through a graph without cycles; as in the
 * optimal parsers of LZMA and zstd, each position remembers one way only, with
 * the last distance and the run of literals that go with it).
 *
 * Prices are fixed: LZ-EXT3 has no entropy stage. They are counted in parts of
 * a byte, since a token shall cost a little more than its bytes: of two ways
 * of equal size the one with fewer tokens is faster to decode.
 *
 * Where the next position can be had for the same price, a match that begins
 * here is as good one byte later, from the same place plus one: such positions
 * are not searched. What is lost are matches that are too short then.
 */
#include "lzext3_deep.h"

#define BYTE 16 /* price of a byte */
#define TOKEN (BYTE + 4) /* of a token */
#define TAIL LZX_LONG /* bytes at the end that are not looked at */

/* Where a match has been found that reaches so much further, what might begin
 * here is hardly ever better. */
#define COVERED 96

/* Neighbouring positions that are stepped to at once. */
#define LANES 4

typedef int32_t prices __attribute__((vector_size(4 * LANES)));
typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

static_assert(LANES == LZX_NEARS, "the near matches are one step");

#define UNREACHED 0x7f7f7f7f /* its bytes are all the same */
#define LITERALS UINT32_C(0x80000000)

/* The way to each position of a segment, with room behind for a step's lanes. */
struct ways {
	int32_t price[ARC_SEGMENT_SIZE + 1 + LANES];
	uint32_t last[ARC_SEGMENT_SIZE + 1 + LANES]; /* distance in force */
	uint32_t how[ARC_SEGMENT_SIZE + 1 + LANES]; /* length of the match that
		* ends here, or literals since the last, with LITERALS */
};

struct state {
	struct lzx_deep finder;
	uint32_t far; /* of the input's far matches, the next */
	struct ways ways;
};

static void free_state(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	lzx_deep_fini(&s->finder);
	free(s);
}

static int new_state(const struct lzx_settings *set, void **ret)
{
	struct state *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = lzx_deep_init(&s->finder, set);
	if (err < 0) {
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

static void begin(void *state, size_t n)
{
	struct state *s = state;

	lzx_deep_begin(&s->finder, n);
}

/* Literals since the last match. */
static inline uint32_t run_of(const struct ways *w, uint32_t i)
{
	return w->how[i] & LITERALS ? w->how[i] & ~LITERALS : 0;
}

/* What a literal costs that comes after `run` others. */
static inline int32_t literal_price(uint32_t run)
{
	return BYTE + (run + 1 == LZX_LIT_MORE ? BYTE : 0) +
	       (run + 1 == LZX_LIT_MORE + LZX_X8_MORE ? 2 * BYTE : 0);
}

static inline void step_literal(struct ways *w, uint32_t i)
{
	uint32_t run = run_of(w, i);
	int32_t price = w->price[i] + literal_price(run);

	if (price >= w->price[i + 1])
		return;
	w->price[i + 1] = price;
	w->last[i + 1] = w->last[i];
	w->how[i + 1] = LITERALS | (run + 1);
}

/* Takes a step to the positions from `to` on wherever it is the cheapest so
 * far: without branches, which could not be foreseen. */
static inline void take(struct ways *w, uint32_t to, const prices *price,
			const lanes *len, const lanes *dist)
{
	prices have;
	lanes cheaper, last, how;

	memcpy(&have, w->price + to, sizeof(have));
	memcpy(&last, w->last + to, sizeof(last));
	memcpy(&how, w->how + to, sizeof(how));
	cheaper = (lanes)(*price < have);
	have = (prices)(((lanes)*price & cheaper) | ((lanes)have & ~cheaper));
	last = (*dist & cheaper) | (last & ~cheaper);
	how = (*len & cheaper) | (how & ~cheaper);
	memcpy(w->price + to, &have, sizeof(have));
	memcpy(w->last + to, &last, sizeof(last));
	memcpy(w->how + to, &how, sizeof(how));
}

/* The longest match that costs as much as one of len bytes. */
static inline uint32_t same_price(uint32_t len)
{
	uint32_t more = LZX_MIN_MATCH + LZX_LEN_MORE;

	if (len < more)
		return more - 1;
	return len < more + LZX_X8_MORE ? more + LZX_X8_MORE - 1 : UINT32_MAX;
}

/* Matches of lengths from..to, which share a distance. */
static inline void step_matches(struct ways *w, uint32_t i, uint32_t from,
				uint32_t to, uint32_t dist)
{
	int32_t start = w->price[i] + TOKEN;
	const lanes dists = { dist, dist, dist, dist };

	if (dist != w->last[i])
		start += (int32_t)lzx_dist_bytes(dist) * BYTE;
	while (from <= to) {
		uint32_t until = ARC_MIN(to, same_price(from));
		int32_t all = start + (int32_t)lzx_len_bytes(from) * BYTE;

		for (; from <= until; from += LANES) {
			lanes len = { from, from + 1, from + 2, from + 3 };
			prices price = { all, all, all, all };

			price |= (len > until) & UNREACHED;
			take(w, i + from, &price, &len, &dists);
		}
		from = until + 1;
	}
}

/* Matches of the short lengths, each of its own distance; 0: none. Returns the
 * longest, 0 where there is none. */
static inline uint32_t step_near(struct ways *w, uint32_t i,
				 const uint32_t near[LZX_NEARS])
{
	int32_t start = w->price[i] + TOKEN + BYTE;
	const lanes len = { LZX_MIN_MATCH, LZX_MIN_MATCH + 1, LZX_MIN_MATCH + 2,
			    LZX_MIN_MATCH + 3 };
	prices price = { start, start, start, start };
	uint32_t longest = 0;
	lanes dist;

	memcpy(&dist, near, sizeof(dist));
	price += ((dist > 0xff) & BYTE) + ((dist > 0xffff) & BYTE);
	price |= (dist == 0) & UNREACHED;
	take(w, i + LZX_MIN_MATCH, &price, &len, &dist);
	for (uint32_t k = 0; k < LZX_NEARS; k++)
		longest = near[k] ? LZX_MIN_MATCH + k : longest;
	return longest;
}

/* Steps from position `at` by matches. Returns how long the longest is, 0
 * where there is none. */
static uint32_t step_from(struct state *s, const struct lzx_input *in,
			  uint32_t at)
{
	struct ways *w = &s->ways;
	uint32_t i = at - in->off;
	uint32_t last = lzx_match_last(in, at, w->last[i]);
	struct lzx_far_match far = lzx_far_at(in, at, &s->far);
	uint32_t longest = ARC_MAX(last, far.len);
	struct lzx_found found;
	uint32_t from;

	if (last > 0)
		step_matches(w, i, LZX_MIN_MATCH, last, w->last[i]);
	if (far.len > 0)
		step_matches(w, i, LZX_MIN_MATCH, far.len, far.dist);
	if (longest >= s->finder.good_enough)
		return longest;
	lzx_deep_find(&s->finder, in, at, &found);
	from = step_near(w, i, found.near);
	longest = ARC_MAX(longest, from);
	from = ARC_MAX(from + 1, LZX_MIN_MATCH);
	for (uint32_t k = 0; k < found.n; k++) {
		step_matches(w, i, from, found.item[k].len, found.item[k].dist);
		from = found.item[k].len + 1;
		longest = ARC_MAX(longest, found.item[k].len);
	}
	return longest;
}

/* Whether a match that begins at position i may be of use. */
static inline bool is_worth(const struct ways *w, uint32_t i)
{
	return w->price[i + 1] > w->price[i];
}

static void find_ways(struct state *s, const struct lzx_input *in)
{
	uint32_t limit = in->end - ARC_MIN(in->end - in->off, TAIL);
	uint32_t matched = in->off; /* end of the last match seen */
	uint32_t at = in->off;

	while (at < in->end) {
		uint32_t i = at - in->off;
		bool skimming = at > matched + LZX_SKIM;
		uint32_t longest = 0;

		step_literal(&s->ways, i);
		if (at < limit && at + COVERED > matched &&
		    is_worth(&s->ways, i) &&
		    (!skimming || lzx_is_sample(in->base + at)))
			longest = step_from(s, in, at);
		else if (skimming)
			lzx_deep_enter(&s->finder, in, at, true);
		if (longest > 0)
			matched = ARC_MAX(matched, at + longest);
		at += longest >= s->finder.good_enough ? longest : 1;
		if (longest > LZX_SKIM)
			lzx_deep_enter(&s->finder, in, at, true);
	}
	lzx_deep_enter(&s->finder, in, in->end, in->end > matched + LZX_SKIM);
}

/* Goes back from the end; the matches come in reverse. */
static void collect(const struct ways *w, uint32_t n, struct lzx_matches *out)
{
	uint32_t at = n;

	while (at > 0) {
		uint32_t len = w->how[at];
		uint32_t dist = w->last[at];

		if (len & LITERALS) {
			at -= run_of(w, at);
			continue;
		}
		at -= len;
		lzx_put(out, run_of(w, at), len, dist);
	}
	for (uint32_t i = 0; i < out->n / 2; i++) {
		struct lzx_match m = out->item[i];

		out->item[i] = out->item[out->n - 1 - i];
		out->item[out->n - 1 - i] = m;
	}
}

static void parse(void *state, const struct lzx_input *in,
		  struct lzx_matches *out)
{
	struct state *s = state;
	uint32_t n = in->end - in->off;

	memset(s->ways.price, UNREACHED & 0xff, sizeof(s->ways.price));
	s->ways.price[0] = 0;
	s->ways.last[0] = 0;
	s->ways.how[0] = LITERALS;
	s->far = 0;
	find_ways(s, in);
	collect(&s->ways, n, out);
}

static void pass(void *state, const struct lzx_input *in)
{
	struct state *s = state;

	lzx_deep_enter(&s->finder, in, in->end, true);
}

const struct lzx_parser lzx_best = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.pass = pass,
	.parse = parse,
};
