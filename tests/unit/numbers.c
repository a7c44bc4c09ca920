/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "numbers.h"

static int open_tree(void **state)
{
	struct mk_tree *t = calloc(1, sizeof(*t));
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
	uint64_t root;

	*state = t;
	if (mk_tree_open(t, tmp, false) < 0 || mk_tree_add(t, 1, &root) < 0)
		return -1;
	mk_tree_at(t, 0)->mode = S_IFDIR | 0755;
	close(tmp);
	return 0;
}

static int close_tree(void **state)
{
	mk_tree_close(*state);
	free(*state);
	return 0;
}

static struct mk_entry *at(struct mk_tree *t, uint64_t i)
{
	return mk_tree_at(t, i);
}

/* A regular file in the root. */
static uint64_t add_file(struct mk_tree *t, uint64_t size)
{
	uint64_t i;

	assert_int_equal(mk_tree_add(t, 1, &i), 0);
	at(t, i)->mode = S_IFREG | 0644;
	at(t, i)->size = size;
	return i;
}

static uint64_t add_copy(struct mk_tree *t, uint64_t leader)
{
	uint64_t i = add_file(t, at(t, leader)->size);

	at(t, i)->leader = leader;
	return i;
}

static void add_extent(struct mk_tree *t, uint64_t i, uint64_t off,
		       uint64_t len, uint64_t stream)
{
	struct mk_entry *e = at(t, i);
	uint64_t row;

	assert_int_equal(mk_spool_add(&t->extents, 1, &row), 0);
	*(struct mk_extent *)mk_spool_at(&t->extents, row) =
		(struct mk_extent){ off, len, stream };
	if (!e->extents++)
		e->data = row;
	e->flags |= MK_ENTRY_EXTENTS;
}

static struct arc_disk_root number(struct mk_tree *t)
{
	struct arc_disk_root counts = { 0 };

	assert_int_equal(mk_numbers(t, &counts), 0);
	return counts;
}

static void assert_share(struct mk_tree *t, uint64_t i, uint64_t with,
			 uint32_t nlink)
{
	assert_int_equal(at(t, i)->share, at(t, with)->row);
	assert_int_equal(at(t, i)->share_nlink, nlink);
}

/* ---- rows and links ----------------------------------------------------- */

static void rows_follow_the_first_names(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 1), b = add_file(t, 1), c = add_file(t, 1);
	uint64_t d = add_file(t, 1);

	at(t, b)->link = a;
	at(t, c)->flags = MK_ENTRY_GONE;
	number(t);
	assert_int_equal(at(t, 0)->row, 0);
	assert_int_equal(at(t, a)->row, 1);
	assert_int_equal(at(t, b)->row, 1);
	assert_int_equal(at(t, d)->row, 2);
	assert_int_equal(at(t, a)->nlink, 2);
	assert_int_equal(at(t, b)->nlink, 2);
	assert_share(t, a, a, 2);
	assert_share(t, b, a, 2);
	assert_share(t, d, d, 1);
	assert_int_equal(at(t, 0)->size, 3);
}

static void names_of_a_gone_inode_are_gone(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 1), b = add_file(t, 1);
	struct arc_disk_root counts;

	at(t, b)->link = a;
	at(t, a)->flags = MK_ENTRY_GONE;
	counts = number(t);
	assert_true(at(t, b)->flags & MK_ENTRY_GONE);
	assert_int_equal(arc_get64(counts.entries), 0);
	assert_int_equal(arc_get64(counts.hardlinks), 0);
	assert_int_equal(at(t, 0)->size, 0);
}

static void an_inode_that_got_another_first_name_is_numbered_there(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 1), b = add_file(t, 1), c = add_file(t, 1);

	/* as packing leaves it when the name a vanished */
	at(t, a)->flags = MK_ENTRY_GONE;
	at(t, a)->link = b;
	at(t, c)->link = b;
	number(t);
	assert_int_equal(at(t, b)->row, 1);
	assert_int_equal(at(t, c)->row, 1);
	assert_int_equal(at(t, b)->nlink, 2);
}

static void numbering_twice_gives_the_same(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 3), b = add_copy(t, a), c = add_file(t, 3);
	struct arc_disk_root one, two;

	at(t, c)->link = b;
	one = number(t);
	two = number(t);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_share(t, c, a, 3);
	assert_int_equal(at(t, 0)->nlink, 2);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *state >> 33;
}

/* Against the plain definition. */
static void names_anywhere_get_what_their_inode_has(void **state)
{
	struct mk_tree *t = *state;
	uint64_t rng = 1, n = 2000, gone = 0;
	struct arc_disk_root c;

	for (uint64_t i = 1; i <= n; i++) {
		add_file(t, 100);
		if (next_random(&rng) % 3)
			at(t, i)->link = at(t, 1 + next_random(&rng) % i)->link;
		if (next_random(&rng) % 7 == 0)
			at(t, i)->flags = MK_ENTRY_GONE;
	}
	c = number(t);
	for (uint64_t i = 1; i <= n; i++) {
		const struct mk_entry *e = at(t, i), *first = at(t, e->link);
		uint32_t names = 0;

		gone += (e->flags & MK_ENTRY_GONE) != 0;
		if (e->flags & MK_ENTRY_GONE)
			continue;
		assert_false(first->flags & MK_ENTRY_GONE);
		for (uint64_t k = 1; k <= n; k++)
			names += at(t, k)->link == e->link &&
				 !(at(t, k)->flags & MK_ENTRY_GONE);
		assert_int_equal(e->nlink, names);
		assert_share(t, i, e->link, names);
		assert_int_equal(e->row, first->row);
	}
	assert_true(gone > n / 7);
	assert_int_equal(arc_get64(c.entries), n - gone);
	assert_int_equal(arc_get64(c.files) + arc_get64(c.hardlinks), n - gone);
}

/* ---- sharing ------------------------------------------------------------ */

static void duplicates_of_one_kind_share(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 10), b = add_copy(t, a);
	uint64_t link = add_file(t, 10), c = add_copy(t, a);
	uint64_t alone = add_file(t, 10);
	struct arc_disk_root counts;

	at(t, link)->link = b;
	at(t, b)->mtime = 99; /* times may differ */
	counts = number(t);
	assert_share(t, a, a, 4);
	assert_share(t, b, a, 4);
	assert_share(t, link, a, 4);
	assert_share(t, c, a, 4);
	assert_share(t, alone, alone, 1);
	assert_int_equal(at(t, b)->nlink, 2);
	assert_int_equal(arc_get64(counts.duplicates), 2);
	assert_int_equal(arc_get64(counts.duplicate_bytes), 20);
	assert_int_equal(arc_get64(counts.bytes), 40);
}

static void what_differs_in_anything_else_does_not_share(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 10), x[5], y[5];

	for (unsigned i = 0; i < 5; i++)
		x[i] = add_copy(t, a);
	for (unsigned i = 0; i < 5; i++)
		y[i] = add_copy(t, a);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t *z = i ? y : x;

		at(t, z[0])->mode = S_IFREG | 04644;
		at(t, z[1])->uid = 7;
		at(t, z[2])->gid = 7;
		at(t, z[3])->xset = 7;
		add_extent(t, z[4], 0, 5, 0);
	}
	number(t);
	assert_share(t, a, a, 1);
	for (unsigned i = 0; i < 5; i++) {
		/* but they do among themselves */
		assert_share(t, x[i], x[i], 2);
		assert_share(t, y[i], x[i], 2);
	}
}

static void other_contents_do_not_share(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 10), b = add_file(t, 10);
	uint64_t c = add_copy(t, a), d = add_copy(t, b);

	number(t);
	assert_share(t, c, a, 2);
	assert_share(t, d, b, 2);
}

static void empty_files_never_share(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 0), b = add_copy(t, a);
	struct arc_disk_root counts = number(t);

	assert_share(t, a, a, 1);
	assert_share(t, b, b, 1);
	assert_int_equal(at(t, b)->leader, b);
	assert_int_equal(arc_get64(counts.duplicates), 0);
}

static void holes_are_compared_however_they_are_written_down(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 100);
	uint64_t b = add_copy(t, a), c = add_copy(t, a), d = add_copy(t, a);
	uint64_t e = add_copy(t, a), f = add_copy(t, a);
	struct arc_disk_root counts;

	add_extent(t, b, 0, 10, 0);
	add_extent(t, b, 20, 30, 20);
	/* the same runs of data in more pieces */
	add_extent(t, c, 0, 4, 0);
	add_extent(t, c, 4, 6, ARC_STREAM_ZERO);
	add_extent(t, c, 20, 30, 20);
	add_extent(t, d, 0, 10, 0);
	add_extent(t, d, 20, 31, 20);
	/* all of it in pieces: as good as no list */
	add_extent(t, e, 0, 60, 0);
	add_extent(t, e, 60, 40, ARC_STREAM_ZERO);
	/* nothing but hole */
	at(t, f)->flags |= MK_ENTRY_EXTENTS;
	counts = number(t);
	assert_share(t, b, b, 2);
	assert_share(t, c, b, 2);
	assert_share(t, d, d, 1);
	assert_share(t, a, a, 2);
	assert_share(t, e, a, 2);
	assert_share(t, f, f, 1);
	assert_int_equal(arc_get64(counts.holes), 60 + 60 + 59 + 0 + 100);
	assert_int_equal(arc_get64(counts.duplicate_bytes), 40 + 40 + 41 + 100);
}

static void a_leader_that_is_gone_leads_nobody(void **state)
{
	struct mk_tree *t = *state;
	uint64_t a = add_file(t, 10), b = add_copy(t, a);

	at(t, a)->flags = MK_ENTRY_GONE;
	number(t);
	assert_int_equal(at(t, b)->leader, b);
	assert_share(t, b, b, 1);
}

/* Against the plain definition, by comparing everyone with everyone. */
static void classes_are_those_of_the_definition(void **state)
{
	struct mk_tree *t = *state;
	uint64_t rng = 1, n = 600;

	for (uint64_t i = 1; i <= n; i++) {
		uint64_t leader = 1 + next_random(&rng) % i;
		struct mk_entry *e;

		add_file(t, 100);
		e = at(t, i);
		e->leader = at(t, leader)->leader;
		e->uid = (uint32_t)next_random(&rng) % 2;
		e->xset = (uint32_t)next_random(&rng) % 2;
	}
	number(t);
	for (uint64_t i = 1; i <= n; i++) {
		const struct mk_entry *e = at(t, i);
		uint64_t first = 0;
		uint32_t links = 0;

		for (uint64_t k = 1; k <= n; k++) {
			const struct mk_entry *o = at(t, k);

			if (o->leader != e->leader || o->uid != e->uid ||
			    o->xset != e->xset)
				continue;
			links++;
			first = first ? first : k;
		}
		assert_share(t, i, first, links);
	}
}

/* ---- counts ------------------------------------------------------------- */

static void everything_is_counted_by_its_type(void **state)
{
	static const uint32_t modes[] = { S_IFDIR, S_IFLNK,  S_IFCHR, S_IFBLK,
					  S_IFIFO, S_IFSOCK, S_IFLNK };
	struct mk_tree *t = *state;
	struct arc_disk_root c;
	uint64_t i;

	for (size_t k = 0; k < ARC_COUNT(modes); k++) {
		assert_int_equal(mk_tree_add(t, 1, &i), 0);
		at(t, i)->mode = modes[k] | 0600;
	}
	at(t, i)->link = i - 5; /* a symlink may have two names as well */
	add_file(t, 5);
	c = number(t);
	assert_int_equal(arc_get64(c.entries), 8);
	assert_int_equal(arc_get64(c.files), 1);
	assert_int_equal(arc_get64(c.dirs), 2);
	assert_int_equal(arc_get64(c.symlinks), 1);
	assert_int_equal(arc_get64(c.others), 4);
	assert_int_equal(arc_get64(c.hardlinks), 1);
	assert_int_equal(arc_get64(c.bytes), 5);
	assert_int_equal(at(t, 0)->nlink, 3);
	assert_int_equal(at(t, i)->nlink, 2);
}

int main(void)
{
#define ON_TREE(test)                                                          \
	cmocka_unit_test_setup_teardown(test, open_tree, close_tree)
	const struct CMUnitTest tests[] = {
		ON_TREE(rows_follow_the_first_names),
		ON_TREE(names_anywhere_get_what_their_inode_has),
		ON_TREE(names_of_a_gone_inode_are_gone),
		ON_TREE(an_inode_that_got_another_first_name_is_numbered_there),
		ON_TREE(numbering_twice_gives_the_same),
		ON_TREE(duplicates_of_one_kind_share),
		ON_TREE(what_differs_in_anything_else_does_not_share),
		ON_TREE(other_contents_do_not_share),
		ON_TREE(empty_files_never_share),
		ON_TREE(holes_are_compared_however_they_are_written_down),
		ON_TREE(a_leader_that_is_gone_leads_nobody),
		ON_TREE(classes_are_those_of_the_definition),
		ON_TREE(everything_is_counted_by_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
