/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "bytes.h"
#include "hash.h"
#include "oclworld.h"

/* ---- programs ------------------------------------------------------------ */

static void what_the_compiler_says_is_told(void **state)
{
	struct ocl_world *w = *state;
	struct arc_ocl_program *program = NULL;

	assert_int_equal(world_try(w,
				   "kernel void f(global int *p)\n"
				   "{\n"
				   "	*p = no_such_thing;\n"
				   "}\n",
				   NULL, w->dir, &program),
			 -EIO);
	assert_null(program);
	assert_non_null(strstr(w->said, "no_such_thing"));
	assert_int_equal(w->said[0] - '0', ARC_WARN);
	assert_null(strstr(w->said, "\\x0a")); /* a message a line */
	world_assert_why(w, "clBuildProgram: CL_BUILD_PROGRAM_FAILURE");
}

static void a_talkative_compiler_is_cut_short(void **state)
{
	arc_cleanup(arc_freep) char *text = calloc(500, 32);
	struct ocl_world *w = *state;
	struct arc_ocl_program *program = NULL;
	unsigned lines = 0;

	assert_non_null(text);
	for (int i = 0; i < 400; i++)
		snprintf(text + strlen(text), 32, "#warning number %d\n", i);
	strcat(text, "#error enough\n");
	assert_int_equal(world_try(w, text, NULL, NULL, &program), -EIO);
	for (const char *p = w->said; *p; p++)
		lines += *p == '\n';
	assert_in_range(lines, 50, 110);
	assert_non_null(strstr(w->said, "more was said"));
}

static void an_unknown_kernel_is_named(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		world_build(w);
	struct arc_ocl_kernel *kernel = NULL;

	assert_int_equal(arc_ocl_kernel_new(program, "nobody", &kernel), -EIO);
	assert_null(kernel);
	world_assert_why(w, "clCreateKernel (nobody): CL_INVALID_KERNEL_NAME");
}

/* ---- the cache of binaries ----------------------------------------------- */

/* Builds with the options and says whether the binary came from dir. */
static bool was_cached(struct ocl_world *w, const char *options,
		       const char *dir)
{
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		NULL;
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *kernel = NULL;

	assert_int_equal(world_try(w, world_text, options, dir, &program), 0);
	assert_int_equal(arc_ocl_kernel_new(program, "scale", &kernel), 0);
	return arc_ocl_program_was_cached(program);
}

/* Number of files in the folder; the path of the last one. */
static unsigned list_files(const struct ocl_world *w, char path[512])
{
	DIR *dir = opendir(w->dir);
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, 512, "%s/%s", w->dir, e->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static void a_binary_is_built_once(void **state)
{
	struct ocl_world *w = *state;
	char path[512];
	struct stat st;

	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_int_equal(list_files(w, path), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(was_cached(w, "-DOFFSET=1", w->dir));
	assert_false(was_cached(w, "-DOFFSET=1", NULL));
	assert_int_equal(list_files(w, path), 1);
}

static void options_and_sources_have_binaries_of_their_own(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *other = NULL;
	char path[512];

	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_false(was_cached(w, "-DOFFSET=2", w->dir));
	assert_int_equal(list_files(w, path), 2);
	assert_int_equal(world_try(w, "kernel void f(global int *p) {}\n",
				   "-DOFFSET=1", w->dir, &other),
			 0);
	assert_false(arc_ocl_program_was_cached(other));
	assert_int_equal(list_files(w, path), 3);
	assert_true(was_cached(w, "-DOFFSET=1", w->dir));
	assert_true(was_cached(w, "-DOFFSET=2", w->dir));
}

/* Cuts the only file of the folder after `keep` bytes, or turns a bit of the
 * last of them. */
static void spoil_file(const struct ocl_world *w, size_t keep, bool turn)
{
	arc_cleanup(arc_closep) int fd = -1;
	char path[512];
	uint8_t byte;

	assert_int_equal(list_files(w, path), 1);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	if (turn) {
		assert_int_equal(pread(fd, &byte, 1, (off_t)keep - 1), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)keep - 1), 1);
	} else {
		assert_int_equal(ftruncate(fd, (off_t)keep), 0);
	}
}

static void a_damaged_binary_is_built_anew(void **state)
{
	static const struct {
		size_t keep;
		bool turn;
	} damage[] = { { 0, false },   { 10, false }, { 24, false },
		       { 100, false }, { 1, true },   { 9, true },
		       { 20, true },   { 25, true },  { 1000, true } };
	struct ocl_world *w = *state;

	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	for (size_t i = 0; i < ARC_COUNT(damage); i++) {
		spoil_file(w, damage[i].keep, damage[i].turn);
		assert_false(was_cached(w, "-DOFFSET=1", w->dir));
		assert_true(was_cached(w, "-DOFFSET=1", w->dir));
	}
}

static void a_binary_under_another_name_is_not_taken(void **state)
{
	struct ocl_world *w = *state;
	char first[512];
	char second[512];
	char aside[80];

	snprintf(aside, sizeof(aside), "%s/.aside", w->dir);
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	list_files(w, first);
	assert_int_equal(rename(first, aside), 0);
	assert_false(was_cached(w, "-DOFFSET=2", w->dir));
	list_files(w, second);
	assert_string_not_equal(first, second);
	assert_int_equal(rename(aside, second), 0);
	assert_false(was_cached(w, "-DOFFSET=2", w->dir));
	assert_true(was_cached(w, "-DOFFSET=2", w->dir));
}

/* The sum is right, but the driver has never made such a binary. */
static void a_binary_that_the_driver_refuses_is_built_anew(void **state)
{
	static const uint8_t nonsense[] = "no binary at all";
	struct ocl_world *w = *state;
	char path[512];
	uint8_t key[16];
	struct {
		uint8_t magic[8];
		struct arc_le64 length;
		struct arc_le64 sum;
		uint8_t binary[sizeof(nonsense)];
	} file = { .magic = "ARCCLB\1" };
	FILE *f;

	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	list_files(w, path);
	for (size_t i = 0; i < sizeof(key); i++)
		assert_int_equal(sscanf(strrchr(path, '/') + 1 + 2 * i, "%2hhx",
					&key[i]),
				 1);
	file.length = arc_put64(sizeof(nonsense));
	file.sum = arc_put64(
		arc_xxh64_2((struct arc_span){ key, sizeof(key) },
			    (struct arc_span){ nonsense, sizeof(nonsense) }));
	memcpy(file.binary, nonsense, sizeof(nonsense));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(&file, sizeof(file), 1, f), 1);
	assert_int_equal(fclose(f), 0);
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_non_null(strstr(w->said, "Binary: CL_INVALID_BINARY"));
	assert_true(was_cached(w, "-DOFFSET=1", w->dir));
}

static void only_plain_files_are_taken(void **state)
{
	struct ocl_world *w = *state;
	char path[512];
	char aside[600];

	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	list_files(w, path);
	snprintf(aside, sizeof(aside), "%s/.aside", w->dir);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_true(was_cached(w, "-DOFFSET=1", w->dir)); /* replaced */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_true(was_cached(w, "-DOFFSET=1", w->dir));
}

static void files_of_other_users_are_not_taken(void **state)
{
	struct ocl_world *w = *state;
	char path[512];

	if (geteuid() != 0)
		skip(); /* nobody else can give a file away */
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	list_files(w, path);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	assert_true(was_cached(w, "-DOFFSET=1", w->dir));
}

static void a_folder_that_cannot_be_used_is_no_error(void **state)
{
	struct ocl_world *w = *state;
	char path[512];
	char inside[600];

	assert_false(was_cached(w, "-DOFFSET=1", "/nonexistent/folder"));
	assert_non_null(strstr(w->said, "kernels are not kept"));
	assert_false(was_cached(w, "-DOFFSET=1", w->dir));
	list_files(w, path);
	snprintf(inside, sizeof(inside), "%s/inside", path); /* of a file */
	assert_false(was_cached(w, "-DOFFSET=1", inside));
}

static void the_folder_is_made_for_the_user_alone(void **state)
{
	struct ocl_world *w = *state;
	arc_cleanup(arc_freep) char *xdg = NULL;
	arc_cleanup(arc_freep) char *home = NULL;
	char above[128];
	char want[160];
	struct stat st;

	snprintf(above, sizeof(above), "%s/new", w->dir);
	setenv("XDG_CACHE_HOME", above, 1);
	xdg = arc_ocl_cache_dir();
	snprintf(want, sizeof(want), "%s/arcfs", above);
	assert_string_equal(xdg, want);
	assert_int_equal(stat(want, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	setenv("XDG_CACHE_HOME", "not/absolute", 1);
	setenv("HOME", w->dir, 1);
	home = arc_ocl_cache_dir();
	snprintf(want, sizeof(want), "%s/.cache/arcfs", w->dir);
	assert_string_equal(home, want);
	assert_int_equal(stat(want, &st), 0);
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", "/dev/null", 1);
	assert_null(arc_ocl_cache_dir());
	unsetenv("HOME");
	assert_null(arc_ocl_cache_dir());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OCL_TEST(what_the_compiler_says_is_told),
		OCL_TEST(a_talkative_compiler_is_cut_short),
		OCL_TEST(an_unknown_kernel_is_named),
		OCL_TEST(a_binary_is_built_once),
		OCL_TEST(options_and_sources_have_binaries_of_their_own),
		OCL_TEST(a_damaged_binary_is_built_anew),
		OCL_TEST(a_binary_under_another_name_is_not_taken),
		OCL_TEST(a_binary_that_the_driver_refuses_is_built_anew),
		OCL_TEST(only_plain_files_are_taken),
		OCL_TEST(files_of_other_users_are_not_taken),
		OCL_TEST(a_folder_that_cannot_be_used_is_no_error),
		OCL_TEST(the_folder_is_made_for_the_user_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
