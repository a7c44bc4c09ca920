/* SPDX-License-Identifier: MIT */
/*
 * Two passes. The first, in the order of the tree, gives out rows, counts
 * links, and notes for each directory what its inode row will need: the first
 * row of its entries (`data`) and how many there are (`size`). A directory
 * stands before its entries, and a leader before those who follow it, so what
 * is looked up is final already.
 *
 * Sharing classes are looked for on the way. Only an inode with a leader asks
 * for one; its leader joins then if it is of the same kind, so that files
 * without duplicates cost nothing. A class is known by its first inode, which
 * collects the links of all in share_nlink.
 *
 * The second pass hands the sums out, to inodes; their further names get
 * theirs from linknames.
 */
#include "numbers.h"

#include <string.h>
#include <sys/stat.h>

#include "linknames.h"
#include "slots.h"

struct counts {
	uint64_t entries, files, dirs, symlinks, others, hardlinks;
	uint64_t bytes, holes, duplicates, duplicate_bytes;
};

struct numbering {
	struct mk_tree *tree;
	struct counts n;
	uint64_t rows; /* given out */
	struct mk_slots slots; /* of classes, by hash */
	struct mk_spool classes; /* u64: first entry of each */
	struct mk_linknames names; /* further ones of inodes */
	bool any_gone; /* so far */
};

/* ---- sharing classes ---------------------------------------------------- */

/* The next run of data of an inode, extents that touch taken as one. */
static bool next_run(const struct mk_tree *t, const struct mk_entry *e,
		     uint64_t *at, struct mk_extent *ret)
{
	const struct mk_extent *x;

	if (!(e->flags & MK_ENTRY_EXTENTS)) {
		*ret = (struct mk_extent){ .len = e->size };
		return (*at)++ == 0;
	}
	if (*at == e->extents)
		return false;
	x = mk_spool_at(&t->extents, e->data + (*at)++);
	*ret = *x;
	for (; *at < e->extents; (*at)++) {
		x = mk_spool_at(&t->extents, e->data + *at);
		if (x->file != ret->file + ret->len)
			break;
		ret->len += x->len;
	}
	return true;
}

static bool same_holes(const struct mk_tree *t, const struct mk_entry *a,
		       const struct mk_entry *b)
{
	struct mk_extent x, y;
	uint64_t at_a = 0, at_b = 0;

	for (;;) {
		bool more = next_run(t, a, &at_a, &x);

		if (more != next_run(t, b, &at_b, &y))
			return false;
		if (!more)
			return true;
		if (x.file != y.file || x.len != y.len)
			return false;
	}
}

/* Everything that must be equal but the holes; their count stands for them. */
static uint64_t hash_kind(const struct mk_tree *t, const struct mk_entry *e)
{
	struct mk_extent run;
	uint64_t runs = 0, at = 0;

	while (next_run(t, e, &at, &run))
		runs++;
	const uint64_t kind[] = { e->leader, e->mode, e->uid,
				  e->gid,    e->xset, runs };

	return arc_xxh64(kind, sizeof(kind));
}

static bool same_kind(const struct mk_tree *t, const struct mk_entry *a,
		      const struct mk_entry *b)
{
	return a->leader == b->leader && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->xset == b->xset &&
	       same_holes(t, a, b);
}

/* What the table of classes is asked with. */
struct class_query {
	const struct numbering *s;
	const struct mk_entry *e; /* whose class is wanted */
};

static uint64_t *class_at(const struct numbering *s, uint64_t place)
{
	return mk_spool_at(&s->classes, place);
}

static bool class_fits(const void *ctx, uint32_t place)
{
	const struct class_query *q = ctx;
	const struct mk_tree *t = q->s->tree;

	return same_kind(t, q->e, mk_tree_at(t, *class_at(q->s, place)));
}

/* Puts an inode that has a leader into its class; `share` is the class's first
 * entry until the second pass. */
static int join_class(struct numbering *s, uint64_t i)
{
	struct mk_entry *e = mk_tree_at(s->tree, i);
	const struct mk_entry *leader = mk_tree_at(s->tree, e->leader);
	const struct class_query q = { .s = s, .e = e };
	uint64_t hash = hash_kind(s->tree, e), row;
	uint32_t place;
	int r;

	if (mk_slots_find(&s->slots, hash, class_fits, &q, &place)) {
		e->share = *class_at(s, place);
		return 0;
	}
	r = mk_spool_add(&s->classes, 1, &row);
	if (r < 0)
		return r;
	e->share = same_kind(s->tree, e, leader) ? e->leader : i;
	*class_at(s, row) = e->share;
	return mk_slots_add(&s->slots, hash);
}

/* ---- the first pass ----------------------------------------------------- */

static uint64_t data_bytes(const struct mk_tree *t, const struct mk_entry *e)
{
	struct mk_extent run;
	uint64_t sum = 0, at = 0;

	while (next_run(t, e, &at, &run))
		sum += run.len;
	return sum;
}

static int number_file(struct numbering *s, uint64_t i)
{
	struct mk_entry *e = mk_tree_at(s->tree, i);
	uint64_t data = data_bytes(s->tree, e);

	if (!e->size || mk_tree_at(s->tree, e->leader)->flags & MK_ENTRY_GONE)
		e->leader = i;
	s->n.files++;
	s->n.bytes += e->size;
	s->n.holes += e->size - data;
	if (e->leader == i)
		return 0;
	s->n.duplicates++;
	s->n.duplicate_bytes += data;
	return join_class(s, i);
}

static int number_inode(struct numbering *s, uint64_t i)
{
	struct mk_entry *e = mk_tree_at(s->tree, i);

	e->row = s->rows++;
	e->nlink = 1;
	e->share = i;
	e->share_nlink = 0;
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return number_file(s, i);
	case S_IFDIR:
		s->n.dirs++;
		e->nlink = 2;
		e->data = 0;
		e->size = 0;
		return 0;
	case S_IFLNK:
		s->n.symlinks++;
		return 0;
	default:
		s->n.others++;
		return 0;
	}
}

/* A name in its directory. Its row of DIRENT is the count of those before. */
static void number_name(struct numbering *s, uint64_t i)
{
	const struct mk_entry *e = mk_tree_at(s->tree, i);
	struct mk_entry *dir = mk_tree_at(s->tree, e->parent);

	if (!dir->size++)
		dir->data = s->n.entries;
	if (S_ISDIR(e->mode))
		dir->nlink++;
	s->n.entries++;
}

/* Nothing stays below what is gone, and no name of a gone inode. What is asked
 * about stands before the entry, so that the inode, which may lie anywhere, is
 * only asked when one was gone. */
static bool is_gone(const struct numbering *s, const struct mk_entry *e)
{
	const struct mk_tree *t = s->tree;
	uint32_t flags = e->flags | mk_tree_at(t, e->parent)->flags;

	if (s->any_gone)
		flags |= mk_tree_at(t, e->link)->flags;
	return flags & MK_ENTRY_GONE;
}

static int number_entry(struct numbering *s, uint64_t i)
{
	struct mk_entry *e = mk_tree_at(s->tree, i);

	if (is_gone(s, e)) {
		e->flags |= MK_ENTRY_GONE;
		s->any_gone = true;
		return 0;
	}
	if (i)
		number_name(s, i);
	if (e->link == i)
		return number_inode(s, i);
	s->n.hardlinks++;
	return mk_linknames_add(&s->names, i);
}

/* ---- the second pass ---------------------------------------------------- */

static bool is_inode(const struct mk_entry *e, uint64_t i)
{
	return !(e->flags & MK_ENTRY_GONE) && e->link == i;
}

/* The rows and sums of sharing classes, once all links are counted. Sums go
 * to a class's first inode, which stands before the others: so it has them all
 * only after the pass, and one more pass hands them on. */
static void sum_classes(struct mk_tree *t)
{
	for (uint64_t i = 0; i < t->entries.count; i++) {
		const struct mk_entry *e = mk_tree_at(t, i);

		if (is_inode(e, i))
			mk_tree_at(t, e->share)->share_nlink += e->nlink;
		mk_tree_step(t, i);
	}
}

/* `share` becomes a row. An inode's class stands before it, so it has been seen
 * to already. */
static void settle(struct mk_tree *t)
{
	for (uint64_t i = 0; i < t->entries.count; i++) {
		struct mk_entry *e = mk_tree_at(t, i);
		const struct mk_entry *from;

		mk_tree_step(t, i);
		if (!is_inode(e, i))
			continue;
		from = mk_tree_at(t, e->share);
		e->share_nlink = from->share_nlink;
		e->share = from->row;
	}
}

/* ------------------------------------------------------------------------- */

static void write_counts(const struct counts *n, struct arc_disk_root *ret)
{
	ret->entries = arc_put64(n->entries);
	ret->files = arc_put64(n->files);
	ret->dirs = arc_put64(n->dirs);
	ret->symlinks = arc_put64(n->symlinks);
	ret->others = arc_put64(n->others);
	ret->hardlinks = arc_put64(n->hardlinks);
	ret->bytes = arc_put64(n->bytes);
	ret->holes = arc_put64(n->holes);
	ret->duplicates = arc_put64(n->duplicates);
	ret->duplicate_bytes = arc_put64(n->duplicate_bytes);
}

static int number_all(struct numbering *s)
{
	struct mk_tree *t = s->tree;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < t->entries.count; i++) {
		r = number_entry(s, i);
		if (i % MK_SPOOL_STEP == 0 && mk_spool_is_time()) {
			mk_tree_release(t);
			mk_spool_release(&s->classes);
			mk_spool_release(&s->names.rows);
		}
	}
	return r;
}

static void fini(struct numbering *s)
{
	mk_slots_fini(&s->slots);
	mk_spool_close(&s->classes);
	mk_linknames_fini(&s->names);
}

int mk_numbers(struct mk_tree *tree, struct arc_disk_root *ret)
{
	arc_cleanup(fini) struct numbering s = { .tree = tree };
	int r = mk_spool_open(&s.classes, tree->tmp_fd, sizeof(uint64_t));

	mk_slots_init(&s.slots, tree->tmp_fd);
	if (r >= 0)
		r = mk_linknames_init(&s.names, tree);
	if (r >= 0)
		r = number_all(&s);
	if (r >= 0)
		r = mk_linknames_count(&s.names);
	if (r < 0)
		return r;
	sum_classes(tree);
	settle(tree);
	r = mk_linknames_settle(&s.names);
	if (r >= 0)
		write_counts(&s.n, ret);
	return r;
}
