/* SPDX-License-Identifier: MIT */
#include "gather.h"

#include <string.h>

#include "format.h"
#include "slots.h"
#include "spool_sort.h"

/* Names of one directory that are sorted at once. */
#define SORT_PIECE ((uint64_t)1 << 19)

struct name {
	uint64_t parent; /* name of its directory; the root: 0 */
	uint64_t text; /* in tree->names */
	uint64_t inode; /* MK_NONE: placed, but nothing came */
	uint64_t count; /* names in it; at the end those that came */
	uint64_t first; /* at the end: its first row of children */
};

/* For the order of the tree. */
struct child {
	uint64_t parent;
	uint64_t name;
};

struct mk_gather {
	struct mk_tree *tree;
	int tmp_fd;
	struct mk_spool names; /* struct name; 0 is the root */
	struct mk_spool inodes; /* struct mk_gathered */
	struct mk_spool contents; /* u64: first entry of each */
	struct mk_spool children; /* struct child */
	struct mk_slots slots; /* over names */
	uint64_t steps;
};

static struct name *name_at(const struct mk_gather *g, uint64_t i)
{
	return mk_spool_at(&g->names, i);
}

struct mk_gathered *mk_gather_at(const struct mk_gather *g, uint64_t inode)
{
	return mk_spool_at(&g->inodes, inode);
}

/* ---- names --------------------------------------------------------------- */

struct key {
	const struct mk_gather *g;
	uint64_t parent;
	const char *text;
	size_t n;
};

static uint64_t hash_name(uint64_t parent, const char *text, size_t n)
{
	return arc_xxh64(text, n) + parent * UINT64_C(0x9e3779b97f4a7c15);
}

static const char *text_of(const struct mk_gather *g, const struct name *nm)
{
	return mk_spool_at(&g->tree->names, nm->text);
}

static bool is_key(const void *ctx, uint32_t row)
{
	const struct key *key = ctx;
	const struct name *nm = name_at(key->g, row);
	const char *text;

	if (nm->parent != key->parent || row == 0)
		return false;
	text = text_of(key->g, nm);
	return strncmp(text, key->text, key->n) == 0 && !text[key->n];
}

static uint64_t find_name(struct mk_gather *g, uint64_t parent,
			  const char *text, size_t n)
{
	const struct key key = { g, parent, text, n };
	uint32_t row;

	return mk_slots_find(&g->slots, hash_name(parent, text, n), is_key,
			     &key, &row)
		       ? row
		       : MK_NONE;
}

static int add_name(struct mk_gather *g, uint64_t parent, const char *text,
		    size_t n, uint64_t *ret)
{
	uint64_t at, row;
	int r = mk_spool_add(&g->tree->names, n + 1, &at);

	if (r >= 0)
		r = mk_spool_add(&g->names, 1, &row);
	if (r < 0)
		return r;
	memcpy(mk_spool_at(&g->tree->names, at), text, n);
	*name_at(g, row) =
		(struct name){ .parent = parent, .text = at, .inode = MK_NONE };
	r = mk_slots_add(&g->slots, hash_name(parent, text, n));
	if (r < 0)
		return r;
	if (row > 0)
		name_at(g, parent)->count++;
	*ret = row;
	return 0;
}

static bool is_dir(const struct mk_gather *g, const struct name *nm)
{
	return nm->inode != MK_NONE &&
	       S_ISDIR(mk_gather_at(g, nm->inode)->e.mode);
}

/* ---- making -------------------------------------------------------------- */

int mk_gather_new(struct mk_tree *tree, int tmp_fd, struct mk_gather **ret)
{
	arc_cleanup(mk_gather_freep) struct mk_gather *g =
		calloc(1, sizeof(*g));
	uint64_t root;
	int r;

	if (!g)
		return -ENOMEM;
	g->tree = tree;
	g->tmp_fd = tmp_fd;
	mk_slots_init(&g->slots, tmp_fd);
	r = mk_spool_open(&g->names, tmp_fd, sizeof(struct name));
	if (r >= 0)
		r = mk_spool_open(&g->inodes, tmp_fd,
				  sizeof(struct mk_gathered));
	if (r >= 0)
		r = mk_spool_open(&g->contents, tmp_fd, sizeof(uint64_t));
	if (r >= 0)
		r = mk_spool_open(&g->children, tmp_fd, sizeof(struct child));
	if (r >= 0)
		r = add_name(g, 0, "", 0, &root);
	if (r < 0)
		return r;
	*ret = arc_steal(g);
	return 0;
}

void mk_gather_free(struct mk_gather *g)
{
	if (!g)
		return;
	mk_slots_fini(&g->slots);
	mk_spool_close(&g->names);
	mk_spool_close(&g->inodes);
	mk_spool_close(&g->contents);
	mk_spool_close(&g->children);
	free(g);
}

void mk_gather_release(const struct mk_gather *g)
{
	mk_tree_release(g->tree);
	mk_spool_release(&g->names);
	mk_spool_release(&g->inodes);
	mk_spool_release(&g->contents);
	mk_spool_release(&g->children);
}

static void step(struct mk_gather *g)
{
	if (++g->steps % MK_SPOOL_STEP == 0 && mk_spool_is_time())
		mk_gather_release(g);
}

/* ---- paths --------------------------------------------------------------- */

int mk_gather_path(const char *path, struct arc_buf *ret)
{
	size_t begun = ret->n;
	int r = 0;

	while (r >= 0 && *path) {
		size_t n = strcspn(path, "/");
		bool skip = n == 0 || (n == 1 && *path == '.');

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return -EINVAL;
		if (n > ARC_NAME_MAX)
			return -ENAMETOOLONG;
		if (!skip && ret->n > begun)
			r = arc_buf_append(ret, "/", 1);
		if (!skip && r >= 0)
			r = arc_buf_append(ret, path, n);
		path += n;
		path += *path == '/';
	}
	if (r >= 0)
		r = arc_buf_append(ret, "", 1);
	if (r >= 0)
		ret->n--;
	return r;
}

uint64_t mk_gather_find(struct mk_gather *g, const char *path)
{
	uint64_t at = 0;

	while (*path && at != MK_NONE) {
		size_t n = strcspn(path, "/");

		at = find_name(g, at, path, n);
		path += n;
		path += *path == '/';
	}
	return at == MK_NONE ? MK_NONE : name_at(g, at)->inode;
}

bool mk_gather_is_dir(struct mk_gather *g, const char *path)
{
	uint64_t inode = mk_gather_find(g, path);

	return inode != MK_NONE && S_ISDIR(mk_gather_at(g, inode)->e.mode);
}

static int make_up(struct mk_gather *g, uint64_t name,
		   const struct mk_entry *like)
{
	uint64_t inode;
	struct mk_gathered *d;
	int r = mk_gather_add(g, &inode);

	if (r < 0)
		return r;
	d = mk_gather_at(g, inode);
	d->made_up = true;
	d->e.mode = S_IFDIR | 0755;
	d->e.uid = like->uid;
	d->e.gid = like->gid;
	d->e.mtime = like->mtime;
	d->e.mtime_ns = like->mtime_ns;
	name_at(g, name)->inode = inode;
	return 0;
}

int mk_gather_place(struct mk_gather *g, const char *path,
		    const struct mk_entry *like, uint64_t *ret_name)
{
	uint64_t at = 0, next;
	int r = 0;

	step(g);
	while (r >= 0 && *path) {
		size_t n = strcspn(path, "/");

		if (name_at(g, at)->inode == MK_NONE)
			r = make_up(g, at, like);
		else if (!is_dir(g, name_at(g, at)))
			return -ENOTDIR;
		next = find_name(g, at, path, n);
		if (r >= 0 && next == MK_NONE)
			r = add_name(g, at, path, n, &next);
		at = next;
		path += n;
		path += *path == '/';
	}
	if (r >= 0)
		*ret_name = at;
	return r;
}

/* ---- inodes -------------------------------------------------------------- */

int mk_gather_add(struct mk_gather *g, uint64_t *ret_inode)
{
	uint64_t row;
	struct mk_gathered *inode;
	int r = mk_spool_add(&g->inodes, 1, &row);

	if (r < 0)
		return r;
	inode = mk_gather_at(g, row);
	inode->content = MK_NONE;
	inode->first = MK_NONE;
	*ret_inode = row;
	return 0;
}

int mk_gather_add_content(struct mk_gather *g, uint64_t *ret)
{
	int r = mk_spool_add(&g->contents, 1, ret);

	if (r >= 0)
		*(uint64_t *)mk_spool_at(&g->contents, *ret) = MK_NONE;
	return r;
}

int mk_gather_put(struct mk_gather *g, uint64_t name, uint64_t inode)
{
	struct name *nm = name_at(g, name);
	bool dir = S_ISDIR(mk_gather_at(g, inode)->e.mode);

	if (!dir && (name == 0 || nm->count > 0))
		return -EISDIR;
	nm->inode = inode;
	return 0;
}

/* ---- the end ------------------------------------------------------------- */

static int by_parent(const void *a, const void *b)
{
	const struct child *one = a;
	const struct child *other = b;

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
		const struct name *nm = name_at(g, i);

		name_at(g, i)->count = 0;
		step(g);
		if (i == 0 || nm->inode == MK_NONE)
			continue;
		r = mk_spool_add(&g->children, 1, &row);
		if (r >= 0)
			*(struct child *)mk_spool_at(&g->children, row) =
				(struct child){ nm->parent, i };
	}
	if (r >= 0)
		r = mk_spool_open(&spare, g->tmp_fd, sizeof(struct child));
	if (r < 0)
		return r;
	r = mk_spool_sort(&g->children, &spare, by_parent);
	mk_spool_close(&spare);
	for (uint64_t i = 0; r >= 0 && i < g->children.count; i++) {
		const struct child *c = mk_spool_at(&g->children, i);
		struct name *dir = name_at(g, c->parent);

		step(g);
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
	const struct name *nm = name_at(g, name);
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

	step(g);
	return strcmp(text_of(g, name_at(g, *one)),
		      text_of(g, name_at(g, *other)));
}

static int sort_names(struct order *o, const struct name *dir)
{
	struct mk_gather *g = o->g;
	uint64_t first;
	int r;

	o->sorted.count = 0;
	r = mk_spool_add(&o->sorted, dir->count, &first);
	for (uint64_t i = 0; r >= 0 && i < dir->count; i++) {
		const struct child *c =
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
	const struct name *dir = name_at(g, e->children);
	uint64_t first = g->tree->entries.count;
	int r = sort_names(o, dir);

	if (r >= 0 && dir->count > 0)
		r = mk_tree_add(g->tree, dir->count, &first);
	if (r < 0)
		return r;
	for (uint64_t i = 0; i < dir->count; i++) {
		fill(g, first + i, entry, *sorted_at(o, i));
		o->made += mk_gather_at(g, name_at(g, *sorted_at(o, i))->inode)
				   ->made_up;
		step(g);
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
		step(o->g);
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
	if (r >= 0 && name_at(g, 0)->inode == MK_NONE)
		r = make_up(g, 0, like);
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
