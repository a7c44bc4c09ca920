/* SPDX-License-Identifier: MIT */
/*
 * index_block - blocks of the index: found through their descriptors, read,
 * decoded, kept under the budget.
 *
 * The descriptors of one level are rows of the blocks one level up and go
 * through the same cache: a load may pin the block above, whose load may pin
 * the next, and so on to the top, whose descriptor the root holds. Levels only
 * ascend, so no load waits for itself.
 */
#include "index_i.h"

static uint64_t key_of(const struct index_place *p)
{
	return (uint64_t)p->table << 60 | (uint64_t)p->level << 57 | p->number;
}

static struct index_place place_of(uint64_t key)
{
	return (struct index_place){
		.table = (enum arc_table_id)(key >> 60),
		.level = (uint32_t)(key >> 57 & 7),
		.number = key & ((UINT64_C(1) << 57) - 1),
	};
}

static const struct arc_table_layout *layout_of(const struct arc_index *idx,
						const struct index_place *p)
{
	return p->level ? arc_descriptor_layout() : idx->table[p->table].layout;
}

/* How many rows the block must have. */
static uint32_t rows_of(const struct arc_index *idx,
			const struct index_place *p)
{
	const struct index_table *t = &idx->table[p->table];
	uint64_t per = layout_of(idx, p)->rows_per_block;
	uint64_t total = p->level ? t->blocks[p->level - 1] : t->rows;

	return (uint32_t)ARC_MIN(per, total - p->number * per);
}

/* The descriptor of a block: a row of the block above it. */
static int find_descriptor(struct arc_index *idx, const struct index_place *p,
			   struct arc_disk_descriptor *ret)
{
	const struct index_table *t = &idx->table[p->table];
	struct index_place above = { p->table, p->level + 1,
				     p->number / ARC_DESCRIPTORS_PER_BLOCK };
	void *obj;
	int err;

	if (above.level == t->levels) {
		*ret = t->top;
		return 0;
	}
	err = arc_lru_pin(idx->blocks, key_of(&above), &obj);
	if (err < 0)
		return err;
	memcpy(ret,
	       ((struct index_block *)obj)->bytes +
		       p->number % ARC_DESCRIPTORS_PER_BLOCK * sizeof(*ret),
	       sizeof(*ret));
	arc_lru_unpin(idx->blocks, key_of(&above));
	return 0;
}

int index_read_block(struct arc_index *idx, const struct index_place *place,
		     struct arc_disk_descriptor *ret_where,
		     struct index_block **ret)
{
	const struct arc_table_layout *layout = layout_of(idx, place);
	arc_cleanup(arc_freep) struct index_block *block = NULL;
	arc_cleanup(arc_freep) uint8_t *bytes = NULL;
	uint32_t rows = rows_of(idx, place);
	size_t raw = (size_t)rows * layout->row_size;
	struct arc_disk_descriptor d;
	uint64_t offset, end;
	uint32_t stored;
	int err;

	memset(ret_where, 0, sizeof(*ret_where));
	err = find_descriptor(idx, place, &d);
	if (err < 0)
		return err;
	*ret_where = d;
	offset = arc_get64(d.offset);
	stored = arc_get32(d.stored);
	if (stored <= sizeof(struct arc_disk_block) ||
	    stored > arc_block_bound(raw) || arc_get32(d.rows) != rows ||
	    !arc_add_ok(offset, stored, &end) || end > ARC_FILE_SIZE_MAX)
		return -EBADMSG;

	bytes = malloc(stored);
	block = malloc(sizeof(*block) + raw);
	if (!bytes || !block)
		return -ENOMEM;
	err = arc_volumes_read(idx->vs, arc_get32(d.volume), offset, bytes,
			       stored);
	if (err < 0)
		return err;
	const struct arc_block_want want = {
		.table = (uint8_t)place->table,
		.level = (uint8_t)place->level,
		.number = place->number,
		.rows = rows,
		.checksum = arc_get64(d.checksum),
	};
	err = arc_block_decode(layout, &want,
			       (struct arc_span){ bytes, stored },
			       block->bytes);
	if (err < 0)
		return err;
	block->n = (uint32_t)raw;
	*ret = arc_steal(block);
	return 0;
}

/* Said once: a damaged block is asked for again and again. */
static void complain(struct arc_index *idx, const struct index_place *p,
		     const struct arc_disk_descriptor *d, int err)
{
	char name[512];

	if (arc_said_before(&idx->said, key_of(p)))
		return;
	arc_say(idx->diag, ARC_ERROR,
		"%s: index block %llu of table %s, level %u: %s",
		arc_volumes_name(idx->vs, arc_get32(d->volume), name,
				 sizeof(name)),
		(unsigned long long)p->number,
		idx->table[p->table].layout->name, p->level,
		arc_error_text(err));
}

/* Bytes stored and decoded of a block that is read. They cannot wait: blocks
 * are loaded while others are pinned and being loaded. */
static size_t loading_cost(const struct arc_index *idx,
			   const struct index_place *p)
{
	size_t raw = (size_t)rows_of(idx, p) * layout_of(idx, p)->row_size;

	return raw + arc_block_bound(raw);
}

static int load_block(void *ctx, uint64_t key, void **ret_obj, size_t *ret_cost)
{
	struct index_place place = place_of(key);
	struct arc_disk_descriptor where;
	struct arc_index *idx = ctx;
	struct index_block *block;
	size_t n = loading_cost(idx, &place);
	int err;

	arc_lru_count(idx->blocks, n);
	err = index_read_block(idx, &place, &where, &block);
	arc_lru_uncount(idx->blocks, n);
	if (err < 0) {
		/* Volume 0: a block above is the culprit and has been named;
		 * what a volume lacks, the volume has said. */
		if ((err == -EBADMSG || err == -EOPNOTSUPP) &&
		    arc_get32(where.volume) != 0)
			complain(idx, &place, &where, err);
		return err;
	}
	*ret_obj = block;
	*ret_cost = sizeof(*block) + block->n;
	return 0;
}

static void drop_block(void *ctx, void *obj)
{
	(void)ctx;
	free(obj);
}

int index_blocks_new(struct arc_index *idx, size_t budget)
{
	return arc_lru_new(budget, load_block, drop_block, idx, &idx->blocks);
}

/* ---- views -------------------------------------------------------------- */

void index_view_end(struct index_view *v)
{
	if (v->key)
		arc_lru_unpin(v->idx->blocks, v->key);
	v->key = 0;
}

/* Pins the level 0 block of a number. */
static int move_view(struct index_view *v, uint64_t number)
{
	struct index_place place = { v->table, 0, number };
	uint64_t key = key_of(&place);
	void *obj;
	int err;

	if (v->key == key)
		return 0;
	if (v->bad_key == key)
		return v->bad_err;
	index_view_end(v);
	err = arc_lru_pin(v->idx->blocks, key, &obj);
	if (err < 0) {
		v->bad_key = key;
		v->bad_err = err;
		return err;
	}
	v->key = key;
	v->block = obj;
	return 0;
}

int index_view_row(struct index_view *v, uint64_t row, const void **ret)
{
	const struct index_table *t = &v->idx->table[v->table];
	const struct arc_table_layout *layout = t->layout;
	int err;

	if (row >= t->rows)
		return -EBADMSG;
	err = move_view(v, row / layout->rows_per_block);
	if (err < 0)
		return err;
	*ret = v->block->bytes +
	       (size_t)(row % layout->rows_per_block) * layout->row_size;
	return 0;
}

int index_view_item(struct index_view *v, uint64_t off, unsigned head,
		    struct arc_span *ret)
{
	uint32_t per = v->idx->table[v->table].layout->rows_per_block;
	size_t start = (size_t)(off % per);
	struct arc_cursor c;
	const void *first;
	size_t n;
	int err = index_view_row(v, off, &first);

	if (err < 0)
		return err;
	c = arc_cursor_of((struct arc_span){ first, v->block->n - start });
	n = head == 1 ? arc_cursor_u8(&c) : arc_cursor_u32(&c);
	ret->n = n;
	ret->p = arc_cursor_view(&c, n);
	return c.bad ? -EBADMSG : 0;
}

int index_copy_row(struct arc_index *idx, enum arc_table_id table, uint64_t row,
		   void *ret)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, table);
	const void *p;
	int err = index_view_row(&v, row, &p);

	if (err < 0)
		return err;
	memcpy(ret, p, idx->table[table].layout->row_size);
	return 0;
}

uint64_t index_row_after(struct arc_index *idx, enum arc_table_id table,
			 uint64_t row)
{
	const struct index_table *t = &idx->table[table];
	uint64_t span[ARC_LEVELS_MAX] = { t->layout->rows_per_block };

	/* a block of the top level stands for all rows: no need to go there */
	for (uint32_t l = 1; l + 1 < t->levels; l++)
		span[l] = span[l - 1] * ARC_DESCRIPTORS_PER_BLOCK;
	for (uint32_t l = t->levels; l-- > 0;) {
		bool top = l + 1 == t->levels;
		struct index_place place = { table, l,
					     top ? 0 : row / span[l] };
		void *obj;

		if (arc_lru_pin(idx->blocks, key_of(&place), &obj) < 0)
			return top ? t->rows : (place.number + 1) * span[l];
		arc_lru_unpin(idx->blocks, key_of(&place));
	}
	return row + 1;
}
