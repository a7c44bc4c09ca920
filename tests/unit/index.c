/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "openindex.h"

/* ---- a sound tree ------------------------------------------------------- */

static void the_root_alone_is_an_archive(void **state)
{
	struct arc_inode root;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 0);
	finish(&m, &o);
	root = inode_of(&o, 0);
	assert_int_equal(root.ino, ARC_ROOT_INO);
	assert_int_equal(root.parent, ARC_ROOT_INO);
	assert_int_equal(root.size, 0);
	assert_int_equal(entry_of(&o, 0, 0), -ENOENT);
	assert_int_equal(arc_index_inodes(o.idx), 1);
	assert_int_equal(arc_index_frames(o.idx), 0);
	assert_false(arc_index_has_digest(o.idx));
	assert_false(arc_index_has_sha256(o.idx));
	assert_string_equal(arc_index_text(o.idx), "made=by test\n");
	assert_int_equal(arc_index_inode(o.idx, 0, &root), -ENOENT);
	assert_int_equal(arc_index_inode(o.idx, 2, &root), -ENOENT);
	assert_int_equal(arc_index_inode(o.idx, UINT64_MAX, &root), -ENOENT);
	drop(&m, &o);
}

static void every_field_of_an_inode_comes_back(void **state)
{
	struct arc_disk_inode row;
	struct arc_inode in;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_stream_length(&m, 1000);
	set_dir(&m, 0, 0, 0);
	row = row_of_file(&m, 100, 900);
	row.mode = arc_put32(S_IFREG | 06755);
	row.uid = arc_put32(UINT32_MAX);
	row.gid = arc_put32(12);
	row.nlink = arc_put32(3);
	row.share_nlink = arc_put32(5);
	row.mtime = arc_put64((uint64_t)INT64_C(-77));
	row.mtime_ns = arc_put32(999999999);
	set_inode(&m, row);
	row = row_of_type(&m, S_IFCHR | 0600);
	row.data = arc_put64(UINT64_C(5) << 32 | 1);
	set_inode(&m, row);
	finish(&m, &o);
	in = inode_of(&o, 1);
	assert_int_equal(in.mode, S_IFREG | 06755);
	assert_int_equal(in.uid, UINT32_MAX);
	assert_int_equal(in.gid, 12);
	assert_int_equal(in.nlink, 3);
	assert_int_equal(in.share_nlink, 5);
	assert_true(in.mtime == -77);
	assert_int_equal(in.mtime_ns, 999999999);
	assert_int_equal(in.size, 900);
	assert_int_equal(in.data, 100);
	assert_int_equal(in.leader, 2);
	assert_int_equal(in.share, 2);
	assert_false(in.has_extents);
	in = inode_of(&o, 2);
	assert_int_equal(in.data, UINT64_C(5) << 32 | 1);
	drop(&m, &o);
}

static const char *const names[] = { "\x01", "B",    "a",	"a b",
				     "a.b",  "aa",   "ab",	"b\n",
				     "\x80", "\xff", "\xff\xff" };

static void names_are_found_and_listed_in_order(void **state)
{
	static const char *const absent[] = {
		"",	    "\x02",	    "A", "a ", "c", "aaa",
		"\xff\x01", "\xff\xff\xff", ".", ".."
	};
	char longest[ARC_NAME_MAX + 2];
	struct arc_inode root;
	struct arc_dirent e;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, ARC_COUNT(names));
	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		uint64_t row = set_inode(&m, row_of_type(&m, S_IFIFO | 0600));

		set_entry(&m, names[i], row, S_IFIFO);
	}
	finish(&m, &o);
	root = inode_of(&o, 0);
	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		assert_int_equal(arc_index_entry(o.idx, &root, i, &e), 0);
		assert_string_equal(e.name, names[i]);
		assert_int_equal(e.name_len, strlen(names[i]));
		assert_int_equal(e.ino, i + 2);
		assert_int_equal(e.type, S_IFIFO);
		memset(&e, 0, sizeof(e));
		assert_int_equal(lookup_in(&o, 0, names[i], &e), 0);
		assert_int_equal(e.ino, i + 2);
		assert_string_equal(e.name, names[i]);
	}
	for (size_t i = 0; i < ARC_COUNT(absent); i++)
		assert_int_equal(lookup_in(&o, 0, absent[i], &e), -ENOENT);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(lookup_in(&o, 0, longest, &e), -ENOENT);
	assert_int_equal(lookup_in(&o, 1, "a", &e), -ENOTDIR);
	assert_int_equal(entry_of(&o, 1, 0), -ENOTDIR);
	drop(&m, &o);
}

static void counts_of_the_root_are_given(void **state)
{
	const struct arc_summary *s;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	m.root.entries = arc_put64(1);
	m.root.files = arc_put64(2);
	m.root.dirs = arc_put64(3);
	m.root.symlinks = arc_put64(4);
	m.root.others = arc_put64(5);
	m.root.hardlinks = arc_put64(6);
	m.root.bytes = arc_put64(7);
	m.root.holes = arc_put64(8);
	m.root.duplicates = arc_put64(9);
	m.root.duplicate_bytes = arc_put64(10);
	m.root.stored = arc_put64(11);
	m.root.codec[7].frames = arc_put64(12);
	m.root.codec[7].raw = arc_put64(13);
	m.root.codec[7].stored = arc_put64(14);
	set_dir(&m, 0, 0, 0);
	finish(&m, &o);
	s = arc_index_summary(o.idx);
	assert_int_equal(s->entries, 1);
	assert_int_equal(s->files, 2);
	assert_int_equal(s->dirs, 3);
	assert_int_equal(s->symlinks, 4);
	assert_int_equal(s->others, 5);
	assert_int_equal(s->hardlinks, 6);
	assert_int_equal(s->bytes, 7);
	assert_int_equal(s->holes, 8);
	assert_int_equal(s->duplicates, 9);
	assert_int_equal(s->duplicate_bytes, 10);
	assert_int_equal(s->stored, 11);
	assert_int_equal(s->codec[7].frames, 12);
	assert_int_equal(s->codec[7].raw, 13);
	assert_int_equal(s->codec[7].stored, 14);
	drop(&m, &o);
}

static void digests_are_found_by_inode(void **state)
{
	uint8_t digest[32] = { 0 }, got[32];
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 0);
	set_file(&m, 0, 0);
	set_row(&m, ARC_TABLE_DIGEST, digest);
	set_row(&m, ARC_TABLE_SHA256, digest);
	memset(digest, 7, sizeof(digest));
	set_row(&m, ARC_TABLE_DIGEST, digest);
	set_row(&m, ARC_TABLE_SHA256, digest);
	finish(&m, &o);
	assert_true(arc_index_has_digest(o.idx));
	assert_true(arc_index_has_sha256(o.idx));
	assert_int_equal(arc_index_digest(o.idx, 1, got), -ENODATA);
	assert_int_equal(arc_index_sha256(o.idx, 1, got), -ENODATA);
	assert_int_equal(arc_index_digest(o.idx, 2, got), 0);
	assert_memory_equal(got, digest, 16);
	assert_int_equal(arc_index_sha256(o.idx, 2, got), 0);
	assert_memory_equal(got, digest, 32);
	assert_int_equal(arc_index_sha256(o.idx, 3, got), -ENOENT);
	drop(&m, &o);
}

/* ---- extents ------------------------------------------------------------ */

static void extents_are_cut_to_the_range(void **state)
{
	struct arc_extent e[8];
	struct arc_inode file;
	struct setmaker m;
	struct opened o;
	uint64_t bytes;

	(void)state;
	begin(&m);
	set_stream_length(&m, 1000);
	set_dir(&m, 0, 0, 0);
	set_inode(&m, row_with_extents(&m, 500, 0, 3));
	set_file(&m, 200, 300);
	set_extent(&m, 10, 20, 100);
	set_extent(&m, 30, 10, ARC_STREAM_ZERO);
	set_extent(&m, 300, 100, 900);
	finish(&m, &o);
	file = inode_of(&o, 1);
	assert_int_equal(arc_index_extents(o.idx, &file, 0, 500, e, 8), 3);
	assert_int_equal(e[0].file, 10);
	assert_int_equal(e[0].len, 20);
	assert_int_equal(e[0].stream, 100);
	assert_true(e[1].stream == ARC_STREAM_ZERO);
	assert_int_equal(e[2].file, 300);
	assert_int_equal(arc_index_extents(o.idx, &file, 0, 500, e, 2), 2);
	assert_int_equal(arc_index_extents(o.idx, &file, 15, 17, e, 8), 2);
	assert_int_equal(e[0].file, 15);
	assert_int_equal(e[0].len, 15);
	assert_int_equal(e[0].stream, 105);
	assert_int_equal(e[1].file, 30);
	assert_int_equal(e[1].len, 2);
	assert_int_equal(arc_index_extents(o.idx, &file, 40, 260, e, 8), 0);
	assert_int_equal(arc_index_extents(o.idx, &file, 400, 100, e, 8), 0);
	assert_int_equal(arc_index_extents(o.idx, &file, 399, UINT64_MAX, e, 8),
			 1);
	assert_int_equal(e[0].stream, 999);
	assert_int_equal(arc_index_extents(o.idx, &file, 500, 1, e, 8), 0);
	assert_int_equal(arc_index_data_bytes(o.idx, &file, &bytes), 0);
	assert_int_equal(bytes, 130);
	file = inode_of(&o, 2);
	assert_int_equal(arc_index_extents(o.idx, &file, 50, 1000, e, 8), 1);
	assert_int_equal(e[0].file, 50);
	assert_int_equal(e[0].len, 250);
	assert_int_equal(e[0].stream, 250);
	assert_int_equal(arc_index_data_bytes(o.idx, &file, &bytes), 0);
	assert_int_equal(bytes, 300);
	file = inode_of(&o, 0);
	assert_int_equal(arc_index_extents(o.idx, &file, 0, 1, e, 8), -EINVAL);
	drop(&m, &o);
}

/* ---- frames ------------------------------------------------------------- */

static void frames_are_found_by_number_and_place(void **state)
{
	struct arc_disk_frame row;
	struct arc_frame f;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_stream_length(&m, 2 * SET_FRAME + 5);
	set_dir(&m, 0, 0, 0);
	for (unsigned i = 0; i < 3; i++) {
		row = frame_row((uint64_t)i * SET_FRAME, i < 2 ? SET_FRAME : 5);
		set_row(&m, ARC_TABLE_FRAME, &row);
	}
	finish(&m, &o);
	assert_int_equal(arc_index_frames(o.idx), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(arc_index_frame(o.idx, i, &f), 0);
		assert_int_equal(f.number, i);
		assert_int_equal(f.start, (uint64_t)i * SET_FRAME);
		assert_int_equal(arc_index_frame_at(o.idx, f.start, &f), 0);
		assert_int_equal(f.number, i);
		assert_int_equal(
			arc_index_frame_at(o.idx, f.start + f.raw - 1, &f), 0);
		assert_int_equal(f.number, i);
	}
	assert_int_equal(arc_index_frame(o.idx, 3, &f), -ENOENT);
	assert_int_equal(arc_index_frame_at(o.idx, 2 * SET_FRAME + 5, &f),
			 -ENOENT);
	drop(&m, &o);
}

/* Frames of other sizes than the footer says are searched for. */
static void frames_of_uneven_sizes_are_searched(void **state)
{
	uint64_t start = 0;
	struct arc_frame f;
	struct setmaker m;
	struct opened o;

	(void)state;
	begin(&m);
	set_dir(&m, 0, 0, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct arc_disk_frame row = frame_row(start, i % 7 + 1);

		set_row(&m, ARC_TABLE_FRAME, &row);
		start += i % 7 + 1;
	}
	set_stream_length(&m, start);
	finish(&m, &o);
	for (uint64_t at = 0, i = 0; i < 1000; at += i % 7 + 1, i++) {
		assert_int_equal(arc_index_frame_at(o.idx, at, &f), 0);
		assert_int_equal(f.number, i);
		assert_int_equal(arc_index_frame_at(o.idx, at + i % 7, &f), 0);
		assert_int_equal(f.number, i);
	}
	drop(&m, &o);
}

/* ---- symlinks and attributes -------------------------------------------- */

static void targets_come_back_or_are_refused(void **state)
{
	static const struct {
		const char *text;
		uint32_t n; /* of the item */
		uint32_t size; /* of the inode */
		int err;
	} cases[] = {
		{ "../x", 4, 4, 0 },
		{ "../x", 4, 3, -EBADMSG },
		{ "../x", 4, 5, -EBADMSG },
		{ "a\0b", 3, 3, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		struct arc_disk_inode row;
		struct arc_inode link;
		char *target = NULL;
		struct setmaker m;
		struct opened o;

		begin(&m);
		set_dir(&m, 0, 0, 0);
		set_text(&m, "front", 5);
		row = row_of_type(&m, S_IFLNK | 0777);
		row.size = arc_put64(cases[i].size);
		row.data = arc_put64(set_text(&m, cases[i].text, cases[i].n));
		set_inode(&m, row);
		finish(&m, &o);
		link = inode_of(&o, 1);
		assert_int_equal(arc_index_target(o.idx, &link, &target),
				 cases[i].err);
		if (cases[i].err == 0)
			assert_string_equal(target, cases[i].text);
		free(target);
		link = inode_of(&o, 0);
		assert_int_equal(arc_index_target(o.idx, &link, &target),
				 -EINVAL);
		drop(&m, &o);
	}
}

static void attributes_come_in_order(void **state)
{
	struct arc_disk_inode row;
	struct arc_inode in;
	struct setmaker m;
	struct opened o;
	char name[256];
	uint8_t *value;
	size_t n;

	(void)state;
	begin(&m);
	row = row_of_dir(&m, 0, 0, 0);
	row.xset = arc_put32(2);
	set_inode(&m, row);
	set_file(&m, 0, 0);
	set_xattr(&m, "user.other", "");
	set_xattr(&m, "user.a", "1");
	set_xattr(&m, "user.b", "");
	set_xset(&m, 0, 1);
	set_xset(&m, 1, 2);
	finish(&m, &o);
	in = inode_of(&o, 0);
	assert_int_equal(arc_index_xattr(o.idx, &in, 0, name, &value, &n), 0);
	assert_string_equal(name, "user.a");
	assert_int_equal(n, 1);
	assert_memory_equal(value, "1", 1);
	free(value);
	assert_int_equal(arc_index_xattr(o.idx, &in, 1, name, &value, &n), 0);
	assert_string_equal(name, "user.b");
	assert_int_equal(n, 0);
	free(value);
	assert_int_equal(arc_index_xattr(o.idx, &in, 1, name, NULL, NULL), 0);
	assert_int_equal(arc_index_xattr(o.idx, &in, 2, name, &value, &n),
			 -ENODATA);
	in = inode_of(&o, 1);
	assert_int_equal(arc_index_xattr(o.idx, &in, 0, name, &value, &n),
			 -ENODATA);
	drop(&m, &o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_alone_is_an_archive),
		cmocka_unit_test(every_field_of_an_inode_comes_back),
		cmocka_unit_test(names_are_found_and_listed_in_order),
		cmocka_unit_test(counts_of_the_root_are_given),
		cmocka_unit_test(digests_are_found_by_inode),
		cmocka_unit_test(extents_are_cut_to_the_range),
		cmocka_unit_test(frames_are_found_by_number_and_place),
		cmocka_unit_test(frames_of_uneven_sizes_are_searched),
		cmocka_unit_test(targets_come_back_or_are_refused),
		cmocka_unit_test(attributes_come_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
