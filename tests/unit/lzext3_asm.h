/* SPDX-License-Identifier: MIT */
/*
 * lzext3_asm - segments of LZ-EXT3 written by hand, and decoded in a place that
 * has walls: behind the last byte that may be written, and behind the last that
 * may be read, lies memory that cannot be touched. What the decoder says is
 * compared with the model. Include it after cmocka.h.
 *
 *	static struct asm_segment a;
 *
 *	asm_begin(&a, 5, 18);		// segment 5, groups of 256 KiB
 *	asm_match(&a, 3, 10, 70000);	// 3 literals, then 10 bytes from there
 *	asm_tail(&a, 5);		// literals behind the last match
 *	assert_int_equal(asm_decode(&a), 0);
 *
 * Between the two, anything in a can be made wrong.
 *
 * Threads: one owner.
 */
#ifndef ARC_LZEXT3_ASM_H
#define ARC_LZEXT3_ASM_H

#include <sys/mman.h>

#include "lzext3_model.h"
#include "testdata.h"

#define SEGMENT ((uint32_t)ARC_SEGMENT_SIZE)
#define ASM_SEGMENTS 40 /* of the frame around the segment */
#define ASM_STREAM (3 * 65536) /* room for any */

struct asm_stream {
	uint8_t b[ASM_STREAM];
	size_t n; /* bytes */
};

struct asm_segment {
	uint32_t s;
	uint8_t group_log;
	struct arc_disk_lzext3 x; /* what of it does not count items */
	struct asm_stream lo, x16, tok, hi, x8, lit;
	uint32_t n; /* raw bytes */
	uint32_t last; /* distance */

	/* Added to what the entry says, to make it wrong. */
	int tokens_off, lo_off, hi_off, x8_off, x16_off;
	int size_off; /* stored bytes */
	int n_off; /* raw bytes wanted */
	uint8_t padding;
	bool no_padding;
};

static inline void asm_begin(struct asm_segment *a, uint32_t s,
			     uint8_t group_log)
{
	a->lo.n = a->x16.n = a->tok.n = a->hi.n = a->x8.n = a->lit.n = 0;
	a->tokens_off = a->lo_off = a->hi_off = a->x8_off = a->x16_off = 0;
	a->size_off = a->n_off = 0;
	a->padding = 0;
	a->no_padding = false;
	a->s = s;
	a->group_log = group_log;
	a->x = (struct arc_disk_lzext3){ 0 };
	a->n = a->last = 0;
}

static inline void asm_put(struct asm_stream *s, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		s->b[s->n++] = (uint8_t)(v >> (8 * i));
}

/* A length's extension. */
static inline void asm_more(struct asm_segment *a, uint32_t n)
{
	asm_put(&a->x8, n < 255 ? n : 255, 1);
	if (n >= 255)
		asm_put(&a->x16, n - 255, 2);
}

static inline void asm_literals(struct asm_segment *a, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		asm_put(&a->lit, 'a' + (uint32_t)(a->lit.n * 7 % 26), 1);
	a->n += n;
}

/* With a distance of k bytes, whether it needs them or not. */
static inline void asm_match_k(struct asm_segment *a, uint32_t lit,
			       uint32_t len, uint32_t dist, uint32_t k)
{
	uint32_t l = lit < 3 ? lit : 3;
	uint32_t m = len - 4 < 15 ? len - 4 : 15;

	asm_put(&a->tok, l << 6 | k << 4 | m, 1);
	if (l == 3)
		asm_more(a, lit - 3);
	if (m == 15)
		asm_more(a, len - 19);
	if (k == 1)
		asm_put(&a->hi, dist, 1);
	if (k >= 2)
		asm_put(&a->lo, dist, 2);
	if (k == 3)
		asm_put(&a->hi, dist >> 16, 1);
	asm_literals(a, lit);
	a->n += len;
	a->last = dist;
}

static inline void asm_match(struct asm_segment *a, uint32_t lit, uint32_t len,
			     uint32_t dist)
{
	uint32_t k = 1u + (dist > 0xff) + (dist > 0xffff);

	asm_match_k(a, lit, len, dist, dist == a->last ? 0 : k);
}

static inline void asm_tail(struct asm_segment *a, uint32_t n)
{
	asm_literals(a, n);
}

/* Every granule before the segment is usable. */
static inline void asm_all_near(struct asm_segment *a)
{
	uint64_t off =
		model_start(a->s) - model_group_start(a->s, a->group_log);
	uint64_t granule = model_granule(a->group_log);
	uint64_t n = (off + granule - 1) / granule;

	a->x.near = arc_put16((uint16_t)((1u << n) - 1));
}

static inline void asm_list(struct asm_segment *a, uint8_t s)
{
	a->x.far[a->x.fars++] = s;
}

static inline size_t asm_copy(uint8_t *to, const struct asm_stream *s)
{
	memcpy(to, s->b, s->n);
	return s->n;
}

/* The stored bytes; returns how many. */
static inline size_t asm_bytes(const struct asm_segment *a, uint8_t *to)
{
	const struct asm_stream *const streams[] = { &a->lo, &a->x16, &a->tok,
						     &a->hi, &a->x8,  &a->lit };
	size_t n = 0;

	for (size_t i = 0; i < ARC_COUNT(streams); i++)
		n += asm_copy(to + n, streams[i]);
	if (n % 2 && !a->no_padding)
		to[n++] = a->padding;
	return n;
}

static inline struct arc_le16 asm_count(size_t n, int off)
{
	return arc_put16((uint16_t)((int)n + off));
}

static inline struct arc_segment asm_entry(const struct asm_segment *a,
					   size_t size)
{
	struct arc_disk_lzext3 x = a->x;
	struct arc_segment seg = { .type = ARC_SEGMENT_CODED,
				   .size = (uint32_t)((int)size +
						      a->size_off) };

	x.tokens = asm_count(a->tok.n, a->tokens_off);
	x.lo = asm_count(a->lo.n / 2, a->lo_off);
	x.hi = asm_count(a->hi.n, a->hi_off);
	x.x8 = asm_count(a->x8.n, a->x8_off);
	x.x16 = asm_count(a->x16.n / 2, a->x16_off);
	memcpy(seg.ext, &x, sizeof(x));
	return seg;
}

/* ---- walls --------------------------------------------------------------- */

/* The end of cap bytes of memory behind which there is a wall. */
static inline uint8_t *walled(size_t cap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = (cap + page - 1) / page * page;
	uint8_t *p = mmap(NULL, n + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + n, page, PROT_NONE), 0);
	return p + n;
}

/* Where segments are decoded. */
struct asm_place {
	uint8_t *frame; /* random bytes, ASM_SEGMENTS of them */
	uint8_t *group_end; /* of the segment's group */
	uint8_t *src_end;
	uint8_t model[SEGMENT];
};

static inline struct asm_place *asm_place(void)
{
	static struct asm_place place;
	uint64_t seed = 77;

	if (place.frame)
		return &place;
	place.frame = walled(ASM_SEGMENTS * SEGMENT) - ASM_SEGMENTS * SEGMENT;
	testdata_random(place.frame, ASM_SEGMENTS * SEGMENT, &seed);
	place.group_end = walled(ASM_SEGMENTS * SEGMENT);
	place.src_end = walled(6 * (size_t)ASM_STREAM + 1 + ARC_DECODE_SLACK);
	return &place;
}

/*
 * Decodes n bytes of segment s from size stored bytes, between walls; what its
 * groups hold before it is the frame's. Whatever comes out is what the model
 * says, and nothing before the segment has changed.
 */
static inline int asm_run(const struct arc_segment *seg, const uint8_t *bytes,
			  uint32_t s, uint32_t n, uint8_t group_log)
{
	const struct arc_decoder *lz = arc_decoder_find(ARC_CODEC_LZEXT3);
	struct asm_place *place = asm_place();
	size_t group = model_group_start(s, group_log);
	size_t off = model_start(s) - group;
	uint8_t *groups[ASM_SEGMENTS] = { NULL };
	uint8_t *own = place->group_end - off - n;
	uint8_t *src = place->src_end - ARC_DECODE_SLACK - seg->size;
	const struct arc_decode d = { .seg = seg,
				      .src = src,
				      .s = s,
				      .n = n,
				      .group_log = group_log,
				      .groups = groups };
	int want = model_check(seg, s, n, group_log);
	int got = lz->check(seg, s, n, group_log);

	assert_int_equal(got, want);
	if (got < 0)
		return got;
	for (size_t g = 0; g < group >> group_log; g++)
		groups[g] = place->frame + (g << group_log);
	groups[group >> group_log] = own;
	memcpy(own, place->frame + group, off);
	memset(own + off, 0xee, n);
	memcpy(src, bytes, seg->size);
	memset(src + seg->size, (int)(seg->size * 31), ARC_DECODE_SLACK);
	want = model_decode(&d, place->model);
	got = lz->decode(&d);
	assert_int_equal(got, want);
	if (got == 0)
		assert_memory_equal(own + off, place->model, n);
	assert_memory_equal(own, place->frame + group, off);
	return got;
}

static inline int asm_decode(const struct asm_segment *a)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	size_t n = asm_bytes(a, bytes);
	struct arc_segment seg = asm_entry(a, n);

	memset(bytes + n, 0, 2); /* what size_off may add */
	return asm_run(&seg, bytes, a->s, (uint32_t)((int)a->n + a->n_off),
		       a->group_log);
}

/*
 * Segment 5 of groups of 256 KiB, all of its group usable: matches with
 * literals, one distance of each kind, extensions of both kinds, then literals.
 * Behind the first `before` plain matches, which decide in which batch and in
 * which lane of a decoder the others are.
 */
static inline void asm_plain(struct asm_segment *a, unsigned before)
{
	asm_begin(a, 5, 18);
	asm_all_near(a);
	for (unsigned i = 0; i < before; i++)
		asm_match(a, 1, 4, 300 + i % 2);
	asm_match(a, 20, 9, 7); /* X8, HI */
	asm_match(a, 0, 30, 1000); /* X8, LO */
	asm_match(a, 2, 6, 65536 + 5); /* LO and HI */
	asm_match(a, 400, 5, 65536 + 5); /* X16, the last distance */
	asm_match(a, 0, 500, 40); /* X16 */
	asm_tail(a, 100);
}

/* Changes a few bits or bytes of a coded segment, of its entry now and then. */
static inline void asm_damage(struct arc_segment *seg, uint8_t *bytes,
			      uint64_t *seed)
{
	uint64_t v = testdata_next(seed);
	size_t n = sizeof(struct arc_disk_lzext3);

	for (unsigned i = 0; i <= (v & 3); i++) {
		uint64_t w = testdata_next(seed);

		if ((w & 15) == 0)
			seg->ext[(w >> 8) % n] ^=
				(uint8_t)(1u << (w >> 40 & 7));
		else if ((w & 15) < 8)
			bytes[(w >> 8) % seg->size] ^=
				(uint8_t)(1u << (w >> 40 & 7));
		else
			bytes[(w >> 8) % seg->size] = (uint8_t)(w >> 40);
	}
}

#endif
