/* SPDX-License-Identifier: MIT */
/*
 * encode_layout - what the host and encode_*.cl tell each other: macros only,
 * of plain numbers. Segments lie in memory one after the other, each in 64 KiB
 * of its own, and are counted from the begin of that memory.
 */
#ifndef ENCODE_LAYOUT_H
#define ENCODE_LAYOUT_H

/* So many that their bytes can be counted in 32 bits. */
#define ENC_SEGMENTS_MAX 0xffff

/* Words of a group. */
#define ENC_GROUP_FIRST 0 /* its first segment */
#define ENC_GROUP_BYTES 1
#define ENC_GROUP_WORDS 2

/* Words of a segment. */
#define ENC_FIRST 0 /* of the group: its first segment */
#define ENC_OFF 1 /* where in the group the segment begins */
#define ENC_BYTES 2
#define ENC_GRANULE_LOG 3
#define ENC_WORDS 4

/* Words of a result. */
#define ENC_TOKENS 0
#define ENC_LO 1
#define ENC_HI 2
#define ENC_X8 3
#define ENC_X16 4
#define ENC_NEAR 5
#define ENC_SIZE 6 /* coded bytes; 0: it does not shrink */
#define ENC_AT 7 /* where they begin; behind the last segment, where they end */
#define ENC_RESULTS 8

#define ENC_NOT_RUN 0xffffffffu /* in place of a size */

/* Work-items of a work-group that does not search, at most: what is added up for
 * their tokens must fit into bytes, and the prices of their ways into 8 KiB. A
 * power of two. */
#define ENC_ITEMS_MAX 64

/* Bytes that are looked at behind the last segment. */
#define ENC_SLACK 16

#endif
