/* SPDX-License-Identifier: MIT */
/*
 * raw has segments that are stored as they are or filled with one byte, which
 * records handle for every codec; a coded segment of it does not exist.
 */
#include "codec_i.h"

static int decode(const struct arc_segment *seg, const uint8_t *src,
		  uint8_t *base, size_t off, size_t n)
{
	(void)seg;
	(void)src;
	(void)base;
	(void)off;
	(void)n;
	return -EBADMSG;
}

const struct arc_decoder arc_raw_decoder = {
	.name = "raw",
	.id = ARC_CODEC_RAW,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.decode = decode,
};
