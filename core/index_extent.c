/* SPDX-License-Identifier: MIT */
/*
 * index_extent - which bytes of the stream a file is made of. A regular file
 * without a list of extents is one run, and costs no look into the index.
 */
#include <sys/stat.h>

#include "index_i.h"

struct reader {
	const struct arc_inode *inode;
	struct index_view view;
	uint64_t off; /* what is looked for */
};

static void end_reader(struct reader *r)
{
	index_view_end(&r->view);
}

/* One row, all of it checked but for its neighbours. */
static int read_extent(struct reader *r, uint64_t row, struct arc_extent *ret)
{
	const struct arc_disk_extent *d;
	struct arc_extent e;
	const void *p;
	int err = index_view_row(&r->view, row, &p);

	if (err < 0)
		return err;
	d = p;
	e.file = arc_get64(d->file);
	e.len = arc_get64(d->len);
	e.stream = arc_get64(d->stream);
	if (e.len == 0 || !arc_range_ok(e.file, e.len, r->inode->size))
		return -EBADMSG;
	if (e.stream != ARC_STREAM_ZERO &&
	    !arc_range_ok(e.stream, e.len, r->view.idx->summary.stream))
		return -EBADMSG;
	*ret = e;
	return 0;
}

static int probe_extent(void *ctx, uint64_t row, int *ret_cmp)
{
	struct reader *r = ctx;
	struct arc_extent e;
	int err = read_extent(r, row, &e);

	if (err < 0)
		return err;
	*ret_cmp = e.file + e.len <= r->off ? -1 : e.file > r->off;
	return 0;
}

/* The part of e in [off, end). */
static struct arc_extent cut(struct arc_extent e, uint64_t off, uint64_t end)
{
	uint64_t skip = e.file < off ? off - e.file : 0;

	e.file += skip;
	e.len = ARC_MIN(e.len - skip, end - e.file);
	if (e.stream != ARC_STREAM_ZERO)
		e.stream += skip;
	return e;
}

/*
 * Walks the list from the first extent that does not end before `off`. Each is
 * compared with its neighbour, the first with one that may be unreadable and
 * is then not asked for: it has no part in the range.
 */
static ssize_t walk_list(struct reader *r, uint64_t end, struct arc_extent *ret,
			 size_t cap)
{
	uint64_t first = r->inode->data, last = first + r->inode->extents;
	uint64_t row, at = 0;
	struct arc_extent e;
	size_t n = 0;
	bool found;
	int err = index_bisect(probe_extent, r, first, last, &row, &found);

	if (err < 0)
		return err;
	if (row > first && row < last && read_extent(r, row - 1, &e) == 0)
		at = e.file + e.len;
	for (; row < last && n < cap && at < end; row++) {
		err = read_extent(r, row, &e);
		if (err < 0)
			return err;
		if (e.file < at)
			return -EBADMSG;
		at = e.file + e.len;
		if (e.file < end)
			ret[n++] = cut(e, r->off, end);
	}
	return (ssize_t)n;
}

ssize_t arc_index_extents(struct arc_index *idx, const struct arc_inode *inode,
			  uint64_t off, uint64_t len, struct arc_extent *ret,
			  size_t cap)
{
	arc_cleanup(end_reader) struct reader r = {
		.inode = inode,
		.view = INDEX_VIEW(idx, ARC_TABLE_EXTENT),
		.off = off,
	};
	uint64_t end;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (off >= inode->size || len == 0 || cap == 0)
		return 0;
	end = off + ARC_MIN(len, inode->size - off);
	if (inode->has_extents)
		return walk_list(&r, end, ret, cap);
	ret[0] = cut((struct arc_extent){ .len = inode->size,
					  .stream = inode->data },
		     off, end);
	return 1;
}

int arc_index_data_bytes(struct arc_index *idx, const struct arc_inode *inode,
			 uint64_t *ret)
{
	arc_cleanup(end_reader) struct reader r = {
		.inode = inode,
		.view = INDEX_VIEW(idx, ARC_TABLE_EXTENT),
	};
	uint64_t sum = 0, at = 0;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (!inode->has_extents) {
		*ret = inode->size;
		return 0;
	}
	for (uint32_t i = 0; i < inode->extents; i++) {
		struct arc_extent e;
		int err = read_extent(&r, inode->data + i, &e);

		if (err < 0)
			return err;
		if (e.file < at)
			return -EBADMSG;
		at = e.file + e.len;
		sum += e.len;
	}
	*ret = sum;
	return 0;
}
