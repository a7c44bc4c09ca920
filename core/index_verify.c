/* SPDX-License-Identifier: MIT */
/*
 * index_verify - reads every block of the index.
 *
 * Table by table and from the top down: the blocks of a level are looked for
 * only below blocks that were sound, so that neither a damaged block nor a
 * count that is a lie makes us try what cannot be found.
 */
#include "index_i.h"

/* The blocks of one level of a table. */
struct level_check {
	struct index_check *check;
	enum arc_table_id table;
	uint32_t level;
	const uint64_t *above; /* numbers of the sound blocks one level up;
				* NULL: this is the top */
	pthread_mutex_t lock;
	struct arc_buf sound; /* uint64_t numbers of this level; lock */
};

static void report(struct level_check *l, uint64_t number,
		   const struct arc_disk_descriptor *where, int err)
{
	struct index_check *c = l->check;

	if (!c->bad)
		return;
	pthread_mutex_lock(&c->lock);
	c->damaged++;
	c->bad(c->ctx, c->idx->table[l->table].layout->name, (uint8_t)l->level,
	       number, arc_get32(where->volume), arc_get64(where->offset), err);
	pthread_mutex_unlock(&c->lock);
}

static int note_sound(struct level_check *l, uint64_t number)
{
	int err;

	pthread_mutex_lock(&l->lock);
	err = arc_buf_append(&l->sound, &number, sizeof(number));
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* Block i below those above. */
static int check_block(void *ctx, uint64_t i)
{
	struct level_check *l = ctx;
	struct arc_index *idx = l->check->idx;
	arc_cleanup(arc_freep) struct index_block *block = NULL;
	struct index_place place = { .table = l->table, .level = l->level };
	struct arc_disk_descriptor where;
	int err;

	if (l->above)
		place.number = l->above[i / ARC_DESCRIPTORS_PER_BLOCK] *
				       ARC_DESCRIPTORS_PER_BLOCK +
			       i % ARC_DESCRIPTORS_PER_BLOCK;
	if (place.number >= idx->table[l->table].blocks[l->level])
		return 0;
	err = index_read_block(idx, &place, &where, &block);
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		report(l, place.number, &where, err);
		return 0;
	}
	return note_sound(l, place.number);
}

static int compare_u64(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* The numbers of the sound blocks of level 0, in order. */
static int find_sound(struct level_check *l, struct arc_buf *above)
{
	uint64_t n = 1;

	for (l->level = l->check->idx->table[l->table].levels; l->level > 0;) {
		int err;

		l->level--;
		err = arc_parallel_each(l->check->threads, n, check_block, l);
		if (err < 0)
			return err;
		arc_buf_fini(above);
		*above = l->sound;
		l->sound = (struct arc_buf){ 0 };
		n = above->n / sizeof(uint64_t);
		if (n == 0)
			break;
		qsort(above->p, above->n / sizeof(uint64_t), sizeof(uint64_t),
		      compare_u64);
		l->above = (const uint64_t *)(const void *)above->p;
		n *= ARC_DESCRIPTORS_PER_BLOCK;
	}
	return 0;
}

/* The rows of some blocks. */
struct row_walk {
	const uint64_t *blocks;
	uint64_t rows; /* of the table */
	uint32_t per; /* block */
	arc_each_fn fn;
	void *ctx;
};

static int visit_row(void *ctx, uint64_t i)
{
	const struct row_walk *w = ctx;
	uint64_t row = w->blocks[i / w->per] * w->per + i % w->per;

	return row < w->rows ? w->fn(w->ctx, row) : 0;
}

int index_check_table(struct index_check *c, enum arc_table_id table,
		      arc_each_fn fn, void *ctx)
{
	arc_cleanup(arc_buf_fini) struct arc_buf sound = { 0 };
	struct level_check l = { .check = c, .table = table };
	const struct index_table *t = &c->idx->table[table];
	struct row_walk walk = { .rows = t->rows,
				 .per = t->layout->rows_per_block,
				 .fn = fn,
				 .ctx = ctx };
	int err;

	pthread_mutex_init(&l.lock, NULL);
	err = find_sound(&l, &sound);
	pthread_mutex_destroy(&l.lock);
	arc_buf_fini(&l.sound);
	if (err < 0 || !fn)
		return err;
	walk.blocks = (const uint64_t *)(const void *)sound.p;
	return arc_parallel_each(c->threads,
				 sound.n / sizeof(uint64_t) * walk.per,
				 visit_row, &walk);
}

ssize_t arc_index_verify(struct arc_index *idx, unsigned threads,
			 arc_index_bad bad, arc_index_bad_row bad_row,
			 void *ctx)
{
	struct index_check c = { .idx = idx,
				 .threads = threads,
				 .bad = bad,
				 .bad_row = bad_row,
				 .ctx = ctx };
	int err = 0;

	pthread_mutex_init(&c.lock, NULL);
	for (unsigned i = ARC_TABLE_INODE; err == 0 && i < ARC_TABLE_COUNT;
	     i++) {
		enum arc_table_id id = (enum arc_table_id)i;

		err = index_check_table(&c, id, index_row_check(id), &c);
	}
	pthread_mutex_destroy(&c.lock);
	return err < 0 ? err : (ssize_t)c.damaged;
}

int arc_index_each_frame(struct arc_index *idx, unsigned threads,
			 arc_each_fn fn, void *ctx)
{
	struct index_check c = { .idx = idx, .threads = threads };

	return index_check_table(&c, ARC_TABLE_FRAME, fn, ctx);
}
