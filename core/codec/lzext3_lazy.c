/* SPDX-License-Identifier: MIT */
/*
 * The parser of levels 3 to 6: before it takes a match it looks whether one
 * that begins a byte or two later saves more. What a match saves is counted in
 * bytes of the streams, which have fixed prices: LZ-EXT3 has no entropy stage.
 */
#include "lzext3_find.h"

#define TAIL 12 /* bytes at the end that are not looked at */

struct state {
	struct lzx_finder finder;
	unsigned lazy;
	uint32_t far; /* of the input's far matches, the next */
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
	s->lazy = set->lazy;
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

/* The match at `at` that saves most, and more than `least`. */
static struct lzx_gain find(struct state *s, const struct lzx_input *in,
			    uint32_t at, uint32_t last, int least)
{
	struct lzx_gain best = { .bytes = least };
	uint32_t len = lzx_match_last(in, at, last);
	struct lzx_far_match far = lzx_far_at(in, at, &s->far);

	if (len > 0)
		lzx_consider(len, last, 0, &best);
	if (far.len > 0)
		lzx_consider(far.len, far.dist, lzx_dist_bytes(far.dist),
			     &best);
	if (len < s->finder.good_enough)
		lzx_find_best(&s->finder, in, at, &best);
	return best;
}

/* The first position at or behind `at` that is worth a look. */
static inline uint32_t next_look(struct state *s, const struct lzx_input *in,
				 uint32_t anchor, uint32_t at, uint32_t limit)
{
	uint32_t from = at;

	if (at - anchor <= LZX_SKIM)
		return at;
	while (at < limit && !lzx_is_sample(in->base + at))
		at++;
	if (at > from)
		lzx_finder_enter(&s->finder, in, at, true);
	return at;
}

/* The first match at or behind `anchor`; *ret_at says where. */
static struct lzx_gain first_match(struct state *s, const struct lzx_input *in,
				   uint32_t anchor, uint32_t limit,
				   uint32_t last, uint32_t *ret_at)
{
	struct lzx_gain g = { 0 };
	uint32_t at = next_look(s, in, anchor, anchor, limit);

	while (at < limit) {
		g = find(s, in, at, last, 0);
		if (g.len > 0)
			break;
		at = next_look(s, in, anchor, at + 1, limit);
	}
	*ret_at = at;
	return g;
}

/* Looks for a match that begins later and saves more. */
static void look_ahead(struct state *s, const struct lzx_input *in,
		       uint32_t limit, uint32_t last, uint32_t *at,
		       struct lzx_gain *g)
{
	uint32_t from = *at;

	for (uint32_t tried = 0; tried < s->lazy; tried++) {
		struct lzx_gain later;

		if (g->len >= s->finder.good_enough || from + 1 >= limit)
			break;
		later = find(s, in, ++from, last, g->bytes);
		if (later.len == 0)
			continue;
		*g = later;
		*at = from;
		tried = 0;
	}
}

static void extend_back(const struct lzx_input *in, uint32_t anchor,
			uint32_t *at, struct lzx_gain *g)
{
	const uint8_t *p = in->base + *at;

	while (*at > anchor && g->dist < *at && p[-1] == *(p - g->dist - 1)) {
		p--;
		(*at)--;
		g->len++;
	}
}

static void parse(void *state, const struct lzx_input *in,
		  struct lzx_matches *out)
{
	struct state *s = state;
	uint32_t limit = in->end - ARC_MIN(in->end - in->off, TAIL);
	uint32_t anchor = in->off;
	uint32_t last = 0;

	s->far = 0;
	for (;;) {
		uint32_t at;
		struct lzx_gain g =
			first_match(s, in, anchor, limit, last, &at);

		if (g.len == 0)
			break;
		look_ahead(s, in, limit, last, &at, &g);
		extend_back(in, anchor, &at, &g);
		lzx_put(out, at - anchor, g.len, g.dist);
		last = g.dist;
		anchor = at + g.len;
		lzx_finder_pass(&s->finder, in, anchor, g.len);
	}
	lzx_finder_enter(&s->finder, in, in->end, in->end - anchor > LZX_SKIM);
}

static void pass(void *state, const struct lzx_input *in)
{
	struct state *s = state;

	lzx_finder_enter(&s->finder, in, in->end, true);
}

const struct lzx_parser lzx_lazy = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.pass = pass,
	.parse = parse,
};
