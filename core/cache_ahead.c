/* SPDX-License-Identifier: MIT */
/*
 * Devices are looked for when somebody has first read a larger piece in order
 * (when the user insists on them, at once); until they are found, and where
 * there are none, the CPU decodes ahead. Devices want much at once, whole
 * frames and many of them; the CPU's thread is to be little ahead of a reader,
 * and to cost little when he stops.
 */
#include "cache_ahead.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "cache_ahead_device.h"
#include "cache_i.h"
#include "cache_runs.h"
#include "pool.h"

#define IDLE_S 10 /* after which devices' memory is given back */

#define CPU_PIECE ARC_MIB
#define CPU_NEAR (256 * ARC_KIB)
#define CPU_BEGIN (256 * ARC_KIB)
#define CPU_WINDOW (4 * ARC_MIB)

/* Requests that the kernel sends at once are answered in any order. */
#define BEHIND (4 * ARC_MIB)
#define KEEP(cache) ((cache)->budget / 8)

#define DEVICE_NEAR (8 * ARC_MIB)
#define DEVICE_BEGIN (4 * ARC_MIB)

enum life { NOT_LOOKED, AT_WORK, NO_DEVICE };

struct arc_ahead {
	struct arc_cache *cache;
	struct arc_ahead_options opt;
	struct arc_gpu_options gpu; /* opt's */
	struct arc_diag diag; /* about devices */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_cond_t looked; /* devices have been looked for */
	/* by lock: */
	struct arc_runs runs;
	size_t wanted; /* size of buffers; 0: none are wanted */
	bool stop;
	struct arc_ahead_stats stats;
	enum life life; /* written by the thread alone */

	/* The thread's, which changes it with the lock; NULL: none at work. */
	struct arc_ahead_device *device;
};

/* ---- what is asked for --------------------------------------------------- */

static void ask_for_cpu(struct arc_ahead *a)
{
	const struct arc_runs_policy policy = {
		.piece = CPU_PIECE,
		.near = CPU_NEAR,
		.begin = CPU_BEGIN,
		.window = a->opt.cpu ? ARC_MIN(CPU_WINDOW, a->cache->budget / 8)
				     : 0,
		.behind = BEHIND,
	};

	arc_runs_init(&a->runs, &policy);
}

static uint64_t device_window(const struct arc_ahead *a)
{
	return (a->cache->budget + a->opt.extra) / 2;
}

static void ask_for_devices(struct arc_ahead *a)
{
	const struct arc_disk_footer *f = arc_volumes_footer(a->cache->vs);
	uint64_t frame = ARC_MAX(arc_get32(f->frame_size), ARC_SEGMENT_SIZE);
	const struct arc_runs_policy policy = {
		.piece = frame,
		.near = DEVICE_NEAR,
		.begin = DEVICE_BEGIN,
		.window = ARC_MAX(device_window(a), frame),
		.behind = BEHIND,
	};

	arc_runs_init(&a->runs, &policy);
}

/* Lets go of the groups that end in (from, to] of the stream: who reads in
 * order has what lies behind him in the kernel's cache. */
static void pass(struct arc_cache *cache, uint64_t from, uint64_t to)
{
	struct arc_frame f;

	while (from < to && arc_index_frame_at(cache->idx, from, &f) == 0) {
		uint32_t group = (uint32_t)((from - f.start) >> f.group_log);
		uint64_t end = ((uint64_t)group + 1) << f.group_log;

		from = f.start + ARC_MIN(end, f.raw);
		if (from <= to)
			arc_lru_pass(cache->groups,
				     arc_cache_key(f.number, group),
				     KEEP(cache));
	}
}

void arc_ahead_note(struct arc_ahead *a, uint64_t off, size_t n, bool fresh)
{
	uint64_t from, to;
	bool passed;

	pthread_mutex_lock(&a->lock);
	if (arc_runs_note(&a->runs, off, n, fresh))
		pthread_cond_signal(&a->changed);
	passed = arc_runs_pass(&a->runs, off + n, &from, &to);
	pthread_mutex_unlock(&a->lock);
	if (passed)
		pass(a->cache, from, to);
}

bool arc_ahead_is_order(struct arc_ahead *a, uint64_t off)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = arc_runs_is_order(&a->runs, off);
	pthread_mutex_unlock(&a->lock);
	return is;
}

void arc_ahead_want_buffers(struct arc_ahead *a, size_t n)
{
	pthread_mutex_lock(&a->lock);
	a->wanted = n;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* ---- devices ------------------------------------------------------------- */

static void set_life(struct arc_ahead *a, enum life life)
{
	pthread_mutex_lock(&a->lock);
	a->life = life;
	if (life == AT_WORK)
		ask_for_devices(a);
	else
		ask_for_cpu(a);
	pthread_cond_broadcast(&a->looked);
	pthread_mutex_unlock(&a->lock);
}

/* Passes a message on, and remembers the first about something wrong: it has
 * the reason, others what follows from it. */
static void hear(void *ctx, enum arc_level level, const char *text)
{
	struct arc_ahead *a = ctx;

	if (level <= ARC_WARN) {
		pthread_mutex_lock(&a->lock);
		if (!a->stats.message[0])
			snprintf(a->stats.message, sizeof(a->stats.message),
				 "%s", text);
		pthread_mutex_unlock(&a->lock);
	}
	arc_say(a->cache->diag, level, "%s", text);
}

/* Whether it is time to look for devices that nobody insists on. */
static bool is_worth_a_look(struct arc_ahead *a)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->life == NOT_LOOKED && a->runs.longest >= DEVICE_BEGIN;
	pthread_mutex_unlock(&a->lock);
	return is;
}

static void set_device(struct arc_ahead *a, struct arc_ahead_device *device)
{
	pthread_mutex_lock(&a->lock);
	a->device = device;
	pthread_mutex_unlock(&a->lock);
}

static void look_for_devices(struct arc_ahead *a)
{
	struct arc_ahead_device *device = NULL;
	int err =
		arc_ahead_device_new(a->cache, &a->gpu, &a->diag,
				     a->opt.threads, device_window(a), &device);

	if (err && err != -ENODEV)
		arc_say(&a->diag, ARC_ERROR, "devices cannot be tried: %s",
			arc_error_text(err));
	if (err) {
		set_life(a, NO_DEVICE);
		return;
	}
	set_device(a, device);
	arc_lru_grow(a->cache->groups, a->opt.extra);
	set_life(a, AT_WORK);
}

static void end_frame(struct arc_ahead *a)
{
	struct arc_ahead_done done = { 0 };

	arc_ahead_device_end(a->device, &done);
	pthread_mutex_lock(&a->lock);
	a->stats.frames += done.frames;
	a->stats.device_frames += done.device_frames;
	a->stats.device_batches += done.device_batches;
	a->stats.segments += done.segments;
	pthread_mutex_unlock(&a->lock);
}

/* When devices have failed the CPU goes on. */
static void drop_lost_devices(struct arc_ahead *a)
{
	struct arc_ahead_device *device = a->device;

	if (!arc_ahead_device_is_lost(device))
		return;
	while (arc_ahead_device_is_busy(device))
		end_frame(a);
	set_life(a, NO_DEVICE);
	set_device(a, NULL);
	arc_ahead_device_free(device);
}

/* ---- the CPU ------------------------------------------------------------- */

/* What fails here fails for the reader too, who says so. */
static void decode_piece(struct arc_ahead *a, uint64_t off)
{
	uint64_t end = off + CPU_PIECE;
	uint32_t segments = 0;
	size_t n;

	while (off < end && arc_cache_fetch(a->cache, off, (size_t)(end - off),
					    &n, &segments) == 0)
		off += n;
	pthread_mutex_lock(&a->lock);
	a->stats.segments += segments;
	a->stats.pieces++;
	pthread_mutex_unlock(&a->lock);
}

/* ---- the thread ---------------------------------------------------------- */

enum event { STOP, PIECE, BUFFERS, FRAME_DUE, IDLE };

/* Waits for something to do; with frames under way it does not wait. */
static enum event next_event(struct arc_ahead *a, uint64_t *ret_off)
{
	bool busy = a->device && arc_ahead_device_is_busy(a->device);
	bool full = a->device && arc_ahead_device_is_full(a->device);
	bool timed = a->device && !arc_ahead_device_rests(a->device);
	enum event event = FRAME_DUE;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	pthread_mutex_lock(&a->lock);
	while (!a->stop && !full && event == FRAME_DUE) {
		if (a->wanted)
			event = BUFFERS;
		else if (arc_runs_take(&a->runs, ret_off))
			event = PIECE;
		else if (busy)
			break;
		else if (!timed)
			pthread_cond_wait(&a->changed, &a->lock);
		else if (pthread_cond_timedwait(&a->changed, &a->lock, &until))
			event = IDLE;
	}
	if (a->stop)
		event = STOP;
	pthread_mutex_unlock(&a->lock);
	return event;
}

static void make_buffers(struct arc_ahead *a)
{
	size_t n;

	pthread_mutex_lock(&a->lock);
	n = a->wanted;
	a->wanted = 0;
	pthread_mutex_unlock(&a->lock);
	arc_cache_make_buffers(a->cache, n);
}

static void do_piece(struct arc_ahead *a, uint64_t off)
{
	if (!a->device && is_worth_a_look(a))
		look_for_devices(a);
	if (!a->device)
		decode_piece(a, off);
	else
		arc_ahead_device_begin(a->device, off);
}

static void *ahead_main(void *arg)
{
	struct arc_ahead *a = arg;
	struct arc_ahead_device *device;
	enum event event = IDLE;
	uint64_t off = 0;

	if (a->gpu.mode == ARC_GPU_FORCE)
		look_for_devices(a);
	while (event != STOP) {
		event = next_event(a, &off);
		if (event == PIECE)
			do_piece(a, off);
		else if (event == BUFFERS)
			make_buffers(a);
		else if (event == FRAME_DUE)
			end_frame(a);
		else if (event == IDLE)
			arc_ahead_device_rest(a->device);
		if (a->device)
			drop_lost_devices(a);
	}
	device = a->device;
	set_device(a, NULL);
	arc_ahead_device_free(device);
	return NULL;
}

/* ---- the face ------------------------------------------------------------ */

static void fini(struct arc_ahead *a)
{
	arc_diag_fini(&a->diag);
	pthread_cond_destroy(&a->looked);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int arc_ahead_new(struct arc_cache *cache, const struct arc_ahead_options *opt,
		  struct arc_ahead **ret)
{
	struct arc_ahead *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;
	int err;

	if (!a)
		return -ENOMEM;
	a->cache = cache;
	a->opt = *opt;
	a->gpu = *opt->gpu;
	a->life = a->gpu.mode == ARC_GPU_OFF ? NO_DEVICE : NOT_LOOKED;
	ask_for_cpu(a);
	arc_diag_init(&a->diag, hear, a, ARC_INFO);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&a->looked, NULL);
	err = arc_thread_start(&a->thread, ahead_main, a);
	if (err) {
		fini(a);
		return err;
	}
	*ret = a;
	return 0;
}

void arc_ahead_free(struct arc_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	fini(a);
}

int arc_ahead_await(struct arc_ahead *a)
{
	int err;

	pthread_mutex_lock(&a->lock);
	while (a->life == NOT_LOOKED)
		pthread_cond_wait(&a->looked, &a->lock);
	err = a->life == AT_WORK ? 0 : -ENODEV;
	pthread_mutex_unlock(&a->lock);
	return err;
}

/* One that fails is known to its engine first. With the lock. */
static enum life life_now(const struct arc_ahead *a)
{
	bool lost = a->device && arc_ahead_device_is_lost(a->device);

	return lost ? NO_DEVICE : a->life;
}

void arc_ahead_stats(struct arc_ahead *a, struct arc_ahead_stats *ret)
{
	static const char *const states[] = {
		[NOT_LOOKED] = "not looked for",
		[AT_WORK] = "in use",
		[NO_DEVICE] = "none",
	};

	pthread_mutex_lock(&a->lock);
	ret->frames = a->stats.frames;
	ret->device_frames = a->stats.device_frames;
	ret->device_batches = a->stats.device_batches;
	ret->pieces = a->stats.pieces;
	ret->segments = a->stats.segments;
	ret->state = a->gpu.mode == ARC_GPU_OFF ? "off" : states[life_now(a)];
	memcpy(ret->message, a->stats.message, sizeof(ret->message));
	pthread_mutex_unlock(&a->lock);
}
