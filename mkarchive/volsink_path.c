/* SPDX-License-Identifier: MIT */
/*
 * Volumes as files "dir/base.001", ... The folder is opened once and held, so
 * that a relative path means the same folder to the end.
 *
 * An old set is removed when the first new volume is made, not earlier: a run
 * that fails before it has anything to write leaves the old set alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "volsink_path_i.h"

/* ".16777216" and PART behind the base, and the NUL. */
#define SUFFIX_MAX 16

/* ---- a volume's store --------------------------------------------------- */

/* The file's store, with messages, and with write-back started early: what is
 * synced at the end of a volume is then on disk already for the most part. Who
 * wants nothing synced leaves it to the system when to write, as other programs
 * do. */
struct path_store {
	struct arc_store store;
	struct arc_store *inner;
	const struct mk_path_sink *sink;
	uint32_t number;
	bool part;
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
		return mk_path_say(p->sink, "writing", p->number, p->part,
				   (int)r);
	if (p->sink->sync)
		(void)sync_file_range(p->fd, (off_t)off, r,
				      SYNC_FILE_RANGE_WRITE);
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

	return r < 0 ? mk_path_say(p->sink, "syncing", p->number, p->part, r)
		     : r;
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

int mk_path_store(struct mk_path_sink *ps, uint32_t number, bool part, int fd,
		  struct arc_store **ret)
{
	arc_cleanup(arc_freep) struct path_store *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	r = arc_store_from_fd(fd, &p->inner);
	if (r < 0)
		return r;
	p->store.ops = &path_store_ops;
	p->sink = ps;
	p->number = number;
	p->part = part;
	p->fd = fd;
	*ret = &arc_steal(p)->store;
	return 0;
}

/* ---- the sink ----------------------------------------------------------- */

static int sink_begin(void *ctx, const char *identity, bool sync)
{
	struct mk_path_sink *ps = ctx;

	ps->sync = sync;
	ps->identity = strdup(identity);
	if (!ps->identity)
		return -ENOMEM;
	if (ps->old_complete || (!ps->old && !ps->old_part))
		return 0;
	return mk_making_compare(ps->making, identity);
}

void mk_path_lock(struct mk_path_sink *ps, int fd)
{
	arc_closep(&ps->lock);
	ps->lock = -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		ps->lock = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* An old set goes, and it is written down what is going to be made. */
static int begin_set(struct mk_path_sink *ps)
{
	int r = ps->mode == MK_VOLUMES_REPLACE ? mk_path_remove_set(ps) : 0;

	if (r < 0)
		return r;
	ps->mode = MK_VOLUMES_NEW;
	if (!ps->identity)
		return mk_making_remove(ps->making);
	return mk_making_write(ps->making, ps->identity, ps->sync);
}

int mk_path_create(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct mk_path_sink *ps = ctx;
	char name[NAME_MAX + 1];
	int fd, r = number == 1 ? begin_set(ps) : 0;

	if (r < 0)
		return r;
	mk_path_volume_name(ps, number, true, name);
	fd = openat(ps->dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0) {
		r = mk_path_say(ps, "making", number, true, -errno);
		if (number == 1)
			mk_making_remove(ps->making);
		return r;
	}
	if (number == 1)
		mk_path_lock(ps, fd);
	return mk_path_store(ps, number, true, fd, ret);
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

int mk_path_rename(const struct mk_path_sink *ps, uint32_t number, bool to_part)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	int r;

	mk_path_volume_name(ps, number, !to_part, from);
	mk_path_volume_name(ps, number, to_part, to);
	r = rename_new(ps->dir, from, to);
	return r < 0 ? mk_path_say(ps, to_part ? "reopening" : "completing",
				   number, false, r)
		     : r;
}

static int sink_complete(void *ctx, uint32_t number)
{
	return mk_path_rename(ctx, number, false);
}

static int sink_sync(void *ctx)
{
	struct mk_path_sink *ps = ctx;

	if (fsync(ps->dir) == 0 || errno == EINVAL)
		return 0; /* EINVAL: folders cannot be synced here */
	arc_say(ps->diag, ARC_ERROR, "syncing the folder of %s%s: %s",
		ps->dir_name, ps->base, strerror(errno));
	return -errno;
}

static int sink_finished(void *ctx)
{
	const struct mk_path_sink *ps = ctx;

	return mk_making_remove(ps->making);
}

static void sink_close(void *ctx)
{
	struct mk_path_sink *ps = ctx;

	if (!ps)
		return;
	mk_making_free(ps->making);
	free(ps->identity);
	if (ps->lock >= 0)
		close(ps->lock);
	if (ps->dir >= 0)
		close(ps->dir);
	free(ps->dir_name);
	free(ps->base);
	free(ps);
}

static void sink_closep(struct mk_path_sink **ps)
{
	sink_close(*ps);
}

static const struct mk_volume_sink_ops path_ops = {
	.create = mk_path_create,
	.complete = sink_complete,
	.sync = sink_sync,
	.close = sink_close,
	.begin = sink_begin,
	.adopt = mk_path_adopt,
	.reopen = mk_path_reopen,
	.finished = sink_finished,
};

/* Splits "dir/base"; says what is wrong with it. */
static int split_out(struct mk_path_sink *ps, const char *out)
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

static int open_dir(struct mk_path_sink *ps)
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

/* Looks at the set that may be there. */
static int meet_old_set(struct mk_path_sink *ps)
{
	switch (ps->mode) {
	case MK_VOLUMES_RESUME:
		return mk_path_find_old(ps);
	case MK_VOLUMES_REPLACE:
		return 0;
	case MK_VOLUMES_NEW:
	default:
		return mk_path_refuse_set(ps);
	}
}

int mk_volume_sink_path(const char *out, enum mk_volume_mode mode,
			struct arc_diag *diag, struct mk_volume_sink *ret)
{
	arc_cleanup(sink_closep) struct mk_path_sink *ps =
		calloc(1, sizeof(*ps));
	int r;

	if (!ps)
		return -ENOMEM;
	ps->dir = -1;
	ps->lock = -1;
	ps->mode = mode;
	ps->diag = diag;
	r = split_out(ps, out);
	if (r >= 0)
		r = open_dir(ps);
	if (r >= 0)
		r = mk_making_new(ps->dir, ps->dir_name, ps->base, diag,
				  &ps->making);
	if (r >= 0)
		r = meet_old_set(ps);
	if (r < 0)
		return r;
	*ret = (struct mk_volume_sink){ .ops = &path_ops,
					.ctx = arc_steal(ps) };
	return 0;
}

int mk_volume_sink_dir(const struct mk_volume_sink *sink)
{
	const struct mk_path_sink *ps = sink->ctx;

	return sink->ops == &path_ops ? ps->dir : -1;
}

bool mk_volume_sink_is_complete(const struct mk_volume_sink *sink,
				uint8_t ret[16])
{
	const struct mk_path_sink *ps = sink->ctx;

	if (sink->ops != &path_ops || !ps->old_complete)
		return false;
	memcpy(ret, ps->old_id, sizeof(ps->old_id));
	return true;
}
