/* SPDX-License-Identifier: MIT */
/*
 * An index block of unknown origin, wanted as what it says it is: of every
 * layout that its numbers fit, with its checksum made right.
 */
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct arc_table_layout *layout_of(const struct arc_disk_block *b)
{
	if (b->table >= ARC_TABLE_COUNT)
		return arc_bytes_layout();
	if (b->level > 0)
		return arc_descriptor_layout();
	return arc_table_layout((enum arc_table_id)b->table);
}

static void decode(struct arc_span block, const struct arc_disk_block *b)
{
	const struct arc_table_layout *layout = layout_of(b);
	const struct arc_block_want want = {
		.table = b->table,
		.level = b->level,
		.number = arc_get64(b->number),
		.rows = arc_get32(b->rows),
		.checksum = arc_get64(b->checksum),
	};
	uint8_t *rows;

	/* What a reader has to know before it makes room. */
	if (want.rows > layout->rows_per_block)
		return;
	rows = malloc((size_t)want.rows * layout->row_size + 1);
	if (!rows)
		abort();
	arc_block_decode(layout, &want, block, rows);
	free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arc_disk_block b;
	uint8_t *copy;

	if (n < sizeof(b))
		return 0;
	memcpy(&b, data, sizeof(b));
	decode((struct arc_span){ data, n }, &b);
	copy = malloc(n);
	if (!copy)
		abort();
	memcpy(copy, data, n);
	b.stored = arc_put32((uint32_t)(n - sizeof(b)));
	b.checksum = arc_put64(arc_xxh64_2(
		(struct arc_span){ (const uint8_t *)&b,
				   offsetof(struct arc_disk_block, checksum) },
		(struct arc_span){ data + sizeof(b), n - sizeof(b) }));
	memcpy(copy, &b, sizeof(b));
	decode((struct arc_span){ copy, n }, &b);
	free(copy);
	return 0;
}
