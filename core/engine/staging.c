/* SPDX-License-Identifier: MIT */
/*
 * Areas are few (two for each device) and never go before the end, so that a
 * list that is searched from its beginning is enough.
 */
#include "staging.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define BLOCKS_MAX 256

struct area {
	struct arc_staging_area told;
	bool retired;
	unsigned idle; /* blocks */
	bool lent[BLOCKS_MAX];
	struct area *next;
};

struct arc_staging {
	pthread_mutex_t lock; /* of all below */
	struct area *area;
};

int arc_staging_new(struct arc_staging **ret)
{
	struct arc_staging *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return 0;
}

void arc_staging_free(struct arc_staging *s)
{
	if (!s)
		return;
	while (s->area) {
		struct area *a = s->area;

		assert(a->idle == a->told.blocks);
		s->area = a->next;
		a->told.end(a->told.ctx);
		free(a);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int arc_staging_add(struct arc_staging *s, const struct arc_staging_area *area)
{
	struct area *a = calloc(1, sizeof(*a));

	assert(area->blocks <= BLOCKS_MAX);
	if (!a) {
		area->end(area->ctx);
		return -ENOMEM;
	}
	a->told = *area;
	a->idle = area->blocks;
	pthread_mutex_lock(&s->lock);
	a->next = s->area;
	s->area = a;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

void arc_staging_retire(struct arc_staging *s, unsigned device)
{
	pthread_mutex_lock(&s->lock);
	for (struct area *a = s->area; a; a = a->next)
		a->retired = a->retired || a->told.device == device;
	pthread_mutex_unlock(&s->lock);
}

/* The first block that is not lent; there is one. */
static uint8_t *take_block(struct area *a)
{
	unsigned i = 0;

	while (a->lent[i])
		i++;
	a->lent[i] = true;
	a->idle--;
	return a->told.p + i * a->told.block;
}

uint8_t *arc_staging_lend(struct arc_staging *s, size_t n)
{
	struct area *best = NULL;
	uint8_t *p = NULL;

	pthread_mutex_lock(&s->lock);
	for (struct area *a = s->area; a; a = a->next) {
		if (!a->retired && n <= a->told.block &&
		    a->idle > (best ? best->idle : 0))
			best = a;
	}
	if (best)
		p = take_block(best);
	pthread_mutex_unlock(&s->lock);
	return p ? p : malloc(n);
}

/* Whose memory it is; NULL: nobody's. With the lock. */
static struct area *find_area(const struct arc_staging *s, const uint8_t *p)
{
	struct area *a = s->area;

	while (a && (p < a->told.p ||
		     p >= a->told.p + a->told.blocks * a->told.block))
		a = a->next;
	return a;
}

void arc_staging_give_back(struct arc_staging *s, uint8_t *p)
{
	struct area *a;

	pthread_mutex_lock(&s->lock);
	a = find_area(s, p);
	if (a) {
		size_t i = (size_t)(p - a->told.p) / a->told.block;

		assert(a->lent[i]);
		a->lent[i] = false;
		a->idle++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!a)
		free(p);
}

unsigned arc_staging_device(struct arc_staging *s, const uint8_t *p)
{
	const struct area *a;
	unsigned device;

	pthread_mutex_lock(&s->lock);
	a = find_area(s, p);
	device = a ? a->told.device : 0;
	pthread_mutex_unlock(&s->lock);
	return device;
}
