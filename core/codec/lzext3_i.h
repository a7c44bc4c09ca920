/* SPDX-License-Identifier: MIT */
/*
 * lzext3_i - what encoder and decoder of LZ-EXT3 share: the layout of a coded
 * segment. arc-format(5) is the law.
 *
 *	stored bytes:  LO | X16 | TOK | HI | X8 | LIT | 0 or 1 byte of padding
 *
 *	TOK  one byte per match   7  6  5  4  3  2  1  0
 *	                         \ L  /\ K  /\    M     /
 *	     L literals before it (3: more), K bytes of distance (0: the last
 *	     one again), M + 4 bytes long (M = 15: more)
 *	LO   two bytes of distance each (K = 2, 3), HI one byte (K = 1, and
 *	     bits 16 to 23 for K = 3)
 *	X8   one byte for each "more", literals before length; 255: a number
 *	     of X16 is added to it
 *	LIT  literals
 *
 * How many items a stream has stands in the segment's entry.
 */
#ifndef ARC_LZEXT3_I_H
#define ARC_LZEXT3_I_H

#include "codec_i.h"
#include "lzext3_layout.h"

static_assert(LZX_SEGMENT_LOG == ARC_SEGMENT_LOG, "segments");

#define LZX_TOKENS_MAX (ARC_SEGMENT_SIZE / LZX_MIN_MATCH)
#define LZX_DISTANCE_MAX (ARC_FRAME_MAX - 1)

/* Groups have up to 16 granules, which an entry calls by number. */
static inline unsigned lzx_granule_log(uint8_t group_log)
{
	return ARC_MAX(group_log - LZX_GRANULES_LOG, ARC_SEGMENT_LOG);
}

/* Granules of the group that hold something before segment s. */
static inline uint32_t lzx_granules_before(uint32_t s, uint8_t group_log)
{
	size_t off = arc_offset_in_group(s, group_log);
	size_t granule = (size_t)1 << lzx_granule_log(group_log);

	return (UINT32_C(1) << arc_div_up(off, granule)) - 1;
}

#endif
