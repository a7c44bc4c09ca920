/* SPDX-License-Identifier: MIT */
/*
 * index_i - what the files of the index share: tables, blocks, views, search.
 *
 *	top root --> table --> level n-1 | ... | level 1 | level 0: rows
 *	             (top descriptor)   descriptors, 4096 a block
 *
 * Threads: struct arc_index is immutable after open but for what is locked
 * inside; a view has one owner.
 */
#ifndef ARC_INDEX_I_H
#define ARC_INDEX_I_H

#include "block.h"
#include "index.h"

struct index_table {
	const struct arc_table_layout *layout;
	uint64_t rows;
	uint32_t levels; /* 0: no rows */
	uint64_t blocks[ARC_LEVELS_MAX]; /* by level */
	struct arc_disk_descriptor top;
};

struct arc_index {
	struct arc_volumes *vs; /* borrowed, as diag */
	struct arc_diag *diag;
	struct arc_lru *blocks; /* struct index_block by index_key() */
	struct index_table table[ARC_TABLE_COUNT];
	struct arc_summary summary;
	char *text;
	uint32_t frame_size; /* where frames are looked for first */
	struct arc_said said; /* damaged blocks, by key */
};

/* More rows than any table may have: block numbers stay below 2^57. */
#define INDEX_ROWS_MAX ((uint64_t)1 << 56)

/* ---- blocks (index_block.c) --------------------------------------------- */

/* Which block. */
struct index_place {
	enum arc_table_id table;
	uint32_t level;
	uint64_t number;
};

/* A decoded block. */
struct index_block {
	uint32_t n; /* bytes */
	uint8_t bytes[];
};

/*
 * Reads and checks a block; where it lies is written to ret_where (all zero
 * when its descriptor could not be read). Says nothing. The caller frees *ret.
 */
int index_read_block(struct arc_index *idx, const struct index_place *place,
		     struct arc_disk_descriptor *ret_where,
		     struct index_block **ret);

int index_blocks_new(struct arc_index *idx, size_t budget);

/* ---- views -------------------------------------------------------------- */

/*
 * A moving window on one table, which holds one block pinned: asking for rows
 * that lie near each other costs one pin. What is returned stays valid until
 * the view is asked again or ended.
 */
struct index_view {
	struct arc_index *idx;
	enum arc_table_id table;
	uint64_t key; /* 0: nothing is pinned */
	const struct index_block *block;
	uint64_t bad_key; /* the last block that could not be read: */
	int bad_err; /* not tried again through this view */
};

#define INDEX_VIEW(index, id)                                                  \
	{                                                                      \
		.idx = (index), .table = (id)                                  \
	}

void index_view_end(struct index_view *v);

/* A row of the table; -EBADMSG when there is no such row. */
int index_view_row(struct index_view *v, uint64_t row, const void **ret);

/*
 * An item of a heap: its length is `head` bytes (1 or 4) in front of it, and
 * it lies wholly in one block.
 */
int index_view_item(struct index_view *v, uint64_t off, unsigned head,
		    struct arc_span *ret);

/*
 * The first row after `row` that does not lie below the same unreadable block;
 * the next one when all blocks above `row` can be read.
 */
uint64_t index_row_after(struct arc_index *idx, enum arc_table_id table,
			 uint64_t row);

/* Copies one row. */
int index_copy_row(struct arc_index *idx, enum arc_table_id table, uint64_t row,
		   void *ret);

/* ---- search (index_find.c) ---------------------------------------------- */

/* How a row compares with what is looked for: < 0 before, 0 it, > 0 after. */
typedef int (*index_probe)(void *ctx, uint64_t row, int *ret_cmp);

/*
 * The first of the ascending rows [lo, hi) that does not come before what is
 * looked for (hi: none), and whether it is it. Rows that cannot be read matter
 * only when the answer may lie among them.
 */
int index_bisect(index_probe probe, void *ctx, uint64_t lo, uint64_t hi,
		 uint64_t *ret_row, bool *ret_found);

/* ---- verification (index_verify.c, index_rows.c) ------------------------ */

/* One run of arc_index_verify(). */
struct index_check {
	struct arc_index *idx;
	unsigned threads;
	arc_index_bad bad; /* NULL: damage is not reported */
	arc_index_bad_row bad_row;
	void *ctx;
	atomic_uint_fast64_t entries; /* of the directories seen so far */
	atomic_uint_fast64_t extents; /* of the files */
	pthread_mutex_t lock; /* serialises the calls */
	uint64_t damaged; /* lock */
};

/*
 * Checks all blocks of a table, then calls fn(ctx, row) for every row of those
 * that are sound (fn NULL: no rows).
 */
int index_check_table(struct index_check *c, enum arc_table_id table,
		      arc_each_fn fn, void *ctx);

/* The check of a table's rows, for arc_parallel_each() with the struct
 * index_check; NULL: its rows are checked with those that point to them. */
arc_each_fn index_row_check(enum arc_table_id table);

#endif
