/* SPDX-License-Identifier: MIT */
/*
 * Buffers are pieces of one ring, given out and handed back in the order of the
 * files; a file lies in one piece. A thread claims some files of one directory
 * at a time, for which one descriptor of that directory will do.
 */
#include "packahead.h"

#include <string.h>
#include <sys/stat.h>

#include "pool.h"
#include "sha256.h"
#include "source.h"

/* Files that a thread claims at once. */
#define CLAIM 16

/* The ring of files. */
#define FILES 4096

/* Larger ones are read by the conductor, straight into the frame; the kernel
 * reads them ahead. */
#define LARGE ARC_MIB

/* Descriptors a thread has open at most: its directory, the next one while it
 * changes over, a file. */
#define READER_FDS 3

struct file {
	uint64_t entry;
	uint8_t *bytes;
	size_t n;
	size_t span; /* of the ring: with what was left out at its end */
	bool done; /* by lock */
	bool good; /* valid when done */
	struct arc_digest128 digest;
	uint8_t sha256[32];
};

struct mk_ahead {
	struct mk_run *run;
	const struct mk_tree *tree;
	size_t largest;
	uint8_t *ring;
	size_t cap;
	unsigned threads; /* the owner's, as the next is */
	pthread_t *thread;

	pthread_mutex_t lock;
	pthread_cond_t room; /* files were taken, or stop */
	pthread_cond_t read; /* the file that comes next is done */
	/* by lock: */
	uint64_t next; /* which entry to look at next, see entry_at() */
	struct file file[FILES];
	uint64_t claimed; /* files so far */
	uint64_t taken;
	size_t head; /* of the ring */
	size_t used;
	bool stop;
};

/* What one thread works with. */
struct reader {
	struct mk_ahead *a;
	struct mk_source *source;
	struct arc_digest *digest;
	struct arc_sha256 *sha256; /* NULL: not wanted */
};

bool mk_pack_is_digested(const struct mk_run *run, const struct mk_entry *e)
{
	return run->opt->digest != MK_DIGEST_NONE ||
	       e->flags & (MK_ENTRY_CANDIDATE | MK_ENTRY_LEADER);
}

static struct file *file_at(struct mk_ahead *a, uint64_t i)
{
	return &a->file[i % FILES];
}

/* ---- claiming; all with the lock ----------------------------------------- */

/* The conductor will want to store it, and it is small and plain. */
static bool is_wanted(const struct mk_ahead *a, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(a->tree, entry);

	return S_ISREG(e->mode) && e->link == entry && e->size > 0 &&
	       e->size <= a->largest &&
	       !(e->flags & (MK_ENTRY_GONE | MK_ENTRY_SPARSE)) &&
	       !(e->flags & MK_ENTRY_CANDIDATE && e->leader != entry);
}

/* The i-th in the order in which they are packed. */
static uint64_t entry_at(const struct mk_ahead *a, uint64_t i)
{
	const struct mk_spool *order = &a->tree->order;

	return order->base ? *(const uint64_t *)mk_spool_at(order, i) : i;
}

static bool find_next(struct mk_ahead *a)
{
	uint64_t count = a->tree->order.base ? a->tree->order.count
					     : a->tree->entries.count;

	while (a->next < count && !is_wanted(a, entry_at(a, a->next)))
		a->next++;
	return a->next < count;
}

/* The next file gets its place; false: there is none. */
static bool claim_one(struct mk_ahead *a)
{
	uint64_t entry = entry_at(a, a->next);
	size_t n = (size_t)mk_tree_at(a->tree, entry)->size;
	size_t left_out = a->head + n > a->cap ? a->cap - a->head : 0;
	struct file *f;

	if (a->claimed - a->taken == FILES || a->used + left_out + n > a->cap)
		return false;
	if (left_out)
		a->head = 0;
	f = file_at(a, a->claimed);
	f->entry = entry;
	f->bytes = a->ring + a->head;
	f->n = n;
	f->span = left_out + n;
	f->done = false;
	a->head += n;
	a->used += f->span;
	a->claimed++;
	a->next++;
	return true;
}

static uint64_t parent_of(const struct mk_ahead *a, uint64_t i)
{
	return mk_tree_at(a->tree, entry_at(a, i))->parent;
}

/* Some files of one directory; waits for room for one. 0: there are none. */
static unsigned claim(struct mk_ahead *a, uint64_t *ret_first)
{
	uint64_t first = 0;
	unsigned n = 0;

	while (!a->stop && n < CLAIM && find_next(a)) {
		if (n > 0 && parent_of(a, a->next) != parent_of(a, first))
			break;
		if (claim_one(a)) {
			if (n++ == 0)
				*ret_first = a->claimed - 1;
			first = a->next - 1;
		} else if (n > 0) {
			break;
		} else {
			pthread_cond_wait(&a->room, &a->lock);
		}
	}
	return n;
}

/* ---- reading ------------------------------------------------------------- */

static bool digest(struct reader *r, struct file *f)
{
	f->digest = (struct arc_digest128){ 0 };
	if (!mk_pack_is_digested(r->a->run, mk_tree_at(r->a->tree, f->entry)))
		return true;
	arc_digest_reset(r->digest);
	arc_digest_update(r->digest, f->bytes, f->n);
	f->digest = arc_digest_value(r->digest);
	return !r->sha256 || (!arc_sha256_reset(r->sha256) &&
			      !arc_sha256_update(r->sha256, f->bytes, f->n) &&
			      !arc_sha256_value(r->sha256, f->sha256));
}

/* Whether it is there whole, and as it was when it was listed. */
static bool read_file(struct reader *r, struct file *f)
{
	arc_cleanup(arc_closep) int fd = -1;

	return !mk_source_open(r->source, f->entry, &fd) &&
	       mk_source_read(fd, f->bytes, f->n, 0) == (ssize_t)f->n &&
	       !mk_source_check(r->a->tree, f->entry, fd) && digest(r, f);
}

static void read_claimed(struct reader *r, uint64_t first, unsigned n)
{
	struct mk_ahead *a = r->a;

	for (uint64_t i = first; i < first + n; i++) {
		struct file *f = file_at(a, i);

		f->good = read_file(r, f);
		pthread_mutex_lock(&a->lock);
		f->done = true;
		if (i == a->taken)
			pthread_cond_signal(&a->read);
		pthread_mutex_unlock(&a->lock);
	}
}

static int init_reader(struct reader *r, struct mk_ahead *a)
{
	int err = mk_source_new(a->tree, &r->source);

	r->a = a;
	if (!err)
		err = arc_digest_new(&r->digest);
	if (!err && a->tree->sha256.base)
		err = arc_sha256_new(&r->sha256);
	return err;
}

/* One that has no memory claims nothing: others do it, the conductor at last. */
static void *reader_main(void *arg)
{
	struct mk_ahead *a = arg;
	struct reader r = { 0 };
	uint64_t first = 0;
	unsigned n = !init_reader(&r, a);

	while (n > 0) {
		pthread_mutex_lock(&a->lock);
		n = claim(a, &first);
		pthread_mutex_unlock(&a->lock);
		read_claimed(&r, first, n);
	}
	mk_source_free(r.source);
	arc_digest_free(r.digest);
	arc_sha256_free(r.sha256);
	return NULL;
}

/* ---- the conductor ------------------------------------------------------- */

void mk_ahead_reach(struct mk_ahead *a, uint64_t i)
{
	pthread_mutex_lock(&a->lock);
	a->next = ARC_MAX(a->next, i + 1);
	pthread_mutex_unlock(&a->lock);
}

bool mk_ahead_take(struct mk_ahead *a, uint64_t entry,
		   struct mk_ahead_file *ret)
{
	struct file *f;
	bool mine;

	pthread_mutex_lock(&a->lock);
	f = file_at(a, a->taken);
	mine = a->claimed > a->taken && f->entry == entry;
	while (mine && !f->done)
		pthread_cond_wait(&a->read, &a->lock);
	pthread_mutex_unlock(&a->lock);
	if (!mine)
		return false;
	if (!f->good) {
		mk_ahead_done(a);
		return false;
	}
	*ret = (struct mk_ahead_file){ .bytes = f->bytes,
				       .n = f->n,
				       .digest = f->digest };
	memcpy(ret->sha256, f->sha256, sizeof(f->sha256));
	return true;
}

/* Threads that wait are woken when half of all is free, not for each file. */
void mk_ahead_done(struct mk_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->used -= file_at(a, a->taken)->span;
	a->taken++;
	if (a->used <= a->cap / 2 && a->claimed - a->taken <= FILES / 2)
		pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
}

void mk_ahead_free(struct mk_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->room);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->threads; i++)
		pthread_join(a->thread[i], NULL);
	pthread_cond_destroy(&a->read);
	pthread_cond_destroy(&a->room);
	pthread_mutex_destroy(&a->lock);
	free(a->thread);
	free(a->ring);
	free(a);
}

int mk_ahead_new(struct mk_run *run, const struct mk_tree *tree,
		 struct mk_ahead **ret)
{
	unsigned wanted =
		mk_source_threads(tree, run->opt->readers, READER_FDS);
	arc_cleanup(mk_ahead_freep) struct mk_ahead *a = NULL;

	*ret = NULL;
	if (!wanted)
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->run = run;
	a->tree = tree;
	a->cap = run->opt->buffer_size;
	a->largest = ARC_MIN(a->cap / 4, LARGE);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->room, NULL);
	pthread_cond_init(&a->read, NULL);
	a->ring = malloc(a->cap);
	a->thread = calloc(wanted, sizeof(*a->thread));
	if (!a->ring || !a->thread)
		return -ENOMEM;
	while (a->threads < wanted &&
	       !arc_thread_start(&a->thread[a->threads], reader_main, a))
		a->threads++;
	*ret = arc_steal(a);
	return 0;
}
