/* SPDX-License-Identifier: MIT */
/*
 * lzext3_parallel - the parallel profile of the LZ-EXT3 encoder: a parse that
 * thousands of work-items can do at once, and whose bytes are the same however
 * they are scheduled. The kernels do it on a device (encode_*.cl), this code does
 * it on the CPU; the bytes are the same, too.
 *
 *	search  one group after another, tile by tile: every position of a
 *		tile looks for the match that saves most, in what the tiles
 *		before it have entered into the tables; then the tile is
 *		entered. Of two positions for one place the higher one wins,
 *		which is so in any order.
 *	ways	the cheapest way through each chunk of 4 KiB, from its end to
 *		its begin: what to do at each position, a literal or a match
 *	walk	from the begin of the segment to its end, by these steps:
 *		the matches of a segment
 *
 *	group    |........................................|
 *	segment  |.......|.......|.......|.......|.......|    64 KiB
 *	chunk    |.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|.|     4 KiB
 *	tile     ||||||||||||||||||||||||||||||||||||||||| 256 bytes
 *
 * All positions are searched, also those inside of matches, so that the search
 * needs to know nothing of the parse. What a table of few candidates forgets,
 * the ways make up for: a match is extended to the left as long as that is
 * cheaper, and so is one that lies some bytes before a match of the same
 * distance.
 *
 * Threads: a state has one owner.
 */
#ifndef ARC_LZEXT3_PARALLEL_H
#define ARC_LZEXT3_PARALLEL_H

#include "lzext3_enc_i.h"
#include "lzext3_parallel_layout.h"

extern const struct lzx_parser lzx_parallel;

/* What the level of the params means in this profile, with their overrides. */
struct lzx_settings
lzx_parallel_settings(const struct arc_encoder_params *params);

/* A row of a table has so many slots, log2. */
static inline unsigned lzx_parallel_width_log(unsigned candidates)
{
	unsigned log = 0;

	while (1u << log < candidates)
		log++;
	return log;
}

/*
 * Finds the ways of the segment. best: for each position of it the match that
 * begins there, 0 for none; is overwritten by what to do there, 0 for a
 * literal. Matches are length << LZP_LEN_SHIFT | distance.
 */
void lzx_parallel_ways(const struct lzx_input *in, uint32_t *best);

/* Walks along the ways. */
void lzx_parallel_walk(const struct lzx_input *in, const uint32_t *way,
		       struct lzx_matches *out);

/* Bytes that a match of len bytes saves against literals. */
static inline int lzx_parallel_gain(uint32_t len, uint32_t dist)
{
	return (int)len - (int)(1 + lzx_dist_bytes(dist) + lzx_len_bytes(len));
}

#endif
