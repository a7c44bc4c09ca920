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
#include "lzext3_find.h"

#define BYTE 16u /* price of a byte */
#define TOKEN (BYTE + 4u) /* of a token */
#define TAIL 8 /* bytes at the end that are not looked at */

struct node {
	uint32_t price; /* to get here */
	uint32_t len; /* of the match that ends here; 0: a literal */
	uint32_t dist; /* of it */
	uint32_t last; /* distance in force here */
	uint32_t run; /* literals since the last match */
};

struct state {
	struct lzx_finder finder;
	uint32_t far; /* of the input's far matches, the next */
	struct node node[ARC_SEGMENT_SIZE + 1];
};

static void free_state(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	lzx_finder_fini(&s->finder);
	free(s);
}

static int new_state(const struct lzx_settings *set, void **ret)
{
	struct state *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = lzx_finder_init(&s->finder, set);
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

	lzx_finder_begin(&s->finder, n);
}

/* What a literal costs that comes after `run` others. */
static inline uint32_t literal_price(uint32_t run)
{
	return BYTE + (run + 1 == LZX_LIT_MORE ? BYTE : 0) +
	       (run + 1 == LZX_LIT_MORE + LZX_X8_MORE ? 2 * BYTE : 0);
}

static inline void step_literal(struct node *at)
{
	uint32_t price = at->price + literal_price(at->run);

	if (price >= at[1].price)
		return;
	at[1] = (struct node){ .price = price,
			       .last = at->last,
			       .run = at->run + 1 };
}

/* Matches of lengths from..to, which share a distance. */
static inline void step_matches(struct node *at, uint32_t from, uint32_t to,
				uint32_t dist)
{
	uint32_t price = at->price + TOKEN +
			 (dist == at->last ? 0 : lzx_dist_bytes(dist) * BYTE);

	for (uint32_t len = from; len <= to; len++) {
		uint32_t all = price + lzx_len_bytes(len) * BYTE;

		if (all >= at[len].price)
			continue;
		at[len] = (struct node){
			.price = all, .len = len, .dist = dist, .last = dist
		};
	}
}

/* Steps from position `at` by matches. Returns how long the longest is, 0
 * where there is none. */
static uint32_t step_from(struct state *s, const struct lzx_input *in,
			  uint32_t at, struct node *node)
{
	struct lzx_pair found[LZX_FOUND_MAX];
	uint32_t from = LZX_MIN_MATCH;
	uint32_t longest = lzx_match_last(in, at, node->last);
	struct lzx_far_match far = lzx_far_at(in, at, &s->far);
	unsigned n;

	if (longest > 0)
		step_matches(node, LZX_MIN_MATCH, longest, node->last);
	if (far.len > 0)
		step_matches(node, LZX_MIN_MATCH, far.len, far.dist);
	longest = ARC_MAX(longest, far.len);
	if (longest >= s->finder.good_enough)
		return longest;
	n = lzx_find(&s->finder, in, at, found);
	for (unsigned i = 0; i < n; i++) {
		step_matches(node, from, found[i].len, found[i].dist);
		from = found[i].len + 1;
		longest = ARC_MAX(longest, found[i].len);
	}
	return longest;
}

static void find_ways(struct state *s, const struct lzx_input *in)
{
	uint32_t limit = in->end - ARC_MIN(in->end - in->off, TAIL);
	uint32_t matched = in->off; /* end of the last match seen */
	uint32_t at = in->off;

	while (at < in->end) {
		struct node *node = &s->node[at - in->off];
		bool skimming = at > matched + LZX_SKIM;
		uint32_t longest = 0;

		step_literal(node);
		if (at < limit && node[1].price > node[0].price &&
		    (!skimming || lzx_is_sample(in->base + at)))
			longest = step_from(s, in, at, node);
		else if (skimming)
			lzx_finder_enter(&s->finder, in, at, true);
		if (longest > 0)
			matched = ARC_MAX(matched, at + longest);
		at += longest >= s->finder.good_enough ? longest : 1;
		lzx_finder_pass(&s->finder, in, at, longest);
	}
	lzx_finder_enter(&s->finder, in, in->end, in->end > matched + LZX_SKIM);
}

/* Goes back from the end; the matches come in reverse. */
static void collect(const struct state *s, uint32_t n, struct lzx_matches *out)
{
	uint32_t at = n;

	while (at > 0) {
		const struct node *node = &s->node[at];

		if (node->len == 0) {
			at -= node->run;
			continue;
		}
		at -= node->len;
		lzx_put(out, s->node[at].run, node->len, node->dist);
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

	for (uint32_t i = 0; i <= n; i++)
		s->node[i].price = UINT32_MAX;
	s->node[0] = (struct node){ 0 };
	s->far = 0;
	find_ways(s, in);
	collect(s, n, out);
}

static void pass(void *state, const struct lzx_input *in)
{
	struct state *s = state;

	lzx_finder_enter(&s->finder, in, in->end, true);
}

const struct lzx_parser lzx_best = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.pass = pass,
	.parse = parse,
};
