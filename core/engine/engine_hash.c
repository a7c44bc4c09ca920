/* SPDX-License-Identifier: MIT */
/*
 * A lane that hashes. One leaf of every job, each time at another place, is
 * hashed again on the CPU: a device that computes wrongly is found out after a
 * few batches, at a small part of what it would cost to do without it.
 */
#include <stdatomic.h>

#include "device_hash.h"
#include "device_lane.h"
#include "device_trial.h"
#include "hash.h"
#include "pool.h"

/* Of a full job: its leaves, and what is known of each. */
#define JOB_BYTES (ARC_HASH_JOB_LEAVES * (ARC_FNV_LEAF + ARC_KIB))

struct hash_lane {
	struct arc_device_lane lane;
	struct arc_device_hasher *hasher;
	unsigned n; /* jobs of the batch */
	struct arc_span *leaf;
	uint64_t *hash;
	struct arc_job *const *jobs; /* while they are stored */
	unsigned looks; /* batches that were looked at */
	atomic_bool wrong;
};

static int make(struct arc_device_lane *lane)
{
	struct hash_lane *l = (struct hash_lane *)lane;
	uint32_t leaves = lane->batch * ARC_HASH_JOB_LEAVES;

	free(l->leaf);
	free(l->hash);
	l->leaf = calloc(leaves, sizeof(*l->leaf));
	l->hash = calloc(leaves, sizeof(*l->hash));
	if (!l->leaf || !l->hash)
		return -ENOMEM;
	return arc_device_hasher_new(lane->device->ocl, lane->device->cache_dir,
				     leaves, lane->threads, &l->hasher);
}

static int prepare(struct arc_worker *worker)
{
	return arc_device_lane_prepare((struct arc_device_lane *)worker, make);
}

static unsigned takes(struct arc_worker *worker, struct arc_job *const *jobs,
		      unsigned n)
{
	(void)jobs;
	return arc_device_lane_takes((struct arc_device_lane *)worker, n);
}

static int load(struct arc_worker *worker, struct arc_job *const *jobs,
		unsigned n)
{
	struct hash_lane *l = (struct hash_lane *)worker;
	size_t leaves = 0;

	l->n = n;
	for (unsigned i = 0; i < n; i++) {
		const struct arc_hash_job *job = &jobs[i]->hash;

		assert(jobs[i]->kind == ARC_JOB_HASH);
		assert(job->n <= ARC_HASH_JOB_LEAVES);
		for (uint32_t k = 0; k < job->n; k++)
			l->leaf[leaves++] = job->leaf[k];
	}
	return arc_device_hasher_load(l->hasher, l->leaf, leaves);
}

static int run(struct arc_worker *worker)
{
	struct hash_lane *l = (struct hash_lane *)worker;
	double begun = arc_trial_now();
	int err = arc_device_hasher_compute(l->hasher);

	if (!err)
		arc_device_lane_learn(&l->lane, l->n,
				      arc_device_hasher_launch_ns(l->hasher),
				      begun);
	return err;
}

/* Looks at one leaf of the i-th job, at first the one in the middle. */
static int check_job(void *ctx, uint64_t i)
{
	struct hash_lane *l = ctx;
	const struct arc_hash_job *job = &l->jobs[i]->hash;
	uint32_t at;

	if (job->n == 0)
		return 0;
	at = (job->n / 2 + l->looks) % job->n;
	if (arc_fnv1a(job->leaf[at].p, job->leaf[at].n) == job->hash[at])
		return 0;
	atomic_store(&l->wrong, true);
	return -EIO;
}

static int store(struct arc_worker *worker, struct arc_job *const *jobs,
		 unsigned n)
{
	struct hash_lane *l = (struct hash_lane *)worker;
	size_t at = 0;
	int err;

	arc_device_hasher_store(l->hasher, l->hash);
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t k = 0; k < jobs[i]->hash.n; k++)
			jobs[i]->hash.hash[k] = l->hash[at++];
		jobs[i]->err = 0;
	}
	l->jobs = jobs;
	err = arc_parallel_each(l->lane.threads, n, check_job, l);
	l->looks++;
	l->lane.wrong = atomic_load(&l->wrong);
	return err;
}

static int end(void *lane)
{
	struct hash_lane *l = lane;

	arc_device_hasher_free(l->hasher);
	free(l->leaf);
	free(l->hash);
	free(l);
	return 0;
}

static void free_lane(struct arc_worker *worker)
{
	arc_device_lane_free((struct arc_device_lane *)worker, end);
}

static const struct arc_worker_ops ops = {
	.prepare = prepare,
	.takes = takes,
	.load = load,
	.run = run,
	.store = store,
	.why = arc_device_lane_why,
	.abandon = arc_device_lane_abandon,
	.free = free_lane,
};

int arc_lane_hash_new(const struct arc_engine_params *params, unsigned i,
		      struct arc_device_lane **ret)
{
	struct hash_lane *l = calloc(1, sizeof(*l));
	struct arc_engine_params of_jobs = *params;

	if (!l)
		return -ENOMEM;
	of_jobs.frame_max = JOB_BYTES;
	arc_device_lane_init(&l->lane, &of_jobs, i, ARC_GPU_HASH, 1);
	l->lane.worker.ops = &ops;
	*ret = &l->lane;
	return 0;
}
