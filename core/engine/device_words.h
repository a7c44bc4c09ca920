/* SPDX-License-Identifier: MIT */
/*
 * device_words - what a device is told of a segment of LZ-EXT3, as
 * decode_layout.h has it: everything that the entry says, put so that the
 * device has nothing to look up.
 *
 * Threads: pure.
 */
#ifndef ARC_DEVICE_WORDS_H
#define ARC_DEVICE_WORDS_H

#include "decode_layout.h"
#include "record.h"

/*
 * Of segment s, where numbers count from segment `lowest` of the frame on; s
 * needs nothing below it. Where its bytes lie (DEC_SRC, DEC_FRAME) is left to
 * the caller.
 */
void arc_decode_words(const struct arc_record *r, uint32_t s, uint32_t lowest,
		      uint32_t ret[DEC_WORDS]);

#endif
