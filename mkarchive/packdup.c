/* SPDX-License-Identifier: MIT */
#include "extmap.h"
#include "pack_i.h"

/* Cuts the duplicate's data [off, end) along the leader's extents. */
static int follow_run(struct mk_packer *p, struct mk_extmap *map,
		      struct mk_entry *e, uint64_t off, uint64_t end)
{
	struct mk_extent piece;
	int r = 0;

	for (; r >= 0 && off < end; off += piece.len) {
		piece = mk_extmap_piece(map, off, end);
		r = mk_pack_add_extent(p, e, &piece);
	}
	return r;
}

/* Run by run through an open file with holes. *ret_done false: it could not be
 * looked through. */
static int follow_runs(struct mk_packer *p, struct mk_extmap *map,
		       struct mk_entry *e, int fd, bool *ret_done)
{
	uint64_t off = 0, end;
	int r = 0;

	*ret_done = true;
	for (uint64_t at = 0; r >= 0 && at < e->size; at = end) {
		r = mk_source_run(fd, at, e->size, &off, &end);
		if (r == -ENXIO)
			return 0;
		if (r < 0) {
			*ret_done = false;
			return 0;
		}
		r = follow_run(p, map, e, off, end);
	}
	return r;
}

/* One extent that is all of the file needs no list. */
static void simplify(struct mk_packer *p, struct mk_entry *e)
{
	const struct mk_extent *x;

	e->flags |= MK_ENTRY_EXTENTS;
	if (e->extents != 1)
		return;
	x = mk_spool_at(&p->tree->extents, e->data);
	if (x->file || x->len != e->size || x->stream == ARC_STREAM_ZERO)
		return;
	e->data = x->stream;
	e->extents = 0;
	e->flags &= ~(uint32_t)MK_ENTRY_EXTENTS;
}

/* The extents of a duplicate whose leader has holes, or that has some. */
static int map_extents(struct mk_packer *p, uint64_t entry,
		       const struct mk_entry *l, bool *ret_done)
{
	arc_cleanup(arc_closep) int fd = -1;
	struct mk_entry *e = mk_tree_at(p->tree, entry);
	struct mk_extent whole = { .len = l->size, .stream = l->data };
	struct mk_extmap map = { .extent = &whole, .count = 1 };
	int r = 0;

	if (l->flags & MK_ENTRY_EXTENTS) {
		map.extent = mk_spool_at(&p->tree->extents, l->data);
		map.count = l->extents;
	}
	e->extents = 0;
	if (e->flags & MK_ENTRY_SPARSE) {
		r = mk_source_open(p->source, entry, &fd);
		*ret_done = r >= 0;
		if (r < 0)
			return 0; /* storing it will tell what is wrong */
		r = follow_runs(p, &map, e, fd, ret_done);
		if (r >= 0 && mk_source_check(p->tree, entry, fd) < 0)
			*ret_done = false;
	} else {
		r = follow_run(p, &map, e, 0, e->size);
		*ret_done = true;
	}
	if (r >= 0 && *ret_done)
		simplify(p, e);
	return r;
}

int mk_pack_follow(struct mk_packer *p, uint64_t entry, uint64_t leader,
		   bool *ret_done)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);
	const struct mk_entry *l = mk_tree_at(p->tree, leader);

	if ((e->flags & MK_ENTRY_SPARSE) || (l->flags & MK_ENTRY_EXTENTS))
		return map_extents(p, entry, l, ret_done);
	e->data = l->data;
	*ret_done = true;
	return 0;
}
