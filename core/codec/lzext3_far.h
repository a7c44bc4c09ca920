/* SPDX-License-Identifier: MIT */
/*
 * lzext3_far - what lies beyond the reach: which segments of earlier groups a
 * segment refers to, and how far a frame's groups should reach.
 *
 * Both look at the frame through a table of *samples*, places whose bytes say
 * that they are looked at, about one in eight: enough for repeats that are long
 * enough to be worth a distance of three bytes.
 *
 * A far reference costs its reader the decoding of what the listed segment
 * needs in turn, its *closure*. A segment is listed if what it is thought to
 * save is at least 48 bytes for each segment that the closure grows by.
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_FAR_H
#define ARC_LZEXT3_FAR_H

#include "lzext3_enc_i.h"

struct lzx_far;

/* far_max: segments listed at most, 0..16; reach: lzx_far_reach() will be
 * called; group_log: while no frame is known. */
int lzx_far_new(unsigned far_max, bool reach, uint8_t group_log,
		struct lzx_far **ret);
void lzx_far_free(struct lzx_far *f); /* accepts NULL */

/*
 * The reach for a frame, log2: the smallest whose estimated size is at most a
 * sixteenth larger than that with the largest allowed, log_max.
 */
uint8_t lzx_far_reach(struct lzx_far *f, struct arc_span frame,
		      uint8_t log_max);

/* A frame begins; it is borrowed until the next. */
void lzx_far_begin(struct lzx_far *f, struct arc_span frame, uint8_t group_log);

/*
 * Finds matches of segment s in earlier groups and chooses whom to list: sets
 * in->far and in->fars, valid until the next call. To be called for each
 * segment of the frame in order.
 */
void lzx_far_choose(struct lzx_far *f, uint32_t s, struct lzx_input *in);

/* Lists the segments that the matches really refer to, in x. raw and coded:
 * bytes of the segment, coded 0 when it is stored raw. */
void lzx_far_settle(struct lzx_far *f, uint32_t s, const struct lzx_matches *m,
		    size_t raw, size_t coded, struct arc_disk_lzext3 *x);

#endif
