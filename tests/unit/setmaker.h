/* SPDX-License-Identifier: MIT */
/*
 * setmaker - small archives in memory, made row by row: what a reader is
 * tested with, hostile rows included. Needs cmocka.h before it.
 *
 * Threads: one owner.
 */
#ifndef TEST_SETMAKER_H
#define TEST_SETMAKER_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "block.h"
#include "diag.h"
#include "idxwrite.h"
#include "record.h"
#include "volume.h"

#define SET_FRAME ((uint32_t)1 << 20)

struct setmaker {
	struct mk_memory_set set;
	struct mk_volwrite *vw;
	struct mk_idxwrite *w;
	struct arc_disk_root root;
	uint64_t stream; /* bytes so far */
	uint64_t frames;
	uint64_t inodes; /* rows so far, as the next three */
	uint64_t dirents;
	uint64_t extents;
	uint64_t xattrs;
	unsigned far_max; /* far references of a segment of LZ-EXT3 */
	uint8_t id[16];
};

/* ---- messages ----------------------------------------------------------- */

/* A sink that counts and keeps what is said. */
struct listener {
	struct arc_diag diag;
	unsigned count;
	char text[4096]; /* all of it, line by line */
};

static inline void listener_hear(void *ctx, enum arc_level level,
				 const char *text)
{
	struct listener *l = ctx;
	size_t n = strlen(l->text);

	(void)level;
	l->count++;
	snprintf(l->text + n, sizeof(l->text) - n, "%s\n", text);
}

static inline void listener_init(struct listener *l)
{
	memset(l, 0, sizeof(*l));
	arc_diag_init(&l->diag, listener_hear, l, ARC_INFO);
}

static inline void listener_forget(struct listener *l)
{
	l->count = 0;
	l->text[0] = '\0';
}

/* ---- making ------------------------------------------------------------- */

static inline void set_begin(struct setmaker *m, uint64_t limit,
			     uint32_t frame_size, uint8_t id)
{
	struct mk_volwrite_params params = { .limit = limit,
					     .frame_size = frame_size };
	struct mk_volume_sink sink;

	memset(m, 0, sizeof(*m));
	memset(m->id, id, sizeof(m->id));
	memcpy(params.id, m->id, sizeof(m->id));
	assert_int_equal(mk_volume_sink_memory(&m->set, &sink), 0);
	assert_int_equal(mk_volwrite_open(&sink, &params, NULL, &m->vw), 0);
	assert_int_equal(mk_idxwrite_new(m->vw, &m->w), 0);
}

/* One row as it is. */
static inline void set_row(struct setmaker *m, enum arc_table_id table,
			   const void *row)
{
	assert_int_equal(mk_idxwrite_row(m->w, table, row), 0);
}

/* A frame of the stream; codec NULL: raw. Returns its row, which is not
 * written. */
static inline struct arc_disk_frame set_record(struct setmaker *m,
					       const uint8_t *raw, uint32_t n,
					       const char *codec,
					       uint8_t group_log)
{
	struct arc_record_params params = {
		.encoder = codec ? arc_encoder_find(codec) : NULL,
		.codec = { .level = 6,
			   .group_log = group_log,
			   .far_max = m->far_max },
	};
	struct arc_record_encoder *e;
	struct arc_record_info info;
	uint8_t *out = malloc(arc_record_bound(n));
	struct arc_disk_frame row;
	uint32_t volume;
	uint64_t offset;

	memcpy(&params.id, m->id, sizeof(params.id));
	assert_non_null(out);
	assert_int_equal(arc_record_encoder_new(&params, &e), 0);
	assert_int_equal(arc_record_encode(e, m->frames,
					   (struct arc_span){ raw, n }, out,
					   &info),
			 0);
	arc_record_encoder_free(e);
	assert_int_equal(mk_volwrite_put(m->vw, out, info.stored, 0, &volume,
					 &offset),
			 0);
	free(out);
	row = (struct arc_disk_frame){
		.start = arc_put64(m->stream),
		.offset = arc_put64(offset),
		.checksum = arc_put64(info.checksum),
		.volume = arc_put32(volume),
		.raw = arc_put32(n),
		.stored = arc_put32(info.stored),
		.codec = info.codec,
		.group_log = info.group_log,
		.entry_size = info.entry_size,
	};
	m->frames++;
	m->stream += n;
	return row;
}

static inline void set_frame(struct setmaker *m, const uint8_t *raw, uint32_t n,
			     const char *codec, uint8_t group_log)
{
	struct arc_disk_frame row = set_record(m, raw, n, codec, group_log);

	set_row(m, ARC_TABLE_FRAME, &row);
}

/* The stream, cut in frames of one size. */
static inline void set_stream(struct setmaker *m, const uint8_t *raw, size_t n,
			      uint32_t frame_size, const char *codec,
			      uint8_t group_log)
{
	for (size_t at = 0; at < n; at += frame_size)
		set_frame(m, raw + at,
			  (uint32_t)ARC_MIN(n - at, (size_t)frame_size), codec,
			  group_log);
}

/* A stream of nothing but its length: for tests that never read it. */
static inline void set_stream_length(struct setmaker *m, uint64_t n)
{
	m->stream = n;
}

/* ---- rows --------------------------------------------------------------- */

static inline struct arc_disk_inode row_of_type(const struct setmaker *m,
						uint32_t mode)
{
	return (struct arc_disk_inode){
		.mode = arc_put32(mode),
		.nlink = arc_put32(1),
		.share_nlink = arc_put32(1),
		.leader = arc_put64(m->inodes),
		.share = arc_put64(m->inodes),
	};
}

static inline struct arc_disk_inode row_of_dir(const struct setmaker *m,
					       uint64_t parent, uint64_t first,
					       uint64_t count)
{
	struct arc_disk_inode row = row_of_type(m, S_IFDIR | 0755);

	row.nlink = arc_put32(2);
	row.leader = arc_put64(parent);
	row.data = arc_put64(first);
	row.size = arc_put64(count);
	return row;
}

static inline struct arc_disk_inode row_of_file(const struct setmaker *m,
						uint64_t data, uint64_t size)
{
	struct arc_disk_inode row = row_of_type(m, S_IFREG | 0644);

	row.data = arc_put64(data);
	row.size = arc_put64(size);
	return row;
}

/* Returns the row's number. */
static inline uint64_t set_inode(struct setmaker *m, struct arc_disk_inode row)
{
	set_row(m, ARC_TABLE_INODE, &row);
	return m->inodes++;
}

static inline uint64_t set_dir(struct setmaker *m, uint64_t parent,
			       uint64_t first, uint64_t count)
{
	return set_inode(m, row_of_dir(m, parent, first, count));
}

static inline uint64_t set_file(struct setmaker *m, uint64_t data,
				uint64_t size)
{
	return set_inode(m, row_of_file(m, data, size));
}

static inline uint64_t set_name(struct setmaker *m, const char *name, size_t n)
{
	uint8_t len = (uint8_t)n;
	uint64_t off;

	assert_int_equal(
		mk_idxwrite_item(
			m->w, ARC_TABLE_NAME, (struct arc_span){ &len, 1 },
			(struct arc_span){ (const uint8_t *)name, n }, &off),
		0);
	return off;
}

static inline uint64_t set_text(struct setmaker *m, const void *text, size_t n)
{
	struct arc_le32 len = arc_put32((uint32_t)n);
	uint64_t off;

	assert_int_equal(mk_idxwrite_item(m->w, ARC_TABLE_TEXT,
					  (struct arc_span){ len.b, 4 },
					  (struct arc_span){ text, n }, &off),
			 0);
	return off;
}

static inline struct arc_disk_dirent
row_of_entry(struct setmaker *m, const char *name, uint64_t row, uint32_t mode)
{
	return (struct arc_disk_dirent){
		.name = arc_put64(set_name(m, name, strlen(name))),
		.row = arc_put64(row),
		.share = arc_put64(row),
		.type = (uint8_t)(mode >> 12),
	};
}

static inline void set_entry(struct setmaker *m, const char *name, uint64_t row,
			     uint32_t mode)
{
	struct arc_disk_dirent d = row_of_entry(m, name, row, mode);

	set_row(m, ARC_TABLE_DIRENT, &d);
	m->dirents++;
}

static inline void set_extent(struct setmaker *m, uint64_t file, uint64_t len,
			      uint64_t stream)
{
	struct arc_disk_extent e = { arc_put64(file), arc_put64(len),
				     arc_put64(stream) };

	set_row(m, ARC_TABLE_EXTENT, &e);
	m->extents++;
}

static inline void set_xattr(struct setmaker *m, const char *name,
			     const char *value)
{
	struct arc_disk_xattr x = {
		arc_put64(set_text(m, name, strlen(name))),
		arc_put64(set_text(m, value, strlen(value))),
	};

	set_row(m, ARC_TABLE_XATTR, &x);
	m->xattrs++;
}

static inline void set_xset(struct setmaker *m, uint64_t first, uint32_t count)
{
	struct arc_disk_xset x = { .first = arc_put64(first),
				   .count = arc_put32(count) };

	set_row(m, ARC_TABLE_XSET, &x);
}

/* ---- the end ------------------------------------------------------------ */

static inline void set_end(struct setmaker *m)
{
	m->root.stream = arc_put64(m->stream);
	assert_int_equal(mk_idxwrite_finish(m->w, &m->root, "made=by test\n"),
			 0);
	mk_idxwrite_free(m->w);
	m->w = NULL;
	mk_volwrite_close(m->vw);
	m->vw = NULL;
}

static inline void set_fini(struct setmaker *m)
{
	mk_idxwrite_free(m->w);
	mk_volwrite_close(m->vw);
	for (uint32_t i = 0; i < m->set.n; i++)
		arc_store_close(m->set.stores[i]);
	free(m->set.stores);
}

static inline struct arc_volume_source set_source(struct setmaker *m)
{
	struct arc_volume_source source;

	assert_int_equal(
		arc_volume_source_memory(m->set.stores, m->set.n, &source), 0);
	return source;
}

/* ---- sets of volumes ---------------------------------------------------- */

/* A set of about n volumes: raw frames of 600 KiB fill one each. */
static inline void set_of_volumes(struct setmaker *m, unsigned n, uint8_t id)
{
	uint32_t size = 600 << 10;
	uint8_t *raw = malloc(size);

	assert_non_null(raw);
	set_begin(m, ARC_VOLUME_MIN, size, id);
	for (unsigned i = 0; i < n; i++) {
		memset(raw, 0, size);
		for (uint32_t k = 0; k < size; k++)
			raw[k] = (uint8_t)(k * 7 + k / 251 + i);
		set_frame(m, raw, size, NULL, 16);
	}
	set_dir(m, 0, 0, 0);
	set_end(m);
	free(raw);
}

/* The volume can be read and is itself. */
static inline void assert_header(struct arc_volumes *vs, uint32_t number)
{
	struct arc_disk_volume v;

	assert_int_equal(arc_volumes_read(vs, number, 0, &v, sizeof(v)), 0);
	assert_int_equal(arc_get32(v.number), number);
}

/* ---- damage ------------------------------------------------------------- */

/* The bytes of a volume, to be changed in place. */
static inline uint8_t *volume_bytes(struct setmaker *m, uint32_t number,
				    size_t *ret_n)
{
	struct arc_span s = arc_store_memory_bytes(m->set.stores[number - 1]);
	union {
		const uint8_t *in;
		uint8_t *out;
	} p = { s.p };

	if (ret_n)
		*ret_n = s.n;
	return p.out;
}

/* The header of an index block, wherever it lies. */
static inline uint8_t *find_block(struct setmaker *m, enum arc_table_id table,
				  uint8_t level, uint64_t number)
{
	for (uint32_t v = 1; v <= m->set.n; v++) {
		size_t n;
		uint8_t *p = volume_bytes(m, v, &n);
		struct arc_disk_block head;

		for (size_t i = 0; i + sizeof(head) <= n; i++) {
			if (p[i] != 'A')
				continue;
			memcpy(&head, p + i, sizeof(head));
			if (memcmp(head.magic, ARC_BLOCK_MAGIC, 4) == 0 &&
			    head.table == table && head.level == level &&
			    arc_get64(head.number) == number)
				return p + i;
		}
	}
	fail_msg("no such block");
	return NULL;
}

static inline void damage_block(struct setmaker *m, enum arc_table_id table,
				uint8_t level, uint64_t number)
{
	find_block(m, table, level, number)[sizeof(struct arc_disk_block)] ^= 1;
}

#endif
