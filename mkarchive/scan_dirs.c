/* SPDX-License-Identifier: MIT */
/*
 * The way back up is "..", checked against what the scan saw: one step whatever
 * the depth. Only when that fails (the folder was moved, or may not be
 * searched) the way is walked down again from the root.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "longpath.h"
#include "scan_i.h"

#define OPEN_MAX_DIRS 32
#define OPEN_MIN_DIRS 4

void mk_dirs_init(struct mk_dirs *d, const struct mk_tree *tree,
		  size_t max_open)
{
	*d = (struct mk_dirs){ .tree = tree, .max_open = max_open };
}

size_t mk_dirs_default(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return OPEN_MIN_DIRS;
	return ARC_MAX(ARC_MIN(limit.rlim_cur / 4, OPEN_MAX_DIRS),
		       OPEN_MIN_DIRS);
}

static void close_frame(struct mk_dir_frame *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void mk_dirs_fini(struct mk_dirs *d)
{
	for (size_t i = d->first_open; i < d->depth; i++)
		close_frame(&d->frame[i]);
	free(d->frame);
	*d = (struct mk_dirs){ 0 };
}

int mk_dirs_open_at(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir_fd, name, flags);
	return fd >= 0 ? fd : -errno;
}

int mk_dirs_push(struct mk_dirs *d, uint64_t entry, int fd)
{
	if (d->depth == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct mk_dir_frame *more =
			reallocarray(d->frame, cap, sizeof(*more));

		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		d->frame = more;
		d->cap = cap;
	}
	if (d->depth - d->first_open >= d->max_open)
		close_frame(&d->frame[d->first_open++]);
	d->frame[d->depth++] =
		(struct mk_dir_frame){ .entry = entry, .fd = fd };
	return 0;
}

uint64_t mk_dirs_next(struct mk_dirs *d)
{
	struct mk_dir_frame *f = mk_dirs_top(d);

	while (!S_ISDIR(mk_tree_at(d->tree, f->next)->mode))
		f->next++;
	f->dirs_left--;
	return f->next++;
}

/* fd when it is the directory of the scan; it is closed else. */
static int check_is(const struct mk_tree *tree, uint64_t entry, int fd)
{
	const struct mk_entry *e = mk_tree_at(tree, entry);
	struct stat st;
	int err = -ESTALE;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		err = -errno;
	else if (st.st_dev == e->dev && st.st_ino == e->ino)
		return fd;
	close(fd);
	return err;
}

static int open_from_root(const struct mk_tree *tree, uint64_t entry)
{
	struct arc_buf path = { 0 };
	int fd = mk_tree_path(tree, entry, &path);

	if (!fd)
		fd = mk_longpath_open(tree->root_fd, (char *)path.p,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					      O_CLOEXEC);
	arc_buf_fini(&path);
	return fd;
}

int mk_dirs_pop(struct mk_dirs *d)
{
	struct mk_dir_frame left = d->frame[--d->depth];
	struct mk_dir_frame *f;
	int fd = -ENOENT;

	if (d->depth == 0 || d->first_open < d->depth) {
		close_frame(&left);
		return 0;
	}
	f = mk_dirs_top(d);
	d->first_open = d->depth - 1;
	if (left.fd >= 0)
		fd = check_is(d->tree, f->entry,
			      mk_dirs_open_at(left.fd, ".."));
	close_frame(&left);
	if (fd < 0)
		fd = check_is(d->tree, f->entry,
			      open_from_root(d->tree, f->entry));
	f->fd = fd >= 0 ? fd : -1;
	return fd >= 0 ? 0 : fd;
}
