/* SPDX-License-Identifier: MIT */
/* Scanning with threads that look at directories before the walk does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "match.h"
#include "scan_i.h"
#include "scratch.h"

/* What a scan has found, in words: a line an entry. */
static char *found(const struct scratch *s)
{
	const struct mk_tree *t = &s->tree;
	struct arc_buf path = { 0 };
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	for (uint64_t i = 0; i < t->entries.count; i++) {
		const struct mk_entry *e = mk_tree_at(t, i);

		path.n = 0;
		assert_int_equal(mk_tree_path(t, i, &path), 0);
		fprintf(f,
			"%s %o %u %u %llu %lld.%u %llu link %llu target %llu "
			"set %u children %llu+%llu\n",
			(char *)path.p, e->mode, e->uid, e->gid,
			(unsigned long long)e->size, (long long)e->mtime,
			e->mtime_ns, (unsigned long long)e->ino,
			(unsigned long long)e->link,
			(unsigned long long)e->target, e->xset,
			(unsigned long long)e->children,
			(unsigned long long)e->child_count);
	}
	assert_int_equal(fclose(f), 0);
	arc_buf_fini(&path);
	return text;
}

/* With any number of threads the same is found and said. */
static void assert_same_for_all(struct scratch *s)
{
	static const unsigned workers[] = { 1, 2, 3, 16 };
	char *first, *said;

	s->opt.scan_workers = 0;
	assert_int_equal(scratch_scan(s), 0);
	first = found(s);
	said = strdup(s->said);
	for (size_t i = 0; i < ARC_COUNT(workers); i++) {
		char *other;

		s->opt.scan_workers = workers[i];
		assert_int_equal(scratch_scan(s), 0);
		other = found(s);
		assert_string_equal(other, first);
		assert_string_equal(s->said, said);
		free(other);
	}
	free(said);
	free(first);
}

/* Folders of folders, more than are asked for at once, with files, links,
 * fifos and attributes. */
static void fill(struct scratch *s)
{
	char name[256], to[256];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%u", i * 7 % 40);
		scratch_dir(s, name);
		for (unsigned k = 0; k < i % 5; k++) {
			snprintf(name, sizeof(name), "d%u/sub%u", i * 7 % 40,
				 k);
			scratch_dir(s, name);
			snprintf(name, sizeof(name), "d%u/sub%u/file",
				 i * 7 % 40, k);
			scratch_file(s, name, name, k);
		}
		snprintf(name, sizeof(name), "d%u/file", i * 7 % 40);
		scratch_file(s, name, "content", i % 7);
		snprintf(to, sizeof(to), "d%u/zlink", i * 7 % 40);
		assert_int_equal(linkat(s->fd, name, s->fd, to, 0), 0);
		snprintf(to, sizeof(to), "d%u/symlink", i * 7 % 40);
		assert_int_equal(symlinkat(name, s->fd, to), 0);
		snprintf(to, sizeof(to), "d%u/fifo", i * 7 % 40);
		assert_int_equal(mkfifoat(s->fd, to, 0600), 0);
	}
}

static void any_number_of_workers_finds_the_same(void **state)
{
	struct scratch *s = *state;
	char path[128];

	fill(s);
	snprintf(path, sizeof(path), "%s/d3/file", s->dir);
	(void)setxattr(path, "user.some", "value", 5, 0);
	snprintf(path, sizeof(path), "%s/d5", s->dir);
	(void)setxattr(path, "user.other", "value", 5, 0);
	(void)setxattr(path, "user.arcfs.reserved", "value", 5, 0);
	assert_same_for_all(s);
	assert_true(s->tree.entries.count > 40 * 5);
}

static void large_folders_are_left_to_the_walk(void **state)
{
	struct scratch *s = *state;
	char name[64];

	scratch_dir(s, "a");
	scratch_dir(s, "large");
	scratch_dir(s, "large/below");
	for (unsigned i = 0; i < 8200; i++) {
		snprintf(name, sizeof(name), "large/%u", i);
		assert_int_equal(mknodat(s->fd, name, S_IFREG | 0644, 0), 0);
	}
	scratch_file(s, "large/below/file", "x", 1);
	assert_same_for_all(s);
}

static void excluded_folders_are_not_entered(void **state)
{
	struct scratch *s = *state;
	struct mk_match *m;

	fill(s);
	assert_int_equal(mk_match_new(&m), 0);
	assert_int_equal(mk_match_add(m, "d1*"), 0);
	assert_int_equal(mk_match_add(m, "sub2/"), 0);
	assert_int_equal(mk_match_add(m, "/d20/file"), 0);
	s->opt.match = m;
	assert_same_for_all(s);
	assert_int_equal(scratch_find(s, "d12"), MK_NONE);
	assert_int_equal(scratch_find(s, "d20/file"), MK_NONE);
	mk_match_free(m);
}

static void folders_that_cannot_be_read_are_told_once(void **state)
{
	struct scratch *s = *state;

	if (geteuid() == 0)
		skip(); /* root reads everything */
	fill(s);
	assert_int_equal(fchmodat(s->fd, "d8", 0, 0), 0);
	assert_same_for_all(s);
	assert_int_equal(mk_value(&s->run.stats.problems), 1);
	assert_int_equal(fchmodat(s->fd, "d8", 0755, 0), 0);
}

static void few_descriptors_mean_fewer_workers(void **state)
{
	struct scratch *s = *state;
	struct rlimit old, few;

	fill(s);
	getrlimit(RLIMIT_NOFILE, &old);
	few = (struct rlimit){ 30, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_same_for_all(s);
	setrlimit(RLIMIT_NOFILE, &old);
}

/* Far down nobody looks ahead. */
static void deep_folders_are_walked(void **state)
{
	struct scratch *s = *state;
	int at = dup(s->fd);

	for (unsigned i = 0; i < 100; i++) {
		int below;

		assert_int_equal(mkdirat(at, "one", 0755), 0);
		assert_int_equal(mkdirat(at, "two", 0755), 0);
		below = openat(at, "one", O_RDONLY | O_DIRECTORY);
		close(at);
		at = below;
	}
	close(at);
	assert_same_for_all(s);
	assert_int_equal(s->tree.entries.count, 201);
}

/* ---- looks --------------------------------------------------------------- */

static void looks_tell_names_and_attributes(void **state)
{
	struct scratch *s = *state;
	struct mk_lookahead *a;
	struct mk_look *look;
	const struct mk_listed *l;
	size_t n;

	scratch_dir(s, "d");
	scratch_file(s, "d/b", "12345", 5);
	scratch_file(s, "d/a", "1", 1);
	assert_int_equal(scratch_scan(s), 0);
	s->opt.scan_workers = 1;
	assert_int_equal(mk_lookahead_new(&s->run, &s->tree, true, &a), 0);
	assert_non_null(a);
	/* Until the thread has been quicker. */
	for (;;) {
		assert_int_equal(
			mk_look_new(a, scratch_find(s, "d"), NULL, &look), 0);
		usleep(1000);
		if (mk_look_take(a, look, &l, &n))
			break;
		mk_look_free(a, look);
	}
	assert_int_equal(n, 2);
	assert_string_equal(l[0].name, "a");
	assert_true(l[0].known);
	assert_string_equal(l[1].name, "b");
	assert_int_equal(l[1].st.st_size, 5);
	mk_look_free(a, look);
	mk_lookahead_free(a);
}

static void what_is_not_taken_is_bounded(void **state)
{
	struct scratch *s = *state;
	struct mk_lookahead *a;
	struct mk_look *look[14];
	const struct mk_listed *l;
	char name[64];
	size_t n;

	scratch_dir(s, "d");
	for (unsigned i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "d/%u", i);
		assert_int_equal(mknodat(s->fd, name, S_IFREG | 0644, 0), 0);
	}
	assert_int_equal(scratch_scan(s), 0);
	s->opt.scan_workers = 1;
	assert_int_equal(mk_lookahead_new(&s->run, &s->tree, true, &a), 0);
	for (size_t i = 0; i < ARC_COUNT(look); i++)
		assert_int_equal(mk_look_new(a, scratch_find(s, "d"),
					     i ? look[i - 1] : NULL, &look[i]),
				 0);
	usleep(200000);
	/* Eleven times 6000 names are enough, whoever is the first. */
	assert_false(mk_look_take(a, look[13], &l, &n));
	for (size_t i = 0; i < ARC_COUNT(look); i++) {
		if (mk_look_take(a, look[i], &l, &n))
			assert_int_equal(n, 6000);
		mk_look_free(a, look[i]);
	}
	mk_lookahead_free(a);
}

static void a_folder_that_is_another_one_now_is_not_looked_at(void **state)
{
	struct scratch *s = *state;
	struct mk_lookahead *a;
	struct mk_look *look;
	const struct mk_listed *l;
	size_t n;

	scratch_dir(s, "d");
	scratch_dir(s, "other");
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(renameat(s->fd, "d", s->fd, "e"), 0);
	assert_int_equal(renameat(s->fd, "other", s->fd, "d"), 0);
	s->opt.scan_workers = 2;
	assert_int_equal(mk_lookahead_new(&s->run, &s->tree, true, &a), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(
			mk_look_new(a, scratch_find(s, "d"), NULL, &look), 0);
		if (i % 2)
			usleep(500);
		assert_false(mk_look_take(a, look, &l, &n));
		mk_look_free(a, look);
	}
	mk_lookahead_free(a);
}

#define IN_SCRATCH(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(any_number_of_workers_finds_the_same),
		IN_SCRATCH(large_folders_are_left_to_the_walk),
		IN_SCRATCH(excluded_folders_are_not_entered),
		IN_SCRATCH(folders_that_cannot_be_read_are_told_once),
		IN_SCRATCH(few_descriptors_mean_fewer_workers),
		IN_SCRATCH(deep_folders_are_walked),
		IN_SCRATCH(looks_tell_names_and_attributes),
		IN_SCRATCH(what_is_not_taken_is_bounded),
		IN_SCRATCH(a_folder_that_is_another_one_now_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
