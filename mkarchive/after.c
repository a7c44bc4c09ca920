/* SPDX-License-Identifier: MIT */
#include "after.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "progress.h"
#include "recheck.h"
#include "removal.h"
#include "report.h"

/* Comes but once: there is nothing to compare with, and nothing to remove. */
static bool comes_once(const struct mk_stream *src)
{
	return src->kind == MK_SOURCE_ARCHIVE || src->kind == MK_SOURCE_PIPE;
}

bool mk_after_refuses(const struct mk_run *run, const struct mk_stream *src)
{
	const char *path = run->opt->src;
	struct stat st;

	if (!run->opt->remove_source)
		return false;
	if (comes_once(src)) {
		arc_say(run->diag, ARC_ERROR,
			"--remove-source: %s cannot be compared with the "
			"archive once it has been read, so it is not removed "
			"either; only folders and files that are stored as "
			"they are can be (--as-file)",
			src->name);
		return true;
	}
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) &&
	    stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		arc_say(run->diag, ARC_ERROR,
			"--remove-source: %s is a symbolic link; name the file "
			"itself",
			path);
		return true;
	}
	return false;
}

/* The folder that a list names entries of is asked again like any other. */
static int reopen(struct mk_run *run, const struct mk_stream *src,
		  struct mk_tree *tree)
{
	if (src->kind != MK_SOURCE_LIST)
		return 0;
	if (!tree->root_path)
		tree->root_path = strdup(run->opt->src);
	tree->root_fd = fcntl(src->fd, F_DUPFD_CLOEXEC, 0);
	return tree->root_path && tree->root_fd >= 0 ? 0 : -EIO;
}

static int verify(struct mk_run *run, const struct mk_stream *src,
		  struct mk_tree *tree, int dir_fd)
{
	int r;

	if (comes_once(src))
		return mk_recheck_sums(run, src->skip, dir_fd);
	r = reopen(run, src, tree);
	return r < 0 ? r : mk_recheck(run, tree, src->skip, dir_fd);
}

/* Not a single file may go when anything in the archive is not as it should
 * be: the next may be wrong in a way that was not looked for. */
static int remove_source(struct mk_run *run, struct mk_tree *tree)
{
	if (!mk_value(&run->stats.differences)) {
		mk_stages_begin(run, MK_STAGE_REMOVE);
		return mk_removal(run, tree);
	}
	arc_say(run->diag, ARC_WARN,
		"%s: nothing was removed, since the archive is not as it "
		"should be",
		run->opt->src);
	return 0;
}

static void count_not_removed(struct mk_run *run, const struct mk_tree *tree)
{
	uint64_t n = 0;

	/* The source itself, entry 0, is not asked about. */
	for (uint64_t i = 1; i < tree->entries.count; i++)
		n += !(mk_tree_at(tree, i)->flags & MK_ENTRY_REMOVED);
	mk_count(&run->stats.not_removed, n);
}

void mk_after(struct mk_run *run, const struct mk_stream *src,
	      struct mk_tree *tree, int dir_fd)
{
	int r = 0;

	if (run->opt->verify)
		r = verify(run, src, tree, dir_fd);
	if (r >= 0 && run->opt->remove_source)
		r = remove_source(run, tree);
	if (run->opt->remove_source)
		count_not_removed(run, tree);
	if (r < 0)
		mk_count(&run->stats.problems, 1);
	mk_stages_end(run);
	r = run->report ? mk_report_entries(run->report, run, tree) : 0;
	if (r < 0)
		mk_count(&run->stats.problems, 1);
}
