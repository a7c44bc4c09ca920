/* SPDX-License-Identifier: MIT */
/*
 * make_long FRAMES OUT READABLE - writes an archive with one file, "long", of
 * that many frames of 16 MiB, with the writer's own functions. READABLE of them,
 * evenly spread, are there; the records of the others are not, which the index
 * cannot tell. A readable frame is lines that begin with its number.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "idxwrite.h"
#include "record.h"

#define FRAME ((uint32_t)16 << 20)
#define LINE 32

struct maker {
	struct mk_volwrite *vw;
	struct mk_idxwrite *w;
	struct arc_record_encoder *encoder;
	uint8_t *raw, *out;
};

static int write_row(struct maker *m, uint64_t number,
		     struct arc_disk_frame *row)
{
	row->start = arc_put64(number * FRAME);
	return mk_idxwrite_row(m->w, ARC_TABLE_FRAME, row);
}

static int write_missing(struct maker *m, uint64_t number)
{
	struct arc_disk_frame row = {
		.offset = arc_put64(64),
		.checksum = arc_put64(number * 7919),
		.volume = arc_put32(1),
		.raw = arc_put32(FRAME),
		.stored = arc_put32(8192),
		.codec = ARC_CODEC_LZ4,
		.group_log = 20,
		.entry_size = ARC_ENTRY_SIZE_MIN,
	};

	return write_row(m, number, &row);
}

static int write_frame(struct maker *m, uint64_t number)
{
	struct arc_record_info info;
	struct arc_disk_frame row;
	uint32_t volume;
	uint64_t offset;
	int r;

	for (size_t at = 0; at < FRAME; at += LINE) {
		char line[64];

		snprintf(line, sizeof(line), "%10llu %20zu\n",
			 (unsigned long long)number, at * 2654435761);
		memcpy(m->raw + at, line, LINE);
	}
	r = arc_record_encode(m->encoder, number,
			      (struct arc_span){ m->raw, FRAME }, m->out,
			      &info);
	if (r >= 0)
		r = mk_volwrite_put(m->vw, m->out, info.stored, 0, &volume,
				    &offset);
	if (r < 0)
		return r;
	row = (struct arc_disk_frame){
		.offset = arc_put64(offset),
		.checksum = arc_put64(info.checksum),
		.volume = arc_put32(volume),
		.raw = arc_put32(FRAME),
		.stored = arc_put32(info.stored),
		.codec = info.codec,
		.group_log = info.group_log,
		.entry_size = info.entry_size,
	};
	return write_row(m, number, &row);
}

static int write_inodes(struct maker *m, uint64_t size)
{
	static const char name[] = "long";
	static const uint8_t len = sizeof(name) - 1;
	struct arc_disk_inode dir = { .mode = arc_put32(S_IFDIR | 0755),
				      .nlink = arc_put32(2),
				      .share_nlink = arc_put32(1),
				      .size = arc_put64(1) };
	struct arc_disk_inode file = { .mode = arc_put32(S_IFREG | 0644),
				       .nlink = arc_put32(1),
				       .share_nlink = arc_put32(1),
				       .leader = arc_put64(1),
				       .share = arc_put64(1),
				       .size = arc_put64(size) };
	struct arc_disk_dirent entry = { .row = arc_put64(1),
					 .share = arc_put64(1),
					 .type = S_IFREG >> 12 };
	uint64_t off;
	int r = mk_idxwrite_item(
		m->w, ARC_TABLE_NAME, (struct arc_span){ &len, 1 },
		(struct arc_span){ (const uint8_t *)name, len }, &off);

	entry.name = arc_put64(r < 0 ? 0 : off);
	if (r >= 0)
		r = mk_idxwrite_row(m->w, ARC_TABLE_INODE, &dir);
	if (r >= 0)
		r = mk_idxwrite_row(m->w, ARC_TABLE_INODE, &file);
	if (r >= 0)
		r = mk_idxwrite_row(m->w, ARC_TABLE_DIRENT, &entry);
	return r;
}

static int write_all(struct maker *m, uint64_t frames, uint64_t readable)
{
	struct arc_disk_root root = { .stream = arc_put64(frames * FRAME) };
	uint64_t step = frames / readable;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < frames; i++)
		r = i % step == 0 ? write_frame(m, i) : write_missing(m, i);
	if (r >= 0)
		r = write_inodes(m, frames * FRAME);
	return r < 0 ? r
		     : mk_idxwrite_finish(m->w, &root, "made=by make_long\n");
}

static int make(const char *out, uint64_t frames, uint64_t readable,
		struct arc_diag *diag)
{
	struct mk_volwrite_params params = { .limit = (uint64_t)98 << 20,
					     .frame_size = FRAME };
	struct arc_record_params how = {
		.encoder = arc_encoder_find("lz4"),
		.codec = { .level = 6, .group_log = 20 },
	};
	struct mk_volume_sink sink;
	struct maker m = { 0 };
	int r = mk_volume_sink_path(out, MK_VOLUMES_REPLACE, diag, &sink);

	if (r >= 0)
		r = mk_volwrite_open(&sink, &params, diag, &m.vw);
	if (r >= 0)
		r = mk_idxwrite_new(m.vw, &m.w);
	if (r >= 0)
		r = arc_record_encoder_new(&how, &m.encoder);
	m.raw = malloc(FRAME);
	m.out = malloc(arc_record_bound(FRAME));
	if (r >= 0)
		r = m.raw && m.out ? write_all(&m, frames, readable) : -ENOMEM;
	free(m.raw);
	free(m.out);
	arc_record_encoder_free(m.encoder);
	mk_idxwrite_free(m.w);
	mk_volwrite_close(m.vw);
	return r;
}

int main(int argc, char **argv)
{
	static char name[] = "make_long";
	uint64_t frames, readable;
	struct arc_diag diag;
	int r;

	if (argc != 4)
		return 2;
	frames = strtoull(argv[1], NULL, 10);
	readable = strtoull(argv[3], NULL, 10);
	if (readable == 0 || frames < readable)
		return 2;
	arc_diag_init(&diag, arc_sink_stderr, name, ARC_WARN);
	r = make(argv[2], frames, readable, &diag);
	arc_diag_fini(&diag);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[2], arc_error_text(r));
	return r < 0;
}
