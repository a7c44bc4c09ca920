/* SPDX-License-Identifier: MIT */
/*
 * Only the innermost directories are kept open, so that depth costs no
 * descriptors. A closed one is opened again as ".." of the one below it; as
 * that could have been moved meanwhile, it must be the inode it was before.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "extract_i.h"

#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

struct tool_dir *tool_dirs_here(const struct tool_extract *x)
{
	return &x->dirs.way[x->dirs.depth - 1];
}

/* Takes fd, on failure too. */
static int push(struct tool_dirs *dirs, int fd, bool made)
{
	struct tool_dir *d;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	if (dirs->depth == dirs->cap) {
		size_t cap = dirs->cap ? dirs->cap * 2 : 32;
		struct tool_dir *more =
			reallocarray(dirs->way, cap, sizeof(*more));

		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		dirs->way = more;
		dirs->cap = cap;
	}
	d = &dirs->way[dirs->depth++];
	*d = (struct tool_dir){
		.fd = fd,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.made = made,
		.inherits =
			fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0,
	};
	if (dirs->depth > dirs->open_max) {
		struct tool_dir *far =
			&dirs->way[dirs->depth - 1 - dirs->open_max];

		/* DEST itself stays open: links are found from there. */
		if (far != dirs->way && far->fd >= 0) {
			close(far->fd);
			far->fd = -1;
		}
	}
	return 0;
}

int tool_dirs_begin(struct tool_extract *x, const char *dest)
{
	bool made = mkdir(dest, 0777) == 0;
	int fd, r;

	if (!made && errno != EEXIST) {
		arc_say(&x->tool->diag, ARC_ERROR, "%s: cannot be made: %s",
			dest, strerror(errno));
		return -errno;
	}
	fd = open(dest, OPEN_FLAGS);
	if (fd < 0) {
		r = -errno;
		arc_say(&x->tool->diag, ARC_ERROR, "%s: cannot be opened: %s",
			dest, strerror(errno));
		return r;
	}
	return push(&x->dirs, fd, made);
}

void tool_dirs_end(struct tool_dirs *dirs)
{
	for (size_t i = 0; i < dirs->depth; i++) {
		if (dirs->way[i].fd >= 0)
			close(dirs->way[i].fd);
	}
	free(dirs->way);
	*dirs = (struct tool_dirs){ 0 };
}

/* What stands in the way and may go: anything but a directory. */
static int clear_way(struct tool_extract *x, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return 0;
	if (!x->tool->req.force)
		return -EEXIST;
	if (unlinkat(dir, name, 0) < 0 || mkdirat(dir, name, 0700) < 0)
		return -errno;
	return 1;
}

int tool_dirs_enter(struct tool_extract *x, const char *name)
{
	const struct tool_dir *above = tool_dirs_here(x);
	bool made = mkdirat(above->fd, name, 0700) == 0;
	int fd, r;

	if (!made && errno != EEXIST)
		return -errno;
	if (!made) {
		r = clear_way(x, above->fd, name);
		if (r < 0)
			return r;
		made = r > 0;
	}
	fd = openat(above->fd, name, OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (made && above->inherits) {
		const struct tool_place at = { .fd = fd };

		tool_place_strip(&at);
	}
	return push(&x->dirs, fd, made);
}

int tool_dirs_prepare_leave(struct tool_extract *x)
{
	const struct tool_dir *here = tool_dirs_here(x);
	struct tool_dir *above;
	struct stat st;
	int fd;

	if (x->dirs.depth < 2)
		return 0;
	above = &x->dirs.way[x->dirs.depth - 2];
	if (above->fd >= 0)
		return 0;
	fd = openat(here->fd, "..", OPEN_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != above->dev ||
	    st.st_ino != above->ino) {
		close(fd);
		return -ENOENT;
	}
	above->fd = fd;
	return 0;
}

void tool_dirs_leave(struct tool_extract *x)
{
	close(tool_dirs_here(x)->fd);
	x->dirs.depth--;
}

int tool_dirs_open_parent(struct tool_extract *x, const char *path, int *ret_fd,
			  const char **ret_name)
{
	arc_cleanup(arc_closep) int fd = -1;
	const char *slash;

	fd = fcntl(x->dirs.way[0].fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (; (slash = strchr(path, '/')); path = slash + 1) {
		char name[ARC_NAME_MAX + 1];
		size_t n = (size_t)(slash - path);
		int next;

		memcpy(name, path, n);
		name[n] = '\0';
		next = openat(fd, name,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(fd);
		fd = next;
	}
	*ret_name = path;
	*ret_fd = arc_steal_fd(&fd);
	return 0;
}
