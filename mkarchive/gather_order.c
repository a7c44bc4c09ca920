/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gather_i.h"
#include "spool_sort.h"

/* Names of one directory that are sorted at once. */
#define SORT_PIECE ((uint64_t)1 << 19)

static int by_parent(const void *a, const void *b)
{
	const struct mk_gather_child *one = a;
	const struct mk_gather_child *other = b;

	if (one->parent != other->parent)
		return one->parent < other->parent ? -1 : 1;
	return (one->name > other->name) - (one->name < other->name);
}

/* Brings the names of each directory together. */
static int group_children(struct mk_gather *g)
{
	struct mk_spool spare;
	uint64_t row = 0;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < g->names.count; i++) {
		const struct mk_gather_name *nm = mk_gather_name_at(g, i);

		mk_gather_name_at(g, i)->count = 0;
		mk_gather_step(g);
		if (i == 0 || nm->inode == MK_NONE)
			continue;
		r = mk_spool_add(&g->children, 1, &row);
		if (r >= 0)
			*(struct mk_gather_child *)mk_spool_at(&g->children,
							       row) =
				(struct mk_gather_child){ nm->parent, i };
	}
	if (r >= 0)
		r = mk_spool_open(&spare, g->tmp_fd,
				  sizeof(struct mk_gather_child));
	if (r < 0)
		return r;
	r = mk_spool_sort(&g->children, &spare, by_parent);
	mk_spool_close(&spare);
	for (uint64_t i = 0; r >= 0 && i < g->children.count; i++) {
		const struct mk_gather_child *c = mk_spool_at(&g->children, i);
		struct mk_gather_name *dir = mk_gather_name_at(g, c->parent);

		mk_gather_step(g);
		if (!dir->count++)
			dir->first = i;
	}
	return r;
}

/* The leader of a content is the first entry that has it. */
static void lead(struct mk_gather *g, const struct mk_gathered *inode,
		 uint64_t entry)
{
	uint64_t *first;

	if (inode->content == MK_NONE)
		return;
	first = mk_spool_at(&g->contents, inode->content);
	if (*first == MK_NONE)
		*first = entry;
	mk_tree_at(g->tree, entry)->leader = *first;
}

/* An entry of the tree; a directory's `children` is its name, until it is
 * entered. */
static void fill(struct mk_gather *g, uint64_t entry, uint64_t parent,
		 uint64_t name)
{
	const struct mk_gather_name *nm = mk_gather_name_at(g, name);
	struct mk_gathered *inode = mk_gather_at(g, nm->inode);
	struct mk_entry *e = mk_tree_at(g->tree, entry);

	*e = inode->e;
	e->name = nm->text;
	e->parent = parent;
	e->link = entry;
	e->leader = entry;
	if (S_ISDIR(e->mode))
		e->children = name;
	if (inode->first != MK_NONE) {
		e->link = inode->first;
		return;
	}
	inode->first = entry;
	lead(g, inode, entry);
	memcpy(mk_spool_at(&g->tree->digests, entry), &inode->digest,
	       sizeof(inode->digest));
	if (g->tree->sha256.base)
		memcpy(mk_spool_at(&g->tree->sha256, entry), inode->sha256,
		       sizeof(inode->sha256));
}

/* A directory whose subdirectories are being entered. */
struct level {
	uint64_t next; /* entry to look at */
	uint64_t end;
};

struct order {
	struct mk_gather *g;
	struct level *level;
	size_t depth, cap;
	struct mk_spool sorted; /* u64: names of the directory at hand */
	struct mk_spool spare;
	uint64_t made; /* directories made up */
};

static uint64_t *sorted_at(const struct order *o, uint64_t i)
{
	return mk_spool_at(&o->sorted, i);
}

static int by_text(const void *a, const void *b, void *ctx)
{
	const uint64_t *one = a;
	const uint64_t *other = b;
	struct mk_gather *g = ctx;

	mk_gather_step(g);
	return strcmp(mk_gather_text(g, mk_gather_name_at(g, *one)),
		      mk_gather_text(g, mk_gather_name_at(g, *other)));
}

static int sort_names(struct order *o, const struct mk_gather_name *dir)
{
	struct mk_gather *g = o->g;
	uint64_t first;
	int r;

	o->sorted.count = 0;
	r = mk_spool_add(&o->sorted, dir->count, &first);
	for (uint64_t i = 0; r >= 0 && i < dir->count; i++) {
		const struct mk_gather_child *c =
			mk_spool_at(&g->children, dir->first + i);

		*sorted_at(o, i) = c->name;
	}
	if (r >= 0)
		r = mk_spool_sort_with(&o->sorted, &o->spare, SORT_PIECE,
				       by_text, g);
	return r;
}

static int push(struct order *o, uint64_t next, uint64_t end)
{
	if (o->depth == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;
		struct level *more = reallocarray(o->level, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		o->level = more;
		o->cap = cap;
	}
	o->level[o->depth++] = (struct level){ next, end };
	return 0;
}

/* Adds what is in the directory; its subdirectories come next. */
static int enter(struct order *o, uint64_t entry)
{
	struct mk_gather *g = o->g;
	struct mk_entry *e = mk_tree_at(g->tree, entry);
	const struct mk_gather_name *dir = mk_gather_name_at(g, e->children);
	uint64_t first = g->tree->entries.count;
	int r = sort_names(o, dir);

	if (r >= 0 && dir->count > 0)
		r = mk_tree_add(g->tree, dir->count, &first);
	if (r < 0)
		return r;
	for (uint64_t i = 0; i < dir->count; i++) {
		fill(g, first + i, entry, *sorted_at(o, i));
		o->made +=
			mk_gather_at(
				g,
				mk_gather_name_at(g, *sorted_at(o, i))->inode)
				->made_up;
		mk_gather_step(g);
	}
	e->children = first;
	e->child_count = dir->count;
	return push(o, first, first + dir->count);
}

static int fill_tree(struct order *o)
{
	struct mk_tree *tree = o->g->tree;
	uint64_t root;
	int r = mk_tree_add(tree, 1, &root);

	if (r < 0)
		return r;
	fill(o->g, root, root, 0);
	r = enter(o, root);
	while (r >= 0 && o->depth > 0) {
		struct level *top = &o->level[o->depth - 1];
		uint64_t entry = top->next++;

		if (entry == top->end)
			o->depth--;
		else if (S_ISDIR(mk_tree_at(tree, entry)->mode))
			r = enter(o, entry);
		mk_gather_step(o->g);
	}
	return r;
}

int mk_gather_finish(struct mk_gather *g, const struct mk_entry *like,
		     uint64_t *ret_made)
{
	struct order o = { .g = g };
	int r = mk_spool_open(&o.sorted, g->tmp_fd, sizeof(uint64_t));

	if (r >= 0)
		r = mk_spool_open(&o.spare, g->tmp_fd, sizeof(uint64_t));
	if (r >= 0 && mk_gather_name_at(g, 0)->inode == MK_NONE)
		r = mk_gather_make_up(g, 0, like);
	if (r >= 0)
		r = group_children(g);
	if (r >= 0)
		r = fill_tree(&o);
	free(o.level);
	mk_spool_close(&o.sorted);
	mk_spool_close(&o.spare);
	mk_gather_release(g);
	if (r >= 0)
		*ret_made = o.made;
	return r;
}
