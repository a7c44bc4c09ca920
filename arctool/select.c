/* SPDX-License-Identifier: MIT */
#include "select.h"

#include <stdio.h>
#include <string.h>

void tool_select_fini(struct tool_select *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->path[i]);
	free(s->path);
	*s = (struct tool_select){ 0 };
}

/*
 * Brings "/a//b/./" into the form "a/b", in place. -EINVAL for "..": what it
 * means depends on links, and an archive has no outside.
 */
static int normalise(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in) {
		size_t n = strcspn(in, "/");

		if (n == 2 && in[0] == '.' && in[1] == '.')
			return -EINVAL;
		if (n > 0 && !(n == 1 && in[0] == '.')) {
			if (out != path)
				*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
		in += *in == '/';
	}
	*out = '\0';
	return 0;
}

static int append(struct tool_select *s, char *path)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		char **more = reallocarray(s->path, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->path = more;
		s->cap = cap;
	}
	s->path[s->n++] = path;
	return 0;
}

static int add(struct tool *t, struct tool_select *s, const char *given)
{
	arc_cleanup(arc_freep) char *path = strdup(given);
	struct arc_inode inode;
	int r;

	if (!path)
		return -ENOMEM;
	r = normalise(path);
	if (r < 0) {
		arc_say(&t->diag, ARC_ERROR, "%s: \"..\" has no meaning here",
			given);
		return r;
	}
	r = arc_archive_resolve(t->archive, path, &inode);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		arc_say(&t->diag, ARC_ERROR, "%s: %s", given,
			arc_error_text(r));
		s->missing = true;
		return 0;
	}
	if (!*path)
		s->all = true;
	r = append(s, path);
	if (r == 0)
		path = NULL;
	return r;
}

static int add_from_file(struct tool *t, struct tool_select *s)
{
	const char *name = t->req.files_from;
	bool from_stdin = strcmp(name, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(name, "re");
	int end = t->req.null ? '\0' : '\n';
	arc_cleanup(arc_freep) char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	if (!f) {
		arc_say(&t->diag, ARC_ERROR, "%s: %s", name, strerror(errno));
		return -EINVAL;
	}
	while (r == 0 && (n = getdelim(&line, &cap, end, f)) > 0) {
		if (line[n - 1] == end)
			line[n - 1] = '\0';
		if (*line)
			r = add(t, s, line);
	}
	if (r == 0 && ferror(f)) {
		arc_say(&t->diag, ARC_ERROR, "%s: cannot be read", name);
		r = -EINVAL;
	}
	if (!from_stdin)
		fclose(f);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int tool_select_find(struct tool *t, struct tool_select *ret)
{
	int r = 0;

	*ret = (struct tool_select){
		.all = t->req.path_count == 0 && !t->req.files_from,
	};
	for (size_t i = 0; i < t->req.path_count && r == 0; i++)
		r = add(t, ret, t->req.paths[i]);
	if (r == 0 && t->req.files_from)
		r = add_from_file(t, ret);
	if (ret->n > 1)
		qsort(ret->path, ret->n, sizeof(*ret->path), compare);
	return r;
}

/* Compares a chosen path with `path`, followed by a slash when asked. */
static int compare_with(const char *chosen, const char *path, size_t n,
			bool slash)
{
	int c = strncmp(chosen, path, n);

	if (c)
		return c;
	if (!slash)
		return chosen[n] ? 1 : 0;
	if (chosen[n] != '/')
		return (unsigned char)chosen[n] < '/' ? -1 : 1;
	return 0;
}

/* Is there a chosen path that is `path`, or one that begins with "path/"? */
static bool has(const struct tool_select *s, const char *path, size_t n,
		bool slash)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_with(s->path[mid], path, n, slash);

		if (c == 0)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

enum tool_choice tool_select_choose(const struct tool_select *s,
				    const char *path, size_t n)
{
	if (s->all)
		return TOOL_TAKE;
	if (n == 0)
		return s->n ? TOOL_PASS : TOOL_SKIP;
	if (has(s, path, n, false))
		return TOOL_TAKE;
	return has(s, path, n, true) ? TOOL_PASS : TOOL_SKIP;
}
