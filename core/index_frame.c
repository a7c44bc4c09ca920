/* SPDX-License-Identifier: MIT */
/*
 * index_frame - where the records of the frames lie. All frames but the last
 * have the same size, so the frame of a byte is known by a division; rows that
 * say otherwise are searched.
 */
#include "index_i.h"

static bool numbers_ok(const struct arc_index *idx, const struct arc_frame *f)
{
	uint64_t head = sizeof(struct arc_disk_record) +
			(uint64_t)arc_segment_count(f->raw) * f->entry_size;

	return f->raw > 0 && f->raw <= ARC_FRAME_MAX &&
	       arc_range_ok(f->start, f->raw, idx->summary.stream) &&
	       f->group_log >= ARC_GROUP_LOG_MIN &&
	       f->group_log <= ARC_GROUP_LOG_MAX &&
	       f->entry_size >= ARC_ENTRY_SIZE_MIN &&
	       f->entry_size <= ARC_ENTRY_SIZE_MAX && f->entry_size % 8 == 0 &&
	       f->volume > 0 && f->volume <= arc_volumes_count(idx->vs) &&
	       f->stored >= head && f->stored <= head + f->raw &&
	       arc_range_ok(f->offset, f->stored, ARC_FILE_SIZE_MAX);
}

/* One row, checked but for its neighbours. */
static int read_frame(struct index_view *v, uint64_t number,
		      struct arc_frame *ret)
{
	const struct arc_disk_frame *d;
	const void *p;
	int err = index_view_row(v, number, &p);

	if (err < 0)
		return err;
	d = p;
	*ret = (struct arc_frame){
		.number = number,
		.start = arc_get64(d->start),
		.offset = arc_get64(d->offset),
		.checksum = arc_get64(d->checksum),
		.volume = arc_get32(d->volume),
		.raw = arc_get32(d->raw),
		.stored = arc_get32(d->stored),
		.codec = d->codec,
		.group_log = d->group_log,
		.entry_size = d->entry_size,
	};
	return numbers_ok(v->idx, ret) ? 0 : -EBADMSG;
}

/* Frames tile the stream. The one before may be unreadable: not this one's
 * fault. */
static int check_tiling(struct index_view *v, const struct arc_frame *f)
{
	uint64_t end = f->start + f->raw;
	struct arc_frame before;
	int err;

	if (f->number + 1 == v->idx->table[ARC_TABLE_FRAME].rows &&
	    end != v->idx->summary.stream)
		return -EBADMSG;
	if (f->number == 0)
		return f->start == 0 ? 0 : -EBADMSG;
	err = read_frame(v, f->number - 1, &before);
	if (err < 0)
		return err == -ENOMEM ? err : 0;
	return before.start + before.raw == f->start ? 0 : -EBADMSG;
}

int arc_index_frame(struct arc_index *idx, uint64_t number,
		    struct arc_frame *ret)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_FRAME);
	struct arc_frame f;
	int err;

	if (number >= idx->table[ARC_TABLE_FRAME].rows)
		return -ENOENT;
	err = read_frame(&v, number, &f);
	if (err < 0)
		return err;
	err = check_tiling(&v, &f);
	if (err < 0)
		return err;
	*ret = f;
	return 0;
}

struct frame_probe {
	struct index_view *view;
	uint64_t stream;
};

static bool holds(const struct arc_frame *f, uint64_t stream)
{
	return f->start <= stream && stream - f->start < f->raw;
}

static int probe_frame(void *ctx, uint64_t row, int *ret_cmp)
{
	struct frame_probe *p = ctx;
	struct arc_frame f;
	int err = read_frame(p->view, row, &f);

	if (err < 0)
		return err;
	*ret_cmp = holds(&f, p->stream) ? 0 : f.start > p->stream ? 1 : -1;
	return 0;
}

int arc_index_frame_at(struct arc_index *idx, uint64_t stream,
		       struct arc_frame *ret)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_FRAME);
	uint64_t rows = idx->table[ARC_TABLE_FRAME].rows;
	uint64_t number = stream / idx->frame_size;
	struct frame_probe probe = { &v, stream };
	struct arc_frame f;
	bool found;
	int err;

	if (stream >= idx->summary.stream)
		return -ENOENT;
	err = number < rows ? read_frame(&v, number, &f) : -EBADMSG;
	if (err < 0 || !holds(&f, stream)) {
		err = index_bisect(probe_frame, &probe, 0, rows, &number,
				   &found);
		if (err == 0)
			err = found ? read_frame(&v, number, &f) : -EBADMSG;
		if (err < 0)
			return err;
	}
	err = check_tiling(&v, &f);
	if (err < 0)
		return err;
	*ret = f;
	return 0;
}
