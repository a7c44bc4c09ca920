/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "format.h"
#include "match.h"
#include "scan_i.h"

static void skip_name(struct mk_scanner *sc, uint64_t dir, const char *name,
		      const char *what, int err)
{
	mk_problem_name(sc->run, sc->tree, dir, name, what, err);
}

/* 1: a pattern says so. */
static int is_excluded(struct mk_scanner *sc, const char *name, bool is_dir)
{
	size_t before = sc->path.n;
	bool hit;
	int err;

	if (!sc->run->opt->match)
		return 0;
	err = arc_buf_append(&sc->path, name, strlen(name) + 1);
	if (err)
		return err;
	sc->path.n = before;
	hit = mk_match_excluded(sc->run->opt->match, (char *)sc->path.p,
				is_dir);
	if (hit)
		mk_count(&sc->run->stats.excluded, 1);
	return hit;
}

void mk_scan_fill(struct mk_entry *e, const struct stat *st)
{
	e->dev = st->st_dev;
	e->ino = st->st_ino;
	e->mtime = st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	e->ctime = st->st_ctim.tv_sec;
	e->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
	e->mode = st->st_mode;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	if (S_ISREG(st->st_mode)) {
		e->size = (uint64_t)st->st_size;
		if (st->st_blocks < st->st_size / 512 + (st->st_size % 512 > 0))
			e->flags |= MK_ENTRY_SPARSE;
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		e->rdev =
			(uint64_t)major(st->st_rdev) << 32 | minor(st->st_rdev);
}

static void count(struct mk_stats *stats, const struct stat *st)
{
	if (S_ISREG(st->st_mode)) {
		mk_count(&stats->files, 1);
		mk_count(&stats->bytes, (uint64_t)st->st_size);
	} else if (S_ISDIR(st->st_mode)) {
		mk_count(&stats->dirs, 1);
	} else if (S_ISLNK(st->st_mode)) {
		mk_count(&stats->symlinks, 1);
	} else {
		mk_count(&stats->others, 1);
	}
}

/* st_size is a hint, often 0. */
int mk_scan_read_target(struct arc_buf *b, int dir_fd, const char *name)
{
	size_t room = 256;

	for (;; room *= 4) {
		ssize_t n;

		b->n = 0;
		if (arc_buf_reserve(b, room))
			return -ENOMEM;
		n = readlinkat(dir_fd, name, (char *)b->p, room);
		if (n < 0)
			return errno == ENOMEM ? -EIO : -errno;
		b->n = (size_t)n;
		if (b->n < room)
			return b->n <= ARC_TARGET_MAX ? 0 : -ENAMETOOLONG;
	}
}

/* The next name of an inode. The first may lie anywhere: it is looked at only
 * for what a symlink has. */
static int add_link(struct mk_scanner *sc, uint64_t dir, uint64_t name,
		    const struct mk_link *link, const struct stat *st)
{
	uint64_t entry;
	struct mk_entry *e;
	int err = mk_tree_add(sc->tree, 1, &entry);

	if (err)
		return err;
	e = mk_tree_at(sc->tree, entry);
	if (S_ISLNK(st->st_mode)) {
		*e = *mk_tree_at(sc->tree, link->entry);
	} else {
		mk_scan_fill(e, st);
		e->xset = link->xset;
	}
	e->name = name;
	e->parent = dir;
	e->link = link->entry;
	e->leader = entry;
	mk_count(&sc->run->stats.hardlinks, 1);
	return 0;
}

int mk_scan_add_inode(struct mk_scanner *sc, int dir_fd, uint64_t dir,
		      uint64_t name, const char *text, const struct stat *st,
		      bool plain)
{
	uint32_t xset = 0;
	size_t xattrs = 0;
	uint64_t entry;
	struct mk_entry *e;
	int err = 0;

	if (!plain)
		err = mk_xattrs_read(&sc->xattrs, dir_fd, dir, text,
				     st->st_mode, &xattrs);
	if (!err)
		err = mk_tree_intern(sc->tree, sc->xattrs.set, xattrs, &xset);
	if (!err)
		err = mk_tree_add(sc->tree, 1, &entry);
	if (err)
		return err;
	e = mk_tree_at(sc->tree, entry);
	e->name = name;
	e->parent = dir;
	e->xset = xset;
	mk_scan_fill(e, st);
	if (S_ISLNK(st->st_mode)) {
		e->size = sc->target.n;
		err = mk_tree_add_text(sc->tree, sc->target.p, sc->target.n,
				       &e->target);
	}
	count(&sc->run->stats, st);
	return err ? err : mk_links_note(&sc->links, st, entry, xset);
}

int mk_scan_add_name(struct mk_scanner *sc, int dir_fd, uint64_t dir,
		     uint64_t name, const struct mk_listed *listed)
{
	const char *text = mk_spool_at(&sc->tree->names, name);
	bool known = listed && listed->known;
	struct stat st;
	const struct mk_link *link;
	int err;

	if (known) {
		st = listed->st;
	} else if (fstatat(dir_fd, text, &st,
			   AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
		skip_name(sc, dir, text,
			  errno == ENOENT ? "vanished while it was scanned"
					  : "cannot be read",
			  errno == ENOENT ? 0 : -errno);
		return 0;
	}
	err = is_excluded(sc, text, S_ISDIR(st.st_mode));
	if (err)
		return err < 0 ? err : 0;
	link = mk_links_find(&sc->links, &st);
	if (link)
		return add_link(sc, dir, name, link, &st);
	if (S_ISLNK(st.st_mode)) {
		err = mk_scan_read_target(&sc->target, dir_fd, text);
		if (err == -ENOMEM)
			return err;
		if (err) {
			skip_name(sc, dir, text, "the link cannot be read",
				  err);
			return 0;
		}
	}
	err = mk_scan_add_inode(sc, dir_fd, dir, name, text, &st, known);
	return err ? err : S_ISDIR(st.st_mode);
}
