/* SPDX-License-Identifier: MIT */
/*
 * tablereader - reads whole index tables from volumes in memory, by
 * arc-format(5) and nothing else: what the writer is tested against while no
 * reader stands in between.
 *
 * Threads: one owner.
 */
#ifndef TEST_TABLEREADER_H
#define TEST_TABLEREADER_H

#include <string.h>

#include "block.h"
#include "volwrite.h"

/* The footer of a set. */
static inline struct arc_disk_footer set_footer(const struct mk_memory_set *set)
{
	struct arc_disk_footer f;
	struct arc_span s;

	assert_true(set->n > 0);
	s = arc_store_memory_bytes(set->stores[set->n - 1]);
	assert_true(s.n >= sizeof(f));
	memcpy(&f, s.p + s.n - sizeof(f), sizeof(f));
	assert_int_equal(arc_format_check_footer(&f), 0);
	return f;
}

/* Decodes the block a descriptor points to, and appends its rows. */
static inline void read_block(const struct mk_memory_set *set,
			      const struct arc_table_layout *layout,
			      uint8_t table, uint8_t level, uint64_t number,
			      const struct arc_disk_descriptor *d,
			      struct arc_buf *ret)
{
	struct arc_block_want want = { .table = table,
				       .level = level,
				       .number = number,
				       .rows = arc_get32(d->rows),
				       .checksum = arc_get64(d->checksum) };
	size_t n = (size_t)want.rows * layout->row_size;
	uint32_t volume = arc_get32(d->volume);
	struct arc_span s, block;

	assert_in_range(volume, 1, set->n);
	s = arc_store_memory_bytes(set->stores[volume - 1]);
	assert_true(
		arc_range_ok(arc_get64(d->offset), arc_get32(d->stored), s.n));
	block = (struct arc_span){ s.p + arc_get64(d->offset),
				   arc_get32(d->stored) };
	assert_int_equal(arc_buf_reserve(ret, n), 0);
	assert_int_equal(
		arc_block_decode(layout, &want, block, ret->p + ret->n), 0);
	ret->n += n;
}

/* The content of the top root. */
static inline struct arc_buf read_root(const struct mk_memory_set *set)
{
	struct arc_disk_footer f = set_footer(set);
	struct arc_span s = arc_store_memory_bytes(set->stores[set->n - 1]);
	struct arc_disk_descriptor d = {
		.offset = f.offset,
		.stored = arc_put32((uint32_t)arc_get64(f.length)),
		.volume = f.volumes,
	};
	struct arc_buf root = { 0 };
	struct arc_disk_block head;

	assert_true(arc_range_ok(arc_get64(f.offset), sizeof(head), s.n));
	/* it ends where the footer begins */
	assert_int_equal(arc_get64(f.offset) + arc_get64(f.length),
			 s.n - sizeof(f));
	memcpy(&head, s.p + arc_get64(f.offset), sizeof(head));
	d.checksum = head.checksum;
	d.rows = head.rows;
	read_block(set, arc_bytes_layout(), ARC_TABLE_ROOT, 0, 0, &d, &root);
	assert_true(root.n >= sizeof(struct arc_disk_root));
	return root;
}

/* False when the table is not listed. */
static inline bool find_table(const struct mk_memory_set *set,
			      enum arc_table_id id, struct arc_disk_table *ret)
{
	struct arc_buf root = read_root(set);
	struct arc_disk_root head;
	bool found = false;
	size_t at = sizeof(head);

	memcpy(&head, root.p, sizeof(head));
	for (uint32_t i = 0; i < arc_get32(head.tables); i++) {
		struct arc_disk_table t;

		assert_true(arc_range_ok(at, sizeof(t), root.n));
		memcpy(&t, root.p + at, sizeof(t));
		at += sizeof(t);
		if (arc_get32(t.id) != (uint32_t)id)
			continue;
		assert_false(found);
		*ret = t;
		found = true;
	}
	assert_int_equal(root.n - at, arc_get32(head.text_len));
	arc_buf_fini(&root);
	return found;
}

/* All rows of a table at a level (0: its own, above: descriptors), one behind
 * the other. */
static inline struct arc_buf read_level(const struct mk_memory_set *set,
					enum arc_table_id id, uint32_t down_to)
{
	struct arc_buf above = { 0 }, rows = { 0 };
	const struct arc_table_layout *layout;
	struct arc_disk_table t;

	assert_true(find_table(set, id, &t));
	layout = arc_table_layout(id);
	assert_int_equal(arc_get32(t.row_size), layout->row_size);
	assert_int_equal(arc_get32(t.rows_per_block), layout->rows_per_block);
	if (!arc_get32(t.levels)) {
		assert_int_equal(arc_get64(t.rows), 0);
		return rows;
	}
	assert_int_equal(arc_buf_append(&above, &t.top, sizeof(t.top)), 0);
	for (uint32_t level = arc_get32(t.levels); level-- > down_to;) {
		const struct arc_table_layout *l =
			level ? arc_descriptor_layout() : layout;
		struct arc_disk_descriptor d;

		rows = (struct arc_buf){ 0 };
		for (size_t i = 0; i < above.n / sizeof(d); i++) {
			memcpy(&d, above.p + i * sizeof(d), sizeof(d));
			/* all but the last are full */
			if (i + 1 < above.n / sizeof(d))
				assert_int_equal(arc_get32(d.rows),
						 l->rows_per_block);
			read_block(set, l, (uint8_t)id, (uint8_t)level, i, &d,
				   &rows);
		}
		arc_buf_fini(&above);
		above = rows;
	}
	if (!down_to)
		assert_int_equal(rows.n, arc_get64(t.rows) * layout->row_size);
	return rows;
}

static inline struct arc_buf read_table(const struct mk_memory_set *set,
					enum arc_table_id id)
{
	return read_level(set, id, 0);
}

#endif
