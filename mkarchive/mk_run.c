/* SPDX-License-Identifier: MIT */
#include "mk_run.h"

#include <string.h>

#include "report.h"

/*
 * What went wrong with a file is told in the words of the system: the sentences
 * of diag.h speak of archives ("the volume belongs to another archive").
 */
static const char *reason_of(int err)
{
	const char *text;

	if (err == -ESTALE)
		return "it was changed or replaced";
	text = strerrordesc_np(-err);
	return text ? text : "unknown error";
}

static int add_text(struct arc_buf *buf, const char *text)
{
	int err = arc_buf_append(buf, text, strlen(text) + 1);

	if (!err)
		buf->n--;
	return err;
}

static int add_part(struct arc_buf *buf, const char *part)
{
	int err = 0;

	if (buf->n > 0 && buf->p[buf->n - 1] != '/')
		err = add_text(buf, "/");
	return err ? err : add_text(buf, part);
}

/* "ROOT/DIR/NAME", as far as there is each; name NULL: `entry` itself. */
static int full_path(const struct mk_tree *tree, uint64_t entry,
		     const char *name, struct arc_buf *buf)
{
	struct arc_buf inner = { 0 };
	int err = add_text(buf, tree->root_path);

	/* The root's path is the single file's own. */
	if (err || tree->single_file)
		return err;
	err = mk_tree_path(tree, entry, &inner);
	if (!err && inner.n > 0)
		err = add_part(buf, (const char *)inner.p);
	if (!err && name)
		err = add_part(buf, name);
	arc_buf_fini(&inner);
	return err;
}

static void say(struct mk_run *run, const char *path, const char *what, int err)
{
	mk_count(&run->stats.problems, 1);
	if (err)
		arc_say(run->diag, ARC_WARN, "%s: %s (%s)", path, what,
			reason_of(err));
	else
		arc_say(run->diag, ARC_WARN, "%s: %s", path, what);
}

/* The same, for other programs. */
static void report(struct mk_run *run, const void *path, size_t n,
		   const char *what, int err)
{
	arc_cleanup(arc_freep) char *text = NULL;

	if (err && asprintf(&text, "%s (%s)", what, reason_of(err)) < 0)
		text = NULL;
	mk_report_problem(run->report, path, n, text ? text : what);
}

void mk_problem_path(struct mk_run *run, const char *path, const char *what,
		     int err)
{
	say(run, path, what, err);
	if (run->report)
		report(run, path, strlen(path), what, err);
}

/* "DIR/NAME" below the root, as reports have it. */
static int short_path(const struct mk_tree *tree, uint64_t entry,
		      const char *name, struct arc_buf *buf)
{
	int err = mk_tree_path(tree, entry, buf);

	return err || !name ? err : add_part(buf, name);
}

void mk_problem_name(struct mk_run *run, const struct mk_tree *tree,
		     uint64_t dir, const char *name, const char *what, int err)
{
	struct arc_buf path = { 0 };
	const char *text = "(a path too long for the memory left)";

	if (!full_path(tree, dir, name, &path))
		text = (const char *)path.p;
	say(run, text, what, err);
	path.n = 0;
	if (run->report && !short_path(tree, dir, name, &path))
		report(run, path.p, path.n, what, err);
	arc_buf_fini(&path);
}

void mk_problem(struct mk_run *run, const struct mk_tree *tree, uint64_t entry,
		const char *what, int err)
{
	mk_problem_name(run, tree, entry, NULL, what, err);
}
