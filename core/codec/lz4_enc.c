/* SPDX-License-Identifier: MIT */
/*
 * Both encoders write into a scratch buffer of LZ4_compressBound() bytes and
 * copy what fits. Writing to the caller's room directly would save a copy, but
 * where that room is too small liblz4 leaves its stream invalid, and loading
 * 64 KiB of dictionary again costs far more than the copy.
 *
 * A group starts with LZ4_loadDict*() of no bytes, which forgets everything.
 * The *_fast() resets would leave older entries in the hash table, and whether
 * an empty slot and an outdated one lead to the same matches is liblz4's inner
 * business: the same group must give the same bytes whatever came before it.
 */
#include <lz4.h>
#include <lz4hc.h>

#include "codec_i.h"

#define WINDOW ((size_t)65536) /* how far back LZ4 reaches */
#define SCRATCH LZ4_COMPRESSBOUND(ARC_SEGMENT_SIZE)

/* Acceleration of lz4 by level - 1. */
static const int accelerations[9] = { 4, 2, 1, 1, 1, 1, 1, 1, 1 };

/* Level of LZ4-HC by level - 1. 8 is left out: 9 is not much slower. */
static const int hc_levels[9] = { 3, 4, 5, 6, 7, 9, 10, 11, 12 };

static size_t deliver(const uint8_t *scratch, int n, uint8_t *out, size_t cap)
{
	if (n <= 0 || (size_t)n > cap)
		return 0;
	memcpy(out, scratch, (size_t)n);
	return (size_t)n;
}

/* ---- lz4 ---------------------------------------------------------------- */

struct fast_state {
	LZ4_stream_t *stream;
	int acceleration;
	size_t seen; /* bytes of the group, up to the end of a segment */
	uint8_t scratch[SCRATCH];
};

static void fast_free(void *state)
{
	struct fast_state *s = state;

	if (!s)
		return;
	LZ4_freeStream(s->stream);
	free(s);
}

static int fast_new(const struct arc_encoder_params *params, void **ret)
{
	struct fast_state *s = calloc(1, sizeof(*s));

	assert(params->level >= 1 && params->level <= ARC_COUNT(accelerations));
	if (!s)
		return -ENOMEM;
	s->acceleration = accelerations[params->level - 1];
	s->stream = LZ4_createStream();
	if (!s->stream) {
		fast_free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static void fast_begin(void *state, const uint8_t *base, size_t n)
{
	struct fast_state *s = state;

	(void)n;
	LZ4_loadDict(s->stream, (const char *)base, 0);
	s->seen = 0;
}

static size_t fast_encode(void *state, const uint8_t *base, size_t off,
			  size_t n, uint8_t *out, size_t cap,
			  struct arc_segment *seg)
{
	struct fast_state *s = state;
	size_t window = ARC_MIN(off, WINDOW);
	int got;

	assert(n <= ARC_SEGMENT_SIZE);
	(void)seg;
	if (s->seen != off)
		LZ4_loadDict(s->stream, (const char *)base + off - window,
			     (int)window);
	s->seen = off + n;
	got = LZ4_compress_fast_continue(s->stream, (const char *)base + off,
					 (char *)s->scratch, (int)n,
					 (int)SCRATCH, s->acceleration);
	return deliver(s->scratch, got, out, cap);
}

const struct arc_encoder arc_lz4_encoder = {
	.name = "lz4",
	.about = "LZ4: fast",
	.id = ARC_CODEC_LZ4,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.library = LZ4_versionString,
	.new_state = fast_new,
	.free_state = fast_free,
	.begin = fast_begin,
	.encode = fast_encode,
};

/* ---- lz4hc -------------------------------------------------------------- */

/*
 * LZ4-HC takes as long for random bytes as for text. So a segment that plain
 * LZ4 cannot shrink by itself is not tried: at the start of a group, and
 * after a segment that did not gain much, where the next is likely to be of
 * the same kind. Elsewhere the trial would only cost.
 */
struct hc_state {
	LZ4_streamHC_t *stream;
	void *trial; /* state of plain LZ4 */
	bool doubtful; /* try the next segment with plain LZ4 first */
	bool behind; /* the stream did not see the segment before */
	size_t seen; /* bytes of the group that were given */
	uint8_t scratch[SCRATCH];
};

static void hc_free(void *state)
{
	struct hc_state *s = state;

	if (!s)
		return;
	LZ4_freeStreamHC(s->stream);
	free(s->trial);
	free(s);
}

static int hc_new(const struct arc_encoder_params *params, void **ret)
{
	struct hc_state *s = calloc(1, sizeof(*s));

	assert(params->level >= 1 && params->level <= ARC_COUNT(hc_levels));
	if (!s)
		return -ENOMEM;
	s->stream = LZ4_createStreamHC();
	s->trial = malloc((size_t)LZ4_sizeofState());
	if (!s->stream || !s->trial) {
		hc_free(s);
		return -ENOMEM;
	}
	/* Kept by LZ4_loadDictHC(). */
	LZ4_resetStreamHC_fast(s->stream, hc_levels[params->level - 1]);
	*ret = s;
	return 0;
}

static void hc_begin(void *state, const uint8_t *base, size_t n)
{
	struct hc_state *s = state;

	(void)n;
	LZ4_loadDictHC(s->stream, (const char *)base, 0);
	s->doubtful = true;
	s->behind = false;
	s->seen = 0;
}

static bool shrinks(struct hc_state *s, const uint8_t *p, size_t n)
{
	int got = LZ4_compress_fast_extState(s->trial, (const char *)p,
					     (char *)s->scratch, (int)n,
					     (int)SCRATCH, 1);

	return got > 0 && (size_t)got < n;
}

static size_t hc_encode(void *state, const uint8_t *base, size_t off, size_t n,
			uint8_t *out, size_t cap, struct arc_segment *seg)
{
	struct hc_state *s = state;
	const uint8_t *p = base + off;
	int got;

	assert(n <= ARC_SEGMENT_SIZE);
	(void)seg;
	if (s->seen != off)
		s->behind = s->doubtful = true;
	s->seen = off + n;
	if (s->doubtful && !shrinks(s, p, n)) {
		s->behind = true;
		return 0;
	}
	if (s->behind) {
		size_t window = ARC_MIN(off, WINDOW);

		LZ4_loadDictHC(s->stream, (const char *)p - window,
			       (int)window);
		s->behind = false;
	}
	got = LZ4_compress_HC_continue(s->stream, (const char *)p,
				       (char *)s->scratch, (int)n,
				       (int)SCRATCH);
	s->doubtful = got <= 0 || (size_t)got > n - n / 8;
	return deliver(s->scratch, got, out, cap);
}

const struct arc_encoder arc_lz4hc_encoder = {
	.name = "lz4hc",
	.about = "LZ4-HC: small, slower to make, as fast to read as lz4",
	.id = ARC_CODEC_LZ4,
	.entry_size = ARC_ENTRY_SIZE_MIN,
	.library = LZ4_versionString,
	.new_state = hc_new,
	.free_state = hc_free,
	.begin = hc_begin,
	.encode = hc_encode,
};
