/* SPDX-License-Identifier: MIT */
/*
 * Threads of a pool, and one record encoder for each of them. All encoders are
 * made at the start, so that a job cannot fail for want of one: never more
 * tasks run than there are threads, so the stack is never empty when a task
 * takes one.
 */
#include <pthread.h>

#include "engine.h"
#include "pool.h"

struct cpu_engine {
	struct arc_engine engine;
	struct arc_pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t done; /* a job has ended */
	unsigned idle; /* encoders on the stack; under lock */
	unsigned made;
	struct arc_record_encoder **encoder; /* stack; under lock */
};

static struct arc_record_encoder *take_encoder(struct cpu_engine *cpu)
{
	struct arc_record_encoder *e;

	pthread_mutex_lock(&cpu->lock);
	assert(cpu->idle > 0);
	e = cpu->encoder[--cpu->idle];
	pthread_mutex_unlock(&cpu->lock);
	return e;
}

/* The job is its owner's again as soon as priv is NULL and the lock is free. */
static void finish(struct cpu_engine *cpu, struct arc_record_encoder *e,
		   struct arc_job *job)
{
	pthread_mutex_lock(&cpu->lock);
	cpu->encoder[cpu->idle++] = e;
	job->priv = NULL;
	pthread_cond_broadcast(&cpu->done);
	pthread_mutex_unlock(&cpu->lock);
}

static void run(void *arg)
{
	struct arc_job *job = arg;
	struct cpu_engine *cpu = job->priv;
	struct arc_record_encoder *e = take_encoder(cpu);

	job->err = arc_record_encode(e, job->number, job->in, job->out,
				     &job->info);
	finish(cpu, e, job);
}

/* priv says whose a job is: the engine until it is done, then NULL. */
static int cpu_submit(struct arc_engine *engine, struct arc_job *job)
{
	struct cpu_engine *cpu = (struct cpu_engine *)engine;

	job->priv = cpu;
	arc_pool_submit(cpu->pool, run, job);
	return 0;
}

static void cpu_wait(struct arc_engine *engine, struct arc_job *job)
{
	struct cpu_engine *cpu = (struct cpu_engine *)engine;

	pthread_mutex_lock(&cpu->lock);
	while (job->priv)
		pthread_cond_wait(&cpu->done, &cpu->lock);
	pthread_mutex_unlock(&cpu->lock);
}

static void cpu_free(struct arc_engine *engine)
{
	struct cpu_engine *cpu = (struct cpu_engine *)engine;

	arc_pool_free(cpu->pool);
	for (unsigned i = 0; i < cpu->made; i++)
		arc_record_encoder_free(cpu->encoder[i]);
	pthread_cond_destroy(&cpu->done);
	pthread_mutex_destroy(&cpu->lock);
	free(cpu->encoder);
	free(cpu);
}

static const struct arc_engine_ops cpu_ops = {
	.name = "cpu",
	.submit = cpu_submit,
	.wait = cpu_wait,
	.free = cpu_free,
};

/* An engine without threads and encoders, which arc_engine_free() accepts. */
static struct cpu_engine *new_empty(unsigned threads)
{
	struct cpu_engine *cpu = calloc(1, sizeof(*cpu));

	if (!cpu)
		return NULL;
	cpu->engine.ops = &cpu_ops;
	cpu->encoder = calloc(threads, sizeof(struct arc_record_encoder *));
	if (!cpu->encoder) {
		free(cpu);
		return NULL;
	}
	pthread_mutex_init(&cpu->lock, NULL);
	pthread_cond_init(&cpu->done, NULL);
	return cpu;
}

int arc_engine_cpu(unsigned threads, const struct arc_record_params *params,
		   struct arc_engine **ret)
{
	arc_cleanup(arc_engine_freep) struct arc_engine *engine = NULL;
	struct cpu_engine *cpu;
	int err;

	assert(threads >= 1);
	cpu = new_empty(threads);
	if (!cpu)
		return -ENOMEM;
	engine = &cpu->engine;
	for (; cpu->made < threads; cpu->made++) {
		err = arc_record_encoder_new(params, &cpu->encoder[cpu->made]);
		if (err < 0)
			return err;
	}
	cpu->idle = threads;
	err = arc_pool_new(threads, (size_t)threads + 2, &cpu->pool);
	if (err < 0)
		return err;
	*ret = arc_steal(engine);
	return 0;
}
