/* SPDX-License-Identifier: MIT */
/*
 * An item is in the table from the moment somebody asks for it until it is
 * dropped or its load has failed:
 *
 *	(absent) -> LOADING -> READY <-> in the list of unpinned items
 *	               |                        |
 *	            FAILED                   dropped
 *
 * The list holds only what may be dropped, so that eviction never searches.
 * A waiter counts as a pin from the start; the last one to leave a failed item
 * frees it.
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
	struct item *prev, *next; /* in idle; next also links victims */
	pthread_cond_t settled; /* no longer LOADING */
	UT_hash_handle hh;
};

struct arc_lru {
	size_t budget; /* lock */
	arc_lru_load load;
	arc_lru_drop drop;
	void *ctx;
	pthread_mutex_t lock;
	struct item *table; /* by lock, as all below */
	struct item *idle; /* unpinned and READY, oldest first */
	struct arc_lru_stats stats;
};

int arc_lru_new(size_t budget, arc_lru_load load, arc_lru_drop drop, void *ctx,
		struct arc_lru **ret)
{
	struct arc_lru *lru = calloc(1, sizeof(*lru));

	if (!lru)
		return -ENOMEM;
	lru->budget = budget;
	lru->load = load;
	lru->drop = drop;
	lru->ctx = ctx;
	pthread_mutex_init(&lru->lock, NULL);
	*ret = lru;
	return 0;
}

static void free_item(struct item *item)
{
	pthread_cond_destroy(&item->settled);
	free(item);
}

/*
 * Takes the oldest idle item out and puts it before the victims, a chain for
 * drop_all(). Called with the lock.
 */
static struct item *take_oldest(struct arc_lru *lru, struct item *victims)
{
	struct item *item = lru->idle;

	DL_DELETE(lru->idle, item);
	HASH_DEL(lru->table, item);
	lru->stats.cost -= item->cost;
	lru->stats.evictions++;
	item->next = victims;
	return item;
}

static struct item *take_excess(struct arc_lru *lru)
{
	struct item *victims = NULL;

	while (lru->stats.cost > lru->budget && lru->idle)
		victims = take_oldest(lru, victims);
	return victims;
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
	lru->stats.misses++;
	return item;
}

/* Gives up a pin of a FAILED item. Called with the lock. */
static int leave_failed(struct item *item)
{
	int err = item->err;

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
		DL_DELETE(lru->idle, item);
	item->pins++;
	lru->stats.hits++;
	while (item->state == LOADING)
		pthread_cond_wait(&item->settled, &lru->lock);
	if (item->state == FAILED)
		return leave_failed(item);
	*ret_obj = item->obj;
	return 0;
}

/* Makes the object of an item that add_item() has made. No lock is held. */
static int load_item(struct arc_lru *lru, struct item *item, void **ret_obj)
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
		err = leave_failed(item);
	} else {
		item->state = READY;
		item->obj = obj;
		item->cost = cost;
		lru->stats.cost += cost;
		lru->stats.peak = ARC_MAX(lru->stats.peak, lru->stats.cost);
		victims = take_excess(lru);
		*ret_obj = obj;
		err = 0;
	}
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
	return err;
}

int arc_lru_pin(struct arc_lru *lru, uint64_t key, void **ret_obj)
{
	struct item *item;
	int err;

	pthread_mutex_lock(&lru->lock);
	item = find_item(lru, key);
	if (item) {
		err = join_item(lru, item, ret_obj);
		pthread_mutex_unlock(&lru->lock);
		return err;
	}
	item = add_item(lru, key);
	pthread_mutex_unlock(&lru->lock);
	return item ? load_item(lru, item, ret_obj) : -ENOMEM;
}

void arc_lru_unpin(struct arc_lru *lru, uint64_t key)
{
	struct item *victims = NULL;
	struct item *item;

	pthread_mutex_lock(&lru->lock);
	item = find_item(lru, key);
	assert(item && item->pins > 0 && item->state == READY);
	if (--item->pins == 0) {
		DL_APPEND(lru->idle, item);
		victims = take_excess(lru);
	}
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

void arc_lru_grow(struct arc_lru *lru, size_t bytes)
{
	pthread_mutex_lock(&lru->lock);
	lru->budget += bytes;
	pthread_mutex_unlock(&lru->lock);
}

void arc_lru_trim(struct arc_lru *lru)
{
	struct item *victims = NULL;

	pthread_mutex_lock(&lru->lock);
	while (lru->idle)
		victims = take_oldest(lru, victims);
	pthread_mutex_unlock(&lru->lock);
	drop_all(lru, victims);
}

void arc_lru_stats(struct arc_lru *lru, struct arc_lru_stats *ret)
{
	pthread_mutex_lock(&lru->lock);
	*ret = lru->stats;
	pthread_mutex_unlock(&lru->lock);
}
