/* SPDX-License-Identifier: MIT */
/*
 * A pattern is cut at its slashes when it is added; a path is cut while it is
 * matched, and the two are compared component by component. A star goes back
 * over bytes, two stars go back over components, and each only to its latest
 * place: an earlier one could only give what the latest can give, so no
 * pattern takes more than length times length. fnmatch(3) was not used: its
 * classes follow the locale, it knows no two stars, and it backtracks without
 * a bound.
 */
#include "match.h"

#include <stdio.h>
#include <string.h>

struct pattern {
	char *text; /* components, each with a NUL at its end */
	const char **part; /* their beginnings */
	size_t parts;
	bool negated;
	bool dir_only;
	bool anchored; /* else one part, for the last name of the path */
};

struct mk_match {
	struct pattern *patterns;
	size_t count;
	size_t cap;
};

/* ---- one component ------------------------------------------------------- */

/* The characters of a class of POSIX, ASCII alone; NULL: no such class. */
static const char *class_ranges(const char *name, size_t n)
{
	static const struct {
		const char *name;
		const char *ranges; /* pairs: first, last */
	} classes[] = {
		{ "alnum", "09AZaz" },	 { "alpha", "AZaz" },
		{ "blank", "  \t\t" },	 { "cntrl", "\001\037\177\177" },
		{ "digit", "09" },	 { "graph", "!~" },
		{ "lower", "az" },	 { "print", " ~" },
		{ "punct", "!/:@[`{~" }, { "space", "\t\r  " },
		{ "upper", "AZ" },	 { "xdigit", "09AFaf" },
	};

	for (size_t i = 0; i < ARC_COUNT(classes); i++) {
		if (strlen(classes[i].name) == n &&
		    memcmp(classes[i].name, name, n) == 0)
			return classes[i].ranges;
	}
	return NULL;
}

static bool is_in_ranges(const char *ranges, uint8_t c)
{
	for (; *ranges; ranges += 2) {
		if (c >= (uint8_t)ranges[0] && c <= (uint8_t)ranges[1])
			return true;
	}
	return false;
}

/* The ":]" that ends a class name begun at p; NULL when it is none. */
static const char *class_end(const char *p)
{
	const char *end = strchr(p, ']');

	return end && end > p && end[-1] == ':' ? end - 1 : NULL;
}

/*
 * One element of a bracket expression at *p: a class, a range, a character.
 * *p moves behind it. False in *ok: it does not end, or no such class.
 */
static bool match_element(const char **p, uint8_t c, bool *ok)
{
	const char *at = *p;
	const char *end = NULL;
	uint8_t first, last;

	if (at[0] == '[' && at[1] == ':')
		end = class_end(at + 2);
	if (end) {
		const char *ranges =
			class_ranges(at + 2, (size_t)(end - at - 2));

		*p = end + 2;
		*ok = ranges != NULL;
		return ranges && is_in_ranges(ranges, c);
	}
	at += *at == '\\';
	first = last = (uint8_t)*at;
	if (*at)
		at++;
	if (at[0] == '-' && at[1] && at[1] != ']') {
		at++;
		at += *at == '\\';
		last = (uint8_t)*at;
		if (*at)
			at++;
	}
	*ok = first && last;
	*p = at;
	/* A range the wrong way round still has its beginning. */
	return c == first || (c >= first && c <= last);
}

/* *p behind the '[' moves behind the ']'. -EINVAL when there is none. */
static int match_bracket(const char **p, uint8_t c)
{
	bool negated = **p == '!' || **p == '^';
	bool found = false, ok = true;

	*p += negated;
	do {
		found |= match_element(p, c, &ok);
		if (!ok || !**p)
			return -EINVAL;
	} while (**p != ']');
	++*p;
	return found != negated;
}

/* Whether c is what stands at *p (no star); *p moves behind that. */
static bool match_char(const char **p, uint8_t c)
{
	char want = *(*p)++;

	if (want == '?')
		return true;
	if (want == '[')
		return match_bracket(p, c) == 1;
	if (want == '\\')
		want = *(*p)++;
	return (uint8_t)want == c;
}

static bool match_name(const char *p, const char *name, size_t n)
{
	const char *star = NULL; /* behind the latest star */
	size_t star_at = 0; /* where the name goes on after it */

	for (size_t i = 0; i < n || *p;) {
		if (*p == '*') {
			star = ++p;
			star_at = i;
			continue;
		}
		if (i < n && *p && match_char(&p, (uint8_t)name[i])) {
			i++;
			continue;
		}
		if (!star || star_at >= n)
			return false;
		p = star;
		i = ++star_at;
	}
	return true;
}

/* ---- a whole path -------------------------------------------------------- */

static bool is_stars(const char *part)
{
	return part[0] == '*' && part[1] == '*' && part[strspn(part, "*")] == 0;
}

/* Length of the path's component at `path`. */
static size_t component(const char *path)
{
	return strcspn(path, "/");
}

static const char *next_component(const char *path)
{
	path += component(path);
	return *path ? path + 1 : path;
}

static bool match_path(const struct pattern *p, const char *path)
{
	size_t stars = SIZE_MAX; /* the part behind the latest two stars */
	const char *stars_at = NULL;

	for (size_t i = 0; *path || i < p->parts;) {
		if (i < p->parts && is_stars(p->part[i])) {
			/* At the end of a pattern they stand for something. */
			if (i + 1 == p->parts)
				return *path != 0;
			stars = ++i;
			stars_at = path;
			continue;
		}
		if (*path && i < p->parts &&
		    match_name(p->part[i], path, component(path))) {
			path = next_component(path);
			i++;
			continue;
		}
		if (stars == SIZE_MAX || !*stars_at)
			return false;
		stars_at = next_component(stars_at);
		path = stars_at;
		i = stars;
	}
	return true;
}

bool mk_match_excluded(const struct mk_match *m, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = m ? m->count : 0; i-- > 0;) {
		const struct pattern *p = &m->patterns[i];
		bool hit;

		if (p->dir_only && !is_dir)
			continue;
		hit = p->anchored ? match_path(p, path)
				  : match_name(p->part[0], name, strlen(name));
		if (hit)
			return !p->negated;
	}
	return false;
}

/* ---- adding -------------------------------------------------------------- */

int mk_match_new(struct mk_match **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void fini_pattern(struct pattern *p)
{
	free(p->text);
	free(p->part);
}

void mk_match_free(struct mk_match *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		fini_pattern(&m->patterns[i]);
	free(m->patterns);
	free(m);
}

/* Bytes of a line without the spaces at its end that no backslash keeps. */
static size_t trimmed(const char *line)
{
	size_t end = 0;

	for (size_t i = 0; line[i]; i++) {
		bool escaped = line[i] == '\\' && line[i + 1];

		i += escaped;
		if (line[i] != ' ' || escaped)
			end = i + 1;
	}
	return end;
}

/*
 * Cuts text at its slashes, those in brackets excepted. False when the pattern
 * can match nothing: a bracket that is not closed, a backslash at the end.
 */
static bool cut(struct pattern *p)
{
	const char *at = p->text;
	size_t parts = 0;

	p->part[parts++] = at;
	while (*at) {
		char *here = p->text + (at - p->text);

		at++;
		if (*here == '[' && match_bracket(&at, 0) < 0)
			return false;
		if (*here == '\\') {
			if (!*at)
				return false;
			/* An escaped slash is a slash. */
			if (*at == '/')
				memmove(here, here + 1, strlen(here));
			else
				at++;
		}
		if (*here == '/') {
			*here = 0;
			p->part[parts++] = here + 1;
			at = here + 1;
		}
	}
	p->parts = parts;
	return true;
}

/* Makes room and parses text[0..n), n > 0, the '!' taken off. */
static int parse(struct pattern *p, const char *text, size_t n)
{
	size_t slashes = 1;

	if (text[n - 1] == '/') {
		p->dir_only = true;
		n--;
	}
	p->anchored = memchr(text, '/', n) != NULL;
	if (n > 0 && *text == '/') {
		text++;
		n--;
	}
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		slashes += text[i] == '/';
	p->text = strndup(text, n);
	p->part = calloc(slashes, sizeof(*p->part));
	if (!p->text || !p->part)
		return -ENOMEM;
	return cut(p);
}

int mk_match_add(struct mk_match *m, const char *line)
{
	struct pattern p = { 0 };
	size_t n = trimmed(line);
	int useful;

	if (n > 0 && *line == '#')
		return 0;
	if (n > 0 && *line == '!') {
		p.negated = true;
		line++;
		n--;
	}
	if (n == 0)
		return 0;
	if (m->count == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 16;
		struct pattern *more =
			reallocarray(m->patterns, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->patterns = more;
		m->cap = cap;
	}
	useful = parse(&p, line, n);
	if (useful > 0)
		m->patterns[m->count++] = p;
	else
		fini_pattern(&p);
	return useful < 0 ? useful : 0;
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

int mk_match_add_file(struct mk_match *m, const char *path)
{
	arc_cleanup(close_file) FILE *f = fopen(path, "re");
	arc_cleanup(arc_freep) char *line = NULL;
	size_t cap = 0;
	bool first = true;
	ssize_t n;

	if (!f)
		return -errno;
	while (errno = 0, (n = getline(&line, &cap, f)) >= 0) {
		const char *text = line;
		int err;

		if (n > 0 && line[n - 1] == '\n')
			line[--n] = 0;
		if (n > 0 && line[n - 1] == '\r')
			line[--n] = 0;
		if (first && strncmp(text, "\xef\xbb\xbf", 3) == 0)
			text += 3;
		first = false;
		err = mk_match_add(m, text);
		if (err)
			return err;
	}
	return ferror(f) ? (errno ? -errno : -EIO) : 0;
}
