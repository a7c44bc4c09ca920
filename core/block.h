/* SPDX-License-Identifier: MIT */
/*
 * block - one block of an index table: rows <-> transposed, deflated,
 * checksummed bytes. The only user of zlib.
 *
 * Threads: pure.
 */
#ifndef ARC_BLOCK_H
#define ARC_BLOCK_H

#include "format.h"

/* Bytes of the largest encoded block of n raw bytes, header included. */
size_t arc_block_bound(size_t n);

/*
 * Encodes rows (count rows of the layout, count * row_size <= ARC_BLOCK_MAX)
 * into out (arc_block_bound bytes); ret_n: bytes with the header.
 */
int arc_block_encode(const struct arc_table_layout *layout, uint8_t table,
		     uint8_t level, uint64_t number, const void *rows,
		     uint32_t count, uint8_t *out, size_t *ret_n);

/* What the reader expects of a block; all of it is compared. */
struct arc_block_want {
	uint8_t table;
	uint8_t level;
	uint64_t number;
	uint32_t rows;
	uint64_t checksum;
};

/*
 * Checks and decodes an encoded block into rows (want->rows * row_size bytes).
 * -EBADMSG when anything differs from what is wanted.
 */
int arc_block_decode(const struct arc_table_layout *layout,
		     const struct arc_block_want *want, struct arc_span block,
		     void *rows);

/* The version of the library that deflates them. */
const char *arc_block_library(void);

/* The transposition alone, and its reverse. Used by the two above. */
void arc_block_transpose(const struct arc_table_layout *layout,
			 const uint8_t *rows, uint32_t count, uint8_t *out);
void arc_block_restore(const struct arc_table_layout *layout,
		       const uint8_t *columns, uint32_t count, uint8_t *rows);

/* Layout of heaps and of the top root: rows of one byte. */
const struct arc_table_layout *arc_bytes_layout(void);

#endif
