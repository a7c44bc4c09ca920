/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "match.h"
#include "scan_i.h"
#include "scratch.h"

/* ---- helpers ------------------------------------------------------------- */

/* Next entry a subdirectory's own ones must begin at, walking depth first. */
static uint64_t check_dir(const struct mk_tree *t, uint64_t dir, uint64_t next)
{
	const struct mk_entry *d = mk_tree_at(t, dir);
	uint64_t end = d->children + d->child_count;

	assert_int_equal(d->children, next);
	for (uint64_t i = d->children; i < end; i++) {
		const struct mk_entry *e = mk_tree_at(t, i);

		assert_int_equal(e->parent, dir);
		assert_true(i > dir);
		if (i > d->children)
			assert_true(strcmp(mk_tree_name(t, e - 1),
					   mk_tree_name(t, e)) < 0);
	}
	next = end;
	for (uint64_t i = d->children; i < end; i++) {
		const struct mk_entry *e = mk_tree_at(t, i);

		if (S_ISDIR(e->mode) && e->child_count > 0)
			next = check_dir(t, i, next);
	}
	return next;
}

static void check_shape(const struct scratch *s)
{
	assert_int_equal(check_dir(&s->tree, 0, 1), s->tree.entries.count);
}

static void scan_well(struct scratch *s)
{
	assert_int_equal(scratch_scan(s), 0);
	assert_string_equal(s->said, "");
	check_shape(s);
}

static const void *text_item(const struct mk_tree *t, uint64_t at, size_t *n)
{
	struct arc_le32 head;

	memcpy(&head, mk_spool_at(&t->text, at), sizeof(head));
	*n = arc_get32(head);
	return mk_spool_at(&t->text, at + sizeof(head));
}

static void check_target(const struct scratch *s, const char *path,
			 const char *target)
{
	const struct mk_entry *e = scratch_entry(s, path);
	size_t n;
	const void *p = text_item(&s->tree, e->target, &n);

	assert_true(S_ISLNK(e->mode));
	assert_int_equal(n, strlen(target));
	assert_int_equal(e->size, n);
	assert_memory_equal(p, target, n);
}

/* The i-th attribute of a path's set. */
static void check_xattr(const struct scratch *s, const char *path, uint64_t i,
			const char *name, const void *value, size_t n)
{
	const struct mk_entry *e = scratch_entry(s, path);
	const struct mk_xset *set;
	const struct mk_xattr *x;
	const void *p;
	size_t found;

	assert_int_not_equal(e->xset, 0);
	set = mk_spool_at(&s->tree.xsets, e->xset - 1);
	assert_true(i < set->count);
	x = mk_spool_at(&s->tree.xattrs, set->first + i);
	p = text_item(&s->tree, x->name, &found);
	assert_int_equal(found, strlen(name));
	assert_memory_equal(p, name, found);
	p = text_item(&s->tree, x->value, &found);
	assert_int_equal(found, n);
	assert_memory_equal(p, value, n);
}

static void set_xattr(struct scratch *s, const char *name, const char *key,
		      const void *value, size_t n)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (lsetxattr(path, key, value, n, 0) && errno == ENOTSUP)
		skip();
	assert_int_equal(lsetxattr(path, key, value, n, 0), 0);
}

/* ---- order --------------------------------------------------------------- */

static void entries_of_a_directory_stand_together_by_raw_bytes(void **state)
{
	struct scratch *s = *state;
	static const char *const order[] = {
		"",	    "A",    "a",   "a-b", "a.b",   "ab",   "b",
		"\xc3\xa4", "\xff", "a/x", "a/y", "a/y/1", "ab/z",
	};

	scratch_dir(s, "ab");
	scratch_file(s, "b", "", 0);
	scratch_dir(s, "a");
	scratch_file(s, "\xff", "", 0);
	scratch_file(s, "a.b", "", 0);
	scratch_file(s, "A", "", 0);
	scratch_dir(s, "a/y");
	scratch_file(s, "a/y/1", "", 0);
	scratch_file(s, "a/x", "", 0);
	scratch_file(s, "\xc3\xa4", "", 0);
	scratch_file(s, "a-b", "", 0);
	scratch_file(s, "ab/z", "", 0);
	scan_well(s);
	assert_int_equal(s->tree.entries.count, ARC_COUNT(order));
	for (uint64_t i = 0; i < ARC_COUNT(order); i++)
		assert_int_equal(scratch_find(s, order[i]), i);
	assert_int_equal(mk_value(&s->run.stats.files), 9);
	assert_int_equal(mk_value(&s->run.stats.dirs), 4);
}

static void many_names_come_sorted(void **state)
{
	struct scratch *s = *state;
	char name[32];

	for (uint32_t i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%x", i * 2654435761U);
		scratch_file(s, name, "", 0);
	}
	scan_well(s);
	assert_int_equal(s->tree.entries.count, 20001);
}

static void an_empty_source_is_a_root_alone(void **state)
{
	struct scratch *s = *state;

	scan_well(s);
	assert_int_equal(s->tree.entries.count, 1);
	assert_true(S_ISDIR(mk_tree_at(&s->tree, 0)->mode));
}

/* ---- metadata ------------------------------------------------------------ */

static void every_kind_of_entry_is_kept_as_it_is(void **state)
{
	struct scratch *s = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timespec times[2] = {
		{ .tv_sec = 5 }, { .tv_sec = -12345, .tv_nsec = 987654321 }
	};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct mk_entry *e;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", s->dir);
	assert_int_equal(
		bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	close(sock);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("no/where", s->fd, "link"), 0);
	scratch_file(s, "file", "hello", 5);
	assert_int_equal(fchmodat(s->fd, "file", 06751, 0), 0);
	assert_int_equal(utimensat(s->fd, "file", times, 0), 0);
	scratch_dir(s, "sticky");
	assert_int_equal(fchmodat(s->fd, "sticky", 01777, 0), 0);
	scan_well(s);
	assert_true(S_ISSOCK(scratch_entry(s, "sock")->mode));
	assert_int_equal(scratch_entry(s, "fifo")->mode, S_IFIFO | 0600);
	assert_int_equal(scratch_entry(s, "sticky")->mode, S_IFDIR | 01777);
	check_target(s, "link", "no/where");
	e = scratch_entry(s, "file");
	assert_int_equal(e->mode, S_IFREG | 06751);
	assert_int_equal(e->size, 5);
	assert_int_equal(e->mtime, -12345);
	assert_int_equal(e->mtime_ns, 987654321);
	assert_int_equal(e->uid, geteuid());
	assert_int_equal(e->flags, 0);
	assert_int_equal(mk_value(&s->run.stats.others), 2);
	assert_int_equal(mk_value(&s->run.stats.symlinks), 1);
	assert_int_equal(mk_value(&s->run.stats.bytes), 5);
}

static void device_numbers_are_kept(void **state)
{
	struct scratch *s = *state;

	if (mknodat(s->fd, "disk", S_IFBLK | 0600, makedev(259, 70000)))
		skip();
	assert_int_equal(mknodat(s->fd, "tty", S_IFCHR | 0620, makedev(5, 1)),
			 0);
	scan_well(s);
	assert_int_equal(scratch_entry(s, "disk")->rdev,
			 UINT64_C(259) << 32 | 70000);
	assert_int_equal(scratch_entry(s, "tty")->rdev, UINT64_C(5) << 32 | 1);
}

static void the_longest_target_is_read_whole(void **state)
{
	struct scratch *s = *state;
	char target[4096];

	memset(target, 't', sizeof(target));
	target[4095] = 0;
	assert_int_equal(symlinkat(target, s->fd, "long"), 0);
	target[256] = 0;
	assert_int_equal(symlinkat(target, s->fd, "edge"), 0);
	scan_well(s);
	check_target(s, "edge", target);
	target[256] = 't';
	check_target(s, "long", target);
}

static void a_file_with_holes_is_marked(void **state)
{
	struct scratch *s = *state;
	int fd = openat(s->fd, "sparse", O_CREAT | O_WRONLY, 0644);

	assert_int_equal(ftruncate(fd, 10 << 20), 0);
	close(fd);
	scratch_file(s, "dense", "x", 1);
	scan_well(s);
	assert_int_equal(scratch_entry(s, "sparse")->flags, MK_ENTRY_SPARSE);
	assert_int_equal(scratch_entry(s, "dense")->flags, 0);
}

static void further_names_of_an_inode_link_to_the_first(void **state)
{
	struct scratch *s = *state;
	uint64_t first;

	scratch_dir(s, "a");
	scratch_dir(s, "z");
	scratch_file(s, "a/one", "1", 1);
	assert_int_equal(linkat(s->fd, "a/one", s->fd, "z/two", 0), 0);
	assert_int_equal(linkat(s->fd, "a/one", s->fd, "three", 0), 0);
	assert_int_equal(symlinkat("t", s->fd, "sym"), 0);
	assert_int_equal(linkat(s->fd, "sym", s->fd, "sym2", 0), 0);
	scan_well(s);
	first = scratch_find(s, "three"); /* the root's entries come first */
	assert_int_equal(scratch_entry(s, "three")->link, first);
	assert_int_equal(scratch_entry(s, "a/one")->link, first);
	assert_int_equal(scratch_entry(s, "z/two")->link, first);
	assert_int_equal(scratch_entry(s, "z/two")->parent,
			 scratch_find(s, "z"));
	assert_int_equal(scratch_entry(s, "sym2")->link,
			 scratch_find(s, "sym"));
	check_target(s, "sym2", "t");
	assert_int_equal(mk_value(&s->run.stats.files), 1);
	assert_int_equal(mk_value(&s->run.stats.symlinks), 1);
	assert_int_equal(mk_value(&s->run.stats.hardlinks), 3);
	assert_int_equal(mk_value(&s->run.stats.bytes), 1);
}

/* ---- attributes ---------------------------------------------------------- */

static void attributes_are_kept_sorted_and_once(void **state)
{
	struct scratch *s = *state;
	char large[3000];

	memset(large, 'v', sizeof(large));
	scratch_file(s, "f", "", 0);
	scratch_file(s, "g", "", 0);
	scratch_dir(s, "d");
	set_xattr(s, "f", "user.zz", "last", 4);
	set_xattr(s, "f", "user.a", "", 0);
	set_xattr(s, "f", "user.mm", large, sizeof(large));
	set_xattr(s, "g", "user.mm", large, sizeof(large));
	set_xattr(s, "g", "user.a", "", 0);
	set_xattr(s, "g", "user.zz", "last", 4);
	set_xattr(s, "d", "user.d", "\0\1", 2);
	set_xattr(s, "", "user.root", "r", 1);
	scan_well(s);
	check_xattr(s, "f", 0, "user.a", "", 0);
	check_xattr(s, "f", 1, "user.mm", large, sizeof(large));
	check_xattr(s, "f", 2, "user.zz", "last", 4);
	assert_int_equal(scratch_entry(s, "f")->xset,
			 scratch_entry(s, "g")->xset);
	check_xattr(s, "d", 0, "user.d", "\0\1", 2);
	check_xattr(s, "", 0, "user.root", "r", 1);
	assert_int_equal(s->tree.xsets.count, 3);
}

static void many_long_attribute_names_are_listed(void **state)
{
	struct scratch *s = *state;
	char key[200];

	scratch_file(s, "f", "", 0);
	for (int i = 0; i < 12; i++) {
		memset(key, 'k', sizeof(key));
		snprintf(key, 20, "user.%02d", 11 - i);
		key[7] = 'k';
		key[150] = 0;
		set_xattr(s, "f", key, &i, sizeof(i));
	}
	scan_well(s);
	assert_int_equal(
		((struct mk_xset *)mk_spool_at(&s->tree.xsets, 0))->count, 12);
}

static void attributes_of_symlinks_are_their_own(void **state)
{
	struct scratch *s = *state;

	if (geteuid() != 0)
		skip();
	scratch_file(s, "f", "", 0);
	set_xattr(s, "f", "trusted.t", "file", 4);
	assert_int_equal(symlinkat("f", s->fd, "l"), 0);
	set_xattr(s, "l", "trusted.t", "link", 4);
	scan_well(s);
	check_xattr(s, "f", 0, "trusted.t", "file", 4);
	check_xattr(s, "l", 0, "trusted.t", "link", 4);
}

static void reserved_attributes_are_left_out_and_said(void **state)
{
	struct scratch *s = *state;

	scratch_file(s, "f", "", 0);
	set_xattr(s, "f", "user.arcfs.stats", "x", 1);
	set_xattr(s, "f", "user.arcfsx", "y", 1);
	assert_int_equal(scratch_scan(s), 0);
	check_xattr(s, "f", 0, "user.arcfsx", "y", 1);
	assert_non_null(strstr(s->said, "/f: attribute user.arcfs.stats is"));
	assert_int_equal(mk_value(&s->run.stats.problems), 1);
}

static void without_proc_files_and_directories_keep_theirs(void **state)
{
	struct scratch *s = *state;
	struct mk_xattrs x;
	size_t n;

	scratch_file(s, "f", "", 0);
	set_xattr(s, "f", "user.a", "b", 1);
	set_xattr(s, "", "user.root", "r", 1);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	scan_well(s);
	assert_int_equal(mk_xattrs_init(&x, &s->run, &s->tree, s->fd), 0);
	assert_true(x.by_proc);
	x.by_proc = false;
	assert_int_equal(mk_xattrs_read(&x, s->fd, 0, "f", S_IFREG, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(x.set[0].name, "user.a");
	assert_memory_equal(x.set[0].value, "b", 1);
	assert_int_equal(mk_xattrs_read(&x, s->fd, 0, NULL, S_IFDIR, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(mk_xattrs_read(&x, s->fd, 0, "fifo", S_IFIFO, &n), 0);
	assert_int_equal(n, 0);
	mk_xattrs_fini(&x);
}

/* ---- depth --------------------------------------------------------------- */

/* Makes levels of NAME below the scratch folder; the innermost descriptor. */
static int make_deep(struct scratch *s, int levels, const char *name,
		     const char *beside)
{
	int at = dup(s->fd);

	for (int i = 0; i < levels; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0755), 0);
		if (beside)
			assert_int_equal(mkdirat(at, beside, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	return at;
}

static void ten_thousand_levels_are_walked(void **state)
{
	struct scratch *s = *state;
	int at = make_deep(s, 10000, "d", NULL);
	int fd = openat(at, "bottom", O_CREAT | O_WRONLY, 0644);

	close(fd);
	close(at);
	assert_int_equal(scratch_scan(s), 0);
	assert_string_equal(s->said, "");
	assert_int_equal(s->tree.entries.count, 10002);
	assert_string_equal(mk_tree_name(&s->tree, mk_tree_at(&s->tree, 10001)),
			    "bottom");
}

static void long_names_make_paths_beyond_path_max(void **state)
{
	struct scratch *s = *state;
	char name[256];

	memset(name, 'n', 255);
	name[255] = 0;
	close(make_deep(s, 60, name, "z"));
	scan_well(s);
	assert_int_equal(s->tree.entries.count, 121);
}

/* On the way back up every level has one more directory to enter. */
static void few_descriptors_are_enough_for_any_depth(void **state)
{
	struct scratch *s = *state;
	struct rlimit saved, few;
	int err;

	close(make_deep(s, 2000, "a", "b"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = saved;
	few.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	err = scratch_scan(s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(err, 0);
	assert_string_equal(s->said, "");
	assert_int_equal(s->tree.entries.count, 4001);
	check_shape(s);
}

static void a_directory_moved_during_the_walk_is_not_mistaken(void **state)
{
	struct scratch *s = *state;
	struct mk_dirs d;

	scratch_dir(s, "a");
	scratch_dir(s, "a/b");
	scratch_dir(s, "a/b/c");
	scratch_dir(s, "other");
	scan_well(s);
	mk_dirs_init(&d, &s->tree, 1);
	assert_int_equal(mk_dirs_push(&d, 0, dup(s->fd)), 0);
	assert_int_equal(mk_dirs_push(&d, scratch_find(s, "a"),
				      mk_dirs_open_at(s->fd, "a")),
			 0);
	assert_int_equal(mk_dirs_push(&d, scratch_find(s, "a/b"),
				      mk_dirs_open_at(s->fd, "a/b")),
			 0);
	assert_int_equal(mk_dirs_push(&d, scratch_find(s, "a/b/c"),
				      mk_dirs_open_at(s->fd, "a/b/c")),
			 0);
	/* c moves away: ".." is another one now, but a/b is still there. */
	assert_int_equal(renameat(s->fd, "a/b/c", s->fd, "other/c"), 0);
	assert_int_equal(mk_dirs_pop(&d), 0);
	assert_int_equal(mk_dirs_top(&d)->entry, scratch_find(s, "a/b"));
	/* b moves away and a is gone: there is no way back to it. */
	assert_int_equal(renameat(s->fd, "a/b", s->fd, "other/b"), 0);
	assert_int_equal(unlinkat(s->fd, "a", AT_REMOVEDIR), 0);
	assert_int_equal(mk_dirs_pop(&d), -ENOENT);
	assert_int_equal(mk_dirs_top(&d)->fd, -1);
	/* The root is found again all the same. */
	assert_int_equal(mk_dirs_pop(&d), 0);
	assert_int_equal(mk_dirs_pop(&d), 0);
	assert_int_equal(d.depth, 0);
	mk_dirs_fini(&d);
}

/* ---- what is left out ---------------------------------------------------- */

static void excluded_names_and_what_is_below_are_left_out(void **state)
{
	struct scratch *s = *state;
	struct mk_match *m;

	scratch_dir(s, "src");
	scratch_dir(s, "src/build");
	scratch_file(s, "src/build/x.c", "", 0);
	scratch_file(s, "src/a.o", "", 0);
	scratch_file(s, "src/keep.o", "", 0);
	scratch_file(s, "build", "", 0);
	assert_int_equal(mk_match_new(&m), 0);
	assert_int_equal(mk_match_add(m, "build/"), 0);
	assert_int_equal(mk_match_add(m, "*.o"), 0);
	assert_int_equal(mk_match_add(m, "!src/keep.o"), 0);
	s->opt.match = m;
	scan_well(s);
	assert_int_equal(s->tree.entries.count, 4);
	scratch_entry(s, "src/keep.o");
	scratch_entry(s, "build");
	assert_int_equal(mk_value(&s->run.stats.excluded), 2);
	mk_match_free(m);
}

static void the_volumes_being_written_are_left_out(void **state)
{
	struct scratch *s = *state;
	struct mk_scan_skip skip = { .base = "out" };
	struct stat st;

	scratch_dir(s, "d");
	scratch_file(s, "out.001", "", 0);
	scratch_file(s, "out.1000", "", 0);
	scratch_file(s, "out.002.part", "", 0);
	scratch_file(s, "out.b.001", "", 0);
	scratch_file(s, "out", "", 0);
	scratch_file(s, "out.part", "", 0);
	scratch_file(s, "out.01", "", 0);
	scratch_file(s, "other.001", "", 0);
	scratch_file(s, "d/out.001", "", 0);
	scan_well(s); /* without */
	assert_int_equal(s->tree.entries.count, 11);
	mk_tree_close(&s->tree);
	assert_int_equal(fstat(s->fd, &st), 0);
	skip.dev = st.st_dev;
	skip.ino = st.st_ino;
	assert_int_equal(mk_tree_open(&s->tree, s->fd, false), 0);
	assert_int_equal(mk_scan(&s->run, &s->tree, &skip), 0);
	assert_int_equal(s->tree.entries.count, 8);
	assert_int_equal(scratch_find(s, "out.001"), MK_NONE);
	assert_int_equal(scratch_find(s, "out.1000"), MK_NONE);
	assert_int_equal(scratch_find(s, "out.002.part"), MK_NONE);
	scratch_entry(s, "d/out.001");
	scratch_entry(s, "out.b.001");
}

static void a_mount_point_stays_empty_with_one_file_system(void **state)
{
	struct scratch *s = *state;
	char point[128];

	scratch_dir(s, "m");
	snprintf(point, sizeof(point), "%s/m", s->dir);
	if (mount("none", point, "tmpfs", 0, NULL))
		skip();
	scratch_file(s, "m/inside", "", 0);
	scan_well(s);
	assert_int_equal(s->tree.entries.count, 3);
	s->opt.one_file_system = true;
	scan_well(s);
	assert_int_equal(umount(point), 0);
	assert_int_equal(s->tree.entries.count, 2);
	assert_true(S_ISDIR(scratch_entry(s, "m")->mode));
}

static void a_name_that_vanished_is_said_and_left_out(void **state)
{
	struct scratch *s = *state;
	struct mk_scanner sc = { .run = &s->run, .tree = &s->tree };
	uint64_t at;

	scan_well(s);
	assert_int_equal(mk_spool_add(&s->tree.names, 5, &at), 0);
	memcpy(mk_spool_at(&s->tree.names, at), "gone", 5);
	assert_int_equal(mk_scan_add_name(&sc, s->fd, 0, at, NULL), 0);
	assert_int_equal(s->tree.entries.count, 1);
	assert_non_null(strstr(s->said, "/gone: vanished"));
	assert_int_equal(mk_value(&s->run.stats.problems), 1);
}

static void a_directory_without_permission_is_kept_empty(void **state)
{
	struct scratch *s = *state;
	int err;

	scratch_dir(s, "closed");
	scratch_file(s, "closed/f", "", 0);
	scratch_dir(s, "open");
	scratch_file(s, "open/f", "", 0);
	assert_int_equal(fchmodat(s->fd, "closed", 0, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	err = scratch_scan(s);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmodat(s->fd, "closed", 0755, 0), 0);
	assert_int_equal(err, 0);
	check_shape(s);
	assert_int_equal(s->tree.entries.count, 4);
	assert_int_equal(scratch_entry(s, "closed")->child_count, 0);
	scratch_entry(s, "open/f");
	assert_non_null(strstr(s->said, "/closed: "));
	assert_int_equal(mk_value(&s->run.stats.problems), 1);
}

/* ---- the source itself --------------------------------------------------- */

static void check_single(struct scratch *s, const char *src, const char *name)
{
	s->opt.src = src;
	scan_well(s);
	assert_true(s->tree.single_file);
	assert_int_equal(s->tree.entries.count, 2);
	assert_int_equal(mk_tree_at(&s->tree, 0)->mode, S_IFDIR | 0755);
	assert_string_equal(mk_tree_name(&s->tree, mk_tree_at(&s->tree, 1)),
			    name);
	assert_int_equal(mk_tree_at(&s->tree, 1)->size, 3);
	assert_int_equal(mk_value(&s->run.stats.files), 1);
	assert_int_equal(faccessat(s->tree.root_fd, name, R_OK, 0), 0);
}

static void one_file_gets_a_root_around_it(void **state)
{
	struct scratch *s = *state;
	char path[128];

	scratch_dir(s, "d");
	scratch_file(s, "d/single", "abc", 3);
	assert_int_equal(symlinkat("d/single", s->fd, "to-file"), 0);
	snprintf(path, sizeof(path), "%s/d/single", s->dir);
	check_single(s, path, "single");
	snprintf(path, sizeof(path), "%s/to-file", s->dir);
	check_single(s, path, "single");
}

static void a_source_that_is_a_symlink_is_followed(void **state)
{
	struct scratch *s = *state;
	char path[128];

	scratch_dir(s, "d");
	scratch_file(s, "d/f", "", 0);
	assert_int_equal(symlinkat("d", s->fd, "to-dir"), 0);
	snprintf(path, sizeof(path), "%s/to-dir", s->dir);
	s->opt.src = path;
	scan_well(s);
	assert_int_equal(s->tree.entries.count, 2);
	scratch_entry(s, "f");
}

static void a_missing_source_is_an_error_and_said(void **state)
{
	struct scratch *s = *state;

	s->opt.src = "/nonexistent/source";
	assert_int_equal(scratch_scan(s), -ENOENT);
	assert_non_null(strstr(s->said, "cannot open /nonexistent/source: "));
}

static void a_source_of_another_kind_is_refused(void **state)
{
	struct scratch *s = *state;

	s->opt.src = "/dev/null";
	assert_int_equal(scratch_scan(s), -EINVAL);
	assert_non_null(strstr(s->said, "/dev/null: neither"));
}

#define IN_SCRATCH(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(entries_of_a_directory_stand_together_by_raw_bytes),
		IN_SCRATCH(many_names_come_sorted),
		IN_SCRATCH(an_empty_source_is_a_root_alone),
		IN_SCRATCH(every_kind_of_entry_is_kept_as_it_is),
		IN_SCRATCH(device_numbers_are_kept),
		IN_SCRATCH(the_longest_target_is_read_whole),
		IN_SCRATCH(a_file_with_holes_is_marked),
		IN_SCRATCH(further_names_of_an_inode_link_to_the_first),
		IN_SCRATCH(attributes_are_kept_sorted_and_once),
		IN_SCRATCH(many_long_attribute_names_are_listed),
		IN_SCRATCH(attributes_of_symlinks_are_their_own),
		IN_SCRATCH(reserved_attributes_are_left_out_and_said),
		IN_SCRATCH(without_proc_files_and_directories_keep_theirs),
		IN_SCRATCH(ten_thousand_levels_are_walked),
		IN_SCRATCH(long_names_make_paths_beyond_path_max),
		IN_SCRATCH(few_descriptors_are_enough_for_any_depth),
		IN_SCRATCH(a_directory_moved_during_the_walk_is_not_mistaken),
		IN_SCRATCH(excluded_names_and_what_is_below_are_left_out),
		IN_SCRATCH(the_volumes_being_written_are_left_out),
		IN_SCRATCH(a_mount_point_stays_empty_with_one_file_system),
		IN_SCRATCH(a_name_that_vanished_is_said_and_left_out),
		IN_SCRATCH(a_directory_without_permission_is_kept_empty),
		IN_SCRATCH(one_file_gets_a_root_around_it),
		IN_SCRATCH(a_source_that_is_a_symlink_is_followed),
		IN_SCRATCH(a_missing_source_is_an_error_and_said),
		IN_SCRATCH(a_source_of_another_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
