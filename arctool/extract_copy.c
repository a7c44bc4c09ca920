/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "extract_i.h"

#define CHUNK ((uint64_t)1 << 20) /* read at once */

/* ---- damage -------------------------------------------------------------- */

void tool_copy_say(struct tool_copy *c)
{
	if (c->bad_from == c->bad_to)
		return;
	arc_say(&c->x->tool->diag, ARC_ERROR,
		"%s: bytes %" PRIu64 "..%" PRIu64 " are damaged: %s", c->path,
		c->bad_from, c->bad_to - 1, arc_error_text(c->bad_err));
	atomic_store(&c->x->inexact, true);
	c->bad_from = c->bad_to = 0;
}

void tool_copy_damage(struct tool_copy *c, uint64_t off, uint64_t len, int err)
{
	if (c->bad_to != off || c->bad_err != err) {
		tool_copy_say(c);
		c->bad_from = off;
	}
	c->bad_to = off + len;
	c->bad_err = err;
}

/* ---- copying ------------------------------------------------------------- */

/* Copies [off, off + len) of the file. An error is one of reading. */
static int copy_piece(struct tool_copy *c, uint64_t off, uint64_t len)
{
	struct arc_archive *a = c->x->tool->archive;
	struct arc_read read;
	int r = arc_archive_read_begin(a, c->inode, off, (size_t)len, &read);

	if (r < 0)
		return r;
	c->put(c->ctx, read.iov, read.count, off);
	arc_archive_read_end(a, &read);
	tool_meter_add(c->x->tool->meter, len);
	return 0;
}

static void lose_piece(struct tool_copy *c, uint64_t off, uint64_t len, int err)
{
	tool_copy_damage(c, off, len, err);
	if (c->lose)
		c->lose(c->ctx, len);
}

/* Where the segment that holds a byte of the stream ends. */
static uint64_t segment_end(struct tool_copy *c, uint64_t stream)
{
	struct arc_frame frame;
	uint64_t start = 0; /* frames begin at multiples of segments */

	if (arc_index_frame_at(c->x->tool->index, stream, &frame) >= 0)
		start = frame.start;
	return start +
	       ((stream - start) / ARC_SEGMENT_SIZE + 1) * ARC_SEGMENT_SIZE;
}

/*
 * A chunk that could not be read, segment by segment: damage never goes beyond
 * the segments that it touches.
 */
static void salvage(struct tool_copy *c, const struct arc_extent *e)
{
	uint64_t done = 0;

	while (done < e->len && !c->is_over(c->ctx)) {
		uint64_t stream = e->stream + done;
		uint64_t n =
			ARC_MIN(segment_end(c, stream) - stream, e->len - done);
		int r = copy_piece(c, e->file + done, n);

		if (r < 0)
			lose_piece(c, e->file + done, n, r);
		done += n;
	}
}

void tool_copy_extent(struct tool_copy *c, const struct arc_extent *e)
{
	uint64_t done = 0;

	while (done < e->len && !c->is_over(c->ctx)) {
		uint64_t n = ARC_MIN(CHUNK, e->len - done);
		int r = copy_piece(c, e->file + done, n);

		if (r < 0 && e->stream != ARC_STREAM_ZERO) {
			struct arc_extent part = { .file = e->file + done,
						   .len = n,
						   .stream = e->stream + done };

			salvage(c, &part);
		} else if (r < 0) {
			lose_piece(c, e->file + done, n, r);
		}
		done += n;
	}
}
