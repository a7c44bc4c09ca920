/* SPDX-License-Identifier: MIT */
/*
 * raw has segments that are stored as they are or filled with one byte, which
 * records handle for every codec; a coded segment of it does not exist.
 */
#include "codec_i.h"

static int check(const struct arc_segment *seg, uint32_t s, uint32_t n,
		 uint8_t group_log)
{
	(void)seg;
	(void)s;
	(void)n;
	(void)group_log;
	return -EBADMSG;
}

static void needs(const struct arc_segment *seg, uint32_t s, uint8_t group_log,
		  struct arc_segset *set)
{
	(void)seg;
	(void)s;
	(void)group_log;
	(void)set;
}

static int decode(const struct arc_decode *d)
{
	(void)d;
	return -EBADMSG;
}

const struct arc_decoder arc_raw_decoder = {
	.name = "raw",
	.id = ARC_CODEC_RAW,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.check = check,
	.needs = needs,
	.decode = decode,
};
