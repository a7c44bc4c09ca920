/* SPDX-License-Identifier: MIT */
/*
 * lrumaker - objects for the LRU, counted as they are made and dropped. Needs
 * cmocka.h before it.
 *
 * Threads: locked inside.
 */
#ifndef TEST_LRUMAKER_H
#define TEST_LRUMAKER_H

#include "lru.h"

#define KEYS 64

struct object {
	uint64_t key;
	bool alive;
};

/* Makes and drops objects, and keeps count of them per key. */
struct maker {
	_Atomic unsigned loads[KEYS];
	_Atomic unsigned drops[KEYS];
	size_t cost;
	uint64_t fail_key; /* loading it fails, KEYS: none does */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed; /* by lock: loads wait until it is false */
	unsigned inside; /* by lock: loads that have begun */
	struct arc_lru *lru; /* asked for its figures from callbacks */
};

static inline void maker_init(struct maker *m, size_t cost)
{
	*m = (struct maker){ .cost = cost, .fail_key = KEYS };
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
}

static inline int make_object(void *ctx, uint64_t key, void **ret_obj,
			      size_t *ret_cost)
{
	struct maker *m = ctx;
	struct arc_lru_stats stats;
	struct object *obj;

	atomic_fetch_add(&m->loads[key], 1);
	pthread_mutex_lock(&m->lock);
	m->inside++;
	pthread_cond_broadcast(&m->changed);
	while (m->closed)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
	if (m->lru)
		arc_lru_stats(m->lru, &stats); /* hangs if locked */
	if (key == m->fail_key)
		return -EBADMSG;
	obj = malloc(sizeof(*obj));
	if (!obj)
		return -ENOMEM;
	*obj = (struct object){ .key = key, .alive = true };
	*ret_obj = obj;
	*ret_cost = m->cost;
	return 0;
}

static inline void drop_object(void *ctx, void *ptr)
{
	struct maker *m = ctx;
	struct object *obj = ptr;
	struct arc_lru_stats stats;

	if (m->lru)
		arc_lru_stats(m->lru, &stats); /* hangs if locked */
	atomic_fetch_add(&m->drops[obj->key], 1);
	obj->alive = false;
	free(obj);
}

static inline struct arc_lru *new_lru(struct maker *m, size_t budget)
{
	struct arc_lru *lru = NULL;

	assert_int_equal(arc_lru_new(budget, make_object, drop_object, m, &lru),
			 0);
	m->lru = lru;
	return lru;
}

static inline void free_lru(struct arc_lru *lru, struct maker *m)
{
	m->lru = NULL;
	arc_lru_free(lru);
	for (size_t i = 0; i < KEYS; i++)
		if (i != m->fail_key)
			assert_int_equal(m->loads[i], m->drops[i]);
}

static inline struct object *pin(struct arc_lru *lru, uint64_t key)
{
	void *obj = NULL;

	assert_int_equal(arc_lru_pin(lru, key, &obj), 0);
	assert_int_equal(((struct object *)obj)->key, key);
	return obj;
}

static inline void touch(struct arc_lru *lru, uint64_t key)
{
	pin(lru, key);
	arc_lru_unpin(lru, key);
}

static inline struct arc_lru_stats stats_of(struct arc_lru *lru)
{
	struct arc_lru_stats stats;

	arc_lru_stats(lru, &stats);
	return stats;
}

/* Many threads, few keys, a small budget, one key that always fails. */
struct stormer {
	struct arc_lru *lru;
	const struct maker *maker;
	pthread_t thread;
	uint32_t seed;
	unsigned wrong;
	uint64_t asked;
};

#define STORM_STEPS 20000

static inline uint64_t random_key(struct stormer *s)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 16) % KEYS;
}

#endif
