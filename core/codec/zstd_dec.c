/* SPDX-License-Identifier: MIT */
/*
 * A context is made for every group: that costs a fortieth of decoding one of
 * 1 MiB, and nothing has to be kept for threads that come and go.
 */
#include <zstd.h>

#include "codec_i.h"

ARC_DEFINE_CLEANUP(ZSTD_DCtx, ZSTD_freeDCtx)

/* libzstd would as well take frames it skips, several frames, and those of its
 * forerunners. */
static bool is_one_frame(const uint8_t *src, size_t n)
{
	struct arc_le32 magic;

	if (n < sizeof(magic))
		return false;
	memcpy(&magic, src, sizeof(magic));
	return arc_get32(magic) == ZSTD_MAGICNUMBER &&
	       ZSTD_findFrameCompressedSize(src, n) == n;
}

static void needs(const struct arc_segment *seg, uint32_t s, uint8_t group_log,
		  struct arc_segset *set)
{
	(void)seg;
	(void)s;
	(void)group_log;
	(void)set;
}

/* What window the frame claims does not matter: the output is the window. */
static int decode(const struct arc_decode *d)
{
	arc_cleanup(ZSTD_freeDCtxp) ZSTD_DCtx *ctx = NULL;
	uint8_t *out = d->groups[arc_group_of(d->s, d->group_log)];

	if (!is_one_frame(d->src, d->seg->size))
		return -EBADMSG;
	ctx = ZSTD_createDCtx();
	if (!ctx)
		return -ENOMEM;
	return ZSTD_decompressDCtx(ctx, out, d->n, d->src, d->seg->size) == d->n
		       ? 0
		       : -EBADMSG;
}

const struct arc_decoder arc_zstd_decoder = {
	.name = "zstd",
	.id = ARC_CODEC_ZSTD,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.whole_group = true,
	.needs = needs,
	.decode = decode,
};
