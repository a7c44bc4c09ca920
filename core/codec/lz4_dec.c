/* SPDX-License-Identifier: MIT */
#include <lz4.h>

#include "codec_i.h"

#define WINDOW ((size_t)65536) /* an LZ4 offset has 16 bits */

/*
 * The dictionary ends where the output begins, which is liblz4's fast case,
 * and starts inside the group: a match that reaches before it is refused.
 */
static int decode(const struct arc_segment *seg, const uint8_t *src,
		  uint8_t *base, size_t off, size_t n)
{
	size_t window = ARC_MIN(off, WINDOW);
	uint8_t *out = base + off;
	int got;

	got = LZ4_decompress_safe_usingDict((const char *)src, (char *)out,
					    (int)seg->size, (int)n,
					    (const char *)(out - window),
					    (int)window);
	return got >= 0 && (size_t)got == n ? 0 : -EBADMSG;
}

const struct arc_decoder arc_lz4_decoder = {
	.name = "lz4",
	.id = ARC_CODEC_LZ4,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.decode = decode,
};
