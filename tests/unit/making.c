/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "identity.h"
#include "making.h"

#define FIRST_LINE                                                              \
	"# mkarchive is making this set, or was interrupted; --resume goes on " \
	"with it.\n"

static const char ours[] = "level = 6\nbuild = abc\nzlib = 1.2.13\n";

struct world {
	char path[64];
	int dir;
	struct arc_diag diag;
	char *said;
	struct mk_making *making;
};

static void note_message(void *ctx, enum arc_level level, const char *text)
{
	struct world *w = ctx;

	(void)level;
	free(w->said);
	w->said = strdup(text);
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->path, "/tmp/making-XXXXXX");
	if (!mkdtemp(w->path))
		return -1;
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
	arc_diag_init(&w->diag, note_message, w, ARC_DEBUG);
	*state = w;
	return mk_making_new(w->dir, "dir/", "set", &w->diag, &w->making);
}

static int drop_world(void **state)
{
	struct world *w = *state;

	mk_making_free(w->making);
	unlinkat(w->dir, "set.making", 0);
	rmdir(w->path);
	close(w->dir);
	arc_diag_fini(&w->diag);
	free(w->said);
	free(w);
	return 0;
}

static bool exists(const struct world *w)
{
	return faccessat(w->dir, "set.making", F_OK, 0) == 0;
}

static void put_text(const struct world *w, const char *text, size_t n)
{
	int fd = openat(w->dir, "set.making", O_WRONLY | O_CREAT | O_TRUNC,
			0600);

	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

/* What is said of a file with that text. */
static const char *compared(struct world *w, const char *text)
{
	char all[400];

	snprintf(all, sizeof(all), FIRST_LINE "%s", text);
	put_text(w, all, strlen(all));
	assert_int_equal(mk_making_lock(w->making), 1);
	free(w->said);
	w->said = NULL;
	if (mk_making_compare(w->making, ours) == 0)
		return "";
	assert_non_null(w->said);
	return w->said;
}

static void what_was_written_is_the_same(void **state)
{
	struct world *w = *state;

	assert_false(mk_making_exists(w->making));
	assert_int_equal(mk_making_lock(w->making), 0);
	assert_int_equal(mk_making_write(w->making, ours, true), 0);
	assert_true(mk_making_exists(w->making));
	assert_int_equal(mk_making_compare(w->making, ours), 0);
	assert_int_equal(mk_making_remove(w->making), 0);
	assert_false(exists(w));
	assert_int_equal(mk_making_remove(w->making), 0);
	assert_null(w->said);
}

static void what_differs_is_named(void **state)
{
	struct world *w = *state;

	assert_string_equal(compared(w, ours), "");
	assert_string_equal(compared(w, "# x\nzlib = 1.2.13\nbuild = abc\n"
					"no line\nlevel = 6\n"),
			    "");
	assert_non_null(strstr(
		compared(w, "level = 9\nbuild = abc\nzlib = 1.2.13\n"),
		"dir/set.making: the set cannot be resumed (level: 9 there, 6 "
		"here); --force makes it anew"));
	assert_non_null(
		strstr(compared(w, "level = 6\nbuild = b\nzlib = 1.3\n"),
		       "(another build of mkarchive made it; zlib: 1.3 there, "
		       "1.2.13 here)"));
	assert_non_null(strstr(compared(w, "build = abc\nzlib = 1.2.13\n"),
			       "(level: nothing there, 6 here)"));
	assert_non_null(strstr(compared(w, "level = 6\nbuild = abc\n"
					   "zlib = 1.2.13\nfar = 2\n"),
			       "(far: 2 there, nothing here)"));
	/* the torn end of a line is none */
	assert_non_null(
		strstr(compared(w, "level = 6\nbuild = abc\nzlib = 1.2.13"),
		       "(zlib: nothing there"));
	assert_non_null(strstr(compared(w, ""), "level: nothing there"));
}

static void a_build_without_a_name_is_no_other(void **state)
{
	static const char text[] = FIRST_LINE "build = " MK_BUILD_UNKNOWN "\n";
	struct world *w = *state;

	put_text(w, text, strlen(text));
	assert_int_equal(mk_making_lock(w->making), 1);
	assert_int_equal(mk_making_compare(w->making, text), -EEXIST);
}

static void bytes_of_any_kind_are_read(void **state)
{
	struct world *w = *state;
	size_t n = 200000;
	char *text = malloc(n);

	for (int fill = 0; fill < 256; fill += 5) {
		memset(text, fill, n);
		memcpy(text, FIRST_LINE, strlen(FIRST_LINE));
		memcpy(text + 100, "\n = \n =  = \nlevel = \x1b[2J\n", 24);
		put_text(w, text, n);
		assert_int_equal(mk_making_lock(w->making), 1);
		assert_int_equal(mk_making_compare(w->making, ours), -EEXIST);
		assert_null(strchr(w->said, 0x1b));
	}
	free(text);
}

static void one_at_a_time_has_it(void **state)
{
	struct world *w = *state;
	struct mk_making *other;

	assert_int_equal(mk_making_new(w->dir, "dir/", "set", &w->diag, &other),
			 0);
	assert_int_equal(mk_making_write(w->making, ours, false), 0);
	assert_int_equal(mk_making_lock(other), -EBUSY);
	assert_non_null(strstr(w->said, "being written by another mkarchive"));
	assert_int_equal(mk_making_write(other, ours, false), -EBUSY);
	assert_int_equal(mk_making_remove(w->making), 0);
	assert_int_equal(mk_making_lock(other), 0);
	assert_int_equal(mk_making_write(other, ours, false), 0);
	mk_making_free(other);
	/* its lock went with it, the file stays */
	assert_int_equal(mk_making_lock(w->making), 1);
}

static void an_older_one_is_written_over(void **state)
{
	struct world *w = *state;
	struct stat st;

	put_text(w,
		 FIRST_LINE
		 "level = 1\nand much more than there will be in the end, "
		 "and more, and more, and more, and more, and more, and...",
		 180);
	assert_int_equal(mk_making_write(w->making, "level = 2\n", false), 0);
	assert_int_equal(mk_making_compare(w->making, "level = 2\n"), 0);
	assert_int_equal(fstatat(w->dir, "set.making", &st, 0), 0);
	assert_true(st.st_size < 100);
}

/* What a loss of power has left of one is one; what else has that name stays. */
static void what_is_not_ours_is_not_written_over(void **state)
{
	static const char torn[4096];
	static const char *const theirs[] = { "x", "# mkar?", "level = 1\n" };
	struct world *w = *state;
	struct stat st;

	for (size_t i = 0; i < ARC_COUNT(theirs); i++) {
		put_text(w, theirs[i], strlen(theirs[i]));
		assert_int_equal(mk_making_lock(w->making), -EEXIST);
		assert_non_null(strstr(w->said, "dir/set.making is no file"));
		assert_int_equal(mk_making_write(w->making, ours, false),
				 -EEXIST);
		assert_int_equal(mk_making_remove(w->making), 0);
		assert_int_equal(fstatat(w->dir, "set.making", &st, 0), 0);
		assert_int_not_equal(st.st_size, 0);
	}
	put_text(w, torn, sizeof(torn));
	assert_int_equal(mk_making_lock(w->making), 1);
	mk_making_remove(w->making);
	put_text(w, FIRST_LINE, 15);
	assert_int_equal(mk_making_write(w->making, ours, false), 0);
	assert_int_equal(mk_making_compare(w->making, ours), 0);
}

static void what_is_no_file_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(symlinkat("elsewhere", w->dir, "set.making"), 0);
	assert_int_equal(mk_making_lock(w->making), -EINVAL);
	assert_non_null(strstr(w->said, "no regular file: remove it"));
	assert_int_equal(mk_making_write(w->making, ours, false), -EINVAL);
	assert_int_equal(faccessat(w->dir, "elsewhere", F_OK, 0), -1);
	unlinkat(w->dir, "set.making", 0);
	assert_int_equal(mkfifoat(w->dir, "set.making", 0600), 0);
	assert_int_equal(mk_making_lock(w->making), -EINVAL);
}

/* ---- identity ----------------------------------------------------------- */

static void an_identity_names_what_decides_bytes(void **state)
{
	struct mk_options opt = {
		.volume_size = ARC_VOLUME_MIN,
		.frame_size = ARC_FRAME_MAX,
		.codec = MK_CODEC_LZ4,
		.coding = { .level = 3, .group_log = 18 },
	};
	char *text, *more;

	(void)state;
	assert_int_equal(mk_identity_text(&opt, &text), 0);
	assert_non_null(strstr(text, "mkarchive = " ARC_VERSION "\n"));
	assert_non_null(strstr(text, "\nlevel = 3\n"));
	assert_non_null(strstr(text, "\ncodec = lz4\n"));
	assert_non_null(strstr(text, "\nzlib = 1."));
	assert_non_null(strstr(text, "\ncodec_library = 1."));
	assert_non_null(strstr(text, "\nbuild = "));
	opt.threads = 7;
	opt.sync = true;
	opt.verbosity = 2;
	opt.read_batches = 9;
	assert_int_equal(mk_identity_text(&opt, &more), 0);
	assert_string_equal(text, more);
	free(more);
	opt.coding.parallel = true;
	assert_int_equal(mk_identity_text(&opt, &more), 0);
	assert_string_not_equal(text, more);
	free(more);
	free(text);
}

int main(void)
{
#define IN_WORLD(test)                                                         \
	cmocka_unit_test_setup_teardown(test, make_world, drop_world)
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_was_written_is_the_same),
		IN_WORLD(what_differs_is_named),
		IN_WORLD(a_build_without_a_name_is_no_other),
		IN_WORLD(bytes_of_any_kind_are_read),
		IN_WORLD(one_at_a_time_has_it),
		IN_WORLD(an_older_one_is_written_over),
		IN_WORLD(what_is_not_ours_is_not_written_over),
		IN_WORLD(what_is_no_file_is_refused),
		cmocka_unit_test(an_identity_names_what_decides_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
