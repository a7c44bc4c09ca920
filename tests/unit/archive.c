/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "archive.h"
#include "setmaker.h"
#include "testdata.h"

/*
 * The archive of these tests:
 *
 *	0 /		4 plain (the whole stream)	7 link -> b/c
 *	1 dir		5 dir/sub/file (its second half)
 *	2 dir/sub	6 sparse: data, zeros and holes, many extents
 *	3 empty
 */
#define STREAM ((size_t)2 * SET_FRAME + 70000)
#define SPARSE_SIZE ((size_t)3 << 20)
#define SPARSE_TAIL 50000 /* a hole at its end */
#define PLAIN 5 /* inodes: row + 1 */
#define SPARSE 7

struct opened {
	struct setmaker m;
	uint8_t *stream;
	uint8_t *sparse; /* what the file reads as */
	uint8_t *data; /* 1: data, 0: hole; by byte of it */
	struct arc_archive *a;
	struct listener l;
};

/* Extents of all kinds, some of a few bytes, over the sparse file. */
static uint32_t make_sparse(struct opened *o)
{
	uint64_t seed = 5, at = 1000;
	uint32_t n = 0;

	o->sparse = calloc(1, SPARSE_SIZE);
	o->data = calloc(1, SPARSE_SIZE);
	assert_true(o->sparse && o->data);
	for (;;) {
		uint64_t v = testdata_next(&seed);
		uint64_t len = 1 + (v >> 8) % (v & 7 ? 300 : 150000);
		uint64_t from = (v >> 32) % (STREAM - len);

		if (at + len > SPARSE_SIZE - SPARSE_TAIL)
			return n;
		memset(o->data + at, 1, len);
		if (v >> 61 == 0) {
			from = ARC_STREAM_ZERO;
		} else {
			memcpy(o->sparse + at, o->stream + from, len);
		}
		set_extent(&o->m, at, len, from);
		n++;
		at += len + ((v >> 20) % 3 ? (v >> 24) % 5000 : 0);
	}
}

static void make_inodes(struct opened *o)
{
	struct setmaker *m = &o->m;
	struct arc_disk_inode row;

	row = row_of_dir(m, 0, 0, 5);
	row.xset = arc_put32(1);
	set_inode(m, row);
	set_dir(m, 0, 5, 1);
	set_dir(m, 1, 6, 1);
	set_file(m, 0, 0);
	set_file(m, 0, STREAM);
	set_file(m, STREAM / 2, STREAM - STREAM / 2);
	row = row_of_file(m, 0, SPARSE_SIZE);
	row.flags = arc_put32(ARC_INODE_EXTENTS);
	row.extents = arc_put32(make_sparse(o));
	set_inode(m, row);
	row = row_of_type(m, S_IFLNK | 0777);
	row.size = arc_put64(3);
	row.data = arc_put64(set_text(m, "b/c", 3));
	set_inode(m, row);
}

static void make_of(struct opened *o, enum testdata_kind kind, uint64_t limit)
{
	struct setmaker *m = &o->m;

	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	o->stream = malloc(STREAM);
	assert_non_null(o->stream);
	testdata_fill(kind, o->stream, STREAM, 3);
	set_begin(m, limit, SET_FRAME, 1);
	set_stream(m, o->stream, STREAM, SET_FRAME, "lz4", 18);
	make_inodes(o);
	set_entry(m, "dir", 1, S_IFDIR);
	set_entry(m, "empty", 3, S_IFREG);
	set_entry(m, "link", 7, S_IFLNK);
	set_entry(m, "plain", 4, S_IFREG);
	set_entry(m, "sparse", 6, S_IFREG);
	set_entry(m, "sub", 2, S_IFDIR);
	set_entry(m, "file", 5, S_IFREG);
	set_xattr(m, "user.a", "1");
	set_xattr(m, "user.c", "three");
	set_xset(m, 0, 2);
	set_end(m);
}

static void make(struct opened *o)
{
	make_of(o, TESTDATA_MIXED, (uint64_t)98 << 20);
}

/* Several volumes: frames that do not shrink, one in each. */
static void make_volumes(struct opened *o)
{
	make_of(o, TESTDATA_RANDOM, ARC_VOLUME_MIN + 10000);
}

static int try_open(struct opened *o)
{
	struct arc_volume_source source = set_source(&o->m);
	struct arc_archive_options opt = { .cache_size = 4 << 20 };

	o->a = NULL;
	return arc_archive_open_source(&source, 1, &opt, &o->l.diag, &o->a);
}

static void make_open(struct opened *o)
{
	make(o);
	assert_int_equal(try_open(o), 0);
}

static void drop(struct opened *o)
{
	arc_archive_close(o->a);
	set_fini(&o->m);
	free(o->stream);
	free(o->sparse);
	free(o->data);
}

static struct arc_inode inode_of(struct opened *o, uint64_t ino)
{
	struct arc_inode inode;

	assert_int_equal(arc_index_inode(arc_archive_index(o->a), ino, &inode),
			 0);
	return inode;
}

/* ---- paths and attributes ----------------------------------------------- */

static void paths_lead_to_inodes(void **state)
{
	static const struct {
		const char *path;
		int err;
		uint64_t ino;
	} cases[] = {
		{ "", 0, 1 },
		{ "/", 0, 1 },
		{ "//", 0, 1 },
		{ "dir", 0, 2 },
		{ "/dir/", 0, 2 },
		{ "dir//sub", 0, 3 },
		{ "/dir/sub/file", 0, 6 },
		{ "empty", 0, 4 },
		{ "link", 0, 8 },
		{ "nothing", -ENOENT, 0 },
		{ "dir/nothing/x", -ENOENT, 0 },
		{ "empty/x", -ENOTDIR, 0 },
		{ "empty/", -ENOTDIR, 0 },
		{ "link/c", -ENOTDIR, 0 },
		{ ".", -EINVAL, 0 },
		{ "dir/..", -EINVAL, 0 },
		{ "dir/./sub", -EINVAL, 0 },
	};
	struct arc_inode inode;
	struct opened o;

	(void)state;
	make_open(&o);
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		memset(&inode, 0, sizeof(inode));
		assert_int_equal(arc_archive_resolve(o.a, cases[i].path,
						     &inode),
				 cases[i].err);
		assert_int_equal(inode.ino, cases[i].ino);
	}
	drop(&o);
}

static void attributes_are_found_by_name(void **state)
{
	static const char list[] = "user.a\0user.c";
	struct arc_inode root, plain;
	struct opened o;
	uint8_t *value;
	char *names;
	size_t n;

	(void)state;
	make_open(&o);
	root = inode_of(&o, 1);
	plain = inode_of(&o, PLAIN);
	assert_int_equal(arc_archive_getxattr(o.a, &root, "user.c", &value, &n),
			 0);
	assert_int_equal(n, 5);
	assert_memory_equal(value, "three", 5);
	free(value);
	assert_int_equal(arc_archive_getxattr(o.a, &root, "user.b", &value, &n),
			 -ENODATA);
	assert_int_equal(arc_archive_getxattr(o.a, &root, "user.d", &value, &n),
			 -ENODATA);
	assert_int_equal(arc_archive_getxattr(o.a, &plain, "user.a", &value,
					      &n),
			 -ENODATA);
	assert_int_equal(arc_archive_listxattr(o.a, &root, &names, &n), 0);
	assert_int_equal(n, sizeof(list));
	assert_memory_equal(names, list, n);
	free(names);
	assert_int_equal(arc_archive_listxattr(o.a, &plain, &names, &n), 0);
	assert_int_equal(n, 0);
	assert_non_null(names);
	free(names);
	drop(&o);
}

/* ---- reading ------------------------------------------------------------ */

/* A read in place against what the file should be. */
static void assert_read(struct opened *o, uint64_t ino, const uint8_t *file,
			uint64_t off, size_t n, size_t want)
{
	struct arc_inode inode = inode_of(o, ino);
	struct arc_read r;
	size_t at = 0;

	assert_int_equal(arc_archive_read_begin(o->a, &inode, off, n, &r), 0);
	assert_int_equal(r.n, want);
	for (int i = 0; i < r.count; i++) {
		assert_true(r.iov[i].iov_len > 0);
		assert_memory_equal(r.iov[i].iov_base, file + off + at,
				    r.iov[i].iov_len);
		at += r.iov[i].iov_len;
	}
	assert_int_equal(at, want);
	arc_archive_read_end(o->a, &r);
}

static void reads_are_cut_at_the_end(void **state)
{
	struct opened o;

	(void)state;
	make_open(&o);
	assert_read(&o, PLAIN, o.stream, 0, 10, 10);
	assert_read(&o, PLAIN, o.stream, STREAM - 10, 10, 10);
	assert_read(&o, PLAIN, o.stream, STREAM - 10, 11, 10);
	assert_read(&o, PLAIN, o.stream, STREAM, 10, 0);
	assert_read(&o, PLAIN, o.stream, UINT64_MAX, ARC_READ_MAX, 0);
	assert_read(&o, PLAIN, o.stream, 5, 0, 0);
	assert_read(&o, PLAIN, o.stream, 0, ARC_READ_MAX, STREAM);
	assert_read(&o, 4, o.stream, 0, 10, 0);
	assert_read(&o, 6, o.stream + STREAM / 2, 7, 200000, 200000);
	drop(&o);
}

static void a_sparse_file_reads_as_it_was(void **state)
{
	struct arc_inode inode;
	uint64_t seed = 9;
	struct opened o;
	uint8_t *all;

	(void)state;
	make_open(&o);
	assert_read(&o, SPARSE, o.sparse, 0, ARC_READ_MAX, SPARSE_SIZE);
	for (int i = 0; i < 500; i++) {
		uint64_t off = testdata_next(&seed) % SPARSE_SIZE;
		size_t n = testdata_next(&seed) % (i % 2 ? 3000 : 300000);

		assert_read(&o, SPARSE, o.sparse, off, n,
			    ARC_MIN(n, SPARSE_SIZE - off));
	}
	inode = inode_of(&o, SPARSE);
	all = malloc(SPARSE_SIZE);
	assert_non_null(all);
	assert_int_equal(arc_archive_pread(o.a, &inode, all, SPARSE_SIZE + 9,
					   0),
			 SPARSE_SIZE);
	assert_memory_equal(all, o.sparse, SPARSE_SIZE);
	assert_int_equal(arc_archive_pread(o.a, &inode, all, 100, SPARSE_SIZE),
			 0);
	assert_int_equal(
		arc_archive_pread(o.a, &inode, all, 100, SPARSE_SIZE - 1), 1);
	free(all);
	drop(&o);
}

static void what_is_no_file_is_not_read(void **state)
{
	struct arc_inode root, plain;
	struct arc_read r;
	struct opened o;
	uint64_t at;
	uint8_t b;

	(void)state;
	make_open(&o);
	root = inode_of(&o, 1);
	plain = inode_of(&o, PLAIN);
	assert_int_equal(arc_archive_read_begin(o.a, &root, 0, 1, &r), -EINVAL);
	assert_int_equal(arc_archive_read_begin(o.a, &plain, 0,
						ARC_READ_MAX + 1, &r),
			 -EINVAL);
	assert_int_equal(arc_archive_pread(o.a, &root, &b, 1, 0), -EINVAL);
	assert_int_equal(arc_archive_seek(o.a, &root, 0, true, &at), -EINVAL);
	drop(&o);
}

/* Frames of one byte make more pieces than a read has room for. */
static void the_smallest_frames_are_read(void **state)
{
	struct arc_inode file;
	struct arc_read r;
	struct opened o;
	uint8_t raw[300];

	(void)state;
	memset(&o, 0, sizeof(o));
	listener_init(&o.l);
	testdata_fill(TESTDATA_RANDOM, raw, sizeof(raw), 1);
	set_begin(&o.m, 98 << 20, 1, 1);
	set_stream(&o.m, raw, sizeof(raw), 1, "lz4", 18);
	set_dir(&o.m, 0, 0, 0);
	set_file(&o.m, 0, sizeof(raw));
	set_end(&o.m);
	assert_int_equal(try_open(&o), 0);
	file = inode_of(&o, 2);
	assert_int_equal(arc_archive_read_begin(o.a, &file, 0, 300, &r), 0);
	assert_int_equal(r.count, 1);
	assert_memory_equal(r.iov[0].iov_base, raw, 300);
	arc_archive_read_end(o.a, &r);
	assert_read(&o, 2, raw, 7, 3, 3);
	drop(&o);
}

static void holes_and_data_are_found(void **state)
{
	uint64_t seed = 4;
	struct arc_inode inode;
	struct opened o;
	uint64_t at;

	(void)state;
	make_open(&o);
	inode = inode_of(&o, SPARSE);
	for (int i = 0; i < 400; i++) {
		uint64_t off = testdata_next(&seed) % SPARSE_SIZE, want;

		for (want = off; want < SPARSE_SIZE && !o.data[want];)
			want++;
		if (want == SPARSE_SIZE) {
			assert_int_equal(arc_archive_seek(o.a, &inode, off,
							  true, &at),
					 -ENXIO);
		} else {
			assert_int_equal(arc_archive_seek(o.a, &inode, off,
							  true, &at),
					 0);
			assert_int_equal(at, want);
		}
		for (want = off; want < SPARSE_SIZE && o.data[want];)
			want++;
		assert_int_equal(arc_archive_seek(o.a, &inode, off, false, &at),
				 0);
		assert_int_equal(at, want);
	}
	assert_int_equal(arc_archive_seek(o.a, &inode, SPARSE_SIZE, true, &at),
			 -ENXIO);
	assert_int_equal(arc_archive_seek(o.a, &inode, SPARSE_SIZE, false, &at),
			 -ENXIO);
	inode = inode_of(&o, PLAIN);
	assert_int_equal(arc_archive_seek(o.a, &inode, 5, false, &at), 0);
	assert_int_equal(at, STREAM);
	inode = inode_of(&o, 4);
	assert_int_equal(arc_archive_seek(o.a, &inode, 0, true, &at), -ENXIO);
	drop(&o);
}

static void damage_in_the_range_fails_the_whole_read(void **state)
{
	struct arc_inode inode;
	struct arc_frame f;
	struct arc_read r;
	struct opened o;
	uint8_t byte;

	(void)state;
	make_open(&o);
	assert_int_equal(arc_index_frame(arc_archive_index(o.a), 1, &f), 0);
	volume_bytes(&o.m, 1, NULL)[f.offset + 100] ^= 1; /* its head */
	inode = inode_of(&o, PLAIN);
	assert_int_equal(arc_archive_read_begin(o.a, &inode, SET_FRAME - 100,
						200, &r),
			 -EBADMSG);
	assert_int_equal(arc_archive_pread(o.a, &inode, &byte, 1, SET_FRAME),
			 -EBADMSG);
	assert_read(&o, PLAIN, o.stream, SET_FRAME - 100, 100, 100);
	assert_read(&o, PLAIN, o.stream, (uint64_t)2 * SET_FRAME, 100, 100);
	drop(&o);
}

/* ---- verification ------------------------------------------------------- */

struct found {
	unsigned count;
	struct arc_damage last;
	char what[64];
	uint64_t done;
	uint64_t total;
};

static void on_damage(void *ctx, const struct arc_damage *d)
{
	struct found *f = ctx;

	assert_true(d->err < 0);
	f->count++;
	f->last = *d;
	snprintf(f->what, sizeof(f->what), "%s", d->what);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct found *f = ctx;

	assert_true(done >= f->done && done <= total);
	f->done = done;
	f->total = total;
}

static struct found verify(struct opened *o, unsigned threads)
{
	struct found f = { .count = 0 };
	struct arc_verify_options opt = { .threads = threads,
					  .damage = on_damage,
					  .progress = on_progress,
					  .ctx = &f };
	ssize_t n = arc_archive_verify(o->a, &opt);

	assert_int_equal(n, f.count);
	return f;
}

static void a_sound_archive_is_found_sound(void **state)
{
	struct found f;
	struct opened o;

	(void)state;
	make_open(&o);
	for (unsigned threads = 0; threads < 4; threads++) {
		f = verify(&o, threads);
		assert_int_equal(f.count, 0);
		assert_int_equal(f.done, STREAM);
		assert_int_equal(f.total, STREAM);
	}
	assert_int_equal(o.l.count, 0);
	drop(&o);
}

static void a_damaged_segment_is_named(void **state)
{
	struct arc_record *r;
	struct arc_frame frame;
	struct found f;
	struct opened o;
	uint8_t *p;

	(void)state;
	make_open(&o);
	assert_int_equal(arc_index_frame(arc_archive_index(o.a), 1, &frame), 0);
	p = volume_bytes(&o.m, 1, NULL) + frame.offset;
	assert_int_equal(
		arc_record_parse((struct arc_span){ p, frame.stored }, &r), 0);
	/* the last of a group: nothing else depends on it */
	p[r->head + r->segment[7].offset + r->segment[7].size / 2] ^= 1;
	f = verify(&o, 2);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "segment");
	assert_int_equal(f.last.frame, 1);
	assert_int_equal(f.last.volume, 1);
	assert_int_equal(f.last.stream, SET_FRAME + 7 * ARC_SEGMENT_SIZE);
	assert_int_equal(f.last.len, ARC_SEGMENT_SIZE);
	assert_int_equal(f.last.err, -EBADMSG);
	free(r);
	drop(&o);
}

static void other_damage_is_named(void **state)
{
	struct arc_frame frame;
	struct found f;
	struct opened o;

	(void)state;
	make_open(&o);
	assert_int_equal(arc_index_frame(arc_archive_index(o.a), 2, &frame), 0);
	volume_bytes(&o.m, 1, NULL)[frame.offset + 9] ^= 1;
	f = verify(&o, 1);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "record");
	assert_int_equal(f.last.stream, 2 * SET_FRAME);
	assert_int_equal(f.last.len, 70000);
	drop(&o);

	make_open(&o);
	volume_bytes(&o.m, 1, NULL)[20] ^= 1;
	f = verify(&o, 1);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "volume header");
	drop(&o);

	make_open(&o);
	damage_block(&o.m, ARC_TABLE_NAME, 0, 0);
	f = verify(&o, 1);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "index block name");
	drop(&o);

	make_open(&o);
	damage_block(&o.m, ARC_TABLE_FRAME, 0, 0);
	f = verify(&o, 1);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "index block frame");
	assert_int_equal(f.last.stream, 0);
	assert_int_equal(f.last.len, STREAM);
	drop(&o);
}

static void missing_and_short_volumes_are_named(void **state)
{
	struct arc_store *away;
	struct arc_frame frame;
	struct found f;
	struct opened o;

	(void)state;
	make_volumes(&o);
	assert_true(o.m.set.n >= 2);
	assert_int_equal(try_open(&o), 0);
	assert_int_equal(arc_index_frame(arc_archive_index(o.a), 0, &frame), 0);
	assert_int_equal(frame.volume, 1);
	assert_int_equal(
		arc_store_memory_resize(o.m.set.stores[0],
					frame.offset + frame.stored - 10),
		0);
	f = verify(&o, 2);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.what, "segment");
	assert_int_equal(f.last.stream, SET_FRAME - ARC_SEGMENT_SIZE);
	arc_archive_close(o.a);
	assert_int_equal(try_open(&o), 0);
	away = arc_steal(o.m.set.stores[0]);
	f = verify(&o, 2);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.last.err, -ENOMEDIUM);
	o.m.set.stores[0] = away;
	drop(&o);
}

/* ---- any damage --------------------------------------------------------- */

/* Reads the file whole: true when it is right, false when an error is
 * answered; a wrong byte fails the test. */
static bool read_all(struct opened *o, uint64_t ino, const uint8_t *file,
		     size_t n)
{
	struct arc_index *idx = arc_archive_index(o->a);
	uint8_t *got = malloc(n);
	struct arc_inode inode;
	ssize_t r = -EIO;

	assert_non_null(got);
	if (arc_index_inode(idx, ino, &inode) == 0) {
		assert_int_equal(inode.size, n);
		r = arc_archive_pread(o->a, &inode, got, n, 0);
	}
	if (r >= 0) {
		assert_int_equal(r, n);
		assert_memory_equal(got, file, n);
	}
	free(got);
	return r >= 0;
}

/* Wherever a bit is flipped: no wrong byte, and verification finds it. */
static void no_flipped_bit_goes_unnoticed(void **state)
{
	uint64_t seed = 77;
	unsigned opened = 0, whole = 0;
	struct opened o;

	(void)state;
	make(&o);
	for (int i = 0; i < 400; i++) {
		size_t n;
		uint8_t *p = volume_bytes(&o.m, 1, &n);
		/* half of them in the index at the end */
		size_t at = i % 2 ? testdata_next(&seed) % n
				  : n - 1 - testdata_next(&seed) % 6000;
		uint8_t bit = (uint8_t)(1 << testdata_next(&seed) % 8);

		p[at] ^= bit;
		if (try_open(&o) == 0) {
			bool good = read_all(&o, PLAIN, o.stream, STREAM);

			good &= read_all(&o, SPARSE, o.sparse, SPARSE_SIZE);
			/* coded bytes may change and mean the same */
			assert_true(verify(&o, 1).count > 0 ||
				    (good && at < n - 6000));
			opened++;
			whole += good;
		}
		arc_archive_close(o.a);
		o.a = NULL;
		p[at] ^= bit;
	}
	assert_in_range(opened, 200, 399);
	assert_in_range(whole, 1, opened - 100);
	assert_int_equal(try_open(&o), 0);
	assert_int_equal(verify(&o, 1).count, 0);
	drop(&o);
}

static void no_cut_goes_unnoticed(void **state)
{
	uint64_t seed = 78;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct opened o;
		uint32_t v;
		size_t n;

		make_volumes(&o);
		v = 1 + (uint32_t)i % o.m.set.n;
		volume_bytes(&o.m, v, &n);
		assert_int_equal(
			arc_store_memory_resize(o.m.set.stores[v - 1],
						testdata_next(&seed) % n),
			0);
		if (try_open(&o) == 0) {
			assert_true(v < o.m.set.n);
			read_all(&o, PLAIN, o.stream, STREAM);
			read_all(&o, SPARSE, o.sparse, SPARSE_SIZE);
			assert_true(verify(&o, 2).count > 0);
		}
		drop(&o);
	}
}

static void every_failing_read_is_answered_and_forgotten(void **state)
{
	uint64_t calls = UINT64_MAX;

	(void)state;
	for (uint64_t n = 1; n <= calls; n++) {
		struct arc_fault_plan plan = { .fail_at = n };
		struct opened o;

		make_volumes(&o);
		for (uint32_t i = 0; i < o.m.set.n; i++)
			assert_int_equal(arc_store_faulty(o.m.set.stores[i],
							  &plan,
							  &o.m.set.stores[i]),
					 0);
		if (try_open(&o) == 0) {
			bool good = read_all(&o, PLAIN, o.stream, STREAM);

			good &= read_all(&o, SPARSE, o.sparse, SPARSE_SIZE);
			assert_true(good == (plan.calls < n));
			if (good)
				calls = n;
			assert_true(read_all(&o, PLAIN, o.stream, STREAM));
			assert_true(
				read_all(&o, SPARSE, o.sparse, SPARSE_SIZE));
		}
		drop(&o);
	}
	assert_in_range(calls, 15, 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_inodes),
		cmocka_unit_test(attributes_are_found_by_name),
		cmocka_unit_test(reads_are_cut_at_the_end),
		cmocka_unit_test(a_sparse_file_reads_as_it_was),
		cmocka_unit_test(what_is_no_file_is_not_read),
		cmocka_unit_test(the_smallest_frames_are_read),
		cmocka_unit_test(holes_and_data_are_found),
		cmocka_unit_test(damage_in_the_range_fails_the_whole_read),
		cmocka_unit_test(a_sound_archive_is_found_sound),
		cmocka_unit_test(a_damaged_segment_is_named),
		cmocka_unit_test(other_damage_is_named),
		cmocka_unit_test(missing_and_short_volumes_are_named),
		cmocka_unit_test(no_flipped_bit_goes_unnoticed),
		cmocka_unit_test(no_cut_goes_unnoticed),
		cmocka_unit_test(every_failing_read_is_answered_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
