/* SPDX-License-Identifier: MIT */
#include "recheck.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "format.h"
#include "progress.h"
#include "recheck_i.h"

#define CACHE_SIZE ((size_t)64 << 20) /* of what is read but once */

/* ---- verdicts ------------------------------------------------------------ */

/* False when something was said about the entry before. */
static bool mark(struct mk_recheck *c, uint64_t entry, uint32_t flag)
{
	struct mk_entry *e = mk_tree_at(c->tree, entry);
	uint32_t before;

	pthread_mutex_lock(&c->lock);
	before = e->flags;
	e->flags |= flag;
	pthread_mutex_unlock(&c->lock);
	return !(before & (MK_ENTRY_DOUBT | MK_ENTRY_DIFFERS));
}

void mk_recheck_differs(struct mk_recheck *c, uint64_t entry, const char *what)
{
	mk_count(&c->run->stats.differences, 1);
	if (mark(c, entry, MK_ENTRY_DIFFERS))
		mk_problem(c->run, c->tree, entry, what, 0);
}

void mk_recheck_doubt(struct mk_recheck *c, uint64_t entry, const char *what,
		      int err)
{
	if (mark(c, entry, MK_ENTRY_DOUBT))
		mk_problem(c->run, c->tree, entry, what, err);
}

bool mk_recheck_is_out(struct mk_recheck *c, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(c->tree, entry);
	bool out;

	pthread_mutex_lock(&c->lock);
	out = e->flags & (MK_ENTRY_DOUBT | MK_ENTRY_DIFFERS);
	pthread_mutex_unlock(&c->lock);
	return out;
}

static bool is_clean(const struct mk_entry *e)
{
	return (e->flags & (MK_ENTRY_GONE | MK_ENTRY_VERIFIED | MK_ENTRY_DOUBT |
			    MK_ENTRY_DIFFERS)) == MK_ENTRY_VERIFIED;
}

/* A content is compared under the first name of its inode. */
bool mk_recheck_passed(const struct mk_tree *tree, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(tree, entry);

	return is_clean(e) && is_clean(mk_tree_at(tree, e->link));
}

static void count_passed(struct mk_recheck *c)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < c->tree->entries.count; i++)
		n += mk_recheck_passed(c->tree, i);
	mk_count(&c->run->stats.verified, n);
	mk_tree_release(c->tree);
}

/* ---- the set ------------------------------------------------------------- */

char *mk_recheck_first(const struct mk_options *opt)
{
	size_t cap = strlen(opt->out) + NAME_MAX;
	char *path = malloc(cap);

	if (path && arc_volume_name(opt->out, 1, path, cap) < 0)
		*path = '\0';
	return path;
}

/*
 * What was just written is still in memory, where it may be better than on the
 * disk. Pages that are on the disk can be dropped; that is a request and no
 * more, so a failure is none.
 */
static void drop_pages(const struct mk_run *run,
		       const struct mk_scan_skip *skip, int dir_fd)
{
	uint64_t n = mk_value(&run->stats.volumes);
	char name[NAME_MAX + 1];

	for (uint32_t i = 1; i <= n; i++) {
		arc_cleanup(arc_closep) int fd = -1;

		if (arc_volume_name(skip->base, i, name, sizeof(name)) < 0)
			return;
		fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
}

static int open_set(struct mk_run *run, const struct mk_scan_skip *skip,
		    int dir_fd, struct arc_archive **ret)
{
	const struct arc_archive_options options = { .cache_size = CACHE_SIZE };
	arc_cleanup(arc_freep) char *first = mk_recheck_first(run->opt);

	if (!first)
		return -ENOMEM;
	drop_pages(run, skip, dir_fd);
	return arc_archive_open(first, &options, run->diag, ret);
}

/* What is wrong with the set itself, whatever the source is. */
static void set_differs(struct mk_run *run, const char *what)
{
	mk_count(&run->stats.differences, 1);
	mk_problem_path(run, run->opt->out, what, 0);
}

static void bad_block(void *ctx, const char *table, uint8_t level,
		      uint64_t number, uint32_t volume, uint64_t offset,
		      int err)
{
	const struct mk_recheck *c = ctx;
	char what[256];

	snprintf(what, sizeof(what),
		 "volume %" PRIu32 ", offset %" PRIu64 ": block %" PRIu64
		 " (level %u) of the index, %s: %s",
		 volume, offset, number, level, table, arc_error_text(err));
	set_differs(c->run, what);
}

static void bad_row(void *ctx, const char *table, uint64_t row)
{
	const struct mk_recheck *c = ctx;
	char what[128];

	snprintf(what, sizeof(what), "row %" PRIu64 " of the index, %s: %s",
		 row, table, arc_error_text(-EBADMSG));
	set_differs(c->run, what);
}

/* ---- a source that can be read again ------------------------------------- */

static int compare(struct mk_recheck *c)
{
	ssize_t bad;
	int r = open_set(c->run, c->skip, c->dir_fd, &c->archive);

	if (r < 0)
		return r;
	c->index = arc_archive_index(c->archive);
	bad = arc_index_verify(c->index, c->run->opt->threads, bad_block,
			       bad_row, c);
	r = bad < 0 ? (int)bad : mk_recheck_walk(c);
	return r < 0 ? r : mk_recheck_data(c);
}

int mk_recheck(struct mk_run *run, struct mk_tree *tree,
	       const struct mk_scan_skip *skip, int dir_fd)
{
	struct mk_recheck c = { .run = run,
				.tree = tree,
				.skip = skip,
				.dir_fd = dir_fd,
				.lock = PTHREAD_MUTEX_INITIALIZER };
	int r = mk_spool_open(&c.pieces, dir_fd, sizeof(struct mk_piece));

	mk_stages_begin(run, MK_STAGE_VERIFY);
	if (r >= 0)
		r = compare(&c);
	if (r >= 0)
		count_passed(&c);
	else
		arc_say(run->diag, ARC_ERROR,
			"%s: the archive is finished, but could not be "
			"compared with the source: %s",
			run->opt->out, arc_error_text(r));
	arc_archive_close(c.archive);
	mk_spool_close(&c.pieces);
	pthread_mutex_destroy(&c.lock);
	return r;
}

/* ---- a source that came but once ----------------------------------------- */

static void damaged(void *ctx, const struct arc_damage *d)
{
	struct mk_run *run = ctx;
	char what[256];

	snprintf(what, sizeof(what),
		 "volume %" PRIu32 ", offset %" PRIu64 ": %s: %s", d->volume,
		 d->offset, d->what ? d->what : "volume",
		 arc_error_text(d->err));
	set_differs(run, what);
}

static void advanced(void *ctx, uint64_t done, uint64_t total)
{
	struct mk_run *run = ctx;

	(void)total;
	atomic_store(&run->stats.verified_bytes, done);
}

int mk_recheck_sums(struct mk_run *run, const struct mk_scan_skip *skip,
		    int dir_fd)
{
	arc_cleanup(arc_archive_closep) struct arc_archive *archive = NULL;
	const struct arc_verify_options options = {
		.threads = run->opt->threads,
		.damage = damaged,
		.progress = advanced,
		.ctx = run,
	};
	ssize_t bad;
	int r;

	run->sums_only = true;
	mk_stages_begin(run, MK_STAGE_VERIFY);
	r = open_set(run, skip, dir_fd, &archive);
	if (r >= 0) {
		bad = arc_archive_verify(archive, &options);
		r = bad < 0 ? (int)bad : 0;
	}
	if (r < 0)
		arc_say(run->diag, ARC_ERROR,
			"%s: the archive is finished, but could not be checked:"
			" %s",
			run->opt->out, arc_error_text(r));
	else
		arc_say(run->diag, ARC_INFO,
			"what came but once cannot be compared again: the "
			"checksums of the archive were");
	return r;
}
