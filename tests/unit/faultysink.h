/* SPDX-License-Identifier: MIT */
/*
 * faultysink - volumes in memory that fail on purpose: every call of the sink
 * and of its stores counts, the n-th fails.
 *
 * Threads: one owner.
 */
#ifndef TEST_FAULTYSINK_H
#define TEST_FAULTYSINK_H

#include "volwrite.h"

struct faulty_sink {
	struct arc_fault_plan plan;
	struct mk_memory_set set;
	struct mk_volume_sink inner;
	uint32_t completed; /* volumes that have their final name */
	uint32_t syncs; /* of the names */
	uint32_t closed;
};

static inline int faulty_sink_call(struct faulty_sink *fs)
{
	if (++fs->plan.calls != fs->plan.fail_at)
		return 0;
	return fs->plan.error ? -fs->plan.error : -EIO;
}

static inline int faulty_sink_create(void *ctx, uint32_t number,
				     struct arc_store **ret)
{
	struct faulty_sink *fs = ctx;
	struct arc_store *store;
	int r = faulty_sink_call(fs);

	if (r < 0)
		return r;
	r = fs->inner.ops->create(fs->inner.ctx, number, &store);
	return r < 0 ? r : arc_store_faulty(store, &fs->plan, ret);
}

static inline int faulty_sink_complete(void *ctx, uint32_t number)
{
	struct faulty_sink *fs = ctx;
	int r = faulty_sink_call(fs);

	if (r < 0)
		return r;
	fs->completed = number;
	return fs->inner.ops->complete(fs->inner.ctx, number);
}

static inline int faulty_sink_sync(void *ctx)
{
	struct faulty_sink *fs = ctx;
	int r = faulty_sink_call(fs);

	fs->syncs += r >= 0;
	return r;
}

static inline int faulty_sink_adopt(void *ctx, uint32_t number,
				    struct arc_store **ret, bool *ret_complete)
{
	struct faulty_sink *fs = ctx;
	struct arc_store *store;
	int r = faulty_sink_call(fs);

	if (r >= 0)
		r = fs->inner.ops->adopt(fs->inner.ctx, number, &store,
					 ret_complete);
	return r < 0 ? r : arc_store_faulty(store, &fs->plan, ret);
}

static inline int faulty_sink_reopen(void *ctx, uint32_t number, uint64_t n,
				     struct arc_store **ret)
{
	struct faulty_sink *fs = ctx;
	struct arc_store *store;
	int r = faulty_sink_call(fs);

	if (r >= 0)
		r = fs->inner.ops->reopen(fs->inner.ctx, number, n, &store);
	return r < 0 ? r : arc_store_faulty(store, &fs->plan, ret);
}

static inline void faulty_sink_closed(void *ctx)
{
	((struct faulty_sink *)ctx)->closed++;
}

/* A sink over *fs, which is set up anew but for its plan's orders. */
static inline struct mk_volume_sink faulty_sink_open(struct faulty_sink *fs)
{
	static const struct mk_volume_sink_ops ops = {
		.create = faulty_sink_create,
		.complete = faulty_sink_complete,
		.sync = faulty_sink_sync,
		.close = faulty_sink_closed,
		.adopt = faulty_sink_adopt,
		.reopen = faulty_sink_reopen,
	};

	*fs = (struct faulty_sink){ .plan = fs->plan };
	fs->plan.calls = 0;
	mk_volume_sink_memory(&fs->set, &fs->inner);
	return (struct mk_volume_sink){ .ops = &ops, .ctx = fs };
}

/* Drops the volumes. */
static inline void memory_set_fini(struct mk_memory_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		arc_store_close(set->stores[i]);
	free(set->stores);
	*set = (struct mk_memory_set){ 0 };
}

#endif
