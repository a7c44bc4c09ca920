/* SPDX-License-Identifier: MIT */
/*
 * One list of candidates is sorted and thinned out again and again; where they
 * are read, they are put back into the order of the tree, in which files lie
 * near each other on disk, so the size never decides the order of reading.
 * The samples are read in one go, for an open costs more than seven bytes, and
 * count as the stages they are; whole files are read only for what is left.
 *
 * Memory is bounded by taking only so many candidates at a time: files whose
 * sizes fall into the same slice can only be equal among themselves. Hash
 * tables were not used: sorting needs no memory of its own to speak of, and
 * its result is the same for any number of threads.
 */
#include "dedup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "dedup_i.h"
#include "pool.h"

/* Candidates held at a time, if sizes differ enough. */
#define SLICE ((uint64_t)3 << 20)

/* Files whose samples are taken by one thread in a row. */
#define SAMPLE_BLOCK 64

/* Up to here a file is read whole for its samples: a page costs as one byte. */
#define SAMPLE_WHOLE 4096

/* Descriptors a worker has open at most: its directory, the next one while it
 * changes over, two files. The rest of the program has the others. */
#define WORKER_FDS 4
#define OTHER_FDS 20

/* Rows after which the pages of the tree are handed back. */
#define RELEASE_ROWS 65536

/* ---- the list ------------------------------------------------------------ */

enum stage { SIZE, FIRST, LAST, CENTRE, HASH };

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Order by all that is known up to a stage. */
static int compare_up_to(const struct mk_candidate *a,
			 const struct mk_candidate *b, enum stage stage)
{
	int r = compare_numbers(a->size, b->size);

	if (!r && stage >= FIRST)
		r = memcmp(a->first, b->first, sizeof(a->first));
	if (!r && stage >= LAST)
		r = memcmp(a->last, b->last, sizeof(a->last));
	if (!r && stage >= CENTRE)
		r = memcmp(a->centre, b->centre, sizeof(a->centre));
	if (!r && stage >= HASH)
		r = compare_numbers(a->hash, b->hash);
	return r;
}

static int by_content(const void *a, const void *b)
{
	const struct mk_candidate *one = a;
	const struct mk_candidate *other = b;
	int r = compare_up_to(one, other, HASH);

	return r ? r : compare_numbers(one->entry, other->entry);
}

static int by_entry(const void *a, const void *b)
{
	const struct mk_candidate *one = a;
	const struct mk_candidate *other = b;

	return compare_numbers(one->entry, other->entry);
}

static void sort(struct mk_dedup *d, int (*order)(const void *, const void *))
{
	if (d->count > 1)
		qsort(d->list, d->count, sizeof(*d->list), order);
}

/* The end of the group that begins at i: all equal up to a stage. */
static uint64_t group_end(const struct mk_dedup *d, uint64_t i,
			  enum stage stage)
{
	uint64_t end = i + 1;

	while (end < d->count &&
	       compare_up_to(&d->list[i], &d->list[end], stage) == 0)
		end++;
	return end;
}

/* Keeps those of the sorted list that are not alone after a stage. */
static void keep_groups(struct mk_dedup *d, enum stage stage, mk_counter *count)
{
	uint64_t kept = 0;

	for (uint64_t i = 0, end; i < d->count; i = end) {
		end = group_end(d, i, stage);
		if (end - i < 2)
			continue;
		memmove(&d->list[kept], &d->list[i],
			(end - i) * sizeof(*d->list));
		kept += end - i;
	}
	d->count = kept;
	mk_count(count, kept);
}

static void drop_out(struct mk_dedup *d)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < d->count; i++) {
		if (d->list[i].state == MK_CANDIDATE_IN)
			d->list[kept++] = d->list[i];
	}
	d->count = kept;
}

/* ---- workers ------------------------------------------------------------- */

static void free_worker(struct mk_dedup_worker *w)
{
	if (!w)
		return;
	mk_source_free(w->source);
	free(w->leader);
	free(w->member);
	arc_digest_free(w->digest);
	arc_sha256_free(w->sha256);
	free(w);
}
ARC_DEFINE_CLEANUP(struct mk_dedup_worker, free_worker)

static int new_worker(const struct mk_dedup *d, struct mk_dedup_worker **ret)
{
	arc_cleanup(free_workerp) struct mk_dedup_worker *w =
		calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->leader = malloc(MK_COMPARE_PIECE);
	w->member = malloc(MK_COMPARE_PIECE);
	if (!w->leader || !w->member)
		return -ENOMEM;
	err = mk_source_new(d->tree, &w->source);
	if (!err)
		err = arc_digest_new(&w->digest);
	if (!err && d->tree->sha256.base)
		err = arc_sha256_new(&w->sha256);
	if (!err)
		*ret = arc_steal(w);
	return err;
}

static int take_worker(struct mk_dedup *d, struct mk_dedup_worker **ret)
{
	struct mk_dedup_worker *w;

	pthread_mutex_lock(&d->lock);
	w = d->idle;
	if (w)
		d->idle = w->next;
	pthread_mutex_unlock(&d->lock);
	if (!w)
		return new_worker(d, ret);
	*ret = w;
	return 0;
}

static void put_worker(struct mk_dedup *d, struct mk_dedup_worker *w)
{
	pthread_mutex_lock(&d->lock);
	w->next = d->idle;
	d->idle = w;
	pthread_mutex_unlock(&d->lock);
}

/* ---- samples ------------------------------------------------------------- */

static bool read_exactly(int fd, void *buf, size_t n, uint64_t off)
{
	return mk_source_read(fd, buf, n, off) == (ssize_t)n;
}

/* Where the sample of up to n bytes begins whose middle is at `middle`. */
static uint64_t centre_at(uint64_t size)
{
	return size < 3 ? 0 : size / 2 - 1;
}

static bool sample_whole(struct mk_candidate *c, int fd)
{
	uint8_t bytes[SAMPLE_WHOLE] = { 0 };
	size_t n = (size_t)c->size;
	size_t centre = (size_t)centre_at(n);

	if (!read_exactly(fd, bytes, n, 0))
		return false;
	memcpy(c->first, bytes, sizeof(c->first));
	memcpy(c->last, bytes + (n < 2 ? 0 : n - 2), sizeof(c->last));
	memcpy(c->centre, bytes + centre, sizeof(c->centre));
	return true;
}

static bool sample(struct mk_candidate *c, int fd)
{
	if (c->size <= SAMPLE_WHOLE)
		return sample_whole(c, fd);
	return read_exactly(fd, c->first, sizeof(c->first), 0) &&
	       read_exactly(fd, c->last, sizeof(c->last),
			    c->size - sizeof(c->last)) &&
	       read_exactly(fd, c->centre, sizeof(c->centre),
			    centre_at(c->size));
}

static int sample_block(void *ctx, uint64_t block)
{
	struct mk_dedup *d = ctx;
	uint64_t i = block * SAMPLE_BLOCK;
	uint64_t end = ARC_MIN(i + SAMPLE_BLOCK, d->count);
	struct mk_dedup_worker *w;
	int err = take_worker(d, &w);

	if (err)
		return err;
	for (; i < end; i++) {
		struct mk_candidate *c = &d->list[i];
		arc_cleanup(arc_closep) int fd = -1;

		err = mk_source_open(w->source, c->entry, &fd);
		if (mk_source_is_fatal(err))
			break;
		if (err || !sample(c, fd))
			c->state = MK_CANDIDATE_OUT;
		err = 0;
	}
	put_worker(d, w);
	if (block % (RELEASE_ROWS / SAMPLE_BLOCK) == 0)
		mk_tree_release(d->tree);
	return err;
}

/* ---- the hash ------------------------------------------------------------ */

static int hash_one(void *ctx, uint64_t i)
{
	struct mk_dedup *d = ctx;
	struct mk_candidate *c = &d->list[i];
	arc_cleanup(arc_closep) int fd = -1;
	struct mk_dedup_worker *w;
	int err = take_worker(d, &w);

	if (err)
		return err;
	err = mk_source_open(w->source, c->entry, &fd);
	put_worker(d, w);
	if (!err)
		err = d->hash(fd, c->size, &c->hash);
	if (!err)
		mk_count(&d->run->stats.hashed, 1);
	else
		c->state = MK_CANDIDATE_OUT;
	return mk_source_is_fatal(err) ? err : 0;
}

/* ---- the stages ---------------------------------------------------------- */

static int compare_one(void *ctx, uint64_t group)
{
	struct mk_dedup *d = ctx;
	struct mk_dedup_worker *w;
	int err = take_worker(d, &w);

	if (err)
		return err;
	err = mk_dedup_compare_group(d, w, &d->list[d->groups[group]],
				     d->groups[group + 1] - d->groups[group]);
	put_worker(d, w);
	return err;
}

/* The list is what may be equal after the hash: all groups, side by side. */
static int compare_groups(struct mk_dedup *d)
{
	uint64_t n = 0;
	int err;

	d->groups = calloc(d->count / 2 + 1, sizeof(*d->groups));
	if (!d->groups)
		return -ENOMEM;
	for (uint64_t i = 0; i < d->count; i = group_end(d, i, HASH))
		d->groups[n++] = i;
	d->groups[n] = d->count;
	err = arc_parallel_each(d->threads, n, compare_one, d);
	free(arc_steal(d->groups));
	return err;
}

/* All stages for what is in the list. */
static int run_stages(struct mk_dedup *d)
{
	struct mk_stats *stats = &d->run->stats;
	int err;

	sort(d, by_content);
	keep_groups(d, SIZE, &stats->same_size);
	sort(d, by_entry);
	err = arc_parallel_each(d->threads, arc_div_up(d->count, SAMPLE_BLOCK),
				sample_block, d);
	if (err)
		return err;
	drop_out(d);
	sort(d, by_content);
	keep_groups(d, FIRST, &stats->same_first);
	keep_groups(d, LAST, &stats->same_last);
	keep_groups(d, CENTRE, &stats->same_centre);
	sort(d, by_entry);
	err = arc_parallel_each(d->threads, d->count, hash_one, d);
	if (err)
		return err;
	drop_out(d);
	sort(d, by_content);
	keep_groups(d, HASH, &stats->same_hash);
	return compare_groups(d);
}

static int add_candidate(struct mk_dedup *d, uint64_t entry, uint64_t size)
{
	if (d->count == d->cap) {
		uint64_t cap = d->cap ? d->cap + d->cap / 2 : 4096;
		struct mk_candidate *more =
			reallocarray(d->list, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		d->list = more;
		d->cap = cap;
	}
	d->list[d->count++] =
		(struct mk_candidate){ .size = size, .entry = entry };
	return 0;
}

/* Sizes are spread over the slices, near ones too. */
static uint64_t slice_of(uint64_t size, uint64_t slices)
{
	return (size * UINT64_C(0x9e3779b97f4a7c15) >> 32) % slices;
}

static int collect(struct mk_dedup *d, uint64_t slice, uint64_t slices)
{
	d->count = 0;
	for (uint64_t i = 0; i < d->tree->entries.count; i++) {
		const struct mk_entry *e = mk_tree_at(d->tree, i);
		int err;

		if (i % RELEASE_ROWS == 0)
			mk_tree_release(d->tree);
		if (!S_ISREG(e->mode) || e->link != i || e->size == 0 ||
		    slice_of(e->size, slices) != slice)
			continue;
		err = add_candidate(d, i, e->size);
		if (err)
			return err;
	}
	return 0;
}

/* As many as there are descriptors for. The next one that is given out says
 * whether we were started with many open. */
static unsigned reading_threads(const struct mk_tree *tree, unsigned wanted)
{
	int next = fcntl(tree->root_fd, F_DUPFD_CLOEXEC, 0);
	struct rlimit limit;
	uint64_t taken, most;

	if (next < 0 || getrlimit(RLIMIT_NOFILE, &limit))
		return 1;
	close(next);
	taken = ARC_MAX((uint64_t)next, OTHER_FDS);
	most = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
	return (unsigned)ARC_MAX(ARC_MIN(most / WORKER_FDS, wanted), 1);
}

int mk_dedup_with(struct mk_run *run, struct mk_tree *tree, mk_dedup_hash hash)
{
	uint64_t slices = mk_value(&run->stats.files) / SLICE + 1;
	struct mk_dedup d = {
		.run = run,
		.tree = tree,
		.hash = hash,
		.threads = reading_threads(tree, run->opt->threads),
	};
	int err = 0;

	pthread_mutex_init(&d.lock, NULL);
	for (uint64_t i = 0; !err && i < slices; i++) {
		err = collect(&d, i, slices);
		if (!err)
			err = run_stages(&d);
	}
	while (d.idle) {
		struct mk_dedup_worker *w = d.idle;

		d.idle = w->next;
		free_worker(w);
	}
	pthread_mutex_destroy(&d.lock);
	free(d.list);
	mk_tree_release(tree);
	return err;
}

int mk_dedup(struct mk_run *run, struct mk_tree *tree)
{
	return mk_dedup_with(run, tree, mk_dedup_fnv);
}
