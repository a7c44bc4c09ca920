/* SPDX-License-Identifier: MIT */
/*
 * The entries that a list names, in its order. Each is read when its line
 * comes, so the list may be a pipe that never seems to end; and once, as all
 * that is streamed. The folders on the way to an entry are stored as they are
 * in the source, whether the list names them or not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "longpath.h"
#include "scan_i.h"
#include "source.h"
#include "stream_i.h"

#define PIECE ((size_t)256 << 10)

struct listing {
	struct mk_streaming *s;
	struct mk_xattrs xattrs;
	struct mk_links links; /* to inodes of gather */
	struct arc_buf target; /* of a symlink */
	struct arc_buf dir; /* path of the directory that is open */
	struct arc_buf way; /* cut up on the way to it */
	int dir_fd; /* -1: none */
	struct stat dir_st;
	uint8_t *piece; /* PIECE bytes */
};

/* An entry that is being added. */
struct adding {
	const char *path;
	const char *name; /* in dir_fd; NULL: dir_fd itself, the root */
	int dir_fd;
	struct stat st;
	uint64_t inode;
};

static int problem(struct listing *l, const char *path, const char *what,
		   int err)
{
	mk_problem_path(l->s->run, *path ? path : l->s->run->opt->src, what,
			err);
	return 1;
}

/* ---- content ------------------------------------------------------------- */

static bool is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Data up to `end`. 1: that was all there is; *ret_err: reading failed. */
static int read_run(struct listing *l, int fd, uint64_t off, uint64_t end,
		    int *ret_err)
{
	int r = 0;

	while (r >= 0 && off < end) {
		size_t n = (size_t)ARC_MIN(end - off, PIECE);
		ssize_t got = mk_source_read(fd, l->piece, n, off);

		if (got < 0) {
			*ret_err = (int)got;
			return 1;
		}
		r = mk_intake_data(l->s->intake, off, l->piece, (size_t)got);
		off += (uint64_t)got;
		if (r >= 0 && (size_t)got < n)
			return 1;
	}
	return r;
}

/* Run by run, holes left out. 1: it ended before its size. */
static int read_runs(struct listing *l, int fd, uint64_t size, bool sparse,
		     int *ret_err)
{
	uint64_t off = 0, end = size, at = 0;
	int r = 0;

	while (r == 0 && at < size) {
		if (sparse)
			r = mk_source_run(fd, at, size, &off, &end);
		if (r == -ENXIO)
			return 0;
		if (r < 0) {
			*ret_err = r;
			return 1;
		}
		r = read_run(l, fd, off, end, ret_err);
		at = end;
	}
	return r;
}

/* 1: it cannot be had, said. */
static int take_open(struct listing *l, struct adding *a, int fd)
{
	struct mk_intake *intake = l->s->intake;
	struct mk_entry *e = &mk_gather_at(l->s->gather, a->inode)->e;
	bool sparse = e->flags & MK_ENTRY_SPARSE;
	struct stat after;
	int r, err = 0;

	r = mk_intake_begin(intake, a->inode, e->size, false);
	mk_intake_expect(intake, a->path);
	if (r >= 0)
		r = read_runs(l, fd, e->size, sparse, &err);
	if (r < 0)
		return r;
	if (err) {
		mk_intake_drop(intake);
		return problem(l, a->path, "cannot be read", err);
	}
	if (fstat(fd, &after) || !is_same_state(&a->st, &after))
		problem(l, a->path, "changed while it was read", 0);
	return mk_intake_end(intake, r > 0 ? mk_intake_at(intake) : e->size);
}

static int take_file(struct listing *l, struct adding *a)
{
	struct mk_entry *e = &mk_gather_at(l->s->gather, a->inode)->e;
	arc_cleanup(arc_closep) int fd = mk_source_open_at(a->dir_fd, a->name);
	uint32_t xset = e->xset;
	struct stat st;

	if (mk_source_is_fatal(fd)) {
		arc_say(l->s->run->diag, ARC_ERROR, "opening files: %s",
			arc_error_text(fd));
		return fd;
	}
	if (fd < 0)
		return problem(l, a->path, "cannot be opened", fd);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_dev != a->st.st_dev || st.st_ino != a->st.st_ino)
		return problem(l, a->path,
			       "has been replaced by something else", 0);
	a->st = st;
	*e = (struct mk_entry){ .xset = xset };
	mk_scan_fill(e, &st);
	mk_count(&l->s->run->stats.bytes, e->size);
	return take_open(l, a, fd);
}

/* ---- entries ------------------------------------------------------------- */

/* Makes the directory that `path` is in the one that is open; *ret: the last
 * part. 1: that is not possible, said. */
static int enter(struct listing *l, const char *path, const char **ret)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int r = 0;

	*ret = slash ? slash + 1 : path;
	if (l->dir_fd >= 0 && n == l->dir.n && memcmp(l->dir.p, path, n) == 0)
		return 0;
	if (l->dir_fd >= 0)
		close(l->dir_fd);
	l->dir_fd = -1;
	l->dir.n = l->way.n = 0;
	r = arc_buf_append(&l->dir, path, n + 1);
	if (r >= 0)
		r = arc_buf_append(&l->way, path, n + 1);
	if (r < 0)
		return r;
	l->dir.n = n;
	l->way.p[n] = '\0';
	l->dir_fd =
		mk_longpath_open(l->s->src->fd, (char *)l->way.p,
				 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->dir_fd < 0 && mk_source_is_fatal(l->dir_fd))
		return l->dir_fd;
	if (l->dir_fd < 0)
		return problem(l, path, "cannot be reached", l->dir_fd);
	return fstat(l->dir_fd, &l->dir_st) ? -errno : 0;
}

/* Everything but the content. 1: it cannot be had, said. */
static int describe(struct listing *l, const struct adding *a)
{
	struct mk_streaming *s = l->s;
	struct mk_entry *e = &mk_gather_at(s->gather, a->inode)->e;
	size_t xattrs;
	int r;

	mk_scan_fill(e, &a->st);
	l->xattrs.path = *a->path ? a->path : s->run->opt->src;
	r = mk_xattrs_read(&l->xattrs, a->dir_fd, 0, a->name, a->st.st_mode,
			   &xattrs);
	if (r >= 0)
		r = mk_tree_intern(s->tree, l->xattrs.set, xattrs, &e->xset);
	if (r < 0 || !S_ISLNK(a->st.st_mode))
		return r;
	r = mk_scan_read_target(&l->target, a->dir_fd, a->name);
	if (r < 0)
		return r == -ENOMEM ? r
				    : problem(l, a->path,
					      "the link cannot be read", r);
	e->size = l->target.n;
	return mk_tree_add_text(s->tree, l->target.p, l->target.n, &e->target);
}

static int put(struct listing *l, const char *path, uint64_t inode)
{
	uint64_t name;
	int r = mk_gather_place(l->s->gather, path, &l->s->first, &name);

	if (r >= 0)
		r = mk_gather_put(l->s->gather, name, inode);
	return r < 0 ? mk_stream_leave_out(l->s, path, r) : 0;
}

/* The entry of what a->st speaks of. */
static int add_inode(struct listing *l, struct adding *a)
{
	const struct mk_link *link = mk_links_find(&l->links, &a->st);
	int r;

	if (link)
		return put(l, a->path, link->entry);
	r = mk_gather_add(l->s->gather, &a->inode);
	if (r >= 0)
		r = describe(l, a);
	if (r == 0 && S_ISREG(a->st.st_mode))
		r = take_file(l, a);
	if (r == 0)
		r = mk_links_note(&l->links, &a->st, a->inode, 0);
	if (r != 0)
		return r < 0 ? r : 0;
	return put(l, a->path, a->inode);
}

static int add(struct listing *l, const char *path)
{
	struct adding a = { .path = path, .dir_fd = l->s->src->fd };
	int r = *path ? enter(l, path, &a.name) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	if (*path) {
		a.dir_fd = l->dir_fd;
		if (mk_scan_is_own(l->s->src->skip, &l->dir_st, a.name))
			return 0;
	}
	r = fstatat(a.dir_fd, a.name ? a.name : "", &a.st,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
			    (a.name ? 0 : AT_EMPTY_PATH));
	if (r < 0) {
		problem(l, path, "cannot be read", -errno);
		return 0;
	}
	return add_inode(l, &a);
}

static bool is_there(const struct listing *l, const char *path)
{
	return mk_gather_find(l->s->gather, path) != MK_NONE;
}

/* The folders that the path is in, from the root on, and then itself. */
static int take_path(struct listing *l)
{
	char *path = (char *)l->s->path.p;
	int r = is_there(l, "") ? 0 : add(l, "");

	for (char *slash = strchr(path, '/'); r >= 0 && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!is_there(l, path))
			r = add(l, path);
		/* What is no folder, or could not be had, holds nothing. */
		if (r >= 0 && !mk_gather_is_dir(l->s->gather, path)) {
			*slash = '/';
			return mk_stream_leave_out(l->s, path, -ENOTDIR);
		}
		*slash = '/';
	}
	return r < 0 || is_there(l, path) ? r : add(l, path);
}

/* ---- the list ------------------------------------------------------------ */

static int take_line(struct listing *l, const char *line)
{
	struct mk_streaming *s = l->s;
	int r;

	s->path.n = 0;
	r = mk_gather_path(line, &s->path);
	if (r < 0)
		return mk_stream_leave_out(s, line, r);
	if (mk_stream_excluded(s, false))
		return 0;
	return take_path(l);
}

static int take_lines(struct listing *l)
{
	FILE *list = l->s->src->list;
	int end = l->s->run->opt->null ? '\0' : '\n';
	arc_cleanup(arc_freep) char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = getdelim(&line, &cap, end, list)) > 0) {
		if (line[n - 1] == end)
			line[n - 1] = '\0';
		if (*line)
			r = take_line(l, line);
	}
	if (r >= 0 && ferror(list)) {
		arc_say(l->s->run->diag, ARC_ERROR, "%s: cannot be read",
			l->s->run->opt->files_from);
		r = -EIO;
	}
	return r;
}

int mk_stream_list(struct mk_streaming *s)
{
	struct listing l = { .s = s,
			     .dir_fd = -1,
			     .links = { .rows = &s->tree->links } };
	int r = mk_xattrs_init(&l.xattrs, s->run, s->tree, s->src->fd);

	mk_slots_init(&l.links.slots, s->tree->tmp_fd);
	l.piece = malloc(PIECE);
	if (r >= 0)
		r = l.piece ? take_lines(&l) : -ENOMEM;
	/* An empty list makes an empty archive of the folder. */
	if (r >= 0 && !is_there(&l, ""))
		r = add(&l, "");
	mk_xattrs_fini(&l.xattrs);
	mk_slots_fini(&l.links.slots);
	arc_buf_fini(&l.target);
	arc_buf_fini(&l.dir);
	arc_buf_fini(&l.way);
	if (l.dir_fd >= 0)
		close(l.dir_fd);
	free(l.piece);
	return r;
}
