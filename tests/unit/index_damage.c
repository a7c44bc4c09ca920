/* SPDX-License-Identifier: MIT */
/* Blocks that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "openindex.h"

/* ---- damage ------------------------------------------------------------- */

#define MANY 10000 /* entries: 3 blocks of DIRENT, 5 of INODE */

static void make_many(struct setmaker *m)
{
	char name[64];

	begin(m);
	set_dir(m, 0, 0, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t row = set_inode(m, row_of_type(m, S_IFIFO | 0600));

		snprintf(name, sizeof(name),
			 "%08u a name that fills the heap with its length", i);
		set_entry(m, name, row, S_IFIFO);
	}
	set_end(m);
}

static int lookup_number(struct opened *o, unsigned i, struct arc_dirent *e)
{
	char name[64];

	snprintf(name, sizeof(name),
		 "%08u a name that fills the heap with its length", i);
	return lookup_in(o, 0, name, e);
}

/* Looks every name up; how many answer -EBADMSG. The others must be right. */
static unsigned count_hidden(struct opened *o, unsigned *ret_first,
			     unsigned *ret_last)
{
	unsigned hidden = 0;

	for (unsigned i = 0; i < MANY; i++) {
		struct arc_dirent e;
		int err = lookup_number(o, i, &e);

		if (err == -EBADMSG) {
			if (hidden++ == 0)
				*ret_first = i;
			*ret_last = i;
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(e.ino, i + 2);
	}
	return hidden;
}

static void a_damaged_block_of_entries_hides_its_entries(void **state)
{
	unsigned first = 0, last = 0;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	damage_block(&m, ARC_TABLE_DIRENT, 0, 1);
	assert_int_equal(try_open(&m, &o), 0);
	assert_int_equal(count_hidden(&o, &first, &last), 4096);
	assert_int_equal(first, 4096);
	assert_int_equal(last, 8191);
	assert_int_equal(o.l.count, 1);
	assert_non_null(strstr(o.l.text, "dirent"));
	for (uint64_t i = 0; i < MANY; i += 13)
		assert_int_equal(entry_of(&o, 0, i),
				 i >= 4096 && i < 8192 ? -EBADMSG : 0);
	drop(&m, &o);
}

static void a_damaged_block_of_names_hides_its_names(void **state)
{
	unsigned first = 0, last = 0, hidden;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	damage_block(&m, ARC_TABLE_NAME, 0, 1);
	assert_int_equal(try_open(&m, &o), 0);
	hidden = count_hidden(&o, &first, &last);
	assert_in_range(hidden, ARC_BLOCK_MAX / 60, ARC_BLOCK_MAX / 50);
	assert_int_equal(last - first + 1, hidden);
	drop(&m, &o);
}

static void a_damaged_block_of_inodes_leaves_the_names(void **state)
{
	struct arc_inode inode;
	struct arc_dirent e;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	damage_block(&m, ARC_TABLE_INODE, 0, 2);
	assert_int_equal(try_open(&m, &o), 0);
	for (unsigned i = 0; i < MANY; i += 7) {
		int err = i + 1 >= 4096 && i + 1 < 6144 ? -EBADMSG : 0;

		assert_int_equal(lookup_number(&o, i, &e), 0);
		assert_int_equal(entry_of(&o, 0, i), 0);
		assert_int_equal(arc_index_inode(o.idx, e.ino, &inode), err);
	}
	drop(&m, &o);
}

static void a_damaged_block_of_descriptors_hides_the_table(void **state)
{
	struct arc_inode inode;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	damage_block(&m, ARC_TABLE_INODE, 1, 0);
	assert_int_equal(try_open(&m, &o), 0);
	assert_int_equal(arc_index_inode(o.idx, 1, &inode), -EBADMSG);
	assert_int_equal(arc_index_inode(o.idx, MANY, &inode), -EBADMSG);
	assert_int_equal(o.l.count, 1);
	drop(&m, &o);
}

/* Two sound blocks in each other's place are no sound blocks. */
static void a_block_in_another_place_is_refused(void **state)
{
	struct arc_inode inode;
	struct setmaker m;
	struct opened o;
	uint8_t *a, *b;

	(void)state;
	make_many(&m);
	a = find_block(&m, ARC_TABLE_INODE, 0, 0);
	b = find_block(&m, ARC_TABLE_INODE, 0, 1);
	memcpy(a, b, sizeof(struct arc_disk_block));
	assert_int_equal(try_open(&m, &o), 0);
	assert_int_equal(arc_index_inode(o.idx, 1, &inode), -EBADMSG);
	assert_int_equal(arc_index_inode(o.idx, 2049, &inode), 0);
	drop(&m, &o);
}

/* Whoever cannot read an entry goes on behind the block that hides it. */
static void what_cannot_be_read_is_passed_at_once(void **state)
{
	struct arc_inode root;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	damage_block(&m, ARC_TABLE_DIRENT, 0, 1);
	assert_int_equal(try_open(&m, &o), 0);
	root = inode_of(&o, 0);
	assert_int_equal(arc_index_entry_after(o.idx, &root, 4095), 4096);
	assert_int_equal(arc_index_entry_after(o.idx, &root, 4096), 8192);
	assert_int_equal(arc_index_entry_after(o.idx, &root, 8000), 8192);
	assert_int_equal(arc_index_entry_after(o.idx, &root, MANY - 1), MANY);
	close_index(&o);
	damage_block(&m, ARC_TABLE_DIRENT, 1, 0);
	assert_int_equal(try_open(&m, &o), 0);
	assert_int_equal(arc_index_entry_after(o.idx, &root, 0), MANY);
	drop(&m, &o);
}

/* ---- verification ------------------------------------------------------- */

static void verification_finds_each_damaged_block(void **state)
{
	struct found f;
	struct setmaker m;
	struct opened o;

	(void)state;
	make_many(&m);
	assert_int_equal(try_open(&m, &o), 0);
	f = verify(&o, 2);
	assert_int_equal(f.blocks + f.rows, 0);
	close_index(&o);
	damage_block(&m, ARC_TABLE_DIRENT, 0, 1);
	assert_int_equal(try_open(&m, &o), 0);
	f = verify(&o, 1);
	assert_string_equal(f.last, "dirent 0 1");
	assert_int_equal(f.blocks, 1);
	assert_int_equal(f.rows, 0);
	close_index(&o);
	damage_block(&m, ARC_TABLE_INODE, 0, 3);
	damage_block(&m, ARC_TABLE_NAME, 0, 0);
	assert_int_equal(try_open(&m, &o), 0);
	f = verify(&o, 4);
	assert_int_equal(f.blocks, 3);
	assert_int_equal(f.rows, 0);
	close_index(&o);
	/* one above: what is below it is not counted */
	damage_block(&m, ARC_TABLE_INODE, 1, 0);
	assert_int_equal(try_open(&m, &o), 0);
	f = verify(&o, 4);
	assert_int_equal(f.blocks, 3);
	assert_int_equal(f.rows, 0);
	drop(&m, &o);
}

static void verification_finds_rows_that_break_a_rule(void **state)
{
	struct arc_disk_inode row;
	struct arc_disk_frame frame;
	struct found f;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_stream_length(&m, 100);
	set_dir(&m, 0, 0, 3);
	set_file(&m, 0, 100);
	row = row_of_file(&m, 0, 100);
	row.leader = arc_put64(0); /* 2: the root as leader */
	set_inode(&m, row);
	set_inode(&m, row_with_extents(&m, 100, 0, 1)); /* 3 */
	row = row_of_type(&m, S_IFLNK | 0777); /* 4 */
	row.size = arc_put64(5);
	row.data = arc_put64(set_text(&m, "abc", 3));
	set_inode(&m, row);
	set_dir(&m, 0, 0, 3); /* 5: the same entries once more */
	row = row_of_file(&m, 101, 0); /* 6 */
	set_inode(&m, row);
	set_extent(&m, 99, 2, 0);
	set_entry(&m, "a", 1, S_IFREG);
	set_entry(&m, "b/", 1, S_IFREG); /* entry 1 */
	set_entry(&m, "c", 1, S_IFREG);
	set_xset(&m, 0, 1); /* set 0: no such attribute */
	frame = frame_row(1, 99); /* frame 0 */
	set_row(&m, ARC_TABLE_FRAME, &frame);
	finish(&m, &o);
	f = verify(&o, 1);
	assert_int_equal(f.blocks, 0);
	/* inodes 2 to 6, entry 1 (and 2, whose neighbour it is not: that one
	 * cannot be read), the set, the frame */
	assert_int_equal(f.rows, 5 + 1 + 1 + 1);
	assert_string_equal(f.last, "frame 0");
	drop(&m, &o);
}

/* ---- failing reads ------------------------------------------------------ */

/* Walks everything; 0 or the first error. */
static int walk(struct opened *o)
{
	struct arc_inode root;
	struct arc_dirent e;
	int err = arc_index_inode(o->idx, 1, &root);

	for (uint64_t i = 0; err == 0 && i < root.size; i += 500) {
		struct arc_inode in;

		err = arc_index_entry(o->idx, &root, i, &e);
		if (err == 0)
			err = arc_index_inode(o->idx, e.ino, &in);
	}
	return err;
}

static void every_failing_read_is_answered_and_forgotten(void **state)
{
	uint64_t calls = UINT64_MAX;

	(void)state;
	for (uint64_t n = 1; n <= calls; n++) {
		struct arc_fault_plan plan = { .fail_at = n };
		struct setmaker m;
		struct opened o;
		int err;

		make_many(&m);
		for (uint32_t i = 0; i < m.set.n; i++)
			assert_int_equal(arc_store_faulty(m.set.stores[i],
							  &plan,
							  &m.set.stores[i]),
					 0);
		err = try_open(&m, &o);
		if (err == 0)
			err = walk(&o);
		if (plan.calls < n) {
			calls = plan.calls;
			assert_int_equal(err, 0);
		} else if (err < 0) {
			assert_int_equal(err, -EIO);
		}
		if (o.idx)
			assert_int_equal(walk(&o), 0);
		drop(&m, &o);
	}
	assert_in_range(calls, 10, 200);
}

/* 20,000 extents of one byte, each two bytes after the other; a damaged block
 * in the middle (rows 8192..16383) is met only by those who need it. */
static void a_damaged_block_of_extents_hides_its_range(void **state)
{
	uint32_t n = 20000;
	struct arc_extent e[4];
	struct arc_inode file;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_stream_length(&m, n);
	set_dir(&m, 0, 0, 0);
	set_inode(&m, row_with_extents(&m, 2 * (uint64_t)n, 0, n));
	for (uint32_t i = 0; i < n; i++)
		set_extent(&m, 2 * (uint64_t)i, 1, i);
	set_end(&m);
	damage_block(&m, ARC_TABLE_EXTENT, 0, 1);
	assert_int_equal(try_open(&m, &o), 0);
	file = inode_of(&o, 1);
	for (uint32_t i = 0; i<n; i += i> 8100 && i < 8300 ? 1 : 97) {
		ssize_t got = arc_index_extents(o.idx, &file, 2 * (uint64_t)i,
						1, e, 4);

		if (i >= 8192 && i < 16384) {
			assert_int_equal(got, -EBADMSG);
		} else {
			assert_int_equal(got, 1);
			assert_int_equal(e[0].stream, i);
		}
	}
	/* the hole behind row 8191: nobody knows how far it goes */
	assert_int_equal(arc_index_extents(o.idx, &file, 2 * 8191 + 1, 1, e, 4),
			 -EBADMSG);
	/* the byte before it needs no more than itself */
	assert_int_equal(arc_index_extents(o.idx, &file, 2 * 8191, 1, e, 4), 1);
	drop(&m, &o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_read_is_passed_at_once),
		cmocka_unit_test(a_damaged_block_of_extents_hides_its_range),
		cmocka_unit_test(a_damaged_block_of_entries_hides_its_entries),
		cmocka_unit_test(a_damaged_block_of_names_hides_its_names),
		cmocka_unit_test(a_damaged_block_of_inodes_leaves_the_names),
		cmocka_unit_test(
			a_damaged_block_of_descriptors_hides_the_table),
		cmocka_unit_test(a_block_in_another_place_is_refused),
		cmocka_unit_test(verification_finds_each_damaged_block),
		cmocka_unit_test(verification_finds_rows_that_break_a_rule),
		cmocka_unit_test(every_failing_read_is_answered_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
