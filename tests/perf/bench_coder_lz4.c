/* SPDX-License-Identifier: MIT */
/*
 * liblz4 as a program would use it for a stream: blocks of 64 KiB, each with
 * the 64 KiB before it as its window. Stored is a length for each block, as in
 * an LZ4 frame, then the block; one that does not shrink is stored raw.
 */
#include <lz4.h>
#include <lz4hc.h>

#include "bench_coder.h"

#define BLOCK ((size_t)65536)
#define WINDOW ((size_t)65536)
#define RAW_BIT (UINT32_C(1) << 31)
#define BLOCK_BOUND (sizeof(struct arc_le32) + LZ4_COMPRESSBOUND(BLOCK))

static size_t bound(size_t n)
{
	return arc_div_up(n, BLOCK) * BLOCK_BOUND;
}

/* Codes one block behind what the stream has seen; 0: it does not fit. */
typedef int (*code_fn)(void *encoder, struct arc_span block, uint8_t *out);

static size_t encode_blocks(void *encoder, code_fn code, struct arc_span raw,
			    uint8_t *out)
{
	uint8_t *at = out;

	for (size_t off = 0; off < raw.n; off += BLOCK) {
		struct arc_span block = { raw.p + off,
					  ARC_MIN(raw.n - off, BLOCK) };
		int got = code(encoder, block, at + sizeof(struct arc_le32));
		uint32_t n = (uint32_t)got;
		struct arc_le32 length;

		if (got <= 0 || n >= block.n) {
			n = (uint32_t)block.n;
			memcpy(at + sizeof(length), block.p, n);
			length = arc_put32(n | RAW_BIT);
		} else {
			length = arc_put32(n);
		}
		memcpy(at, &length, sizeof(length));
		at += sizeof(length) + n;
	}
	return (size_t)(at - out);
}

/* ---- encoders ----------------------------------------------------------- */

struct fast {
	LZ4_stream_t *stream;
	int acceleration;
};

static void fast_free(void *encoder)
{
	struct fast *f = encoder;

	if (f)
		LZ4_freeStream(f->stream);
	free(f);
}

static int fast_new(const struct bench_setting *setting, void **ret)
{
	struct fast *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->acceleration = setting->level;
	f->stream = LZ4_createStream();
	if (!f->stream) {
		fast_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

static int fast_code(void *encoder, struct arc_span block, uint8_t *out)
{
	struct fast *f = encoder;

	return LZ4_compress_fast_continue(f->stream, (const char *)block.p,
					  (char *)out, (int)block.n,
					  (int)LZ4_COMPRESSBOUND(BLOCK),
					  f->acceleration);
}

static int fast_encode(void *encoder, struct arc_span raw, uint8_t *out,
		       size_t *ret)
{
	struct fast *f = encoder;

	LZ4_resetStream_fast(f->stream);
	*ret = encode_blocks(f, fast_code, raw, out);
	return 0;
}

struct hc {
	LZ4_streamHC_t *stream;
	int level;
};

static void hc_free(void *encoder)
{
	struct hc *h = encoder;

	if (h)
		LZ4_freeStreamHC(h->stream);
	free(h);
}

static int hc_new(const struct bench_setting *setting, void **ret)
{
	struct hc *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->level = setting->level;
	h->stream = LZ4_createStreamHC();
	if (!h->stream) {
		hc_free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

static int hc_code(void *encoder, struct arc_span block, uint8_t *out)
{
	struct hc *h = encoder;

	return LZ4_compress_HC_continue(h->stream, (const char *)block.p,
					(char *)out, (int)block.n,
					(int)LZ4_COMPRESSBOUND(BLOCK));
}

static int hc_encode(void *encoder, struct arc_span raw, uint8_t *out,
		     size_t *ret)
{
	struct hc *h = encoder;

	LZ4_resetStreamHC_fast(h->stream, h->level);
	*ret = encode_blocks(h, hc_code, raw, out);
	return 0;
}

/* ---- the decoder, the same for both ------------------------------------- */

/* Where each block begins in the piece, and where the last one ends. */
struct view {
	size_t blocks;
	size_t start[];
};

static int open_piece(const struct bench_piece *piece, void **ret)
{
	size_t blocks = arc_div_up(piece->raw, BLOCK);
	arc_cleanup(arc_freep) struct view *v = NULL;
	size_t at = 0;

	v = malloc(sizeof(*v) + (blocks + 1) * sizeof(v->start[0]));
	if (!v)
		return -ENOMEM;
	v->blocks = blocks;
	for (size_t i = 0; i < blocks; i++) {
		struct arc_le32 length;

		v->start[i] = at;
		if (!arc_range_ok(at, sizeof(length), piece->n))
			return -EBADMSG;
		memcpy(&length, piece->coded + at, sizeof(length));
		at += sizeof(length) + (arc_get32(length) & ~RAW_BIT);
	}
	v->start[blocks] = at;
	if (at != piece->n)
		return -EBADMSG;
	*ret = arc_steal(v);
	return 0;
}

static int decode_block(const struct bench_piece *piece, size_t i, uint8_t *out)
{
	const struct view *v = piece->view;
	const uint8_t *src = piece->coded + v->start[i];
	size_t off = i * BLOCK;
	size_t window = ARC_MIN(off, WINDOW);
	size_t n = ARC_MIN(piece->raw - off, BLOCK);
	size_t coded = v->start[i + 1] - v->start[i] - sizeof(struct arc_le32);
	struct arc_le32 length;
	int got;

	memcpy(&length, src, sizeof(length));
	src += sizeof(length);
	if (arc_get32(length) & RAW_BIT) {
		if (coded != n)
			return -EBADMSG;
		memcpy(out + off, src, n);
		return 0;
	}
	got = LZ4_decompress_safe_usingDict(
		(const char *)src, (char *)out + off, (int)coded, (int)n,
		(const char *)out + off - window, (int)window);
	return got >= 0 && (size_t)got == n ? 0 : -EBADMSG;
}

/* The decoder has no state. */
static int new_decoder(const struct bench_setting *setting, void **ret)
{
	(void)setting;
	*ret = NULL;
	return 0;
}

static void free_decoder(void *decoder)
{
	(void)decoder;
}

static int decode_piece(void *decoder, const struct bench_piece *piece,
			uint8_t *out)
{
	const struct view *v = piece->view;

	(void)decoder;
	for (size_t i = 0; i < v->blocks; i++) {
		int err = decode_block(piece, i, out);

		if (err < 0)
			return err;
	}
	return 0;
}

static int read_block(void *decoder, const struct bench_piece *piece, size_t at,
		      uint8_t *out, size_t *ret)
{
	size_t i = at / BLOCK;

	(void)decoder;
	*ret = ARC_MIN(piece->raw - i * BLOCK, BLOCK);
	return decode_block(piece, i, out);
}

const char *bench_lz4_version(void)
{
	return LZ4_versionString();
}

const struct bench_coder bench_coder_lz4 = {
	.piece = (size_t)16 << 20,
	.windowed = true,
	.bound = bound,
	.new_encoder = fast_new,
	.free_encoder = fast_free,
	.encode = fast_encode,
	.open = open_piece,
	.new_decoder = new_decoder,
	.free_decoder = free_decoder,
	.decode = decode_piece,
	.read = read_block,
};

const struct bench_coder bench_coder_lz4hc = {
	.piece = (size_t)16 << 20,
	.windowed = true,
	.bound = bound,
	.new_encoder = hc_new,
	.free_encoder = hc_free,
	.encode = hc_encode,
	.open = open_piece,
	.new_decoder = new_decoder,
	.free_decoder = free_decoder,
	.decode = decode_piece,
	.read = read_block,
};
