/* SPDX-License-Identifier: MIT */
/*
 * engine - who does the work on frames: the CPU's threads, later OpenCL
 * devices. Batch in, batch out: jobs are submitted and waited for; a job
 * belongs to the engine in between.
 *
 * Decoding of one group is done inline by the calling thread (see cache.h):
 * a batch of one on the CPU has no queue hop.
 *
 * Threads: one thread submits and waits; the engine's own threads work.
 */
#ifndef ARC_ENGINE_H
#define ARC_ENGINE_H

#include "record.h"

/* One frame to encode. */
struct arc_job {
	struct arc_span in; /* raw frame, borrowed until the job is done */
	uint64_t number; /* of the frame */
	uint8_t *out; /* arc_record_bound(in.n) bytes, borrowed too */

	/* Results, valid after arc_engine_wait(). */
	int err; /* 0 or negative errno */
	struct arc_record_info info;

	void *priv; /* the engine's */
};

struct arc_engine;

struct arc_engine_ops {
	const char *name;
	int (*submit)(struct arc_engine *e, struct arc_job *job);
	void (*wait)(struct arc_engine *e, struct arc_job *job);
	void (*free)(struct arc_engine *e);
};

struct arc_engine {
	const struct arc_engine_ops *ops;
};

/* Borrows what params points to. */
int arc_engine_cpu(unsigned threads, const struct arc_record_params *params,
		   struct arc_engine **ret);

/*
 * Hands the job over. Never blocks longer than until a thread takes work when
 * more than `threads + 2` jobs are queued.
 */
static inline int arc_engine_submit(struct arc_engine *e, struct arc_job *job)
{
	return e->ops->submit(e, job);
}

/* Returns when the job is done; look at job->err then. */
static inline void arc_engine_wait(struct arc_engine *e, struct arc_job *job)
{
	e->ops->wait(e, job);
}

/* No job may be under way. Accepts NULL. */
void arc_engine_free(struct arc_engine *e);
ARC_DEFINE_CLEANUP(struct arc_engine, arc_engine_free)

#endif
