/* SPDX-License-Identifier: MIT */
/*
 * From the match that begins at each position to the matches of a segment.
 *
 * A way is found from its end, for then what comes behind a match is known
 * when the match is weighed. Prices are counted in parts of a byte, since a
 * token shall cost a little more than its bytes: of two ways of equal size the
 * one with fewer tokens is faster to decode.
 *
 * At each position two matches are weighed: the one that was found there, and
 * what agrees with the distance of the next match of the way. That is the same
 * match, begun earlier (*joined*), or another one before it, whose distance the
 * next one then need not store.
 */
#include "lzext3_parallel.h"

/* What is behind a position, on the cheapest way from there. */
struct way {
	uint32_t run; /* literals before the next match */
	uint32_t dist; /* of the next match; 0: there is none */
	uint32_t agree; /* bytes from here that agree with the distance */
	bool joined; /* without a gap, up to that match */
};

/* The cheapest step so far. */
struct step {
	uint32_t price;
	uint32_t match; /* 0: a literal */
};

/* Weighs lengths of a match; behind[len] is the price of what is behind it. */
static inline bool weigh(struct step *step, const uint16_t *behind,
			 uint32_t len, uint32_t dist, uint32_t dist_bytes)
{
	uint32_t least = len > LZX_MIN_MATCH + LZP_CUTS - 1
				 ? len - (LZP_CUTS - 1)
				 : LZX_MIN_MATCH;
	uint32_t price = LZP_TOKEN + dist_bytes * LZP_BYTE;
	bool better = false;

	for (; len >= least; len--) {
		uint32_t all =
			price + lzx_len_bytes(len) * LZP_BYTE + behind[len];

		if (all >= step->price)
			continue;
		*step = (struct step){ all, len << LZP_LEN_SHIFT | dist };
		better = true;
	}
	return better;
}

/* What a literal costs that stands before `run` - 1 others. */
static inline uint32_t literal_price(uint32_t run)
{
	return LZP_BYTE + (run == LZX_LIT_MORE ? LZP_BYTE : 0) +
	       (run == LZX_LIT_MORE + LZX_X8_MORE ? 2 * LZP_BYTE : 0);
}

/* Steps to position `at` from behind; found: the match there. */
static inline struct step step_to(struct way *w, const struct lzx_input *in,
				  uint32_t at, uint32_t found,
				  const uint16_t *behind)
{
	const uint8_t *p = in->base + at;
	struct step step = { behind[1] + literal_price(++w->run), 0 };
	uint32_t bytes = lzx_dist_bytes(w->dist);

	if (w->dist == 0 || w->dist > at || *p != *(p - w->dist)) {
		w->agree = 0;
		w->joined = false;
	} else if (++w->agree >= LZX_MIN_MATCH) {
		if (!w->joined || w->agree > LZP_LEN_MAX)
			bytes = 0;
		if (weigh(&step, behind, ARC_MIN(w->agree, LZP_LEN_MAX),
			  w->dist, bytes))
			w->joined = true;
	}
	bytes = lzx_dist_bytes(found & LZP_DIST_MASK);
	if (found != 0 && weigh(&step, behind, found >> LZP_LEN_SHIFT,
				found & LZP_DIST_MASK, bytes)) {
		w->dist = found & LZP_DIST_MASK;
		w->agree = found >> LZP_LEN_SHIFT;
		w->joined = true;
	}
	if (step.match != 0)
		w->run = 0;
	return step;
}

static void ways_of_chunk(const struct lzx_input *in, uint32_t *best,
			  uint32_t off, uint32_t n)
{
	uint16_t price[LZP_CHUNK + LZP_LEN_MAX];
	struct way way = { 0 };

	for (uint32_t i = 0; i < LZP_LEN_MAX; i++)
		price[n + i] = (uint16_t)((LZP_LEN_MAX - i) * LZP_BEHIND);
	for (uint32_t i = n; i-- > 0;) {
		struct step step =
			step_to(&way, in, off + i, best[i], price + i);

		price[i] = (uint16_t)step.price;
		best[i] = step.match;
	}
}

void lzx_parallel_ways(const struct lzx_input *in, uint32_t *best)
{
	for (uint32_t at = in->off; at < in->end; at += LZP_CHUNK)
		ways_of_chunk(in, best + (at - in->off), at,
			      ARC_MIN(in->end - at, LZP_CHUNK));
}

/* The match with the last distance, if it is as good as the way's. */
static inline void use_last(const struct lzx_input *in, uint32_t at,
			    uint32_t last, uint32_t *len, uint32_t *dist)
{
	uint32_t n;

	if (*dist == last || in->end - at < LZX_MIN_MATCH)
		return;
	n = lzx_match_last(in, at, last);
	if (n == 0)
		return;
	if (*len > 0 && (int)n - (int)(1 + lzx_len_bytes(n)) <
				lzx_parallel_gain(*len, *dist))
		return;
	*len = n;
	*dist = last;
}

void lzx_parallel_walk(const struct lzx_input *in, const uint32_t *way,
		       struct lzx_matches *out)
{
	uint32_t last = 0, lit = 0, at = in->off;

	while (at < in->end) {
		const uint8_t *p = in->base + at;
		uint32_t len = way[at - in->off] >> LZP_LEN_SHIFT;
		uint32_t dist = way[at - in->off] & LZP_DIST_MASK;

		use_last(in, at, last, &len, &dist);
		if (len == 0) {
			at++;
			lit++;
			continue;
		}
		if (len == LZP_LEN_MAX)
			len += lzx_common(p + len, p + len - dist,
					  in->base + in->end);
		if (lit == 0 && dist == last)
			out->item[out->n - 1].len += len;
		else
			lzx_put(out, lit, len, dist);
		last = dist;
		lit = 0;
		at += len;
	}
}
