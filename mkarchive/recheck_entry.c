/* SPDX-License-Identifier: MIT */
/*
 * First whether the source is still what was listed, then whether the archive
 * says the same of it: so a change of the source is never taken for a fault of
 * the archive, and what is compared is the source as it is now.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "recheck_i.h"

/* The source is not what was archived. */
static bool has_changed(const struct mk_tree *tree, const struct mk_relook *l)
{
	const struct mk_entry *e =
		mk_tree_at(tree, mk_tree_at(tree, l->entry)->link);
	const struct stat *st = &l->st;

	if (e->dev != st->st_dev || e->ino != st->st_ino ||
	    e->mode != st->st_mode || e->uid != st->st_uid ||
	    e->gid != st->st_gid)
		return true;
	if (S_ISREG(st->st_mode) && e->size != (uint64_t)st->st_size)
		return true;
	return !l->own_dir && (e->mtime != st->st_mtim.tv_sec ||
			       e->mtime_ns != (uint32_t)st->st_mtim.tv_nsec ||
			       e->ctime != st->st_ctim.tv_sec ||
			       e->ctime_ns != (uint32_t)st->st_ctim.tv_nsec);
}

static bool same_time(const struct mk_tree *tree, const struct mk_relook *l)
{
	const struct mk_entry *e = mk_tree_at(tree, l->entry);

	if (l->own_dir)
		return l->inode.mtime == e->mtime &&
		       l->inode.mtime_ns == e->mtime_ns;
	return l->inode.mtime == l->st.st_mtim.tv_sec &&
	       l->inode.mtime_ns == (uint32_t)l->st.st_mtim.tv_nsec;
}

static bool same_device(const struct mk_relook *l)
{
	uint64_t rdev =
		(uint64_t)major(l->st.st_rdev) << 32 | minor(l->st.st_rdev);

	if (!S_ISCHR(l->st.st_mode) && !S_ISBLK(l->st.st_mode))
		return true;
	return l->inode.data == rdev;
}

/* What lies in the row of the inode. NULL: all as it should be. */
static const char *compare_row(const struct mk_rewalk *w,
			       const struct mk_relook *l)
{
	const struct arc_inode *inode = &l->inode;
	const struct stat *st = &l->st;

	if ((inode->mode ^ st->st_mode) & S_IFMT)
		return "its type differs from the archive";
	if (inode->mode != st->st_mode)
		return "its mode differs from the archive";
	if (inode->uid != st->st_uid || inode->gid != st->st_gid)
		return "its owner differs from the archive";
	if (!same_time(w->tree, l))
		return "its time differs from the archive";
	if (S_ISREG(st->st_mode) && inode->size != (uint64_t)st->st_size)
		return "its size differs from the archive";
	if (!same_device(l))
		return "its device number differs from the archive";
	return NULL;
}

/* 1: differs; 2: it cannot be read again. */
static int compare_target(struct mk_rewalk *w, const struct mk_relook *l)
{
	arc_cleanup(arc_freep) char *target = NULL;
	int r;

	if (!S_ISLNK(l->st.st_mode))
		return 0;
	r = mk_scan_read_target(&w->target, l->dir_fd, l->name);
	if (r < 0)
		return r == -ENOMEM ? r : 2;
	r = arc_index_target(w->c->index, &l->inode, &target);
	if (r < 0)
		return r == -ENOMEM ? r : 1;
	return strlen(target) != w->target.n ||
	       memcmp(target, w->target.p, w->target.n) != 0;
}

/* The set of the archive is the one in w->xattrs.set. */
static int compare_set(struct mk_rewalk *w, const struct mk_relook *l, size_t n)
{
	char name[ARC_XATTR_NAME_MAX + 1];

	for (size_t i = 0; i <= n; i++) {
		const struct mk_xattr_in *x = &w->xattrs.set[i];
		arc_cleanup(arc_freep) uint8_t *value = NULL;
		size_t len;
		int r = arc_index_xattr(w->c->index, &l->inode, (uint32_t)i,
					name, &value, &len);

		if (r == -ENODATA)
			return i != n;
		if (r < 0)
			return r == -ENOMEM ? r : 1;
		if (i == n || strcmp(name, x->name) != 0 || len != x->n ||
		    (len > 0 && memcmp(value, x->value, len) != 0))
			return 1;
	}
	return 0;
}

/* 1: differs; 2: not all of them could be read or stored. */
static int compare_attributes(struct mk_rewalk *w, const struct mk_relook *l)
{
	uint64_t before = mk_value(&w->muted.stats.problems);
	size_t n;
	int r = mk_xattrs_read(&w->xattrs, l->dir_fd, l->dir, l->name,
			       l->st.st_mode, &n);

	if (r < 0)
		return r;
	if (mk_value(&w->muted.stats.problems) != before)
		return 2;
	return n == 0 && l->inode.xset == 0 ? 0 : compare_set(w, l, n);
}

/* Ticks off an inode of the archive. False: it has no such row. */
static bool tick_off(struct mk_rewalk *w, struct mk_relook *l)
{
	uint64_t row = l->inode.ino - 1;
	uint8_t bit = (uint8_t)(1U << row % 8);

	if (row >= w->inodes)
		return false;
	l->seen = w->seen[row / 8] & bit;
	w->seen_count += !l->seen;
	w->seen[row / 8] |= bit;
	return true;
}

/* Whether the names of an inode in the source are those in the archive. */
static int compare_links(struct mk_rewalk *w, const struct mk_relook *l)
{
	const struct mk_link *link = mk_links_find(&w->links, &l->st);

	if (link)
		return mk_tree_at(w->tree, link->entry)->row + 1 !=
		       l->inode.ino;
	if (l->seen)
		return 1;
	return mk_links_note(&w->links, &l->st, l->entry, 0);
}

/* All but the content. 1: not equal, said. */
static int compare_entry(struct mk_rewalk *w, struct mk_relook *l)
{
	const char *what = compare_row(w, l);
	int r;

	r = what ? 0 : compare_links(w, l);
	if (r > 0)
		what = "its hard links differ from the archive";
	if (r == 0 && !what) {
		r = compare_target(w, l);
		if (r == 1)
			what = "its target differs from the archive";
	}
	if (r == 0 && !what) {
		r = compare_attributes(w, l);
		if (r == 1)
			what = "its attributes differ from the archive";
	}
	if (what)
		mk_recheck_differs(w->c, l->entry, what);
	else if (r == 2)
		mk_recheck_doubt(w->c, l->entry,
				 S_ISLNK(l->st.st_mode)
					 ? "cannot be read again: not verified"
					 : "not all of its attributes are in "
					   "the archive: not verified",
				 0);
	return r < 0 ? r : what || r > 0;
}

static int stat_entry(struct mk_relook *l)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
		    (l->name ? 0 : AT_EMPTY_PATH);

	return fstatat(l->dir_fd, l->name ? l->name : "", &l->st, flags)
		       ? -errno
		       : 0;
}

int mk_recheck_entry(struct mk_rewalk *w, struct mk_relook *l, uint64_t ino)
{
	struct mk_entry *e = mk_tree_at(w->tree, l->entry);
	int r = arc_index_inode(w->c->index, ino, &l->inode);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || !tick_off(w, l)) {
		mk_recheck_differs(w->c, l->entry,
				   "cannot be read from the archive's index");
		w->passed_over = true;
		return 0;
	}
	e->row = ino - 1;
	r = stat_entry(l);
	if (r < 0) {
		mk_recheck_doubt(w->c, l->entry,
				 r == -ENOENT ? "vanished since it was "
						"archived: not verified"
					      : "cannot be read again: not "
						"verified",
				 r == -ENOENT ? 0 : r);
		return 0;
	}
	if (has_changed(w->tree, l)) {
		mk_recheck_doubt(w->c, l->entry,
				 "changed since it was archived: not verified",
				 0);
		return 0;
	}
	r = compare_entry(w, l);
	if (r != 0)
		return r < 0 ? r : 0;
	e->flags |= MK_ENTRY_VERIFIED;
	if (S_ISREG(l->st.st_mode) && e->link == l->entry)
		r = mk_recheck_add_pieces(w->c, l->entry, &l->inode);
	return r;
}
