/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "scratch.h"
#include "source.h"

static int open_entry(const struct scratch *s, const char *path)
{
	struct mk_source *src;
	int fd = -1;
	int err;

	assert_int_equal(mk_source_new(&s->tree, &src), 0);
	err = mk_source_open(src, scratch_find(s, path), &fd);
	mk_source_free(src);
	return err ? err : fd;
}

static void read_all(int fd, const char *want)
{
	char buf[64];
	ssize_t n = mk_source_read(fd, buf, sizeof(buf), 0);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(buf, want, (size_t)n);
}

static void files_are_opened_wherever_they_lie(void **state)
{
	struct scratch *s = *state;
	static const char *const paths[] = { "top", "a/1",   "a/2", "a/b/3",
					     "c/4", "a/b/5", "top" };
	struct mk_source *src;

	scratch_dir(s, "a");
	scratch_dir(s, "a/b");
	scratch_dir(s, "c");
	for (size_t i = 0; i < ARC_COUNT(paths); i++)
		scratch_file(s, paths[i], paths[i], strlen(paths[i]));
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_source_new(&s->tree, &src), 0);
	for (size_t i = 0; i < ARC_COUNT(paths); i++) {
		uint64_t entry = scratch_find(s, paths[i]);
		arc_cleanup(arc_closep) int fd = -1;

		assert_int_equal(mk_source_open(src, entry, &fd), 0);
		read_all(fd, paths[i]);
		assert_int_equal(mk_source_check(&s->tree, entry, fd), 0);
	}
	mk_source_free(src);
}

static void a_single_file_is_opened_in_its_folder(void **state)
{
	struct scratch *s = *state;
	char path[128];
	arc_cleanup(arc_closep) int fd = -1;

	scratch_file(s, "one", "1", 1);
	snprintf(path, sizeof(path), "%s/one", s->dir);
	s->opt.src = path;
	assert_int_equal(scratch_scan(s), 0);
	fd = open_entry(s, "one");
	assert_true(fd >= 0);
	read_all(fd, "1");
}

/* Depth first: a file on every level, each path longer than PATH_MAX. */
static void paths_beyond_path_max_are_opened(void **state)
{
	struct scratch *s = *state;
	struct mk_source *src;
	int at = dup(s->fd);
	uint64_t opened = 0;
	char name[256];

	memset(name, 'n', 200);
	name[200] = 0;
	for (int i = 0; i < 100; i++) {
		int next, fd = openat(at, "f", O_CREAT | O_WRONLY, 0644);

		assert_int_equal(write(fd, "deep", 4), 4);
		close(fd);
		assert_int_equal(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(scratch_scan(s), 0);
	/* Upwards too, where the parent at hand is of no use. */
	for (int up = 0; up < 2; up++) {
		assert_int_equal(mk_source_new(&s->tree, &src), 0);
		for (uint64_t i = 0; i < s->tree.entries.count; i++) {
			uint64_t entry = up ? s->tree.entries.count - 1 - i : i;
			arc_cleanup(arc_closep) int fd = -1;

			if (!S_ISREG(mk_tree_at(&s->tree, entry)->mode))
				continue;
			assert_int_equal(mk_source_open(src, entry, &fd), 0);
			read_all(fd, "deep");
			opened++;
		}
		mk_source_free(src);
	}
	assert_int_equal(opened, 200);
}

static void a_changed_file_is_noticed(void **state)
{
	struct scratch *s = *state;
	struct mk_source *src;
	bool changed = false;
	int fd;

	scratch_file(s, "grown", "1", 1);
	scratch_file(s, "touched", "1", 1);
	scratch_file(s, "same", "1", 1);
	assert_int_equal(scratch_scan(s), 0);
	usleep(20000); /* the clock of the times is a coarse one */
	scratch_file(s, "grown", "12", 2);
	assert_int_equal(utimensat(s->fd, "touched", NULL, 0), 0);
	assert_int_equal(open_entry(s, "grown"), -ESTALE);
	assert_int_equal(open_entry(s, "touched"), -ESTALE);
	assert_int_equal(mk_source_new(&s->tree, &src), 0);
	assert_int_equal(mk_source_open_any(src, scratch_find(s, "grown"), &fd,
					    &changed),
			 0);
	assert_true(changed);
	read_all(fd, "12");
	close(fd);
	assert_int_equal(mk_source_open_any(src, scratch_find(s, "same"), &fd,
					    &changed),
			 0);
	assert_false(changed);
	assert_int_equal(mk_source_check(&s->tree, scratch_find(s, "same"), fd),
			 0);
	/* While it is open. */
	usleep(20000);
	scratch_file(s, "same", "2", 1);
	assert_int_equal(mk_source_check(&s->tree, scratch_find(s, "same"), fd),
			 -ESTALE);
	close(fd);
	mk_source_free(src);
}

static void another_inode_in_its_place_is_refused(void **state)
{
	struct scratch *s = *state;
	static const char *const names[] = { "file", "link", "fifo", "dir",
					     "gone" };

	for (size_t i = 0; i < ARC_COUNT(names); i++)
		scratch_file(s, names[i], "1", 1);
	assert_int_equal(scratch_scan(s), 0);
	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		char kept[32];

		/* Kept under another name: its inode is not given again. */
		snprintf(kept, sizeof(kept), "kept-%s", names[i]);
		assert_int_equal(renameat(s->fd, names[i], s->fd, kept), 0);
	}
	scratch_file(s, "file", "1", 1);
	assert_int_equal(symlinkat("kept-link", s->fd, "link"), 0);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0644), 0);
	scratch_dir(s, "dir");
	assert_int_equal(open_entry(s, "file"), -ESTALE);
	assert_int_equal(open_entry(s, "link"), -ESTALE);
	assert_int_equal(open_entry(s, "fifo"), -ESTALE);
	assert_int_equal(open_entry(s, "dir"), -ESTALE);
	assert_int_equal(open_entry(s, "gone"), -ENOENT);
}

static void a_folder_replaced_by_a_symlink_gives_no_other_file(void **state)
{
	struct scratch *s = *state;

	scratch_dir(s, "a");
	scratch_file(s, "a/f", "1", 1);
	scratch_dir(s, "b");
	scratch_file(s, "b/f", "2", 1);
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(renameat(s->fd, "a", s->fd, "a.old"), 0);
	assert_int_equal(symlinkat("b", s->fd, "a"), 0);
	assert_int_equal(open_entry(s, "a/f"), -ESTALE);
}

static void runs_of_data_are_found_between_holes(void **state)
{
	struct scratch *s = *state;
	const uint64_t mib = ARC_MIB;
	uint64_t off, end;
	arc_cleanup(arc_closep) int fd =
		openat(s->fd, "f", O_CREAT | O_RDWR, 0644);

	assert_int_equal(ftruncate(fd, (off_t)(8 * mib)), 0);
	assert_int_equal(pwrite(fd, "a", 1, (off_t)mib), 1);
	assert_int_equal(pwrite(fd, "b", 1, (off_t)(5 * mib)), 1);
	assert_int_equal(mk_source_run(fd, 0, 8 * mib, &off, &end), 0);
	if (off == 0)
		skip(); /* a file system that knows no holes */
	assert_true(off <= mib && end > mib && end < 5 * mib);
	assert_int_equal(mk_source_run(fd, end, 8 * mib, &off, &end), 0);
	assert_true(off <= 5 * mib && off > mib);
	assert_true(end > 5 * mib && end < 8 * mib);
	assert_int_equal(mk_source_run(fd, end, 8 * mib, &off, &end), -ENXIO);
	/* Cut at the limit; nothing at or past it. */
	assert_int_equal(mk_source_run(fd, 5 * mib, 5 * mib + 1, &off, &end),
			 0);
	assert_int_equal(off, 5 * mib);
	assert_int_equal(end, 5 * mib + 1);
	assert_int_equal(mk_source_run(fd, 2 * mib, 4 * mib, &off, &end),
			 -ENXIO);
	assert_int_equal(mk_source_run(fd, 8 * mib, 8 * mib, &off, &end),
			 -ENXIO);
	assert_int_equal(mk_source_run(fd, 9 * mib, 8 * mib, &off, &end),
			 -ENXIO);
}

static void what_cannot_be_asked_is_an_error(void **state)
{
	uint64_t off, end;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(mk_source_run(pipes[0], 0, 10, &off, &end), -ESPIPE);
	close(pipes[0]);
	close(pipes[1]);
}

static void reading_stops_at_the_end_alone(void **state)
{
	struct scratch *s = *state;
	char buf[16];
	arc_cleanup(arc_closep) int fd = -1;

	scratch_file(s, "f", "0123456789", 10);
	fd = openat(s->fd, "f", O_RDONLY);
	assert_int_equal(mk_source_read(fd, buf, 4, 3), 4);
	assert_memory_equal(buf, "3456", 4);
	assert_int_equal(mk_source_read(fd, buf, 16, 3), 7);
	assert_int_equal(mk_source_read(fd, buf, 16, 10), 0);
	assert_int_equal(mk_source_read(fd, buf, 16, 100), 0);
	assert_int_equal(mk_source_read(-1, buf, 1, 0), -EBADF);
}

#define IN_SCRATCH(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(files_are_opened_wherever_they_lie),
		IN_SCRATCH(a_single_file_is_opened_in_its_folder),
		IN_SCRATCH(paths_beyond_path_max_are_opened),
		IN_SCRATCH(a_changed_file_is_noticed),
		IN_SCRATCH(another_inode_in_its_place_is_refused),
		IN_SCRATCH(a_folder_replaced_by_a_symlink_gives_no_other_file),
		IN_SCRATCH(runs_of_data_are_found_between_holes),
		cmocka_unit_test(what_cannot_be_asked_is_an_error),
		IN_SCRATCH(reading_stops_at_the_end_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
