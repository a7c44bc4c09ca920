/* SPDX-License-Identifier: MIT */
/*
 * Jobs wait in one list, in the order in which they came; those of a worker
 * that failed go back to its front. Each worker has a thread, a *lane*, which
 * takes as many as it wants, works without the lock, and answers.
 *
 * A lane that hangs is noticed by whoever waits for a job. It is given up: its
 * jobs go back, and should its call ever return, the thread finds that and
 * leaves without touching anything. As that may be at any time, an engine with
 * such a lane is never freed.
 */
#include "engine_i.h"

#include <string.h>
#include <time.h>

#include "diag.h"
#include "pool.h"
#include "staging.h"

#define DEADLINE_MS 20000
#define PREPARE_MS 120000 /* programs are built */
#define LOOK_MS 100 /* between two looks at the lanes while waiting */
#define SPARE_JOBS 2 /* queued beside those that are worked on */

enum lane_state {
	LANE_IDLE, /* or busy with what cannot hang */
	LANE_CALLING, /* until `deadline` */
	LANE_GIVEN_UP,
	LANE_ENDED
};

struct lane {
	struct arc_engine *engine;
	struct arc_worker *worker;
	unsigned device; /* the worker's, which may be freed before the lane */
	pthread_t thread;
	bool started;
	/* by the engine's lock: */
	enum lane_state state;
	uint64_t deadline; /* ms */
	struct arc_job *job[ARC_ENGINE_BATCH_MAX];
	unsigned n;
};

struct arc_engine {
	struct arc_diag *diag;
	struct arc_staging *staging; /* gets its lock within ours */
	unsigned deadline_ms; /* of a batch */
	unsigned prepare_ms;
	unsigned depth;
	unsigned batch;
	unsigned queue_max;
	bool devices_only;
	bool no_fallback;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a job came, was done or went back; a lane
				 * ended; stop */
	/* by lock: */
	struct arc_job *first;
	struct arc_job **last;
	unsigned queued;
	unsigned device_lanes; /* that work or may work yet */
	bool failed; /* a device did, and that was not allowed */
	bool stop;

	unsigned lanes;
	struct lane *lane;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the queue; all with the lock ---------------------------------------- */

static void fail(struct arc_job *job)
{
	job->err = -EIO;
	job->by_device = false;
	job->done = true;
}

static void append(struct arc_engine *e, struct arc_job *job)
{
	job->next = NULL;
	*e->last = job;
	e->last = &job->next;
	e->queued++;
}

static void pop(struct arc_engine *e)
{
	e->first = e->first->next;
	if (!e->first)
		e->last = &e->first;
	e->queued--;
}

static void put_back(struct arc_engine *e, struct lane *l)
{
	for (unsigned i = l->n; i-- > 0;) {
		struct arc_job *job = l->job[i];

		job->next = e->first;
		if (!e->first)
			e->last = &job->next;
		e->first = job;
		e->queued++;
	}
	l->n = 0;
}

/* What a lane has becomes done. */
static void settle(struct lane *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		l->job[i]->by_device = l->device > 0;
		l->job[i]->begins_batch = i == 0;
		l->job[i]->done = true;
	}
	l->n = 0;
}

static bool may_take(const struct arc_engine *e, const struct lane *l)
{
	return e->queued > 0 &&
	       (l->device || !e->devices_only || e->device_lanes == 0);
}

static void take(struct arc_engine *e, struct lane *l)
{
	unsigned at_hand = 0, n = 1;

	for (struct arc_job *job = e->first;
	     job && at_hand < ARC_ENGINE_BATCH_MAX; job = job->next)
		l->job[at_hand++] = job;
	if (l->worker->ops->takes)
		n = l->worker->ops->takes(l->worker, l->job, at_hand);
	assert(n >= 1 && n <= at_hand);
	for (l->n = 0; l->n < n; l->n++)
		pop(e);
}

/* ---- ending a device; all with the lock ---------------------------------- */

/* What is queued fails, and all that comes. */
static void fail_all(struct arc_engine *e)
{
	e->failed = true;
	while (e->first) {
		struct arc_job *job = e->first;

		pop(e);
		fail(job);
	}
}

/* Its jobs are for others. */
static void end_lane(struct arc_engine *e, struct lane *l,
		     enum lane_state state)
{
	if (l->state == LANE_ENDED || l->state == LANE_GIVEN_UP)
		return;
	if (l->device) {
		e->device_lanes--;
		arc_staging_retire(e->staging, l->device);
	}
	l->state = state;
	put_back(e, l);
	pthread_cond_broadcast(&e->changed);
}

/* The other lanes of a device (0: the CPU) end with the first one, after what
 * they do. */
static bool is_retired(const struct arc_engine *e, unsigned device)
{
	for (unsigned i = 0; device && i < e->lanes; i++) {
		const struct lane *l = &e->lane[i];

		if (l->device == device &&
		    (l->state == LANE_ENDED || l->state == LANE_GIVEN_UP))
			return true;
	}
	return false;
}

/* Ends a lane that failed, and with it its device. Says so without the lock. */
static void retire(struct arc_engine *e, struct lane *l, const char *how,
		   enum lane_state state)
{
	bool first = !is_retired(e, l->device);
	char why[256] = "";

	end_lane(e, l, state);
	if (e->no_fallback)
		fail_all(e);
	if (!first)
		return;
	pthread_mutex_unlock(&e->lock);
	l->worker->ops->why(l->worker, why, sizeof(why));
	arc_say(e->diag, e->no_fallback ? ARC_ERROR : ARC_WARN, "%s%s; %s", why,
		how,
		e->no_fallback ? "to go on without it was not allowed"
			       : "going on without it");
	pthread_mutex_lock(&e->lock);
}

static void give_up_hanging(struct arc_engine *e)
{
	uint64_t now = now_ms();

	for (unsigned i = 0; i < e->lanes; i++) {
		struct lane *l = &e->lane[i];

		if (l->state != LANE_CALLING || now < l->deadline)
			continue;
		l->worker->ops->abandon(l->worker);
		retire(e, l, ": it does not answer", LANE_GIVEN_UP);
	}
}

/* Waits for a change; notices lanes that hang. */
static void wait_change(struct arc_engine *e)
{
	struct timespec until;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + LOOK_MS * 1000000ULL;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	pthread_cond_timedwait(&e->changed, &e->lock, &until);
	give_up_hanging(e);
}

/* ---- lanes --------------------------------------------------------------- */

/* A call that may hang, with the lock before and after it. -ECANCELED: the lane
 * was given up meanwhile. */
static int call(struct lane *l, int (*fn)(struct arc_worker *w), unsigned ms)
{
	struct arc_engine *e = l->engine;
	int err;

	l->state = LANE_CALLING;
	l->deadline = now_ms() + ms;
	pthread_mutex_unlock(&e->lock);
	err = fn(l->worker);
	pthread_mutex_lock(&e->lock);
	if (l->state == LANE_GIVEN_UP)
		return -ECANCELED;
	l->state = LANE_IDLE;
	return err;
}

static int call_with_jobs(struct lane *l,
			  int (*fn)(struct arc_worker *w,
				    struct arc_job *const *jobs, unsigned n))
{
	int err;

	pthread_mutex_unlock(&l->engine->lock);
	err = fn(l->worker, l->job, l->n);
	pthread_mutex_lock(&l->engine->lock);
	return err;
}

static int do_jobs(struct lane *l)
{
	const struct arc_worker_ops *ops = l->worker->ops;
	int err = 0;

	if (ops->load)
		err = call_with_jobs(l, ops->load);
	if (!err && ops->run)
		err = call(l, ops->run, l->engine->deadline_ms);
	if (!err)
		err = call_with_jobs(l, ops->store);
	return err;
}

static void work(struct lane *l)
{
	struct arc_engine *e = l->engine;
	int err = 0;

	if (l->worker->ops->prepare)
		err = call(l, l->worker->ops->prepare, e->prepare_ms);
	if (!err && l->worker->ops->lend)
		l->worker->ops->lend(l->worker, e->staging);
	while (!err && !is_retired(e, l->device)) {
		if (may_take(e, l)) {
			take(e, l);
			err = do_jobs(l);
			if (!err)
				settle(l);
			pthread_cond_broadcast(&e->changed);
		} else if (e->stop) {
			break;
		} else {
			pthread_cond_wait(&e->changed, &e->lock);
		}
	}
	if (err && l->state != LANE_GIVEN_UP)
		retire(e, l, "", LANE_ENDED);
}

static void *lane_main(void *arg)
{
	struct lane *l = arg;
	struct arc_engine *e = l->engine;

	pthread_mutex_lock(&e->lock);
	work(l);
	end_lane(e, l, LANE_ENDED);
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* ---- the face ------------------------------------------------------------ */

uint8_t *arc_engine_lend(struct arc_engine *e, size_t n)
{
	return arc_staging_lend(e->staging, n);
}

void arc_engine_give_back(struct arc_engine *e, uint8_t *p)
{
	arc_staging_give_back(e->staging, p);
}

/* Where what it is made of lies. */
static const uint8_t *place_of(const struct arc_job *job)
{
	switch (job->kind) {
	case ARC_JOB_ENCODE:
		return job->encode.in.p;
	case ARC_JOB_DECODE:
		return job->decode.payload;
	case ARC_JOB_HASH:
	default:
		return NULL;
	}
}

void arc_engine_submit(struct arc_engine *e, struct arc_job *job)
{
	job->done = false;
	job->staged = arc_staging_device(e->staging, place_of(job));
	pthread_mutex_lock(&e->lock);
	while (e->queued >= e->queue_max)
		wait_change(e);
	if (e->failed)
		fail(job);
	else
		append(e, job);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

void arc_engine_wait(struct arc_engine *e, struct arc_job *job)
{
	pthread_mutex_lock(&e->lock);
	while (!job->done)
		wait_change(e);
	pthread_mutex_unlock(&e->lock);
}

bool arc_engine_has_devices(struct arc_engine *e)
{
	bool some;

	pthread_mutex_lock(&e->lock);
	some = e->device_lanes > 0;
	pthread_mutex_unlock(&e->lock);
	return some;
}

bool arc_engine_is_retired(struct arc_engine *e, unsigned i)
{
	bool retired;

	pthread_mutex_lock(&e->lock);
	retired = is_retired(e, i + 1);
	pthread_mutex_unlock(&e->lock);
	return retired;
}

unsigned arc_engine_depth(const struct arc_engine *e)
{
	return e->depth;
}

unsigned arc_engine_batch(const struct arc_engine *e)
{
	return e->batch;
}

/* ---- making and ending --------------------------------------------------- */

int arc_engine_add(struct arc_engine *e, struct arc_worker *worker,
		   unsigned jobs)
{
	struct lane *l = &e->lane[e->lanes];
	int err;

	*l = (struct lane){
		.engine = e,
		.worker = worker,
		.device = worker->device,
	};
	pthread_mutex_lock(&e->lock);
	e->lanes++;
	e->depth += jobs;
	e->queue_max = e->depth;
	e->batch = ARC_MAX(e->batch, jobs);
	e->device_lanes += l->device > 0;
	err = arc_thread_start(&l->thread, lane_main, l);
	l->started = err == 0;
	if (err)
		end_lane(e, l, LANE_ENDED);
	pthread_mutex_unlock(&e->lock);
	return err;
}

int arc_engine_new_empty(const struct arc_engine_params *params, unsigned lanes,
			 struct arc_engine **ret)
{
	struct arc_engine *e = calloc(1, sizeof(*e));
	pthread_condattr_t attr;

	if (!e)
		return -ENOMEM;
	e->lane = calloc(lanes, sizeof(*e->lane));
	if (!e->lane || arc_staging_new(&e->staging)) {
		free(e->lane);
		free(e);
		return -ENOMEM;
	}
	e->depth = SPARE_JOBS;
	e->batch = 1;
	e->diag = params->diag;
	e->deadline_ms =
		params->deadline_ms ? params->deadline_ms : DEADLINE_MS;
	e->prepare_ms = params->deadline_ms ? params->deadline_ms : PREPARE_MS;
	e->devices_only = params->devices_only;
	e->no_fallback = params->no_fallback && params->devices;
	e->last = &e->first;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->changed, &attr);
	pthread_condattr_destroy(&attr);
	*ret = e;
	return 0;
}

/* As many batches may wait; 0: as it is. */
static void bound_queue(struct arc_engine *e, unsigned waiting)
{
	if (!waiting)
		return;
	pthread_mutex_lock(&e->lock);
	e->queue_max = waiting * e->batch;
	e->depth += e->queue_max - SPARE_JOBS;
	pthread_mutex_unlock(&e->lock);
}

int arc_engine_new(const struct arc_engine_params *params,
		   struct arc_engine **ret)
{
	arc_cleanup(arc_engine_freep) struct arc_engine *e = NULL;
	unsigned lanes = params->threads + params->devices * ARC_DEVICE_LANES;
	int err = arc_engine_new_empty(params, lanes, &e);

	assert(params->threads >= 1);
	for (unsigned i = 0; !err && i < lanes; i++) {
		struct arc_worker *worker = NULL;
		unsigned jobs = 1;

		err = i < params->threads
			      ? arc_worker_cpu_new(params->record, &worker)
			      : arc_worker_device_new(params,
						      (i - params->threads) /
							      ARC_DEVICE_LANES,
						      &worker, &jobs);
		if (!err)
			err = arc_engine_add(e, worker, jobs);
	}
	if (err)
		return err;
	bound_queue(e, params->waiting);
	*ret = arc_steal(e);
	return 0;
}

/* Whether all lanes have ended, and not been given up. */
static bool end_lanes(struct arc_engine *e)
{
	bool all = true;

	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->changed);
	for (unsigned i = 0; i < e->lanes; i++) {
		while (e->lane[i].state != LANE_ENDED &&
		       e->lane[i].state != LANE_GIVEN_UP)
			wait_change(e);
		all = all && e->lane[i].state == LANE_ENDED;
	}
	pthread_mutex_unlock(&e->lock);
	return all;
}

static bool is_abandoned(const struct arc_engine *e, unsigned device)
{
	for (unsigned i = 0; device && i < e->lanes; i++) {
		if (e->lane[i].device == device &&
		    e->lane[i].state == LANE_GIVEN_UP)
			return true;
	}
	return false;
}

void arc_engine_free(struct arc_engine *e)
{
	bool all;

	if (!e)
		return;
	assert(e->queued == 0);
	all = end_lanes(e);
	for (unsigned i = 0; i < e->lanes; i++) {
		struct lane *l = &e->lane[i];

		if (l->state == LANE_GIVEN_UP) {
			pthread_detach(l->thread);
			continue;
		}
		if (l->started)
			pthread_join(l->thread, NULL);
		if (!is_abandoned(e, l->device))
			l->worker->ops->free(l->worker);
	}
	arc_staging_free(e->staging); /* after all queues that take from it */
	if (!all)
		return;
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	free(e->lane);
	free(e);
}
