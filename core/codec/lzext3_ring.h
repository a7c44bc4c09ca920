/* SPDX-License-Identifier: MIT */
/*
 * lzext3_ring - the latest places of a row of a match finder (lzext3_find.h,
 * lzext3_deep.h), a ring: `head` is the slot of the latest, the older ones
 * follow.
 *
 * Threads: pure.
 */
#ifndef ARC_LZEXT3_RING_H
#define ARC_LZEXT3_RING_H

#include "lzext3_i.h"

/* Made once for each width of rows, which is then a constant. */
#define LZX_BY_WIDTH inline __attribute__((always_inline))

/* Turns the bits so that the latest place comes first. */
static LZX_BY_WIDTH uint64_t lzx_ring_turn(uint64_t bits, unsigned head,
					   unsigned width)
{
	uint64_t all = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

	if (head == 0)
		return bits;
	return (bits >> head | bits << (width - head)) & all;
}

/*
 * Collects the places whose slots are among the hits, latest first, up to
 * `candidates`, and asks for what stands there. The bits of a slot that are in
 * `mask` hold position + 1, or 0 for nothing. Returns how many.
 */
static LZX_BY_WIDTH unsigned
lzx_ring_gather(const uint32_t *place, uint32_t mask, unsigned head,
		unsigned width, uint64_t hits, unsigned candidates,
		const uint8_t *base, uint32_t *places)
{
	unsigned n = 0;

	for (hits = lzx_ring_turn(hits, head, width); hits && n < candidates;
	     hits &= hits - 1) {
		unsigned slot =
			(head + (unsigned)__builtin_ctzll(hits)) & (width - 1);

		if ((place[slot] & mask) == 0)
			break;
		places[n] = (place[slot] & mask) - 1;
		__builtin_prefetch(base + places[n++]);
	}
	return n;
}

#endif
