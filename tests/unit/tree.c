/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "tree.h"

static int open_tree(void **state)
{
	static struct mk_tree tree;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = mk_tree_open(&tree, tmp, true);

	close(tmp);
	*state = &tree;
	return err;
}

static int close_tree(void **state)
{
	mk_tree_close(*state);
	return 0;
}

static uint64_t add(struct mk_tree *t, uint64_t parent, const char *name)
{
	uint64_t entry;

	assert_int_equal(mk_tree_add(t, 1, &entry), 0);
	mk_tree_at(t, entry)->parent = parent;
	if (*name)
		assert_int_equal(mk_tree_set_name(t, entry, name), 0);
	return entry;
}

static void fresh_entries_lead_themselves(void **state)
{
	struct mk_tree *t = *state;
	uint64_t first;

	assert_int_equal(mk_tree_add(t, 3, &first), 0);
	assert_int_equal(first, 0);
	assert_int_equal(mk_tree_add(t, 2, &first), 0);
	assert_int_equal(first, 3);
	for (uint64_t i = 0; i < 5; i++) {
		assert_int_equal(mk_tree_at(t, i)->link, i);
		assert_int_equal(mk_tree_at(t, i)->leader, i);
		assert_int_equal(mk_tree_at(t, i)->flags, 0);
		assert_string_equal(mk_tree_name(t, mk_tree_at(t, i)), "");
	}
	assert_int_equal(t->digests.count, 5);
	assert_int_equal(t->sha256.count, 5);
}

static void paths_are_joined_from_the_root(void **state)
{
	struct mk_tree *t = *state;
	struct arc_buf buf = { 0 };
	uint64_t root = add(t, 0, "");
	uint64_t a = add(t, root, "a");
	uint64_t b = add(t, a, "b c");
	uint64_t f = add(t, b, "f");

	assert_int_equal(mk_tree_path(t, root, &buf), 0);
	assert_int_equal(buf.n, 0);
	assert_string_equal((char *)buf.p, "");
	assert_int_equal(mk_tree_path(t, f, &buf), 0);
	assert_string_equal((char *)buf.p, "a/b c/f");
	assert_int_equal(buf.n, strlen("a/b c/f"));
	assert_int_equal(arc_buf_append(&buf, ":", 1), 0);
	assert_int_equal(mk_tree_path(t, a, &buf), 0);
	assert_string_equal((char *)buf.p, "a/b c/f:a");
	arc_buf_fini(&buf);
}

static void paths_of_any_depth_are_made(void **state)
{
	struct mk_tree *t = *state;
	struct arc_buf buf = { 0 };
	uint64_t at = add(t, 0, "");

	for (int i = 0; i < 50000; i++)
		at = add(t, at, "dd");
	assert_int_equal(mk_tree_path(t, at, &buf), 0);
	assert_int_equal(buf.n, 50000 * 3 - 1);
	assert_int_equal(strlen((char *)buf.p), buf.n);
	arc_buf_fini(&buf);
}

static void text_items_never_cross_a_block(void **state)
{
	struct mk_tree *t = *state;
	static uint8_t bytes[65536];
	uint64_t at[400];
	uint64_t last_end = 0;

	for (size_t i = 0; i < ARC_COUNT(at); i++) {
		size_t n = i * 7919 % sizeof(bytes);

		memset(bytes, (int)i, n);
		assert_int_equal(mk_tree_add_text(t, bytes, n, &at[i]), 0);
		assert_true(at[i] >= last_end);
		last_end = at[i] + 4 + n;
		assert_int_equal(at[i] / ARC_BLOCK_MAX,
				 (last_end - 1) / ARC_BLOCK_MAX);
	}
	for (size_t i = 0; i < ARC_COUNT(at); i++) {
		const uint8_t *p = mk_spool_at(&t->text, at[i]);
		size_t n = i * 7919 % sizeof(bytes);
		struct arc_le32 head;

		memcpy(&head, p, 4);
		assert_int_equal(arc_get32(head), n);
		memset(bytes, (int)i, n);
		assert_memory_equal(p + 4, bytes, n);
	}
	/* What was left free is zero: count all that is not. */
	for (uint64_t end = ARC_BLOCK_MAX; end < t->text.count;
	     end += ARC_BLOCK_MAX) {
		size_t i = 0;

		while (i + 1 < ARC_COUNT(at) && at[i + 1] < end)
			i++;
		for (uint64_t p = at[i] + 4 + i * 7919 % sizeof(bytes); p < end;
		     p++)
			assert_int_equal(*(uint8_t *)mk_spool_at(&t->text, p),
					 0);
	}
}

static void a_text_item_larger_than_a_block_is_refused(void **state)
{
	uint8_t *bytes = calloc(1, ARC_BLOCK_MAX);
	uint64_t at;

	assert_int_equal(mk_tree_add_text(*state, bytes, ARC_BLOCK_MAX - 3,
					  &at),
			 -E2BIG);
	assert_int_equal(
		mk_tree_add_text(*state, bytes, ARC_BLOCK_MAX - 4, &at), 0);
	free(bytes);
}

static uint32_t intern(struct mk_tree *t, const char *name, const char *value,
		       size_t n)
{
	struct mk_xattr_in set = { name, (const uint8_t *)value, n };
	uint32_t ret = 0;

	assert_int_equal(mk_tree_intern(t, &set, 1, &ret), 0);
	return ret;
}

static void equal_attribute_sets_are_stored_once(void **state)
{
	struct mk_tree *t = *state;
	struct mk_xattr_in two[] = {
		{ "user.a", (const uint8_t *)"1", 1 },
		{ "user.b", NULL, 0 },
	};
	uint32_t pair, again, none = 9;
	uint32_t a = intern(t, "user.a", "1", 1);

	assert_int_equal(a, 1);
	assert_int_equal(intern(t, "user.a", "1", 1), a);
	assert_int_not_equal(intern(t, "user.a", "2", 1), a);
	assert_int_not_equal(intern(t, "user.a", "1\0", 2), a);
	assert_int_not_equal(intern(t, "user.a1", "", 0), a);
	assert_int_equal(mk_tree_intern(t, two, 2, &pair), 0);
	assert_int_not_equal(pair, a);
	assert_int_equal(mk_tree_intern(t, two, 2, &again), 0);
	assert_int_equal(pair, again);
	assert_int_equal(mk_tree_intern(t, NULL, 0, &none), 0);
	assert_int_equal(none, 0);
	assert_int_equal(t->xsets.count, 5);
	assert_int_equal(t->xattrs.count, 6);
}

static void many_different_sets_are_kept_apart(void **state)
{
	struct mk_tree *t = *state;
	char value[32];

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 20000; i++) {
			int n = snprintf(value, sizeof(value), "%u", i);

			assert_int_equal(intern(t, "user.n", value, (size_t)n),
					 i + 1);
		}
		mk_tree_release(t);
	}
	assert_int_equal(t->xsets.count, 20000);
}

static void closing_a_zeroed_tree_is_harmless(void **state)
{
	struct mk_tree t = { 0 };

	(void)state;
	mk_tree_close(&t);
	assert_true(fcntl(0, F_GETFD) >= 0 || errno != EBADF);
}

#define WITH_TREE(f) cmocka_unit_test_setup_teardown(f, open_tree, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TREE(fresh_entries_lead_themselves),
		WITH_TREE(paths_are_joined_from_the_root),
		WITH_TREE(paths_of_any_depth_are_made),
		WITH_TREE(text_items_never_cross_a_block),
		WITH_TREE(a_text_item_larger_than_a_block_is_refused),
		WITH_TREE(equal_attribute_sets_are_stored_once),
		WITH_TREE(many_different_sets_are_kept_apart),
		cmocka_unit_test(closing_a_zeroed_tree_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
