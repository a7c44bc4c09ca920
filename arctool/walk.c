/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct level {
	struct arc_inode dir;
	uint64_t next; /* number of its entry that comes next */
	uint64_t last; /* ino of the last subdirectory seen in it */
	size_t path_len;
	bool taken;
};

struct tool_walk {
	struct tool *tool;
	const struct tool_select *select;
	struct level *level; /* the directories entered, outermost first */
	size_t depth;
	size_t cap;
	uint64_t entered; /* directories so far */
	struct arc_buf path; /* NUL-terminated, the NUL counted */
	struct level pending; /* to be entered at the next step */
	bool has_pending;
	bool begun;
};

int tool_walk_new(struct tool *t, const struct tool_select *select,
		  struct tool_walk **ret)
{
	struct tool_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->tool = t;
	w->select = select;
	*ret = w;
	return 0;
}

void tool_walk_free(struct tool_walk *w)
{
	if (!w)
		return;
	free(w->level);
	arc_buf_fini(&w->path);
	free(w);
}

void tool_walk_skip(struct tool_walk *w)
{
	w->has_pending = false;
}

/* The path of the directory of length dir_len, then "/name". */
static int set_path(struct tool_walk *w, size_t dir_len, const char *name,
		    size_t n)
{
	int r = 0;

	w->path.n = dir_len;
	if (dir_len > 0)
		r = arc_buf_append(&w->path, "/", 1);
	if (r == 0)
		r = arc_buf_append(&w->path, name, n);
	if (r == 0)
		r = arc_buf_append(&w->path, "", 1);
	return r;
}

static void fill(const struct tool_walk *w, enum tool_step step, size_t n,
		 bool taken, struct tool_entry *ret)
{
	const char *path = (const char *)w->path.p;
	const char *slash = memrchr(path, '/', n);

	*ret = (struct tool_entry){
		.step = step,
		.path = path,
		.path_len = n,
		.name = slash ? slash + 1 : path,
		.taken = taken,
	};
}

static int enter_pending(struct tool_walk *w)
{
	w->has_pending = false;
	if (w->entered++ >= arc_index_inodes(w->tool->index)) {
		arc_say(&w->tool->diag, ARC_ERROR,
			"the index is corrupt: more directories than inodes");
		return -EBADMSG;
	}
	if (w->depth == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 32;
		struct level *more = reallocarray(w->level, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		w->level = more;
		w->cap = cap;
	}
	w->level[w->depth++] = w->pending;
	return 0;
}

static int begin(struct tool_walk *w, struct tool_entry *ret)
{
	enum tool_choice choice = tool_select_choose(w->select, "", 0);
	struct arc_inode root;
	int r;

	w->begun = true;
	if (choice == TOOL_SKIP)
		return 0;
	r = set_path(w, 0, "", 0);
	if (r < 0)
		return r;
	r = arc_index_inode(w->tool->index, ARC_ROOT_INO, &root);
	if (r >= 0 && !S_ISDIR(root.mode))
		r = -EBADMSG;
	if (r < 0) {
		fill(w, TOOL_STEP_BAD, 0, true, ret);
		ret->err = r;
		return 1;
	}
	fill(w, TOOL_STEP_ENTRY, 0, choice == TOOL_TAKE, ret);
	ret->inode = root;
	w->pending = (struct level){ .dir = root, .taken = ret->taken };
	w->has_pending = true;
	return 1;
}

static int leave(struct tool_walk *w, struct tool_entry *ret)
{
	const struct level *top = &w->level[--w->depth];

	w->path.p[top->path_len] = '\0';
	fill(w, TOOL_STEP_LEAVE, top->path_len, top->taken, ret);
	ret->inode = top->dir;
	return 1;
}

/* Entries that cannot be read, as one step for all that follow each other. */
static int bad_entries(struct tool_walk *w, struct level *top, int err,
		       struct tool_entry *ret)
{
	struct arc_dirent skipped;
	uint64_t first = top->next;

	do {
		top->next = arc_index_entry_after(w->tool->index, &top->dir,
						  top->next);
	} while (top->next < top->dir.size &&
		 arc_index_entry(w->tool->index, &top->dir, top->next,
				 &skipped) < 0);
	w->path.p[top->path_len] = '\0';
	fill(w, TOOL_STEP_BAD, top->path_len, top->taken, ret);
	ret->err = err;
	ret->first = first;
	ret->count = top->next - first;
	return 1;
}

/* What the index says about an entry must agree with where it was found. */
static int read_inode(struct tool_walk *w, const struct level *top,
		      const struct arc_dirent *d, struct arc_inode *ret)
{
	int r = arc_index_inode(w->tool->index, d->ino, ret);

	if (r < 0)
		return r;
	if ((ret->mode & S_IFMT) != d->type)
		return -EBADMSG;
	/* Subdirectories ascend: none is entered twice. */
	if (S_ISDIR(ret->mode) &&
	    (ret->parent != top->dir.ino || ret->ino <= top->last))
		return -EBADMSG;
	return 0;
}

/* 1: *ret is filled; 0: the entry is not wanted. */
static int step_to(struct tool_walk *w, struct level *top,
		   const struct arc_dirent *d, struct tool_entry *ret)
{
	enum tool_choice choice = TOOL_TAKE;
	struct arc_inode inode;
	size_t n;
	int r;

	r = set_path(w, top->path_len, d->name, d->name_len);
	if (r < 0)
		return r;
	n = w->path.n - 1;
	if (!top->taken)
		choice = tool_select_choose(w->select, (char *)w->path.p, n);
	if (choice == TOOL_SKIP || (choice == TOOL_PASS && !S_ISDIR(d->type)))
		return 0;
	r = read_inode(w, top, d, &inode);
	if (r == -ENOMEM)
		return r;
	fill(w, r < 0 ? TOOL_STEP_BAD : TOOL_STEP_ENTRY, n, choice == TOOL_TAKE,
	     ret);
	if (r < 0) {
		ret->err = r;
		return 1;
	}
	ret->inode = inode;
	if (S_ISDIR(inode.mode))
		top->last = inode.ino;
	w->has_pending = S_ISDIR(inode.mode);
	w->pending = (struct level){ .dir = inode,
				     .path_len = n,
				     .taken = ret->taken };
	return 1;
}

int tool_walk_next(struct tool_walk *w, struct tool_entry *ret)
{
	int r = 0;

	if (!w->begun)
		return begin(w, ret);
	if (w->has_pending)
		r = enter_pending(w);
	while (r == 0 && w->depth > 0) {
		struct level *top = &w->level[w->depth - 1];
		struct arc_dirent d;

		if (top->next >= top->dir.size)
			return leave(w, ret);
		r = arc_index_entry(w->tool->index, &top->dir, top->next, &d);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || !arc_format_name_ok((uint8_t *)d.name, d.name_len))
			return bad_entries(w, top, r < 0 ? r : -EBADMSG, ret);
		top->next++;
		r = step_to(w, top, &d, ret);
	}
	return r;
}

void tool_walk_say_bad(struct tool *t, const struct tool_entry *bad)
{
	const char *path = bad->path_len ? bad->path : "/";

	if (bad->count)
		arc_say(&t->diag, ARC_ERROR,
			"%s: entries %" PRIu64 "..%" PRIu64
			" cannot be read: %s",
			path, bad->first, bad->first + bad->count - 1,
			arc_error_text(bad->err));
	else
		arc_say(&t->diag, ARC_ERROR,
			"%s: its metadata cannot be read: %s", path,
			arc_error_text(bad->err));
}
