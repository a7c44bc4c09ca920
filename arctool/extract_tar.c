/* SPDX-License-Identifier: MIT */
/*
 * What is selected, as a tar stream on standard output. An inode with several
 * names is written with the first that is met; the others are links to it.
 *
 * The size of what follows stands in front of it, so a file that turns out to
 * be damaged keeps its length: zeros take the place of what is lost, and it is
 * said.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "extract_i.h"
#include "tar_write.h"

#define EXTENTS_AT_ONCE 64
#define BLOCK 512

/* ---- runs of data -------------------------------------------------------- */

/* The runs of a file, those that touch as one; an error ends them. */
struct runs {
	struct tool_extract *x;
	const struct arc_inode *inode;
	struct arc_extent extent[EXTENTS_AT_ONCE];
	size_t at, n;
	uint64_t off; /* how far extents have been asked for */
	int err;
};

static bool next_extent(struct runs *s, struct arc_extent *ret)
{
	uint64_t size = s->inode->size;
	ssize_t n;

	if (s->at == s->n && s->off < size && !s->err) {
		n = arc_index_extents(s->x->tool->index, s->inode, s->off,
				      size - s->off, s->extent,
				      EXTENTS_AT_ONCE);
		s->err = n < 0 ? (int)n : 0;
		s->n = n < 0 ? 0 : (size_t)n;
		s->at = 0;
		s->off = s->n < EXTENTS_AT_ONCE
				 ? size
				 : s->extent[s->n - 1].file +
					   s->extent[s->n - 1].len;
	}
	if (s->at == s->n)
		return false;
	*ret = s->extent[s->at++];
	return true;
}

static bool next_run(struct runs *s, struct arc_extent *ret)
{
	struct arc_extent e;

	if (!next_extent(s, ret))
		return false;
	while (next_extent(s, &e)) {
		if (e.file != ret->file + ret->len) {
			s->at--;
			break;
		}
		ret->len += e.len;
	}
	return true;
}

/* What a header must know of the runs. */
struct outline {
	uint64_t runs;
	uint64_t data; /* bytes */
	uint64_t map; /* bytes of the map, without padding */
	bool sparse;
};

static uint64_t digits(uint64_t n)
{
	return (uint64_t)snprintf(NULL, 0, "%llu", (unsigned long long)n);
}

/* The map ends at the end of the file, with a run of nothing if need be. */
static struct outline outline_of(struct tool_extract *x,
				 const struct arc_inode *inode)
{
	struct runs s = { .x = x, .inode = inode };
	struct outline o = { 0 };
	struct arc_extent e;
	uint64_t end = 0;

	while (next_run(&s, &e)) {
		o.runs++;
		o.data += e.len;
		o.map += digits(e.file) + digits(e.len) + 2;
		end = e.file + e.len;
	}
	o.sparse = o.data < inode->size;
	if (end < inode->size) {
		o.runs++;
		o.map += digits(inode->size) + 3;
	}
	o.map += digits(o.runs) + 1;
	return o;
}

/* ---- attributes ---------------------------------------------------------- */

static int record_attributes(struct tool_extract *x, struct tool_tar *t,
			     const char *path, const struct arc_inode *inode)
{
	int r = 0;

	for (uint32_t i = 0; inode->xset && r >= 0; i++) {
		arc_cleanup(arc_freep) uint8_t *value = NULL;
		char name[ARC_XATTR_NAME_MAX + 1];
		size_t n;

		r = arc_index_xattr(x->tool->index, inode, i, name, &value, &n);
		if (r >= 0)
			r = tool_tar_attribute(t, name, value, n);
	}
	if (r == -ENODATA)
		return 0;
	if (r < 0 && r != -ENOMEM) {
		tool_extract_problem(x, path, "attributes", r);
		return 0;
	}
	return r;
}

/* ---- one entry ----------------------------------------------------------- */

struct writing {
	struct tool_extract *x;
	struct tool_tar *tar;
	struct arc_buf path; /* of a directory, with its slash */
	int err; /* of writing */
};

static void put_piece(void *ctx, struct iovec *iov, int count, uint64_t off)
{
	struct writing *w = ctx;

	(void)off; /* runs come in order, without gaps */
	if (w->err >= 0)
		w->err = tool_tar_vector(w->tar, iov, count);
}

static void lose_piece(void *ctx, uint64_t len)
{
	struct writing *w = ctx;

	if (w->err >= 0)
		w->err = tool_tar_zeros(w->tar, len);
}

static bool is_over(void *ctx)
{
	const struct writing *w = ctx;

	return w->err < 0;
}

/* The data of a file, as many bytes as its outline says. */
static int write_data(struct writing *w, const char *path,
		      const struct arc_inode *inode, uint64_t data)
{
	struct runs s = { .x = w->x, .inode = inode };
	struct tool_copy copy = { .x = w->x,
				  .inode = inode,
				  .path = path,
				  .put = put_piece,
				  .lose = lose_piece,
				  .is_over = is_over,
				  .ctx = w };
	struct arc_extent e;

	while (w->err >= 0 && data > 0 && next_extent(&s, &e)) {
		e.len = ARC_MIN(e.len, data);
		tool_copy_extent(&copy, &e);
		data -= e.len;
	}
	if (s.err)
		tool_copy_damage(&copy, s.off, inode->size - s.off, s.err);
	tool_copy_say(&copy);
	if (w->err >= 0)
		w->err = tool_tar_zeros(w->tar, data);
	return w->err;
}

/* The runs in front of the data, in decimal lines. */
static int write_map(struct writing *w, const struct arc_inode *inode,
		     const struct outline *o)
{
	struct runs s = { .x = w->x, .inode = inode };
	uint64_t end = 0, runs = 0, written;
	struct arc_extent e;
	char text[64];
	int r, n = snprintf(text, sizeof(text), "%llu\n",
			    (unsigned long long)o->runs);

	written = (uint64_t)n;
	r = tool_tar_data(w->tar, text, (size_t)n);
	while (r >= 0 && runs < o->runs) {
		bool more = next_run(&s, &e);

		if (!more && end == inode->size)
			return -EIO; /* not the runs of the outline */
		if (!more)
			e = (struct arc_extent){ .file = inode->size };
		n = snprintf(text, sizeof(text), "%llu\n%llu\n",
			     (unsigned long long)e.file,
			     (unsigned long long)e.len);
		r = tool_tar_data(w->tar, text, (size_t)n);
		written += (uint64_t)n;
		end = e.file + e.len;
		runs++;
	}
	if (r >= 0 && written != o->map)
		return -EIO;
	return r < 0 ? r : tool_tar_end_entry(w->tar);
}

static int record_sparse(struct writing *w, const char *path,
			 const struct arc_inode *inode)
{
	int r = tool_tar_number(w->tar, "GNU.sparse.major", 1);

	if (r >= 0)
		r = tool_tar_number(w->tar, "GNU.sparse.minor", 0);
	if (r >= 0)
		r = tool_tar_record(w->tar, "GNU.sparse.name", path,
				    strlen(path));
	if (r >= 0)
		r = tool_tar_number(w->tar, "GNU.sparse.realsize", inode->size);
	return r;
}

static int write_file(struct writing *w, struct tool_tar_entry *t,
		      const struct arc_inode *inode)
{
	struct outline o = { .data = inode->size };
	int r = 0;

	if (inode->has_extents)
		o = outline_of(w->x, inode);
	t->size = o.data;
	t->sparse = o.sparse;
	if (o.sparse) {
		t->size += arc_div_up(o.map, BLOCK) * BLOCK;
		r = record_sparse(w, t->path, inode);
	}
	if (r >= 0)
		r = tool_tar_header(w->tar, t);
	if (r >= 0 && o.sparse)
		r = write_map(w, inode, &o);
	if (r >= 0)
		r = write_data(w, t->path, inode, o.data);
	return r < 0 ? r : tool_tar_end_entry(w->tar);
}

static bool set_type(const struct arc_inode *inode, struct tool_tar_entry *t)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		t->type = TOOL_TAR_FILE;
		return true;
	case S_IFDIR:
		t->type = TOOL_TAR_DIR;
		return true;
	case S_IFLNK:
		t->type = TOOL_TAR_SYMLINK;
		return true;
	case S_IFCHR:
	case S_IFBLK:
		t->type = S_ISCHR(inode->mode) ? TOOL_TAR_CHAR : TOOL_TAR_BLOCK;
		t->major = (uint32_t)(inode->data >> 32);
		t->minor = (uint32_t)inode->data;
		return true;
	case S_IFIFO:
		t->type = TOOL_TAR_FIFO;
		return true;
	default:
		return false;
	}
}

/* ".../" for directories: w->path, valid until the next entry. */
static int set_path(struct writing *w, const struct tool_entry *e,
		    struct tool_tar_entry *t)
{
	const char *path = e->path_len > 0 ? e->path : ".";
	int r;

	t->path = path;
	if (t->type != TOOL_TAR_DIR)
		return 0;
	w->path.n = 0;
	r = arc_buf_append(&w->path, path, strlen(path));
	if (r >= 0)
		r = arc_buf_append(&w->path, "/", 2);
	t->path = (const char *)w->path.p;
	return r;
}

/* The entry of an inode that has not been met yet. */
static int write_inode(struct writing *w, struct tool_tar_entry *t,
		       const struct arc_inode *inode)
{
	arc_cleanup(arc_freep) char *target = NULL;
	int r = 0;

	if (t->type == TOOL_TAR_SYMLINK) {
		r = arc_index_target(w->x->tool->index, inode, &target);
		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			tool_extract_problem(w->x, t->path, "cannot be read",
					     r);
			return 0;
		}
		t->target = target;
	}
	r = record_attributes(w->x, w->tar, t->path, inode);
	if (r < 0)
		return r;
	return t->type == TOOL_TAR_FILE ? write_file(w, t, inode)
					: tool_tar_header(w->tar, t);
}

static int write_entry(struct writing *w, const struct tool_entry *e)
{
	struct arc_inode inode = e->inode;
	uint64_t names = tool_links_identity(w->x, &inode);
	struct tool_tar_entry t = { .mode = inode.mode & 07777,
				    .uid = inode.uid,
				    .gid = inode.gid,
				    .mtime = inode.mtime,
				    .mtime_ns = inode.mtime_ns };
	int r;

	if (!set_type(&inode, &t)) {
		arc_say(&w->x->tool->diag, ARC_ERROR,
			"%s: left out: a tar stream has no sockets", e->path);
		atomic_store(&w->x->inexact, true);
		return 0;
	}
	r = set_path(w, e, &t);
	if (r < 0)
		return r;
	if (names > 1 && !S_ISDIR(inode.mode)) {
		t.target = tool_links_find(w->x, inode.ino);
		if (t.target) {
			t.type = TOOL_TAR_LINK;
			r = tool_tar_header(w->tar, &t);
			tool_links_used(w->x, inode.ino);
			return r;
		}
		r = tool_links_set(w->x, inode.ino, names, e->path);
		if (r < 0)
			return r;
	}
	return write_inode(w, &t, &inode);
}

/* ---- the walk ------------------------------------------------------------ */

static int print_path(struct writing *w, const struct tool_entry *e,
		      struct arc_buf *room)
{
	const char *shown;

	if (w->x->tool->req.verbosity <= 0 || e->path_len == 0)
		return 0;
	shown = tool_show(room, e->path, e->path_len);
	if (!shown)
		return -ENOMEM;
	tool_meter_clear(w->x->tool->meter);
	fprintf(stderr, "%s\n", shown);
	return 0;
}

static int write_all(struct writing *w, struct tool_walk *walk)
{
	struct arc_buf room = { 0 };
	struct tool_entry e;
	int r = 0;

	while (r >= 0 && (r = tool_walk_next(walk, &e)) > 0) {
		if (e.step == TOOL_STEP_BAD) {
			tool_walk_say_bad(w->x->tool, &e);
			atomic_store(&w->x->inexact, true);
		}
		if (e.step != TOOL_STEP_ENTRY || !e.taken)
			continue;
		r = print_path(w, &e, &room);
		if (r >= 0)
			r = write_entry(w, &e);
	}
	arc_buf_fini(&room);
	return r < 0 ? r : tool_tar_finish(w->tar);
}

int tool_extract_tar(struct tool_extract *x, const struct tool_select *select)
{
	arc_cleanup(tool_walk_freep) struct tool_walk *walk = NULL;
	arc_cleanup(tool_tar_freep) struct tool_tar *tar = NULL;
	const struct arc_summary *s = arc_index_summary(x->tool->index);
	struct writing w = { .x = x };
	int r;

	r = tool_walk_new(x->tool, select, &walk);
	if (r >= 0)
		r = tool_tar_new(STDOUT_FILENO, &tar);
	if (r < 0)
		return r;
	if (select->all && s->bytes > s->holes)
		tool_meter_total(x->tool->meter, s->bytes - s->holes);
	w.tar = tar;
	r = write_all(&w, walk);
	arc_buf_fini(&w.path);
	return r;
}
