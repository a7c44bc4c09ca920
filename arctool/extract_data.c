/* SPDX-License-Identifier: MIT */
/*
 * A file is a job; a job is one range of bytes or, for a large file, several,
 * each a task of the pool. The last range that ends gives the file its
 * metadata. Ranges are made of data only, so that a file of holes costs
 * nothing whatever its size.
 *
 * Nothing is allocated ahead and holes are never touched: the extents that are
 * written are exactly those of the source.
 */
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

#include "extract_i.h"

#define EXTENTS_AT_ONCE 64
#define RANGE ((uint64_t)32 << 20) /* of a large file */

struct job {
	struct tool_extract *x;
	struct arc_inode inode;
	int fd;
	bool strip;
	atomic_bool failed; /* to be written: no use going on */
	atomic_uint ranges; /* not yet written; the last one ends the job */
	char path[];
};

struct task {
	struct job *job;
	uint64_t off;
	uint64_t len;
};

/* Said once for each file: a large one that cannot hold what it should would
 * otherwise say it for each piece. */
static void fail_job(struct job *job, int err)
{
	if (!atomic_exchange(&job->failed, true))
		tool_extract_problem(job->x, job->path, "cannot be written",
				     err);
}

static bool is_over(const struct job *job)
{
	return atomic_load(&job->failed) || atomic_load(&job->x->stop);
}

/* ---- copying ------------------------------------------------------------- */

static int write_all(int fd, struct iovec *iov, int count, uint64_t off)
{
	while (count > 0) {
		ssize_t n =
			pwritev(fd, iov, ARC_MIN(count, IOV_MAX), (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		off += (uint64_t)n;
		while (count > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static void put_piece(void *ctx, struct iovec *iov, int count, uint64_t off)
{
	struct job *job = ctx;
	int r = write_all(job->fd, iov, count, off);

	if (r < 0)
		fail_job(job, r);
}

static bool job_is_over(void *ctx)
{
	return is_over(ctx);
}

static void copy_range(const struct task *task)
{
	struct job *job = task->job;
	struct tool_copy copy = { .x = job->x,
				  .inode = &job->inode,
				  .path = job->path,
				  .put = put_piece,
				  .is_over = job_is_over,
				  .ctx = job };
	struct arc_extent extents[EXTENTS_AT_ONCE];
	uint64_t off = task->off, end = task->off + task->len;
	ssize_t n;

	do {
		n = arc_index_extents(job->x->tool->index, &job->inode, off,
				      end - off, extents, EXTENTS_AT_ONCE);
		if (n < 0)
			tool_copy_damage(&copy, off, end - off, (int)n);
		for (ssize_t i = 0; i < n; i++) {
			tool_copy_extent(&copy, &extents[i]);
			off = extents[i].file + extents[i].len;
		}
	} while (n == EXTENTS_AT_ONCE && off < end && !is_over(job));
	tool_copy_say(&copy);
}

/* ---- jobs ---------------------------------------------------------------- */

/* A hole at the end is made here; so is what damage left out there. */
static int set_size(const struct job *job)
{
	struct stat st;

	if (fstat(job->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size == job->inode.size)
		return 0;
	return ftruncate(job->fd, (off_t)job->inode.size) < 0 ? -errno : 0;
}

/* One range is done; frees the job after the last. */
static void end_range(struct job *job)
{
	const struct tool_place at = { .fd = job->fd,
				       .path = job->path,
				       .strip = job->strip };
	int r;

	if (atomic_fetch_sub(&job->ranges, 1) != 1)
		return;
	r = atomic_load(&job->failed) ? 0 : set_size(job);
	if (r < 0)
		tool_extract_problem(job->x, job->path, "cannot be resized", r);
	tool_meta_apply(job->x, &at, &job->inode);
	if (close(job->fd) < 0)
		tool_extract_problem(job->x, job->path, "cannot be written",
				     -errno);
	free(job);
}

static void run_task(void *arg)
{
	struct task *task = arg;

	copy_range(task);
	end_range(task->job);
	free(task);
}

static void submit(struct job *job, uint64_t off, uint64_t len)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task) {
		fail_job(job, -ENOMEM);
		return;
	}
	task->job = job;
	task->off = off;
	task->len = len;
	atomic_fetch_add(&job->ranges, 1);
	arc_pool_submit(job->x->pool, run_task, task);
}

/* A large file in ranges that begin with data. */
static void submit_ranges(struct job *job)
{
	uint64_t size = job->inode.size, off = 0;

	while (off < size && !is_over(job)) {
		struct arc_extent e;
		uint64_t len;
		ssize_t n = arc_index_extents(job->x->tool->index, &job->inode,
					      off, size - off, &e, 1);

		if (n == 0)
			break;
		/* Damaged extents: the task runs into that too, and says it. */
		if (n > 0)
			off = e.file;
		len = n > 0 ? ARC_MIN(RANGE, size - off) : size - off;
		submit(job, off, len);
		off += len;
	}
}

void tool_data_write(struct tool_extract *x, int fd, const char *path,
		     const struct arc_inode *inode, bool strip)
{
	size_t n = strlen(path) + 1;
	struct job *job = malloc(sizeof(*job) + n);

	if (!job) {
		close(fd);
		tool_extract_problem(x, path, "cannot be written", -ENOMEM);
		return;
	}
	job->x = x;
	job->inode = *inode;
	job->fd = fd;
	job->strip = strip;
	memcpy(job->path, path, n);
	/* Our own count keeps the job alive while ranges are handed out. */
	atomic_init(&job->failed, false);
	atomic_init(&job->ranges, 1);
	if (inode->size > 2 * RANGE)
		submit_ranges(job);
	else if (inode->size > 0)
		submit(job, 0, inode->size);
	end_range(job);
}
