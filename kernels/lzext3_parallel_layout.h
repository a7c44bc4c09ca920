/* SPDX-License-Identifier: MIT */
/*
 * lzext3_parallel_layout - the numbers of the parallel profile of the LZ-EXT3
 * encoder, which its C code and the OpenCL kernels share: macros only, of plain
 * numbers. With other numbers come other bytes.
 */
#ifndef LZEXT3_PARALLEL_LAYOUT_H
#define LZEXT3_PARALLEL_LAYOUT_H

/* Positions that are searched at once, and then entered into the tables. */
#define LZP_TILE_LOG 8
#define LZP_TILE (1 << LZP_TILE_LOG)

/* Of a tile, the first places with certain bytes. */
#define LZP_FIRSTS_LOG 10
#define LZP_FIRSTS (1 << LZP_FIRSTS_LOG)

/* Hashes: of four bytes, and of eight taken as two words. */
#define LZP_HASH_SHORT 0x9e3779b1u
#define LZP_HASH_LONG 0x85ebca77u
#define LZP_HASH_BYTES 8 /* that must be there to be read */

/* An entry of the tables: position + 1 above so many bits of the hash. */
#define LZP_TAG_LOG 8
#define LZP_TAG_MASK 0xff

/* Of the eight bytes only those are entered that begin at an even position. */
#define LZP_LONG_STEP 2

/* Tables need not be larger than the group; nor are they smaller than this. */
#define LZP_HASH_LOG_MIN 12

/* A match is not followed further by the search. In an array of them, its
 * length stands above its distance. */
#define LZP_LEN_MAX 64
#define LZP_LEN_SHIFT 24
#define LZP_DIST_MASK 0xffffff

/* Positions for which the cheapest way is looked for at once, and of what a
 * match ends behind them, what is taken for the price of the rest: less for
 * each byte that it is longer. */
#define LZP_CHUNK_LOG 12
#define LZP_CHUNK (1 << LZP_CHUNK_LOG)
#define LZP_BYTE 8u /* price of a byte */
#define LZP_TOKEN (LZP_BYTE + 2)
#define LZP_BEHIND (LZP_BYTE / 4)

/* Lengths of a match that are tried, from the longest down. */
#define LZP_CUTS 3

#endif
