/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "block.h"
#include "hash.h"
#include "testdata.h"

/* The largest block and its encoded form. */
static uint8_t rows[ARC_BLOCK_MAX];
static uint8_t turned[ARC_BLOCK_MAX];
static uint8_t expected[ARC_BLOCK_MAX];
static uint8_t encoded[ARC_BLOCK_MAX + 64];

static const struct arc_column odd_columns[] = {
	{ 1, true },  { 2, true },  { 4, true },   { 8, true },	 { 1, false },
	{ 3, false }, { 2, false }, { 16, false }, { 4, false }, { 8, false },
};

/* Every width with and without delta, at unaligned places. */
static const struct arc_table_layout odd = {
	"odd", 49, 4096, ARC_COUNT(odd_columns), odd_columns,
};

static const struct arc_table_layout *layout_at(unsigned i)
{
	if (i < ARC_TABLE_COUNT)
		return arc_table_layout((enum arc_table_id)i);
	if (i == ARC_TABLE_COUNT)
		return arc_descriptor_layout();
	return i == ARC_TABLE_COUNT + 1 ? &odd : NULL;
}

static uint64_t value_at(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	while (width-- > 0)
		v = v << 8 | p[width];
	return v;
}

/* The rule of format.h, word for word. */
static void turn_slowly(const struct arc_table_layout *l, uint32_t count)
{
	uint8_t *out = expected;
	size_t off = 0;

	for (uint32_t c = 0; c < l->columns; c++) {
		unsigned w = l->column[c].width;
		bool split = w == 1 || w == 2 || w == 4 || w == 8;

		for (uint32_t r = 0; r < count; r++) {
			const uint8_t *p = rows + (size_t)r * l->row_size + off;
			uint64_t v = split ? value_at(p, w) : 0;

			if (l->column[c].delta && r > 0)
				v -= value_at(p - l->row_size, w);
			for (unsigned j = 0; split && j < w; j++)
				out[(size_t)j * count + r] =
					(uint8_t)(v >> 8 * j);
			if (!split)
				memcpy(out + (size_t)r * w, p, w);
		}
		off += w;
		out += (size_t)w * count;
	}
}

static uint32_t count_at(const struct arc_table_layout *l, unsigned i)
{
	static const uint32_t counts[] = { 1,  2,  3,  7,  8,	9,
					   15, 16, 17, 63, 100, 1000 };

	if (i < ARC_COUNT(counts))
		return counts[i];
	return i == ARC_COUNT(counts) ? l->rows_per_block : 0;
}

static void transposition_follows_the_rule_and_is_undone(void **state)
{
	const struct arc_table_layout *l;

	(void)state;
	for (unsigned t = 0; (l = layout_at(t)); t++) {
		uint32_t n;

		for (unsigned i = 0; (n = count_at(l, i)) > 0; i++) {
			size_t raw = (size_t)n * l->row_size;

			testdata_fill(TESTDATA_RANDOM, rows, raw, t * 100 + i);
			turn_slowly(l, n);
			arc_block_transpose(l, rows, n, turned);
			assert_memory_equal(turned, expected, raw);
			memset(expected, 0x5a, raw);
			arc_block_restore(l, turned, n, expected);
			assert_memory_equal(expected, rows, raw);
		}
	}
}

static void example_of_the_manual_holds(void **state)
{
	static const uint8_t want[48] = { 0, 2, 1, [24] = 2, 1, 1 };
	const struct arc_disk_xset xset[3] = {
		{ .first = arc_put64(0), .count = arc_put32(2) },
		{ .first = arc_put64(2), .count = arc_put32(1) },
		{ .first = arc_put64(3), .count = arc_put32(1) },
	};

	(void)state;
	arc_block_transpose(arc_table_layout(ARC_TABLE_XSET),
			    (const uint8_t *)xset, 3, turned);
	assert_memory_equal(turned, want, sizeof(want));
}

/* ---- whole blocks ------------------------------------------------------- */

static struct arc_disk_block header(void)
{
	struct arc_disk_block h;

	memcpy(&h, encoded, sizeof(h));
	return h;
}

static struct arc_block_want want_of(uint32_t count)
{
	return (struct arc_block_want){
		.table = ARC_TABLE_INODE,
		.level = 2,
		.number = 77,
		.rows = count,
		.checksum = arc_get64(header().checksum),
	};
}

/* Encodes `count` rows; returns the bytes. */
static struct arc_span encode(const struct arc_table_layout *l, uint32_t count)
{
	size_t bound = arc_block_bound((size_t)count * l->row_size);
	size_t n = 0;

	assert_true(bound <= sizeof(encoded));
	memset(encoded + bound, 0xee, sizeof(encoded) - bound);
	assert_int_equal(arc_block_encode(l, ARC_TABLE_INODE, 2, 77, rows,
					  count, encoded, &n),
			 0);
	assert_true(n <= bound);
	for (size_t i = bound; i < sizeof(encoded); i++)
		assert_int_equal(encoded[i], 0xee);
	return (struct arc_span){ encoded, n };
}

static void blocks_come_back_as_they_were(void **state)
{
	const struct arc_table_layout *l;

	(void)state;
	for (unsigned t = 0; (l = layout_at(t)); t++) {
		uint32_t n;

		for (unsigned i = 0; (n = count_at(l, i)) > 0; i++) {
			size_t raw = (size_t)n * l->row_size;
			struct arc_block_want want;
			struct arc_span block;

			testdata_fill((enum testdata_kind)(i % TESTDATA_KINDS),
				      rows, raw, i);
			block = encode(l, n);
			want = want_of(n);
			memset(turned, 0x5a, raw);
			assert_int_equal(
				arc_block_decode(l, &want, block, turned), 0);
			assert_memory_equal(turned, rows, raw);
		}
	}
}

static void blocks_that_do_not_shrink_are_stored(void **state)
{
	const struct arc_table_layout *l = arc_table_layout(ARC_TABLE_DIGEST);

	(void)state;
	testdata_fill(TESTDATA_RANDOM, rows, 8192 * 16, 1);
	assert_int_equal(encode(l, 8192).n, 40 + 8192 * 16);
	assert_int_equal(arc_get16(header().flags), ARC_BLOCK_STORED);
	testdata_fill(TESTDATA_ZERO, rows, 8192 * 16, 1);
	assert_true(encode(l, 8192).n < 300);
	assert_int_equal(arc_get16(header().flags), 0);
	assert_int_equal(encode(arc_bytes_layout(), 1).n, 41);
}

static void blocks_other_than_wanted_are_refused(void **state)
{
	const struct arc_table_layout *l = arc_table_layout(ARC_TABLE_INODE);
	struct arc_block_want want;
	struct arc_span block;

	(void)state;
	testdata_fill(TESTDATA_TEXT, rows, 80 * 10, 1);
	block = encode(l, 10);
	want = want_of(10);
	assert_int_equal(arc_block_decode(l, &want, block, turned), 0);
	want.table++;
	assert_int_equal(arc_block_decode(l, &want, block, turned), -EBADMSG);
	want = want_of(10);
	want.level++;
	assert_int_equal(arc_block_decode(l, &want, block, turned), -EBADMSG);
	want = want_of(10);
	want.number++;
	assert_int_equal(arc_block_decode(l, &want, block, turned), -EBADMSG);
	want = want_of(10);
	want.checksum++;
	assert_int_equal(arc_block_decode(l, &want, block, turned), -EBADMSG);
	for (uint32_t n = 0; n < 10; n++) {
		want = want_of(n);
		assert_int_equal(arc_block_decode(l, &want, block, turned),
				 -EBADMSG);
	}
	want = want_of(UINT32_MAX);
	assert_int_equal(arc_block_decode(l, &want, block, turned), -EBADMSG);
	want = want_of(10);
	assert_int_equal(arc_block_decode(arc_table_layout(ARC_TABLE_DIRENT),
					  &want, block, turned),
			 -EBADMSG);
}

static struct arc_span encode_deflated(const struct arc_table_layout *l,
				       uint32_t count)
{
	struct arc_span block = encode(l, count);

	assert_int_equal(arc_get16(header().flags), 0);
	return block;
}

static void every_flipped_bit_of_a_block_is_noticed(void **state)
{
	const struct arc_table_layout *l = arc_bytes_layout();
	struct arc_block_want want;
	struct arc_span block;

	(void)state;
	testdata_fill(TESTDATA_TEXT, rows, 640, 1);
	block = encode_deflated(l, 640);
	want = want_of(640);
	for (size_t bit = 0; bit < block.n * 8; bit++) {
		encoded[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(arc_block_decode(l, &want, block, turned),
				 -EBADMSG);
		encoded[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(arc_block_decode(l, &want, block, turned), 0);
}

static void blocks_of_another_length_are_refused(void **state)
{
	const struct arc_table_layout *l = arc_bytes_layout();
	struct arc_block_want want;
	struct arc_span block;
	size_t n;

	(void)state;
	testdata_fill(TESTDATA_TEXT, rows, 640, 1);
	block = encode_deflated(l, 640);
	want = want_of(640);
	n = block.n;
	for (block.n = 0; block.n <= n + 1; block.n++)
		assert_int_equal(arc_block_decode(l, &want, block, turned),
				 block.n == n ? 0 : -EBADMSG);
}

/* Makes the checksum right again after a change, and wants exactly that. */
static int decode_forged(const struct arc_table_layout *l, uint32_t count,
			 size_t n, struct arc_disk_block h)
{
	struct arc_block_want want;
	struct arc_span head = { (const uint8_t *)&h,
				 offsetof(struct arc_disk_block, checksum) };
	struct arc_span body = { encoded + sizeof(h), n - sizeof(h) };

	h.checksum = arc_put64(arc_xxh64_2(head, body));
	memcpy(encoded, &h, sizeof(h));
	want = want_of(count);
	return arc_block_decode(l, &want, (struct arc_span){ encoded, n },
				turned);
}

static void forged_lengths_never_pass_the_room(void **state)
{
	const struct arc_table_layout *l = arc_bytes_layout();
	struct arc_disk_block h;
	size_t n;

	(void)state;
	testdata_fill(TESTDATA_TEXT, rows, 640, 1);
	n = encode_deflated(l, 640).n;
	memset(turned, 0xee, sizeof(turned));
	for (uint32_t count = 638; count <= 642; count++) {
		h = header();
		h.rows = arc_put32(count);
		h.raw = arc_put32(count);
		assert_int_equal(decode_forged(l, count, n, h),
				 count == 640 ? 0 : -EBADMSG);
		for (size_t i = count; i < 4096 && count <= 640; i++)
			assert_int_equal(turned[i], 0xee);
	}
	/* a byte more behind the zlib stream, a byte less of it */
	n = encode_deflated(l, 640).n;
	h = header();
	h.stored = arc_put32(arc_get32(h.stored) + 1);
	assert_int_equal(decode_forged(l, 640, n + 1, h), -EBADMSG);
	h.stored = arc_put32(arc_get32(h.stored) - 2);
	assert_int_equal(decode_forged(l, 640, n - 1, h), -EBADMSG);
}

static void forged_streams_are_refused(void **state)
{
	const struct arc_table_layout *l = arc_bytes_layout();
	uint64_t seed = 3;
	size_t n;

	(void)state;
	testdata_fill(TESTDATA_TEXT, rows, 640, 1);
	n = encode_deflated(l, 640).n;
	for (int i = 0; i < 2000; i++) {
		uint64_t v = testdata_next(&seed);
		size_t at = 40 + (v >> 8) % (n - 40);
		uint8_t was = encoded[at];
		int err;

		encoded[at] ^= (uint8_t)(1 + v % 255);
		/* zlib's own checksum sees what ours was made to overlook; the
		 * last bits before it may be padding */
		err = decode_forged(l, 640, n, header());
		if (err == 0)
			assert_memory_equal(turned, rows, 640);
		else
			assert_int_equal(err, -EBADMSG);
		encoded[at] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transposition_follows_the_rule_and_is_undone),
		cmocka_unit_test(example_of_the_manual_holds),
		cmocka_unit_test(blocks_come_back_as_they_were),
		cmocka_unit_test(blocks_that_do_not_shrink_are_stored),
		cmocka_unit_test(blocks_other_than_wanted_are_refused),
		cmocka_unit_test(every_flipped_bit_of_a_block_is_noticed),
		cmocka_unit_test(blocks_of_another_length_are_refused),
		cmocka_unit_test(forged_lengths_never_pass_the_room),
		cmocka_unit_test(forged_streams_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
