/* SPDX-License-Identifier: MIT */
/*
 * status - asks a mount what it has done so far: one getxattr(2), and nothing
 * of the archive is opened. No descriptor is kept in the mount between looks,
 * so that it can be unmounted while it is watched.
 */
#include <argp.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "status_i.h"

#define STATS_NAME "user.arcfs.stats"
#define STATS_MAX 65536 /* the longest attribute there is */

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0,
	  "One JSON object; with --watch one a line", 0 },
	{ "watch", TOOL_KEY_WATCH, "SECONDS", OPTION_ARG_OPTIONAL,
	  "Again and again, with rates (default: 1)", 0 },
	{ 0 }
};

/* ---- which mount --------------------------------------------------------- */

static const char *explain(int err)
{
	switch (err) {
	case ENODATA:
	case EOPNOTSUPP:
		return "not a mount of arcfs";
	case EACCES:
	case EPERM:
		return "permission denied: a mount is seen by who made it and, "
		       "with -o allow_other, by others";
	case ENOTCONN:
	case ECONNABORTED: /* it is just ending */
		return "the program that served this mount has ended: "
		       "fusermount3 -u takes it away";
	default:
		return strerror(err);
	}
}

/* Cuts a path that has no links in it back to the root of its mount. */
static void climb(char *path, dev_t dev)
{
	for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
		char *cut = slash == path ? slash + 1 : slash;
		char saved = *cut;
		struct stat st;

		*cut = '\0';
		if (!saved)
			return;
		if (stat(path, &st) != 0 || st.st_dev != dev) {
			*cut = saved;
			return;
		}
	}
}

static int find_root(struct tool *t, char **ret)
{
	arc_cleanup(arc_freep) char *path = realpath(t->req.mount, NULL);
	struct stat st;

	if (!path || stat(path, &st) != 0) {
		int err = errno;

		arc_say(&t->diag, ARC_ERROR, "%s: %s", t->req.mount,
			explain(err));
		return -err;
	}
	climb(path, st.st_dev);
	*ret = arc_steal(path);
	return 0;
}

/* What is mounted there; NULL when the mount table does not say. */
static char *find_archive(const char *root)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	char *name = NULL;

	while (f && (m = getmntent(f)) != NULL) {
		if (strcmp(m->mnt_dir, root) != 0)
			continue;
		free(name);
		name = strdup(m->mnt_fsname);
	}
	if (f)
		endmntent(f);
	return name;
}

/* ---- asking -------------------------------------------------------------- */

/* -EBADMSG: what it says cannot be understood. */
static int read_stats(const char *root, json_t **ret)
{
	arc_cleanup(arc_freep) char *text = malloc(STATS_MAX);
	json_t *stats;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = getxattr(root, STATS_NAME, text, STATS_MAX);
	if (n < 0)
		return -errno;
	stats = json_loadb(text, (size_t)n, 0, NULL);
	if (!json_is_object(stats)) {
		json_decref(stats);
		return -EBADMSG;
	}
	*ret = stats;
	return 0;
}

/* A mount may take for ever to answer: signals are let in meanwhile, and end
 * the program. */
static int ask(struct tool_status *s, const sigset_t *ends)
{
	json_t *now = NULL;
	int err;

	sigprocmask(SIG_UNBLOCK, ends, NULL);
	err = read_stats(s->root, &now);
	sigprocmask(SIG_BLOCK, ends, NULL);
	if (err)
		return err;
	json_decref(s->before);
	s->before = s->now;
	s->now = now;
	return 0;
}

static void say(struct tool *t, int err)
{
	arc_say(&t->diag, ARC_ERROR, "%s: %s", t->req.mount,
		err == -EBADMSG ? "what " STATS_NAME " says is not understood"
				: explain(-err));
}

/* ---- showing ------------------------------------------------------------- */

static void print(const struct tool *t, const struct tool_status *s)
{
	bool again = t->req.watch > 0;

	if (t->req.json) {
		json_dumpf(s->now, stdout,
			   (again ? JSON_COMPACT : JSON_INDENT(2)) |
				   JSON_REAL_PRECISION(6));
		putchar('\n');
		return;
	}
	if (again && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	else if (s->before)
		putchar('\n');
	tool_status_print(s);
}

/* True: a signal has come that is to end it. */
static bool wait_for_signal(const sigset_t *ends, double seconds)
{
	const struct timespec t = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	int n;

	do
		n = sigtimedwait(ends, NULL, &t);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Prints what was asked, and asks again until a signal or the mount's end. */
static int show(struct tool *t, struct tool_status *s, const sigset_t *ends)
{
	for (;;) {
		int err;

		print(t, s);
		if (fflush(stdout) != 0)
			return TOOL_EXIT_INEXACT;
		if (t->req.watch == 0 || wait_for_signal(ends, t->req.watch))
			return TOOL_EXIT_OK;
		err = ask(s, ends);
		if (err == -ENOMEM || err == -EBADMSG) {
			say(t, err);
			return TOOL_EXIT_UNREADABLE;
		}
		if (err && !t->req.json)
			puts("\nno longer mounted");
		if (err)
			return TOOL_EXIT_OK;
	}
}

/* Also what a shell has its background ignore: it would be lost when it comes
 * while it is let in. */
static void listen_to(sigset_t *ends, int number)
{
	sigaddset(ends, number);
	signal(number, SIG_DFL);
}

static int run(struct tool *t)
{
	arc_cleanup(arc_freep) char *archive = NULL;
	arc_cleanup(arc_freep) char *root = NULL;
	struct tool_status s = { 0 };
	int status = TOOL_EXIT_UNREADABLE;
	sigset_t ends;
	int err;

	if (find_root(t, &root) < 0)
		return status;
	archive = find_archive(root);
	s.root = root;
	s.archive = archive;
	sigemptyset(&ends);
	if (t->req.watch > 0)
		listen_to(&ends, SIGINT);
	if (t->req.watch > 0)
		listen_to(&ends, SIGTERM);
	err = ask(&s, &ends);
	if (err)
		say(t, err);
	else
		status = show(t, &s, &ends);
	json_decref(s.before);
	json_decref(s.now);
	return status;
}

const struct tool_verb tool_verb_status = {
	.name = "status",
	.about = "Shows what a mount has done so far: speed, caches, errors",
	.args = "MOUNTPOINT",
	.doc = "Any path in the mount stands for it. The same figures are in "
	       "its extended attribute user.arcfs.stats. Exit status: 0, also "
	       "when a signal or the end of the mount ends --watch; 2 wrong "
	       "usage; 3 no mount of arcfs, or one that may not be asked.",
	.options = options,
	.no_archive = true,
	.takes_mount = true,
	.run = run,
};
