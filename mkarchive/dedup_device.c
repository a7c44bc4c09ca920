/* SPDX-License-Identifier: MIT */
/*
 * The hash by devices. They want many leaves at once, and a file may have one,
 * so leaves of many files are laid side by side:
 *
 *	readers --> slots, each a job --> engine --> slots --> hashes of files
 *
 * Each reader has a ring of slots. It fills one after the other with the leaves
 * of its files, and beside them writes down the steps by which hashes of leaves
 * become those of files; it goes through these when it needs the slot again. A
 * file may begin in one slot and end in another: its hash so far is the
 * reader's. Memory is that of the slots.
 *
 * The CPU is left to the readers: it hashes when no device is left.
 */
#include <stdatomic.h>
#include <string.h>

#include "dedup_i.h"
#include "engine.h"
#include "pool.h"

#define SLOT_BYTES (ARC_HASH_JOB_LEAVES * ARC_FNV_LEAF)
#define SLOTS 48 /* of all readers: 96 MiB */
#define READERS_MAX 16
#define STEPS 128 /* of a slot; a file has two, and more if it has holes */

/* Files that a reader takes in a row. */
#define BLOCK 16

/* Less than this the CPU has hashed before devices are ready. */
#define WORTH_IT (64 * ARC_MIB)

static_assert(SLOT_BYTES % MK_HASH_PIECE == 0, "a piece fits");

enum step_kind {
	JOIN_LEAVES, /* the next n of the slot */
	JOIN_ZEROS, /* n leaves */
	END_FILE, /* n: its number in the list */
	DROP_FILE /* it cannot be read */
};

struct step {
	enum step_kind kind;
	uint64_t n;
};

struct slot {
	uint8_t *buf; /* SLOT_BYTES, when first used */
	size_t fill;
	struct arc_span leaf[ARC_HASH_JOB_LEAVES];
	uint64_t hash[ARC_HASH_JOB_LEAVES];
	struct arc_job job;
	struct step step[STEPS];
	unsigned steps;
};

/* What readers share. */
struct hashing {
	struct mk_dedup *d;
	struct arc_engine *engine;
	uint64_t slots; /* of each */
	atomic_uint_fast64_t next; /* file that no reader has taken */
	atomic_bool failed;
};

struct reader {
	struct hashing *h;
	struct mk_dedup_worker *worker;
	struct slot *slot;
	uint64_t filled; /* slots handed over; the open one's number */
	uint64_t settled; /* slots that were gone through */
	uint64_t state; /* hash so far of the file that is gone through */
	int err; /* nothing to do with a file */
};

/* ---- slots --------------------------------------------------------------- */

static struct slot *slot_at(const struct reader *r, uint64_t i)
{
	return &r->slot[i % r->h->slots];
}

static void take_step(struct reader *r, const struct step *step,
		      const uint64_t **leaf)
{
	struct mk_dedup *d = r->h->d;

	switch (step->kind) {
	case JOIN_LEAVES:
		for (uint64_t i = 0; i < step->n; i++)
			r->state = arc_fnv_join(r->state, *(*leaf)++);
		return;
	case JOIN_ZEROS:
		for (uint64_t i = 0; i < step->n; i++)
			r->state = arc_fnv_join(r->state, mk_dedup_zero_leaf());
		return;
	case END_FILE: {
		struct mk_candidate *c = mk_candidate_at(d, step->n);

		c->hash = arc_fnv_join(r->state, c->size);
		mk_count(&d->run->stats.hashed, 1);
		mk_count(&d->run->stats.searched, 1);
		mk_count(&d->run->stats.searched_bytes, c->size);
		break;
	}
	case DROP_FILE:
		mk_candidate_at(d, step->n)->state = MK_CANDIDATE_OUT;
		break;
	}
	r->state = ARC_FNV_INIT;
}

/* Waits for the oldest slot handed over, and goes through its steps. */
static void settle_oldest(struct reader *r)
{
	struct slot *s = slot_at(r, r->settled++);
	const uint64_t *leaf = s->hash;

	arc_engine_wait(r->h->engine, &s->job);
	if (s->job.err && !r->err)
		r->err = s->job.err;
	if (r->err)
		return;
	if (s->job.by_device)
		mk_count(&r->h->d->run->stats.device_hashed, s->fill);
	for (unsigned i = 0; i < s->steps; i++)
		take_step(r, &s->step[i], &leaf);
}

/* Opens the next slot. */
static int open_slot(struct reader *r)
{
	struct slot *s = slot_at(r, r->filled);

	if (r->filled - r->settled == r->h->slots)
		settle_oldest(r);
	if (!s->buf)
		s->buf = malloc(SLOT_BYTES);
	if (!s->buf && !r->err)
		r->err = -ENOMEM;
	s->fill = 0;
	s->steps = 0;
	s->job = (struct arc_job){
		.kind = ARC_JOB_HASH,
		.hash = { .leaf = s->leaf, .hash = s->hash },
	};
	return r->err;
}

static void hand_over(struct reader *r)
{
	arc_engine_submit(r->h->engine, &slot_at(r, r->filled++)->job);
}

/* One more step; what is the same again only counts. */
static int add_step(struct reader *r, enum step_kind kind, uint64_t n)
{
	struct slot *s = slot_at(r, r->filled);
	struct step *last = s->steps ? &s->step[s->steps - 1] : NULL;
	int err = 0;

	if (last && last->kind == kind && kind <= JOIN_ZEROS) {
		last->n += n;
		return 0;
	}
	if (s->steps == STEPS) {
		hand_over(r);
		err = open_slot(r);
		s = slot_at(r, r->filled);
	}
	if (!err)
		s->step[s->steps++] = (struct step){ kind, n };
	return err;
}

/* ---- leaves -------------------------------------------------------------- */

static int give_room(void *ctx, size_t n, uint8_t **ret)
{
	struct reader *r = ctx;
	struct slot *s = slot_at(r, r->filled);

	if (n > SLOT_BYTES - s->fill || s->steps == STEPS ||
	    arc_div_up(n, ARC_FNV_LEAF) > ARC_HASH_JOB_LEAVES - s->job.hash.n) {
		int err;

		hand_over(r);
		err = open_slot(r);
		if (err)
			return err;
		s = slot_at(r, r->filled);
	}
	*ret = s->buf + s->fill;
	return 0;
}

/* There was room for it: it belongs to the open slot. */
static int add_leaves(void *ctx, size_t n)
{
	struct reader *r = ctx;
	struct slot *s = slot_at(r, r->filled);
	uint64_t leaves = arc_div_up(n, ARC_FNV_LEAF);

	while (n > 0) {
		size_t part = ARC_MIN(n, ARC_FNV_LEAF);

		s->leaf[s->job.hash.n++] =
			(struct arc_span){ s->buf + s->fill, part };
		s->fill += part;
		n -= part;
	}
	return add_step(r, JOIN_LEAVES, leaves);
}

static int add_zeros(void *ctx, size_t n)
{
	return add_step(ctx, JOIN_ZEROS, n);
}

/* ---- files --------------------------------------------------------------- */

static int read_file(struct reader *r, uint64_t i)
{
	const struct mk_dedup *d = r->h->d;
	const struct mk_candidate *c = mk_candidate_at(d, i);
	const struct mk_leaves leaves = { r, give_room, add_leaves, add_zeros };
	arc_cleanup(arc_closep) int fd = -1;
	int err;

	mk_dedup_release(d, i);
	err = mk_source_open(r->worker->source, c->entry, &fd);
	if (!err)
		err = mk_dedup_read_leaves(fd, c->size, &leaves);
	if (r->err)
		return r->err;
	if (mk_source_is_fatal(err))
		return err;
	return add_step(r, err ? DROP_FILE : END_FILE, i);
}

static void read_files(struct reader *r)
{
	uint64_t count = r->h->d->list.count;

	while (!r->err && !atomic_load(&r->h->failed)) {
		uint64_t i = atomic_fetch_add(&r->h->next, BLOCK);
		uint64_t end = ARC_MIN(i + BLOCK, count);

		if (i >= count)
			break;
		for (; i < end && !r->err; i++)
			r->err = read_file(r, i);
	}
}

/* Nothing may be under way afterwards. */
static void end_slots(struct reader *r)
{
	if (!r->err && slot_at(r, r->filled)->steps > 0)
		hand_over(r);
	while (r->settled < r->filled)
		settle_oldest(r);
	for (uint64_t i = 0; i < r->h->slots; i++)
		free(r->slot[i].buf);
}

static int run_reader(void *ctx, uint64_t number)
{
	struct hashing *h = ctx;
	struct reader r = { .h = h, .state = ARC_FNV_INIT };

	(void)number;
	r.slot = calloc(h->slots, sizeof(*r.slot));
	r.err = r.slot ? mk_dedup_take_worker(h->d, &r.worker) : -ENOMEM;
	if (!r.err) {
		open_slot(&r);
		read_files(&r);
		end_slots(&r);
		mk_dedup_put_worker(h->d, r.worker);
	}
	if (r.err)
		atomic_store(&h->failed, true);
	free(r.slot);
	return r.err;
}

/* ---- all of it ----------------------------------------------------------- */

static const struct arc_gpu_set *devices_of(const struct mk_dedup *d)
{
	return &d->run->gpu->used[ARC_GPU_HASH];
}

bool mk_dedup_is_for_devices(const struct mk_dedup *d)
{
	bool forced = d->run->opt->gpu.mode == ARC_GPU_FORCE;
	uint64_t bytes = 0;

	if (d->hash != mk_dedup_fnv || !d->run->gpu || !devices_of(d)->count)
		return false;
	if (forced)
		return d->list.count > 0;
	for (uint64_t i = 0; i < d->list.count && bytes < WORTH_IT; i++) {
		mk_dedup_release(d, i);
		bytes += mk_candidate_at(d, i)->size;
	}
	return bytes >= WORTH_IT;
}

/* From the last on: those after one that is dropped move up. */
static void drop_retired(const struct mk_dedup *d, struct arc_engine *e)
{
	const struct arc_gpu_set *set = devices_of(d);

	for (unsigned i = set->count; i-- > 0;) {
		if (arc_engine_is_retired(e, i))
			arc_gpu_drop(d->run->gpu, set->device[i]);
	}
}

int mk_dedup_hash_by_devices(struct mk_dedup *d)
{
	const struct mk_options *opt = d->run->opt;
	const struct arc_gpu_set *set = devices_of(d);
	const struct arc_engine_params params = {
		.work = ARC_JOB_HASH,
		.threads = opt->threads,
		.diag = d->run->diag,
		.device = set->device,
		.devices = set->count,
		.devices_only = true,
		.no_fallback = opt->gpu.no_fallback,
		.deadline_ms = opt->gpu.timeout_ms,
	};
	unsigned readers = (unsigned)ARC_MIN(d->threads, READERS_MAX);
	arc_cleanup(arc_engine_freep) struct arc_engine *engine = NULL;
	struct hashing h = { .d = d, .slots = SLOTS / readers };
	int err = arc_engine_new(&params, &engine);

	if (err)
		return err;
	h.engine = engine;
	err = arc_parallel_each(readers, readers, run_reader, &h);
	drop_retired(d, engine);
	return err;
}
