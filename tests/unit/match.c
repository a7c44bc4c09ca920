/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "match.h"

/* What git says to the same patterns and paths. */
struct one_case {
	const char *patterns; /* one a line */
	const char *path; /* a slash at its end: a directory */
	bool excluded;
};

static const struct one_case cases[] = {
	/* without a slash: any depth */
	{ "*.o", "a.o", true },
	{ "*.o", "d/e/a.o", true },
	{ "*.o", "a.o.c", false },
	{ "foo", "foo", true },
	{ "foo", "x/foo", true },
	{ "foo", "foo/", true },
	{ "foo", "xfoo", false },
	{ "f?o", "fxo", true },
	{ "f?o", "d/f", false },
	{ "*", ".hidden", true },
	{ "**", "x/y", true },
	{ "a**b", "axxb", true },
	{ "a*b*c", "aXbXbXc", true },
	{ "a*b*c", "aXbXbX", false },

	/* directories only */
	{ "cache/", "cache/", true },
	{ "cache/", "x/cache/", true },
	{ "cache/", "cache", false },
	{ "/cache/", "x/cache/", false },

	/* anchored */
	{ "/build", "build", true },
	{ "/build", "x/build", false },
	{ "doc/*.txt", "doc/a.txt", true },
	{ "doc/*.txt", "doc/x/a.txt", false },
	{ "doc/*.txt", "x/doc/a.txt", false },
	{ "a/b", "a/b", true },
	{ "a/b", "a/b/c", false },
	{ "a/b", "a", false },

	/* two stars */
	{ "**/foo", "foo", true },
	{ "**/foo", "a/b/foo", true },
	{ "**/foo/bar", "a/foo/bar", true },
	{ "**/foo/bar", "foo/x/bar", false },
	{ "abc/**", "abc/", false },
	{ "abc/**", "abc/x", true },
	{ "abc/**", "abc/x/y", true },
	{ "abc/**", "x/abc/y", false },
	{ "a/**/b", "a/b", true },
	{ "a/**/b", "a/x/b", true },
	{ "a/**/b", "a/x/y/b", true },
	{ "a/**/b", "a/x/bb", false },
	{ "a/**/b", "ab", false },
	{ "a/**/b/**/c", "a/b/b/c", true },
	{ "a/**/b/**/c", "a/1/b/2/3/c", true },
	{ "a/**/b/**/c", "a/1/2/3/c", false },
	{ "a/***/b", "a/x/b", true },
	{ "a/x**/b", "a/xy/z/b", false },
	{ "a/x**/b", "a/xyz/b", true },
	{ "/**", "x", true },
	{ "**/", "x/", true },
	{ "**/", "x", false },
	{ "**/*.c", "a/b.c", true },

	/* brackets */
	{ "[ab]", "a", true },
	{ "[ab]", "c", false },
	{ "[!ab]", "a", false },
	{ "[^ab]", "c", true },
	{ "[a-c]x", "bx", true },
	{ "[a-c]x", "dx", false },
	{ "[]a]", "]", true },
	{ "[!]a]", "]", false },
	{ "[a-]", "-", true },
	{ "[\\]]", "]", true },
	{ "[[:digit:]]*", "7z", true },
	{ "[[:digit:]]*", "z7", false },
	{ "[[:upper:]]", "a", false },
	{ "[[:nonsense:]x]", "x", false },
	{ "[ab", "[ab", false },
	{ "[ab", "a", false },
	{ "[z-a]", "z", true },
	{ "[z-a]", "m", false },
	{ "[a/b]", "a", true },
	{ "x[/]y", "x/y", false },

	/* escapes, comments, spaces */
	{ "#a", "#a", false },
	{ "\\#a", "#a", true },
	{ "!a", "!a", false },
	{ "\\!a", "!a", true },
	{ "a\\*", "a*", true },
	{ "a\\*", "ab", false },
	{ "a  ", "a", true },
	{ "a\\ ", "a ", true },
	{ "a\\ ", "a", false },
	{ "a\\  ", "a ", true },
	{ " a", "a", false },
	{ " a", " a", true },
	{ "a\t", "a", false },
	{ "a\\", "a", false },
	{ "a\\", "a\\", false },
	{ "a\\\\", "a\\", true },
	{ "a\\/b", "a/b", true },
	{ "", "a", false },
	{ "/", "a/", false },
	{ "!", "a", false },

	/* the last one that matches decides */
	{ "*.o\n!keep.o", "keep.o", false },
	{ "*.o\n!keep.o", "drop.o", true },
	{ "!keep.o\n*.o", "keep.o", true },
	{ "*\n!*/", "d/", false },
	{ "*\n!*/", "f", true },
	{ "a\r\nb", "a", true },

	/* bytes that are no text */
	{ "\xff*", "\xff\xfe", true },
	{ "[\x80-\xff]", "\xc0", true },
	{ "?", "\xc3\xa4", false },
};

static bool ask(const struct mk_match *m, const char *path)
{
	char copy[256];
	size_t n = strlen(path);
	bool is_dir = path[n - 1] == '/';

	snprintf(copy, sizeof(copy), "%.*s", (int)(n - is_dir), path);
	return mk_match_excluded(m, copy, is_dir);
}

static struct mk_match *from_file(const void *bytes, size_t n)
{
	char path[] = "/tmp/match-XXXXXX";
	int fd = mkstemp(path);
	struct mk_match *m;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	assert_int_equal(mk_match_new(&m), 0);
	assert_int_equal(mk_match_add_file(m, path), 0);
	unlink(path);
	return m;
}

static void every_case_is_answered_as_git_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		const struct one_case *c = &cases[i];
		struct mk_match *m =
			from_file(c->patterns, strlen(c->patterns));

		if (ask(m, c->path) != c->excluded)
			fail_msg("\"%s\" on \"%s\": not %d", c->patterns,
				 c->path, c->excluded);
		mk_match_free(m);
	}
}

static void single_patterns_are_taken_in_order(void **state)
{
	struct mk_match *m;

	(void)state;
	assert_int_equal(mk_match_new(&m), 0);
	assert_false(mk_match_excluded(m, "a", false));
	for (int i = 0; i < 100; i++)
		assert_int_equal(mk_match_add(m, i % 2 ? "!a" : "a"), 0);
	assert_false(mk_match_excluded(m, "a", false));
	assert_int_equal(mk_match_add(m, "a"), 0);
	assert_true(mk_match_excluded(m, "a", false));
	mk_match_free(m);
}

static void no_patterns_exclude_nothing(void **state)
{
	(void)state;
	assert_false(mk_match_excluded(NULL, "a", true));
	mk_match_free(NULL);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
	struct mk_match *m = from_file("\xef\xbb\xbf"
				       "abc\n",
				       7);

	(void)state;
	assert_true(mk_match_excluded(m, "abc", false));
	mk_match_free(m);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct mk_match *m;

	(void)state;
	assert_int_equal(mk_match_new(&m), 0);
	assert_int_equal(mk_match_add_file(m, "/nonexistent/x"), -ENOENT);
	assert_int_equal(mk_match_add_file(m, "/tmp"), -EISDIR);
	mk_match_free(m);
}

/* Backtracking without a bound would not end before the sun does. */
static void many_stars_take_no_exponential_time(void **state)
{
	char pattern[512] = "";
	char path[4096] = "";
	struct mk_match *m;

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(pattern, "**/a*a*a*a*/");
	strcat(pattern, "z");
	for (int i = 0; i < 120; i++)
		strcat(path, "aaaaaaaaaaaaaaaaaaaaaaaa/");
	strcat(path, "y");
	assert_int_equal(mk_match_new(&m), 0);
	assert_int_equal(mk_match_add(m, pattern), 0);
	assert_false(mk_match_excluded(m, path, false));
	path[strlen(path) - 1] = 'z';
	assert_true(mk_match_excluded(m, path, false));
	mk_match_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_answered_as_git_does),
		cmocka_unit_test(single_patterns_are_taken_in_order),
		cmocka_unit_test(no_patterns_exclude_nothing),
		cmocka_unit_test(a_byte_order_mark_is_passed_over),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(many_stars_take_no_exponential_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
