/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "device_words.h"
#include "lzext3_layout.h"

static_assert(LZX_SEGMENT == ARC_SEGMENT_SIZE, "segments");
static_assert(DEC_USABLE + ARC_FRAME_SEGMENTS_MAX / 32 <= DEC_WORDS, "words");

/* Everything a segment may copy from, by its numbers in the output. */
static void tell_usable(const struct arc_record *r, uint32_t s, uint32_t lowest,
			uint32_t *words)
{
	struct arc_segset set = { 0 };

	arc_segset_add(&set, s);
	arc_record_closure(r, s, s, NULL, &set);
	for (uint32_t i = lowest; i < s; i++) {
		uint32_t at = i - lowest;

		if (arc_segset_has(&set, i))
			words[DEC_USABLE + at / 32] |= UINT32_C(1) << at % 32;
	}
}

/* The segments right before it that it may copy from are one piece with it, if
 * they are of its group. */
static void tell_low(const struct arc_record *r, uint32_t s, uint32_t lowest,
		     uint32_t *words)
{
	uint32_t log = r->group_log - (uint32_t)ARC_SEGMENT_LOG;
	uint32_t first = ARC_MAX(s >> log << log, lowest) - lowest;
	uint32_t low = s - lowest;

	words[DEC_GROUP] = first;
	while (low > first &&
	       words[DEC_USABLE + (low - 1) / 32] >> (low - 1) % 32 & 1)
		low--;
	words[DEC_LOW] = low << ARC_SEGMENT_LOG;
}

static void tell_streams(const struct arc_segment *seg, uint32_t *words)
{
	const struct arc_disk_lzext3 *x =
		(const struct arc_disk_lzext3 *)seg->ext;

	words[DEC_TOKENS] = arc_get16(x->tokens);
	words[DEC_LO] = arc_get16(x->lo);
	words[DEC_HI] = arc_get16(x->hi);
	words[DEC_X8] = arc_get16(x->x8);
	words[DEC_X16] = arc_get16(x->x16);
}

void arc_decode_words(const struct arc_record *r, uint32_t s, uint32_t lowest,
		      uint32_t ret[DEC_WORDS])
{
	const struct arc_segment *seg = &r->segment[s];

	memset(ret, 0, DEC_WORDS * sizeof(ret[0]));
	ret[DEC_STORED] = seg->size;
	ret[DEC_SEGMENT] = s - lowest;
	ret[DEC_RAW] = arc_record_segment_raw(r, s);
	ret[DEC_FILL] = seg->type == ARC_SEGMENT_FILL ? seg->fill : DEC_NO_FILL;
	if (seg->type == ARC_SEGMENT_CODED)
		tell_streams(seg, ret);
	tell_usable(r, s, lowest, ret);
	tell_low(r, s, lowest, ret);
}
