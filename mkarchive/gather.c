/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "format.h"
#include "gather_i.h"

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

static bool is_key(const void *ctx, uint32_t row)
{
	const struct key *key = ctx;
	const struct mk_gather_name *nm = mk_gather_name_at(key->g, row);
	const char *text;

	if (nm->parent != key->parent || row == 0)
		return false;
	text = mk_gather_text(key->g, nm);
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
	*mk_gather_name_at(g, row) = (struct mk_gather_name){
		.parent = parent, .text = at, .inode = MK_NONE
	};
	r = mk_slots_add(&g->slots, hash_name(parent, text, n));
	if (r < 0)
		return r;
	if (row > 0)
		mk_gather_name_at(g, parent)->count++;
	*ret = row;
	return 0;
}

static bool is_dir(const struct mk_gather *g, const struct mk_gather_name *nm)
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
	r = mk_spool_open(&g->names, tmp_fd, sizeof(struct mk_gather_name));
	if (r >= 0)
		r = mk_spool_open(&g->inodes, tmp_fd,
				  sizeof(struct mk_gathered));
	if (r >= 0)
		r = mk_spool_open(&g->contents, tmp_fd, sizeof(uint64_t));
	if (r >= 0)
		r = mk_spool_open(&g->children, tmp_fd,
				  sizeof(struct mk_gather_child));
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
	return at == MK_NONE ? MK_NONE : mk_gather_name_at(g, at)->inode;
}

bool mk_gather_is_dir(struct mk_gather *g, const char *path)
{
	uint64_t inode = mk_gather_find(g, path);

	return inode != MK_NONE && S_ISDIR(mk_gather_at(g, inode)->e.mode);
}

int mk_gather_make_up(struct mk_gather *g, uint64_t name,
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
	mk_gather_name_at(g, name)->inode = inode;
	return 0;
}

int mk_gather_place(struct mk_gather *g, const char *path,
		    const struct mk_entry *like, uint64_t *ret_name)
{
	uint64_t at = 0, next;
	int r = 0;

	mk_gather_step(g);
	while (r >= 0 && *path) {
		size_t n = strcspn(path, "/");

		if (mk_gather_name_at(g, at)->inode == MK_NONE)
			r = mk_gather_make_up(g, at, like);
		else if (!is_dir(g, mk_gather_name_at(g, at)))
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
	struct mk_gather_name *nm = mk_gather_name_at(g, name);
	bool dir = S_ISDIR(mk_gather_at(g, inode)->e.mode);

	if (!dir && (name == 0 || nm->count > 0))
		return -EISDIR;
	nm->inode = inode;
	return 0;
}
