/* SPDX-License-Identifier: MIT */
/*
 * Exclusion patterns, one a line, a NUL, then paths, one a line: matching
 * reads nothing outside them, and patterns of names alone match as compared.
 */
#include <stdlib.h>
#include <string.h>

#include "match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char *copy_of(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		abort();
	if (n > 0)
		memcpy(text, data, n);
	text[n] = 0;
	return text;
}

static void add_lines(struct mk_match *m, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = copy_of((const uint8_t *)text, n);

		if (mk_match_add(m, line))
			abort();
		free(line);
		text += n + (text[n] != 0);
	}
}

/* A path excludes itself as an anchored pattern, when nothing in it is
 * special. */
static void check_literal(const char *path)
{
	size_t n = strlen(path);
	struct mk_match *m;
	char *pattern;

	if (n == 0 || strpbrk(path, "*?[\\ \n") || path[n - 1] == '/' ||
	    path[0] == '/')
		return;
	pattern = malloc(n + 2);
	if (!pattern || mk_match_new(&m))
		abort();
	pattern[0] = '/';
	memcpy(pattern + 1, path, n + 1);
	if (mk_match_add(m, pattern) || !mk_match_excluded(m, path, false))
		abort();
	mk_match_free(m);
	free(pattern);
}

static void ask_lines(const struct mk_match *m, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *path = copy_of((const uint8_t *)text, n);

		mk_match_excluded(m, path, false);
		mk_match_excluded(m, path, true);
		check_literal(path);
		free(path);
		text += n + (text[n] != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *patterns = copy_of(data, n);
	size_t end = strlen(patterns);
	struct mk_match *m;

	if (mk_match_new(&m))
		abort();
	add_lines(m, patterns);
	if (end < n) {
		char *paths = copy_of(data + end + 1, n - end - 1);

		ask_lines(m, paths);
		free(paths);
	}
	mk_match_free(m);
	free(patterns);
	return 0;
}
