/* SPDX-License-Identifier: MIT */
/*
 * An item is in the table from the moment somebody asks for it until it is
 * dropped or its load has failed:
 *
 *	(absent) -> LOADING -> READY <-> in a list of unpinned items
 *	               |                        |
 *	            FAILED                   dropped
 *
 * The lists hold only what may be dropped, so that eviction never searches:
 * one those that were passed, which go first, the other one the rest.
 * A waiter counts as a pin from the start; the last one to leave a failed item
 * frees it.
 *
 * Room is looked for under the same lock that counts what is used, and whoever
 * drops objects for it does so before it goes on: what is counted is never less
 * than what there is.
 *
 * One mutex for everything: it is held for a few dozen instructions, and an
 * object is asked for once per 64 KiB or more of work. Sharding would make the
 * budget and the order approximate and was not worth it.
 */
#include "lru.h"

#include <assert.h>
#include <pthread.h>

/* Keys are often consecutive; Fibonacci hashing spreads them in one multiply. */
#define HASH_FUNCTION(key, len, hashv)                                         \
	((hashv) = (unsigned)((*(const uint64_t *)(key)*UINT64_C(              \
				      0x9e3779b97f4a7c15)) >>                  \
			      32))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

enum state { LOADING, READY, FAILED };

struct item {
	uint64_t key;
	enum state state; /* by the lock, as all below */
	int err; /* FAILED: what load returned */
	unsigned pins; /* users and waiters */
	void *obj;
	size_t cost;
	uint32_t used; /* tick of the last unpinning */
	bool passed;
	struct item *prev, *next; /* in a list; next also links victims */
	pthread_cond_t settled; /* no longer LOADING */
	UT_hash_handle hh;
};

struct arc_lru {
	arc_lru_load load;
	arc_lru_drop drop;
	void *ctx;
	pthread_mutex_t lock;
	struct item *table; /* by lock, as all below */
	struct item *idle; /* unpinned and READY, oldest first */
	struct item *passed; /* likewise, those that were passed */
	uint32_t now;
	bool first; /* some claim has the right of way */
	unsigned waiting; /* for room */
	unsigned waiting_pins; /* theirs */
	unsigned pins; /* of all */
	struct arc_lru_stats stats;
	pthread_cond_t room; /* there may be some, or the right of way is free */
};

int arc_lru_new(size_t budget, arc_lru_load load, arc_lru_drop drop, void *ctx,
		struct arc_lru **ret)
{
	struct arc_lru *lru = calloc(1, sizeof(*lru));

	if (!lru)
		return -ENOMEM;
	lru->stats.budget = lru->stats.limit = budget;
	lru->load = load;
	lru->drop = drop;
	lru->ctx = ctx;
	pthread_mutex_init(&lru->lock, NULL);
	pthread_cond_init(&lru->room, NULL);
	*ret = lru;
	return 0;
}

static void free_item(struct item *item)
{
	pthread_cond_destroy(&item->settled);
	free(item);
}

/* Puts an item that is not pinned any more into its list. With the lock. */
static void enter_list(struct arc_lru *lru, struct item *item)
{
	if (item->passed) {
		DL_APPEND(lru->passed, item);
		lru->stats.passed += item->cost;
	} else {
		DL_APPEND(lru->idle, item);
	}
}

static void leave_list(struct arc_lru *lru, struct item *item)
{
	if (item->passed) {
		DL_DELETE(lru->passed, item);
		lru->stats.passed -= item->cost;
	} else {
		DL_DELETE(lru->idle, item);
	}
}

/* The next to be dropped; NULL: all are pinned. */
static struct item *oldest(const struct arc_lru *lru)
{
	return lru->passed ? lru->passed : lru->idle;
}

/*
 * Takes an item out that nobody has pinned and puts it before the victims, a
 * chain for drop_all(). Called with the lock.
 */
static struct item *take(struct arc_lru *lru, struct item *item,
			 struct item *victims)
{
	leave_list(lru, item);
	HASH_DEL(lru->table, item);
	lru->stats.cost -= item->cost;
	lru->stats.evictions++;
	item->next = victims;
	return item;
}

static uint64_t used(const struct arc_lru *lru)
{
	return lru->stats.cost + lru->stats.in_flight;
}

/* What must go for n bytes more. Called with the lock. */
static struct item *take_excess(struct arc_lru *lru, size_t n)
{
	struct item *victims = NULL;

	while (used(lru) + n > lru->stats.limit && oldest(lru))
		victims = take(lru, oldest(lru), victims);
	return victims;
}

static void note_peak(struct arc_lru *lru)
{
	lru->stats.peak = ARC_MAX(lru->stats.peak, used(lru));
}

/* Called with the lock, as something has become free or may be dropped. */
static void wake_waiting(struct arc_lru *lru)
{
	if (lru->waiting)
		pthread_cond_broadcast(&lru->room);
}

/* Called without the lock. */
static void drop_all(struct arc_lru *lru, struct item *victims)
{
	while (victims) {
		struct item *item = victims;

		victims = item->next;
		lru->drop(lru->ctx, item->obj);
		free_item(item);
	}
}

void arc_lru_free(struct arc_lru *lru)
{
	struct item *victims = NULL;
	struct item *item;
	struct item *tmp;

	if (!lru)
		return;
	HASH_ITER (hh, lru->table, item, tmp) {
		assert(item->pins == 0);
		HASH_DEL(lru->table, item);
		item->next = victims;
		victims = item;
	}
	drop_all(lru, victims);
	pthread_cond_destroy(&lru->room);
	pthread_mutex_destroy(&lru->lock);
	free(lru);
}

static struct item *find_item(struct arc_lru *lru, uint64_t key)
{
	struct item *item;

	HASH_FIND(hh, lru->table, &key, sizeof(key), item);
	return item;
}

/* A LOADING item with one pin; NULL without memory. Called with the lock. */
static struct item *add_item(struct arc_lru *lru, uint64_t key)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->key = key;
	item->state = LOADING;
	item->pins = 1;
	pthread_cond_init(&item->settled, NULL);
	HASH_ADD(hh, lru->table, key, sizeof(item->key), item);
	if (!item->hh.tbl) {
		free_item(item);
		return NULL;
	}
	lru->pins++;
	lru->stats.misses++;
	return item;
}

/* Gives up a pin of a FAILED item. Called with the lock. */
static int leave_failed(struct arc_lru *lru, struct item *item)
{
	int err = item->err;

	lru->pins--;
	wake_waiting(lru);
	if (--item->pins == 0)
		free_item(item);
	return err;
}

/*
 * Pins an item that is in the table, waiting for the thread that loads it.
 * Called with the lock.
 */
static int join_item(struct arc_lru *lru, struct item *item, void **ret_obj)
{
	if (item->state == READY && item->pins == 0)
		leave_list(lru, item);
	item->passed = false;
	item->pins++;
	lru->pins++;
	lru->stats.hits++;
	while (item->state == LOADING)
		pthread_cond_wait(&item->settled, &lru->lock);
	if (item->state == FAILED)
		return leave_failed(lru, item);
	*ret_obj = item->obj;
	return 0;
}

/* An object has come of what was claimed for it. Called with the lock. */
static void use_claim(struct arc_lru *lru, size_t cost,
		      struct arc_lru_claim *claim)
{
	size_t n = claim ? ARC_MIN(cost, claim->n) : 0;

	if (n) {
		claim->n -= n;
		lru->stats.in_flight -= n;
	}
	lru->stats.cost += cost;
	note_peak(lru);
}

/* Makes the object of an item that add_item() has made, within the claim if
 * there is one. No lock is held. */
static int load_item(struct arc_lru *lru, struct item *item,
		     struct arc_lru_claim *claim, void **ret_obj)
{
	struct item *victims = NULL;
	void *obj = NULL;
	size_t cost = 0;
	int err = lru->load(lru->ctx, item->key, &obj, &cost);

	pthread_mutex_lock(&lru->lock);
	pthread_cond_broadcast(&item->settled);
	if (err < 0) {
		HASH_DEL(lru->table, item);
		item->state = FAILED;
		item->err = err;
		err = leave_failed(lru, item);
	} else {
		item->state = READY;
		item->obj = obj;
		item->cost = cost;
		use_claim(lru, cost, claim);
		victims = take_excess(lru, 0);
		*ret_obj = obj;
		err = 0;
	}
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
	return err;
}

/* Whether a claim may pass the budget: see lru.h. Called with the lock. */
static bool may_go_first(const struct arc_lru *lru,
			 const struct arc_lru_claim *claim)
{
	if (claim->first || lru->first)
		return claim->first;
	if (used(lru) <= lru->stats.budget)
		return true;
	if (lru->pins > lru->waiting_pins + claim->pins)
		return false; /* somebody will let go of something */
	return claim->pins > 0 || lru->waiting_pins == 0;
}

/* Who comes to wait last tells the others, one of whom may go first now. */
static void wait_for_room(struct arc_lru *lru,
			  const struct arc_lru_claim *claim, bool again)
{
	lru->waiting_pins += claim->pins;
	if (!again) {
		lru->stats.waits++;
		wake_waiting(lru);
	}
	lru->waiting++;
	pthread_cond_wait(&lru->room, &lru->lock);
	lru->waiting--;
	lru->waiting_pins -= claim->pins;
}

/*
 * Adds n bytes to a claim. Called with the lock, which it gives up now and
 * then.
 */
static int claim_room(struct arc_lru *lru, size_t n,
		      struct arc_lru_claim *claim)
{
	bool again = false;

	for (;;) {
		struct item *victims = take_excess(lru, n);

		if (victims) {
			pthread_mutex_unlock(&lru->lock);
			drop_all(lru, victims);
			pthread_mutex_lock(&lru->lock);
			continue;
		}
		if (used(lru) + n <= lru->stats.budget)
			break;
		if (claim->hasty)
			return -E2BIG;
		if (may_go_first(lru, claim)) {
			lru->first = claim->first = true;
			lru->stats.passes++;
			break;
		}
		wait_for_room(lru, claim, again);
		again = true;
	}
	claim->n += n;
	lru->stats.in_flight += n;
	note_peak(lru);
	return 0;
}

/* Looks again after the lock was given up: the object may be there by then. */
static int pin_or_add(struct arc_lru *lru, uint64_t key, size_t n,
		      struct arc_lru_claim *claim, struct item **ret_new,
		      void **ret_obj)
{
	for (;;) {
		struct item *item = find_item(lru, key);
		int err;

		if (item)
			return join_item(lru, item, ret_obj);
		if (claim && claim->n < n) {
			err = claim_room(lru, n - claim->n, claim);
			if (err < 0)
				return err;
			continue;
		}
		*ret_new = add_item(lru, key);
		return *ret_new ? 0 : -ENOMEM;
	}
}

int arc_lru_pin_within(struct arc_lru *lru, uint64_t key, size_t n,
		       struct arc_lru_claim *claim, void **ret_obj)
{
	struct item *item = NULL;
	int err;

	pthread_mutex_lock(&lru->lock);
	err = pin_or_add(lru, key, n, claim, &item, ret_obj);
	pthread_mutex_unlock(&lru->lock);
	if (item)
		err = load_item(lru, item, claim, ret_obj);
	if (err == 0 && claim)
		claim->pins++;
	return err;
}

int arc_lru_pin(struct arc_lru *lru, uint64_t key, void **ret_obj)
{
	return arc_lru_pin_within(lru, key, 0, NULL, ret_obj);
}

void arc_lru_unpin(struct arc_lru *lru, uint64_t key)
{
	struct item *victims = NULL;
	struct item *item;

	pthread_mutex_lock(&lru->lock);
	item = find_item(lru, key);
	assert(item && item->pins > 0 && item->state == READY);
	lru->pins--;
	if (--item->pins == 0) {
		item->used = lru->now;
		enter_list(lru, item);
		victims = take_excess(lru, 0);
	}
	wake_waiting(lru);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

void arc_lru_unpin_within(struct arc_lru *lru, uint64_t key,
			  struct arc_lru_claim *claim)
{
	claim->pins--;
	arc_lru_unpin(lru, key);
}

void arc_lru_pass(struct arc_lru *lru, uint64_t key, size_t keep)
{
	struct item *victims = NULL;
	struct item *item;

	pthread_mutex_lock(&lru->lock);
	item = find_item(lru, key);
	if (item && item->state == READY && !item->passed) {
		if (item->pins == 0)
			leave_list(lru, item);
		item->passed = true;
		if (item->pins == 0)
			enter_list(lru, item);
	}
	while (lru->passed && lru->stats.passed > keep)
		victims = take(lru, lru->passed, victims);
	if (victims)
		wake_waiting(lru);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

/* ---- room --------------------------------------------------------------- */

int arc_lru_claim(struct arc_lru *lru, size_t n, struct arc_lru_claim *claim)
{
	int err;

	pthread_mutex_lock(&lru->lock);
	err = claim_room(lru, n, claim);
	pthread_mutex_unlock(&lru->lock);
	return err;
}

void arc_lru_unclaim_bytes(struct arc_lru *lru, struct arc_lru_claim *claim)
{
	if (!claim->n)
		return;
	arc_lru_uncount(lru, claim->n);
	claim->n = 0;
}

void arc_lru_unclaim(struct arc_lru *lru, struct arc_lru_claim *claim)
{
	arc_lru_unclaim_bytes(lru, claim);
	if (!claim->first)
		return;
	claim->first = false;
	pthread_mutex_lock(&lru->lock);
	lru->first = false;
	wake_waiting(lru);
	pthread_mutex_unlock(&lru->lock);
}

void arc_lru_count(struct arc_lru *lru, size_t n)
{
	struct item *victims;

	pthread_mutex_lock(&lru->lock);
	victims = take_excess(lru, n);
	lru->stats.in_flight += n;
	note_peak(lru);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

void arc_lru_uncount(struct arc_lru *lru, size_t n)
{
	pthread_mutex_lock(&lru->lock);
	assert(n <= lru->stats.in_flight);
	lru->stats.in_flight -= n;
	wake_waiting(lru);
	pthread_mutex_unlock(&lru->lock);
}

void arc_lru_grow(struct arc_lru *lru, size_t bytes)
{
	pthread_mutex_lock(&lru->lock);
	lru->stats.budget += bytes;
	lru->stats.limit += bytes;
	wake_waiting(lru);
	pthread_mutex_unlock(&lru->lock);
}

/* ---- housekeeping ------------------------------------------------------- */

void arc_lru_trim(struct arc_lru *lru)
{
	struct item *victims = NULL;

	pthread_mutex_lock(&lru->lock);
	while (oldest(lru))
		victims = take(lru, oldest(lru), victims);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

void arc_lru_shrink(struct arc_lru *lru)
{
	struct arc_lru_stats *s = &lru->stats;
	struct item *victims = NULL;
	uint64_t keep;

	pthread_mutex_lock(&lru->lock);
	keep = s->cost / 2;
	s->limit = ARC_MIN(ARC_MAX(keep, s->budget / 16), s->limit);
	s->shrinks++;
	while (s->cost > keep && oldest(lru))
		victims = take(lru, oldest(lru), victims);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

bool arc_lru_regrow(struct arc_lru *lru)
{
	struct arc_lru_stats *s = &lru->stats;
	bool more;

	pthread_mutex_lock(&lru->lock);
	s->limit = ARC_MIN(s->limit + s->budget / 64 + 1, s->budget);
	more = s->limit < s->budget;
	pthread_mutex_unlock(&lru->lock);
	return more;
}

/* Those at the head of a list that have not been used for so long. */
static struct item *take_aged(struct arc_lru *lru, struct item *const *list,
			      uint32_t now, uint32_t age, struct item *victims)
{
	while (*list && now - (*list)->used >= age) {
		victims = take(lru, *list, victims);
		lru->stats.tidied++;
	}
	return victims;
}

size_t arc_lru_tidy(struct arc_lru *lru, uint32_t now, uint32_t age)
{
	struct item *victims = NULL;
	uint64_t before, after;

	pthread_mutex_lock(&lru->lock);
	before = lru->stats.cost;
	victims = take_aged(lru, &lru->passed, now, age, victims);
	victims = take_aged(lru, &lru->idle, now, age, victims);
	lru->now = now;
	after = lru->stats.cost;
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
	return (size_t)(before - after);
}

void arc_lru_stats(struct arc_lru *lru, struct arc_lru_stats *ret)
{
	pthread_mutex_lock(&lru->lock);
	*ret = lru->stats;
	pthread_mutex_unlock(&lru->lock);
}
