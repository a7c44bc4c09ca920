/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "extract_i.h"

static const struct argp_option options[] = {
	{ "tar", TOOL_KEY_TAR, 0, 0,
	  "Write a tar stream (pax) to standard output; there is no DEST then",
	  0 },
	{ "files-from", TOOL_KEY_FILES_FROM, "LIST", 0,
	  "Paths from a file, one a line; - is standard input", 0 },
	{ "null", TOOL_KEY_NULL, 0, 0, "Paths in LIST end in a NUL byte", 0 },
	{ "force", TOOL_KEY_FORCE, 0, 0,
	  "Replace files that are in the way (never whole directories)", 0 },
	{ "hardlink-duplicates", TOOL_KEY_HARDLINK, 0, 0,
	  "Files equal in everything but their times become one file with "
	  "several names",
	  0 },
	{ "threads", 'j', "N", 0, "Threads (default: one per core)", 0 },
	{ "gpu", TOOL_KEY_GPU, "MODE", 0,
	  "Devices that decode: auto: those that are faster than the CPU; off; "
	  "force; or which, by number or name (default: auto)",
	  0 },
	{ "verbose", 'v', 0, 0, "Print each path; with --tar on standard error",
	  0 },
	{ "quiet", 'q', 0, 0, "No progress line", 0 },
	{ 0 }
};

#define CACHE_SIZE ((size_t)64 << 20) /* of what is read but once */
#define CACHE_WITH_DEVICES ((size_t)512 << 20) /* they decode ahead */

/* ---- making entries ------------------------------------------------------ */

/* Makes an entry without its metadata; a descriptor for a regular file. */
static int make(struct tool_extract *x, int dir, const char *name,
		const struct arc_inode *inode)
{
	arc_cleanup(arc_freep) char *target = NULL;
	dev_t dev = 0;
	int r;

	if (S_ISREG(inode->mode)) {
		r = openat(dir, name,
			   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0600);
		return r < 0 ? -errno : r;
	}
	if (S_ISLNK(inode->mode)) {
		r = arc_index_target(x->tool->index, inode, &target);
		if (r < 0)
			return r;
		return symlinkat(target, dir, name) < 0 ? -errno : 0;
	}
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		dev = makedev((unsigned)(inode->data >> 32),
			      (unsigned)inode->data);
	return mknodat(dir, name, (inode->mode & S_IFMT) | 0600, dev) < 0
		       ? -errno
		       : 0;
}

/* As make(), after what stands in the way and may be replaced was removed. */
static int make_here(struct tool_extract *x, const char *name,
		     const struct arc_inode *inode)
{
	int dir = tool_dirs_here(x)->fd;
	int r = make(x, dir, name, inode);

	if (r == -EMFILE || r == -ENFILE) {
		arc_pool_wait(x->pool); /* closes the files being written */
		r = make(x, dir, name, inode);
	}
	if (r == -EEXIST && x->tool->req.force) {
		if (unlinkat(dir, name, 0) < 0)
			return -errno;
		r = make(x, dir, name, inode);
	}
	return r;
}

static int create(struct tool_extract *x, const struct tool_entry *e,
		  const struct arc_inode *inode)
{
	const struct tool_dir *here = tool_dirs_here(x);
	struct tool_place at = { .fd = -1,
				 .dir = here->fd,
				 .name = e->name,
				 .path = e->path,
				 .strip = here->inherits };
	int r = make_here(x, e->name, inode);

	if (r < 0) {
		tool_extract_problem(x, e->path, "cannot be made", r);
		return r;
	}
	if (S_ISREG(inode->mode))
		tool_data_write(x, r, e->path, inode, here->inherits);
	else
		tool_meta_apply(x, &at, inode);
	return 0;
}

/* ---- links --------------------------------------------------------------- */

static int link_to(struct tool_extract *x, const char *from, const char *name)
{
	int here = tool_dirs_here(x)->fd;
	arc_cleanup(arc_closep) int dir = -1;
	const char *from_name;
	int r = tool_dirs_open_parent(x, from, &dir, &from_name);

	if (r < 0)
		return r;
	r = linkat(dir, from_name, here, name, 0);
	if (r < 0 && errno == EEXIST && x->tool->req.force &&
	    unlinkat(here, name, 0) == 0)
		r = linkat(dir, from_name, here, name, 0);
	return r < 0 ? -errno : 0;
}

/* An inode with several names is made once. */
static void make_or_link(struct tool_extract *x, const struct tool_entry *e)
{
	struct arc_inode inode = e->inode;
	uint64_t names = tool_links_identity(x, &inode);
	const char *from;
	int r;

	from = names > 1 ? tool_links_find(x, inode.ino) : NULL;
	if (from) {
		r = link_to(x, from, e->name);
		if (r == 0) {
			tool_links_used(x, inode.ino);
			return;
		}
		/* Too many names for one inode: duplicates may have two. */
		if (names == e->inode.nlink || r != -EMLINK)
			tool_extract_problem(x, e->path, "cannot be linked", r);
		if (r == -EEXIST)
			return;
		inode = e->inode;
	}
	if (create(x, e, &inode) == 0 && names > 1 &&
	    tool_links_set(x, inode.ino, names, e->path) < 0)
		tool_extract_problem(x, e->path, "links", -ENOMEM);
}

/* ---- the walk ------------------------------------------------------------ */

static int print_path(struct tool_extract *x, const struct tool_entry *e,
		      struct arc_buf *room)
{
	const char *shown;

	if (x->tool->req.verbosity <= 0 || !e->taken || e->path_len == 0)
		return 0;
	shown = tool_show(room, e->path, e->path_len);
	if (!shown)
		return -ENOMEM;
	tool_meter_clear(x->tool->meter);
	puts(shown);
	return 0;
}

static void enter(struct tool_extract *x, struct tool_walk *w,
		  const struct tool_entry *e)
{
	int r;

	if (e->path_len == 0)
		return; /* DEST itself */
	r = tool_dirs_enter(x, e->name);
	if (r < 0) {
		tool_extract_problem(x, e->path, "cannot be entered", r);
		tool_walk_skip(w);
	}
}

/* A directory on the way to something chosen keeps what it had before. */
static int leave(struct tool_extract *x, const struct tool_entry *e)
{
	const struct tool_dir *here = tool_dirs_here(x);
	const struct tool_place at = { .fd = here->fd,
				       .path = e->path,
				       .strip = !here->made };
	int r = tool_dirs_prepare_leave(x);

	if (r < 0) {
		tool_extract_problem(x, e->path, "was moved meanwhile", r);
		return r;
	}
	if (e->taken || (here->made && e->path_len > 0))
		tool_meta_apply(x, &at, &e->inode);
	if (e->path_len > 0)
		tool_dirs_leave(x);
	return 0;
}

static int extract(struct tool_extract *x, struct tool_walk *w)
{
	struct arc_buf room = { 0 };
	struct tool_entry e;
	int r = 0;

	while (!atomic_load(&x->stop) && (r = tool_walk_next(w, &e)) > 0) {
		if (e.step == TOOL_STEP_BAD) {
			tool_walk_say_bad(x->tool, &e);
			atomic_store(&x->inexact, true);
			continue;
		}
		if (e.step == TOOL_STEP_LEAVE) {
			r = leave(x, &e);
			if (r < 0)
				break;
			continue;
		}
		r = print_path(x, &e, &room);
		if (r < 0)
			break;
		if (S_ISDIR(e.inode.mode))
			enter(x, w, &e);
		else
			make_or_link(x, &e);
	}
	arc_buf_fini(&room);
	return r;
}

/* ---- begin and end ------------------------------------------------------- */

/* Descriptors bound how many files and directories are open at a time. */
static int start(struct tool_extract *x)
{
	struct rlimit limit;
	uint64_t share = 256;
	unsigned threads = x->tool->req.threads;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		share = ARC_MIN(limit.rlim_cur / 8, (rlim_t)share);
	share = ARC_MAX(share, (uint64_t)2);
	x->dirs.open_max = (size_t)share;
	x->privileged = geteuid() == 0;
	return arc_pool_new((unsigned)ARC_MIN((uint64_t)threads, share),
			    (size_t)share, &x->pool);
}

static int extract_selected(struct tool_extract *x,
			    const struct tool_select *select)
{
	arc_cleanup(tool_walk_freep) struct tool_walk *w = NULL;
	const struct arc_summary *s = arc_index_summary(x->tool->index);
	mode_t mask;
	int r;

	r = tool_walk_new(x->tool, select, &w);
	if (r < 0)
		return r;
	r = tool_dirs_begin(x, x->tool->req.dest);
	if (r < 0)
		return 0;
	if (select->all && s->bytes > s->holes)
		tool_meter_total(x->tool->meter, s->bytes - s->holes);
	mask = umask(0);
	r = extract(x, w);
	arc_pool_wait(x->pool);
	tool_meta_finish(x);
	umask(mask);
	return r;
}

/* -ENODEV: none that was asked for can be used, which has been said. */
static int begin_devices(const struct tool *t)
{
	struct arc_cache *cache = arc_archive_cache(t->archive);
	const struct arc_ahead_options ahead = {
		.gpu = &t->req.gpu,
		.threads = t->req.threads,
		.extra = CACHE_WITH_DEVICES - CACHE_SIZE,
	};
	int r;

	if (!tool_wants_devices(t))
		return 0;
	r = arc_cache_read_ahead(cache, &ahead);
	if (r < 0 || t->req.gpu.mode != ARC_GPU_FORCE)
		return r;
	return arc_cache_await_devices(cache);
}

static int extract_to_dest(struct tool_extract *x,
			   const struct tool_select *select)
{
	int r = start(x);

	if (r >= 0)
		r = extract_selected(x, select);
	arc_pool_free(x->pool);
	if (x->dirs.depth == 0)
		atomic_store(&x->inexact, true); /* no DEST */
	tool_dirs_end(&x->dirs);
	return r;
}

/* What makes no sense with a stream, or would end up on the screen. */
static int check_tar(struct tool *t)
{
	if (!t->req.tar)
		return 0;
	if (t->req.force) {
		arc_say(&t->diag, ARC_ERROR,
			"--tar replaces nothing: --force "
			"has no meaning with it");
		return -EINVAL;
	}
	if (isatty(STDOUT_FILENO)) {
		arc_say(&t->diag, ARC_ERROR,
			"--tar: standard output is a terminal; send it to a "
			"file or a program, as in: arctool extract --tar "
			"ARCHIVE | tar x");
		return -EINVAL;
	}
	return 0;
}

static int run(struct tool *t)
{
	struct tool_select select = { 0 };
	arc_cleanup(tool_meter_freep) struct tool_meter *meter = NULL;
	arc_cleanup(tool_select_finip) struct tool_select *fini = NULL;
	struct tool_extract x = { .tool = t };
	int r;

	fini = &select;
	if (check_tar(t) < 0)
		return TOOL_EXIT_USAGE;
	r = tool_select_find(t, &select);
	if (r == -EINVAL)
		return TOOL_EXIT_USAGE;
	if (t->req.verbosity >= 0 && tool_meter_new("extracted", &meter) < 0)
		meter = NULL;
	t->meter = meter;
	if (r >= 0)
		r = begin_devices(t);
	if (r == -ENODEV) {
		t->meter = NULL;
		return TOOL_EXIT_UNREADABLE;
	}
	if (r >= 0)
		r = t->req.tar ? tool_extract_tar(&x, &select)
			       : extract_to_dest(&x, &select);
	tool_links_clear(&x);
	if (r < 0)
		arc_say(&t->diag, ARC_ERROR, "not everything was extracted: %s",
			tool_extract_reason(r));
	t->meter = NULL;
	return r < 0 || select.missing || atomic_load(&x.inexact)
		       ? TOOL_EXIT_INEXACT
		       : TOOL_EXIT_OK;
}

const struct tool_verb tool_verb_extract = {
	.name = "extract",
	.about = "Extracts an archive or paths of it into a directory",
	.args = "ARCHIVE DEST [PATH...]\n--tar ARCHIVE [PATH...]",
	.doc = "DEST is made when it is missing. A PATH stands for itself and "
	       "everything below it; without one everything is extracted. "
	       "Files that exist are left alone and reported, directories are "
	       "filled. Damaged bytes become zeros and are reported; "
	       "everything else of such a file is exact. Exit status: 0 "
	       "everything is as it was, 1 something is not, 2 wrong usage, 3 "
	       "the archive cannot be read at all, or no device that was "
	       "forced can be used.",
	.options = options,
	.takes_dest = true,
	.takes_paths = true,
	.cache_size = CACHE_SIZE,
	.run = run,
};
