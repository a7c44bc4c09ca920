/* SPDX-License-Identifier: MIT */
/*
 * A thread of the CPU with a record encoder of its own, made at the start, so
 * that a job cannot fail for want of one.
 */
#include "engine_i.h"
#include "hash.h"

struct cpu_worker {
	struct arc_worker worker;
	struct arc_record_encoder *encoder; /* NULL: nothing is encoded */
};

static int encode(struct cpu_worker *w, struct arc_encode_job *job)
{
	return arc_record_encode_named(w->encoder, job->number, job->in,
				       &job->named, job->out, &job->info);
}

/* Whether all that a segment refers to is right. */
static bool is_founded(const struct arc_record *r, uint32_t s,
		       const struct arc_segset *bad)
{
	struct arc_segset set = { 0 };

	if (arc_record_is_coded_whole(r, s))
		return true;
	arc_segset_add(&set, s);
	arc_record_closure(r, s, s, NULL, &set);
	for (uint32_t i = 0; i < s; i++) {
		if (arc_segset_has(&set, i) && arc_segset_has(bad, i))
			return false;
	}
	return true;
}

int arc_engine_decode_here(struct arc_decode_job *job)
{
	const struct arc_record *r = job->record;
	struct arc_segset bad = { 0 };
	bool any = false;

	for (uint32_t s = 0; s < r->segments; s++) {
		int err = -EBADMSG;

		if (!arc_segset_has(&job->set, s))
			continue;
		if (!any || is_founded(r, s, &bad))
			err = arc_record_decode_segment(
				r, s, job->payload + r->segment[s].offset,
				job->groups);
		if (err && err != -EBADMSG)
			return err;
		if (err)
			arc_segset_add(&bad, s);
		any = any || err;
	}
	for (size_t i = 0; i < ARC_COUNT(bad.word); i++)
		job->bad.word[i] = bad.word[i] & job->want.word[i];
	return 0;
}

static int hash(const struct arc_hash_job *job)
{
	arc_fnv_spans(job->leaf, job->n, job->hash);
	return 0;
}

static int cpu_store(struct arc_worker *worker, struct arc_job *const *jobs,
		     unsigned n)
{
	struct cpu_worker *w = (struct cpu_worker *)worker;

	for (unsigned i = 0; i < n; i++) {
		switch (jobs[i]->kind) {
		case ARC_JOB_ENCODE:
			jobs[i]->err = encode(w, &jobs[i]->encode);
			break;
		case ARC_JOB_DECODE:
			jobs[i]->err = arc_engine_decode_here(&jobs[i]->decode);
			break;
		case ARC_JOB_HASH:
			jobs[i]->err = hash(&jobs[i]->hash);
			break;
		}
	}
	return 0;
}

static void cpu_free(struct arc_worker *worker)
{
	struct cpu_worker *w = (struct cpu_worker *)worker;

	arc_record_encoder_free(w->encoder);
	free(w);
}

static const struct arc_worker_ops cpu_ops = {
	.store = cpu_store,
	.free = cpu_free,
};

int arc_worker_cpu_new(const struct arc_record_params *params,
		       struct arc_worker **ret)
{
	struct cpu_worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->worker.ops = &cpu_ops;
	err = params ? arc_record_encoder_new(params, &w->encoder) : 0;
	if (err < 0) {
		cpu_free(&w->worker);
		return err;
	}
	*ret = &w->worker;
	return 0;
}
