/* SPDX-License-Identifier: MIT */
/*
 * engine_i - what does the work of an engine: workers, each with a thread of
 * its own that takes jobs from the engine's one queue. engine.c has the queue,
 * engine_cpu.c and engine_device.c the workers.
 *
 * A worker's calls come from its thread, one at a time; takes() excepted.
 */
#ifndef ARC_ENGINE_I_H
#define ARC_ENGINE_I_H

#include "engine.h"

#define ARC_ENGINE_BATCH_MAX 256

struct arc_staging;
struct arc_worker;

struct arc_worker_ops {
	/* Optional: what takes its time before the first job. May hang. */
	int (*prepare)(struct arc_worker *w);

	/* Optional: gives memory to be lent, after prepare(). Under the engine's
	 * lock. */
	void (*lend)(struct arc_worker *w, struct arc_staging *staging);

	/* How many of the jobs at hand (>= 1, in order) it takes at once. Under
	 * the engine's lock. NULL: one. */
	unsigned (*takes)(struct arc_worker *w, struct arc_job *const *jobs,
			  unsigned n);

	/*
	 * Does the jobs, in three steps. Only run() may hang, and it touches
	 * nothing but what is the worker's own, or its device has lent, which
	 * stays: load() copies what else it needs of the jobs, store() puts the
	 * results into them. load and run are optional.
	 *
	 * A negative result means that the worker is good for nothing any more:
	 * the jobs are done by others. What a job itself ends with is job->err.
	 */
	int (*load)(struct arc_worker *w, struct arc_job *const *jobs,
		    unsigned n);
	int (*run)(struct arc_worker *w);
	int (*store)(struct arc_worker *w, struct arc_job *const *jobs,
		     unsigned n);

	/* Why a call failed, after it did, or hangs, while it does; for the one
	 * message. NULL for a worker whose calls never fail. */
	void (*why)(struct arc_worker *w, char *out, size_t cap);

	/* It hangs and is given up; nothing of it is freed or called again. */
	void (*abandon)(struct arc_worker *w);

	void (*free)(struct arc_worker *w);
};

struct arc_worker {
	const struct arc_worker_ops *ops;
	unsigned device; /* 0: the CPU; else all workers of one device have the
			  * same number, and end together */
};

/* An engine that has room for some lanes, and none yet. Ends with
 * arc_engine_free(). */
int arc_engine_new_empty(const struct arc_engine_params *params, unsigned lanes,
			 struct arc_engine **ret);

/* Starts a lane for a worker, which the engine takes, on failure too. jobs: how
 * many more should be under way for its sake. */
int arc_engine_add(struct arc_engine *e, struct arc_worker *worker,
		   unsigned jobs);

/* Decodes it in this thread: 0, -ENOMEM, -EOPNOTSUPP. */
int arc_engine_decode_here(struct arc_decode_job *job);

/* Workers of their kind, to be freed by their ops. */
int arc_worker_cpu_new(const struct arc_record_params *params,
		       struct arc_worker **ret);

/* One of the lanes of params->device[i], which overlap: while one computes, the
 * others copy. *ret_jobs: how many jobs it takes at once. */
#define ARC_DEVICE_LANES 2
int arc_worker_device_new(const struct arc_engine_params *params, unsigned i,
			  struct arc_worker **ret, unsigned *ret_jobs);

#endif
