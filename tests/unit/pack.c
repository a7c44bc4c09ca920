/* SPDX-License-Identifier: MIT */
/*
 * Real files in a folder, a tree over them made by hand (what scan and dedup
 * would have found is exactly what a test says), volumes in memory. What was
 * packed is read back from the volumes by records and tables alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "faultysink.h"
#include "numbers.h"
#include "pack.h"
#include "record.h"
#include "tablereader.h"

#define FRAME ARC_SEGMENT_SIZE
#define FILES_MAX 64

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

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Content number `which`: half of it compressible. */
static uint8_t content_byte(uint64_t which, uint64_t i)
{
	if (i / 1000 % 2)
		return (uint8_t)(i / 1000 + which);
	return (uint8_t)mix(which << 32 ^ i);
}

/* ---- the folder --------------------------------------------------------- */

static void note_message(void *ctx, enum arc_level level, const char *text)
{
	struct world *w = ctx;

	(void)level;
	free(w->said);
	w->said = strdup(text);
}

static int make_world(void **state)
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
		.level = 1,
		.group_log = 16,
		.digest = MK_DIGEST_XXH128,
		.threads = 2,
	};
	*state = w;
	return w->dir < 0 ? -1 : 0;
}

static void close_output(struct world *w)
{
	mk_idxwrite_free(w->idx);
	mk_volwrite_close(w->vw);
	w->idx = NULL;
	w->vw = NULL;
	memory_set_fini(&w->sink.set);
	arc_buf_fini(&w->stream);
}

static void close_tree(struct world *w)
{
	if (w->opened)
		mk_tree_close(&w->tree);
	w->opened = false;
}

static int drop_world(void **state)
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

static void write_range(struct world *w, const char *name, uint64_t which,
			uint64_t off, uint64_t end)
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

static void write_file(struct world *w, const char *name, uint64_t which,
		       uint64_t n)
{
	write_range(w, name, which, 0, n);
}

static void set_size(struct world *w, const char *name, uint64_t n)
{
	int fd = openat(w->dir, name, O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

/* ---- the tree ----------------------------------------------------------- */

static void fill_entry(struct mk_entry *e, const struct stat *st)
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

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The folder as a scan would have found it; hard links are noticed. */
static void list_folder(struct world *w)
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

static uint64_t entry_named(struct world *w, const char *name)
{
	for (uint64_t i = 1; i < w->tree.entries.count; i++)
		if (strcmp(mk_tree_name(&w->tree, mk_tree_at(&w->tree, i)),
			   name) == 0)
			return i;
	fail_msg("no entry %s", name);
	return 0;
}

static struct mk_entry *entry(struct world *w, const char *name)
{
	return mk_tree_at(&w->tree, entry_named(w, name));
}

static bool is_gone(struct world *w, const char *name)
{
	return entry(w, name)->flags & MK_ENTRY_GONE;
}

/* XXH3-128 and SHA-256 of n bytes of content `which`, holes as zeros. */
static struct arc_digest128 digest_of(const uint8_t *bytes, size_t n)
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
static void mark_duplicate(struct world *w, const char *name,
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
	memcpy(mk_spool_at(&w->tree.digests, entry_named(w, name)), &d,
	       sizeof(d));
	mk_count(&w->run.stats.duplicates, 1);
	mk_count(&w->run.stats.duplicate_bytes, e->size);
	free(bytes);
	close(fd);
}

/* ---- packing and reading back ------------------------------------------- */

static struct mk_volume_sink *watched; /* the sink below the watcher */

static int watch_create(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct world *w = ctx;

	if (number == 1 && w->on_volume)
		w->on_volume(w);
	return watched->ops->create(watched->ctx, number, ret);
}

static int watch_complete(void *ctx, uint32_t number)
{
	(void)ctx;
	return watched->ops->complete(watched->ctx, number);
}

static int watch_sync(void *ctx)
{
	(void)ctx;
	return watched->ops->sync(watched->ctx);
}

static void watch_close(void *ctx)
{
	(void)ctx;
	watched->ops->close(watched->ctx);
}

static int pack(struct world *w)
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

static void read_frame(struct world *w, uint64_t i,
		       const struct arc_disk_frame *row)
{
	uint32_t volume = arc_get32(row->volume);
	uint32_t stored = arc_get32(row->stored);
	struct arc_span s, record;
	struct arc_record *r;
	size_t head;

	assert_in_range(volume, 1, w->sink.set.n);
	s = arc_store_memory_bytes(w->sink.set.stores[volume - 1]);
	assert_true(arc_range_ok(arc_get64(row->offset), stored, s.n));
	record = (struct arc_span){ s.p + arc_get64(row->offset), stored };
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
}

/* Ends the archive and reads all frames back into w->stream. */
static void finish(struct world *w)
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

static void pack_all(struct world *w)
{
	assert_int_equal(pack(w), 0);
	finish(w);
}

/* The content of an entry, put together from the stream; its digest is
 * compared with what was noted. */
static uint8_t *stored_content(struct world *w, const char *name)
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

static void assert_content(struct world *w, const char *name, uint64_t which,
			   uint64_t n)
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
static void assert_as_file(struct world *w, const char *name)
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

/* ---- content ------------------------------------------------------------ */

static const uint64_t sizes[] = { 0,	 1,	 2,	 100,	 65535,
				  65536, 65537,	 131072, 1000,	 300000,
				  0,	 262143, 7,	 262145, 1700000 };

static char *file_name(size_t i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%02zu", i);
	return name;
}

static void write_sizes(struct world *w)
{
	for (size_t i = 0; i < ARC_COUNT(sizes); i++)
		write_file(w, file_name(i), i, sizes[i]);
}

static void files_come_back_with_every_codec(void **state)
{
	static const enum mk_codec codecs[] = { MK_CODEC_RAW, MK_CODEC_LZ4,
						MK_CODEC_LZ4HC };
	struct world *w = *state;

	write_sizes(w);
	for (size_t c = 0; c < ARC_COUNT(codecs); c++) {
		memset(&w->run, 0, sizeof(w->run));
		w->opt.codec = codecs[c];
		w->opt.frame_size = FRAME << c;
		list_folder(w);
		pack_all(w);
		for (size_t i = 0; i < ARC_COUNT(sizes); i++)
			assert_content(w, file_name(i), i, sizes[i]);
		assert_int_equal(mk_value(&w->run.stats.problems), 0);
		assert_int_equal(mk_value(&w->run.stats.read_bytes),
				 w->stream.n);
		assert_int_equal(mk_value(&w->run.stats.read_files),
				 ARC_COUNT(sizes) - 2);
		close_output(w);
	}
}

static void nothing_to_store_is_an_archive_too(void **state)
{
	struct world *w = *state;
	struct arc_disk_footer one, two;

	list_folder(w);
	pack_all(w);
	one = set_footer(&w->sink.set);
	assert_int_equal(w->stream.n, 0);
	close_output(w);
	w->opt.level = 2;
	list_folder(w);
	pack_all(w);
	two = set_footer(&w->sink.set);
	/* the id still knows the options */
	assert_memory_not_equal(one.id, two.id, sizeof(one.id));
}

static void the_number_of_threads_changes_no_byte(void **state)
{
	static const unsigned threads[] = { 2, 3, 7 };
	struct world *w = *state;
	struct mk_memory_set first;

	write_sizes(w);
	w->opt.threads = 1;
	list_folder(w);
	pack_all(w);
	first = w->sink.set;
	assert_true(first.n > 1);
	w->sink.set = (struct mk_memory_set){ 0 };
	for (size_t i = 0; i < ARC_COUNT(threads); i++) {
		close_output(w);
		memset(&w->run, 0, sizeof(w->run));
		w->opt.threads = threads[i];
		list_folder(w);
		pack_all(w);
		assert_int_equal(w->sink.set.n, first.n);
		for (uint32_t v = 0; v < first.n; v++) {
			struct arc_span a =
				arc_store_memory_bytes(first.stores[v]);
			struct arc_span b =
				arc_store_memory_bytes(w->sink.set.stores[v]);

			assert_int_equal(a.n, b.n);
			assert_memory_equal(a.p, b.p, a.n);
		}
	}
	memory_set_fini(&first);
}

static void sums_of_frames_are_right(void **state)
{
	struct world *w = *state;
	const struct mk_stats *s = &w->run.stats;
	uint64_t frames = 0, raw = 0, stored = 0;

	write_sizes(w);
	list_folder(w);
	pack_all(w);
	for (unsigned i = 0; i < 8; i++) {
		frames += arc_get64(w->root.codec[i].frames);
		raw += arc_get64(w->root.codec[i].raw);
		stored += arc_get64(w->root.codec[i].stored);
		assert_int_equal(arc_get64(w->root.codec[i].frames),
				 mk_value(&s->frames[i]));
		assert_int_equal(arc_get64(w->root.codec[i].stored),
				 mk_value(&s->frame_stored[i]));
	}
	assert_int_equal(frames, arc_div_up(w->stream.n, FRAME));
	assert_int_equal(raw, w->stream.n);
	assert_int_equal(stored, arc_get64(w->root.stored));
}

static void digests_are_kept_as_asked(void **state)
{
	struct world *w = *state;
	struct arc_disk_table t;
	struct arc_buf rows;

	write_file(w, "a", 1, 5000);
	write_file(w, "e", 1, 0);
	w->opt.digest = MK_DIGEST_SHA256;
	list_folder(w);
	pack_all(w);
	assert_content(w, "a", 1, 5000);
	rows = read_table(&w->sink.set, ARC_TABLE_SHA256);
	assert_int_equal(rows.n, 3 * 32);
	/* of no bytes at all */
	assert_memory_equal(rows.p + 64, "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14", 8);
	arc_buf_fini(&rows);
	assert_true(find_table(&w->sink.set, ARC_TABLE_DIGEST, &t));

	close_output(w);
	memset(&w->run, 0, sizeof(w->run));
	w->opt.digest = MK_DIGEST_NONE;
	list_folder(w);
	pack_all(w);
	assert_false(find_table(&w->sink.set, ARC_TABLE_DIGEST, &t));
	assert_false(find_table(&w->sink.set, ARC_TABLE_SHA256, &t));
	assert_content(w, "a", 1, 5000);
}

/* ---- holes -------------------------------------------------------------- */

/* A file of n bytes with data in two places. */
static void write_sparse(struct world *w, const char *name, uint64_t n)
{
	set_size(w, name, n);
	write_range(w, name, 9, 65536, 65536 + 8192);
	write_range(w, name, 9, 262144, 262144 + 4096);
}

/* The folder's file system keeps holes. */
static void need_holes(struct world *w)
{
	struct stat st;

	set_size(w, "probe", 1 << 20);
	assert_int_equal(fstatat(w->dir, "probe", &st, 0), 0);
	unlinkat(w->dir, "probe", 0);
	if (st.st_blocks)
		skip();
}

static void holes_are_not_stored(void **state)
{
	struct world *w = *state;
	const struct mk_entry *e;
	const struct mk_extent *x;

	need_holes(w);
	write_sparse(w, "s", 1000000);
	set_size(w, "t", 1234567); /* nothing but hole */
	write_file(w, "u", 3, 100);
	list_folder(w);
	assert_true(entry(w, "s")->flags & MK_ENTRY_SPARSE);
	pack_all(w);
	assert_as_file(w, "s");
	assert_as_file(w, "t");
	assert_as_file(w, "u");
	e = entry(w, "s");
	assert_true(e->flags & MK_ENTRY_EXTENTS);
	assert_int_equal(e->extents, 2);
	x = mk_spool_at(&w->tree.extents, e->data);
	assert_int_equal(x[0].file, 65536);
	assert_int_equal(x[0].len, 8192);
	assert_int_equal(x[1].file, 262144);
	assert_int_equal(x[1].len, 4096);
	assert_int_equal(entry(w, "t")->extents, 0);
	assert_true(entry(w, "t")->flags & MK_ENTRY_EXTENTS);
	assert_int_equal(w->stream.n, 8192 + 4096 + 100);
	assert_int_equal(mk_value(&w->run.stats.hole_bytes),
			 1000000 - 12288 + 1234567);
	assert_int_equal(mk_value(&w->run.stats.problems), 0);
}

static void a_file_that_only_seemed_sparse_has_no_extents(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	list_folder(w);
	entry(w, "a")->flags |= MK_ENTRY_SPARSE;
	pack_all(w);
	assert_content(w, "a", 1, 70000);
	assert_false(entry(w, "a")->flags & MK_ENTRY_EXTENTS);
	assert_int_equal(entry(w, "a")->extents, 0);
}

/* ---- duplicates --------------------------------------------------------- */

static void a_duplicate_is_not_stored_again(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	write_file(w, "b", 1, 70000);
	list_folder(w);
	mark_duplicate(w, "b", "a");
	w->opt.digest = MK_DIGEST_SHA256;
	close_tree(w);
	list_folder(w);
	mark_duplicate(w, "b", "a");
	pack_all(w);
	assert_content(w, "b", 1, 70000);
	assert_int_equal(w->stream.n, 70000);
	assert_int_equal(entry(w, "b")->leader, entry_named(w, "a"));
	assert_memory_equal(mk_spool_at(&w->tree.sha256, entry_named(w, "a")),
			    mk_spool_at(&w->tree.sha256, entry_named(w, "b")),
			    32);
	assert_int_equal(arc_get64(w->root.duplicates), 1);
}

static void a_duplicate_keeps_holes_of_its_own(void **state)
{
	static const char *const names[] = { "b-sparse", "c-dense", "d-other",
					     "e-hole" };
	struct world *w = *state;
	uint8_t zeros[8192] = { 0 };
	int fd;

	need_holes(w);
	/* equal contents: data at 64K, the rest zeros */
	for (unsigned i = 0; i < 2; i++) {
		write_sparse(w, i ? "b-sparse" : "a-sparse", 1000000);
		set_size(w, i ? "d-other" : "c-dense", 1000000);
	}
	write_range(w, "c-dense", 9, 65536, 65536 + 8192);
	write_range(w, "c-dense", 9, 262144, 262144 + 4096);
	fd = openat(w->dir, "c-dense", O_RDWR);
	for (off_t at = 0; at < 1000000; at += 4096) {
		ssize_t n = pread(fd, zeros, 4096, at);

		assert_int_equal(pwrite(fd, zeros, (size_t)n, at), n);
	}
	close(fd);
	write_sparse(w, "d-other", 1000000);
	memset(zeros, 0, sizeof(zeros));
	fd = openat(w->dir, "d-other", O_RDWR);
	assert_int_equal(pwrite(fd, zeros, 8192, 65536 + 8192), 8192);
	assert_int_equal(pwrite(fd, zeros, 4096, 524288), 4096);
	close(fd);
	write_sparse(w, "e-hole", 1000000);
	for (unsigned lead = 0; lead < 2; lead++) {
		memset(&w->run, 0, sizeof(w->run));
		close_output(w);
		list_folder(w);
		if (lead) { /* the dense one leads, its name comes first */
			assert_int_equal(renameat(w->dir, "c-dense", w->dir,
						  "0-dense"),
					 0);
			list_folder(w);
		}
		for (size_t i = 0; i < ARC_COUNT(names); i++) {
			const char *name = names[i];

			if (lead && i == 1)
				name = "a-sparse";
			mark_duplicate(w, name, lead ? "0-dense" : "a-sparse");
		}
		pack_all(w);
		for (size_t i = 0; i < ARC_COUNT(names); i++)
			assert_as_file(w,
				       lead && i == 1 ? "a-sparse" : names[i]);
		assert_int_equal(w->stream.n, lead ? 1000000 : 12288);
		assert_int_equal(arc_get64(w->root.duplicates), 4);
		/* 64K..80K in one or two pieces, 256K, 512K of zeros */
		assert_true(entry(w, "d-other")->flags & MK_ENTRY_EXTENTS);
		assert_int_equal(mk_value(&w->run.stats.problems), 0);
	}
	assert_int_equal(entry(w, "b-sparse")->extents, 2);
	assert_int_equal(entry(w, "b-sparse")->share,
			 entry(w, "a-sparse")->row);
	assert_int_equal(entry(w, "e-hole")->share_nlink, 3);
	assert_int_equal(entry(w, "d-other")->share_nlink, 1);
}

static void a_duplicate_of_what_changed_is_stored_itself(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	write_file(w, "b", 1, 70000);
	write_file(w, "c", 1, 70000);
	list_folder(w);
	mark_duplicate(w, "b", "a");
	mark_duplicate(w, "c", "a");
	write_file(w, "a", 2, 70000);
	pack_all(w);
	assert_content(w, "a", 2, 70000);
	assert_content(w, "b", 1, 70000);
	assert_content(w, "c", 1, 70000);
	assert_int_equal(entry(w, "b")->leader, entry_named(w, "b"));
	assert_int_equal(mk_value(&w->run.stats.problems), 1);
	assert_int_equal(mk_value(&w->run.stats.duplicates), 0);
	assert_int_equal(mk_value(&w->run.stats.duplicate_bytes), 0);
	assert_non_null(strstr(w->said, "src/a: has changed since"));
}

static void the_first_duplicate_takes_a_lost_leaders_place(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	write_file(w, "b", 1, 70000);
	write_file(w, "c", 1, 70000);
	write_file(w, "d", 1, 70000);
	list_folder(w);
	mark_duplicate(w, "b", "a");
	mark_duplicate(w, "c", "a");
	mark_duplicate(w, "d", "a");
	unlinkat(w->dir, "a", 0);
	unlinkat(w->dir, "b", 0);
	pack_all(w);
	assert_true(is_gone(w, "a"));
	assert_true(is_gone(w, "b"));
	assert_content(w, "c", 1, 70000);
	assert_content(w, "d", 1, 70000);
	assert_int_equal(entry(w, "d")->leader, entry_named(w, "c"));
	assert_int_equal(w->stream.n, 70000);
	assert_int_equal(mk_value(&w->run.stats.duplicates), 1);
	assert_int_equal(arc_get64(w->root.duplicates), 1);
	assert_int_equal(mk_value(&w->run.stats.problems), 2);
}

/* ---- a source that changes ---------------------------------------------- */

static void what_vanished_is_left_out_and_named(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 5000);
	write_file(w, "b", 2, 5000);
	write_file(w, "c", 3, 5000);
	list_folder(w);
	mk_count(&w->run.stats.bytes, 15000);
	unlinkat(w->dir, "b", 0);
	pack_all(w);
	assert_content(w, "a", 1, 5000);
	assert_content(w, "c", 3, 5000);
	assert_true(is_gone(w, "b"));
	assert_string_equal(w->said, "src/b: has vanished");
	assert_int_equal(mk_value(&w->run.stats.problems), 1);
	assert_int_equal(mk_value(&w->run.stats.bytes), 10000);
	assert_int_equal(arc_get64(w->root.entries), 2);
}

static void what_took_a_files_place_is_never_stored_under_its_name(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 5; i++)
		write_file(w, file_name(i), i, 100);
	write_file(w, "other", 9, 100);
	list_folder(w);
	for (unsigned i = 0; i < 5; i++)
		unlinkat(w->dir, file_name(i), 0);
	assert_int_equal(symlinkat("other", w->dir, file_name(0)), 0);
	assert_int_equal(mkdirat(w->dir, file_name(1), 0700), 0);
	assert_int_equal(mkfifoat(w->dir, file_name(2), 0600), 0);
	assert_int_equal(linkat(w->dir, "other", w->dir, file_name(3), 0), 0);
	pack_all(w);
	for (unsigned i = 0; i < 5; i++)
		assert_true(is_gone(w, file_name(i)));
	assert_content(w, "other", 9, 100);
	/* and "other" has a link more than when it was listed */
	assert_int_equal(mk_value(&w->run.stats.problems), 6);
}

static void what_changed_before_it_was_opened_is_stored_as_it_is(void **state)
{
	struct world *w = *state;

	write_file(w, "grown", 1, 5000);
	write_file(w, "other", 2, 5000);
	write_file(w, "shrunk", 3, 5000);
	write_file(w, "void", 4, 5000);
	list_folder(w);
	mk_count(&w->run.stats.bytes, 20000);
	write_file(w, "grown", 1, 150000);
	write_file(w, "other", 5, 5000);
	assert_int_equal(fchmodat(w->dir, "other", 0600, 0), 0);
	set_size(w, "shrunk", 100);
	set_size(w, "void", 0);
	pack_all(w);
	assert_content(w, "grown", 1, 150000);
	assert_content(w, "other", 5, 5000);
	assert_content(w, "shrunk", 3, 100);
	assert_content(w, "void", 4, 0);
	assert_int_equal(entry(w, "other")->mode & 0777, 0600);
	assert_int_equal(mk_value(&w->run.stats.problems), 4);
	assert_int_equal(mk_value(&w->run.stats.bytes), 155100);
}

static void cut_big(struct world *w)
{
	set_size(w, "big", 3 * FRAME + 17);
}

static void grow_big(struct world *w)
{
	set_size(w, "big", 100 * FRAME);
}

static void rewrite_big(struct world *w)
{
	write_range(w, "big", 2, 0, 40 * FRAME);
}

/* Packs while on_volume changes the file "big"; it is made when the ring of
 * frames is full, that is in the middle of the file. */
static void pack_while(struct world *w, void (*change)(struct world *w))
{
	write_file(w, "a", 5, 1000);
	write_file(w, "big", 1, 40 * FRAME);
	write_file(w, "z", 6, 1000);
	w->opt.threads = 1;
	w->on_volume = change;
	list_folder(w);
	pack_all(w);
	assert_content(w, "a", 5, 1000);
	assert_content(w, "z", 6, 1000);
	assert_string_equal(w->said, "src/big: changed while it was read");
	assert_int_equal(mk_value(&w->run.stats.problems), 1);
}

static void a_file_cut_while_it_is_read_is_stored_as_far(void **state)
{
	struct world *w = *state;

	pack_while(w, cut_big);
	assert_true(entry(w, "big")->size < 40 * FRAME);
	assert_content(w, "big", 1, entry(w, "big")->size);
}

static void a_file_grown_while_it_is_read_keeps_its_size(void **state)
{
	struct world *w = *state;

	pack_while(w, grow_big);
	assert_content(w, "big", 1, 40 * FRAME);
}

static void a_file_written_while_it_is_read_is_stored_as_read(void **state)
{
	struct world *w = *state;
	uint8_t *bytes;

	pack_while(w, rewrite_big);
	bytes = stored_content(w, "big"); /* its digest is that of what is */
	assert_int_equal(bytes[0], content_byte(1, 0));
	assert_int_equal(bytes[40 * FRAME - 2000],
			 content_byte(2, 40 * FRAME - 2000));
	free(bytes);
}

/* ---- hard links --------------------------------------------------------- */

static void a_lost_first_name_is_replaced_by_the_next(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	assert_int_equal(linkat(w->dir, "a", w->dir, "b", 0), 0);
	assert_int_equal(linkat(w->dir, "a", w->dir, "c", 0), 0);
	assert_int_equal(linkat(w->dir, "a", w->dir, "d", 0), 0);
	write_file(w, "e", 1, 70000);
	list_folder(w);
	mk_count(&w->run.stats.bytes, 140000);
	mark_duplicate(w, "e", "a");
	unlinkat(w->dir, "a", 0);
	unlinkat(w->dir, "b", 0);
	pack_all(w);
	assert_true(is_gone(w, "a"));
	assert_true(is_gone(w, "b"));
	assert_content(w, "c", 1, 70000);
	assert_int_equal(entry(w, "d")->row, entry(w, "c")->row);
	assert_int_equal(entry(w, "d")->nlink, 2);
	assert_content(w, "e", 1, 70000);
	assert_int_equal(entry(w, "e")->leader, entry_named(w, "c"));
	assert_int_equal(w->stream.n, 70000);
	assert_int_equal(mk_value(&w->run.stats.bytes), 140000);
	/* two lost; the rest has fewer names than when it was listed */
	assert_int_equal(mk_value(&w->run.stats.problems), 3);
}

static void a_duplicates_next_name_follows_its_leader(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	write_file(w, "b", 1, 70000);
	assert_int_equal(linkat(w->dir, "b", w->dir, "c", 0), 0);
	set_size(w, "x", 0); /* lost before it is tried again under "c" */
	list_folder(w);
	mark_duplicate(w, "b", "a");
	entry(w, "b")->flags |= MK_ENTRY_GONE;
	pack_all(w);
	assert_content(w, "c", 1, 70000);
	assert_int_equal(entry(w, "c")->leader, entry_named(w, "a"));
	assert_int_equal(w->stream.n, 70000);
}

static void an_inode_without_a_name_left_is_gone(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	assert_int_equal(linkat(w->dir, "a", w->dir, "b", 0), 0);
	write_file(w, "c", 2, 100);
	list_folder(w);
	unlinkat(w->dir, "a", 0);
	unlinkat(w->dir, "b", 0);
	pack_all(w);
	assert_true(is_gone(w, "a"));
	assert_true(is_gone(w, "b"));
	assert_content(w, "c", 2, 100);
	assert_int_equal(arc_get64(w->root.files), 1);
	assert_int_equal(arc_get64(w->root.hardlinks), 0);
}

/* ---- a target that fails ------------------------------------------------ */

static void every_failing_write_ends_the_run(void **state)
{
	struct world *w = *state;
	bool done = false;

	write_file(w, "a", 1, 1500000);
	write_file(w, "b", 2, 1000);
	w->opt.codec = MK_CODEC_RAW;
	for (uint64_t n = 1; !done; n++) {
		int r;

		assert_true(n < 200);
		memset(&w->run, 0, sizeof(w->run));
		w->sink.plan = (struct arc_fault_plan){ .fail_at = n,
							.error = ENOSPC };
		list_folder(w);
		r = pack(w);
		if (r >= 0)
			r = mk_numbers(&w->tree, &w->root);
		if (r >= 0)
			r = mk_idxwrite_tree(w->idx, &w->tree);
		if (r >= 0)
			r = mk_idxwrite_finish(w->idx, &w->root, "");
		done = w->sink.plan.calls < n;
		assert_int_equal(r, done ? 0 : -ENOSPC);
		close_output(w);
		assert_int_equal(w->sink.closed, 1);
	}
}

static void a_record_that_fits_no_volume_ends_the_run(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 1500000);
	w->opt.codec = MK_CODEC_RAW;
	w->opt.frame_size = 2 << 20;
	list_folder(w);
	assert_int_equal(pack(w), -E2BIG);
	assert_int_equal(w->sink.closed, 1);
}

int main(void)
{
#define IN_WORLD(test)                                                         \
	cmocka_unit_test_setup_teardown(test, make_world, drop_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(files_come_back_with_every_codec),
		IN_WORLD(nothing_to_store_is_an_archive_too),
		IN_WORLD(the_number_of_threads_changes_no_byte),
		IN_WORLD(sums_of_frames_are_right),
		IN_WORLD(digests_are_kept_as_asked),
		IN_WORLD(holes_are_not_stored),
		IN_WORLD(a_file_that_only_seemed_sparse_has_no_extents),
		IN_WORLD(a_duplicate_is_not_stored_again),
		IN_WORLD(a_duplicate_keeps_holes_of_its_own),
		IN_WORLD(a_duplicate_of_what_changed_is_stored_itself),
		IN_WORLD(the_first_duplicate_takes_a_lost_leaders_place),
		IN_WORLD(what_vanished_is_left_out_and_named),
		IN_WORLD(
			what_took_a_files_place_is_never_stored_under_its_name),
		IN_WORLD(what_changed_before_it_was_opened_is_stored_as_it_is),
		IN_WORLD(a_file_cut_while_it_is_read_is_stored_as_far),
		IN_WORLD(a_file_grown_while_it_is_read_keeps_its_size),
		IN_WORLD(a_file_written_while_it_is_read_is_stored_as_read),
		IN_WORLD(a_lost_first_name_is_replaced_by_the_next),
		IN_WORLD(a_duplicates_next_name_follows_its_leader),
		IN_WORLD(an_inode_without_a_name_left_is_gone),
		IN_WORLD(every_failing_write_ends_the_run),
		IN_WORLD(a_record_that_fits_no_volume_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
