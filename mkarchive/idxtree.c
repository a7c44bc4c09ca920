/* SPDX-License-Identifier: MIT */
/*
 * One pass over the entries writes inodes, entries and names side by side:
 * they stand in the order of the tree in all three tables. What an inode row
 * needs to know about rows further on (a directory about its entries) has been
 * noted by numbers.
 */
#include <string.h>
#include <sys/stat.h>

#include "idxwrite.h"

struct pass {
	struct mk_idxwrite *w;
	const struct mk_tree *tree;
	uint64_t extents; /* rows of EXTENT so far */
};

/* ---- symlinks' targets and extended attributes -------------------------- */

static int write_text(struct mk_idxwrite *w, const struct mk_tree *tree)
{
	const struct mk_spool *text = &tree->text;
	uint64_t n;
	int r = 0;

	for (uint64_t at = 0; r >= 0 && at < text->count; at += n) {
		n = ARC_MIN(text->count - at, ARC_BLOCK_MAX);
		r = mk_idxwrite_bytes(w, ARC_TABLE_TEXT, mk_spool_at(text, at),
				      (size_t)n);
		if (mk_spool_is_time())
			mk_tree_release(tree);
	}
	return r;
}

static int write_attributes(struct mk_idxwrite *w, const struct mk_tree *tree)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < tree->xsets.count; i++) {
		const struct mk_xset *set = mk_spool_at(&tree->xsets, i);
		struct arc_disk_xset row = {
			.first = arc_put64(set->first),
			.count = arc_put32((uint32_t)set->count),
		};

		r = mk_idxwrite_row(w, ARC_TABLE_XSET, &row);
		mk_tree_step(tree, i);
	}
	for (uint64_t i = 0; r >= 0 && i < tree->xattrs.count; i++) {
		const struct mk_xattr *x = mk_spool_at(&tree->xattrs, i);
		struct arc_disk_xattr row = {
			.name = arc_put64(x->name),
			.value = arc_put64(x->value),
		};

		r = mk_idxwrite_row(w, ARC_TABLE_XATTR, &row);
		mk_tree_step(tree, i);
	}
	return r;
}

/* ---- inodes ------------------------------------------------------------- */

static int write_extents(struct pass *p, const struct mk_entry *e)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < e->extents; i++) {
		const struct mk_extent *x =
			mk_spool_at(&p->tree->extents, e->data + i);
		struct arc_disk_extent row = {
			.file = arc_put64(x->file),
			.len = arc_put64(x->len),
			.stream = arc_put64(x->stream),
		};

		r = mk_idxwrite_row(p->w, ARC_TABLE_EXTENT, &row);
	}
	p->extents += e->extents;
	return r;
}

/* The two fields of an inode row that mean something else for every type. */
static void set_data(const struct pass *p, const struct mk_entry *e,
		     struct arc_disk_inode *row)
{
	const struct mk_tree *t = p->tree;
	struct arc_le32 len;

	switch (e->mode & S_IFMT) {
	case S_IFREG:
		row->size = arc_put64(e->size);
		row->data = arc_put64(e->size ? e->data : 0);
		row->leader = arc_put64(mk_tree_at(t, e->leader)->row);
		if (!(e->flags & MK_ENTRY_EXTENTS))
			break;
		row->data = arc_put64(p->extents);
		row->extents = arc_put32(e->extents);
		row->flags = arc_put32(ARC_INODE_EXTENTS);
		break;
	case S_IFDIR:
		row->size = arc_put64(e->size);
		row->data = arc_put64(e->data);
		row->leader = arc_put64(mk_tree_at(t, e->parent)->row);
		break;
	case S_IFLNK:
		memcpy(&len, mk_spool_at(&t->text, e->target), sizeof(len));
		row->size = arc_put64(arc_get32(len));
		row->data = arc_put64(e->target);
		break;
	case S_IFCHR:
	case S_IFBLK:
		row->data = arc_put64(e->rdev);
		break;
	default:
		break;
	}
}

static int write_inode(struct pass *p, const struct mk_entry *e)
{
	struct arc_disk_inode row = {
		.mtime = arc_put64((uint64_t)e->mtime),
		.mtime_ns = arc_put32(e->mtime_ns),
		.mode = arc_put32(e->mode),
		.uid = arc_put32(e->uid),
		.gid = arc_put32(e->gid),
		.nlink = arc_put32(e->nlink),
		.xset = arc_put32(e->xset),
		.leader = arc_put64(e->row),
		.share = arc_put64(e->share),
		.share_nlink = arc_put32(e->share_nlink),
	};
	int r;

	set_data(p, e, &row);
	r = mk_idxwrite_row(p->w, ARC_TABLE_INODE, &row);
	if (r >= 0 && S_ISREG(e->mode) && e->flags & MK_ENTRY_EXTENTS)
		r = write_extents(p, e);
	return r;
}

/* The digests of an inode; zeros for what has no content. */
static int write_digests(const struct pass *p, uint64_t i,
			 const struct mk_entry *e)
{
	static const uint8_t none[32];
	const struct mk_tree *t = p->tree;
	bool has = S_ISREG(e->mode);
	int r = 0;

	if (t->digests.count)
		r = mk_idxwrite_row(p->w, ARC_TABLE_DIGEST,
				    has ? mk_spool_at(&t->digests, i) : none);
	if (r >= 0 && t->sha256.count)
		r = mk_idxwrite_row(p->w, ARC_TABLE_SHA256,
				    has ? mk_spool_at(&t->sha256, i) : none);
	return r;
}

/* ---- entries ------------------------------------------------------------ */

static int write_name(struct mk_idxwrite *w, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);
	uint8_t len = (uint8_t)n;
	struct arc_span head = { &len, 1 };
	struct arc_span body = { (const uint8_t *)name, n };

	if (!n || n > ARC_NAME_MAX)
		return -EINVAL;
	return mk_idxwrite_item(w, ARC_TABLE_NAME, head, body, ret);
}

static int write_dirent(const struct pass *p, const struct mk_entry *e)
{
	struct arc_disk_dirent row = {
		.row = arc_put64(e->row),
		.share = arc_put64(e->share),
		.type = (uint8_t)((e->mode & S_IFMT) >> 12),
	};
	uint64_t name;
	int r = write_name(p->w, mk_tree_name(p->tree, e), &name);

	if (r < 0)
		return r;
	row.name = arc_put64(name);
	return mk_idxwrite_row(p->w, ARC_TABLE_DIRENT, &row);
}

static int write_entry(struct pass *p, uint64_t i)
{
	const struct mk_entry *e = mk_tree_at(p->tree, i);
	int r = 0;

	if (e->flags & MK_ENTRY_GONE)
		return 0;
	if (e->link == i) {
		r = write_inode(p, e);
		if (r >= 0)
			r = write_digests(p, i, e);
	}
	if (r >= 0 && i) /* the root has no name */
		r = write_dirent(p, e);
	return r;
}

int mk_idxwrite_tree(struct mk_idxwrite *w, const struct mk_tree *tree)
{
	struct pass p = { .w = w, .tree = tree };
	int r = write_text(w, tree);

	if (r >= 0)
		r = write_attributes(w, tree);
	for (uint64_t i = 0; r >= 0 && i < tree->entries.count; i++) {
		r = write_entry(&p, i);
		mk_tree_step(tree, i);
	}
	return r;
}
