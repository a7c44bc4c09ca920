/* SPDX-License-Identifier: MIT */
/* Packing a source that changes under the packer's hands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "packworld.h"

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

static void cut_hole(struct world *w)
{
	set_size(w, "big", 20 * FRAME);
}

static void zeros_are_not_made_up_for_a_hole_that_was_cut_off(void **state)
{
	struct world *w = *state;

	write_file(w, "big", 1, 10 * FRAME);
	set_size(w, "big", 40 * FRAME);
	w->opt.threads = 1;
	w->on_volume = cut_hole;
	list_folder(w);
	if (!(entry(w, "big")->flags & MK_ENTRY_SPARSE))
		skip(); /* no holes here */
	pack_all(w);
	assert_int_equal(entry(w, "big")->size, 20 * FRAME);
	assert_as_file(w, "big");
	assert_string_equal(w->said, "src/big: changed while it was read");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_vanished_is_left_out_and_named),
		IN_WORLD(
			what_took_a_files_place_is_never_stored_under_its_name),
		IN_WORLD(what_changed_before_it_was_opened_is_stored_as_it_is),
		IN_WORLD(a_file_cut_while_it_is_read_is_stored_as_far),
		IN_WORLD(zeros_are_not_made_up_for_a_hole_that_was_cut_off),
		IN_WORLD(a_file_grown_while_it_is_read_keeps_its_size),
		IN_WORLD(a_file_written_while_it_is_read_is_stored_as_read),
		IN_WORLD(a_lost_first_name_is_replaced_by_the_next),
		IN_WORLD(a_duplicates_next_name_follows_its_leader),
		IN_WORLD(an_inode_without_a_name_left_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
