/* SPDX-License-Identifier: MIT */
#include "order_i.h"

#include <string.h>
#include <sys/stat.h>

#include "spool_sort.h"

bool mk_order_wants(const struct mk_tree *tree, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(tree, entry);

	return S_ISREG(e->mode) && e->link == entry && e->size > 0 &&
	       !(e->flags & MK_ENTRY_GONE) &&
	       !(e->flags & MK_ENTRY_CANDIDATE && e->leader != entry);
}

int mk_order_add(struct mk_order *o, uint64_t entry, const uint8_t *key,
		 size_t n)
{
	struct mk_order_row *row;
	uint64_t i;
	int err = mk_spool_add(&o->rows, 1, &i);

	if (err)
		return err;
	row = mk_spool_at(&o->rows, i);
	row->entry = entry;
	memcpy(row->key, key, ARC_MIN(n, sizeof(row->key)));
	mk_tree_step(o->tree, i);
	return 0;
}

/* ---- keys ---------------------------------------------------------------- */

/* Ends in the slash before the first name, as if the root had a name. */
static int add_reversed(struct mk_order *o, uint64_t entry)
{
	const struct mk_tree *t = o->tree;
	uint8_t key[MK_ORDER_KEY];
	size_t n = 0;

	for (uint64_t at = entry; at != 0 && n < sizeof(key);
	     at = mk_tree_at(t, at)->parent) {
		const char *name = mk_tree_name(t, mk_tree_at(t, at));

		for (size_t i = strlen(name); i > 0 && n < sizeof(key); i--)
			key[n++] = (uint8_t)name[i - 1];
		if (n < sizeof(key))
			key[n++] = '/';
	}
	return mk_order_add(o, entry, key, n);
}

/* The highest byte first, so that bytes compare as the numbers do. */
static int add_size(struct mk_order *o, uint64_t entry)
{
	uint64_t size = mk_tree_at(o->tree, entry)->size;
	uint8_t key[8];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(size >> (56 - 8 * i));
	return mk_order_add(o, entry, key, sizeof(key));
}

static int add_each(struct mk_order *o,
		    int (*add)(struct mk_order *o, uint64_t entry))
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < o->tree->entries.count; i++)
		if (mk_order_wants(o->tree, i))
			r = add(o, i);
	return r;
}

static int by_key(const void *a, const void *b)
{
	const struct mk_order_row *one = a;
	const struct mk_order_row *other = b;
	int r = memcmp(one->key, other->key, sizeof(one->key));

	return r ? r
		 : (one->entry > other->entry) - (one->entry < other->entry);
}

/* ---- the result ---------------------------------------------------------- */

static int put(struct mk_tree *t, uint64_t entry)
{
	uint64_t row;
	int err = mk_spool_add(&t->order, 1, &row);

	if (!err)
		*(uint64_t *)mk_spool_at(&t->order, row) = entry;
	return err;
}

static int take_sorted(struct mk_order *o)
{
	int r = mk_spool_sort(&o->rows, &o->spare, by_key);

	for (uint64_t i = 0; r >= 0 && i < o->rows.count; i++) {
		const struct mk_order_row *row = mk_spool_at(&o->rows, i);

		r = put(o->tree, row->entry);
		if (i % MK_ORDER_RELEASE == 0)
			mk_spool_release(&o->rows);
	}
	return r;
}

/* The entry that comes behind all that is in this one. */
static uint64_t next_of(const struct mk_tree *t, uint64_t entry)
{
	while (entry != 0) {
		uint64_t parent = mk_tree_at(t, entry)->parent;
		const struct mk_entry *dir = mk_tree_at(t, parent);

		if (entry + 1 < dir->children + dir->child_count)
			return entry + 1;
		entry = parent;
	}
	return MK_NONE;
}

/* No sorting: the tree's directories are sorted. */
static int take_by_path(struct mk_tree *t)
{
	uint64_t at = 0, steps = 0;
	int r = 0;

	while (r >= 0 && at != MK_NONE) {
		const struct mk_entry *e = mk_tree_at(t, at);
		bool full = S_ISDIR(e->mode) && e->child_count > 0;

		if (mk_order_wants(t, at))
			r = put(t, at);
		at = full ? e->children : next_of(t, at);
		mk_tree_step(t, ++steps);
	}
	return r;
}

static int take_by_key(struct mk_order *o)
{
	int r = mk_spool_open(&o->rows, o->tmp_fd, sizeof(struct mk_order_row));

	if (r >= 0)
		r = mk_spool_open(&o->spare, o->tmp_fd,
				  sizeof(struct mk_order_row));
	if (r < 0)
		return r;
	if (o->run->opt->order == MK_ORDER_REVPATH)
		r = add_each(o, add_reversed);
	else if (o->run->opt->order == MK_ORDER_SIZE)
		r = add_each(o, add_size);
	else
		r = mk_order_similar(o);
	return r < 0 ? r : take_sorted(o);
}

int mk_order(struct mk_run *run, struct mk_tree *tree, int tmp_fd)
{
	struct mk_order o = { .run = run, .tree = tree, .tmp_fd = tmp_fd };
	int r;

	if (run->opt->order == MK_ORDER_WALK)
		return 0;
	r = mk_spool_open(&tree->order, tmp_fd, sizeof(uint64_t));
	if (r >= 0)
		r = run->opt->order == MK_ORDER_PATH ? take_by_path(tree)
						     : take_by_key(&o);
	mk_spool_close(&o.rows);
	mk_spool_close(&o.spare);
	return r;
}
