/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "packworld.h"

/* ---- content ------------------------------------------------------------ */

static const uint64_t sizes[] = { 0,	 1,	 2,	 100,	 65535,
				  65536, 65537,	 131072, 1000,	 300000,
				  0,	 262143, 7,	 262145, 1700000 };

static void write_sizes(struct world *w)
{
	for (size_t i = 0; i < ARC_COUNT(sizes); i++)
		write_file(w, file_name(i), i, sizes[i]);
}

static void files_come_back_with_every_codec(void **state)
{
	static const enum mk_codec codecs[] = { MK_CODEC_RAW, MK_CODEC_LZ4,
						MK_CODEC_LZ4HC, MK_CODEC_LZEXT3,
						MK_CODEC_ZSTD };
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
	w->opt.coding.level = 2;
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

/* To hash eight terabytes of zeros would take minutes. */
static void without_digests_a_hole_costs_nothing(void **state)
{
	struct world *w = *state;
	const uint64_t n = UINT64_C(1) << 43;
	int fd = openat(w->dir, "h", O_WRONLY | O_CREAT, 0644);
	int r = ftruncate(fd, (off_t)n);

	close(fd);
	if (r < 0)
		skip(); /* too large for this file system */
	w->opt.digest = MK_DIGEST_NONE;
	list_folder(w);
	pack_all(w);
	assert_int_equal(entry(w, "h")->size, n);
	assert_int_equal(entry(w, "h")->extents, 0);
	assert_true(entry(w, "h")->flags & MK_ENTRY_EXTENTS);
	assert_int_equal(arc_get64(w->root.holes), n);
}

static void without_digests_duplicates_are_still_told_apart(void **state)
{
	struct world *w = *state;

	write_file(w, "a", 1, 70000);
	write_file(w, "b", 1, 70000);
	write_file(w, "c", 1, 70000);
	w->opt.digest = MK_DIGEST_NONE;
	list_folder(w);
	mark_duplicate(w, "b", "a");
	mark_duplicate(w, "c", "a");
	pack_all(w);
	assert_int_equal(w->stream.n, 70000);
	assert_content(w, "c", 1, 70000);

	/* the leader is lost: the next one takes its place */
	close_output(w);
	memset(&w->run, 0, sizeof(w->run));
	list_folder(w);
	mark_duplicate(w, "b", "a");
	mark_duplicate(w, "c", "a");
	unlinkat(w->dir, "a", 0);
	pack_all(w);
	assert_int_equal(w->stream.n, 70000);
	assert_content(w, "b", 1, 70000);
	assert_content(w, "c", 1, 70000);
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
	const struct CMUnitTest tests[] = {
		IN_WORLD(files_come_back_with_every_codec),
		IN_WORLD(nothing_to_store_is_an_archive_too),
		IN_WORLD(the_number_of_threads_changes_no_byte),
		IN_WORLD(sums_of_frames_are_right),
		IN_WORLD(digests_are_kept_as_asked),
		IN_WORLD(holes_are_not_stored),
		IN_WORLD(without_digests_a_hole_costs_nothing),
		IN_WORLD(without_digests_duplicates_are_still_told_apart),
		IN_WORLD(a_file_that_only_seemed_sparse_has_no_extents),
		IN_WORLD(a_duplicate_is_not_stored_again),
		IN_WORLD(a_duplicate_keeps_holes_of_its_own),
		IN_WORLD(a_duplicate_of_what_changed_is_stored_itself),
		IN_WORLD(the_first_duplicate_takes_a_lost_leaders_place),
		IN_WORLD(every_failing_write_ends_the_run),
		IN_WORLD(a_record_that_fits_no_volume_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
