/* SPDX-License-Identifier: MIT */
/*
 * A coded segment of LZ-EXT3 of unknown origin: its entry and its streams.
 * What the decoder makes of it is what the model makes of it, and nothing is
 * written before, behind, or anywhere else.
 *
 *	input:  u8 group_log | u8 segment | u16 raw bytes | 32 bytes
 *		entry | stored bytes
 *
 * Counts are rarely right by chance. So the input is also taken with right
 * ones: the stored bytes are then the tokens (as many as the entry says), all
 * that these take from X8, X16, LO and HI, and literals.
 */
#include <stdlib.h>

#include "lzext3_model.h"
#include "testdata.h"

#define HEAD (4 + sizeof(struct arc_disk_lzext3))
#define SEGMENTS 12 /* of the frame */
#define SIZE ((size_t)ARC_SEGMENT_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The bytes of the frame around the segment. */
static const uint8_t *frame(void)
{
	static uint8_t bytes[SEGMENTS * ARC_SEGMENT_SIZE];
	static bool made;
	uint64_t seed = 3;

	if (!made)
		testdata_random(bytes, sizeof(bytes), &seed);
	made = true;
	return bytes;
}

/* Memory of exactly n bytes, so that a sanitizer sees what is outside. */
static uint8_t *exactly(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	if (!p)
		abort();
	return p;
}

/* The group of the segment as far as it is; groups before it as they are. */
static uint8_t *make_groups(const struct arc_decode *d, uint8_t **groups)
{
	size_t group = model_group_start(d->s, d->group_log);
	size_t off = model_start(d->s) - group;
	uint8_t *own = exactly(off + d->n);

	for (size_t g = 0; g < group >> d->group_log; g++) {
		size_t size = (size_t)1 << d->group_log;

		groups[g] = exactly(size);
		memcpy(groups[g], frame() + g * size, size);
	}
	groups[group >> d->group_log] = own;
	memcpy(own, frame() + group, off);
	return own;
}

/* Nothing of the frame before the segment has changed. */
static void check_groups(const struct arc_decode *d)
{
	size_t size = (size_t)1 << d->group_log;
	size_t end = model_start(d->s);

	for (size_t at = 0; at < end; at += size)
		if (memcmp(d->groups[at / size], frame() + at,
			   ARC_MIN(size, end - at)) != 0)
			abort();
}

static void decode(const struct arc_segment *seg, const uint8_t *bytes,
		   uint32_t s, uint32_t n, uint8_t group_log)
{
	const struct arc_decoder *lz = arc_decoder_find(ARC_CODEC_LZEXT3);
	static uint8_t want[ARC_SEGMENT_SIZE];
	uint8_t *groups[SEGMENTS] = { NULL };
	uint8_t *src = exactly(seg->size + ARC_DECODE_SLACK);
	struct arc_decode d = { .seg = seg,
				.src = src,
				.s = s,
				.n = n,
				.group_log = group_log,
				.groups = groups };
	uint8_t *own;
	int err;

	if (seg->size > 0)
		memcpy(src, bytes, seg->size);
	memset(src + seg->size, (int)seg->size, ARC_DECODE_SLACK);
	err = lz->check(seg, s, n, group_log);
	if (err != model_check(seg, s, n, group_log))
		abort();
	if (err == 0) {
		own = make_groups(&d, groups);
		err = lz->decode(&d);
		check_groups(&d);
		own += model_start(s) - model_group_start(s, group_log);
		if (err != model_decode(&d, want) ||
		    (err == 0 && memcmp(own, want, n) != 0))
			abort();
	}
	for (size_t g = 0; g < SEGMENTS; g++)
		free(groups[g]);
	free(src);
}

/* ---- right counts -------------------------------------------------------------- */

struct rest {
	const uint8_t *p;
	size_t n;
};

static const uint8_t *cut(struct rest *rest, size_t n, size_t *ret)
{
	const uint8_t *p = rest->p;

	*ret = ARC_MIN(n, rest->n);
	rest->p += *ret;
	rest->n -= *ret;
	return p;
}

struct counts {
	size_t lo, hi, x8, x16;
};

static struct counts count(const uint8_t *tok, size_t n, const uint8_t *x8,
			   size_t n_x8)
{
	struct counts c = { 0 };

	for (size_t i = 0; i < n; i++) {
		c.lo += tok[i] >> 5 & 1;
		c.hi += tok[i] >> 4 & 1;
		c.x8 += (tok[i] >> 6 == 3) + ((tok[i] & 15) == 15);
	}
	for (size_t i = 0; i < ARC_MIN(c.x8, n_x8); i++)
		c.x16 += x8[i] == 255;
	return c;
}

static size_t append(uint8_t *to, size_t at, const uint8_t *p, size_t n)
{
	if (n > 0)
		memcpy(to + at, p, n);
	return at + n;
}

/* Puts the streams in order; returns all their bytes. */
static uint8_t *repair(const uint8_t *data, size_t n, struct arc_segment *seg)
{
	struct arc_disk_lzext3 x = model_entry(seg);
	struct rest rest = { data, n };
	size_t tokens, n_x8, n_x16, n_lo, n_hi, n_lit, at = 0;
	const uint8_t *tok = cut(&rest, arc_get16(x.tokens) % 1024, &tokens);
	struct counts c = count(tok, tokens, rest.p, rest.n);
	const uint8_t *x8 = cut(&rest, c.x8, &n_x8);
	const uint8_t *x16 = cut(&rest, 2 * c.x16, &n_x16);
	const uint8_t *lo = cut(&rest, 2 * c.lo, &n_lo);
	const uint8_t *hi = cut(&rest, c.hi, &n_hi);
	const uint8_t *lit = cut(&rest, rest.n, &n_lit);
	uint8_t *bytes = exactly(n);

	at = append(bytes, at, lo, n_lo);
	at = append(bytes, at, x16, n_x16);
	at = append(bytes, at, tok, tokens);
	at = append(bytes, at, hi, n_hi);
	at = append(bytes, at, x8, n_x8);
	at = append(bytes, at, lit, n_lit);
	x.tokens = arc_put16((uint16_t)tokens);
	x.lo = arc_put16((uint16_t)c.lo);
	x.hi = arc_put16((uint16_t)c.hi);
	x.x8 = arc_put16((uint16_t)c.x8);
	x.x16 = arc_put16((uint16_t)c.x16);
	memcpy(seg->ext, &x, sizeof(x));
	return bytes;
}

/* What the streams are decoded to, in bytes, when all of LIT is used. */
static uint32_t raw_of(const struct arc_segment *seg, const uint8_t *bytes)
{
	const struct arc_decode d = { .seg = seg, .src = bytes };
	struct model_streams s = model_split(&d);
	uint64_t n = s.lit.left;

	while (s.tok.left > 0) {
		uint32_t t = model_take(&s.tok, 1);

		model_length(&s, t >> 6, 3);
		n += model_length(&s, t & 15, 15) + 4;
	}
	return (uint32_t)ARC_MIN(ARC_MAX(n, 1), SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arc_segment seg = { .type = ARC_SEGMENT_CODED };
	uint8_t group_log;
	uint32_t s, raw;

	if (n < HEAD || n > HEAD + SIZE)
		return 0;
	group_log = (uint8_t)(16 + data[0] % 9);
	s = data[1] % SEGMENTS;
	raw = 1 + (data[2] | (uint32_t)data[3] << 8);
	memcpy(seg.ext, data + 4, sizeof(struct arc_disk_lzext3));
	data += HEAD;
	seg.size = (uint32_t)(n -= HEAD);
	decode(&seg, data, s, raw, group_log);
	if (n > 0) {
		uint8_t *bytes = repair(data, n, &seg);

		if (model_check(&seg, s, (uint32_t)SIZE, group_log) == 0)
			raw = raw_of(&seg, bytes);
		decode(&seg, bytes, s, raw, group_log);
		free(bytes);
	}
	return 0;
}
