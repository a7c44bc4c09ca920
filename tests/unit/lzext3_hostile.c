/* SPDX-License-Identifier: MIT */
/*
 * Segments of LZ-EXT3 that nobody's encoder writes. Whatever the verdict that
 * a test expects, asm_decode() has also asked the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lzext3_asm.h"

static struct asm_segment a;

/*
 * Segment 5 of groups of 256 KiB, all of its group usable: three matches with
 * literals, one distance of each kind, extensions of both kinds, then literals.
 * Behind the first `before` plain matches, which decide in which batch and in
 * which lane of the decoder the others are.
 */
static void begin_plain(unsigned before)
{
	asm_begin(&a, 5, 18);
	asm_all_near(&a);
	for (unsigned i = 0; i < before; i++)
		asm_match(&a, 1, 4, 300 + i % 2);
	asm_match(&a, 20, 9, 7); /* X8, HI */
	asm_match(&a, 0, 30, 1000); /* X8, LO */
	asm_match(&a, 2, 6, 65536 + 5); /* LO and HI */
	asm_match(&a, 400, 5, 65536 + 5); /* X16, the last distance */
	asm_match(&a, 0, 500, 40); /* X16 */
	asm_tail(&a, 100);
}

/* Positions of the plain matches: in a first batch, at its end, behind it. */
static const unsigned befores[] = { 0, 3, 5, 60, 61, 62, 63, 64, 67, 1000 };

#define EACH_PLAIN(i) for (size_t i = 0; i < ARC_COUNT(befores); i++)

static void hand_made_segments_are_right_to_begin_with(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		begin_plain(befores[i]);
		assert_int_equal(asm_decode(&a), 0);
	}
	asm_begin(&a, 0, 16);
	asm_tail(&a, 1);
	assert_int_equal(asm_decode(&a), 0);
}

/* ---- streams ------------------------------------------------------------- */

static void each_stream_has_exactly_what_is_taken(void **state)
{
	int *const offs[] = { &a.tokens_off, &a.lo_off, &a.hi_off, &a.x8_off,
			      &a.x16_off };

	(void)state;
	EACH_PLAIN(i)
	{
		for (size_t k = 0; k < ARC_COUNT(offs); k++) {
			for (int by = -2; by <= 2; by++) {
				begin_plain(befores[i]);
				*offs[k] = by;
				assert_int_equal(asm_decode(&a),
						 by ? -EBADMSG : 0);
			}
		}
	}
}

/* Items are missing or left over, and no other stream has too many or too
 * few for it. */
static void put_or_drop(struct asm_stream *s, int items, unsigned bytes)
{
	for (; items > 0; items--)
		asm_put(s, 1, bytes);
	s->n = (size_t)((int)s->n + items * (int)bytes);
}

static void items_are_neither_missing_nor_left_over(void **state)
{
	static const struct {
		struct asm_stream *stream;
		unsigned bytes;
	} streams[] = {
		{ &a.lo, 2 },  { &a.hi, 1 },  { &a.x8, 1 },
		{ &a.x16, 2 }, { &a.lit, 1 }, { &a.tok, 1 },
	};

	(void)state;
	EACH_PLAIN(i)
	{
		for (size_t k = 0; k < ARC_COUNT(streams); k++) {
			for (int by = -1; by <= 1; by += 2) {
				begin_plain(befores[i]);
				a.no_padding = true; /* or it would be used */
				put_or_drop(streams[k].stream, by,
					    streams[k].bytes);
				assert_int_equal(asm_decode(&a), -EBADMSG);
			}
		}
	}
}

static void numbers_of_x16_may_be_missing_for_either_length(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		for (unsigned have = 0; have <= 3; have++) {
			asm_begin(&a, 0, 16);
			for (unsigned k = 0; k < befores[i]; k++)
				asm_match(&a, 1, 4, 1);
			asm_match(&a, 3 + 255 + 7, 4 + 15 + 255 + 9, 20);
			asm_tail(&a, 3);
			a.x16.n = (size_t)2 * have;
			assert_int_equal(asm_decode(&a),
					 have == 2 ? 0 : -EBADMSG);
		}
	}
}

static void lengths_with_x16_go_up_to_the_segment(void **state)
{
	static const uint32_t lits[] = { 3 + 255, 3 + 256, 30000, 65000 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(lits); i++) {
		uint32_t left = SEGMENT - lits[i];

		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], left, 17); /* to the last byte */
		assert_int_equal(asm_decode(&a), 0);
		a.n_off = -1;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		/* as much as X16 can say */
		asm_begin(&a, 0, 16);
		asm_match(&a, lits[i], 19 + 255 + 65535, 17);
		a.n_off = (int)SEGMENT - (int)a.n;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		asm_begin(&a, 0, 16);
		asm_match(&a, 20, 4, 17);
		asm_match(&a, 0, 4, 17);
		asm_put(&a.x16, 65535, 2);
		a.tok.b[1] |= 0xc0;
		asm_put(&a.x8, 255, 1);
		a.n_off = (int)SEGMENT - (int)a.n;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void output_is_exactly_full(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		for (int by = -120; by <= 120; by++) {
			begin_plain(befores[i]);
			a.n_off = by;
			assert_int_equal(asm_decode(&a), by ? -EBADMSG : 0);
		}
	}
	/* without literals behind the last match */
	for (int by = -40; by <= 1; by++) {
		asm_begin(&a, 0, 16);
		asm_match(&a, 10, 30, 10);
		a.n_off = by;
		assert_int_equal(asm_decode(&a), by ? -EBADMSG : 0);
	}
}

static void literals_end_anywhere_but_not_within_a_match(void **state)
{
	(void)state;
	EACH_PLAIN(i)
	{
		begin_plain(befores[i]);
		a.no_padding = true;
		for (size_t all = a.lit.n; a.lit.n > all - 130; a.lit.n--)
			assert_int_equal(asm_decode(&a),
					 a.lit.n == all ? 0 : -EBADMSG);
		a.lit.n = 1;
		assert_int_equal(asm_decode(&a), -EBADMSG);
		a.lit.n = 0;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void padding_is_one_byte_of_zero(void **state)
{
	(void)state;
	asm_begin(&a, 0, 16);
	asm_match(&a, 10, 30, 10);
	asm_tail(&a, 1); /* streams of 1 + 1 + 2 + 11 bytes */
	assert_int_equal(asm_decode(&a), 0);
	a.padding = 1;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.padding = 0;
	a.size_off = 1; /* another one */
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 2;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 0;
	asm_tail(&a, 1); /* even: none is wanted */
	assert_int_equal(asm_decode(&a), 0);
	a.size_off = 1;
	assert_int_equal(asm_decode(&a), -EBADMSG);
	a.size_off = 2;
	assert_int_equal(asm_decode(&a), -EBADMSG);
}

/* ---- distances ----------------------------------------------------------- */

static void distances_of_zero_are_refused(void **state)
{
	(void)state;
	for (unsigned before = 0; before < 140; before++) {
		for (uint32_t k = 0; k <= 3; k++) {
			begin_plain(before);
			asm_match_k(&a, 0, 4, 0, k);
			asm_tail(&a, 100);
			/* K = 0 says the last one again, which there is */
			assert_int_equal(asm_decode(&a), k ? -EBADMSG : 0);
		}
	}
}

static void the_first_distance_is_not_that_of_the_last_one(void **state)
{
	(void)state;
	for (unsigned behind = 0; behind < 70; behind++) {
		asm_begin(&a, 5, 18);
		asm_all_near(&a);
		asm_match_k(&a, 10, 4, 0, 0);
		for (unsigned i = 0; i < behind; i++)
			asm_match(&a, 3, 5, 5);
		asm_tail(&a, 100);
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void distances_may_be_stored_longer_than_they_need(void **state)
{
	(void)state;
	asm_begin(&a, 5, 18);
	asm_all_near(&a);
	asm_match_k(&a, 10, 4, 7, 3);
	asm_match_k(&a, 10, 4, 7, 2);
	asm_match_k(&a, 10, 4, 7, 1);
	asm_match_k(&a, 10, 4, 777, 3);
	asm_tail(&a, 100);
	assert_int_equal(asm_decode(&a), 0);
}

/* One match after `lit` literals, with or without much room behind it. */
static int one_match(uint32_t s, uint8_t group_log, uint16_t near, uint32_t lit,
		     uint32_t len, uint32_t dist, uint32_t tail)
{
	asm_begin(&a, s, group_log);
	a.x.near = arc_put16(near);
	asm_match(&a, lit, len, dist);
	asm_tail(&a, tail);
	return asm_decode(&a);
}

static void nothing_is_copied_from_before_the_group(void **state)
{
	static const uint32_t tails[] = { 0, 5, 100, 1000 };
	static const uint32_t lits[] = { 1, 10, 100, 1000 };
	static const uint32_t lens[] = { 4, 20, 70, 900 };

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		uint32_t lit = lits[i % 4];
		uint32_t len = lens[i / 4 % 4];
		uint32_t tail = tails[i / 16];

		assert_int_equal(one_match(0, 16, 0, lit, len, lit, tail), 0);
		assert_int_equal(one_match(0, 16, 0, lit, len, lit + 1, tail),
				 -EBADMSG);
		assert_int_equal(one_match(5, 16, 0, lit, len, lit, tail), 0);
		assert_int_equal(one_match(5, 16, 0, lit, len, lit + 1, tail),
				 -EBADMSG);
		assert_int_equal(
			one_match(5, 18, 1, lit, len, lit + SEGMENT, tail), 0);
		assert_int_equal(one_match(5, 18, 1, lit, len,
					   lit + SEGMENT + 1, tail),
				 -EBADMSG);
		assert_int_equal(one_match(5, 18, 1, lit, len, 0xffffff, tail),
				 -EBADMSG);
	}
}

/*
 * Segment 4 of a group of 16: near 1101 makes the segments 0, 2 and 3 usable,
 * 1 is not.
 */
static void unusable_granules_are_not_copied_from(void **state)
{
	static const struct {
		uint32_t at; /* source */
		uint32_t len;
		int result;
	} cases[] = {
		{ 0, 4, 0 },
		{ 0, 300, 0 },
		{ 65536 - 300, 300, 0 }, /* up to the hole */
		{ 65536 - 300, 301, -EBADMSG },
		{ 65536 - 4, 5, -EBADMSG },
		{ 65536, 4, -EBADMSG },
		{ 100000, 300, -EBADMSG },
		{ 131072 - 1, 4, -EBADMSG }, /* its last byte */
		{ 131072, 4, 0 },
		{ 131072, 300, 0 },
		{ 3 * 65536 - 20, 40, 0 }, /* over the border of two usable */
		{ 4 * 65536 - 20, 60, 0 }, /* into its own literals */
		{ 4 * 65536 - 20, 30000, 0 }, /* and its own output */
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		for (uint32_t lit = 0; lit < 40; lit += 13) {
			uint32_t dist = 4 * SEGMENT + lit - cases[i].at;

			assert_int_equal(one_match(4, 20, 0xd, lit,
						   cases[i].len, dist, 0),
					 cases[i].result);
			assert_int_equal(one_match(4, 20, 0xd, lit,
						   cases[i].len, dist, 3000),
					 cases[i].result);
		}
	}
	/* no granule at all */
	assert_int_equal(one_match(4, 20, 0, 5, 4, 5, 9), 0);
	assert_int_equal(one_match(4, 20, 0, 5, 4, 6, 9), -EBADMSG);
}

/* Granules of two segments; the last one is there in part. */
static void granules_have_several_segments_in_large_groups(void **state)
{
	(void)state;
	for (uint32_t s = 1; s < 9; s++) {
		uint16_t all = (uint16_t)((1u << (s + 1) / 2) - 1);
		uint16_t last = (uint16_t)(all & ~(all >> 1));
		uint32_t from = (s - 1) / 2 * 2 * SEGMENT;

		/* the first byte of the group, and of the last granule */
		assert_int_equal(
			one_match(s, 21, all, 9, 50, s * SEGMENT + 9, 20), 0);
		assert_int_equal(one_match(s, 21, last, 9, 50,
					   s * SEGMENT + 9 - from, 20),
				 0);
		if (from == 0)
			continue;
		assert_int_equal(one_match(s, 21, last, 9, 50,
					   s * SEGMENT + 10 - from, 20),
				 -EBADMSG);
		/* all but the last: its first byte, and what is before it */
		assert_int_equal(one_match(s, 21, all >> 1, 9, 50,
					   s * SEGMENT + 9 - from, 20),
				 -EBADMSG);
		assert_int_equal(one_match(s, 21, all >> 1, 9, 50,
					   s * SEGMENT + 59 - from, 20),
				 0);
	}
}

/* ---- the list ------------------------------------------------------------ */

/* Segment 10 of groups of four (8 to 11) with segments 1, 2 and 7 listed. */
static int one_far_match(uint32_t at, uint32_t len, uint32_t tail)
{
	asm_begin(&a, 10, 18);
	asm_all_near(&a);
	asm_list(&a, 1);
	asm_list(&a, 2);
	asm_list(&a, 7);
	asm_match(&a, 11, len, 10 * SEGMENT + 11 - at);
	asm_tail(&a, tail);
	return asm_decode(&a);
}

static void listed_segments_are_copied_from_wholly(void **state)
{
	static const struct {
		uint32_t at;
		uint32_t len;
		int result;
	} cases[] = {
		{ 1 * 65536, 4, 0 },
		{ 1 * 65536, 50000, 0 },
		{ 1 * 65536 + 1000, 100, 0 },
		{ 2 * 65536 - 100, 100, 0 }, /* to the last byte */
		{ 2 * 65536 - 100, 101, -EBADMSG }, /* both are listed */
		{ 3 * 65536 - 4, 4, 0 },
		{ 3 * 65536 - 4, 5, -EBADMSG },
		{ 3 * 65536, 4, -EBADMSG },
		{ 0, 4, -EBADMSG },
		{ 65536 - 1, 4, -EBADMSG },
		{ 4 * 65536, 4, -EBADMSG },
		{ 7 * 65536, 4, 0 },
		{ 8 * 65536 - 9, 9, 0 },
		{ 8 * 65536 - 9, 10, -EBADMSG }, /* into its own group */
		{ 8 * 65536, 10, 0 }, /* near */
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		assert_int_equal(one_far_match(cases[i].at, cases[i].len, 0),
				 cases[i].result);
		assert_int_equal(one_far_match(cases[i].at, cases[i].len, 4000),
				 cases[i].result);
	}
}

static void nothing_is_copied_from_before_the_frame(void **state)
{
	(void)state;
	asm_begin(&a, 4, 16);
	asm_list(&a, 0);
	asm_match(&a, 8, 20, 4 * SEGMENT + 8);
	asm_tail(&a, 8);
	assert_int_equal(asm_decode(&a), 0);
	asm_begin(&a, 4, 16);
	asm_list(&a, 0);
	asm_match(&a, 8, 20, 4 * SEGMENT + 9);
	asm_tail(&a, 8);
	assert_int_equal(asm_decode(&a), -EBADMSG);
}

/* ---- entries ------------------------------------------------------------- */

static int check_list(uint8_t fars, const uint8_t *list)
{
	asm_begin(&a, 30, 18); /* its group begins with 28 */
	asm_tail(&a, 100);
	a.x.fars = fars;
	memcpy(a.x.far, list, ARC_MIN(fars, 16));
	return asm_decode(&a);
}

static void lists_ascend_and_end_before_the_group(void **state)
{
	static const uint8_t good[16] = { 0,  1,  2,  5,  9,  10, 11, 12,
					  20, 21, 22, 23, 24, 25, 26, 27 };
	uint8_t list[16];

	(void)state;
	for (uint8_t n = 0; n <= 16; n++)
		assert_int_equal(check_list(n, good), 0);
	assert_int_equal(check_list(17, good), -EBADMSG);
	assert_int_equal(check_list(255, good), -EBADMSG);
	for (unsigned i = 1; i < 16; i++) {
		memcpy(list, good, sizeof(list));
		list[i] = list[i - 1]; /* twice */
		assert_int_equal(check_list(16, list), -EBADMSG);
		list[i] = good[i];
		list[i - 1] = good[i] + 1;
		assert_int_equal(check_list(16, list), -EBADMSG);
	}
	for (unsigned s = 28; s < 256; s++) {
		memcpy(list, good, sizeof(list));
		list[15] = (uint8_t)s; /* its own group, itself, later */
		assert_int_equal(check_list(16, list), -EBADMSG);
		assert_int_equal(check_list(15, list), 0);
		list[0] = (uint8_t)s;
		assert_int_equal(check_list(1, list), -EBADMSG);
	}
}

static void near_bits_are_granules_before_the_segment(void **state)
{
	static const uint8_t logs[] = { 16, 17, 18, 20, 21, 22, 24 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(logs); i++) {
		for (uint32_t s = 0; s < ASM_SEGMENTS; s++) {
			uint64_t off =
				model_start(s) - model_group_start(s, logs[i]);

			for (unsigned bit = 0; bit < 16; bit++) {
				asm_begin(&a, s, logs[i]);
				asm_tail(&a, 10);
				a.x.near = arc_put16((uint16_t)(1u << bit));
				assert_int_equal(asm_decode(&a),
						 bit * model_granule(logs[i]) <
								 off
							 ? 0
							 : -EBADMSG);
			}
		}
	}
}

static void there_are_no_more_tokens_than_fit(void **state)
{
	(void)state;
	for (uint32_t n = 4; n < 300; n++) {
		asm_begin(&a, 5, 18);
		asm_all_near(&a);
		for (uint32_t i = 0; i < n / 4; i++)
			asm_match(&a, 0, 4, 60000 + i % 2);
		asm_tail(&a, n % 4);
		assert_int_equal(asm_decode(&a), 0);
		asm_match(&a, 0, 4, 1); /* one more, of which no room is left */
		a.n_off = -4;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void streams_lie_within_the_stored_bytes(void **state)
{
	int *const offs[] = { &a.tokens_off, &a.lo_off, &a.hi_off, &a.x8_off,
			      &a.x16_off };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(offs); i++) {
		begin_plain(0);
		a.x16.n += 1000; /* LIT shorter than any stream grows */
		*offs[i] = 65535 - 600;
		assert_int_equal(asm_decode(&a), -EBADMSG);
	}
}

static void needs_are_usable_granules_and_the_list(void **state)
{
	const struct arc_decoder *lz = arc_decoder_find(ARC_CODEC_LZEXT3);
	struct arc_segment seg;

	(void)state;
	for (unsigned near = 0; near < 32; near++) {
		struct arc_segset set = { 0 };

		/* granules of two segments, groups of 32 */
		asm_begin(&a, 41, 21);
		a.x.near = arc_put16((uint16_t)near);
		asm_list(&a, 3);
		asm_list(&a, 31);
		seg = asm_entry(&a, 0);
		assert_int_equal(lz->check(&seg, 41, 4, 21), 0);
		lz->needs(&seg, 41, 21, &set);
		for (uint32_t s = 0; s < 256; s++) {
			bool want = s == 3 || s == 31;

			if (s >= 32 && s < 41 && near >> (s - 32) / 2 & 1)
				want = true;
			assert_int_equal(arc_segset_has(&set, s), want);
		}
	}
}

/* ---- damage -------------------------------------------------------------- */

/* A segment with a bit of everything, its numbers drawn. */
static void draw_segment(uint64_t *seed)
{
	unsigned matches = (unsigned)(testdata_next(seed) % 200);

	asm_begin(&a, 9, 18);
	a.x.near = arc_put16((uint16_t)(testdata_next(seed) & 1));
	asm_list(&a, 2);
	asm_list(&a, 6);
	for (unsigned i = 0; i < matches; i++) {
		uint64_t v = testdata_next(seed);
		uint32_t lit = v & 7 ? v >> 8 & 7 : v >> 8 & 511;
		uint32_t len = 4 + (v & 56 ? v >> 20 & 15 : v >> 20 & 511);
		uint32_t dist = 1 + (v >> 30 & 15);

		if ((v >> 40 & 15) == 0)
			dist = 7 * SEGMENT - 600 + a.n + (v >> 44 & 63);
		else if ((v >> 40 & 15) < 4)
			dist = SEGMENT + (v >> 44 & 255);
		if (a.n + lit + len > SEGMENT - 2000)
			break;
		asm_match(&a, a.n ? lit : 16, len, dist);
	}
	asm_tail(&a, (uint32_t)(testdata_next(seed) % 200));
	if (a.n == 0)
		asm_tail(&a, 1);
}

static void damage(struct arc_segment *seg, uint8_t *bytes, uint64_t *seed)
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

static void damaged_segments_decode_as_the_model_says_or_not(void **state)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	uint64_t seed = 2024;
	unsigned good = 0, bad = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		draw_segment(&seed);
		asm_decode(&a);
		for (unsigned k = 0; k < 40; k++) {
			size_t n = asm_bytes(&a, bytes);
			struct arc_segment seg = asm_entry(&a, n);

			damage(&seg, bytes, &seed);
			if (asm_run(&seg, bytes, a.s, a.n, a.group_log) == 0)
				good++;
			else
				bad++;
		}
	}
	/* both happen, or this is no test */
	assert_true(good > 1000 && bad > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hand_made_segments_are_right_to_begin_with),
		cmocka_unit_test(each_stream_has_exactly_what_is_taken),
		cmocka_unit_test(items_are_neither_missing_nor_left_over),
		cmocka_unit_test(
			numbers_of_x16_may_be_missing_for_either_length),
		cmocka_unit_test(lengths_with_x16_go_up_to_the_segment),
		cmocka_unit_test(output_is_exactly_full),
		cmocka_unit_test(literals_end_anywhere_but_not_within_a_match),
		cmocka_unit_test(padding_is_one_byte_of_zero),
		cmocka_unit_test(distances_of_zero_are_refused),
		cmocka_unit_test(
			the_first_distance_is_not_that_of_the_last_one),
		cmocka_unit_test(distances_may_be_stored_longer_than_they_need),
		cmocka_unit_test(nothing_is_copied_from_before_the_group),
		cmocka_unit_test(unusable_granules_are_not_copied_from),
		cmocka_unit_test(
			granules_have_several_segments_in_large_groups),
		cmocka_unit_test(listed_segments_are_copied_from_wholly),
		cmocka_unit_test(nothing_is_copied_from_before_the_frame),
		cmocka_unit_test(lists_ascend_and_end_before_the_group),
		cmocka_unit_test(near_bits_are_granules_before_the_segment),
		cmocka_unit_test(there_are_no_more_tokens_than_fit),
		cmocka_unit_test(streams_lie_within_the_stored_bytes),
		cmocka_unit_test(needs_are_usable_granules_and_the_list),
		cmocka_unit_test(
			damaged_segments_decode_as_the_model_says_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
