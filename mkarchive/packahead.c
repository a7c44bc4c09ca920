/* SPDX-License-Identifier: MIT */
/*
 * Buffers are pieces of one ring, given out and handed back in the order of the
 * files; a file lies in one piece. A thread claims some files of one directory
 * at a time, for which one descriptor of that directory will do.
 *
 * The conductor takes a million files without a lock: what it looks at is
 * atomic, and the lock is for threads that claim and for whoever sleeps. A
 * sleeper says so before it looks a last time, and who changes something looks
 * for sleepers afterwards.
 *
 * One thread begins. Another is started when the conductor had to wait though
 * processors were idle: so files in memory are read by one or two, and a slow
 * disk or network is asked by as many as are allowed.
 */
#include "packahead.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pool.h"
#include "sha256.h"
#include "source.h"

/* Files that a thread claims at once. */
#define CLAIM 16

/* The ring of files. */
#define FILES 4096

/* Between two looks at whether processors are idle, in seconds; and what share
 * of them counts as all. */
#define LOOK_EVERY 0.002
#define ALL_BUSY 0.9

/* Descriptors a thread has open at most: its directory, the next one while it
 * changes over, a file. */
#define READER_FDS 3

struct file {
	uint64_t entry;
	uint8_t *bytes;
	size_t n;
	size_t span; /* of the ring: with what was left out at its end */
	atomic_bool done;
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
	/* the owner's: */
	unsigned threads;
	unsigned threads_max;
	pthread_t *thread;
	double looked; /* when, and the process's time then */
	double cpu;

	pthread_mutex_t lock;
	pthread_cond_t room; /* files were taken, or stop */
	pthread_cond_t read; /* the file that comes next is done */
	/* changed with the lock, looked at by the owner without: */
	atomic_uint_fast64_t next; /* which to look at next, see entry_at() */
	atomic_uint_fast64_t claimed; /* files so far, their places filled in */
	/* changed by the owner, looked at by threads: */
	atomic_uint_fast64_t taken;
	atomic_bool waits; /* for a file */
	/* changed by threads with the lock, by the owner without: */
	atomic_size_t used; /* of the ring */
	atomic_uint sleepers; /* threads that wait for room; with the lock */
	/* by lock: */
	size_t head; /* of the ring */
	bool stop;
	struct file file[FILES];
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
	       !(e->flags &
		 (MK_ENTRY_GONE | MK_ENTRY_SPARSE | MK_ENTRY_HELD)) &&
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
		mk_tree_step(a->tree, a->next++);
	return a->next < count;
}

/* Half of all is free: then there is room for any file. */
static bool has_half(struct mk_ahead *a)
{
	return a->used <= a->cap / 2 && a->claimed - a->taken <= FILES / 2;
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
	atomic_store(&f->done, false);
	f->entry = entry;
	f->bytes = a->ring + a->head;
	f->n = n;
	f->span = left_out + n;
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

/* Room may have come before anybody knew that we wait for it. */
static void sleep_until_room(struct mk_ahead *a)
{
	a->sleepers++;
	if (!has_half(a))
		pthread_cond_wait(&a->room, &a->lock);
	a->sleepers--;
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
			sleep_until_room(a);
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

/* Whether it is there whole, and as it was when it was listed: looked at once,
 * after it was read. */
static bool read_file(struct reader *r, struct file *f)
{
	arc_cleanup(arc_closep) int fd = -1;

	return !mk_source_open_blind(r->source, f->entry, &fd) &&
	       mk_source_read(fd, f->bytes, f->n, 0) == (ssize_t)f->n &&
	       !mk_source_check(r->a->tree, f->entry, fd) && digest(r, f);
}

static void read_claimed(struct reader *r, uint64_t first, unsigned n)
{
	struct mk_ahead *a = r->a;

	for (uint64_t i = first; i < first + n; i++) {
		struct file *f = file_at(a, i);

		f->good = read_file(r, f);
		atomic_store(&f->done, true);
		if (!a->waits)
			continue;
		pthread_mutex_lock(&a->lock);
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

/* ---- how many threads ---------------------------------------------------- */

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool start_thread(struct mk_ahead *a)
{
	if (a->threads == a->threads_max ||
	    arc_thread_start(&a->thread[a->threads], reader_main, a))
		return false;
	a->threads++;
	return true;
}

/* The conductor has waited: for the storage, unless everybody was at work. */
static void look_at_load(struct mk_ahead *a)
{
	double now = seconds(CLOCK_MONOTONIC);
	double passed = now - a->looked;
	double cpu;

	if (a->threads == a->threads_max || passed < LOOK_EVERY)
		return;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (cpu - a->cpu < ALL_BUSY * passed * arc_cpu_count())
		start_thread(a);
	a->looked = now;
	a->cpu = cpu;
}

/* ---- the conductor ------------------------------------------------------- */

void mk_ahead_reach(struct mk_ahead *a, uint64_t i)
{
	if (a->next > i)
		return;
	pthread_mutex_lock(&a->lock);
	a->next = ARC_MAX(a->next, i + 1);
	pthread_mutex_unlock(&a->lock);
}

static void wait_for(struct mk_ahead *a, const struct file *f)
{
	pthread_mutex_lock(&a->lock);
	a->waits = true;
	while (!f->done)
		pthread_cond_wait(&a->read, &a->lock);
	a->waits = false;
	pthread_mutex_unlock(&a->lock);
	look_at_load(a);
}

bool mk_ahead_take(struct mk_ahead *a, uint64_t entry,
		   struct mk_ahead_file *ret)
{
	struct file *f = file_at(a, a->taken);

	if (a->claimed == a->taken || f->entry != entry)
		return false;
	if (!f->done)
		wait_for(a, f);
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
	a->used -= file_at(a, a->taken)->span;
	a->taken++;
	if (!a->sleepers || !has_half(a))
		return;
	pthread_mutex_lock(&a->lock);
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
	a->run->stages.readers = ARC_MAX(a->run->stages.readers, a->threads);
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
	a->largest = ARC_MIN(a->cap / 4, MK_LARGE_FILE);
	a->threads_max = wanted;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->room, NULL);
	pthread_cond_init(&a->read, NULL);
	a->ring = malloc(a->cap);
	a->thread = calloc(wanted, sizeof(*a->thread));
	if (!a->ring || !a->thread)
		return -ENOMEM;
	if (!find_next(a))
		return 0;
	a->looked = seconds(CLOCK_MONOTONIC);
	a->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	start_thread(a);
	*ret = arc_steal(a);
	return 0;
}
