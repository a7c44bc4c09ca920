/* SPDX-License-Identifier: MIT */
/*
 * Between records there may be blocks of the index: those of the frame table
 * are written as they become full. They are passed over by what their headers
 * say; volwrite compares them when it comes to write them.
 *
 * A digest alone would not do as a proof: what a header says of the raw frame
 * was true when it was written, and says nothing of what became of the payload.
 */
#include "resume.h"

#include <string.h>

#include "hash.h"
#include "pool.h"

enum proof { PROVING, PROVEN, CHANGED, DAMAGED };

/* Why no record comes any more. */
enum end { NOT_ENDED, END_OF_VOLUMES, END_FOREIGN, END_DAMAGED };

/* Room for one decoded frame. */
struct bench {
	struct bench *next; /* in the list of those that nobody uses */
	uint8_t raw[];
};

struct mk_resume {
	struct mk_resume_params params;
	struct arc_pool *pool;

	/* The place of the next piece: the finder's. */
	struct arc_store *store; /* NULL: before the first volume */
	uint32_t number; /* of that volume */
	uint64_t off;
	uint64_t size;
	bool complete; /* another may follow it */

	pthread_mutex_t lock; /* of all below, and of mk_kept.state */
	pthread_cond_t changed; /* some state */
	struct bench *idle;
	enum end end;
	uint32_t end_volume; /* where that is */
	uint64_t end_off;
	bool said;
};

int mk_resume_new(const struct mk_resume_params *params, struct mk_resume **ret)
{
	struct mk_resume *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->params = *params;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	err = arc_pool_new(params->threads, params->waiting, &r->pool);
	if (err < 0) {
		mk_resume_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void mk_resume_free(struct mk_resume *r)
{
	if (!r)
		return;
	arc_pool_free(r->pool);
	arc_store_close(r->store);
	while (r->idle) {
		struct bench *next = r->idle->next;

		free(r->idle);
		r->idle = next;
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- finding ------------------------------------------------------------ */

static bool has_ended(struct mk_resume *r)
{
	bool ended;

	pthread_mutex_lock(&r->lock);
	ended = r->end != NOT_ENDED;
	pthread_mutex_unlock(&r->lock);
	return ended;
}

/* Returns false: no record is here. */
static bool set_end(struct mk_resume *r, enum end end)
{
	pthread_mutex_lock(&r->lock);
	if (r->end == NOT_ENDED) {
		r->end = end;
		r->end_volume = r->number;
		r->end_off = r->off;
	}
	pthread_mutex_unlock(&r->lock);
	return false;
}

static bool open_next_volume(struct mk_resume *r)
{
	int err;

	arc_store_close(arc_steal(r->store));
	r->number++;
	r->off = 0;
	err = mk_volwrite_old(r->params.vw, r->number, &r->store, &r->complete);
	if (err == -ENOENT)
		return set_end(r, END_OF_VOLUMES);
	if (err == -ESTALE)
		return set_end(r, END_FOREIGN);
	if (err >= 0)
		err = arc_store_size(r->store, &r->size);
	if (err < 0)
		return set_end(r, END_DAMAGED);
	r->off = sizeof(struct arc_disk_volume);
	return true;
}

/* Whether n bytes lie at the place; they are read into p. */
static bool fetch(struct mk_resume *r, void *p, size_t n)
{
	return arc_range_ok(r->off, n, r->size) &&
	       arc_store_read(r->store, p, n, r->off) >= 0;
}

/* A block of the index at the place is passed over. */
static bool pass_block(struct mk_resume *r)
{
	struct arc_disk_block b;
	uint64_t n;

	if (!fetch(r, &b, sizeof(b)) ||
	    memcmp(b.magic, ARC_BLOCK_MAGIC, sizeof(b.magic)) != 0 ||
	    arc_format_check_block(&b) < 0)
		return false;
	n = sizeof(b) + (uint64_t)arc_get32(b.stored);
	if (!arc_range_ok(r->off, n, r->size))
		return false;
	r->off += n;
	return true;
}

/* Goes to the next piece that is no block. */
static bool go_to_record(struct mk_resume *r)
{
	for (;;) {
		if (!r->store || (r->off == r->size && r->complete)) {
			if (!open_next_volume(r))
				return false;
		} else if (r->off == r->size) {
			return set_end(r, END_OF_VOLUMES);
		} else if (!pass_block(r)) {
			return true;
		}
	}
}

/* Reads the record at the place, if its header can be that of the frame. */
static bool read_record(struct mk_resume *r, struct mk_kept *k)
{
	struct arc_disk_record d;
	size_t head;
	uint64_t n;

	if (!fetch(r, &d, sizeof(d)) ||
	    arc_record_peek((struct arc_span){ (const uint8_t *)&d, sizeof(d) },
			    &head) < 0)
		return false;
	n = (uint64_t)head + arc_get32(d.payload);
	if (n > arc_record_bound(r->params.frame_size) ||
	    arc_get64(d.frame) != k->number || arc_get64(d.id) != r->params.id)
		return false;
	if (!fetch(r, k->record, (size_t)n))
		return false;
	k->volume = r->number;
	k->offset = r->off;
	k->info = (struct arc_record_info){
		.raw = arc_get32(d.raw),
		.stored = (uint32_t)n,
		.checksum = arc_get64(d.checksum),
		.digest = arc_get64(d.digest),
		.codec = d.codec,
		.group_log = d.group_log,
		.entry_size = d.entry_size,
	};
	r->off += n;
	return true;
}

/* ---- proving ------------------------------------------------------------ */

static struct bench *take_bench(struct mk_resume *r)
{
	struct bench *b;

	pthread_mutex_lock(&r->lock);
	b = r->idle;
	if (b)
		r->idle = b->next;
	pthread_mutex_unlock(&r->lock);
	return b ? b : malloc(sizeof(*b) + r->params.frame_size);
}

static void give_bench(struct mk_resume *r, struct bench *b)
{
	pthread_mutex_lock(&r->lock);
	b->next = r->idle;
	r->idle = b;
	pthread_mutex_unlock(&r->lock);
}

static bool decodes_to_raw(const struct mk_kept *k)
{
	struct bench *b = take_bench(k->owner);
	arc_cleanup(arc_freep) struct arc_record *record = NULL;
	const struct arc_span bytes = { k->record, k->info.stored };
	bool good;

	if (!b)
		return false;
	good = arc_record_parse(bytes, &record) >= 0 &&
	       record->raw == k->raw.n &&
	       arc_record_decode_all(record, bytes, b->raw) >= 0 &&
	       memcmp(b->raw, k->raw.p, k->raw.n) == 0;
	give_bench(k->owner, b);
	return good;
}

static enum proof prove(const struct mk_kept *k)
{
	if (k->info.raw != k->raw.n ||
	    k->info.digest != arc_xxh64(k->raw.p, k->raw.n))
		return CHANGED;
	return decodes_to_raw(k) ? PROVEN : DAMAGED;
}

static void prove_task(void *arg)
{
	struct mk_kept *k = arg;
	struct mk_resume *r = k->owner;
	enum proof state = prove(k);

	pthread_mutex_lock(&r->lock);
	k->state = state;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

bool mk_resume_find(struct mk_resume *r, uint64_t number, struct arc_span raw,
		    uint8_t *record, struct mk_kept *ret)
{
	*ret = (struct mk_kept){ .raw = raw,
				 .number = number,
				 .record = record,
				 .owner = r,
				 .state = PROVING };
	if (has_ended(r) || !go_to_record(r))
		return false;
	if (!read_record(r, ret))
		return set_end(r, END_DAMAGED);
	arc_pool_submit(r->pool, prove_task, ret);
	return true;
}

bool mk_resume_wait(struct mk_kept *k)
{
	struct mk_resume *r = k->owner;
	bool proven;

	pthread_mutex_lock(&r->lock);
	while (k->state == PROVING)
		pthread_cond_wait(&r->changed, &r->lock);
	proven = k->state == PROVEN;
	pthread_mutex_unlock(&r->lock);
	return proven;
}

/* ---- the end ------------------------------------------------------------ */

static void say_end(struct mk_resume *r, uint64_t frames, uint64_t bytes,
		    const char *why)
{
	arc_say(r->params.diag, ARC_INFO,
		"resumed: %llu frames (%llu bytes) are kept; %s",
		(unsigned long long)frames, (unsigned long long)bytes, why);
}

static void say_damaged(struct mk_resume *r, uint64_t frames, uint64_t bytes,
			uint32_t volume, uint64_t off)
{
	arc_say(r->params.diag, ARC_INFO,
		"resumed: %llu frames (%llu bytes) are kept; what follows, in "
		"volume %u from byte %llu on, is not whole and made anew",
		(unsigned long long)frames, (unsigned long long)bytes,
		(unsigned)volume, (unsigned long long)off);
}

/* What ended it, if it was no record that failed. */
static void say_why(struct mk_resume *r, uint64_t frames, uint64_t bytes)
{
	enum end end;

	pthread_mutex_lock(&r->lock);
	end = r->end;
	pthread_mutex_unlock(&r->lock);
	switch (end) {
	case NOT_ENDED:
		say_end(r, frames, bytes, "that is all of them");
		break;
	case END_OF_VOLUMES:
		say_end(r, frames, bytes, "nothing more had been written");
		break;
	case END_FOREIGN:
		say_end(r, frames, bytes,
			"the next volume is damaged or of another source: from "
			"there on all is made anew");
		break;
	case END_DAMAGED:
		say_damaged(r, frames, bytes, r->end_volume, r->end_off);
		break;
	}
}

void mk_resume_end(struct mk_resume *r, uint64_t frames, uint64_t bytes,
		   const struct mk_kept *failed)
{
	if (!r->said && !failed)
		say_why(r, frames, bytes);
	else if (!r->said && failed->state == CHANGED)
		say_end(r, frames, bytes,
			"behind them the source is not what it was: from there "
			"on all is made anew");
	else if (!r->said)
		say_damaged(r, frames, bytes, failed->volume, failed->offset);
	r->said = true;
	set_end(r, END_OF_VOLUMES);
}
