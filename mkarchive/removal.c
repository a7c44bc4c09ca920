/* SPDX-License-Identifier: MIT */
/*
 * There is no call that removes a name only if it still means a certain inode.
 * So a name is given another one first, which nobody else knows; what lies there
 * then is looked at once more, and is removed, or gets its name back. Whoever
 * puts another file in the place at any moment, as editors do when they save,
 * does not lose it. File systems that cannot rename so do without: there the
 * last look comes just before the removal.
 */
#include "removal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "recheck.h"
#include "report.h"
#include "scan_i.h"
#include "source.h"

/* A file that we write to ourselves, should it lie in the source. */
struct own_file {
	uint64_t dev;
	uint64_t ino;
};

struct removing {
	struct mk_run *run;
	struct own_file own[3]; /* standard output and error, the report */
	size_t own_count;
	struct mk_tree *tree;
	struct mk_dirs dirs;
	uint64_t steps;
	char own_name[32]; /* of what is just being removed */
	bool read_only; /* nothing can be removed: said once */
};

static void problem(struct removing *x, uint64_t entry, const char *what,
		    int err)
{
	mk_problem(x->run, x->tree, entry, what, err);
}

/* ---- files --------------------------------------------------------------- */

static void note_own(struct removing *x, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		x->own[x->own_count++] =
			(struct own_file){ st.st_dev, st.st_ino };
}

static bool is_own(const struct removing *x, const struct stat *st)
{
	for (size_t i = 0; i < x->own_count; i++) {
		if (x->own[i].dev == st->st_dev && x->own[i].ino == st->st_ino)
			return true;
	}
	return false;
}

/* All but the time of the last change of the inode: to lose a name is one. */
static bool same_but_ctime(const struct mk_entry *e, const struct stat *st)
{
	return e->dev == st->st_dev && e->ino == st->st_ino &&
	       e->mode == st->st_mode && e->uid == st->st_uid &&
	       e->gid == st->st_gid &&
	       (!S_ISREG(st->st_mode) || e->size == (uint64_t)st->st_size) &&
	       e->mtime == st->st_mtim.tv_sec &&
	       e->mtime_ns == (uint32_t)st->st_mtim.tv_nsec;
}

static bool is_unchanged(const struct mk_entry *e, const struct stat *st)
{
	return same_but_ctime(e, st) && e->ctime == st->st_ctim.tv_sec &&
	       e->ctime_ns == (uint32_t)st->st_ctim.tv_nsec;
}

/* The inode after it has lost a name. Its other names are still to be removed
 * if nothing but that has happened to it. */
static void look_after(struct removing *x, uint64_t entry, int fd,
		       const struct stat *before)
{
	struct mk_entry *first =
		mk_tree_at(x->tree, mk_tree_at(x->tree, entry)->link);
	struct stat st;

	if (fstat(fd, &st) || st.st_nlink + 1 != before->st_nlink ||
	    !same_but_ctime(first, &st))
		return;
	first->ctime = st.st_ctim.tv_sec;
	first->ctime_ns = (uint32_t)st.st_ctim.tv_nsec;
}

/* The name is ours alone now: -ESTALE, and it has its old name again, when what
 * it means is not what was compared. */
static int remove_renamed(struct removing *x, int dir_fd, uint64_t entry,
			  const char *name)
{
	const struct mk_entry *e = mk_tree_at(x->tree, entry);
	struct stat st;

	if (fstatat(dir_fd, x->own_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    same_but_ctime(mk_tree_at(x->tree, e->link), &st))
		return unlinkat(dir_fd, x->own_name, 0) ? -errno : 0;
	if (renameat2(dir_fd, x->own_name, dir_fd, name, RENAME_NOREPLACE)) {
		char what[80];

		snprintf(what, sizeof(what),
			 "was exchanged twice: it is called %s now",
			 x->own_name);
		problem(x, entry, what, -errno);
	}
	return -ESTALE;
}

/* The name of what was compared just now. */
static int remove_checked(struct removing *x, int dir_fd, uint64_t entry,
			  const char *name)
{
	if (renameat2(dir_fd, name, dir_fd, x->own_name, RENAME_NOREPLACE) == 0)
		return remove_renamed(x, dir_fd, entry, name);
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return unlinkat(dir_fd, name, 0) ? -errno : 0;
}

/*
 * Whether another program has the file open for writing: what it writes next
 * would be lost. The kernel gives no lease then. File systems without leases,
 * and files of others, are not asked in vain: they just say nothing.
 */
static bool is_being_written(const struct mk_entry *e, int dir_fd,
			     const char *name)
{
	arc_cleanup(arc_closep) int fd = -1;
	bool busy;

	if (!S_ISREG(e->mode))
		return false;
	fd = mk_source_open_at(dir_fd, name);
	if (fd < 0)
		return false;
	busy = fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return busy;
}

static void remove_name(struct removing *x, int dir_fd, uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(x->tree, entry);
	const char *name = mk_tree_name(x->tree, e);
	arc_cleanup(arc_closep) int fd =
		openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st)) {
		problem(x, entry, "stays: it cannot be looked at again",
			-errno);
		return;
	}
	if (is_own(x, &st)) {
		problem(x, entry, "stays: this program writes to it", 0);
		return;
	}
	if (is_being_written(e, dir_fd, name)) {
		problem(x, entry, "stays: another program has it open to write",
			0);
		return;
	}
	r = is_unchanged(mk_tree_at(x->tree, e->link), &st)
		    ? remove_checked(x, dir_fd, entry, name)
		    : -ESTALE;
	if (r == -ESTALE)
		problem(x, entry, "stays: it changed since it was compared", 0);
	else if (r < 0)
		problem(x, entry, "cannot be removed", r);
	x->read_only = r == -EROFS;
	if (r < 0)
		return;
	e->flags |= MK_ENTRY_REMOVED;
	mk_count(&x->run->stats.removed, 1);
	if (S_ISREG(e->mode) && e->link == entry)
		mk_count(&x->run->stats.removed_bytes, e->size);
	look_after(x, entry, fd, &st);
}

/* ---- directories --------------------------------------------------------- */

static bool is_gone(const struct mk_entry *e)
{
	return e->flags & MK_ENTRY_GONE;
}

static bool is_same_dir(const struct mk_entry *e, const struct stat *st)
{
	return e->dev == st->st_dev && e->ino == st->st_ino;
}

/* Takes fd: removes the files in the directory, makes it the innermost one. */
static int enter(struct removing *x, uint64_t dir, int fd)
{
	const struct mk_entry *d = mk_tree_at(x->tree, dir);
	struct mk_dir_frame *f;
	int r = mk_dirs_push(&x->dirs, dir, fd);

	if (r < 0)
		return r;
	f = mk_dirs_top(&x->dirs);
	f->next = d->children;
	for (uint64_t i = d->children; i < d->children + d->child_count; i++) {
		const struct mk_entry *e = mk_tree_at(x->tree, i);

		mk_tree_step(x->tree, ++x->steps);
		if (S_ISDIR(e->mode))
			f->dirs_left++;
		else if (!is_gone(e) && mk_recheck_passed(x->tree, i) &&
			 !x->read_only)
			remove_name(x, fd, i);
	}
	return 0;
}

static int descend(struct removing *x)
{
	struct mk_dir_frame *f = mk_dirs_top(&x->dirs);
	arc_cleanup(arc_closep) int fd = -1;
	uint64_t entry = mk_dirs_next(&x->dirs);
	const struct mk_entry *e = mk_tree_at(x->tree, entry);
	struct stat st;

	if (is_gone(e))
		return 0;
	fd = mk_dirs_open_at(f->fd, mk_tree_name(x->tree, e));
	if (mk_source_is_fatal(fd))
		return fd;
	if (fd >= 0 && fstat(fd, &st) == 0 && is_same_dir(e, &st))
		return enter(x, entry, arc_steal_fd(&fd));
	problem(x, entry, "stays: the folder is not the one that was compared",
		fd < 0 ? fd : 0);
	return 0;
}

/* A folder that was compared, if it is empty now. One that something is mounted
 * on is left alone. */
static void remove_dir(struct removing *x, int parent_fd, uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(x->tree, entry);
	const char *name = mk_tree_name(x->tree, e);
	struct stat st;

	if (!mk_recheck_passed(x->tree, entry) ||
	    e->dev != mk_tree_at(x->tree, e->parent)->dev)
		return;
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !is_same_dir(e, &st) || e->mode != st.st_mode ||
	    e->uid != st.st_uid || e->gid != st.st_gid) {
		problem(x, entry,
			"stays: the folder changed since it was compared", 0);
		return;
	}
	if (unlinkat(parent_fd, name, AT_REMOVEDIR)) {
		if (errno != ENOTEMPTY && errno != EEXIST)
			problem(x, entry, "the folder cannot be removed",
				-errno);
		return;
	}
	e->flags |= MK_ENTRY_REMOVED;
	mk_count(&x->run->stats.removed, 1);
}

static int leave(struct removing *x)
{
	uint64_t left = mk_dirs_top(&x->dirs)->entry;
	int r = mk_dirs_pop(&x->dirs);
	struct mk_dir_frame *f;

	if (mk_source_is_fatal(r) || x->dirs.depth == 0)
		return r;
	f = mk_dirs_top(&x->dirs);
	if (r < 0) {
		problem(x, f->entry, "moved: what is left below it stays", r);
		f->dirs_left = 0;
		return 0;
	}
	remove_dir(x, f->fd, left);
	return 0;
}

static int remove_all(struct removing *x)
{
	int flags = x->tree->single_file ? O_PATH : O_RDONLY;
	int fd = openat(x->tree->root_fd, ".", flags | O_DIRECTORY | O_CLOEXEC);
	int r = fd >= 0 ? enter(x, 0, fd) : -errno;

	while (r >= 0 && x->dirs.depth > 0 && !x->read_only)
		r = mk_dirs_top(&x->dirs)->dirs_left > 0 ? descend(x)
							 : leave(x);
	return r;
}

/* ------------------------------------------------------------------------- */

int mk_removal(struct mk_run *run, struct mk_tree *tree)
{
	struct removing x = { .run = run, .tree = tree };
	int r;

	snprintf(x.own_name, sizeof(x.own_name), ".removing-%d", getpid());
	/* Tells who holds a lease that somebody wants the file: not for long. */
	signal(SIGIO, SIG_IGN);
	note_own(&x, STDOUT_FILENO);
	note_own(&x, STDERR_FILENO);
	if (run->report)
		note_own(&x, mk_report_fd(run->report));
	mk_dirs_init(&x.dirs, tree, mk_dirs_default());
	r = remove_all(&x);
	mk_dirs_fini(&x.dirs);
	if (r < 0)
		arc_say(run->diag, ARC_ERROR,
			"%s: not all that was verified could be removed: %s",
			run->opt->src, arc_error_text(r));
	return r;
}
