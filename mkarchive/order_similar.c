/* SPDX-License-Identifier: MIT */
/*
 * Files whose sketches agree in one of some bins are neighbours when they are
 * sorted by it, and are compared with the few before them there; those that
 * have enough in common become one group (locality-sensitive hashing with bands
 * of one row, A. Rajaraman and J. Ullman, Mining of Massive Datasets, 3.4).
 * Groups are disjoint sets, each named after its first file in the order of the
 * tree (R. Tarjan, Efficiency of a Good But Not Linear Set Union Algorithm,
 * 1975), where all of it goes. So what is like nothing stays beside its
 * neighbours in the tree, and so do the members of a group among themselves.
 *
 * Sorting by the sketch alone was not done: neighbours in a directory have much
 * in common that no sketch of a beginning tells.
 */
#include <string.h>

#include "order_i.h"
#include "pool.h"
#include "sketch.h"
#include "source.h"
#include "spool_sort.h"

/* What is read of a file, from its beginning. */
#define BEGINNING ((size_t)16 << 10)

/* Bins that files are sorted by. */
#define BANDS 6

/* Sixteenths that two must have in common. */
#define ALIKE 6

/* Of those with the same bin, how many before it one is compared with. */
#define MATES 8

/* Files that a thread reads in a row. */
#define BLOCK 64

/* Descriptors a thread has open at most: its directory, the next one while it
 * changes over, a file. */
#define READER_FDS 3

struct similar {
	uint64_t entry;
	uint64_t group; /* an earlier file of it; own: the first */
	struct mk_sketch sketch;
};

struct band {
	uint64_t file;
	uint64_t value; /* of the bin */
};

struct similarity {
	struct mk_order *o;
	struct mk_spool files; /* struct similar */
	struct mk_spool bands; /* struct band, of one bin at a time */
	struct mk_spool spare; /* to sort them with */
};

static struct similar *file_at(const struct similarity *s, uint64_t i)
{
	return mk_spool_at(&s->files, i);
}

/* ---- reading ------------------------------------------------------------- */

static int list_files(struct similarity *s)
{
	struct mk_tree *t = s->o->tree;
	uint64_t row;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < t->entries.count; i++) {
		if (!mk_order_wants(t, i))
			continue;
		r = mk_spool_add(&s->files, 1, &row);
		if (r < 0)
			break;
		file_at(s, row)->entry = i;
		file_at(s, row)->group = row;
		mk_tree_step(t, row);
	}
	return r;
}

/* One that cannot be read as it was listed has no bytes. */
static int sketch_file(const struct similarity *s, struct mk_source *source,
		       uint8_t *buf, struct similar *f)
{
	arc_cleanup(arc_closep) int fd = -1;
	ssize_t got = 0;
	int r = mk_source_open(source, f->entry, &fd);

	if (mk_source_is_fatal(r))
		return r;
	if (r >= 0)
		got = mk_source_read(fd, buf, BEGINNING, 0);
	if (got > 0)
		mk_count(&s->o->run->stats.sketched, 1);
	f->sketch = mk_sketch_of(buf, got > 0 ? (size_t)got : 0);
	return 0;
}

static int sketch_block(void *ctx, uint64_t block)
{
	const struct similarity *s = ctx;
	arc_cleanup(mk_source_freep) struct mk_source *source = NULL;
	arc_cleanup(arc_freep) uint8_t *buf = malloc(BEGINNING);
	uint64_t end = ARC_MIN((block + 1) * BLOCK, s->files.count);
	int r = mk_source_new(s->o->tree, &source);

	if (!r && !buf)
		r = -ENOMEM;
	for (uint64_t i = block * BLOCK; r >= 0 && i < end; i++)
		r = sketch_file(s, source, buf, file_at(s, i));
	if (mk_spool_is_time()) {
		mk_spool_release(&s->files);
		mk_tree_release(s->o->tree);
	}
	return r;
}

static int sketch_all(struct similarity *s)
{
	unsigned threads = mk_source_threads(
		s->o->tree, s->o->run->opt->io_workers, READER_FDS);

	return arc_parallel_each(ARC_MAX(threads, 1),
				 arc_div_up(s->files.count, BLOCK),
				 sketch_block, s);
}

/* ---- groups -------------------------------------------------------------- */

static uint64_t group_of(const struct similarity *s, uint64_t file)
{
	while (file_at(s, file)->group != file) {
		struct similar *f = file_at(s, file);

		f->group = file_at(s, f->group)->group;
		file = f->group;
	}
	return file;
}

/* The earlier file's group stays, so that a group is named after its first. */
static void join(struct similarity *s, uint64_t a, uint64_t b)
{
	a = group_of(s, a);
	b = group_of(s, b);
	if (a < b)
		file_at(s, b)->group = a;
	else
		file_at(s, a)->group = b;
}

static int by_value(const void *a, const void *b)
{
	const struct band *one = a;
	const struct band *other = b;

	if (one->value != other->value)
		return one->value < other->value ? -1 : 1;
	return (one->file > other->file) - (one->file < other->file);
}

static int fill_band(struct similarity *s, unsigned bin)
{
	uint64_t row;
	int r = 0;

	s->bands.count = 0;
	for (uint64_t i = 0; r >= 0 && i < s->files.count; i++) {
		uint32_t value = file_at(s, i)->sketch.bin[bin];

		if (value == MK_SKETCH_EMPTY)
			continue;
		r = mk_spool_add(&s->bands, 1, &row);
		if (r >= 0)
			*(struct band *)mk_spool_at(&s->bands, row) =
				(struct band){ .file = i, .value = value };
		if (i % MK_ORDER_RELEASE == 0)
			mk_spool_release(&s->files);
	}
	return r < 0 ? r : mk_spool_sort(&s->bands, &s->spare, by_value);
}

/* Row i with those before it of the same bin. */
static void match_one(struct similarity *s, uint64_t i)
{
	const struct band *own = mk_spool_at(&s->bands, i);
	const struct similar *f = file_at(s, own->file);

	for (uint64_t back = 1; back <= ARC_MIN(i, MATES); back++) {
		const struct band *mate = mk_spool_at(&s->bands, i - back);

		if (mate->value != own->value)
			break;
		if (mk_sketch_alike(&f->sketch,
				    &file_at(s, mate->file)->sketch) >= ALIKE)
			join(s, own->file, mate->file);
	}
}

static int match_band(struct similarity *s, unsigned bin)
{
	int r = fill_band(s, bin);

	for (uint64_t i = 0; r >= 0 && i < s->bands.count; i++) {
		match_one(s, i);
		if (i % MK_ORDER_RELEASE == 0) {
			mk_spool_release(&s->files);
			mk_spool_release(&s->bands);
		}
	}
	return r;
}

/* ---- all of it ----------------------------------------------------------- */

static int add_grouped(struct similarity *s)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < s->files.count; i++) {
		uint64_t group = group_of(s, i);
		uint8_t key[8];

		for (unsigned k = 0; k < sizeof(key); k++)
			key[k] = (uint8_t)(group >> (56 - 8 * k));
		mk_count(&s->o->run->stats.similar, group != i);
		r = mk_order_add(s->o, file_at(s, i)->entry, key, sizeof(key));
		if (i % MK_ORDER_RELEASE == 0)
			mk_spool_release(&s->files);
	}
	return r;
}

static int open_spools(struct similarity *s)
{
	int fd = s->o->tmp_fd;
	int r = mk_spool_open(&s->files, fd, sizeof(struct similar));

	if (r >= 0)
		r = mk_spool_open(&s->bands, fd, sizeof(struct band));
	if (r >= 0)
		r = mk_spool_open(&s->spare, fd, sizeof(struct band));
	return r;
}

int mk_order_similar(struct mk_order *o)
{
	struct similarity s = { .o = o };
	int r = open_spools(&s);

	if (r >= 0)
		r = list_files(&s);
	if (r >= 0)
		r = sketch_all(&s);
	for (unsigned bin = 0; r >= 0 && bin < BANDS; bin++)
		r = match_band(&s, bin);
	if (r >= 0)
		r = add_grouped(&s);
	mk_spool_close(&s.files);
	mk_spool_close(&s.bands);
	mk_spool_close(&s.spare);
	return r;
}
