/* SPDX-License-Identifier: MIT */
#include "prefill.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pool.h"

#define RUNS 16 /* readers told apart */
#define NEAR 16 /* rows between files that are still read in order */
#define BEGIN 3 /* files in order before anything is stored */
#define FILE_MAX (128 * ARC_KIB) /* what the kernel reads with one request */
#define HALF_MIN 8 /* files stored up to the next one left out */
#define HALF_MAX 64
#define START 4 /* files left to a reader who is as far as we are */
#define HALF_BYTES ARC_MIB
#define ROWS_MAX 256 /* looked at for that */
#define UNKNOWN_MAX 6U
#define GIVEN 4096 /* files remembered; a power of two */
#define GIVEN_S 10 /* seconds; then the kernel may have dropped them */

/* A reader who goes through the files in order. */
struct run {
	uint64_t at; /* the last file read; 0: none */
	uint64_t filled; /* up to here there is nothing left to do */
	uint64_t marker; /* whoever reads from here on asks for more */
	uint64_t noted; /* when, by count of notes */
	unsigned files; /* read by request, in order */
	unsigned half;
	unsigned unknown; /* times that the kernel did not know a file */
	bool wanted; /* more is to be stored, or is being */
};

/* A file the kernel has been given not long ago. */
struct given {
	uint64_t ino;
	time_t when;
};

struct arcfs_prefill {
	struct arcfs *fs;
	struct fuse_session *se;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* by lock: */
	struct run run[RUNS];
	uint64_t notes;
	struct given given[GIVEN];
	bool stop;
	bool over;
	struct arcfs_prefill_stats stats;

	uint8_t *copy; /* the thread's own: FILE_MAX bytes */
};

/* ---- noting -------------------------------------------------------------- */

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* Remembers that the kernel gets a file; false: it got it just now. */
static bool give(struct arcfs_prefill *p, uint64_t ino)
{
	struct given *g = &p->given[ino % GIVEN];
	time_t when = now();
	bool fresh = g->ino != ino || when - g->when > GIVEN_S;

	*g = (struct given){ ino, when };
	return fresh;
}

/* The run a file continues, or begins in place of the oldest; NULL: all are
 * being served. */
static struct run *find_run(struct arcfs_prefill *p, uint64_t ino)
{
	struct run *oldest = NULL;

	for (size_t i = 0; i < RUNS; i++) {
		struct run *r = &p->run[i];

		if (r->at && ino > r->at &&
		    ino <= ARC_MAX(r->at, r->filled) + NEAR)
			return r;
		if (!r->wanted && (!oldest || r->noted < oldest->noted))
			oldest = r;
	}
	if (oldest)
		*oldest = (struct run){ .half = HALF_MIN };
	return oldest;
}

static void advance(struct arcfs_prefill *p, struct run *r, uint64_t ino)
{
	r->at = ino;
	r->noted = ++p->notes;
	r->files++;
	if (r->files >= BEGIN && r->at >= r->marker && !r->wanted) {
		r->wanted = true;
		pthread_cond_signal(&p->changed);
	}
}

void arcfs_prefill_note(struct arcfs_prefill *p, const struct arc_inode *inode)
{
	struct run *r;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	give(p, inode->ino);
	r = find_run(p, inode->ino);
	if (r)
		advance(p, r, inode->ino);
	pthread_mutex_unlock(&p->lock);
}

/* ---- storing ------------------------------------------------------------- */

/* The whole of a file in one piece: where it is, or copied. */
static const void *one_piece(struct arcfs_prefill *p, const struct arc_read *r)
{
	size_t n = 0;

	if (r->count == 1)
		return r->iov[0].iov_base;
	for (int i = 0; i < r->count; i++) {
		memcpy(p->copy + n, r->iov[i].iov_base, r->iov[i].iov_len);
		n += r->iov[i].iov_len;
	}
	return p->copy;
}

/* -ENOENT: the kernel does not know the file. */
static int store(struct arcfs_prefill *p, const struct arc_inode *inode)
{
	struct fuse_bufvec vec = FUSE_BUFVEC_INIT(0);
	union {
		const void *in;
		void *out;
	} base; /* struct fuse_buf knows no const */
	struct arc_read r;
	int err = arc_archive_read_begin(p->fs->archive, inode, 0, inode->size,
					 &r);

	if (err < 0)
		return err;
	base.in = one_piece(p, &r);
	vec.buf[0].size = r.n;
	vec.buf[0].mem = base.out;
	err = fuse_lowlevel_notify_store(p->se, arcfs_show(p->fs, inode->ino),
					 0, &vec, 0);
	arc_archive_read_end(p->fs->archive, &r);
	return err;
}

/* Whether this is a file to be stored. With inodes=shared, one that is known
 * by another's number has been read, or will be, as that one. */
static bool is_fit(const struct arcfs_prefill *p, const struct arc_inode *inode)
{
	return S_ISREG(inode->mode) && inode->size > 0 &&
	       inode->size <= FILE_MAX &&
	       (!p->fs->shared || inode->share == inode->ino);
}

/* The next row in front of a run; with the lock. To a reader who has caught up
 * some files are left: he would be asking for the very one that is stored. */
static uint64_t step(struct run *r)
{
	if (r->filled <= r->at)
		r->filled = r->at + START;
	return ++r->filled;
}

/* The next file in front of a reader; 0: none near. */
static uint64_t next_file(struct arcfs_prefill *p, struct run *r,
			  struct arc_inode *ret)
{
	for (unsigned i = 0; i < ROWS_MAX; i++) {
		uint64_t ino;
		bool fresh = true;

		pthread_mutex_lock(&p->lock);
		ino = step(r);
		pthread_mutex_unlock(&p->lock);
		if (arc_index_inode(p->fs->index, ino, ret) < 0)
			return 0;
		if (!is_fit(p, ret))
			continue;
		pthread_mutex_lock(&p->lock);
		fresh = give(p, ino);
		pthread_mutex_unlock(&p->lock);
		if (fresh)
			return ino;
	}
	return 0;
}

/* The kernel does not know this file, or it cannot be read: it is left, and
 * the further on, the more often that happened. */
static void give_up_at(struct arcfs_prefill *p, struct run *r, uint64_t ino)
{
	pthread_mutex_lock(&p->lock);
	p->given[ino % GIVEN].ino = 0;
	r->filled = ino - 1;
	r->marker = r->at + (UINT64_C(1) << r->unknown);
	r->unknown = ARC_MIN(r->unknown + 1, UNKNOWN_MAX);
	pthread_mutex_unlock(&p->lock);
}

/* Stores half a window. False: there is no more to be had now. */
static bool fill_half(struct arcfs_prefill *p, struct run *r)
{
	struct arc_inode inode;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < r->half && bytes < HALF_BYTES; i++) {
		uint64_t ino = next_file(p, r, &inode);

		if (!ino)
			return false;
		if (store(p, &inode) < 0) {
			give_up_at(p, r, ino);
			return false;
		}
		bytes += inode.size;
		pthread_mutex_lock(&p->lock);
		r->unknown = 0;
		p->stats.files++;
		p->stats.bytes += inode.size;
		pthread_mutex_unlock(&p->lock);
	}
	return true;
}

/* Leaves out the next file. */
static bool leave_marker(struct arcfs_prefill *p, struct run *r)
{
	struct arc_inode inode;
	uint64_t ino = next_file(p, r, &inode);

	pthread_mutex_lock(&p->lock);
	r->marker = ino ? ino : r->filled;
	if (ino)
		p->given[ino % GIVEN].ino = 0;
	pthread_mutex_unlock(&p->lock);
	return ino;
}

/* A reader who has come to the marker has half a window in front of him, or
 * nothing at all. */
static void fill(struct arcfs_prefill *p, struct run *r)
{
	bool empty, more = true;

	pthread_mutex_lock(&p->lock);
	empty = r->filled <= r->at;
	pthread_mutex_unlock(&p->lock);
	if (empty)
		more = fill_half(p, r);
	if (more && leave_marker(p, r))
		fill_half(p, r);
	pthread_mutex_lock(&p->lock);
	r->half = ARC_MIN(2 * r->half, HALF_MAX);
	r->wanted = false;
	pthread_mutex_unlock(&p->lock);
}

/* ---- the thread ---------------------------------------------------------- */

/* With the lock. */
static struct run *find_wanted(struct arcfs_prefill *p)
{
	for (size_t i = 0; i < RUNS; i++)
		if (p->run[i].wanted)
			return &p->run[i];
	return NULL;
}

static void *prefill_main(void *arg)
{
	struct arcfs_prefill *p = arg;
	struct run *r;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		r = find_wanted(p);
		if (!r) {
			pthread_cond_wait(&p->changed, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		fill(p, r);
		pthread_mutex_lock(&p->lock);
	}
	p->over = true;
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the face ------------------------------------------------------------ */

static void release(struct arcfs_prefill *p)
{
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->copy);
	free(p);
}

int arcfs_prefill_new(struct arcfs *fs, struct fuse_session *se,
		      struct arcfs_prefill **ret)
{
	struct arcfs_prefill *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->fs = fs;
	p->se = se;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->copy = malloc(FILE_MAX);
	err = p->copy ? arc_thread_start(&p->thread, prefill_main, p) : -ENOMEM;
	if (err) {
		release(p);
		return err;
	}
	*ret = p;
	return 0;
}

void arcfs_prefill_stop(struct arcfs_prefill *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

bool arcfs_prefill_is_over(struct arcfs_prefill *p)
{
	bool over;

	pthread_mutex_lock(&p->lock);
	over = p->over;
	pthread_mutex_unlock(&p->lock);
	return over;
}

void arcfs_prefill_free(struct arcfs_prefill *p)
{
	if (!p)
		return;
	pthread_join(p->thread, NULL);
	release(p);
}

void arcfs_prefill_stats(struct arcfs_prefill *p,
			 struct arcfs_prefill_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
}
