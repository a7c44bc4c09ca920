/* SPDX-License-Identifier: MIT */
#include <lz4.h>

#include "codec_i.h"

#define WINDOW ((size_t)65536) /* an LZ4 offset has 16 bits */

/* An LZ4 block does not say which segments it refers to: all before it in its
 * group may be. */
static void needs(const struct arc_segment *seg, uint32_t s, uint8_t group_log,
		  struct arc_segset *set)
{
	uint32_t before = (uint32_t)(arc_offset_in_group(s, group_log) >>
				     ARC_SEGMENT_LOG);

	(void)seg;
	for (uint32_t i = s - before; i < s; i++)
		arc_segset_add(set, i);
}

/*
 * The dictionary ends where the output begins, which is liblz4's fast case,
 * and starts inside the group: a match that reaches before it is refused.
 */
static int decode(const struct arc_decode *d)
{
	size_t off = arc_offset_in_group(d->s, d->group_log);
	uint8_t *out = d->groups[arc_group_of(d->s, d->group_log)] + off;
	size_t window = ARC_MIN(off, WINDOW);
	int got;

	got = LZ4_decompress_safe_usingDict((const char *)d->src, (char *)out,
					    (int)d->seg->size, (int)d->n,
					    (const char *)(out - window),
					    (int)window);
	return got >= 0 && (uint32_t)got == d->n ? 0 : -EBADMSG;
}

const struct arc_decoder arc_lz4_decoder = {
	.name = "lz4",
	.id = ARC_CODEC_LZ4,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.needs = needs,
	.decode = decode,
};
