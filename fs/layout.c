/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <jansson.h>

#define EXTENTS_AT_ONCE 64

/* Always left for the last line. */
#define MARK_ROOM 256

/* Lines being put together. -E2BIG: there is no room for another. */
struct layout {
	struct arc_archive *archive;
	struct arc_index *index; /* the archive's */
	char *text; /* ARCFS_LAYOUT_MAX bytes and a NUL */
	size_t n;
	uint64_t at; /* in the file: what is before has been told */

	/* The frame told last: neighbouring extents mostly lie in one. */
	bool has_frame;
	struct arc_frame frame;
	struct arc_record *record; /* NULL: cannot be read, says err */
	int err;
};

/* ---- lines --------------------------------------------------------------- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)ARC_MIN(n, (uint64_t)INT64_MAX));
}

/* Releases line. */
static int put_line(struct layout *l, json_t *line, size_t end)
{
	size_t room = end - l->n;
	size_t n =
		line ? json_dumpb(line, l->text + l->n, room, JSON_COMPACT) : 0;

	json_decref(line);
	if (n == 0)
		return -ENOMEM;
	if (n >= room)
		return -E2BIG;
	l->n += n;
	l->text[l->n++] = '\n';
	return 0;
}

static int add_line(struct layout *l, json_t *line)
{
	return put_line(l, line, ARCFS_LAYOUT_MAX - MARK_ROOM);
}

/* The last line: from where on nothing is told, and why. */
static int add_mark(struct layout *l, int err)
{
	json_t *mark = json_object();

	json_object_set_new(mark, "cut_at", number(l->at));
	json_object_set_new(mark, "error",
			    json_string(err == -E2BIG
						? "an attribute has no room "
						  "for more"
						: arc_error_text(err)));
	return put_line(l, mark, ARCFS_LAYOUT_MAX);
}

static json_t *range_line(uint64_t file, uint64_t len)
{
	json_t *line = json_object();

	json_object_set_new(line, "file", number(file));
	json_object_set_new(line, "len", number(len));
	return line;
}

static int add_hole(struct layout *l, uint64_t end)
{
	json_t *line;
	int err;

	if (end <= l->at)
		return 0;
	line = range_line(l->at, end - l->at);
	json_object_set_new(line, "hole", json_true());
	err = add_line(l, line);
	if (!err)
		l->at = end;
	return err;
}

/* ---- frames -------------------------------------------------------------- */

static void set_frame(json_t *line, const struct arc_frame *f)
{
	json_object_set_new(line, "volume", number(f->volume));
	json_object_set_new(line, "offset", number(f->offset));
	json_object_set_new(line, "codec",
			    json_string(arc_codec_name(f->codec)));
	json_object_set_new(line, "group", number(UINT64_C(1) << f->group_log));
	json_object_set_new(line, "raw", number(f->raw));
	json_object_set_new(line, "stored", number(f->stored));
}

/* Segments [lo, hi]: how many of which type, and what they take. */
static void set_segments(json_t *line, const struct arc_record *r, uint32_t lo,
			 uint32_t hi)
{
	static const char *const names[ARC_SEGMENT_TYPES] = {
		[ARC_SEGMENT_RAW] = "raw",
		[ARC_SEGMENT_CODED] = "coded",
		[ARC_SEGMENT_FILL] = "fill",
		[ARC_SEGMENT_JOINED] = "joined",
	};
	uint64_t count[ARC_SEGMENT_TYPES] = { 0 }, bytes = 0;
	json_t *types = json_object();

	for (uint32_t s = lo; s <= hi; s++) {
		count[r->segment[s].type]++;
		bytes += r->segment[s].size;
	}
	for (unsigned i = 0; i < ARC_SEGMENT_TYPES; i++) {
		if (count[i])
			json_object_set_new(types, names[i], number(count[i]));
	}
	json_object_set_new(line, "types", types);
	json_object_set_new(line, "segment_bytes", number(bytes));
}

/* Makes the frame of a byte of the stream the one told last. *ret_new: it was
 * another one. */
static int find_frame(struct layout *l, uint64_t stream, bool *ret_new)
{
	struct arc_frame f;
	int err = arc_index_frame_at(l->index, stream, &f);

	if (err < 0)
		return err == -ENOENT ? -EBADMSG : err;
	*ret_new = !l->has_frame || l->frame.number != f.number;
	if (!*ret_new)
		return 0;
	free(arc_steal(l->record));
	l->frame = f;
	l->has_frame = true;
	l->err = arc_archive_record(l->archive, &f, &l->record);
	return l->err == -ENOMEM ? l->err : 0;
}

/* The part of [stream, stream + len) that lies in one frame: *ret_len. */
static int add_frame(struct layout *l, uint64_t stream, uint64_t len,
		     uint64_t *ret_len)
{
	const struct arc_frame *f = &l->frame;
	json_t *line = json_object();
	uint64_t lo, hi;
	bool new;
	int err = find_frame(l, stream, &new);

	if (err) {
		json_decref(line);
		return err;
	}
	len = ARC_MIN(len, f->start + f->raw - stream);
	lo = (stream - f->start) >> ARC_SEGMENT_LOG;
	hi = (stream + len - 1 - f->start) >> ARC_SEGMENT_LOG;
	json_object_set_new(line, "frame", number(f->number));
	if (new)
		set_frame(line, f);
	json_object_set_new(line, "segments",
			    json_pack("[I, I]", (json_int_t)lo,
				      (json_int_t)hi));
	if (l->record)
		set_segments(line, l->record, (uint32_t)lo, (uint32_t)hi);
	else
		json_object_set_new(line, "error",
				    json_string(arc_error_text(l->err)));
	err = add_line(l, line);
	if (!err)
		*ret_len = len;
	return err;
}

/* What the index cannot tell the frames of is told as such. */
static int add_unknown(struct layout *l, uint64_t stream, int reason)
{
	json_t *line = json_object();

	json_object_set_new(line, "stream", number(stream));
	json_object_set_new(line, "error", json_string(arc_error_text(reason)));
	return add_line(l, line);
}

static int add_frames(struct layout *l, const struct arc_extent *e)
{
	uint64_t done = 0;

	while (done < e->len) {
		uint64_t len = e->len - done;
		int err = add_frame(l, e->stream + done, len, &len);

		if (err == -E2BIG || err == -ENOMEM)
			return err;
		if (err) {
			err = add_unknown(l, e->stream + done, err);
			if (err)
				return err;
		}
		done += len;
		l->at += len;
	}
	return 0;
}

/* ---- extents ------------------------------------------------------------- */

static int add_extent(struct layout *l, const struct arc_extent *e)
{
	json_t *line;
	int err = add_hole(l, e->file);

	if (err)
		return err;
	line = range_line(e->file, e->len);
	if (e->stream == ARC_STREAM_ZERO)
		json_object_set_new(line, "zeros", json_true());
	else
		json_object_set_new(line, "stream", number(e->stream));
	err = add_line(l, line);
	if (err)
		return err;
	if (e->stream != ARC_STREAM_ZERO)
		return add_frames(l, e);
	l->at += e->len;
	return 0;
}

static int add_extents(struct layout *l, const struct arc_inode *inode)
{
	struct arc_extent extent[EXTENTS_AT_ONCE];
	ssize_t got = EXTENTS_AT_ONCE;

	while (got == EXTENTS_AT_ONCE) {
		got = arc_index_extents(l->index, inode, l->at,
					inode->size - l->at, extent,
					EXTENTS_AT_ONCE);
		if (got < 0)
			return (int)got;
		for (ssize_t i = 0; i < got; i++) {
			int err = add_extent(l, &extent[i]);

			if (err)
				return err;
		}
	}
	return add_hole(l, inode->size);
}

static int add_file(struct layout *l, const struct arc_inode *inode)
{
	json_t *line = json_object();

	json_object_set_new(line, "ino", number(inode->ino));
	json_object_set_new(line, "leader", number(inode->leader));
	json_object_set_new(line, "size", number(inode->size));
	json_object_set_new(line, "extents",
			    number(inode->has_extents ? inode->extents
						      : inode->size > 0));
	return add_line(l, line);
}

int arcfs_layout_text(struct arc_archive *a, const struct arc_inode *inode,
		      char **ret)
{
	arc_cleanup(arc_freep) char *text = malloc(ARCFS_LAYOUT_MAX + 1);
	struct layout l = { .archive = a,
			    .index = arc_archive_index(a),
			    .text = text };
	int err = text ? add_file(&l, inode) : -ENOMEM;

	if (!err)
		err = add_extents(&l, inode);
	free(l.record);
	if (err && err != -ENOMEM)
		err = add_mark(&l, err);
	if (err)
		return err;
	text[l.n] = '\0';
	*ret = arc_steal(text);
	return 0;
}
