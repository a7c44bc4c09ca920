/* SPDX-License-Identifier: MIT */
/*
 * packworld - real files in a folder, a tree over them made by hand (what scan
 * and dedup would have found is exactly what a test says), volumes in memory.
 * What was packed is read back from the volumes by records and tables alone.
 *
 * Threads: one owner.
 */
#ifndef TEST_PACKWORLD_H
#define TEST_PACKWORLD_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "faultysink.h"
#include "numbers.h"
#include "pack.h"
#include "record.h"
#include "tablereader.h"

#define FRAME ARC_SEGMENT_SIZE

struct world {
	char path[64]; /* of the folder */
	int dir;
	struct mk_options opt;
	struct arc_diag diag;
	char *said;
	struct mk_run run;
	struct mk_tree tree;
	bool opened; /* tree */
	struct faulty_sink sink;
	struct arc_disk_root root;
	struct mk_volwrite *vw;
	struct mk_idxwrite *idx;
	struct arc_buf stream; /* as read back */
	void (*on_volume)(struct world *w); /* when the first is made */
};

static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Content number `which`: half of it compressible. */
static inline uint8_t content_byte(uint64_t which, uint64_t i)
{
	if (i / 1000 % 2)
		return (uint8_t)(i / 1000 + which);
	return (uint8_t)mix(which << 32 ^ i);
}

static inline char *file_name(size_t i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%02zu", i);
	return name;
}

/* ---- the folder --------------------------------------------------------- */

static inline void note_message(void *ctx, enum arc_level level,
				const char *text)
{
	struct world *w = ctx;

	(void)level;
	free(w->said);
	w->said = strdup(text);
}

static inline int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->path, "/tmp/pack-XXXXXX");
	if (!mkdtemp(w->path))
		return -1;
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
	arc_diag_init(&w->diag, note_message, w, ARC_DEBUG);
	w->opt = (struct mk_options){
		.volume_size = ARC_VOLUME_MIN,
		.frame_size = FRAME,
		.codec = MK_CODEC_LZ4,
		.coding = { .level = 1, .group_log = 16 },
		.digest = MK_DIGEST_XXH128,
		.threads = 2,
	};
	*state = w;
	return w->dir < 0 ? -1 : 0;
}

static inline void close_output(struct world *w)
{
	mk_idxwrite_free(w->idx);
	mk_volwrite_close(w->vw);
	w->idx = NULL;
	w->vw = NULL;
	memory_set_fini(&w->sink.set);
	arc_buf_fini(&w->stream);
}

static inline void close_tree(struct world *w)
{
	if (w->opened)
		mk_tree_close(&w->tree);
	w->opened = false;
}

static inline int drop_world(void **state)
{
	struct world *w = *state;
	DIR *dir = fdopendir(w->dir);
	const struct dirent *d;

	close_output(w);
	close_tree(w);
	rewinddir(dir);
	while ((d = readdir(dir)))
		if (unlinkat(w->dir, d->d_name, 0) < 0)
			unlinkat(w->dir, d->d_name, AT_REMOVEDIR);
	closedir(dir);
	rmdir(w->path);
	arc_diag_fini(&w->diag);
	free(w->said);
	free(w);
	return 0;
}

static inline void write_range(struct world *w, const char *name,
			       uint64_t which, uint64_t off, uint64_t end)
{
	int fd = openat(w->dir, name, O_WRONLY | O_CREAT, 0644);
	uint8_t *bytes = malloc(end - off + 1);

	assert_true(fd >= 0);
	for (uint64_t i = off; i < end; i++)
		bytes[i - off] = content_byte(which, i);
	assert_int_equal(pwrite(fd, bytes, end - off, (off_t)off), end - off);
	free(bytes);
	close(fd);
}

static inline void write_file(struct world *w, const char *name, uint64_t which,
			      uint64_t n)
{
	write_range(w, name, which, 0, n);
}

static inline void set_size(struct world *w, const char *name, uint64_t n)
{
	int fd = openat(w->dir, name, O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

/* ---- the tree ----------------------------------------------------------- */

static inline void fill_entry(struct mk_entry *e, const struct stat *st)
{
	e->mode = st->st_mode;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->dev = st->st_dev;
	e->ino = st->st_ino;
	e->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	e->mtime = st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	e->ctime = st->st_ctim.tv_sec;
	e->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
	if ((uint64_t)st->st_blocks * 512 < e->size)
		e->flags |= MK_ENTRY_SPARSE;
}

static inline int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static inline int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The folder as a scan would have found it; hard links are noticed. */
static inline void list_folder(struct world *w)
{
	struct dirent **names;
	int n = scandir(w->path, &names, no_dots, by_name);
	struct stat st;
	uint64_t i;

	close_tree(w);
	assert_int_equal(mk_tree_open(&w->tree, w->dir,
				      w->opt.digest == MK_DIGEST_SHA256),
			 0);
	w->opened = true;
	w->tree.root_fd = dup(w->dir);
	w->tree.root_path = strdup("src");
	assert_int_equal(mk_tree_add(&w->tree, 1, &i), 0);
	assert_int_equal(fstat(w->dir, &st), 0);
	fill_entry(mk_tree_at(&w->tree, 0), &st);
	mk_tree_at(&w->tree, 0)->children = 1;
	mk_tree_at(&w->tree, 0)->child_count = (uint64_t)n;
	for (int k = 0; k < n; k++) {
		struct mk_entry *e;

		assert_int_equal(mk_tree_add(&w->tree, 1, &i), 0);
		assert_int_equal(
			mk_tree_set_name(&w->tree, i, names[k]->d_name), 0);
		assert_int_equal(fstatat(w->dir, names[k]->d_name, &st,
					 AT_SYMLINK_NOFOLLOW),
				 0);
		e = mk_tree_at(&w->tree, i);
		fill_entry(e, &st);
		for (uint64_t first = i; first-- > 1;)
			if (mk_tree_at(&w->tree, first)->ino == e->ino)
				e->link = first;
		free(names[k]);
	}
	free(names);
}

static inline uint64_t entry_named(struct world *w, const char *name)
{
	for (uint64_t i = 1; i < w->tree.entries.count; i++)
		if (strcmp(mk_tree_name(&w->tree, mk_tree_at(&w->tree, i)),
			   name) == 0)
			return i;
	fail_msg("no entry %s", name);
	return 0;
}

static inline struct mk_entry *entry(struct world *w, const char *name)
{
	return mk_tree_at(&w->tree, entry_named(w, name));
}

static inline bool is_gone(struct world *w, const char *name)
{
	return entry(w, name)->flags & MK_ENTRY_GONE;
}

/* XXH3-128 and SHA-256 of n bytes of content `which`, holes as zeros. */
static inline struct arc_digest128 digest_of(const uint8_t *bytes, size_t n)
{
	struct arc_digest *d;
	struct arc_digest128 v;

	assert_int_equal(arc_digest_new(&d), 0);
	arc_digest_update(d, bytes, n);
	v = arc_digest_value(d);
	arc_digest_free(d);
	return v;
}

/* What dedup would have noted: name has the content of leader's file now. */
static inline void mark_duplicate(struct world *w, const char *name,
				  const char *leader)
{
	struct mk_entry *e = entry(w, name);
	int fd = openat(w->dir, name, O_RDONLY);
	uint8_t *bytes = malloc(e->size);
	struct arc_digest128 d;

	assert_int_equal(pread(fd, bytes, e->size, 0), e->size);
	d = digest_of(bytes, e->size);
	e->leader = entry_named(w, leader);
	e->flags |= MK_ENTRY_CANDIDATE;
	entry(w, leader)->flags |= MK_ENTRY_LEADER;
	memcpy(mk_spool_at(&w->tree.digests, entry_named(w, name)), &d,
	       sizeof(d));
	mk_count(&w->run.stats.duplicates, 1);
	mk_count(&w->run.stats.duplicate_bytes, e->size);
	free(bytes);
	close(fd);
}

/* ---- packing and reading back ------------------------------------------- */

static struct mk_volume_sink *watched; /* the sink below the watcher */

static inline int watch_create(void *ctx, uint32_t number,
			       struct arc_store **ret)
{
	struct world *w = ctx;

	if (number == 1 && w->on_volume)
		w->on_volume(w);
	return watched->ops->create(watched->ctx, number, ret);
}

static inline int watch_complete(void *ctx, uint32_t number)
{
	(void)ctx;
	return watched->ops->complete(watched->ctx, number);
}

static inline int watch_sync(void *ctx)
{
	(void)ctx;
	return watched->ops->sync(watched->ctx);
}

static inline void watch_close(void *ctx)
{
	(void)ctx;
	watched->ops->close(watched->ctx);
}

static inline int pack(struct world *w)
{
	static const struct mk_volume_sink_ops ops = {
		.create = watch_create,
		.complete = watch_complete,
		.sync = watch_sync,
		.close = watch_close,
	};
	static struct mk_volume_sink inner;
	struct mk_volume_sink sink = { .ops = &ops, .ctx = w };

	w->run.opt = &w->opt;
	w->run.diag = &w->diag;
	memset(&w->root, 0, sizeof(w->root));
	inner = faulty_sink_open(&w->sink);
	watched = &inner;
	return mk_pack(&w->run, &w->tree, &sink, &w->root, &w->vw, &w->idx);
}

static inline void read_frame(struct world *w, uint64_t i,
			      const struct arc_disk_frame *row)
{
	uint32_t volume = arc_get32(row->volume);
	uint32_t stored = arc_get32(row->stored);
	struct arc_span s, record;
	struct arc_record *r;
	uint8_t *copy;
	size_t head;

	assert_in_range(volume, 1, w->sink.set.n);
	s = arc_store_memory_bytes(w->sink.set.stores[volume - 1]);
	assert_true(arc_range_ok(arc_get64(row->offset), stored, s.n));
	copy = calloc(1, (size_t)stored + ARC_DECODE_SLACK);
	assert_non_null(copy);
	memcpy(copy, s.p + arc_get64(row->offset), stored);
	record = (struct arc_span){ copy, stored };
	assert_int_equal(arc_record_peek(record, &head), 0);
	assert_int_equal(
		arc_record_parse((struct arc_span){ record.p, head }, &r), 0);
	assert_int_equal(r->number, i);
	assert_int_equal(r->checksum, arc_get64(row->checksum));
	assert_int_equal(arc_get64(row->start), w->stream.n);
	assert_int_equal(arc_get32(row->raw), r->raw);
	assert_int_equal(
		r->id,
		arc_get64(
			*(const struct arc_le64 *)set_footer(&w->sink.set).id));
	assert_int_equal(arc_buf_reserve(&w->stream, r->raw), 0);
	assert_int_equal(
		arc_record_decode_all(r, record, w->stream.p + w->stream.n), 0);
	w->stream.n += r->raw;
	free(r);
	free(copy);
}

/* Ends the archive and reads all frames back into w->stream. */
static inline void finish(struct world *w)
{
	struct arc_disk_frame row;
	struct arc_buf frames;

	assert_int_equal(mk_numbers(&w->tree, &w->root), 0);
	assert_int_equal(mk_idxwrite_tree(w->idx, &w->tree), 0);
	assert_int_equal(mk_idxwrite_finish(w->idx, &w->root, ""), 0);
	frames = read_table(&w->sink.set, ARC_TABLE_FRAME);
	w->stream.n = 0;
	for (uint64_t i = 0; i < frames.n / sizeof(row); i++) {
		memcpy(&row, frames.p + i * sizeof(row), sizeof(row));
		if ((i + 1) * sizeof(row) < frames.n)
			assert_int_equal(arc_get32(row.raw), w->opt.frame_size);
		read_frame(w, i, &row);
	}
	assert_int_equal(w->stream.n, arc_get64(w->root.stream));
	assert_int_equal(w->stream.n, mk_value(&w->run.stats.stream));
	for (uint32_t i = 0; i < w->sink.set.n; i++)
		assert_true(arc_store_memory_bytes(w->sink.set.stores[i]).n <=
			    w->opt.volume_size);
	arc_buf_fini(&frames);
}

static inline void pack_all(struct world *w)
{
	assert_int_equal(pack(w), 0);
	finish(w);
}

/* The content of an entry, put together from the stream; its digest is
 * compared with what was noted. */
static inline uint8_t *stored_content(struct world *w, const char *name)
{
	const struct mk_entry *e = entry(w, name);
	uint8_t *bytes = calloc(1, e->size + 1);
	struct mk_extent whole = { 0, e->size, e->data };
	const struct mk_extent *x = &whole;
	uint32_t n = e->size != 0;
	struct arc_digest128 d;

	if (e->flags & MK_ENTRY_EXTENTS) {
		n = e->extents;
		x = n ? mk_spool_at(&w->tree.extents, e->data) : NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		assert_true(arc_range_ok(x[i].file, x[i].len, e->size));
		if (x[i].stream == ARC_STREAM_ZERO)
			continue;
		assert_true(arc_range_ok(x[i].stream, x[i].len, w->stream.n));
		memcpy(bytes + x[i].file, w->stream.p + x[i].stream, x[i].len);
	}
	if (w->tree.digests.count) {
		d = digest_of(bytes, e->size);
		assert_memory_equal(
			&d, mk_spool_at(&w->tree.digests, entry_named(w, name)),
			sizeof(d));
	}
	return bytes;
}

static inline void assert_content(struct world *w, const char *name,
				  uint64_t which, uint64_t n)
{
	uint8_t *bytes = stored_content(w, name);

	assert_false(is_gone(w, name));
	assert_int_equal(entry(w, name)->size, n);
	for (uint64_t i = 0; i < n; i++)
		if (bytes[i] != content_byte(which, i))
			fail_msg("%s differs at %llu", name,
				 (unsigned long long)i);
	free(bytes);
}

/* As the file is now. */
static inline void assert_as_file(struct world *w, const char *name)
{
	uint8_t *bytes = stored_content(w, name);
	uint64_t n = entry(w, name)->size;
	uint8_t *real = malloc(n + 1);
	int fd = openat(w->dir, name, O_RDONLY);

	assert_false(is_gone(w, name));
	assert_int_equal(pread(fd, real, n + 1, 0), n);
	assert_memory_equal(real, bytes, n);
	close(fd);
	free(real);
	free(bytes);
}

#define IN_WORLD(test)                                                         \
	cmocka_unit_test_setup_teardown(test, make_world, drop_world)

#endif
