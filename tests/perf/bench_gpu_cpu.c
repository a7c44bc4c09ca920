/* SPDX-License-Identifier: MIT */
/* What all threads of the CPU make of the same frames without an engine. */
#include <string.h>

#include "bench_coder.h"
#include "bench_gpu.h"
#include "bench_measure.h"
#include "hash.h"
#include "pool.h"

struct pass {
	const struct gpu_frames *frames;
	uint64_t *hash;
	struct bench_piece *piece;
	size_t bound;
	uint8_t *coded;
	uint8_t *out;
};

#define SECONDS_MIN 0.1

/* Runs it over all frames, again and again for a while; the first time is not
 * counted, unless it takes so long that it hardly matters. */
static int run_pass(const struct gpu_bench *b, arc_each_fn fn,
		    struct pass *pass, double *ret)
{
	size_t bytes = b->frames->n * b->frames->size;
	double begun = bench_now(CLOCK_MONOTONIC), now;
	unsigned passes = 0;
	bool warm = false;
	int err;

	do {
		err = arc_parallel_each(b->opt->threads, b->frames->n, fn,
					pass);
		now = bench_now(CLOCK_MONOTONIC);
		passes++;
		if (!warm && now - begun < SECONDS_MIN) {
			passes = 0;
			begun = now;
		}
		warm = true;
	} while (!err && (!passes || now - begun < SECONDS_MIN));
	*ret = (double)passes * (double)bytes / (now - begun);
	return err;
}

/* ---- hashing ------------------------------------------------------------- */

static int hash_frame(void *ctx, uint64_t i)
{
	const struct pass *pass = ctx;
	struct arc_span raw = gpu_frame(pass->frames, i);

	arc_fnv_leaves(raw.p, raw.n, pass->hash + i * raw.n / ARC_FNV_LEAF);
	return 0;
}

int gpu_measure_cpu_hash(const struct gpu_bench *b, double *ret)
{
	struct pass pass = { .frames = b->frames };
	int err;

	pass.hash = calloc(b->frames->n,
			   b->frames->size / ARC_FNV_LEAF * sizeof(uint64_t));
	if (!pass.hash)
		return -ENOMEM;
	err = run_pass(b, hash_frame, &pass, ret);
	free(pass.hash);
	return err;
}

/* ---- liblz4 -------------------------------------------------------------- */

static int encode_frame(void *ctx, uint64_t i)
{
	static const struct bench_setting setting = { .level = 1 };
	const struct pass *pass = ctx;
	struct bench_piece *piece = &pass->piece[i];
	void *encoder = NULL;
	int err = bench_coder_lz4.new_encoder(&setting, &encoder);

	if (err)
		return err;
	piece->coded = pass->coded + i * pass->bound;
	piece->raw = pass->frames->size;
	err = bench_coder_lz4.encode(encoder, gpu_frame(pass->frames, i),
				     piece->coded, &piece->n);
	bench_coder_lz4.free_encoder(encoder);
	return err;
}

static int open_frame(void *ctx, uint64_t i)
{
	struct bench_piece *piece = &((struct pass *)ctx)->piece[i];

	return bench_coder_lz4.open(piece, &piece->view);
}

static int decode_frame(void *ctx, uint64_t i)
{
	static const struct bench_setting setting = { .level = 1 };
	const struct pass *pass = ctx;
	void *decoder = NULL;
	int err = bench_coder_lz4.new_decoder(&setting, &decoder);

	if (err)
		return err;
	err = bench_coder_lz4.decode(decoder, &pass->piece[i],
				     pass->out + i * pass->frames->size);
	bench_coder_lz4.free_decoder(decoder);
	return err;
}

static int run_lz4(const struct gpu_bench *b, struct pass *pass,
		   double *ret_encode, double *ret_decode)
{
	size_t n = b->frames->n * b->frames->size;
	int err = run_pass(b, encode_frame, pass, ret_encode);

	if (!err)
		err = arc_parallel_each(b->opt->threads, b->frames->n,
					open_frame, pass);
	if (!err)
		err = run_pass(b, decode_frame, pass, ret_decode);
	if (!err && memcmp(pass->out, b->frames->raw, n) != 0)
		err = -EBADMSG;
	return err;
}

int gpu_measure_lz4(const struct gpu_bench *b, double *ret_encode,
		    double *ret_decode, uint64_t *ret_stored)
{
	const struct gpu_frames *f = b->frames;
	struct pass pass = { .frames = f };
	uint64_t stored = 0;
	int err = -ENOMEM;

	pass.bound = bench_coder_lz4.bound(f->size) + ARC_DECODE_SLACK;
	pass.piece = calloc(f->n, sizeof(pass.piece[0]));
	/* All in memory already, as what the others write to. */
	pass.coded = malloc(f->n * pass.bound);
	pass.out = malloc(f->n * f->size);
	if (pass.piece && pass.coded && pass.out) {
		memset(pass.coded, 0, f->n * pass.bound);
		memset(pass.out, 0, f->n * f->size);
		err = run_lz4(b, &pass, ret_encode, ret_decode);
	}
	for (unsigned i = 0; pass.piece && i < f->n; i++) {
		stored += pass.piece[i].n;
		free(pass.piece[i].view);
	}
	free(pass.piece);
	free(pass.coded);
	free(pass.out);
	if (!err)
		*ret_stored = stored;
	return err;
}
