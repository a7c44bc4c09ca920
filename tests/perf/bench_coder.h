/* SPDX-License-Identifier: MIT */
/*
 * bench_coder - ways of coding that can be measured: liblz4 and libzstd as
 * they come, and the project's codecs within records. A coder takes an input
 * in pieces, each of which is coded and decoded by itself.
 *
 *	input:  | piece 0       | piece 1       | ... |
 *
 * Threads: the coders are immutable; an encoder or decoder has one owner.
 */
#ifndef BENCH_CODER_H
#define BENCH_CODER_H

#include "bench.h"

/* How an encoder is made. */
struct bench_setting {
	int level; /* of liblz4 or libzstd */
	const struct arc_encoder *encoder; /* of the project, and ... */
	struct arc_encoder_params params; /* ... its own */
	bool bare; /* see struct bench_options */
};

/* A coded piece. */
struct bench_piece {
	uint8_t *coded; /* n bytes and ARC_DECODE_SLACK more; owned */
	size_t n;
	size_t raw; /* bytes of the piece before */
	void *view; /* what open() made of it; owned */
};

struct bench_coder {
	size_t piece; /* raw bytes, 0: those of --frame-size */
	bool windowed; /* read() wants 64 KiB before its place decoded */

	/* The most bytes that n raw bytes become. */
	size_t (*bound)(size_t n);

	int (*new_encoder)(const struct bench_setting *setting, void **ret);
	void (*free_encoder)(void *encoder);
	/* out has bound(raw.n) bytes. */
	int (*encode)(void *encoder, struct arc_span raw, uint8_t *out,
		      size_t *ret);

	/* Optional, not measured: finds out what stands where in a piece. The
	 * view is released with free(). */
	int (*open)(const struct bench_piece *piece, void **ret);

	int (*new_decoder)(const struct bench_setting *setting, void **ret);
	void (*free_decoder)(void *decoder);
	/* All of a piece into out, piece->raw bytes. */
	int (*decode)(void *decoder, const struct bench_piece *piece,
		      uint8_t *out);
	/* What the byte `at` of the piece needs, to its place in out (as
	 * above); says how many bytes that were. */
	int (*read)(void *decoder, const struct bench_piece *piece, size_t at,
		    uint8_t *out, size_t *ret);
};

extern const struct bench_coder bench_coder_lz4; /* level: acceleration */
extern const struct bench_coder bench_coder_lz4hc;
extern const struct bench_coder bench_coder_zstd;
extern const struct bench_coder bench_coder_record;

const char *bench_lz4_version(void);
const char *bench_zstd_version(void);

#endif
