/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diag.h"

/* The last message that came through, and how many. */
struct heard {
	char text[16384];
	enum arc_level level;
	unsigned count;
};

static void hear(void *ctx, enum arc_level level, const char *text)
{
	struct heard *heard = ctx;

	snprintf(heard->text, sizeof(heard->text), "%s", text);
	heard->level = level;
	heard->count++;
	errno = ENXIO; /* what a sink may do */
}

static void assert_shown(const char *bytes, size_t n, const char *want)
{
	char out[256];

	assert_ptr_equal(arc_escape(bytes, n, out, sizeof(out)), out);
	assert_string_equal(out, want);
}

#define SHOWN(literal, want) assert_shown(literal, sizeof(literal) - 1, want)

static void printable_text_stays(void **state)
{
	(void)state;
	SHOWN("", "");
	SHOWN("plain ~ text", "plain ~ text");
	SHOWN("\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82",
	      "\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82");
	SHOWN("\xc2\xa0", "\xc2\xa0"); /* first after C1 */
	SHOWN("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"); /* the last one */
	SHOWN("a\\b", "a\\\\b");
}

static void controls_are_escaped(void **state)
{
	(void)state;
	SHOWN("\x1b[2J", "\\x1b[2J");
	SHOWN("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
	SHOWN("a\0b", "a\\x00b");
	SHOWN("\x7f", "\\x7f");
	SHOWN("\xc2\x9b", "\\xc2\\x9b"); /* CSI as one character */
	SHOWN("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right to left */
	SHOWN("\xe2\x81\xa6", "\\xe2\\x81\\xa6");
	SHOWN("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* line separator */
}

static void malformed_utf8_is_escaped(void **state)
{
	(void)state;
	SHOWN("\xff", "\\xff");
	SHOWN("\x80", "\\x80");
	SHOWN("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	SHOWN("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	SHOWN("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	SHOWN("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	SHOWN("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* too large */
	SHOWN("\xe2\x82", "\\xe2\\x82"); /* cut */
	SHOWN("\xc3z", "\\xc3z");
}

static void what_does_not_fit_is_cut_with_dots(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(arc_escape("abcdef", 6, out, 7), "abcdef");
	assert_string_equal(arc_escape("abcdef", 6, out, 6), "ab...");
	assert_string_equal(arc_escape("abcdef", 6, out, 4), "...");
	assert_string_equal(arc_escape("abcdef", 6, out, 3), "..");
	assert_string_equal(arc_escape("abcdef", 6, out, 1), "");
	/* never within a character or an escape */
	assert_string_equal(arc_escape("a\xe2\x82\xac"
				       "bcd",
				       7, out, 7),
			    "a...");
	assert_string_equal(arc_escape("ab\x01\x02", 4, out, 9), "ab...");
}

/* Every length of random bytes into every capacity: bounded, terminated. */
static void escape_stays_within_its_room(void **state)
{
	uint32_t seed = 12345;

	(void)state;
	for (size_t cap = 1; cap < 40; cap++) {
		for (size_t n = 0; n < 24; n++) {
			uint8_t in[24];
			char out[48];

			for (size_t i = 0; i < n; i++) {
				seed = seed * 1664525 + 1013904223;
				in[i] = (uint8_t)(seed >> 24);
			}
			memset(out, '#', sizeof(out));
			arc_escape(in, n, out, cap);
			assert_true(memchr(out, '\0', cap) != NULL);
			for (size_t i = cap; i < sizeof(out); i++)
				assert_int_equal(out[i], '#');
		}
	}
}

static void messages_reach_the_sink(void **state)
{
	static struct heard heard;
	struct arc_diag diag;

	(void)state;
	arc_diag_init(&diag, hear, &heard, ARC_WARN);
	errno = EDOM;
	arc_say(&diag, ARC_WARN, "volume %s: frame %u", "a\x1b\\b", 7U);
	assert_int_equal(errno, EDOM);
	assert_string_equal(heard.text, "volume a\\x1b\\b: frame 7");
	assert_int_equal(heard.level, ARC_WARN);
	assert_int_equal(heard.count, 1);
	arc_say(&diag, ARC_INFO, "not wanted");
	assert_int_equal(heard.count, 1);
	arc_say(&diag, ARC_ERROR, "wanted");
	assert_int_equal(heard.count, 2);
	arc_diag_fini(&diag);
}

static void long_messages_are_whole(void **state)
{
	static struct heard heard;
	struct arc_diag diag;

	(void)state;
	arc_diag_init(&diag, hear, &heard, ARC_DEBUG);
	for (size_t n = 200; n < 3000; n += 7) {
		char name[3001];

		memset(name, '\x01', n);
		name[n] = '\0';
		arc_say(&diag, ARC_DEBUG, "<%s>", name);
		assert_int_equal(strlen(heard.text), 4 * n + 2);
		assert_string_equal(heard.text + 4 * n - 3, "\\x01>");
	}
	arc_diag_fini(&diag);
}

static void no_sink_is_silent(void **state)
{
	struct arc_diag diag;

	(void)state;
	arc_say(NULL, ARC_ERROR, "nobody hears %d", 1);
	arc_diag_init(&diag, NULL, NULL, ARC_DEBUG);
	arc_say(&diag, ARC_ERROR, "nobody hears %d", 2);
	arc_diag_fini(&diag);
}

static void errors_have_names_and_sentences(void **state)
{
	static const int codes[] = {
#define CODE_OF(code, name, sentence) code,
		ARC_ERRORS(CODE_OF)
#undef CODE_OF
	};

	(void)state;
	assert_string_equal(arc_error_name(-EBADMSG), "corrupt");
	assert_string_equal(arc_error_text(-ENOMEDIUM),
			    "a volume of the set is missing");
	assert_string_equal(arc_error_name(-EXDEV), "error");
	assert_string_equal(arc_error_text(-EXDEV), strerror(EXDEV));
	for (size_t i = 0; i < ARC_COUNT(codes); i++) {
		assert_string_not_equal(arc_error_name(-codes[i]), "error");
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(arc_error_name(-codes[i]),
						arc_error_name(-codes[k]));
	}
}

/* What the sink for programs writes, caught in a file. */
static void stderr_lines_begin_with_the_program(void **state)
{
	char program[] = "tool";
	char got[128];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	(void)state;
	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	arc_sink_stderr(program, ARC_ERROR, "no");
	arc_sink_stderr(program, ARC_WARN, "careful");
	arc_sink_stderr(program, ARC_INFO, "well");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(got, 1, sizeof(got) - 1, file);
	got[n] = '\0';
	fclose(file);
	assert_string_equal(got, "tool: no\n"
				 "tool: warning: careful\n"
				 "tool: well\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_text_stays),
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(malformed_utf8_is_escaped),
		cmocka_unit_test(what_does_not_fit_is_cut_with_dots),
		cmocka_unit_test(escape_stays_within_its_room),
		cmocka_unit_test(messages_reach_the_sink),
		cmocka_unit_test(long_messages_are_whole),
		cmocka_unit_test(no_sink_is_silent),
		cmocka_unit_test(errors_have_names_and_sentences),
		cmocka_unit_test(stderr_lines_begin_with_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
