/* SPDX-License-Identifier: MIT */
/*
 * The file is taken apart by libinih. What it cannot do is done in the function
 * that gives it its lines: it counts them (the library does not tell a handler
 * where it is), refuses those that the library would cut in two, and takes away
 * the blanks in front, which would make a line the continuation of the one
 * before it.
 */
#include "config_i.h"

#include <ctype.h>
#include <ini.h>
#include <string.h>

#define SYSTEM_FILE "/etc/arcfs.conf"

struct reading {
	struct arc_config *config;
	struct arc_diag *diag;
	const char *path;
	FILE *f;
	unsigned line;
	bool wrong; /* something was, and has been said */
};

/* ---- lines --------------------------------------------------------------- */

static void complain(struct reading *rd, const char *text)
{
	arc_say(rd->diag, ARC_ERROR, "%s:%u: %s", rd->path, rd->line, text);
	rd->wrong = true;
}

static void skip_line(FILE *f)
{
	int c;

	do
		c = getc(f);
	while (c != '\n' && c != EOF);
}

/* fgets() as the library wants it. NULL ends the reading. */
static char *give_line(char *out, int cap, void *ctx)
{
	struct reading *rd = ctx;
	size_t n, blank;

	if (!fgets(out, cap, rd->f))
		return NULL;
	rd->line++;
	n = strlen(out);
	blank = strspn(out, " \t");
	memmove(out, out + blank, n + 1 - blank);
	if (n + 1 < (size_t)cap || out[n - blank - 1] == '\n')
		return out;
	if (*out != '#' && *out != ';') {
		complain(rd, "the line is too long");
		return NULL;
	}
	skip_line(rd->f);
	return out;
}

/* A comment may follow the value, behind a blank; the library knows those with
 * a semicolon. */
static void cut_comment(char *value)
{
	for (char *at = strchr(value, '#'); at; at = strchr(at + 1, '#')) {
		if (at > value && !isblank((unsigned char)at[-1]))
			continue;
		while (at > value && isblank((unsigned char)at[-1]))
			at--;
		*at = '\0';
		return;
	}
}

static void refuse(struct reading *rd, enum arc_config_id id, const char *value)
{
	char allowed[ARC_CONFIG_TEXT];

	arc_config_allowed(id, allowed, sizeof(allowed));
	arc_say(rd->diag, ARC_ERROR, "%s:%u: %s: '%s' is not %s", rd->path,
		rd->line, arc_config_keys[id].name, value, allowed);
	rd->wrong = true;
}

/* One KEY = value; goes on whatever it is, so that all that is wrong is said. */
static int take_pair(void *ctx, const char *section, const char *name,
		     const char *text)
{
	struct reading *rd = ctx;
	enum arc_config_id id;
	char value[ARC_CONFIG_TEXT];

	if (*section) {
		complain(rd, "there are no [sections]");
		return 1;
	}
	if (arc_config_find(name, strlen(name), &id)) {
		arc_say(rd->diag, ARC_WARN, "%s:%u: no such key: %s", rd->path,
			rd->line, name);
		return 1;
	}
	snprintf(value, sizeof(value), "%s", text);
	cut_comment(value);
	if (arc_config_offer_line(rd->config, id, value, ARC_CONFIG_FILE,
				  rd->line))
		refuse(rd, id, value);
	return 1;
}

/* ---- files --------------------------------------------------------------- */

static int fail(const struct reading *rd, int err)
{
	arc_say(rd->diag, ARC_ERROR, "%s: %s", rd->path, strerror(-err));
	return err;
}

static int read_open(struct reading *rd)
{
	int line;

	rd->config->path = strdup(rd->path);
	if (!rd->config->path)
		return -ENOMEM;
	line = ini_parse_stream(give_line, rd, take_pair, rd);
	if (ferror(rd->f))
		return fail(rd, -errno);
	if (line > 0) {
		arc_say(rd->diag, ARC_ERROR, "%s:%d: not KEY = value", rd->path,
			line);
		rd->wrong = true;
	}
	return rd->wrong ? -EINVAL : 0;
}

/* Not there, or not for us. */
static bool is_absent(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -EACCES;
}

/* wanted: that it is absent is said, too. */
static int read_file(struct arc_config *c, const char *path, bool wanted,
		     struct arc_diag *diag)
{
	struct reading rd = { .config = c, .diag = diag, .path = path };
	int err;

	rd.f = fopen(path, "re");
	if (!rd.f) {
		err = -errno;
		return wanted || !is_absent(err) ? fail(&rd, err) : err;
	}
	err = read_open(&rd);
	fclose(rd.f);
	return err;
}

/* The user's file; NULL: there can be none. */
static int user_file(char **ret)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	*ret = NULL;
	if (config && *config == '/')
		return asprintf(ret, "%s/arcfs/config", config);
	if (home && *home == '/')
		return asprintf(ret, "%s/.config/arcfs/config", home);
	return 0;
}

static int read_default(struct arc_config *c, struct arc_diag *diag)
{
	arc_cleanup(arc_freep) char *path = NULL;
	int err = -ENOENT;

	if (user_file(&path) < 0)
		return -ENOMEM;
	if (path)
		err = read_file(c, path, false, diag);
	if (is_absent(err))
		err = read_file(c, SYSTEM_FILE, false, diag);
	return is_absent(err) ? 0 : err;
}

/* ---- the environment ----------------------------------------------------- */

static int hear_environment(struct arc_config *c, struct arc_diag *diag)
{
	char allowed[ARC_CONFIG_TEXT];
	int err = 0;

	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++) {
		const struct arc_config_key *key = &arc_config_keys[i];
		const char *text = key->environment ? getenv(key->name) : NULL;

		/* A variable that is empty says nothing. */
		if (!text || !*text ||
		    !arc_config_offer(c, (enum arc_config_id)i, text,
				      ARC_CONFIG_ENVIRONMENT))
			continue;
		arc_config_allowed((enum arc_config_id)i, allowed,
				   sizeof(allowed));
		arc_say(diag, ARC_ERROR,
			"the environment variable %s makes no sense: '%s' is "
			"not %s",
			key->name, text, allowed);
		err = -EINVAL;
	}
	return err;
}

int arc_config_load(struct arc_config *c, const char *path,
		    struct arc_diag *diag)
{
	int err = hear_environment(c, diag);

	if (err)
		return err;
	return path ? read_file(c, path, true, diag) : read_default(c, diag);
}
