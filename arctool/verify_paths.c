/* SPDX-License-Identifier: MIT */
/*
 * The damaged ranges of the stream are sorted and joined once; then each file's
 * extents are looked up in them. Going the other way, from a range to its
 * files, would need an index that no archive carries.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "verify_i.h"

#define EXTENTS_AT_ONCE 64

struct range {
	uint64_t from;
	uint64_t to; /* the first byte behind */
};

struct ranges {
	struct range *list;
	size_t n;
	size_t cap;
};

struct affected {
	struct tool *tool;
	struct ranges stream; /* damaged, ascending, apart from each other */
	bool index; /* blocks of the index are damaged too */
	struct ranges file; /* of the entry at hand */
	struct arc_buf room;
	uint64_t count;
};

/* Appends; what it touches or covers at the end of the list becomes one. */
static int ranges_add(struct ranges *r, uint64_t from, uint64_t to)
{
	while (r->n && r->list[r->n - 1].from >= from)
		to = ARC_MAX(to, r->list[--r->n].to);
	if (r->n && from <= r->list[r->n - 1].to) {
		r->list[r->n - 1].to = ARC_MAX(to, r->list[r->n - 1].to);
		return 0;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		struct range *more = reallocarray(r->list, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		r->list = more;
		r->cap = cap;
	}
	r->list[r->n++] = (struct range){ from, to };
	return 0;
}

static int by_from(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static int collect_stream(struct affected *a, const struct tool_damage *damage,
			  size_t n)
{
	struct range *all = calloc(n, sizeof(*all));
	size_t count = 0;
	int r = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct arc_damage *d = &damage[i].d;

		if (d->len == 0)
			a->index = true;
		else
			all[count++] =
				(struct range){ d->stream, d->stream + d->len };
	}
	qsort(all, count, sizeof(*all), by_from);
	for (size_t i = 0; i < count && r == 0; i++)
		r = ranges_add(&a->stream, all[i].from, all[i].to);
	free(all);
	return r;
}

/* The first damaged range that ends behind `at`. */
static size_t first_behind(const struct ranges *r, uint64_t at)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->list[mid].to <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int add_extent(struct affected *a, const struct arc_extent *e)
{
	int r = 0;

	if (e->stream == ARC_STREAM_ZERO)
		return 0;
	for (size_t i = first_behind(&a->stream, e->stream);
	     r == 0 && i < a->stream.n &&
	     a->stream.list[i].from < e->stream + e->len;
	     i++) {
		uint64_t from = ARC_MAX(a->stream.list[i].from, e->stream);
		uint64_t to = ARC_MIN(a->stream.list[i].to, e->stream + e->len);

		r = ranges_add(&a->file, e->file + (from - e->stream),
			       e->file + (to - e->stream));
	}
	return r;
}

static int add_file(struct affected *a, const struct arc_inode *inode)
{
	struct arc_extent extents[EXTENTS_AT_ONCE];
	uint64_t off = 0;
	ssize_t n;

	do {
		n = arc_index_extents(a->tool->index, inode, off,
				      inode->size - off, extents,
				      EXTENTS_AT_ONCE);
		if (n < 0)
			return (int)n;
		for (ssize_t i = 0; i < n; i++) {
			int r = add_extent(a, &extents[i]);

			if (r < 0)
				return r;
			off = extents[i].file + extents[i].len;
		}
	} while (n == EXTENTS_AT_ONCE && off < inode->size);
	return 0;
}

/* Everything of an entry that lies in the index beside its row. */
static int probe_index(struct affected *a, const struct arc_inode *inode)
{
	char name[ARC_XATTR_NAME_MAX + 1];
	int r = 0;

	if (S_ISLNK(inode->mode)) {
		arc_cleanup(arc_freep) char *target = NULL;

		r = arc_index_target(a->tool->index, inode, &target);
	}
	for (uint32_t i = 0; inode->xset && r >= 0; i++) {
		arc_cleanup(arc_freep) uint8_t *value = NULL;
		size_t n;

		r = arc_index_xattr(a->tool->index, inode, i, name, &value, &n);
	}
	return r == -ENODATA ? 0 : r;
}

/* ---- printing ------------------------------------------------------------ */

static int print_text(struct affected *a, const struct tool_entry *e, int err)
{
	const char *path = tool_show(&a->room, e->path_len ? e->path : ".",
				     e->path_len ? e->path_len : 1);
	const char *sep = ": bytes ";

	if (!path)
		return -ENOMEM;
	printf("affected: %s", path);
	for (size_t i = 0; i < a->file.n; i++) {
		printf("%s%" PRIu64 "..%" PRIu64, sep, a->file.list[i].from,
		       a->file.list[i].to - 1);
		sep = ", ";
	}
	if (err < 0 && e->count)
		printf(": entries %" PRIu64 "..%" PRIu64 ": %s", e->first,
		       e->first + e->count - 1, arc_error_text(err));
	else if (err < 0)
		printf(": metadata: %s", arc_error_text(err));
	putchar('\n');
	return 0;
}

static int print_json(struct affected *a, const struct tool_entry *e, int err)
{
	json_t *o = json_object(), *list;
	int r;

	if (a->count)
		puts(",");
	r = arc_json_set(o, "path", e->path, e->path_len);
	if (a->file.n) {
		list = json_array();
		for (size_t i = 0; i < a->file.n; i++)
			json_array_append_new(
				list,
				json_pack("[I, I]",
					  arc_json_int(a->file.list[i].from),
					  arc_json_int(a->file.list[i].to)));
		json_object_set_new(o, "ranges", list);
	}
	if (err < 0)
		json_object_set_new(o, "error",
				    json_string(arc_error_name(err)));
	if (e->count)
		json_object_set_new(
			o, "entries",
			json_pack("[I, I]", arc_json_int(e->first),
				  arc_json_int(e->first + e->count)));
	if (r < 0) {
		json_decref(o);
		return r;
	}
	return arc_json_line(o, stdout, "");
}

static int look_at(struct affected *a, const struct tool_entry *e)
{
	int err = 0, r;

	a->file.n = 0;
	if (e->step == TOOL_STEP_BAD)
		err = e->err;
	else if (S_ISREG(e->inode.mode))
		err = add_file(a, &e->inode);
	if (err == 0 && a->index && e->step == TOOL_STEP_ENTRY)
		err = probe_index(a, &e->inode);
	if (err == -ENOMEM)
		return err;
	if (err == 0 && a->file.n == 0)
		return 0;
	r = a->tool->req.json ? print_json(a, e, err) : print_text(a, e, err);
	a->count++;
	return r;
}

static int walk_all(struct affected *a)
{
	arc_cleanup(tool_walk_freep) struct tool_walk *w = NULL;
	struct tool_select all = { .all = true };
	struct tool_entry e;
	int r = tool_walk_new(a->tool, &all, &w);

	while (r >= 0 && (r = tool_walk_next(w, &e)) > 0) {
		if (e.step != TOOL_STEP_LEAVE)
			r = look_at(a, &e);
	}
	return r;
}

int tool_verify_print_affected(struct tool *t, const struct tool_damage *damage,
			       size_t n, uint64_t *ret_affected)
{
	struct affected a = { .tool = t };
	int r = collect_stream(&a, damage, n);

	if (r >= 0)
		r = walk_all(&a);
	*ret_affected = a.count;
	free(a.stream.list);
	free(a.file.list);
	arc_buf_fini(&a.room);
	return r;
}
