/* SPDX-License-Identifier: MIT */
/*
 * Volumes as files "dir/base.001", ... The folder is opened once and held, so
 * that a relative path means the same folder to the end.
 *
 * An old set is removed when the first new volume is made, not earlier: a run
 * that fails before it has anything to write leaves the old set alone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "volwrite.h"

#define PART ".part"

/* ".16777216" and PART behind the base, and the NUL. */
#define SUFFIX_MAX 16

struct path_sink {
	int dir;
	char *dir_name; /* with a slash at its end, "" for the working one */
	char *base;
	bool force; /* an old set is to be removed */
	int lock; /* the first volume, locked: this set is being written */
	struct arc_diag *diag;
};

/* A volume of the set that is there already. */
struct found {
	uint32_t number;
	bool part;
};

/* ---- names -------------------------------------------------------------- */

static void volume_name(const struct path_sink *ps, uint32_t number, bool part,
			char out[NAME_MAX + 1])
{
	int r = arc_volume_name(ps->base, number, out, NAME_MAX + 1);

	assert(r >= 0); /* the length was checked when the sink was made */
	(void)r;
	if (part)
		strcat(out, PART);
}

/* Says what went wrong with a volume; returns err. */
static int say_volume(const struct path_sink *ps, const char *doing,
		      uint32_t number, bool part, int err)
{
	char name[NAME_MAX + 1];

	volume_name(ps, number, part, name);
	arc_say(ps->diag, ARC_ERROR, "%s %s%s: %s", doing, ps->dir_name, name,
		arc_error_text(err));
	return err;
}

/* name is a volume of this set, finished or not. */
static bool parse_name(const struct path_sink *ps, const char *name,
		       struct found *ret)
{
	char stem[NAME_MAX + 1];
	size_t n = strlen(name);
	size_t base_n;
	size_t part_n = sizeof(PART) - 1;

	if (n > NAME_MAX)
		return false;
	memcpy(stem, name, n + 1);
	ret->part = n > part_n && strcmp(name + n - part_n, PART) == 0;
	if (ret->part)
		stem[n - part_n] = '\0';
	if (arc_volume_split(stem, &base_n, &ret->number) < 0)
		return false;
	return base_n == strlen(ps->base) &&
	       memcmp(stem, ps->base, base_n) == 0;
}

/* ---- a set that is there already ---------------------------------------- */

static int read_set(const struct path_sink *ps, DIR *dir, struct arc_buf *ret)
{
	const struct dirent *d;
	struct found f;
	int r;

	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			return -errno;
		if (!parse_name(ps, d->d_name, &f))
			continue;
		r = arc_buf_append(ret, &f, sizeof(f));
		if (r < 0)
			return r;
	}
}

static int later_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return (int)x->part - (int)y->part;
}

/* All volumes of the set, the last one first: struct found in ret. */
static int find_set(const struct path_sink *ps, struct arc_buf *ret)
{
	int fd = openat(ps->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = dir ? read_set(ps, dir, ret) : -errno;

	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	if (r < 0) {
		arc_say(ps->diag, ARC_ERROR, "listing the folder of %s%s: %s",
			ps->dir_name, ps->base, arc_error_text(r));
		return r;
	}
	if (ret->n)
		qsort(ret->p, ret->n / sizeof(struct found),
		      sizeof(struct found), later_first);
	return 0;
}

static int refuse_set(const struct path_sink *ps)
{
	arc_cleanup(arc_buf_fini) struct arc_buf found = { 0 };
	char name[NAME_MAX + 1];
	struct found first;
	int r = find_set(ps, &found);

	if (r < 0 || !found.n)
		return r;
	memcpy(&first, found.p + found.n - sizeof(first), sizeof(first));
	volume_name(ps, first.number, first.part, name);
	arc_say(ps->diag, ARC_ERROR,
		"%s%s exists; use --force to replace the set", ps->dir_name,
		name);
	return -EEXIST;
}

/* Whoever writes a set holds a lock on its first volume, whatever that is
 * called meanwhile; file systems without locks go without. */
static bool is_locked(const struct path_sink *ps, const char *name)
{
	arc_cleanup(arc_closep) int fd = openat(
		ps->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 &&
	       errno == EWOULDBLOCK;
}

/* Before anything is removed: whether all of it can be. */
static int check_removable(const struct path_sink *ps,
			   const struct arc_buf *set)
{
	char name[NAME_MAX + 1];
	struct stat st;
	struct found f;

	for (size_t at = 0; at < set->n; at += sizeof(f)) {
		memcpy(&f, set->p + at, sizeof(f));
		volume_name(ps, f.number, f.part, name);
		if (fstatat(ps->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			return say_volume(ps, "removing", f.number, f.part,
					  -EISDIR);
		if (f.number == 1 && is_locked(ps, name)) {
			arc_say(ps->diag, ARC_ERROR,
				"%s%s is being written by another mkarchive",
				ps->dir_name, name);
			return -EBUSY;
		}
	}
	return 0;
}

/* The volume with the footer goes first: what is left of a set whose removal
 * was interrupted is no complete set. */
static int remove_set(const struct path_sink *ps)
{
	arc_cleanup(arc_buf_fini) struct arc_buf found = { 0 };
	char name[NAME_MAX + 1];
	struct found f;
	int r = find_set(ps, &found);

	if (r >= 0)
		r = check_removable(ps, &found);
	for (size_t at = 0; r >= 0 && at < found.n; at += sizeof(f)) {
		memcpy(&f, found.p + at, sizeof(f));
		volume_name(ps, f.number, f.part, name);
		if (unlinkat(ps->dir, name, 0) < 0 && errno != ENOENT)
			r = say_volume(ps, "removing", f.number, f.part,
				       -errno);
	}
	return r;
}

/* ---- a volume's store --------------------------------------------------- */

/* The file's store, with messages, and with write-back started early: what is
 * synced at the end of a volume is then on disk already for the most part. */
struct path_store {
	struct arc_store store;
	struct arc_store *inner;
	const struct path_sink *sink;
	uint32_t number;
	int fd; /* the inner store's */
};

static struct path_store *path_store_of(struct arc_store *s)
{
	return (struct path_store *)s;
}

static ssize_t path_pread(struct arc_store *s, void *buf, size_t n,
			  uint64_t off)
{
	struct arc_store *inner = path_store_of(s)->inner;

	return inner->ops->pread(inner, buf, n, off);
}

static ssize_t path_pwrite(struct arc_store *s, const void *buf, size_t n,
			   uint64_t off)
{
	const struct path_store *p = path_store_of(s);
	ssize_t r = p->inner->ops->pwrite(p->inner, buf, n, off);

	if (r < 0)
		return say_volume(p->sink, "writing", p->number, true, (int)r);
	(void)sync_file_range(p->fd, (off_t)off, r, SYNC_FILE_RANGE_WRITE);
	return r;
}

static int path_size(struct arc_store *s, uint64_t *ret)
{
	return arc_store_size(path_store_of(s)->inner, ret);
}

static int path_sync(struct arc_store *s)
{
	const struct path_store *p = path_store_of(s);
	int r = arc_store_sync(p->inner);

	return r < 0 ? say_volume(p->sink, "syncing", p->number, true, r) : r;
}

static void path_close(struct arc_store *s)
{
	arc_store_close(path_store_of(s)->inner);
	free(s);
}

static const struct arc_store_ops path_store_ops = {
	.pread = path_pread,
	.pwrite = path_pwrite,
	.size = path_size,
	.sync = path_sync,
	.close = path_close,
};

/* ---- the sink ----------------------------------------------------------- */

static int sink_create(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct path_sink *ps = ctx;
	arc_cleanup(arc_freep) struct path_store *p = NULL;
	char name[NAME_MAX + 1];
	int r;

	if (ps->force) {
		r = remove_set(ps);
		if (r < 0)
			return r;
		ps->force = false;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	volume_name(ps, number, true, name);
	p->fd = openat(ps->dir, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0666);
	if (p->fd < 0)
		return say_volume(ps, "making", number, true, -errno);
	if (number == 1 && flock(p->fd, LOCK_EX | LOCK_NB) == 0)
		ps->lock = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
	r = arc_store_from_fd(p->fd, &p->inner);
	if (r < 0)
		return r;
	p->store.ops = &path_store_ops;
	p->sink = ps;
	p->number = number;
	*ret = &arc_steal(p)->store;
	return 0;
}

/* Never over a file that somebody else has put there meanwhile. */
static int rename_new(int dir, const char *from, const char *to)
{
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system without that flag: look, then rename. */
	if (faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

static int sink_complete(void *ctx, uint32_t number)
{
	struct path_sink *ps = ctx;
	char part[NAME_MAX + 1], name[NAME_MAX + 1];
	int r;

	volume_name(ps, number, true, part);
	volume_name(ps, number, false, name);
	r = rename_new(ps->dir, part, name);
	return r < 0 ? say_volume(ps, "completing", number, false, r) : r;
}

static int sink_sync(void *ctx)
{
	struct path_sink *ps = ctx;

	if (fsync(ps->dir) == 0 || errno == EINVAL)
		return 0; /* EINVAL: folders cannot be synced here */
	arc_say(ps->diag, ARC_ERROR, "syncing the folder of %s%s: %s",
		ps->dir_name, ps->base, strerror(errno));
	return -errno;
}

static void sink_close(void *ctx)
{
	struct path_sink *ps = ctx;

	if (!ps)
		return;
	if (ps->lock >= 0)
		close(ps->lock);
	if (ps->dir >= 0)
		close(ps->dir);
	free(ps->dir_name);
	free(ps->base);
	free(ps);
}

static void sink_closep(struct path_sink **ps)
{
	sink_close(*ps);
}

static const struct mk_volume_sink_ops path_ops = {
	.create = sink_create,
	.complete = sink_complete,
	.sync = sink_sync,
	.close = sink_close,
};

/* Splits "dir/base"; says what is wrong with it. */
static int split_out(struct path_sink *ps, const char *out)
{
	const char *slash = strrchr(out, '/');
	const char *base = slash ? slash + 1 : out;

	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
		arc_say(ps->diag, ARC_ERROR,
			"%s: the name of the volumes is missing, as in dir/name",
			*out ? out : "''");
		return -EINVAL;
	}
	if (strlen(base) > NAME_MAX - SUFFIX_MAX) {
		arc_say(ps->diag, ARC_ERROR,
			"%s: the name of the volumes is too long", out);
		return -ENAMETOOLONG;
	}
	ps->dir_name = strndup(out, (size_t)(base - out));
	ps->base = strdup(base);
	return ps->dir_name && ps->base ? 0 : -ENOMEM;
}

static int open_dir(struct path_sink *ps)
{
	const char *dir = *ps->dir_name ? ps->dir_name : ".";

	ps->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ps->dir >= 0 &&
	    faccessat(ps->dir, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	arc_say(ps->diag, ARC_ERROR, "%s: no folder to write volumes to: %s",
		dir, strerror(errno));
	return -errno;
}

int mk_volume_sink_path(const char *out, bool force, struct arc_diag *diag,
			struct mk_volume_sink *ret)
{
	arc_cleanup(sink_closep) struct path_sink *ps = calloc(1, sizeof(*ps));
	int r;

	if (!ps)
		return -ENOMEM;
	ps->dir = -1;
	ps->lock = -1;
	ps->force = force;
	ps->diag = diag;
	r = split_out(ps, out);
	if (r < 0)
		return r;
	r = open_dir(ps);
	if (r < 0)
		return r;
	if (!force) {
		r = refuse_set(ps);
		if (r < 0)
			return r;
	}
	*ret = (struct mk_volume_sink){ .ops = &path_ops,
					.ctx = arc_steal(ps) };
	return 0;
}

int mk_volume_sink_dir(const struct mk_volume_sink *sink)
{
	const struct path_sink *ps = sink->ctx;

	return sink->ops == &path_ops ? ps->dir : -1;
}
