/* SPDX-License-Identifier: MIT */
/* libzstd: each piece of 1 MiB is a frame of its own. */
#include <zstd.h>

#include "bench_coder.h"

struct encoder {
	ZSTD_CCtx *context;
	int level;
};

static size_t bound(size_t n)
{
	return ZSTD_compressBound(n);
}

static void free_encoder(void *encoder)
{
	struct encoder *e = encoder;

	if (e)
		ZSTD_freeCCtx(e->context);
	free(e);
}

static int new_encoder(const struct bench_setting *setting, void **ret)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->level = setting->level;
	e->context = ZSTD_createCCtx();
	if (!e->context) {
		free_encoder(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

static int encode(void *encoder, struct arc_span raw, uint8_t *out, size_t *ret)
{
	struct encoder *e = encoder;
	size_t got = ZSTD_compressCCtx(e->context, out, bound(raw.n), raw.p,
				       raw.n, e->level);

	if (ZSTD_isError(got))
		return -ENOMEM; /* there is room, and the level is sound */
	*ret = got;
	return 0;
}

static int new_decoder(const struct bench_setting *setting, void **ret)
{
	(void)setting;
	*ret = ZSTD_createDCtx();
	return *ret ? 0 : -ENOMEM;
}

static void free_decoder(void *decoder)
{
	ZSTD_freeDCtx(decoder);
}

static int decode(void *decoder, const struct bench_piece *piece, uint8_t *out)
{
	size_t got = ZSTD_decompressDCtx(decoder, out, piece->raw, piece->coded,
					 piece->n);

	return got == piece->raw ? 0 : -EBADMSG;
}

static int read_piece(void *decoder, const struct bench_piece *piece, size_t at,
		      uint8_t *out, size_t *ret)
{
	(void)at;
	*ret = piece->raw;
	return decode(decoder, piece, out);
}

const char *bench_zstd_version(void)
{
	return ZSTD_versionString();
}

const struct bench_coder bench_coder_zstd = {
	.piece = (size_t)1 << 20,
	.bound = bound,
	.new_encoder = new_encoder,
	.free_encoder = free_encoder,
	.encode = encode,
	.new_decoder = new_decoder,
	.free_decoder = free_decoder,
	.decode = decode,
	.read = read_piece,
};
