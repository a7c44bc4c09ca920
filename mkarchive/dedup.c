/* SPDX-License-Identifier: MIT */
/*
 * One list of candidates is sorted and thinned out again and again; where they
 * are read, they are put back into the order of the tree, in which files lie
 * near each other on disk, so the size never decides the order of reading.
 * The samples are read in one go, for an open costs more than seven bytes, and
 * count as the stages they are; whole files are read only for what is left.
 *
 * The list lies in temporary files, and whoever goes through it hands pages back
 * on the way: memory does not depend on the number of files.
 */
#include "dedup.h"

#include <stdlib.h>
#include <string.h>

#include "dedup_i.h"
#include "pool.h"

/* Files whose samples are taken by one thread in a row. */
#define SAMPLE_BLOCK 64

/* Up to here a file is read whole for its samples: a page costs as one byte. */
#define SAMPLE_WHOLE 4096

/* Of a larger one: first, last and centre. */
#define SAMPLE_BYTES 7

/* What is held for packing, in units of what is read ahead there. */
#define HELD_BUFFERS 4

/* Descriptors a worker has open at most: its directory, the next one while it
 * changes over, two files. */
#define WORKER_FDS 4

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

int mk_dedup_take_worker(struct mk_dedup *d, struct mk_dedup_worker **ret)
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

void mk_dedup_put_worker(struct mk_dedup *d, struct mk_dedup_worker *w)
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

/* Keeps what was read, where there is room and it is what was listed. */
static void hold(struct mk_dedup *d, const struct mk_candidate *c, int fd,
		 const uint8_t *bytes)
{
	struct mk_entry *e = mk_tree_at(d->tree, c->entry);
	uint8_t *room;
	uint64_t at;

	if (!d->tree->held || e->flags & MK_ENTRY_SPARSE)
		return;
	room = mk_held_room(d->tree->held, (size_t)c->size, &at);
	if (!room || mk_source_check(d->tree, c->entry, fd))
		return;
	memcpy(room, bytes, (size_t)c->size);
	e->data = at;
	e->flags |= MK_ENTRY_HELD;
}

static bool sample_whole(struct mk_dedup *d, struct mk_candidate *c, int fd)
{
	uint8_t bytes[SAMPLE_WHOLE];
	size_t n = (size_t)c->size;
	size_t centre = (size_t)centre_at(n);

	/* The centre of the smallest lies behind their end. */
	memset(bytes, 0, sizeof(c->centre));
	if (!read_exactly(fd, bytes, n, 0))
		return false;
	hold(d, c, fd, bytes);
	memcpy(c->first, bytes, sizeof(c->first));
	memcpy(c->last, bytes + (n < 2 ? 0 : n - 2), sizeof(c->last));
	memcpy(c->centre, bytes + centre, sizeof(c->centre));
	return true;
}

static bool sample(struct mk_dedup *d, struct mk_candidate *c, int fd)
{
	if (c->size <= SAMPLE_WHOLE)
		return sample_whole(d, c, fd);
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
	uint64_t end = ARC_MIN(i + SAMPLE_BLOCK, d->list.count);
	uint64_t opened = 0, read = 0;
	struct mk_dedup_worker *w;
	int err = mk_dedup_take_worker(d, &w);

	if (err)
		return err;
	for (; i < end; i++) {
		struct mk_candidate *c = mk_candidate_at(d, i);
		arc_cleanup(arc_closep) int fd = -1;

		mk_dedup_release(d, i);
		/* Samples only propose: that it is the same file is found out
		 * when more of it is read. */
		err = mk_source_open_blind(w->source, c->entry, &fd);
		if (mk_source_is_fatal(err))
			break;
		if (err || !sample(d, c, fd))
			c->state = MK_CANDIDATE_OUT;
		read += c->size <= SAMPLE_WHOLE ? c->size : SAMPLE_BYTES;
		opened += !err;
		err = 0;
	}
	mk_count(&d->run->stats.searched, opened);
	mk_count(&d->run->stats.searched_bytes, read);
	mk_dedup_put_worker(d, w);
	return err;
}

/* ---- the hash ------------------------------------------------------------ */

/* What is held is hashed where it lies. */
static bool hash_held(struct mk_dedup *d, struct mk_candidate *c)
{
	const struct mk_entry *e = mk_tree_at(d->tree, c->entry);

	if (!(e->flags & MK_ENTRY_HELD) || d->hash != mk_dedup_fnv)
		return false;
	c->hash = mk_dedup_fnv_bytes(mk_tree_held(d->tree, e));
	mk_count(&d->run->stats.hashed, 1);
	return true;
}

static int hash_one(void *ctx, uint64_t i)
{
	struct mk_dedup *d = ctx;
	struct mk_candidate *c = mk_candidate_at(d, i);
	arc_cleanup(arc_closep) int fd = -1;
	struct mk_dedup_worker *w;
	int err;

	mk_dedup_release(d, i);
	if (hash_held(d, c))
		return 0;
	err = mk_dedup_take_worker(d, &w);
	if (err)
		return err;
	err = mk_source_open(w->source, c->entry, &fd);
	mk_dedup_put_worker(d, w);
	if (!err)
		err = d->hash(fd, c->size, &c->hash);
	mk_count(&d->run->stats.searched, 1);
	mk_count(&d->run->stats.searched_bytes, c->size);
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
	const uint64_t *begin = mk_spool_at(&d->groups, group);
	struct mk_dedup_worker *w;
	int err = mk_dedup_take_worker(d, &w);

	if (err)
		return err;
	mk_dedup_release(d, group);
	err = mk_dedup_compare_group(d, w, mk_candidate_at(d, begin[0]),
				     begin[1] - begin[0]);
	mk_dedup_put_worker(d, w);
	return err;
}

static int add_group(struct mk_dedup *d, uint64_t begin)
{
	uint64_t i;
	int err = mk_spool_add(&d->groups, 1, &i);

	if (!err)
		*(uint64_t *)mk_spool_at(&d->groups, i) = begin;
	return err;
}

/* The list is what may be equal after the hash: all groups, side by side. */
static int compare_groups(struct mk_dedup *d)
{
	uint64_t i = 0;
	int err = 0;

	while (!err && i < d->list.count) {
		err = add_group(d, i);
		i = mk_candidates_group_end(d, i, MK_HASH);
	}
	if (!err)
		err = add_group(d, i);
	if (err)
		return err;
	return arc_parallel_each(d->threads, d->groups.count - 1, compare_one,
				 d);
}

/* Reads the samples of the list and keeps what is equal in them. */
static int run_samples(struct mk_dedup *d)
{
	struct mk_stats *stats = &d->run->stats;
	int err = mk_candidates_sort_by_entry(d);

	if (!err)
		err = arc_parallel_each(d->threads,
					arc_div_up(d->list.count, SAMPLE_BLOCK),
					sample_block, d);
	if (err)
		return err;
	mk_candidates_drop_out(d);
	err = mk_candidates_sort_by_content(d);
	if (err)
		return err;
	mk_candidates_keep_groups(d, MK_FIRST, &stats->same_first);
	mk_candidates_keep_groups(d, MK_LAST, &stats->same_last);
	mk_candidates_keep_groups(d, MK_CENTRE, &stats->same_centre);
	return 0;
}

/* Hashes the files of the list and keeps what is equal in that. */
static int run_hashes(struct mk_dedup *d)
{
	int err = mk_candidates_sort_by_entry(d);

	if (!err && mk_dedup_is_for_devices(d))
		err = mk_dedup_hash_by_devices(d);
	else if (!err)
		err = arc_parallel_each(d->threads, d->list.count, hash_one, d);
	if (err)
		return err;
	mk_candidates_drop_out(d);
	err = mk_candidates_sort_by_content(d);
	if (!err)
		mk_candidates_keep_groups(d, MK_HASH, &d->run->stats.same_hash);
	return err;
}

static int run_stages(struct mk_dedup *d)
{
	int err = mk_candidates_collect(d);

	if (!err)
		err = mk_candidates_sort_by_content(d);
	if (err)
		return err;
	mk_candidates_keep_groups(d, MK_SIZE, &d->run->stats.same_size);
	err = run_samples(d);
	if (!err)
		err = run_hashes(d);
	return err ? err : compare_groups(d);
}

static int open_lists(struct mk_dedup *d, int tmp_fd)
{
	const size_t row = sizeof(struct mk_candidate);
	int err = mk_spool_open(&d->list, tmp_fd, row);

	if (!err)
		err = mk_spool_open(&d->spare, tmp_fd, row);
	if (!err)
		err = mk_spool_open(&d->groups, tmp_fd, sizeof(uint64_t));
	return err;
}

static void close_all(struct mk_dedup *d)
{
	while (d->idle) {
		struct mk_dedup_worker *w = d->idle;

		d->idle = w->next;
		free_worker(w);
	}
	mk_spool_close(&d->groups);
	mk_spool_close(&d->spare);
	mk_spool_close(&d->list);
	pthread_mutex_destroy(&d->lock);
	mk_tree_release(d->tree);
}

int mk_dedup_with(struct mk_run *run, struct mk_tree *tree, int tmp_fd,
		  mk_dedup_hash hash)
{
	struct mk_dedup d = { .run = run, .tree = tree, .hash = hash };
	const struct mk_options *opt = run->opt;
	int err;

	pthread_mutex_init(&d.lock, NULL);
	err = open_lists(&d, tmp_fd);
	mk_tree_drop_held(tree);
	if (!err)
		err = mk_held_new(opt->buffer_size * HELD_BUFFERS, &tree->held);
	if (!err) {
		d.threads = mk_source_threads(
			tree, opt->io_workers ? opt->io_workers : opt->threads,
			WORKER_FDS);
		d.threads = ARC_MAX(d.threads, 1);
		err = run_stages(&d);
	}
	close_all(&d);
	return err;
}

int mk_dedup(struct mk_run *run, struct mk_tree *tree, int tmp_fd)
{
	return mk_dedup_with(run, tree, tmp_fd, mk_dedup_fnv);
}
