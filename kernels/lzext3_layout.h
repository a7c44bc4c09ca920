/* SPDX-License-Identifier: MIT */
/*
 * lzext3_layout - the numbers of LZ-EXT3 that the C code and the OpenCL kernels
 * share: macros only, of plain numbers. arc-format(5) is the law.
 */
#ifndef LZEXT3_LAYOUT_H
#define LZEXT3_LAYOUT_H

#define LZX_SEGMENT_LOG 16
#define LZX_SEGMENT (1 << LZX_SEGMENT_LOG)
#define LZX_GRANULES_LOG 4 /* of a group */
#define LZX_FARS_MAX 16

/* A token: bits 7-6 L, 5-4 K, 3-0 M. */
#define LZX_LIT_SHIFT 6
#define LZX_DIST_SHIFT 4
#define LZX_DIST_MASK 3
#define LZX_LEN_MASK 15

#define LZX_MIN_MATCH 4
#define LZX_LIT_MORE 3 /* L of a token that has an extension */
#define LZX_LEN_MORE 15 /* M likewise */
#define LZX_X8_MORE 255 /* an extension that has another one */

#endif
