/* SPDX-License-Identifier: MIT */
/*
 * Columns are turned eight rows at a time: eight values of up to eight bytes
 * are a square of 8 x 8 bytes, and a square held in eight words is transposed
 * by three rounds of swaps. Byte by byte, the same work takes several times as
 * long as inflating the block.
 */
#include "block.h"

#include <endian.h>

#define ZLIB_CONST
#include <zlib.h>

#include "hash.h"

#define DEFLATE_LEVEL 6

const char *arc_block_library(void)
{
	return zlibVersion();
}

static const struct arc_column bytes_column[] = { { .width = 1 } };

const struct arc_table_layout *arc_bytes_layout(void)
{
	static const struct arc_table_layout layout = {
		.name = "bytes",
		.row_size = 1,
		.rows_per_block = ARC_BLOCK_MAX,
		.columns = 1,
		.column = bytes_column,
	};

	return &layout;
}

/* ---- transposition ------------------------------------------------------ */

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void store64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* The low `width` bytes of a value, little-endian. */
static inline uint64_t load_value(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	memcpy(&v, p, width);
	v = le64toh(v);
	return v;
}

static inline void store_value(uint8_t *p, uint64_t v, unsigned width)
{
	v = htole64(v);
	memcpy(p, &v, width);
}

/*
 * Byte j of word i becomes byte i of word j: blocks of 4 x 4, then of 2 x 2,
 * then single bytes change places across the diagonal.
 */
static inline void transpose_square(uint64_t w[8])
{
	static const uint64_t mask[3] = { UINT64_C(0x00000000ffffffff),
					  UINT64_C(0x0000ffff0000ffff),
					  UINT64_C(0x00ff00ff00ff00ff) };

	for (unsigned round = 0; round < 3; round++) {
		unsigned step = 4u >> round;
		unsigned bits = step * 8;

		for (unsigned i = 0; i < 8; i++) {
			uint64_t t;

			if (i & step)
				continue;
			t = (w[i] >> bits ^ w[i + step]) & mask[round];
			w[i] ^= t << bits;
			w[i + step] ^= t;
		}
	}
}

/* One column while it is turned. */
struct turn {
	uint32_t stride; /* bytes from one row to the next */
	uint32_t count; /* rows */
	bool delta;
};

/*
 * Rows -> byte planes of `count` bytes each. Width is a constant where this is
 * inlined, so that the upper words of narrow columns cost nothing.
 */
static inline void split_column(const struct turn *t, const uint8_t *row,
				uint8_t *plane, unsigned width)
{
	uint64_t mask = t->delta ? UINT64_MAX : 0;
	uint64_t before = 0;
	uint32_t i = 0;

	while (i < t->count) {
		uint32_t some = ARC_MIN(t->count - i, 8u);
		uint64_t w[8] = { 0 };

		for (uint32_t k = 0; k < some; k++, row += t->stride) {
			uint64_t v = load_value(row, width);

			w[k] = v - (before & mask);
			before = v;
		}
		transpose_square(w);
		for (unsigned j = 0; j < width; j++) {
			uint8_t *out = plane + (size_t)j * t->count + i;

			if (some == 8)
				store64(out, w[j]);
			else
				store_value(out, w[j], some);
		}
		i += some;
	}
}

/* Byte planes -> rows. */
static inline void join_column(const struct turn *t, const uint8_t *plane,
			       uint8_t *row, unsigned width)
{
	uint64_t mask = t->delta ? UINT64_MAX : 0;
	uint64_t before = 0;
	uint32_t i = 0;

	while (i < t->count) {
		uint32_t some = ARC_MIN(t->count - i, 8u);
		uint64_t w[8] = { 0 };

		for (unsigned j = 0; j < width; j++) {
			const uint8_t *in = plane + (size_t)j * t->count + i;

			w[j] = some == 8 ? load64(in) : load_value(in, some);
		}
		transpose_square(w);
		for (uint32_t k = 0; k < some; k++, row += t->stride) {
			uint64_t v = w[k] + (before & mask);

			store_value(row, v, width);
			before = v;
		}
		i += some;
	}
}

static void copy_column(uint8_t *to, size_t to_stride, const uint8_t *from,
			size_t from_stride, size_t width, uint32_t count)
{
	if (to_stride == width && from_stride == width) {
		memcpy(to, from, width * count);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		memcpy(to, from, width);
		to += to_stride;
		from += from_stride;
	}
}

void arc_block_transpose(const struct arc_table_layout *layout,
			 const uint8_t *rows, uint32_t count, uint8_t *out)
{
	for (uint32_t c = 0; c < layout->columns; c++) {
		unsigned width = layout->column[c].width;
		struct turn t = { layout->row_size, count,
				  layout->column[c].delta };

		if (width == 8)
			split_column(&t, rows, out, 8);
		else if (width == 4)
			split_column(&t, rows, out, 4);
		else if (width == 2)
			split_column(&t, rows, out, 2);
		else if (width == 1 && t.delta)
			split_column(&t, rows, out, 1);
		else
			copy_column(out, width, rows, t.stride, width, count);
		rows += width;
		out += (size_t)width * count;
	}
}

void arc_block_restore(const struct arc_table_layout *layout,
		       const uint8_t *columns, uint32_t count, uint8_t *rows)
{
	for (uint32_t c = 0; c < layout->columns; c++) {
		unsigned width = layout->column[c].width;
		struct turn t = { layout->row_size, count,
				  layout->column[c].delta };

		if (width == 8)
			join_column(&t, columns, rows, 8);
		else if (width == 4)
			join_column(&t, columns, rows, 4);
		else if (width == 2)
			join_column(&t, columns, rows, 2);
		else if (width == 1 && t.delta)
			join_column(&t, columns, rows, 1);
		else
			copy_column(rows, t.stride, columns, width, width,
				    count);
		rows += width;
		columns += (size_t)width * count;
	}
}

/* ---- zlib --------------------------------------------------------------- */

/*
 * Deflates in[0, n) into out[0, cap) as a zlib stream (RFC 1950); ret_n is 0
 * when it does not fit.
 */
static int deflate_block(const uint8_t *in, size_t n, uint8_t *out, size_t cap,
			 size_t *ret_n)
{
	z_stream z = { .next_in = in,
		       .avail_in = (uInt)n,
		       .next_out = out,
		       .avail_out = (uInt)cap };
	int r;

	if (deflateInit(&z, DEFLATE_LEVEL) != Z_OK)
		return -ENOMEM;
	r = deflate(&z, Z_FINISH);
	*ret_n = r == Z_STREAM_END ? (size_t)z.total_out : 0;
	deflateEnd(&z);
	return 0;
}

/* Inflates exactly one zlib stream of all of `in` into exactly n bytes. */
static int inflate_block(struct arc_span in, uint8_t *out, size_t n)
{
	z_stream z = { .next_in = in.p,
		       .avail_in = (uInt)in.n,
		       .next_out = out,
		       .avail_out = (uInt)n };
	bool exact;
	int r;

	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	r = inflate(&z, Z_FINISH);
	exact = r == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
	inflateEnd(&z);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return exact ? 0 : -EBADMSG;
}

/* ---- whole blocks ------------------------------------------------------- */

static uint64_t block_checksum(const struct arc_disk_block *b,
			       struct arc_span stored)
{
	struct arc_span head = { (const uint8_t *)b,
				 offsetof(struct arc_disk_block, checksum) };

	return arc_xxh64_2(head, stored);
}

/* A block is stored as it is when deflating does not shrink it. */
size_t arc_block_bound(size_t n)
{
	return sizeof(struct arc_disk_block) + n;
}

int arc_block_encode(const struct arc_table_layout *layout, uint8_t table,
		     uint8_t level, uint64_t number, const void *rows,
		     uint32_t count, uint8_t *out, size_t *ret_n)
{
	arc_cleanup(arc_freep) uint8_t *columns = NULL;
	struct arc_disk_block head = { .table = table,
				       .level = level,
				       .number = arc_put64(number) };
	size_t raw = (size_t)count * layout->row_size;
	uint8_t *body = out + sizeof(head);
	size_t n;
	int err;

	assert(count > 0 && raw <= ARC_BLOCK_MAX);
	columns = malloc(raw);
	if (!columns)
		return -ENOMEM;
	arc_block_transpose(layout, rows, count, columns);
	err = deflate_block(columns, raw, body, raw - 1, &n);
	if (err < 0)
		return err;
	if (n == 0) {
		memcpy(body, columns, raw);
		n = raw;
		head.flags = arc_put16(ARC_BLOCK_STORED);
	}
	memcpy(head.magic, ARC_BLOCK_MAGIC, sizeof(head.magic));
	head.rows = arc_put32(count);
	head.raw = arc_put32((uint32_t)raw);
	head.stored = arc_put32((uint32_t)n);
	head.checksum =
		arc_put64(block_checksum(&head, (struct arc_span){ body, n }));
	memcpy(out, &head, sizeof(head));
	*ret_n = sizeof(head) + n;
	return 0;
}

/* Header and checksum of a block against what is wanted; ret: what is stored */
static int check_block(const struct arc_table_layout *layout,
		       const struct arc_block_want *want, struct arc_span block,
		       struct arc_disk_block *ret, struct arc_span *ret_stored)
{
	struct arc_disk_block head;
	struct arc_span stored;
	uint64_t raw;
	int err;

	if (block.n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, block.p, sizeof(head));
	stored.p = block.p + sizeof(head);
	stored.n = block.n - sizeof(head);
	if (arc_get64(head.checksum) != want->checksum ||
	    block_checksum(&head, stored) != want->checksum)
		return -EBADMSG;
	err = arc_format_check_block(&head);
	if (err < 0)
		return err;
	raw = (uint64_t)want->rows * layout->row_size;
	if (head.table != want->table || head.level != want->level ||
	    arc_get64(head.number) != want->number ||
	    arc_get32(head.rows) != want->rows || arc_get32(head.raw) != raw ||
	    arc_get32(head.stored) != stored.n)
		return -EBADMSG;
	*ret = head;
	*ret_stored = stored;
	return 0;
}

/* True when the columns of a layout are its rows: one column of any width. */
static bool needs_no_turn(const struct arc_table_layout *layout)
{
	unsigned width = layout->column[0].width;

	if (layout->columns != 1 || layout->column[0].delta)
		return false;
	return width != 2 && width != 4 && width != 8;
}

int arc_block_decode(const struct arc_table_layout *layout,
		     const struct arc_block_want *want, struct arc_span block,
		     void *rows)
{
	arc_cleanup(arc_freep) uint8_t *columns = NULL;
	struct arc_disk_block head;
	struct arc_span stored;
	uint8_t *to = rows;
	size_t raw;
	int err;

	err = check_block(layout, want, block, &head, &stored);
	if (err < 0)
		return err;
	raw = arc_get32(head.raw);
	if (arc_get16(head.flags) & ARC_BLOCK_STORED) {
		arc_block_restore(layout, stored.p, want->rows, rows);
		return 0;
	}
	if (!needs_no_turn(layout)) {
		columns = malloc(raw);
		if (!columns)
			return -ENOMEM;
		to = columns;
	}
	err = inflate_block(stored, to, raw);
	if (err < 0)
		return err;
	if (columns)
		arc_block_restore(layout, columns, want->rows, rows);
	return 0;
}
