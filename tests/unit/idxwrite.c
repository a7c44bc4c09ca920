/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "faultysink.h"
#include "idxwrite.h"
#include "numbers.h"
#include "tablereader.h"

/* One row or item is never larger than this here. */
#define ROW_MAX 128

static const struct mk_volwrite_params params = {
	.limit = ARC_VOLUME_MIN,
	.frame_size = 65536,
	.id = { 7 },
};

struct opened {
	struct faulty_sink sink;
	struct mk_volwrite *vw;
	struct mk_idxwrite *w;
};

static void open_index(struct opened *o)
{
	struct mk_volume_sink sink;

	memset(o, 0, sizeof(*o));
	sink = faulty_sink_open(&o->sink);
	assert_int_equal(mk_volwrite_open(&sink, &params, NULL, &o->vw), 0);
	assert_int_equal(mk_idxwrite_new(o->vw, &o->w), 0);
}

static void close_index(struct opened *o)
{
	mk_idxwrite_free(o->w);
	mk_volwrite_close(o->vw);
	memory_set_fini(&o->sink.set);
}

static void finish_index(struct opened *o, const char *text)
{
	struct arc_disk_root root = { .stream = arc_put64(77) };

	assert_int_equal(mk_idxwrite_finish(o->w, &root, text), 0);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A row's bytes, from its number. */
static void make_row(uint64_t number, size_t n, uint8_t row[ROW_MAX])
{
	assert_true(n <= ROW_MAX);
	for (size_t i = 0; i < n; i++)
		row[i] = (uint8_t)mix(number * ROW_MAX + i);
}

/* ---- tables ------------------------------------------------------------- */

static void an_index_without_rows_has_its_tables_empty(void **state)
{
	struct opened o;
	struct arc_disk_root head;
	struct arc_disk_table t;
	struct arc_buf root;

	(void)state;
	open_index(&o);
	finish_index(&o, "a=b\nc=d\n");
	root = read_root(&o.sink.set);
	memcpy(&head, root.p, sizeof(head));
	assert_int_equal(arc_get64(head.stream), 77);
	assert_int_equal(arc_get32(head.text_len), 8);
	assert_memory_equal(root.p + root.n - 8, "a=b\nc=d\n", 8);
	arc_buf_fini(&root);
	for (unsigned i = ARC_TABLE_INODE; i <= ARC_TABLE_FRAME; i++) {
		assert_true(find_table(&o.sink.set, (enum arc_table_id)i, &t));
		assert_int_equal(arc_get64(t.rows), 0);
		assert_int_equal(arc_get32(t.levels), 0);
	}
	assert_false(find_table(&o.sink.set, ARC_TABLE_DIGEST, &t));
	assert_false(find_table(&o.sink.set, ARC_TABLE_SHA256, &t));
	close_index(&o);
}

/* n rows of a table come back; returns the number of levels. */
static uint32_t round_trip(enum arc_table_id id, uint64_t n)
{
	uint32_t size = arc_table_layout(id)->row_size;
	uint8_t row[ROW_MAX];
	struct arc_disk_table t;
	struct arc_buf rows;
	struct opened o;

	open_index(&o);
	for (uint64_t i = 0; i < n; i++) {
		make_row(i, size, row);
		assert_int_equal(mk_idxwrite_row(o.w, id, row), 0);
	}
	finish_index(&o, "");
	rows = read_table(&o.sink.set, id);
	assert_int_equal(rows.n, n * size);
	for (uint64_t i = 0; i < n; i++) {
		make_row(i, size, row);
		assert_memory_equal(rows.p + i * size, row, size);
	}
	arc_buf_fini(&rows);
	assert_true(find_table(&o.sink.set, id, &t));
	close_index(&o);
	return arc_get32(t.levels);
}

static void rows_of_every_table_come_back(void **state)
{
	(void)state;
	for (unsigned i = ARC_TABLE_INODE; i < ARC_TABLE_COUNT; i++) {
		enum arc_table_id id = (enum arc_table_id)i;
		uint64_t block = arc_table_layout(id)->rows_per_block;

		assert_int_equal(round_trip(id, 1), 1);
		if (arc_table_layout(id)->row_size == 1)
			continue;
		assert_int_equal(round_trip(id, block - 1), 1);
		assert_int_equal(round_trip(id, block), 1);
		assert_int_equal(round_trip(id, block + 1), 2);
		assert_int_equal(round_trip(id, 3 * block + 5), 2);
	}
}

static void more_blocks_than_one_root_holds_get_a_level_more(void **state)
{
	const struct arc_table_layout *l = arc_table_layout(ARC_TABLE_SHA256);
	uint64_t blocks = ARC_DESCRIPTORS_PER_BLOCK + 2;
	static const uint8_t zeros[32];
	struct arc_disk_descriptor d;
	struct arc_disk_table t;
	struct arc_buf level;
	struct opened o;

	(void)state;
	open_index(&o);
	for (uint64_t i = 0; i < blocks * l->rows_per_block; i++)
		assert_int_equal(mk_idxwrite_row(o.w, ARC_TABLE_SHA256, zeros),
				 0);
	finish_index(&o, "");
	assert_true(find_table(&o.sink.set, ARC_TABLE_SHA256, &t));
	assert_int_equal(arc_get32(t.levels), 3);
	assert_int_equal(arc_get64(t.rows), blocks * l->rows_per_block);
	level = read_level(&o.sink.set, ARC_TABLE_SHA256, 1);
	assert_int_equal(level.n, blocks * sizeof(d));
	for (uint64_t i = 0; i < blocks; i++) {
		memcpy(&d, level.p + i * sizeof(d), sizeof(d));
		assert_int_equal(arc_get32(d.rows), l->rows_per_block);
	}
	arc_buf_fini(&level);
	close_index(&o);
}

/* Rows of two tables in turns, enough to fill all slots several times. */
static void write_two_tables(struct opened *o, unsigned threads)
{
	uint8_t row[ROW_MAX];

	open_index(o);
	if (threads)
		assert_int_equal(mk_idxwrite_threads(o->w, threads), 0);
	for (uint64_t i = 0; i < 200000; i++) {
		make_row(i / 10, ROW_MAX, row);
		assert_int_equal(mk_idxwrite_row(o->w, ARC_TABLE_INODE, row),
				 0);
		assert_int_equal(mk_idxwrite_row(o->w, ARC_TABLE_DIRENT, row),
				 0);
	}
	finish_index(o, "x=y\n");
}

static void threads_change_no_byte_of_the_index(void **state)
{
	struct opened one, many;

	(void)state;
	write_two_tables(&one, 0);
	for (unsigned threads = 1; threads < 5; threads++) {
		write_two_tables(&many, threads);
		assert_int_equal(one.sink.set.n, many.sink.set.n);
		for (uint32_t i = 0; i < one.sink.set.n; i++) {
			struct arc_span a =
				arc_store_memory_bytes(one.sink.set.stores[i]);
			struct arc_span b =
				arc_store_memory_bytes(many.sink.set.stores[i]);

			assert_int_equal(a.n, b.n);
			assert_memory_equal(a.p, b.p, a.n);
		}
		assert_true(mk_idxwrite_bytes_written(one.w) ==
			    mk_idxwrite_bytes_written(many.w));
		close_index(&many);
	}
	close_index(&one);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
	struct arc_disk_root root = { 0 };
	char *text = calloc(1, ARC_ROOT_TEXT_MAX + 2);
	struct opened o;

	(void)state;
	memset(text, 'x', ARC_ROOT_TEXT_MAX + 1);
	open_index(&o);
	assert_int_equal(mk_idxwrite_finish(o.w, &root, text), -E2BIG);
	text[ARC_ROOT_TEXT_MAX] = '\0';
	assert_int_equal(mk_idxwrite_finish(o.w, &root, text), 0);
	close_index(&o);
	free(text);
}

/* ---- heaps -------------------------------------------------------------- */

static void an_item_never_crosses_a_block(void **state)
{
	uint8_t body[ROW_MAX];
	uint64_t *offset = calloc(10000, sizeof(*offset));
	uint64_t padded = 0, before = 0;
	struct arc_buf heap;
	struct opened o;

	(void)state;
	open_index(&o);
	for (uint64_t i = 0; i < 10000; i++) {
		uint8_t n = (uint8_t)(mix(i) % ROW_MAX);

		make_row(i, n, body);
		assert_int_equal(mk_idxwrite_item(o.w, ARC_TABLE_NAME,
						  (struct arc_span){ &n, 1 },
						  (struct arc_span){ body, n },
						  &offset[i]),
				 0);
	}
	finish_index(&o, "");
	heap = read_table(&o.sink.set, ARC_TABLE_NAME);
	for (uint64_t i = 0; i < 10000; i++) {
		uint8_t n = (uint8_t)(mix(i) % ROW_MAX);

		make_row(i, n, body);
		assert_int_equal(heap.p[offset[i]], n);
		assert_memory_equal(heap.p + offset[i] + 1, body, n);
		assert_int_equal(offset[i] / ARC_BLOCK_MAX,
				 (offset[i] + n) / ARC_BLOCK_MAX);
		for (; before < offset[i]; before++, padded++)
			assert_int_equal(heap.p[before], 0);
		before += 1 + n;
	}
	assert_int_equal(before, heap.n);
	assert_true(padded > 0);
	arc_buf_fini(&heap);
	close_index(&o);
	free(offset);
}

static void an_item_may_fill_a_block_but_not_more(void **state)
{
	uint8_t *body = calloc(1, ARC_BLOCK_MAX);
	struct arc_le32 n = arc_put32(ARC_BLOCK_MAX - 4);
	struct arc_span head = { n.b, 4 };
	struct arc_span whole = { body, ARC_BLOCK_MAX - 4 };
	struct arc_span more = { body, ARC_BLOCK_MAX - 3 };
	struct arc_buf heap;
	uint64_t offset;
	struct opened o;

	(void)state;
	open_index(&o);
	assert_int_equal(mk_idxwrite_item(o.w, ARC_TABLE_TEXT, head, more,
					  &offset),
			 -E2BIG);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(mk_idxwrite_item(o.w, ARC_TABLE_TEXT, head,
						  whole, &offset),
				 0);
		assert_int_equal(offset, i * ARC_BLOCK_MAX);
	}
	assert_int_equal(mk_idxwrite_bytes(o.w, ARC_TABLE_TEXT, "x", 1), 0);
	assert_int_equal(
		mk_idxwrite_item(o.w, ARC_TABLE_TEXT, head, whole, &offset), 0);
	assert_int_equal(offset, 4 * (uint64_t)ARC_BLOCK_MAX);
	finish_index(&o, "");
	heap = read_table(&o.sink.set, ARC_TABLE_TEXT);
	assert_int_equal(heap.n, 5 * (size_t)ARC_BLOCK_MAX);
	assert_int_equal(heap.p[3 * ARC_BLOCK_MAX], 'x');
	assert_int_equal(heap.p[3 * ARC_BLOCK_MAX + 1], 0);
	arc_buf_fini(&heap);
	close_index(&o);
	free(body);
}

static void bytes_are_copied_as_they_are(void **state)
{
	size_t n = 3 * (size_t)ARC_BLOCK_MAX + 17;
	uint8_t *bytes = malloc(n);
	struct arc_buf heap;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)mix(i);
	open_index(&o);
	assert_int_equal(mk_idxwrite_bytes(o.w, ARC_TABLE_TEXT, bytes, 100), 0);
	assert_int_equal(mk_idxwrite_bytes(o.w, ARC_TABLE_TEXT, bytes + 100,
					   n - 100),
			 0);
	finish_index(&o, "");
	heap = read_table(&o.sink.set, ARC_TABLE_TEXT);
	assert_int_equal(heap.n, n);
	assert_memory_equal(heap.p, bytes, n);
	arc_buf_fini(&heap);
	close_index(&o);
	free(bytes);
}

static void a_failing_write_fails_the_index(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		uint8_t row[ROW_MAX] = { 0 };
		struct arc_disk_root root = { 0 };
		struct opened o;
		int r = 0;

		assert_true(n < 1000);
		open_index(&o);
		assert_int_equal(mk_idxwrite_threads(o.w, 1 + n % 2), 0);
		o.sink.plan.fail_at = n;
		o.sink.plan.error = ENOSPC;
		for (uint64_t i = 0; r >= 0 && i < 30000; i++) {
			make_row(i, 80, row);
			r = mk_idxwrite_row(o.w, ARC_TABLE_INODE, row);
		}
		if (r >= 0)
			r = mk_idxwrite_finish(o.w, &root, "");
		done = o.sink.plan.calls < n;
		assert_int_equal(r, done ? 0 : -ENOSPC);
		close_index(&o);
	}
}

/* ---- a tree ------------------------------------------------------------- */

static uint64_t add_entry(struct mk_tree *t, uint64_t parent, const char *name,
			  uint32_t mode)
{
	struct mk_entry *dir, *e;
	uint64_t i;

	assert_int_equal(mk_tree_add(t, 1, &i), 0);
	e = mk_tree_at(t, i);
	e->mode = mode;
	e->parent = parent;
	e->mtime = -(int64_t)i;
	e->mtime_ns = 999999999;
	e->uid = 1000;
	e->gid = 100;
	if (!i)
		return i;
	assert_int_equal(mk_tree_set_name(t, i, name), 0);
	dir = mk_tree_at(t, parent);
	if (!dir->child_count++)
		dir->children = i;
	return i;
}

static void open_tree(struct mk_tree *t)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

	assert_true(tmp >= 0);
	assert_int_equal(mk_tree_open(t, tmp, false), 0);
	close(tmp);
	assert_int_equal(add_entry(t, 0, "", S_IFDIR | 0755), 0);
}

static struct arc_disk_inode inode_at(const struct arc_buf *rows, uint64_t i)
{
	struct arc_disk_inode row;

	assert_true((i + 1) * sizeof(row) <= rows->n);
	memcpy(&row, rows->p + i * sizeof(row), sizeof(row));
	return row;
}

static struct arc_disk_dirent dirent_at(const struct arc_buf *rows, uint64_t i)
{
	struct arc_disk_dirent row;

	assert_true((i + 1) * sizeof(row) <= rows->n);
	memcpy(&row, rows->p + i * sizeof(row), sizeof(row));
	return row;
}

static void assert_name(const struct arc_buf *names,
			const struct arc_disk_dirent *d, const char *name)
{
	uint64_t at = arc_get64(d->name);

	assert_true(at < names->n);
	assert_int_equal(names->p[at], strlen(name));
	assert_memory_equal(names->p + at + 1, name, strlen(name));
}

/* The tables of a tree, as they were written. */
struct tables {
	struct opened o;
	struct arc_disk_root counts;
	struct arc_buf inode, dirent, name, text, extent, xset, xattr, digest;
};

static void write_tree(struct mk_tree *t, struct tables *ret)
{
	struct mk_memory_set *set = &ret->o.sink.set;

	memset(ret, 0, sizeof(*ret));
	open_index(&ret->o);
	assert_int_equal(mk_numbers(t, &ret->counts), 0);
	assert_int_equal(mk_idxwrite_tree(ret->o.w, t), 0);
	assert_int_equal(mk_idxwrite_finish(ret->o.w, &ret->counts, ""), 0);
	ret->inode = read_table(set, ARC_TABLE_INODE);
	ret->dirent = read_table(set, ARC_TABLE_DIRENT);
	ret->name = read_table(set, ARC_TABLE_NAME);
	ret->text = read_table(set, ARC_TABLE_TEXT);
	ret->extent = read_table(set, ARC_TABLE_EXTENT);
	ret->xset = read_table(set, ARC_TABLE_XSET);
	ret->xattr = read_table(set, ARC_TABLE_XATTR);
	ret->digest = read_table(set, ARC_TABLE_DIGEST);
}

static void drop_tables(struct tables *t)
{
	arc_buf_fini(&t->inode);
	arc_buf_fini(&t->dirent);
	arc_buf_fini(&t->name);
	arc_buf_fini(&t->text);
	arc_buf_fini(&t->extent);
	arc_buf_fini(&t->xset);
	arc_buf_fini(&t->xattr);
	arc_buf_fini(&t->digest);
	close_index(&t->o);
}

static void entries_stand_directory_by_directory(void **state)
{
	struct mk_tree t;
	struct tables w;
	struct arc_disk_inode dir;
	struct arc_disk_dirent d;
	uint64_t b, c, gone;

	(void)state;
	open_tree(&t);
	add_entry(&t, 0, "a", S_IFREG | 0644);
	b = add_entry(&t, 0, "b", S_IFDIR | 0700);
	c = add_entry(&t, 0, "c", S_IFDIR | 01777);
	gone = add_entry(&t, b, "b0", S_IFREG | 0600);
	mk_tree_at(&t, gone)->flags = MK_ENTRY_GONE;
	add_entry(&t, b, "b1", S_IFIFO | 0600);
	add_entry(&t, b, "b2", S_IFSOCK | 0600);
	mk_tree_at(&t, add_entry(&t, c, "c1", S_IFBLK | 0600))->rdev =
		(uint64_t)8 << 32 | 17;
	write_tree(&t, &w);

	assert_int_equal(w.inode.n, 7 * sizeof(dir));
	assert_int_equal(w.dirent.n, 6 * sizeof(d));
	dir = inode_at(&w.inode, 0);
	assert_int_equal(arc_get64(dir.size), 3);
	assert_int_equal(arc_get64(dir.data), 0);
	assert_int_equal(arc_get64(dir.leader), 0);
	assert_int_equal(arc_get32(dir.nlink), 4);
	assert_int_equal(arc_get32(dir.mode), S_IFDIR | 0755);
	dir = inode_at(&w.inode, 2);
	assert_int_equal(arc_get64(dir.size), 2);
	assert_int_equal(arc_get64(dir.data), 3);
	assert_int_equal(arc_get32(dir.nlink), 2);
	assert_int_equal((int64_t)arc_get64(dir.mtime), -(int64_t)b);
	d = dirent_at(&w.dirent, 3);
	assert_name(&w.name, &d, "b1");
	assert_int_equal(d.type, S_IFIFO >> 12);
	assert_int_equal(arc_get64(d.row), 4);
	d = dirent_at(&w.dirent, 5);
	assert_name(&w.name, &d, "c1");
	dir = inode_at(&w.inode, arc_get64(d.row));
	assert_int_equal(arc_get64(dir.data), (uint64_t)8 << 32 | 17);
	assert_int_equal(arc_get64(dir.leader), 6);
	assert_int_equal(arc_get64(w.counts.entries), 6);
	assert_int_equal(arc_get64(w.counts.dirs), 3);
	assert_int_equal(arc_get64(w.counts.others), 3);
	drop_tables(&w);
	mk_tree_close(&t);
}

static void what_lies_below_a_gone_directory_is_gone(void **state)
{
	struct mk_tree t;
	struct tables w;
	uint64_t a, b;

	(void)state;
	open_tree(&t);
	a = add_entry(&t, 0, "a", S_IFDIR | 0700);
	add_entry(&t, 0, "z", S_IFREG | 0644);
	b = add_entry(&t, a, "b", S_IFDIR | 0700);
	add_entry(&t, b, "c", S_IFREG | 0644);
	mk_tree_at(&t, a)->flags = MK_ENTRY_GONE;
	write_tree(&t, &w);
	assert_int_equal(arc_get64(w.counts.entries), 1);
	assert_int_equal(arc_get64(w.counts.files), 1);
	assert_int_equal(arc_get64(w.counts.dirs), 1);
	assert_int_equal(w.inode.n, 2 * sizeof(struct arc_disk_inode));
	drop_tables(&w);
	mk_tree_close(&t);
}

static void a_hard_link_is_one_row_with_two_entries(void **state)
{
	struct mk_tree t;
	struct tables w;
	struct arc_disk_dirent d;
	struct arc_disk_inode file;
	uint64_t a, dir, link;

	(void)state;
	open_tree(&t);
	a = add_entry(&t, 0, "a", S_IFREG | 0644);
	dir = add_entry(&t, 0, "d", S_IFDIR | 0755);
	link = add_entry(&t, dir, "link", S_IFREG | 0644);
	add_entry(&t, dir, "z", S_IFREG | 0644);
	mk_tree_at(&t, link)->link = a;
	mk_tree_at(&t, a)->size = 5;
	mk_tree_at(&t, a)->data = 1234;
	write_tree(&t, &w);
	assert_int_equal(w.inode.n, 4 * sizeof(file));
	d = dirent_at(&w.dirent, 2);
	assert_name(&w.name, &d, "link");
	assert_int_equal(arc_get64(d.row), 1);
	assert_int_equal(arc_get64(d.share), 1);
	d = dirent_at(&w.dirent, 3);
	assert_int_equal(arc_get64(d.row), 3);
	file = inode_at(&w.inode, 1);
	assert_int_equal(arc_get32(file.nlink), 2);
	assert_int_equal(arc_get32(file.share_nlink), 2);
	assert_int_equal(arc_get64(file.size), 5);
	assert_int_equal(arc_get64(file.data), 1234);
	assert_int_equal(arc_get64(w.counts.hardlinks), 1);
	assert_int_equal(arc_get64(w.counts.files), 2);
	assert_int_equal(arc_get64(w.counts.bytes), 5);
	drop_tables(&w);
	mk_tree_close(&t);
}

static void targets_attributes_and_digests_are_found(void **state)
{
	static const struct mk_xattr_in set[] = {
		{ "user.a", (const uint8_t *)"one", 3 },
		{ "user.b", (const uint8_t *)"", 0 },
	};
	struct mk_tree t;
	struct tables w;
	struct arc_disk_inode row;
	struct arc_disk_xattr x;
	struct arc_digest128 digest = { { 1, 2, 3 } };
	uint64_t file, link, target;

	(void)state;
	open_tree(&t);
	assert_int_equal(mk_tree_add_text(&t, "to/where", 8, &target), 0);
	file = add_entry(&t, 0, "f", S_IFREG | 0644);
	link = add_entry(&t, 0, "l", S_IFLNK | 0777);
	mk_tree_at(&t, link)->target = target;
	assert_int_equal(
		mk_tree_intern(&t, set, 2, &mk_tree_at(&t, file)->xset), 0);
	memcpy(mk_spool_at(&t.digests, file), &digest, sizeof(digest));
	memcpy(mk_spool_at(&t.digests, link), &digest, sizeof(digest));
	write_tree(&t, &w);

	row = inode_at(&w.inode, 2);
	assert_int_equal(arc_get64(row.size), 8);
	assert_memory_equal(w.text.p + arc_get64(row.data) + 4, "to/where", 8);
	row = inode_at(&w.inode, 1);
	assert_int_equal(arc_get32(row.xset), 1);
	assert_int_equal(w.xset.n, sizeof(struct arc_disk_xset));
	assert_int_equal(w.xattr.n, 2 * sizeof(x));
	memcpy(&x, w.xattr.p + sizeof(x), sizeof(x));
	assert_memory_equal(w.text.p + arc_get64(x.name), "\6\0\0\0user.b", 10);
	assert_memory_equal(w.text.p + arc_get64(x.value), "\0\0\0\0", 4);
	/* a digest for what has content, in the order of rows */
	assert_int_equal(w.digest.n, 3 * sizeof(digest));
	assert_memory_equal(w.digest.p + sizeof(digest), &digest,
			    sizeof(digest));
	memset(&digest, 0, sizeof(digest));
	assert_memory_equal(w.digest.p, &digest, sizeof(digest));
	assert_memory_equal(w.digest.p + 2 * sizeof(digest), &digest,
			    sizeof(digest));
	drop_tables(&w);
	mk_tree_close(&t);
}

static void extents_stand_in_the_order_of_rows(void **state)
{
	static const struct mk_extent extents[] = {
		{ 111, 1, 1 }, /* nobody's */
		{ 4096, 10, 500 },
		{ 8192, 20, ARC_STREAM_ZERO },
		{ 0, 7, 900 },
	};
	struct mk_tree t;
	struct tables w;
	struct arc_disk_inode row;
	struct arc_disk_extent x;
	uint64_t first, at;

	(void)state;
	open_tree(&t);
	assert_int_equal(mk_spool_add(&t.extents, 4, &at), 0);
	memcpy(mk_spool_at(&t.extents, 0), extents, sizeof(extents));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "a", "b", "c" };
		static const uint64_t data[] = { 3, 0, 1 };
		static const uint32_t count[] = { 1, 0, 2 };
		struct mk_entry *e;

		first = add_entry(&t, 0, names[i], S_IFREG | 0644);
		e = mk_tree_at(&t, first);
		e->size = 10000;
		e->flags = MK_ENTRY_EXTENTS;
		e->data = data[i];
		e->extents = count[i];
	}
	write_tree(&t, &w);
	assert_int_equal(w.extent.n, 3 * sizeof(x));
	row = inode_at(&w.inode, 2);
	assert_int_equal(arc_get32(row.extents), 0);
	assert_int_equal(arc_get32(row.flags), ARC_INODE_EXTENTS);
	row = inode_at(&w.inode, 3);
	assert_int_equal(arc_get32(row.extents), 2);
	assert_int_equal(arc_get64(row.data), 1);
	memcpy(&x, w.extent.p + sizeof(x), sizeof(x));
	assert_int_equal(arc_get64(x.file), 4096);
	assert_int_equal(arc_get64(x.len), 10);
	assert_int_equal(arc_get64(x.stream), 500);
	memcpy(&x, w.extent.p + 2 * sizeof(x), sizeof(x));
	assert_true(arc_get64(x.stream) == ARC_STREAM_ZERO);
	assert_int_equal(arc_get64(w.counts.bytes), 30000);
	assert_int_equal(arc_get64(w.counts.holes), 30000 - 37);
	drop_tables(&w);
	mk_tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_without_rows_has_its_tables_empty),
		cmocka_unit_test(rows_of_every_table_come_back),
		cmocka_unit_test(
			more_blocks_than_one_root_holds_get_a_level_more),
		cmocka_unit_test(threads_change_no_byte_of_the_index),
		cmocka_unit_test(a_text_that_is_too_long_is_refused),
		cmocka_unit_test(an_item_never_crosses_a_block),
		cmocka_unit_test(an_item_may_fill_a_block_but_not_more),
		cmocka_unit_test(bytes_are_copied_as_they_are),
		cmocka_unit_test(a_failing_write_fails_the_index),
		cmocka_unit_test(entries_stand_directory_by_directory),
		cmocka_unit_test(what_lies_below_a_gone_directory_is_gone),
		cmocka_unit_test(a_hard_link_is_one_row_with_two_entries),
		cmocka_unit_test(targets_attributes_and_digests_are_found),
		cmocka_unit_test(extents_stand_in_the_order_of_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
