/* SPDX-License-Identifier: MIT */
/*
 * Entries are added in the order of their names, before any subdirectory is
 * entered: so those of one directory stand together.
 */
#include "scan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "scan_i.h"
#include "source.h"

/* ---- the walk ------------------------------------------------------------ */

/* "DIR/" in sc->path, for the patterns; "" for the root. */
static int set_path(struct mk_scanner *sc, uint64_t dir)
{
	int err;

	sc->path.n = 0;
	if (!sc->run->opt->match || dir == 0)
		return 0;
	err = mk_tree_path(sc->tree, dir, &sc->path);
	return err ? err : arc_buf_append(&sc->path, "/", 1);
}

/* Adds what is in the directory; the number of subdirectories. */
static int add_dir(struct mk_scanner *sc, int fd, uint64_t dir,
		   uint64_t *subdirs)
{
	int err = mk_scan_list(sc, fd, dir);

	for (uint64_t i = 0; !err && i < sc->name_count; i++) {
		int added = mk_scan_add_name(sc, fd, dir,
					     mk_scan_listed_at(sc, i), NULL);

		err = added < 0 ? added : 0;
		*subdirs += added > 0;
		mk_scan_step(sc);
	}
	return err;
}

/* The same with what a thread has found. */
static int add_listed(struct mk_scanner *sc, int fd, uint64_t dir,
		      const struct mk_listed *listed, size_t n,
		      uint64_t *subdirs)
{
	bool own_volumes = mk_scan_has_own(sc, dir);
	uint64_t at;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		int added = 0;

		if (i > 0 && !strcmp(listed[i].name, listed[i - 1].name))
			continue;
		if (!mk_scan_is_kept(sc, dir, own_volumes, listed[i].name))
			continue;
		err = mk_scan_keep_name(sc, listed[i].name, &at);
		if (!err)
			added = mk_scan_add_name(sc, fd, dir, at, &listed[i]);
		if (added < 0)
			err = added;
		*subdirs += added > 0;
		mk_scan_step(sc);
	}
	return err;
}

/* Takes fd: adds the entries of the directory, and makes it the innermost one.
 * look: what a thread has found there, or NULL. */
static int enter(struct mk_scanner *sc, uint64_t dir, int fd,
		 struct mk_look *look)
{
	const struct mk_listed *listed;
	struct mk_dir_frame *f;
	uint64_t first = sc->tree->entries.count;
	uint64_t subdirs = 0;
	struct mk_entry *e;
	size_t n;
	int err = mk_dirs_push(&sc->dirs, dir, fd);

	if (!err)
		err = set_path(sc, dir);
	if (err)
		return err;
	if (look && mk_look_take(sc->ahead, look, &listed, &n))
		err = add_listed(sc, fd, dir, listed, n, &subdirs);
	else
		err = add_dir(sc, fd, dir, &subdirs);
	if (err)
		return err;
	e = mk_tree_at(sc->tree, dir);
	e->children = first;
	e->child_count = sc->tree->entries.count - first;
	f = mk_dirs_top(&sc->dirs);
	f->next = first;
	f->dirs_left = subdirs;
	return mk_scan_look_ahead(sc);
}

/* A directory that is open, and the one that was scanned. */
static int open_subdir(const struct mk_scanner *sc, int dir_fd, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(sc->tree, entry);
	arc_cleanup(arc_closep) int fd =
		mk_dirs_open_at(dir_fd, mk_tree_name(sc->tree, e));
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_dev != e->dev || st.st_ino != e->ino)
		return -ESTALE;
	return arc_steal_fd(&fd);
}

/* Enters the next subdirectory of the innermost directory, if it may be. */
static int descend(struct mk_scanner *sc)
{
	struct mk_dir_frame *f = mk_dirs_top(&sc->dirs);
	struct mk_look *look;
	uint64_t entry;
	int fd, err;

	do {
		entry = f->next++;
		mk_scan_step(sc);
	} while (!S_ISDIR(mk_tree_at(sc->tree, entry)->mode));
	f->dirs_left--;
	/* A mount point stays as an empty directory. */
	if (sc->run->opt->one_file_system &&
	    mk_tree_at(sc->tree, entry)->dev != sc->root_dev)
		return 0;
	look = mk_scan_look_of(sc, entry);
	err = mk_scan_look_ahead(sc);
	fd = err ? err : open_subdir(sc, f->fd, entry);
	if (fd >= 0)
		err = enter(sc, entry, fd, look);
	if (look)
		mk_look_free(sc->ahead, look);
	if (fd >= 0 || err)
		return err;
	if (mk_source_is_fatal(fd))
		return fd;
	mk_problem(sc->run, sc->tree, entry, "the directory cannot be opened",
		   fd);
	return 0;
}

static int leave(struct mk_scanner *sc)
{
	int err = mk_dirs_pop(&sc->dirs);
	struct mk_dir_frame *f;

	if (!err)
		return 0;
	if (mk_source_is_fatal(err))
		return err;
	f = mk_dirs_top(&sc->dirs);
	if (f->dirs_left > 0)
		mk_problem(sc->run, sc->tree, f->entry,
			   "the directory moved: some below it are missing",
			   err);
	f->dirs_left = 0;
	mk_scan_drop_looks(sc, f);
	return 0;
}

static int walk(struct mk_scanner *sc)
{
	int fd = openat(sc->tree->root_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd >= 0 ? enter(sc, 0, fd, NULL) : -errno;

	while (!err && sc->dirs.depth > 0)
		err = mk_dirs_top(&sc->dirs)->dirs_left > 0 ? descend(sc)
							    : leave(sc);
	return err;
}

/* ---- the source itself --------------------------------------------------- */

/* The folder, as the tree's root. */
static int scan_folder(struct mk_scanner *sc)
{
	struct stat st;
	int err;

	if (fstat(sc->tree->root_fd, &st))
		return -errno;
	sc->root_dev = st.st_dev;
	err = mk_lookahead_new(sc->run, sc->tree, sc->xattrs.by_proc,
			       &sc->ahead);
	if (!err)
		err = mk_scan_add_inode(sc, sc->tree->root_fd, 0, 0, NULL, &st,
					false);
	return err ? err : walk(sc);
}

/* One file: a root is made up around it. */
static int scan_file(struct mk_scanner *sc, const char *name,
		     const struct stat *st)
{
	struct mk_entry *root;
	uint64_t entry, at;
	int err = mk_tree_add(sc->tree, 1, &entry);

	if (!err)
		err = mk_spool_add(&sc->tree->names, strlen(name) + 1, &at);
	if (err)
		return err;
	memcpy(mk_spool_at(&sc->tree->names, at), name, strlen(name) + 1);
	root = mk_tree_at(sc->tree, 0);
	root->mode = S_IFDIR | 0755;
	root->uid = st->st_uid;
	root->gid = st->st_gid;
	root->mtime = st->st_mtim.tv_sec;
	root->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	mk_count(&sc->run->stats.dirs, 1);
	err = mk_scan_add_inode(sc, sc->tree->root_fd, 0, at, name, st, false);
	root->children = 1;
	root->child_count = 1;
	return err;
}

/*
 * Splits the way to a file into its folder, opened as the tree's root, and its
 * name, which is returned. A symlink is followed: the folder is the one that
 * the file is in. path is the caller's and cut up.
 */
static int open_folder_of(struct mk_tree *tree, char *path, const char **ret)
{
	char *slash = strrchr(path, '/');
	const char *folder = slash == path ? "/" : slash ? path : ".";

	*ret = slash ? slash + 1 : path;
	if (slash && slash != path)
		*slash = 0;
	tree->root_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return tree->root_fd >= 0 ? 0 : -errno;
}

/* The one file has to be readable, and must not be removed by --force before
 * it is read. */
static int check_file(const struct mk_scanner *sc, const char *name)
{
	arc_cleanup(arc_closep) int fd = -1;
	struct stat folder;

	if (fstat(sc->tree->root_fd, &folder))
		return -errno;
	if (mk_scan_is_own(sc->skip, &folder, name)) {
		arc_say(sc->run->diag, ARC_ERROR,
			"%s is a volume of the set that is to be written",
			name);
		return -EBUSY;
	}
	fd = openat(sc->tree->root_fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? 0 : -errno;
}

static int scan_source(struct mk_scanner *sc, const char *src,
		       const struct stat *st)
{
	arc_cleanup(arc_freep) char *path = NULL;
	const char *name;
	int err;

	if (S_ISDIR(st->st_mode)) {
		sc->tree->root_fd =
			open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sc->tree->root_fd < 0)
			return -errno;
	} else {
		path = realpath(src, NULL);
		if (!path)
			return -errno;
		sc->tree->single_file = true;
		err = open_folder_of(sc->tree, path, &name);
		if (!err)
			err = check_file(sc, name);
		if (err)
			return err;
	}
	err = mk_xattrs_init(&sc->xattrs, sc->run, sc->tree, sc->tree->root_fd);
	if (err)
		return err;
	return path ? scan_file(sc, name, st) : scan_folder(sc);
}

static void fini_scanner(struct mk_scanner *sc)
{
	for (size_t i = 0; i < sc->dirs.depth; i++)
		mk_scan_drop_looks(sc, &sc->dirs.frame[i]);
	mk_lookahead_free(sc->ahead);
	mk_dirs_fini(&sc->dirs);
	mk_xattrs_fini(&sc->xattrs);
	mk_slots_fini(&sc->links.slots);
	arc_buf_fini(&sc->path);
	arc_buf_fini(&sc->target);
	mk_scan_list_fini(sc);
}

int mk_scan(struct mk_run *run, struct mk_tree *tree,
	    const struct mk_scan_skip *skip)
{
	arc_cleanup(fini_scanner) struct mk_scanner sc = {
		.run = run,
		.tree = tree,
		.skip = skip,
		.links = { .rows = &tree->links },
	};
	const char *src = run->opt->src;
	struct stat st;
	int err = 0;

	if (stat(src, &st))
		err = -errno;
	if (!err && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		arc_say(run->diag, ARC_ERROR,
			"%s: neither a directory nor a regular file", src);
		return -EINVAL;
	}
	if (err) {
		arc_say(run->diag, ARC_ERROR, "cannot open %s: %s", src,
			strerrordesc_np(-err));
		return err;
	}
	mk_dirs_init(&sc.dirs, tree, mk_dirs_default());
	tree->root_path = strdup(src);
	if (!tree->root_path)
		return -ENOMEM;
	mk_slots_init(&sc.links.slots, tree->tmp_fd);
	err = scan_source(&sc, src, &st);
	if (err == -ENOSPC || err == -EDQUOT)
		arc_say(run->diag, ARC_ERROR,
			"no space for the list of files beside the volumes");
	else if (err)
		arc_say(run->diag, ARC_ERROR, "cannot scan %s: %s", src,
			strerrordesc_np(-err));
	mk_count(&run->stats.listed, tree->entries.count);
	mk_tree_release(tree);
	return err;
}
