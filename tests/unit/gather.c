/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gather.h"

struct world {
	struct mk_tree tree;
	struct mk_gather *gather;
	int tmp;
};

static const struct mk_entry like = { .uid = 5, .gid = 6, .mtime = 7 };

static int open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
	*state = w;
	if (mk_tree_open(&w->tree, w->tmp, false) < 0 ||
	    mk_gather_new(&w->tree, w->tmp, &w->gather) < 0)
		return -1;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	mk_gather_free(w->gather);
	mk_tree_close(&w->tree);
	close(w->tmp);
	free(w);
	return 0;
}

static uint64_t add_inode(struct world *w, uint32_t mode)
{
	uint64_t inode;

	assert_int_equal(mk_gather_add(w->gather, &inode), 0);
	mk_gather_at(w->gather, inode)->e.mode = mode;
	return inode;
}

static int try_put(struct world *w, const char *path, uint64_t inode)
{
	uint64_t name;
	int r = mk_gather_place(w->gather, path, &like, &name);

	return r < 0 ? r : mk_gather_put(w->gather, name, inode);
}

static void put(struct world *w, const char *path, uint64_t inode)
{
	assert_int_equal(try_put(w, path, inode), 0);
}

static uint64_t put_file(struct world *w, const char *path)
{
	uint64_t inode = add_inode(w, S_IFREG | 0644);

	put(w, path, inode);
	return inode;
}

static uint64_t finish(struct world *w)
{
	uint64_t made;

	assert_int_equal(mk_gather_finish(w->gather, &like, &made), 0);
	return made;
}

static struct mk_entry *at(struct world *w, uint64_t i)
{
	return mk_tree_at(&w->tree, i);
}

static uint64_t find(struct world *w, const char *path)
{
	for (uint64_t i = 0; i < w->tree.entries.count; i++) {
		struct arc_buf buf = { 0 };
		bool same;

		assert_int_equal(mk_tree_path(&w->tree, i, &buf), 0);
		same = strcmp((char *)buf.p, path) == 0;
		arc_buf_fini(&buf);
		if (same)
			return i;
	}
	fail_msg("not in the tree: %s", path);
	return 0;
}

/* What tree.h says of the order. */
static void assert_order(struct world *w)
{
	uint64_t next = 1;

	for (uint64_t i = 0; i < w->tree.entries.count; i++) {
		const struct mk_entry *e = at(w, i);

		assert_true(i == 0 || e->parent < i);
		assert_true(e->link <= i && e->leader <= i);
		if (!S_ISDIR(e->mode))
			continue;
		for (uint64_t k = 0; k < e->child_count; k++) {
			const struct mk_entry *c = at(w, e->children + k);

			assert_int_equal(c->parent, i);
			if (k > 0)
				assert_true(
					strcmp(mk_tree_name(&w->tree, c - 1),
					       mk_tree_name(&w->tree, c)) < 0);
		}
		next += e->child_count;
	}
	assert_int_equal(next, w->tree.entries.count);
}

static void names_in_any_order_become_the_order_of_the_tree(void **state)
{
	struct world *w = *state;
	char path[64];

	for (unsigned i = 0; i < 5000; i++) {
		unsigned k = i * 2477 % 5000;

		snprintf(path, sizeof(path), "d%u/e%u/f%u", k % 7, k % 11, k);
		put_file(w, path);
	}
	put_file(w, "d3-file");
	put_file(w, "d3/e0.");
	assert_int_equal(finish(w), 7 + 7 * 11);
	assert_int_equal(w->tree.entries.count, 1 + 7 + 77 + 5000 + 2);
	assert_order(w);
	assert_true(find(w, "d3-file") < find(w, "d3/e0/f66"));
	assert_true(find(w, "d2/e0/f44") < find(w, "d3/e0"));
}

static void missing_folders_are_like_what_needed_them(void **state)
{
	struct world *w = *state;
	uint64_t dir = add_inode(w, S_IFDIR | 0700);

	put_file(w, "a/b/c");
	put(w, "a", dir);
	assert_int_equal(finish(w), 1);
	assert_int_equal(at(w, find(w, "a"))->mode, S_IFDIR | 0700);
	assert_int_equal(at(w, find(w, "a/b"))->mode, S_IFDIR | 0755);
	assert_int_equal(at(w, find(w, "a/b"))->uid, 5);
	assert_int_equal(at(w, find(w, "a/b"))->mtime, 7);
	assert_int_equal(at(w, 0)->mode, S_IFDIR | 0755);
}

static void what_comes_later_takes_the_name_and_not_the_links(void **state)
{
	struct world *w = *state;
	uint64_t old = put_file(w, "name"), new;

	put(w, "z-link", old);
	put(w, "a-link", old);
	new = put_file(w, "name");
	mk_gather_at(w->gather, old)->e.uid = 1;
	mk_gather_at(w->gather, new)->e.uid = 2;
	finish(w);
	assert_order(w);
	assert_int_equal(w->tree.entries.count, 4);
	assert_int_equal(at(w, find(w, "name"))->uid, 2);
	assert_int_equal(at(w, find(w, "z-link"))->uid, 1);
	assert_int_equal(at(w, find(w, "z-link"))->link, find(w, "a-link"));
	assert_int_equal(at(w, find(w, "name"))->link, find(w, "name"));
}

static void the_first_in_the_tree_leads_a_content(void **state)
{
	struct world *w = *state;
	const char *const paths[] = { "z", "m/one", "b", "m/two" };
	uint64_t content, other;

	assert_int_equal(mk_gather_add_content(w->gather, &content), 0);
	assert_int_equal(mk_gather_add_content(w->gather, &other), 0);
	for (size_t i = 0; i < ARC_COUNT(paths); i++)
		mk_gather_at(w->gather, put_file(w, paths[i]))->content =
			content;
	mk_gather_at(w->gather, put_file(w, "a"))->content = other;
	finish(w);
	assert_order(w);
	for (size_t i = 0; i < ARC_COUNT(paths); i++)
		assert_int_equal(at(w, find(w, paths[i]))->leader,
				 find(w, "b"));
	assert_int_equal(at(w, find(w, "a"))->leader, find(w, "a"));
}

static void what_is_no_folder_holds_nothing(void **state)
{
	struct world *w = *state;
	uint64_t file = put_file(w, "file");

	put_file(w, "dir/file");
	assert_int_equal(try_put(w, "file/below", file), -ENOTDIR);
	assert_int_equal(try_put(w, "file/a/b", file), -ENOTDIR);
	assert_int_equal(try_put(w, "dir", file), -EISDIR);
	assert_int_equal(try_put(w, "", file), -EISDIR);
	assert_int_equal(mk_gather_find(w->gather, "file"), file);
	assert_true(mk_gather_find(w->gather, "file/below") == MK_NONE);
	assert_true(mk_gather_find(w->gather, "fil") == MK_NONE);
}

static void paths_are_made_safe(void **state)
{
	const struct {
		const char *from, *to;
		int r;
	} cases[] = {
		{ "/a//b/./c/", "a/b/c", 0 },
		{ "./", "", 0 },
		{ "", "", 0 },
		{ "///", "", 0 },
		{ "a/...", "a/...", 0 },
		{ "a/../b", NULL, -EINVAL },
		{ "..", NULL, -EINVAL },
		{ "a/..", NULL, -EINVAL },
	};
	struct arc_buf buf = { 0 };
	char name[258];

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		buf.n = 0;
		assert_int_equal(mk_gather_path(cases[i].from, &buf),
				 cases[i].r);
		if (cases[i].to)
			assert_string_equal((char *)buf.p, cases[i].to);
	}
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(mk_gather_path(name, &buf), -ENAMETOOLONG);
	name[255] = '\0';
	assert_int_equal(mk_gather_path(name, &buf), 0);
	arc_buf_fini(&buf);
}

#define IN_WORLD(test)                                                         \
	cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(names_in_any_order_become_the_order_of_the_tree),
		IN_WORLD(missing_folders_are_like_what_needed_them),
		IN_WORLD(what_comes_later_takes_the_name_and_not_the_links),
		IN_WORLD(the_first_in_the_tree_leads_a_content),
		IN_WORLD(what_is_no_folder_holds_nothing),
		cmocka_unit_test(paths_are_made_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
