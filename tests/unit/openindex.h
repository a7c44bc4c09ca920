/* SPDX-License-Identifier: MIT */
/*
 * openindex - an index over a set that setmaker.h made. Needs cmocka.h before
 * it.
 *
 * Threads: one owner.
 */
#ifndef TEST_OPENINDEX_H
#define TEST_OPENINDEX_H

#include "index.h"
#include "setmaker.h"

#define LIMIT ((uint64_t)98 << 20)
#define BUDGET ((size_t)8 << 20)

/* An open index and what it stands on. */
struct opened {
	struct arc_volumes *vs;
	struct arc_index *idx;
	struct listener l;
};

static inline int try_open(struct setmaker *m, struct opened *o)
{
	struct arc_volume_source source = set_source(m);
	int err;

	listener_init(&o->l);
	o->vs = NULL;
	o->idx = NULL;
	err = arc_volumes_open(&source, 1, 0, &o->l.diag, &o->vs);
	if (err == 0)
		err = arc_index_open(o->vs, BUDGET, &o->l.diag, &o->idx);
	return err;
}

static inline void close_index(struct opened *o)
{
	arc_index_close(o->idx);
	arc_volumes_close(o->vs);
}

static inline void begin(struct setmaker *m)
{
	set_begin(m, LIMIT, SET_FRAME, 1);
}

/* Ends the set and opens its index. */
static inline void finish(struct setmaker *m, struct opened *o)
{
	set_end(m);
	assert_int_equal(try_open(m, o), 0);
}

static inline void drop(struct setmaker *m, struct opened *o)
{
	close_index(o);
	set_fini(m);
}

static inline struct arc_inode inode_of(struct opened *o, uint64_t row)
{
	struct arc_inode inode;

	assert_int_equal(arc_index_inode(o->idx, row + 1, &inode), 0);
	return inode;
}

static inline int entry_of(struct opened *o, uint64_t dir, uint64_t i)
{
	struct arc_inode inode = inode_of(o, dir);
	struct arc_dirent e;

	return arc_index_entry(o->idx, &inode, i, &e);
}

static inline int lookup_in(struct opened *o, uint64_t dir, const char *name,
			    struct arc_dirent *ret)
{
	struct arc_inode inode = inode_of(o, dir);

	return arc_index_lookup(o->idx, &inode, name, strlen(name), ret);
}

static inline struct arc_disk_inode row_with_extents(struct setmaker *m,
						     uint64_t size,
						     uint64_t first,
						     uint32_t count)
{
	struct arc_disk_inode row = row_of_file(m, first, size);

	row.flags = arc_put32(ARC_INODE_EXTENTS);
	row.extents = arc_put32(count);
	return row;
}

static inline struct arc_disk_frame frame_row(uint64_t start, uint32_t raw)
{
	return (struct arc_disk_frame){
		.start = arc_put64(start),
		.offset = arc_put64(64),
		.volume = arc_put32(1),
		.raw = arc_put32(raw),
		.stored = arc_put32(64 + 24 * arc_segment_count(raw) + 1),
		.codec = ARC_CODEC_LZ4,
		.group_log = 18,
		.entry_size = 24,
	};
}

/* ---- verification ------------------------------------------------------- */

struct found {
	unsigned blocks;
	unsigned rows;
	char last[64]; /* "table level number" or "table row" */
};

static inline void on_block(void *ctx, const char *table, uint8_t level,
			    uint64_t number, uint32_t volume, uint64_t offset,
			    int err)
{
	struct found *f = ctx;

	(void)volume;
	(void)offset;
	assert_true(err < 0);
	f->blocks++;
	snprintf(f->last, sizeof(f->last), "%s %u %llu", table, level,
		 (unsigned long long)number);
}

static inline void on_row(void *ctx, const char *table, uint64_t row)
{
	struct found *f = ctx;

	f->rows++;
	snprintf(f->last, sizeof(f->last), "%s %llu", table,
		 (unsigned long long)row);
}

static inline struct found verify(struct opened *o, unsigned threads)
{
	struct found f = { .blocks = 0 };
	ssize_t n = arc_index_verify(o->idx, threads, on_block, on_row, &f);

	assert_int_equal(n, f.blocks + f.rows);
	return f;
}

#endif
