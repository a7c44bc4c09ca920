/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define DRAW_EVERY_NS 250000000L

struct mk_progress {
	struct mk_run *run;
	pthread_t thread;
	pthread_mutex_t lock; /* of everything below and of the line itself */
	pthread_cond_t wake;
	bool stop;
	bool drawn; /* the cursor stands behind a line of ours */
	enum mk_stage stage;
	double begun; /* of the stage */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double mib(uint64_t n)
{
	return (double)n / (double)ARC_MIB;
}

static void clear_line(struct mk_progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void draw_pack(const struct mk_progress *p)
{
	const struct mk_stats *s = &p->run->stats;
	uint64_t done = mk_value(&s->read_bytes) + mk_value(&s->hole_bytes);
	uint64_t spared = mk_value(&s->duplicate_bytes);
	uint64_t bytes = mk_value(&s->bytes);
	uint64_t total = bytes > spared ? bytes - spared : 0;
	double speed = mib(done) / (now() - p->begun + 1e-9);

	fprintf(stderr,
		"\r\033[Kpacking %" PRIu64 " files, %.0f of %.0f MB, %.0f MB/s",
		mk_value(&s->read_files), mib(done), mib(total), speed);
	if (speed > 0 && total > done) {
		uint64_t eta = (uint64_t)(mib(total - done) / speed);

		fprintf(stderr, ", ETA %" PRIu64 ":%02" PRIu64, eta / 60,
			eta % 60);
	}
}

static void draw(struct mk_progress *p)
{
	const struct mk_stats *s = &p->run->stats;

	switch (p->stage) {
	case MK_STAGE_SCAN:
		fprintf(stderr, "\r\033[Klisting %" PRIu64 " files, %.0f MB",
			mk_value(&s->files), mib(mk_value(&s->bytes)));
		break;
	case MK_STAGE_DEDUP:
		fprintf(stderr,
			"\r\033[Klooking for duplicates: %" PRIu64
			" of equal size, %" PRIu64 " hashed, %" PRIu64 " found",
			mk_value(&s->same_size), mk_value(&s->hashed),
			mk_value(&s->duplicates));
		break;
	case MK_STAGE_ORDER:
		fprintf(stderr,
			"\r\033[Klooking for what is alike: %" PRIu64 " files",
			mk_value(&s->sketched));
		break;
	case MK_STAGE_PACK:
		draw_pack(p);
		break;
	case MK_STAGE_INDEX:
		fputs("\r\033[Kwriting the index", stderr);
		break;
	case MK_STAGE_VERIFY:
		fprintf(stderr, "\r\033[Kverifying, %.0f of %.0f MB",
			mib(mk_value(&s->verified_bytes)),
			mib(mk_value(&s->bytes) - mk_value(&s->hole_bytes)));
		break;
	case MK_STAGE_REMOVE:
		fprintf(stderr, "\r\033[Kremoving, %" PRIu64 " of %" PRIu64,
			mk_value(&s->removed), mk_value(&s->verified));
		break;
	case MK_STAGES:
		break;
	}
	fflush(stderr);
	p->drawn = true;
}

static void *draw_loop(void *arg)
{
	struct mk_progress *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += DRAW_EVERY_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&p->wake, &p->lock, &until);
		if (!p->stop)
			draw(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int mk_progress_start(struct mk_run *run, struct mk_progress **ret)
{
	pthread_condattr_t attr;
	struct mk_progress *p;
	int r;

	*ret = NULL;
	if (run->opt->verbosity < 0 || !isatty(STDERR_FILENO))
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->run = run;
	p->begun = now();
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = pthread_create(&p->thread, NULL, draw_loop, p);
	if (r) {
		pthread_cond_destroy(&p->wake);
		pthread_mutex_destroy(&p->lock);
		free(p);
		return -r;
	}
	*ret = p;
	return 0;
}

void mk_progress_stage(struct mk_progress *p, enum mk_stage stage)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stage = stage;
	p->begun = now();
	pthread_mutex_unlock(&p->lock);
}

void mk_progress_stop(struct mk_progress *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	clear_line(p);
	fflush(stderr);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void mk_progress_sink(void *ctx, enum arc_level level, const char *text)
{
	static char program[] = "mkarchive";
	struct mk_run *run = ctx;
	struct mk_progress *p = run->progress;

	if (!p) {
		arc_sink_stderr(program, level, text);
		return;
	}
	pthread_mutex_lock(&p->lock);
	clear_line(p);
	arc_sink_stderr(program, level, text);
	pthread_mutex_unlock(&p->lock);
}
