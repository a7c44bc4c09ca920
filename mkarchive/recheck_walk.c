/* SPDX-License-Identifier: MIT */
/*
 * The tree and the directories of the index are both sorted by the bytes of
 * their names, so the two are merged: what stands in one alone is found on the
 * way. The source is asked name by name, through directories opened one from
 * the other as the scan did.
 *
 * Nothing that the writer noted is believed. Which names are one inode is found
 * out anew from the source, and that no others are, by ticking off the inodes
 * of the archive.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "match.h"
#include "recheck_i.h"
#include "source.h"

#define LISTING_BUFFER 65536

/* ---- one directory ------------------------------------------------------- */

static bool is_own_dir(const struct mk_rewalk *w, uint64_t dir)
{
	const struct mk_entry *e = mk_tree_at(w->tree, dir);

	return w->c->skip->dev == e->dev && w->c->skip->ino == e->ino;
}

static void step(struct mk_rewalk *w)
{
	mk_tree_step(w->tree, ++w->steps);
}

/* Something in a directory of the archive that the source never had. */
static void say_extra(struct mk_rewalk *w, uint64_t dir, const char *name)
{
	mk_count(&w->c->run->stats.differences, 1);
	mk_problem_name(w->c->run, w->tree, dir, name,
			"stands in the archive, and not in the source", 0);
}

/* The next entry of the archive's directory; *name "" behind the last. */
static int next_of_archive(struct mk_rewalk *w, const struct arc_inode *dir,
			   uint64_t *at, struct arc_dirent *ret)
{
	int r = arc_index_entry(w->c->index, dir, *at, ret);

	if (r == -ENOENT) {
		ret->name[0] = '\0';
		return 0;
	}
	(*at)++;
	return r;
}

/* Merges the entries of tree and archive, both sorted by name. */
static int check_names(struct mk_rewalk *w, uint64_t dir, int fd,
		       const struct arc_inode *inode)
{
	const struct mk_entry *d = mk_tree_at(w->tree, dir);
	uint64_t i = d->children, end = i + d->child_count;
	uint64_t at = 0;
	struct arc_dirent a;
	int r = next_of_archive(w, inode, &at, &a);

	while (r >= 0 && (i < end || a.name[0])) {
		const struct mk_entry *e =
			i < end ? mk_tree_at(w->tree, i) : NULL;
		const char *name = e ? mk_tree_name(w->tree, e) : NULL;
		int order = !e ? 1 : !a.name[0] ? -1 : strcmp(name, a.name);

		if (e && e->flags & MK_ENTRY_GONE) {
			i++;
			continue;
		}
		step(w);
		if (order > 0) {
			say_extra(w, dir, a.name);
		} else if (order < 0) {
			mk_recheck_differs(w->c, i++,
					   "is missing in the archive");
			continue;
		} else {
			struct mk_relook l = { .entry = i++,
					       .dir = dir,
					       .dir_fd = fd,
					       .name = name };

			l.own_dir = is_own_dir(w, l.entry);
			r = mk_recheck_entry(w, &l, a.ino);
		}
		if (r >= 0)
			r = next_of_archive(w, inode, &at, &a);
	}
	return r;
}

/* ---- what has come since ------------------------------------------------- */

/* Whether the scan saw the name: binary search, the children are sorted. */
static bool is_known(const struct mk_rewalk *w, uint64_t dir, const char *name)
{
	const struct mk_entry *d = mk_tree_at(w->tree, dir);
	uint64_t lo = d->children, hi = lo + d->child_count;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		int order = strcmp(
			mk_tree_name(w->tree, mk_tree_at(w->tree, mid)), name);

		if (order == 0)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool is_excluded(struct mk_rewalk *w, int fd, uint64_t dir,
			const char *name)
{
	struct stat st;

	if (!w->c->run->opt->match)
		return false;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return true; /* it has gone again */
	w->path.n = 0;
	if (mk_tree_path(w->tree, dir, &w->path) ||
	    (w->path.n && arc_buf_append(&w->path, "/", 1)) ||
	    arc_buf_append(&w->path, name, strlen(name) + 1))
		return false;
	return mk_match_excluded(w->c->run->opt->match, (char *)w->path.p,
				 S_ISDIR(st.st_mode));
}

static void name_new(struct mk_rewalk *w, int fd, uint64_t dir, ssize_t n)
{
	const struct stat st = { .st_dev = mk_tree_at(w->tree, dir)->dev,
				 .st_ino = mk_tree_at(w->tree, dir)->ino };

	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *d = (void *)(w->listing + at);
		const char *name = d->d_name;

		at += d->d_reclen;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    mk_scan_is_own(w->c->skip, &st, name) ||
		    is_known(w, dir, name) || is_excluded(w, fd, dir, name))
			continue;
		mk_problem_name(w->c->run, w->tree, dir, name,
				"is not in the archive", 0);
	}
}

/* Names what is in a directory that has changed and was not archived. Of a
 * list, and of other file systems, not everything was wanted. */
static void look_for_new(struct mk_rewalk *w, uint64_t dir, int fd)
{
	const struct mk_options *opt = w->c->run->opt;
	const struct mk_entry *e = mk_tree_at(w->tree, dir);
	ssize_t n;

	if (opt->files_from || w->tree->single_file ||
	    (opt->one_file_system && e->dev != mk_tree_at(w->tree, 0)->dev))
		return;
	if (!(e->flags & MK_ENTRY_DOUBT) && !is_own_dir(w, dir))
		return;
	while ((n = getdents64(fd, w->listing, LISTING_BUFFER)) > 0)
		name_new(w, fd, dir, n);
}

/* ---- the walk ------------------------------------------------------------ */

/* Takes fd: checks what is in the directory, makes it the innermost one. */
static int enter(struct mk_rewalk *w, uint64_t dir, int fd)
{
	const struct mk_entry *e = mk_tree_at(w->tree, dir);
	struct mk_dir_frame *f;
	struct arc_inode inode;
	int r = mk_dirs_push(&w->dirs, dir, fd);

	if (r >= 0)
		r = arc_index_inode(w->c->index, e->row + 1, &inode);
	if (r >= 0)
		r = check_names(w, dir, fd, &inode);
	if (r < 0)
		return r;
	look_for_new(w, dir, fd);
	f = mk_dirs_top(&w->dirs);
	f->next = e->children;
	for (uint64_t i = 0; i < e->child_count; i++)
		f->dirs_left +=
			S_ISDIR(mk_tree_at(w->tree, e->children + i)->mode);
	return 0;
}

/* Where the archive has no directory, there is nothing to enter. */
static bool can_enter(const struct mk_entry *e)
{
	return S_ISDIR(e->mode) &&
	       !(e->flags & (MK_ENTRY_GONE | MK_ENTRY_DIFFERS)) &&
	       e->flags & (MK_ENTRY_VERIFIED | MK_ENTRY_DOUBT);
}

static int descend(struct mk_rewalk *w)
{
	struct mk_dir_frame *f = mk_dirs_top(&w->dirs);
	arc_cleanup(arc_closep) int fd = -1;
	uint64_t entry = mk_dirs_next(&w->dirs);
	const struct mk_entry *e = mk_tree_at(w->tree, entry);
	struct stat st;

	if (!can_enter(e)) {
		w->passed_over = true;
		return 0;
	}
	fd = mk_dirs_open_at(f->fd, mk_tree_name(w->tree, e));
	if (mk_source_is_fatal(fd))
		return fd;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == e->dev &&
	    st.st_ino == e->ino)
		return enter(w, entry, arc_steal_fd(&fd));
	w->passed_over = true;
	if (e->child_count > 0)
		mk_recheck_doubt(w->c, entry,
				 "cannot be entered again: what is in it is "
				 "not verified",
				 fd < 0 ? fd : 0);
	return 0;
}

static int leave(struct mk_rewalk *w)
{
	struct mk_dir_frame *f;
	int r = mk_dirs_pop(&w->dirs);

	if (r >= 0 || mk_source_is_fatal(r))
		return r;
	w->passed_over = true;
	f = mk_dirs_top(&w->dirs);
	if (f->dirs_left > 0)
		mk_recheck_doubt(w->c, f->entry,
				 "moved: not all below it is verified", r);
	f->dirs_left = 0;
	return 0;
}

/* A root that was made up around a single file is nowhere in the source. */
static int check_root(struct mk_rewalk *w, int fd)
{
	struct mk_relook l = { .dir_fd = fd, .own_dir = is_own_dir(w, 0) };
	struct mk_entry *root = mk_tree_at(w->tree, 0);

	if (!w->tree->single_file)
		return mk_recheck_entry(w, &l, ARC_ROOT_INO);
	w->seen[0] |= 1;
	w->seen_count++;
	root->row = 0;
	root->flags |= MK_ENTRY_VERIFIED;
	return 0;
}

static int walk(struct mk_rewalk *w)
{
	int flags = w->tree->single_file ? O_PATH : O_RDONLY;
	int fd = openat(w->tree->root_fd, ".", flags | O_DIRECTORY | O_CLOEXEC);
	int r = fd >= 0 ? check_root(w, fd) : -errno;

	if (r >= 0)
		r = enter(w, 0, fd);
	else if (fd >= 0)
		close(fd);
	while (r >= 0 && w->dirs.depth > 0)
		r = mk_dirs_top(&w->dirs)->dirs_left > 0 ? descend(w)
							 : leave(w);
	if (r >= 0 && !w->passed_over &&
	    w->seen_count < arc_index_inodes(w->c->index)) {
		mk_count(&w->c->run->stats.differences, 1);
		mk_problem_path(w->c->run, w->c->run->opt->out,
				"it holds inodes that no name leads to", 0);
	}
	return r;
}

/* As many inodes as entries at most, whatever the archive says. */
static int begin(struct mk_rewalk *w)
{
	uint64_t count = arc_index_inodes(w->c->index);
	int r;

	w->inodes = ARC_MIN(count, w->tree->entries.count);
	w->seen = calloc(w->inodes / 8 + 1, 1);
	w->listing = malloc(LISTING_BUFFER);
	if (!w->seen || !w->listing)
		return -ENOMEM;
	r = mk_spool_open(&w->link_rows, w->c->dir_fd, sizeof(struct mk_link));
	if (r >= 0)
		r = mk_xattrs_init(&w->xattrs, &w->muted, w->tree,
				   w->tree->root_fd);
	mk_dirs_init(&w->dirs, w->tree, mk_dirs_default());
	return r;
}

int mk_recheck_walk(struct mk_recheck *c)
{
	struct mk_rewalk w = { .c = c, .tree = c->tree };
	int r;

	arc_diag_init(&w.mute, NULL, NULL, ARC_ERROR);
	w.muted.opt = c->run->opt;
	w.muted.diag = &w.mute;
	w.links.rows = &w.link_rows;
	r = begin(&w);
	if (r >= 0)
		r = walk(&w);
	mk_dirs_fini(&w.dirs);
	mk_xattrs_fini(&w.xattrs);
	mk_slots_fini(&w.links.slots);
	mk_spool_close(&w.link_rows);
	arc_buf_fini(&w.target);
	arc_buf_fini(&w.path);
	free(w.listing);
	free(w.seen);
	arc_diag_fini(&w.mute);
	return r;
}
