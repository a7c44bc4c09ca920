/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void text_stays_as_it_is(void **state)
{
	static const char *const texts[] = { "", "plain", "a \"b\" \\ \n\x01",
					     "\xce\xa9 \xf0\x9f\x99\x82" };
	(void)state;
	for (size_t i = 0; i < ARC_COUNT(texts); i++) {
		json_t *o = json_object();

		assert_int_equal(
			arc_json_set(o, "k", texts[i], strlen(texts[i])), 0);
		assert_string_equal(text_of(o, "k"), texts[i]);
		assert_null(json_object_get(o, "k_hex"));
		json_decref(o);
	}
}

/* bytes that are no text: what the string shows, what they are exactly */
static void check_bytes(const char *bytes, size_t n, const char *shown,
			const char *hex)
{
	json_t *o = json_object();

	assert_int_equal(arc_json_set(o, "k", bytes, n), 0);
	assert_string_equal(text_of(o, "k"), shown);
	assert_string_equal(text_of(o, "k_hex"), hex);
	json_decref(o);
}

static void other_bytes_are_kept_in_hex(void **state)
{
	(void)state;
	check_bytes("a\xff"
		    "b",
		    3,
		    "a\xef\xbf\xbd"
		    "b",
		    "61ff62");
	check_bytes("\xc3", 1, "\xef\xbf\xbd", "c3");
	/* A character cut short, and one that is longer than it need be. */
	check_bytes("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd", "e282");
	check_bytes("\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd", "c0af");
}

static void lines_end_after_what_is_asked_for(void **state)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_non_null(f);
	assert_int_equal(arc_json_line(json_pack("{si}", "a", 1), f, ","), 0);
	assert_int_equal(arc_json_line(json_object(), f, ""), 0);
	fclose(f);
	assert_string_equal(text, "{\"a\":1},\n{}\n");
	free(text);
}

static void numbers_beyond_those_of_json_are_cut(void **state)
{
	(void)state;
	assert_true(arc_json_int(7) == 7);
	assert_true(arc_json_int(UINT64_MAX) == INT64_MAX);
}

static void every_kind_of_entry_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(arc_json_type(S_IFREG | 0644), "file");
	assert_string_equal(arc_json_type(S_IFDIR | 0755), "directory");
	assert_string_equal(arc_json_type(S_IFLNK | 0777), "symlink");
	assert_string_equal(arc_json_type(S_IFCHR), "char");
	assert_string_equal(arc_json_type(S_IFBLK), "block");
	assert_string_equal(arc_json_type(S_IFIFO), "fifo");
	assert_string_equal(arc_json_type(S_IFSOCK), "socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_as_it_is),
		cmocka_unit_test(other_bytes_are_kept_in_hex),
		cmocka_unit_test(lines_end_after_what_is_asked_for),
		cmocka_unit_test(numbers_beyond_those_of_json_are_cut),
		cmocka_unit_test(every_kind_of_entry_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
