/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "format.h"
#include "stream_i.h"
#include "unpack.h"

static void problem(struct mk_streaming *s, const char *path, const char *what)
{
	mk_problem_path(s->run, *path ? path : "/", what, 0);
}

static void unpack_trouble(void *ctx, const char *path, const char *what)
{
	problem(ctx, path, what);
}

/* ---- content ------------------------------------------------------------- */

/* All of the entry's data. -ENODATA: it cannot be read, which was said. */
static int take_data(struct mk_streaming *s, struct mk_unpack *u,
		     const char *path)
{
	const void *bytes;
	uint64_t off;
	size_t n;
	int r;

	while ((r = mk_unpack_data(u, &bytes, &n, &off)) > 0) {
		r = mk_intake_data(s->intake, off, bytes, n);
		if (r == -ERANGE) {
			problem(s, path, "left out: its pieces overlap");
			return -ENODATA;
		}
		if (r < 0)
			return r;
	}
	return r;
}

/* The content of an inode. 1: it cannot be had. */
static int take_content(struct mk_streaming *s, struct mk_unpack *u,
			const struct mk_unpacked *e, uint64_t inode)
{
	uint64_t size = e->size_known ? e->meta.size : MK_NONE;
	int r = mk_intake_begin(s->intake, inode, size, false);

	if (r < 0)
		return r;
	mk_intake_expect(s->intake, e->path);
	if (e->size_known)
		mk_count(&s->run->stats.bytes, size);
	r = take_data(s, u, e->path);
	if (r == -ENODATA) {
		mk_intake_drop(s->intake);
		return 1;
	}
	if (r < 0)
		return r;
	if (!e->size_known || size < mk_intake_at(s->intake))
		size = mk_intake_at(s->intake);
	return mk_intake_end(s->intake, size);
}

/* ---- entries ------------------------------------------------------------- */

/* Another name of what came before. Some writers put the content here. */
static int take_link(struct mk_streaming *s, struct mk_unpack *u,
		     const struct mk_unpacked *e)
{
	uint64_t inode, name;
	int r;

	s->target.n = 0;
	r = mk_gather_path(e->hardlink, &s->target);
	if (r < 0)
		return mk_stream_leave_out(s, e->path, r);
	inode = mk_gather_find(s->gather, (const char *)s->target.p);
	if (inode == MK_NONE ||
	    S_ISDIR(mk_gather_at(s->gather, inode)->e.mode)) {
		problem(s, e->path,
			"left out: what it is a link to did not come");
		return 0;
	}
	if (e->size_known && e->meta.size > 0 &&
	    S_ISREG(mk_gather_at(s->gather, inode)->e.mode)) {
		r = take_content(s, u, e, inode);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = mk_gather_place(s->gather, (const char *)s->path.p, &e->meta,
			    &name);
	if (r >= 0)
		r = mk_gather_put(s->gather, name, inode);
	return r < 0 ? mk_stream_leave_out(s, e->path, r) : 0;
}

/* 1: its kind or its target cannot be stored, said. */
static int describe(struct mk_streaming *s, const struct mk_unpacked *e,
		    uint64_t inode)
{
	struct mk_entry *m = &mk_gather_at(s->gather, inode)->e;
	uint32_t xset;
	int r = mk_tree_intern(s->tree, e->xattr, e->xattrs, &xset);

	if (r < 0)
		return r;
	*m = e->meta;
	m->xset = xset;
	m->size = 0;
	switch (m->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFLNK:
		if (!e->symlink || !*e->symlink ||
		    strlen(e->symlink) > ARC_TARGET_MAX) {
			problem(s, e->path, "left out: its target is too long");
			return 1;
		}
		m->size = strlen(e->symlink);
		return mk_tree_add_text(s->tree, e->symlink, m->size,
					&m->target);
	default:
		problem(s, e->path, "left out: of a kind that is not known");
		return 1;
	}
}

static int take_inode(struct mk_streaming *s, struct mk_unpack *u,
		      const struct mk_unpacked *e)
{
	uint64_t inode, name;
	int r = mk_gather_place(s->gather, (const char *)s->path.p, &e->meta,
				&name);

	if (r < 0)
		return mk_stream_leave_out(s, e->path, r);
	r = mk_gather_add(s->gather, &inode);
	if (r >= 0)
		r = describe(s, e, inode);
	if (r == 0 && S_ISREG(e->meta.mode))
		r = take_content(s, u, e, inode);
	if (r != 0)
		return r < 0 ? r : 0;
	r = mk_gather_put(s->gather, name, inode);
	return r < 0 ? mk_stream_leave_out(s, e->path, r) : 0;
}

static int take_entry(struct mk_streaming *s, struct mk_unpack *u,
		      const struct mk_unpacked *e)
{
	int r;

	s->path.n = 0;
	r = mk_gather_path(e->path, &s->path);
	if (r < 0)
		return mk_stream_leave_out(s, e->path, r);
	if (mk_stream_excluded(s, S_ISDIR(e->meta.mode)))
		return 0;
	if (!s->has_first)
		s->first = e->meta;
	s->has_first = true;
	return e->hardlink ? take_link(s, u, e) : take_inode(s, u, e);
}

int mk_stream_archive(struct mk_streaming *s)
{
	const struct mk_unpack_params params = { .fd = s->src->fd,
						 .name = s->src->name,
						 .diag = s->run->diag,
						 .trouble = unpack_trouble,
						 .ctx = s };
	arc_cleanup(mk_unpack_freep) struct mk_unpack *u = NULL;
	struct mk_unpacked e;
	bool cut = false;
	int r = mk_unpack_new(&params, &u);

	while (r >= 0 && (r = mk_unpack_next(u, &e, &cut)) > 0)
		r = take_entry(s, u, &e);
	if (r == -EIO && !s->has_first)
		arc_say(s->run->diag, ARC_ERROR,
			"%s: where it is no archive, %s stores it as one file",
			s->src->name,
			strcmp(s->run->opt->src, "-") == 0 ? "--stdin-name NAME"
							   : "--as-file");
	if (r >= 0 && cut)
		mk_problem_path(s->run, s->src->name,
				"has no end: it may have been cut off", 0);
	return r;
}
