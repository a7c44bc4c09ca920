/* SPDX-License-Identifier: MIT */
/*
 * The same group must give the same bytes whatever was coded before it. With
 * the two lowest strategies a context that has been used codes as a new one
 * does; the others of newer libraries stir their hashes from use to use. So
 * their context is made anew for each group, which they are slow enough not to
 * notice.
 *
 * A frame is made in a scratch buffer of ZSTD_compressBound() bytes: how
 * libzstd codes depends on the room it is given, and it wants more than the
 * result takes.
 */
#include <zstd.h>

#include "codec_i.h"

/* Level of libzstd by level - 1. */
static const int levels[9] = { 1, 3, 5, 6, 7, 9, 12, 15, 19 };

#define REUSED_MAX 4 /* highest level of libzstd whose context is used again */

struct zstd_state {
	ZSTD_CCtx *ctx;
	int level;
	int window_log;
	uint8_t *scratch;
	size_t scratch_n;
};

static int new_context(struct zstd_state *s)
{
	s->ctx = ZSTD_createCCtx();
	if (!s->ctx ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->ctx, ZSTD_c_compressionLevel,
						s->level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->ctx, ZSTD_c_windowLog,
						s->window_log)))
		return -ENOMEM;
	return 0;
}

static void free_state(void *state)
{
	struct zstd_state *s = state;

	if (!s)
		return;
	ZSTD_freeCCtx(s->ctx);
	free(s->scratch);
	free(s);
}

static int new_state(const struct arc_encoder_params *params, void **ret)
{
	struct zstd_state *s = calloc(1, sizeof(*s));

	assert(params->level >= 1 && params->level <= ARC_COUNT(levels));
	if (!s)
		return -ENOMEM;
	s->level = levels[params->level - 1];
	s->window_log = params->group_log;
	s->scratch_n = ZSTD_compressBound((size_t)1 << params->group_log);
	s->scratch = malloc(s->scratch_n);
	if (!s->scratch || new_context(s) < 0) {
		free_state(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static ssize_t encode_group(void *state, const uint8_t *base, size_t n,
			    uint8_t *out, size_t cap)
{
	struct zstd_state *s = state;
	size_t got;

	if (s->level > REUSED_MAX) {
		ZSTD_freeCCtx(s->ctx);
		if (new_context(s) < 0)
			return -ENOMEM;
	}
	got = ZSTD_compress2(s->ctx, s->scratch, s->scratch_n, base, n);
	if (ZSTD_isError(got)) /* nothing else can go wrong */
		return -ENOMEM;
	if (got > cap)
		return 0;
	memcpy(out, s->scratch, got);
	return (ssize_t)got;
}

const struct arc_encoder arc_zstd_encoder = {
	.name = "zstd",
	.about = "Zstandard: smallest, slower to read",
	.id = ARC_CODEC_ZSTD,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.library = ZSTD_versionString,
	.new_state = new_state,
	.free_state = free_state,
	.encode_group = encode_group,
};
