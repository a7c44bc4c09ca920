/* SPDX-License-Identifier: MIT */
/*
 * Files are asked for in the order of the tree, a directory after the other,
 * so the descriptor of the last directory makes nearly every open a single
 * openat(). A path may pass symbolic links that were put there since the scan:
 * that does no harm, because what was opened must be the inode that was
 * scanned.
 */
#include "source.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "longpath.h"

/* Descriptors that all of the program but those threads has open. */
#define OTHER_FDS 24

struct mk_source {
	const struct mk_tree *tree;
	int dir_fd; /* of dir_entry, -1: none */
	uint64_t dir_entry;
	struct arc_buf path;
};

int mk_source_new(const struct mk_tree *tree, struct mk_source **ret)
{
	struct mk_source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->tree = tree;
	s->dir_fd = -1;
	*ret = s;
	return 0;
}

static void forget_dir(struct mk_source *s)
{
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	s->dir_fd = -1;
}

void mk_source_free(struct mk_source *s)
{
	if (!s)
		return;
	forget_dir(s);
	arc_buf_fini(&s->path);
	free(s);
}

/* Makes s->dir_fd the directory `entry`. */
static int enter(struct mk_source *s, uint64_t entry)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	const struct mk_entry *e = mk_tree_at(s->tree, entry);
	int fd, err;

	if (s->dir_fd >= 0 && s->dir_entry == entry)
		return 0;
	if (s->dir_fd >= 0 && entry != 0 && s->dir_entry == e->parent) {
		fd = openat(s->dir_fd, mk_tree_name(s->tree, e), flags);
		if (fd < 0)
			return -errno;
	} else {
		s->path.n = 0;
		err = mk_tree_path(s->tree, entry, &s->path);
		if (err)
			return err;
		fd = mk_longpath_open(s->tree->root_fd, (char *)s->path.p,
				      flags);
		if (fd < 0)
			return fd;
	}
	forget_dir(s);
	s->dir_fd = fd;
	s->dir_entry = entry;
	return 0;
}

/*
 * O_NOATIME is for the owner alone. O_NONBLOCK keeps a fifo that took the
 * file's place from holding us; a regular file refuses it only while a lease
 * on it is being broken, which is waited for.
 */
int mk_source_open_at(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	int fd = openat(dir_fd, name, flags | O_NONBLOCK | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir_fd, name, flags | O_NONBLOCK);
	if (fd < 0 && errno == EWOULDBLOCK)
		fd = openat(dir_fd, name, flags);
	return fd >= 0 ? fd : -errno;
}

static bool is_same_inode(const struct mk_entry *e, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_dev == e->dev &&
	       st->st_ino == e->ino;
}

static bool is_same_state(const struct mk_entry *e, const struct stat *st)
{
	return e->size == (uint64_t)st->st_size &&
	       e->mtime == st->st_mtim.tv_sec &&
	       e->mtime_ns == (uint32_t)st->st_mtim.tv_nsec &&
	       e->ctime == st->st_ctim.tv_sec &&
	       e->ctime_ns == (uint32_t)st->st_ctim.tv_nsec;
}

int mk_source_open_blind(struct mk_source *s, uint64_t entry, int *ret_fd)
{
	const struct mk_entry *e = mk_tree_at(s->tree, entry);
	int fd, err = enter(s, e->parent);

	if (err)
		return err;
	fd = mk_source_open_at(s->dir_fd, mk_tree_name(s->tree, e));
	if (fd == -ELOOP || fd == -ENXIO)
		return -ESTALE; /* a symlink, a socket took its place */
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int mk_source_open_any(struct mk_source *s, uint64_t entry, int *ret_fd,
		       bool *ret_changed)
{
	const struct mk_entry *e = mk_tree_at(s->tree, entry);
	arc_cleanup(arc_closep) int fd = -1;
	struct stat st;
	int err = mk_source_open_blind(s, entry, &fd);

	if (err)
		return err;
	if (fstat(fd, &st))
		return -errno;
	if (!is_same_inode(e, &st))
		return -ESTALE;
	*ret_changed = !is_same_state(e, &st);
	*ret_fd = arc_steal_fd(&fd);
	return 0;
}

int mk_source_open(struct mk_source *s, uint64_t entry, int *ret_fd)
{
	arc_cleanup(arc_closep) int fd = -1;
	bool changed;
	int err = mk_source_open_any(s, entry, &fd, &changed);

	if (err)
		return err;
	if (changed)
		return -ESTALE;
	*ret_fd = arc_steal_fd(&fd);
	return 0;
}

int mk_source_check(const struct mk_tree *tree, uint64_t entry, int fd)
{
	const struct mk_entry *e = mk_tree_at(tree, entry);
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return is_same_inode(e, &st) && is_same_state(e, &st) ? 0 : -ESTALE;
}

/* The next descriptor that is given out says whether we were started with many
 * open. */
unsigned mk_source_threads(const struct mk_tree *tree, unsigned wanted,
			   unsigned each)
{
	int next = fcntl(tree->root_fd, F_DUPFD_CLOEXEC, 0);
	struct rlimit limit;
	uint64_t taken, most;

	if (next < 0)
		return 0;
	close(next);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	taken = ARC_MAX((uint64_t)next, OTHER_FDS);
	most = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
	return (unsigned)ARC_MIN(most / each, wanted);
}

int mk_source_run(int fd, uint64_t off, uint64_t limit, uint64_t *ret_off,
		  uint64_t *ret_end)
{
	off_t data, hole;

	if (off >= limit || limit > INT64_MAX)
		return off >= limit ? -ENXIO : -EOVERFLOW;
	data = lseek(fd, (off_t)off, SEEK_DATA);
	if (data < 0 && errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	if (data < 0) {
		*ret_off = off;
		*ret_end = limit;
		return 0;
	}
	if ((uint64_t)data >= limit)
		return -ENXIO;
	/* Cut off in between: let the reader run into the end. */
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole <= data || (uint64_t)hole > limit)
		hole = (off_t)limit;
	*ret_off = (uint64_t)data;
	*ret_end = (uint64_t)hole;
	return 0;
}

ssize_t mk_source_read(int fd, void *buf, size_t n, uint64_t off)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, (uint8_t *)buf + done, n - done,
				    (off_t)(off + done));

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			done += (size_t)got;
	}
	return (ssize_t)done;
}
