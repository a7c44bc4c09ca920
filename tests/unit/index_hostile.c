/* SPDX-License-Identifier: MIT */
/* Rows that no writer of ours makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "openindex.h"

/* ---- hostile inodes ----------------------------------------------------- */

/* What is changed in the row of a file (of type REG, DIR, ...). */
struct inode_case {
	uint32_t mode;
	void (*change)(struct arc_disk_inode *row);
};

static void bad_ns(struct arc_disk_inode *r)
{
	r->mtime_ns = arc_put32(1000000000);
}
static void bad_mode_bits(struct arc_disk_inode *r)
{
	r->mode = arc_put32(S_IFREG | 0644 | 1u << 16);
}
static void bad_size(struct arc_disk_inode *r)
{
	r->size = arc_put64(ARC_FILE_SIZE_MAX + 1);
}
static void bad_nlink(struct arc_disk_inode *r)
{
	r->nlink = arc_put32(0);
}
static void bad_share_nlink(struct arc_disk_inode *r)
{
	r->share_nlink = arc_put32(0);
}
static void bad_xset(struct arc_disk_inode *r)
{
	r->xset = arc_put32(1);
}
static void bad_flags(struct arc_disk_inode *r)
{
	r->flags = arc_put32(2);
}
static void bad_extent_flag(struct arc_disk_inode *r)
{
	r->flags = arc_put32(ARC_INODE_EXTENTS);
}
static void bad_extents(struct arc_disk_inode *r)
{
	r->flags = arc_put32(ARC_INODE_EXTENTS);
	r->extents = arc_put32(1);
}
static void bad_leader(struct arc_disk_inode *r)
{
	r->leader = arc_put64(2);
}
static void bad_parent(struct arc_disk_inode *r)
{
	r->leader = arc_put64(1); /* itself */
}
static void bad_share(struct arc_disk_inode *r)
{
	r->share = arc_put64(2);
}
static void other_share(struct arc_disk_inode *r)
{
	r->share = arc_put64(0);
}
static void behind_stream(struct arc_disk_inode *r)
{
	r->data = arc_put64(99);
	r->size = arc_put64(2);
}
static void wrapped_stream(struct arc_disk_inode *r)
{
	r->data = arc_put64(UINT64_MAX);
	r->size = arc_put64(2);
}
static void many_entries(struct arc_disk_inode *r)
{
	r->size = arc_put64(1);
}
static void far_entries(struct arc_disk_inode *r)
{
	r->data = arc_put64(1);
}
static void long_target(struct arc_disk_inode *r)
{
	r->size = arc_put64(ARC_TARGET_MAX + 1);
}
static void no_target(struct arc_disk_inode *r)
{
	r->size = arc_put64(0);
}
static void far_target(struct arc_disk_inode *r)
{
	r->size = arc_put64(4);
	r->data = arc_put64(0);
}
static void some_size(struct arc_disk_inode *r)
{
	r->size = arc_put64(1);
}
static void nothing(struct arc_disk_inode *r)
{
	(void)r;
}

static void inodes_that_break_a_rule_are_refused(void **state)
{
	static const struct inode_case cases[] = {
		{ S_IFREG, bad_ns },
		{ S_IFREG, bad_mode_bits },
		{ S_IFREG, bad_size },
		{ S_IFREG, bad_nlink },
		{ S_IFREG, bad_share_nlink },
		{ S_IFREG, bad_xset },
		{ S_IFREG, bad_flags },
		{ S_IFREG, bad_extents },
		{ S_IFREG, bad_leader },
		{ S_IFREG, bad_share },
		{ S_IFREG, behind_stream },
		{ S_IFREG, wrapped_stream },
		{ S_IFDIR, bad_parent },
		{ S_IFDIR, bad_leader },
		{ S_IFDIR, other_share },
		{ S_IFDIR, many_entries },
		{ S_IFDIR, far_entries },
		{ S_IFDIR, bad_extent_flag },
		{ S_IFLNK, long_target },
		{ S_IFLNK, no_target },
		{ S_IFLNK, far_target },
		{ S_IFIFO, some_size },
		{ S_IFIFO, other_share },
		{ S_IFIFO, bad_extent_flag },
		{ 0, nothing },
		{ 0170000, nothing },
		{ 0030000, nothing },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		struct arc_disk_inode row;
		struct arc_inode inode;
		struct setmaker m;
		struct opened o;

		begin(&m);
		set_stream_length(&m, 100);
		set_dir(&m, 0, 0, 0);
		row = row_of_type(&m, cases[i].mode | 0644);
		if (cases[i].mode == S_IFDIR)
			row.leader = arc_put64(0);
		cases[i].change(&row);
		set_inode(&m, row);
		finish(&m, &o);
		assert_int_equal(arc_index_inode(o.idx, 2, &inode), -EBADMSG);
		assert_int_equal(arc_index_inode(o.idx, 1, &inode), 0);
		drop(&m, &o);
	}
}

static void a_root_that_is_no_root_is_refused(void **state)
{
	struct arc_inode inode;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_file(&m, 0, 0);
	finish(&m, &o);
	assert_int_equal(arc_index_inode(o.idx, 1, &inode), -EBADMSG);
	drop(&m, &o);

	begin(&m);
	set_dir(&m, 1, 0, 0);
	set_dir(&m, 0, 0, 0);
	finish(&m, &o);
	assert_int_equal(arc_index_inode(o.idx, 1, &inode), -EBADMSG);
	drop(&m, &o);
}

/* ---- hostile entries ---------------------------------------------------- */

/* One entry of the root, pointing to inode row 1; opened. */
static void make_entry(struct setmaker *m, struct opened *o, const char *name,
		       size_t n)
{
	struct arc_disk_dirent d = { .row = arc_put64(1),
				     .share = arc_put64(1),
				     .type = S_IFIFO >> 12 };

	begin(m);
	set_dir(m, 0, 0, 1);
	set_inode(m, row_of_type(m, S_IFIFO | 0600));
	d.name = arc_put64(set_name(m, name, n));
	set_row(m, ARC_TABLE_DIRENT, &d);
	finish(m, o);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const struct arc_span bad[] = {
		{ (const uint8_t *)"/", 1 },	  { (const uint8_t *)".", 1 },
		{ (const uint8_t *)"..", 2 },	  { (const uint8_t *)"a/b", 3 },
		{ (const uint8_t *)"../etc", 6 }, { (const uint8_t *)"", 0 },
		{ (const uint8_t *)"a\0b", 3 },	  { (const uint8_t *)"\0", 1 },
	};
	struct arc_dirent e;
	struct setmaker m;
	struct opened o;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(bad); i++) {
		make_entry(&m, &o, (const char *)bad[i].p, bad[i].n);
		assert_int_equal(entry_of(&o, 0, 0), -EBADMSG);
		assert_int_equal(lookup_in(&o, 0, "x", &e), -EBADMSG);
		drop(&m, &o);
	}
	make_entry(&m, &o, "...", 3);
	assert_int_equal(entry_of(&o, 0, 0), 0);
	drop(&m, &o);
}

/* Two names in the root; what the second answers. */
static int second_name(const char *first, const char *second)
{
	struct setmaker m;
	struct opened o;
	int err;

	begin(&m);
	set_dir(&m, 0, 0, 2);
	set_inode(&m, row_of_type(&m, S_IFIFO | 0600));
	set_entry(&m, first, 1, S_IFIFO);
	set_entry(&m, second, 1, S_IFIFO);
	finish(&m, &o);
	assert_int_equal(entry_of(&o, 0, 0), 0);
	err = entry_of(&o, 0, 1);
	drop(&m, &o);
	return err;
}

static void names_must_ascend(void **state)
{
	(void)state;
	assert_int_equal(second_name("a", "b"), 0);
	assert_int_equal(second_name("a", "aa"), 0);
	assert_int_equal(second_name("a", "\xff"), 0);
	assert_int_equal(second_name("a", "a"), -EBADMSG);
	assert_int_equal(second_name("b", "a"), -EBADMSG);
	assert_int_equal(second_name("aa", "a"), -EBADMSG);
}

static void names_that_point_nowhere_are_refused(void **state)
{
	struct arc_disk_dirent d = { .row = arc_put64(1),
				     .share = arc_put64(1),
				     .type = S_IFIFO >> 12 };
	static const uint8_t cut_off[] = { 200, 'x' };
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 4);
	set_inode(&m, row_of_type(&m, S_IFIFO | 0600));
	set_name(&m, "good", 4);
	assert_int_equal(mk_idxwrite_bytes(m.w, ARC_TABLE_NAME, cut_off, 2), 0);
	d.name = arc_put64(5); /* the cut off one */
	set_row(&m, ARC_TABLE_DIRENT, &d);
	d.name = arc_put64(7); /* the end of the heap */
	set_row(&m, ARC_TABLE_DIRENT, &d);
	d.name = arc_put64(UINT64_MAX);
	set_row(&m, ARC_TABLE_DIRENT, &d);
	d.name = arc_put64(0);
	set_row(&m, ARC_TABLE_DIRENT, &d);
	finish(&m, &o);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(entry_of(&o, 0, i), -EBADMSG);
	assert_int_equal(entry_of(&o, 0, 3), 0);
	drop(&m, &o);
}

/* The root (0) with file 1, directory 2 and duplicate 3 of 1; and one entry
 * more, to be refused or not. */
static int entry_answer(struct arc_disk_dirent d)
{
	struct arc_disk_inode row;
	struct arc_dirent e;
	struct setmaker m;
	struct opened o;
	int err;

	begin(&m);
	set_stream_length(&m, 10);
	set_dir(&m, 0, 0, 1);
	set_file(&m, 0, 10);
	set_dir(&m, 0, 0, 0);
	row = row_of_file(&m, 0, 10);
	row.share = arc_put64(1);
	set_inode(&m, row);
	d.name = arc_put64(set_name(&m, "x", 1));
	set_row(&m, ARC_TABLE_DIRENT, &d);
	finish(&m, &o);
	err = entry_of(&o, 0, 0);
	assert_int_equal(lookup_in(&o, 0, "x", &e), err);
	drop(&m, &o);
	return err;
}

static struct arc_disk_dirent entry(uint64_t row, uint64_t share, uint32_t mode)
{
	return (struct arc_disk_dirent){ .row = arc_put64(row),
					 .share = arc_put64(share),
					 .type = (uint8_t)(mode >> 12) };
}

static void entries_must_agree_with_their_inode(void **state)
{
	(void)state;
	assert_int_equal(entry_answer(entry(1, 1, S_IFREG)), 0);
	assert_int_equal(entry_answer(entry(2, 2, S_IFDIR)), 0);
	assert_int_equal(entry_answer(entry(3, 1, S_IFREG)), 0);
	/* types */
	assert_int_equal(entry_answer(entry(1, 1, S_IFDIR)), -EBADMSG);
	assert_int_equal(entry_answer(entry(2, 2, S_IFREG)), -EBADMSG);
	assert_int_equal(entry_answer(entry(1, 1, 0)), -EBADMSG);
	/* sharing leaders */
	assert_int_equal(entry_answer(entry(3, 3, S_IFREG)), -EBADMSG);
	assert_int_equal(entry_answer(entry(1, 2, S_IFREG)), -EBADMSG);
	assert_int_equal(entry_answer(entry(3, 0, S_IFREG)), -EBADMSG);
	/* rows that do not exist */
	assert_int_equal(entry_answer(entry(4, 4, S_IFREG)), -EBADMSG);
	assert_int_equal(entry_answer(entry(1, 4, S_IFREG)), -EBADMSG);
	assert_int_equal(entry_answer(entry(UINT64_MAX, 1, S_IFREG)), -EBADMSG);
}

static void a_sharing_leader_is_a_file_that_leads_itself(void **state)
{
	struct arc_disk_inode row;
	struct arc_disk_dirent d;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 2);
	row = row_of_file(&m, 0, 0);
	row.share = arc_put64(0); /* the root */
	set_inode(&m, row);
	row = row_of_file(&m, 0, 0);
	row.share = arc_put64(1); /* which is led itself */
	set_inode(&m, row);
	d = entry(1, 0, S_IFREG);
	d.name = arc_put64(set_name(&m, "a", 1));
	set_row(&m, ARC_TABLE_DIRENT, &d);
	d = entry(2, 1, S_IFREG);
	d.name = arc_put64(set_name(&m, "b", 1));
	set_row(&m, ARC_TABLE_DIRENT, &d);
	finish(&m, &o);
	assert_int_equal(entry_of(&o, 0, 0), -EBADMSG);
	assert_int_equal(entry_of(&o, 0, 1), -EBADMSG);
	drop(&m, &o);
}

/* ---- loops -------------------------------------------------------------- */

static void a_directory_never_leads_back(void **state)
{
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 1); /* 0: has 1 */
	set_dir(&m, 0, 1, 3); /* 1: has 0, 1 and 2 */
	set_dir(&m, 0, 0, 0); /* 2: says that it is in 0 */
	set_entry(&m, "down", 1, S_IFDIR);
	set_entry(&m, "a", 0, S_IFDIR);
	set_entry(&m, "b", 1, S_IFDIR);
	set_entry(&m, "c", 2, S_IFDIR);
	finish(&m, &o);
	assert_int_equal(entry_of(&o, 0, 0), 0);
	assert_int_equal(entry_of(&o, 1, 0), -EBADMSG);
	assert_int_equal(entry_of(&o, 1, 1), -EBADMSG);
	assert_int_equal(entry_of(&o, 1, 2), -EBADMSG);
	drop(&m, &o);
}

/* Names that point to the directories of these rows, with a name of something
 * else between; how many of them verification refuses. */
static unsigned names_refused(const uint64_t *rows, unsigned n)
{
	char name[2] = "a";
	struct setmaker m;
	struct opened o;
	struct found f;

	begin(&m);
	set_dir(&m, 0, 0, 2 * n);
	for (unsigned i = 0; i < 9; i++)
		set_dir(&m, 0, 0, 0);
	set_inode(&m, row_of_type(&m, S_IFIFO | 0600));
	for (unsigned i = 0; i < n; i++, name[0]++) {
		set_entry(&m, name, rows[i], S_IFDIR);
		name[0]++;
		set_entry(&m, name, 10, S_IFIFO);
	}
	finish(&m, &o);
	f = verify(&o, 1);
	assert_int_equal(f.blocks, 0);
	drop(&m, &o);
	return f.rows;
}

static void a_directory_has_one_name(void **state)
{
	static const uint64_t ascending[] = { 1, 2, 4, 5, 7, 9 };
	static const uint64_t twice[] = { 1, 1 };
	static const uint64_t apart[] = { 5, 3, 5 };
	static const uint64_t disguised[] = { 5, 3, 4, 5, 6 };

	(void)state;
	assert_int_equal(names_refused(ascending, 6), 0);
	assert_int_equal(names_refused(twice, 2), 1);
	assert_int_equal(names_refused(apart, 3), 2);
	assert_int_equal(names_refused(disguised, 5), 3);
}

/* ---- roots -------------------------------------------------------------- */

/* A set whose top root holds these tables and nothing behind them. */
static int open_with_tables(const struct arc_disk_table *tables, uint32_t n,
			    uint32_t claimed, struct opened *o,
			    struct setmaker *m)
{
	struct arc_disk_root head = { .tables = arc_put32(claimed) };
	uint8_t raw[sizeof(head) + 8 * sizeof(*tables)];
	uint8_t block[sizeof(raw) + 1000];
	uint32_t volume;
	uint64_t offset;
	size_t size;

	assert_true(n <= 8);
	begin(m);
	memcpy(raw, &head, sizeof(head));
	memcpy(raw + sizeof(head), tables, n * sizeof(*tables));
	assert_int_equal(
		arc_block_encode(arc_bytes_layout(), ARC_TABLE_ROOT, 0, 0, raw,
				 (uint32_t)(sizeof(head) + n * sizeof(*tables)),
				 block, &size),
		0);
	assert_int_equal(mk_volwrite_put(m->vw, block, size,
					 sizeof(struct arc_disk_footer),
					 &volume, &offset),
			 0);
	assert_int_equal(mk_volwrite_finish(m->vw, offset, size), 0);
	return try_open(m, o);
}

static struct arc_disk_table table_of(enum arc_table_id id, uint64_t rows,
				      uint32_t levels)
{
	const struct arc_table_layout *l = arc_table_layout(id);

	return (struct arc_disk_table){
		.id = arc_put32(id),
		.row_size = arc_put32(l->row_size),
		.rows = arc_put64(rows),
		.rows_per_block = arc_put32(l->rows_per_block),
		.levels = arc_put32(levels),
	};
}

static int open_two(struct arc_disk_table a, struct arc_disk_table b,
		    uint32_t claimed)
{
	struct arc_disk_table tables[2] = { a, b };
	struct setmaker m;
	struct opened o;
	int err = open_with_tables(tables, 2, claimed, &o, &m);

	if (err < 0)
		assert_int_equal(o.l.count, 1);
	drop(&m, &o);
	return err;
}

static void roots_that_break_a_rule_are_refused(void **state)
{
	struct arc_disk_table inode = table_of(ARC_TABLE_INODE, 1, 1);
	struct arc_disk_table name = table_of(ARC_TABLE_NAME, 5, 1), bad;

	(void)state;
	assert_int_equal(open_two(inode, name, 2), 0);
	assert_int_equal(open_two(inode, name, 3), -EBADMSG);
	assert_int_equal(open_two(inode, name, UINT32_MAX), -EBADMSG);
	assert_int_equal(open_two(inode, inode, 2), -EBADMSG);
	assert_int_equal(open_two(name, name, 1), -EBADMSG); /* no inodes */
	assert_int_equal(open_two(name, table_of(ARC_TABLE_INODE, 0, 0), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode, table_of(ARC_TABLE_NAME, 5, 2), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode, table_of(ARC_TABLE_NAME, 5, 0), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode, table_of(ARC_TABLE_NAME, 0, 1), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode,
				  table_of(ARC_TABLE_NAME, UINT64_MAX, 6), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode, table_of(ARC_TABLE_DIGEST, 2, 1), 2),
			 -EBADMSG);
	assert_int_equal(open_two(inode, table_of(ARC_TABLE_SHA256, 2, 1), 2),
			 -EBADMSG);
	bad = name;
	bad.row_size = arc_put32(2);
	assert_int_equal(open_two(inode, bad, 2), -EBADMSG);
	bad = name;
	bad.rows_per_block = arc_put32(0);
	assert_int_equal(open_two(inode, bad, 2), -EBADMSG);
	bad = name;
	bad.id = arc_put32(77); /* unknown: skipped */
	bad.row_size = arc_put32(0);
	assert_int_equal(open_two(inode, bad, 2), 0);
}

static void a_count_that_is_a_lie_costs_nothing(void **state)
{
	struct arc_disk_table tables[2] = {
		table_of(ARC_TABLE_INODE, UINT64_C(1) << 55, 5),
		table_of(ARC_TABLE_FRAME, UINT64_C(1) << 55, 5),
	};
	struct arc_inode inode;
	struct setmaker m;
	struct found f;
	struct opened o;

	(void)state;
	assert_int_equal(open_with_tables(tables, 2, 2, &o, &m), 0);
	assert_int_equal(arc_index_inode(o.idx, 1, &inode), -EBADMSG);
	f = verify(&o, 2);
	assert_int_equal(f.blocks, 2);
	drop(&m, &o);
}

static void a_damaged_root_is_refused(void **state)
{
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 0);
	set_end(&m);
	damage_block(&m, ARC_TABLE_ROOT, 0, 0);
	assert_int_equal(try_open(&m, &o), -EBADMSG);
	assert_int_equal(o.l.count, 1);
	assert_non_null(strstr(o.l.text, "root of the index"));
	drop(&m, &o);
}

/* A file of 100 bytes with two extents; what a read of it answers. */
static ssize_t two_extents(struct arc_extent a, struct arc_extent b)
{
	struct arc_extent e[4];
	struct arc_inode file;
	struct setmaker m;
	struct opened o;
	uint64_t bytes;
	ssize_t got;

	begin(&m);
	set_stream_length(&m, 1000);
	set_dir(&m, 0, 0, 0);
	set_inode(&m, row_with_extents(&m, 100, 0, 2));
	set_extent(&m, a.file, a.len, a.stream);
	set_extent(&m, b.file, b.len, b.stream);
	finish(&m, &o);
	file = inode_of(&o, 1);
	got = arc_index_extents(o.idx, &file, 0, 100, e, 4);
	assert_int_equal(arc_index_data_bytes(o.idx, &file, &bytes),
			 got < 0 ? got : 0);
	drop(&m, &o);
	return got;
}

static void extents_that_break_a_rule_are_refused(void **state)
{
	struct arc_extent good = { 10, 10, 0 };

	(void)state;
	assert_int_equal(two_extents(good, (struct arc_extent){ 20, 80, 920 }),
			 2);
	assert_int_equal(two_extents(good, (struct arc_extent){ 19, 5, 0 }),
			 -EBADMSG);
	assert_int_equal(two_extents(good, good), -EBADMSG);
	assert_int_equal(two_extents(good, (struct arc_extent){ 0, 5, 0 }),
			 -EBADMSG);
	assert_int_equal(two_extents(good, (struct arc_extent){ 20, 0, 0 }),
			 -EBADMSG);
	assert_int_equal(two_extents(good, (struct arc_extent){ 20, 81, 0 }),
			 -EBADMSG);
	assert_int_equal(two_extents(good, (struct arc_extent){ 20, 80, 921 }),
			 -EBADMSG);
	assert_int_equal(two_extents(good,
				     (struct arc_extent){ 20, UINT64_MAX, 0 }),
			 -EBADMSG);
	assert_int_equal(
		two_extents(good, (struct arc_extent){ 20, 2, UINT64_MAX - 1 }),
		-EBADMSG);
}

/* Frames 0 and 1 of a stream of 2 * SET_FRAME; what is said of frame 1. */
static int second_frame(struct arc_disk_frame row)
{
	struct arc_disk_frame first = frame_row(0, SET_FRAME);
	struct arc_frame f;
	struct setmaker m;
	struct opened o;
	int err;

	begin(&m);
	set_stream_length(&m, 2 * SET_FRAME);
	set_dir(&m, 0, 0, 0);
	set_row(&m, ARC_TABLE_FRAME, &first);
	set_row(&m, ARC_TABLE_FRAME, &row);
	finish(&m, &o);
	assert_int_equal(arc_index_frame(o.idx, 0, &f), 0);
	err = arc_index_frame(o.idx, 1, &f);
	assert_int_equal(arc_index_frame_at(o.idx, 2 * SET_FRAME - 1, &f), err);
	drop(&m, &o);
	return err;
}

static void frames_that_break_a_rule_are_refused(void **state)
{
	struct arc_disk_frame good = frame_row(SET_FRAME, SET_FRAME), row;

	(void)state;
	assert_int_equal(second_frame(good), 0);
	/* a gap, an overlap, past the end, before it */
	assert_int_equal(second_frame(frame_row(SET_FRAME + 1, SET_FRAME - 1)),
			 -EBADMSG);
	assert_int_equal(second_frame(frame_row(SET_FRAME - 1, SET_FRAME + 1)),
			 -EBADMSG);
	assert_int_equal(second_frame(frame_row(SET_FRAME, SET_FRAME + 1)),
			 -EBADMSG);
	assert_int_equal(second_frame(frame_row(SET_FRAME, SET_FRAME - 1)),
			 -EBADMSG);
	assert_int_equal(second_frame(frame_row(UINT64_MAX, SET_FRAME)),
			 -EBADMSG);
	row = good;
	row.volume = arc_put32(2);
	assert_int_equal(second_frame(row), -EBADMSG);
	row.volume = arc_put32(0);
	assert_int_equal(second_frame(row), -EBADMSG);
	row = good;
	row.group_log = 15;
	assert_int_equal(second_frame(row), -EBADMSG);
	row.group_log = 25;
	assert_int_equal(second_frame(row), -EBADMSG);
	row = good;
	row.entry_size = 16;
	assert_int_equal(second_frame(row), -EBADMSG);
	row.entry_size = 25;
	assert_int_equal(second_frame(row), -EBADMSG);
	row = good;
	row.stored = arc_put32(64 + 24 * 16 - 1);
	assert_int_equal(second_frame(row), -EBADMSG);
	row.stored = arc_put32(64 + 24 * 16 + SET_FRAME + 1);
	assert_int_equal(second_frame(row), -EBADMSG);
	row = good;
	row.offset = arc_put64(UINT64_MAX);
	assert_int_equal(second_frame(row), -EBADMSG);
	row = good;
	row.raw = arc_put32(0);
	assert_int_equal(second_frame(row), -EBADMSG);
	row.raw = arc_put32(UINT32_MAX);
	assert_int_equal(second_frame(row), -EBADMSG);
}

/* A root whose set of attributes is rows [first, first + count) of two. */
static int hostile_xattr(const char *a, const char *b, uint64_t first,
			 uint32_t count, uint32_t i)
{
	struct arc_disk_inode row;
	struct arc_inode in;
	struct setmaker m;
	struct opened o;
	char name[256];
	int err;

	begin(&m);
	row = row_of_dir(&m, 0, 0, 0);
	row.xset = arc_put32(1);
	set_inode(&m, row);
	set_xattr(&m, a, "");
	set_xattr(&m, b, "");
	set_xset(&m, first, count);
	finish(&m, &o);
	in = inode_of(&o, 0);
	err = arc_index_xattr(o.idx, &in, i, name, NULL, NULL);
	drop(&m, &o);
	return err;
}

static void attributes_that_break_a_rule_are_refused(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(hostile_xattr("a", name, 0, 2, 1), 0);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(hostile_xattr("a", name, 0, 2, 1), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "", 0, 2, 1), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "a", 0, 2, 1), -EBADMSG);
	assert_int_equal(hostile_xattr("b", "a", 0, 2, 1), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "b", 0, 3, 0), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "b", 2, 1, 0), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "b", UINT64_MAX, 1, 0), -EBADMSG);
	assert_int_equal(hostile_xattr("a", "b", 0, UINT32_MAX, 0), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(inodes_that_break_a_rule_are_refused),
		cmocka_unit_test(a_root_that_is_no_root_is_refused),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(names_must_ascend),
		cmocka_unit_test(names_that_point_nowhere_are_refused),
		cmocka_unit_test(entries_must_agree_with_their_inode),
		cmocka_unit_test(a_sharing_leader_is_a_file_that_leads_itself),
		cmocka_unit_test(a_directory_never_leads_back),
		cmocka_unit_test(a_directory_has_one_name),
		cmocka_unit_test(extents_that_break_a_rule_are_refused),
		cmocka_unit_test(frames_that_break_a_rule_are_refused),
		cmocka_unit_test(attributes_that_break_a_rule_are_refused),
		cmocka_unit_test(roots_that_break_a_rule_are_refused),
		cmocka_unit_test(a_count_that_is_a_lie_costs_nothing),
		cmocka_unit_test(a_damaged_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
