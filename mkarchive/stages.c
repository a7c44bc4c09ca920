/* SPDX-License-Identifier: MIT */
#include "stages.h"

#include <sys/resource.h>
#include <time.h>

#include "progress.h"

/* What ru_inblock and ru_oublock count in. */
#define DISK_BLOCK 512

static double seconds_of(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A file that is looked at, opened or written down counts each time. */
static uint64_t files_so_far(const struct mk_stats *s)
{
	return mk_value(&s->listed) + mk_value(&s->searched) +
	       mk_value(&s->read_files) - mk_value(&s->held_files) +
	       mk_value(&s->sketched) + mk_value(&s->indexed) +
	       mk_value(&s->verified) + mk_value(&s->removed);
}

static struct mk_usage usage_now(const struct mk_run *run)
{
	const struct mk_stats *s = &run->stats;
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (struct mk_usage){
		.wall = now(),
		.cpu = seconds_of(use.ru_utime) + seconds_of(use.ru_stime),
		.files = files_so_far(s),
		.read = mk_value(&s->searched_bytes) +
			mk_value(&s->read_bytes) - mk_value(&s->held_bytes) +
			mk_value(&s->verified_bytes),
		.written = mk_value(&s->written),
		.disk_read = (uint64_t)use.ru_inblock * DISK_BLOCK,
		.disk_written = (uint64_t)use.ru_oublock * DISK_BLOCK,
	};
}

static struct mk_usage between(const struct mk_usage *a,
			       const struct mk_usage *b)
{
	return (struct mk_usage){
		.wall = b->wall - a->wall,
		.cpu = b->cpu - a->cpu,
		.files = b->files - a->files,
		.read = b->read - a->read,
		.written = b->written - a->written,
		.disk_read = b->disk_read - a->disk_read,
		.disk_written = b->disk_written - a->disk_written,
	};
}

void mk_stages_start(struct mk_run *run)
{
	run->stages = (struct mk_stages){ .run = usage_now(run), .stage = -1 };
}

void mk_stages_end(struct mk_run *run)
{
	struct mk_stages *s = &run->stages;
	struct mk_usage end = usage_now(run);

	if (s->stage >= 0)
		s->of[s->stage] = between(&s->begun, &end);
	s->stage = -1;
	s->begun = end;
}

void mk_stages_begin(struct mk_run *run, enum mk_stage stage)
{
	mk_stages_end(run);
	run->stages.stage = (int)stage;
	mk_progress_stage(run->progress, stage);
}

struct mk_usage mk_stages_all(const struct mk_run *run)
{
	struct mk_usage end = usage_now(run);

	return between(&run->stages.run, &end);
}

const char *mk_stage_name(enum mk_stage stage)
{
	static const char *const names[] = {
		[MK_STAGE_SCAN] = "scan",     [MK_STAGE_DEDUP] = "dedup",
		[MK_STAGE_ORDER] = "order",   [MK_STAGE_PACK] = "pack",
		[MK_STAGE_INDEX] = "index",   [MK_STAGE_VERIFY] = "verify",
		[MK_STAGE_REMOVE] = "remove",
	};

	return names[stage];
}

double mk_usage_percent(const struct mk_usage *u, unsigned cores)
{
	double most = u->wall * cores;

	return most > 0 ? 100.0 * u->cpu / most : 0.0;
}

double mk_usage_speed(const struct mk_usage *u, uint64_t bytes)
{
	return u->wall > 0 ? (double)bytes / (double)ARC_MIB / u->wall : 0.0;
}

uint64_t mk_peak_memory(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (uint64_t)use.ru_maxrss * ARC_KIB;
}
