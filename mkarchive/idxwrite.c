/* SPDX-License-Identifier: MIT */
/*
 * Every table collects rows until they fill a block. Full blocks wait in slots,
 * where threads encode them; when all slots are taken, the blocks are put in
 * the order in which they became full, and their descriptors kept. So when and
 * in what order blocks are written depends on the rows alone, not on threads.
 */
#include "idxwrite.h"

#include <string.h>

#include "block.h"
#include "pool.h"

/* Full blocks that wait, at most. */
#define SLOTS 16

struct table {
	const struct arc_table_layout *layout;
	uint8_t *rows; /* of the block being filled; made with the first */
	uint32_t count; /* rows in it */
	uint64_t total; /* rows in all */
	uint64_t full; /* blocks so far */
	struct arc_buf blocks; /* struct arc_disk_descriptor of those written */
};

/* Where a block stands: table, level, its number there. */
struct place {
	uint8_t table;
	uint8_t level;
	uint64_t number;
};

/* A full block on its way to the volumes. */
struct slot {
	const struct arc_table_layout *layout;
	struct place place;
	uint8_t *rows;
	uint32_t count;
	uint8_t *out; /* encoded */
	size_t n;
	int err;
};

struct mk_idxwrite {
	struct mk_volwrite *vw;
	struct table table[ARC_TABLE_COUNT];
	struct slot slot[SLOTS];
	unsigned taken; /* slots */
	struct arc_pool *pool; /* NULL: blocks are encoded by the caller */
	uint64_t bytes;
};

int mk_idxwrite_new(struct mk_volwrite *vw, struct mk_idxwrite **ret)
{
	arc_cleanup(mk_idxwrite_freep) struct mk_idxwrite *w =
		calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->vw = vw;
	for (unsigned i = 0; i < ARC_TABLE_COUNT; i++)
		w->table[i].layout = arc_table_layout((enum arc_table_id)i);
	*ret = arc_steal(w);
	return 0;
}

void mk_idxwrite_free(struct mk_idxwrite *w)
{
	if (!w)
		return;
	arc_pool_free(w->pool); /* before what its tasks work on */
	for (unsigned i = 0; i < ARC_TABLE_COUNT; i++) {
		free(w->table[i].rows);
		arc_buf_fini(&w->table[i].blocks);
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		free(w->slot[i].rows);
		free(w->slot[i].out);
	}
	free(w);
}

int mk_idxwrite_threads(struct mk_idxwrite *w, unsigned threads)
{
	assert(!w->pool);
	return threads < 2 ? 0 : arc_pool_new(threads, SLOTS, &w->pool);
}

uint64_t mk_idxwrite_bytes_written(const struct mk_idxwrite *w)
{
	return w->bytes;
}

/* ---- blocks ------------------------------------------------------------- */

static void encode(void *arg)
{
	struct slot *s = arg;
	const struct place *p = &s->place;

	s->err = arc_block_encode(s->layout, p->table, p->level, p->number,
				  s->rows, s->count, s->out, &s->n);
}

/* Puts an encoded block; what points to it. */
static int put_block(struct mk_idxwrite *w, const struct slot *s, size_t tail,
		     struct arc_disk_descriptor *ret)
{
	struct arc_disk_block head;
	uint32_t volume;
	uint64_t offset;
	int r = s->err;

	if (r >= 0)
		r = mk_volwrite_put(w->vw, s->out, s->n, tail, &volume,
				    &offset);
	if (r < 0)
		return r;
	w->bytes += s->n;
	memcpy(&head, s->out, sizeof(head));
	*ret = (struct arc_disk_descriptor){
		.offset = arc_put64(offset),
		.checksum = head.checksum,
		.volume = arc_put32(volume),
		.stored = arc_put32((uint32_t)s->n),
		.rows = arc_put32(s->count),
	};
	return 0;
}

/* Writes the blocks that wait. */
static int drain(struct mk_idxwrite *w)
{
	struct arc_disk_descriptor d;
	unsigned n = w->taken;
	int r = 0;

	if (w->pool)
		arc_pool_wait(w->pool);
	w->taken = 0;
	for (unsigned i = 0; r >= 0 && i < n; i++) {
		const struct slot *s = &w->slot[i];

		r = put_block(w, s, 0, &d);
		if (r >= 0)
			r = arc_buf_append(&w->table[s->place.table].blocks, &d,
					   sizeof(d));
	}
	return r;
}

/* A slot that is not taken, with room for the encoded block. */
static int find_slot(struct mk_idxwrite *w, struct slot **ret)
{
	struct slot *s;
	int r = w->taken == SLOTS ? drain(w) : 0;

	if (r < 0)
		return r;
	s = &w->slot[w->taken];
	if (!s->out)
		s->out = malloc(arc_block_bound(ARC_BLOCK_MAX));
	if (!s->out)
		return -ENOMEM;
	*ret = s;
	return 0;
}

/* Sends the rows collected so far on their way as a block. */
static int flush(struct mk_idxwrite *w, enum arc_table_id id)
{
	struct table *t = &w->table[id];
	struct slot *s;
	uint8_t *rows;
	int r = t->count ? find_slot(w, &s) : 0;

	if (r < 0 || !t->count)
		return r;
	rows = s->rows;
	s->layout = t->layout;
	s->place = (struct place){ .table = (uint8_t)id, .number = t->full++ };
	s->rows = t->rows; /* the table goes on with the slot's */
	s->count = t->count;
	t->rows = rows;
	t->count = 0;
	w->taken++;
	if (w->pool)
		arc_pool_submit(w->pool, encode, s);
	else
		encode(s);
	return 0;
}

/* The place of `want` more rows, cut to what the open block takes: *ret_n. */
static int room(struct table *t, uint32_t want, uint8_t **ret, uint32_t *ret_n)
{
	const struct arc_table_layout *l = t->layout;

	if (!t->rows)
		t->rows = malloc(ARC_BLOCK_MAX);
	if (!t->rows)
		return -ENOMEM;
	*ret = t->rows + (size_t)t->count * l->row_size;
	*ret_n = ARC_MIN(want, l->rows_per_block - t->count);
	return 0;
}

/* n rows now stand where room() said. */
static int commit(struct mk_idxwrite *w, enum arc_table_id id, uint32_t n)
{
	struct table *t = &w->table[id];

	t->count += n;
	t->total += n;
	return t->count == t->layout->rows_per_block ? flush(w, id) : 0;
}

int mk_idxwrite_row(struct mk_idxwrite *w, enum arc_table_id table,
		    const void *row)
{
	uint8_t *to;
	uint32_t n;
	int r = room(&w->table[table], 1, &to, &n);

	if (r < 0)
		return r;
	memcpy(to, row, w->table[table].layout->row_size);
	return commit(w, table, 1);
}

/* ---- heaps -------------------------------------------------------------- */

int mk_idxwrite_bytes(struct mk_idxwrite *w, enum arc_table_id table,
		      const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	uint8_t *to;
	uint32_t some;
	int r = 0;

	assert(w->table[table].layout->row_size == 1);
	while (r >= 0 && n) {
		r = room(&w->table[table], (uint32_t)ARC_MIN(n, ARC_BLOCK_MAX),
			 &to, &some);
		if (r < 0)
			return r;
		memcpy(to, from, some);
		from += some;
		n -= some;
		r = commit(w, table, some);
	}
	return r;
}

/* Zeros up to the end of the open block. */
static int pad(struct mk_idxwrite *w, enum arc_table_id table)
{
	uint8_t *to;
	uint32_t n;
	int r = room(&w->table[table], ARC_BLOCK_MAX, &to, &n);

	if (r < 0)
		return r;
	memset(to, 0, n);
	return commit(w, table, n);
}

int mk_idxwrite_item(struct mk_idxwrite *w, enum arc_table_id table,
		     struct arc_span head, struct arc_span body,
		     uint64_t *ret_offset)
{
	const struct table *t = &w->table[table];
	uint64_t offset;
	int r = 0;

	if (head.n + body.n > t->layout->rows_per_block)
		return -E2BIG;
	if (head.n + body.n > t->layout->rows_per_block - t->count)
		r = pad(w, table);
	if (r < 0)
		return r;
	offset = t->total;
	r = mk_idxwrite_bytes(w, table, head.p, head.n);
	if (r >= 0)
		r = mk_idxwrite_bytes(w, table, body.p, body.n);
	if (r < 0)
		return r;
	*ret_offset = offset;
	return 0;
}

/* ---- roots -------------------------------------------------------------- */

/* Encodes and puts a block of a root at once. Nothing may be waiting. */
static int write_block(struct mk_idxwrite *w,
		       const struct arc_table_layout *layout,
		       struct place place, struct arc_span rows, size_t tail,
		       struct arc_disk_descriptor *ret)
{
	uint32_t count = (uint32_t)(rows.n / layout->row_size);
	struct slot *s;
	int r = find_slot(w, &s);

	assert(!w->taken);
	if (r < 0)
		return r;
	r = arc_block_encode(layout, place.table, place.level, place.number,
			     rows.p, count, s->out, &s->n);
	if (r < 0)
		return r;
	s->count = count;
	s->err = 0;
	return put_block(w, s, tail, ret);
}

/* One level up: the descriptors in `blocks` become blocks themselves, and
 * `blocks` then holds those blocks' descriptors. */
static int raise_level(struct mk_idxwrite *w, uint8_t table, uint8_t level,
		       struct arc_buf *blocks)
{
	const struct arc_table_layout *layout = arc_descriptor_layout();
	size_t most =
		ARC_DESCRIPTORS_PER_BLOCK * sizeof(struct arc_disk_descriptor);
	struct place place = { .table = table, .level = level };
	struct arc_disk_descriptor d;
	struct arc_span rows;
	int r;

	for (size_t at = 0; at < blocks->n; at += rows.n) {
		rows = (struct arc_span){ blocks->p + at,
					  ARC_MIN(blocks->n - at, most) };
		r = write_block(w, layout, place, rows, 0, &d);
		if (r < 0)
			return r;
		/* Never overtakes `at`: a block stands for at least one. */
		memcpy(blocks->p + place.number * sizeof(d), &d, sizeof(d));
		place.number++;
	}
	blocks->n = (size_t)place.number * sizeof(d);
	return 0;
}

/* Writes the levels over a table whose blocks are all written. */
static int end_table(struct mk_idxwrite *w, enum arc_table_id id,
		     struct arc_disk_table *ret)
{
	struct table *t = &w->table[id];
	uint8_t levels = 1;
	int r;

	*ret = (struct arc_disk_table){
		.id = arc_put32(id),
		.row_size = arc_put32(t->layout->row_size),
		.rows = arc_put64(t->total),
		.rows_per_block = arc_put32(t->layout->rows_per_block),
	};
	if (!t->total)
		return 0;
	for (; t->blocks.n > sizeof(ret->top); levels++) {
		if (levels == ARC_LEVELS_MAX)
			return -E2BIG;
		r = raise_level(w, (uint8_t)id, levels, &t->blocks);
		if (r < 0)
			return r;
	}
	ret->levels = arc_put32(levels);
	memcpy(&ret->top, t->blocks.p, sizeof(ret->top));
	return 0;
}

/* Digests that nobody asked for do not show up at all. */
static bool is_listed(const struct mk_idxwrite *w, enum arc_table_id id)
{
	return w->table[id].total ||
	       (id != ARC_TABLE_DIGEST && id != ARC_TABLE_SHA256);
}

/* Ends all tables; their descriptors in ret. */
static int end_tables(struct mk_idxwrite *w, struct arc_buf *ret)
{
	struct arc_disk_table table;
	int r = 0;

	for (unsigned i = ARC_TABLE_INODE; r >= 0 && i < ARC_TABLE_COUNT; i++)
		r = flush(w, (enum arc_table_id)i);
	if (r >= 0)
		r = drain(w);
	for (unsigned i = ARC_TABLE_INODE; r >= 0 && i < ARC_TABLE_COUNT; i++) {
		enum arc_table_id id = (enum arc_table_id)i;

		if (!is_listed(w, id))
			continue;
		r = end_table(w, id, &table);
		if (r >= 0)
			r = arc_buf_append(ret, &table, sizeof(table));
	}
	return r;
}

int mk_idxwrite_finish(struct mk_idxwrite *w, struct arc_disk_root *root,
		       const char *text)
{
	arc_cleanup(arc_buf_fini) struct arc_buf tables = { 0 };
	arc_cleanup(arc_buf_fini) struct arc_buf top = { 0 };
	struct place place = { .table = ARC_TABLE_ROOT };
	struct arc_disk_descriptor d;
	size_t text_n = strlen(text);
	int r;

	if (text_n > ARC_ROOT_TEXT_MAX)
		return -E2BIG;
	r = end_tables(w, &tables);
	if (r < 0)
		return r;
	root->tables =
		arc_put32((uint32_t)(tables.n / sizeof(struct arc_disk_table)));
	root->text_len = arc_put32((uint32_t)text_n);
	r = arc_buf_append(&top, root, sizeof(*root));
	if (r >= 0)
		r = arc_buf_append(&top, tables.p, tables.n);
	if (r >= 0)
		r = arc_buf_append(&top, text, text_n);
	if (r >= 0)
		r = write_block(w, arc_bytes_layout(), place,
				(struct arc_span){ top.p, top.n },
				sizeof(struct arc_disk_footer), &d);
	if (r < 0)
		return r;
	return mk_volwrite_finish(w->vw, arc_get64(d.offset),
				  arc_get32(d.stored));
}
