/* SPDX-License-Identifier: MIT */
/*
 * The folder of binaries is tidied when one is put there.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "oclworld.h"

#define KEPT 64 /* at most, with the new one */
#define HOUR 3600
#define DAY (24 * HOUR)
#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef"

static void path_of(const struct ocl_world *w, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", w->dir, name);
}

static void set_age(const struct ocl_world *w, const char *name, long age)
{
	const struct timespec t = { .tv_sec = time(NULL) - age };
	const struct timespec times[2] = { t, t };
	char path[512];

	path_of(w, name, path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW),
			 0);
}

static void put_file(const struct ocl_world *w, const char *name, long age)
{
	char path[512];
	int fd;

	path_of(w, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	set_age(w, name, age);
}

static bool is_there(const struct ocl_world *w, const char *name)
{
	struct stat st;
	char path[512];

	path_of(w, name, path);
	return lstat(path, &st) == 0;
}

/* Builds a program, whose binary is put into the folder if it is not there. */
static bool was_cached(struct ocl_world *w)
{
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		NULL;

	assert_int_equal(
		world_try(w, world_text, "-DOFFSET=1", w->dir, &program), 0);
	return arc_ocl_program_was_cached(program);
}

/* ---- tests --------------------------------------------------------------- */

static void what_nobody_uses_goes(void **state)
{
	struct ocl_world *w = *state;

	put_file(w, KEY ".bin", 91 * DAY);
	put_file(w, "1" KEY ".bin", 91 * DAY); /* a digit too many */
	put_file(w, OTHER ".bin", 89 * DAY);
	put_file(w, KEY ".aB3xyz", 2 * DAY);
	put_file(w, KEY ".cD4xyz", HOUR);
	assert_false(was_cached(w));
	assert_false(is_there(w, KEY ".bin"));
	assert_true(is_there(w, OTHER ".bin"));
	assert_false(is_there(w, KEY ".aB3xyz"));
	assert_true(is_there(w, KEY ".cD4xyz"));
	assert_true(is_there(w, "1" KEY ".bin"));
	assert_true(was_cached(w));
}

static void a_binary_of_the_future_is_not_young_for_ever(void **state)
{
	struct ocl_world *w = *state;

	put_file(w, KEY ".bin", -3 * DAY);
	put_file(w, OTHER ".bin", -HOUR);
	assert_false(was_cached(w));
	assert_false(is_there(w, KEY ".bin"));
	assert_true(is_there(w, OTHER ".bin"));
}

static void nothing_but_our_files_goes(void **state)
{
	static const char *const foreign[] = {
		"README",
		".bin",
		"0123456789abcdef.bin",
		"0123456789ABCDEF0123456789ABCDEF.bin",
		KEY,
		KEY ".b",
		KEY ".aB3xyzz"
	};
	struct ocl_world *w = *state;
	char path[512];

	for (size_t i = 0; i < ARC_COUNT(foreign); i++)
		put_file(w, foreign[i], 400 * DAY);
	path_of(w, KEY ".bin", path);
	assert_int_equal(mkdir(path, 0700), 0);
	set_age(w, KEY ".bin", 400 * DAY);
	path_of(w, OTHER ".bin", path);
	assert_int_equal(symlink("README", path), 0);
	set_age(w, OTHER ".bin", 400 * DAY);
	assert_false(was_cached(w));
	for (size_t i = 0; i < ARC_COUNT(foreign); i++)
		assert_true(is_there(w, foreign[i]));
	assert_true(is_there(w, KEY ".bin"));
	assert_true(is_there(w, OTHER ".bin"));
}

static void files_of_other_users_stay(void **state)
{
	struct ocl_world *w = *state;
	char path[512];

	if (geteuid() != 0)
		skip(); /* nobody else can give a file away */
	put_file(w, KEY ".bin", 400 * DAY);
	path_of(w, KEY ".bin", path);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(was_cached(w));
	assert_true(is_there(w, KEY ".bin"));
}

static void the_ones_used_last_stay(void **state)
{
	struct ocl_world *w = *state;
	char name[64];

	for (int i = 1; i <= KEPT + 10; i++) {
		snprintf(name, sizeof(name), "%032x.bin", i * 7919 % 1000);
		put_file(w, name, i * HOUR);
	}
	assert_false(was_cached(w));
	for (int i = 1; i <= KEPT + 10; i++) {
		snprintf(name, sizeof(name), "%032x.bin", i * 7919 % 1000);
		assert_int_equal(is_there(w, name), i < KEPT);
	}
	assert_true(was_cached(w));
}

static void whoever_takes_a_binary_renews_its_time(void **state)
{
	struct ocl_world *w = *state;
	char path[512], command[600], name[64] = "";
	struct stat st;
	FILE *f;

	assert_false(was_cached(w));
	snprintf(command, sizeof(command), "ls %s", w->dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(name, sizeof(name), f));
	pclose(f);
	name[strcspn(name, "\n")] = '\0';
	set_age(w, name, 80 * DAY);
	assert_true(was_cached(w));
	path_of(w, name, path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(time(NULL) - st.st_mtim.tv_sec < HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OCL_TEST(what_nobody_uses_goes),
		OCL_TEST(a_binary_of_the_future_is_not_young_for_ever),
		OCL_TEST(nothing_but_our_files_goes),
		OCL_TEST(files_of_other_users_stay),
		OCL_TEST(the_ones_used_last_stay),
		OCL_TEST(whoever_takes_a_binary_renews_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
