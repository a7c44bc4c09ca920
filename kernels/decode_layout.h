/* SPDX-License-Identifier: MIT */
/*
 * decode_layout - what the host tells decode.cl about a segment: DEC_WORDS
 * words of 32 bits. Macros only, of plain numbers.
 *
 * A frame's part that is decoded, from its lowest to its highest segment, lies
 * contiguous in the output, its first segment at a multiple of LZX_SEGMENT.
 * Segments have numbers and bytes have positions from there on, so that a
 * distance is a difference of positions.
 */
#ifndef DECODE_LAYOUT_H
#define DECODE_LAYOUT_H

#define DEC_SRC 0 /* where its stored bytes lie, in units of DEC_UNIT */
#define DEC_STORED 1 /* bytes */
#define DEC_FRAME 2 /* where its frame lies in the output, in segments */
#define DEC_SEGMENT 3 /* its number */
#define DEC_RAW 4 /* bytes */
#define DEC_FILL 5 /* the byte that is repeated, or DEC_NO_FILL */
#define DEC_TOKENS 6 /* items of the streams; 0 where it is stored raw */
#define DEC_LO 7
#define DEC_HI 8
#define DEC_X8 9
#define DEC_X16 10
#define DEC_LOW 11 /* position from which on matches may start unasked */
#define DEC_GROUP 12 /* number of the first segment of its group */
#define DEC_USABLE 13 /* 8 words: bit i says that segment i may be copied from,
		       * the lowest bits first */
#define DEC_WORDS 24

#define DEC_UNIT 2 /* LO and X16 have words of two bytes */
#define DEC_NO_FILL 256

/* What has become of it, a word for each segment of the output. Before anything has, the host writes NOT_RUN. */
#define DEC_DONE 0
#define DEC_NOT_RUN 0xffffffffU
#define DEC_BAD_STREAMS 1 /* items are missing or left over */
#define DEC_BAD_LENGTHS 2 /* literals or room are not enough */
#define DEC_BAD_DISTANCE 3
#define DEC_BAD_CHECKSUM 4 /* so says the host */

#endif
