/* SPDX-License-Identifier: MIT */
/*
 * A slot holds one frame on its way. As many as there are slots are read and
 * handed to the engine before the oldest is waited for, so that reading,
 * decoding and publishing overlap.
 *
 * Devices are looked for when there first is something to do (when the user
 * insists on them, at once), and the engine, which holds their memory, goes when
 * there has been nothing for a while.
 */
#include "cache_ahead.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "cache_i.h"
#include "engine.h"
#include "pool.h"

#define RUNS 8 /* readers told apart */
#define NEAR (8 * ARC_MIB) /* pins so near each other are of one reader */
#define BEGIN (4 * ARC_MIB) /* read in order before anything is asked for */
#define ASKED_MAX 64 /* frames; a power of two */
#define SLOTS_MAX 16
#define IDLE_S 10 /* after which devices' memory is given back */

/* A reader who goes through the stream. */
struct run {
	uint64_t begin;
	uint64_t at; /* how far it is; 0: none */
	uint64_t asked; /* how far frames have been asked for */
	uint64_t noted; /* when, by count of notes */
};

enum life { NOT_LOOKED, AT_WORK, NO_DEVICE };

struct slot {
	struct arc_buf stored;
	uint8_t *raw;
	size_t raw_cap;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_frame frame;
	struct arc_record *record; /* pinned among the heads */
	struct arc_job job;
};

struct arc_ahead {
	struct arc_cache *cache;
	struct arc_gpu_options opt;
	struct arc_diag diag; /* about devices */
	unsigned threads;
	uint64_t window;
	uint64_t frame_size;
	size_t extra;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* by lock: */
	struct run run[RUNS];
	uint64_t notes;
	uint64_t asked[ASKED_MAX]; /* offsets of the stream, a ring */
	uint64_t put, taken;
	bool stop;
	struct arc_ahead_stats stats;
	enum life life; /* written by the thread alone */

	atomic_bool on; /* notes are of interest */

	/* the thread's own: */
	struct arc_gpu *gpu;
	struct arc_engine *engine;
	struct slot slot[SLOTS_MAX];
	unsigned slots;
	unsigned first, busy; /* slots under way, a ring */
};

/* ---- noting -------------------------------------------------------------- */

static struct run *find_run(struct arc_ahead *a, uint64_t off)
{
	struct run *oldest = &a->run[0];

	for (size_t i = 0; i < RUNS; i++) {
		struct run *r = &a->run[i];

		if (r->at && off + NEAR >= r->at && off <= r->at + NEAR)
			return r;
		if (r->noted < oldest->noted)
			oldest = r;
	}
	*oldest = (struct run){ .begin = off };
	return oldest;
}

/* Frames that begin ahead of the reader, as far as the window goes. */
static void ask(struct arc_ahead *a, struct run *r)
{
	uint64_t size = a->frame_size;
	uint64_t next = ARC_MAX(r->asked, arc_div_up(r->at, size) * size);

	while (next < r->at + a->window && a->put - a->taken < ASKED_MAX) {
		a->asked[a->put++ % ASKED_MAX] = next;
		next += size;
		pthread_cond_signal(&a->changed);
	}
	r->asked = next;
}

void arc_ahead_note(struct arc_ahead *a, uint64_t off, size_t n, bool fresh)
{
	struct run *r;

	if (!atomic_load_explicit(&a->on, memory_order_relaxed))
		return;
	pthread_mutex_lock(&a->lock);
	r = find_run(a, off);
	r->at = ARC_MAX(r->at, off + n);
	r->noted = ++a->notes;
	if (fresh && r->at - r->begin >= BEGIN)
		ask(a, r);
	pthread_mutex_unlock(&a->lock);
}

/* ---- one frame ----------------------------------------------------------- */

static int make_room(struct slot *s)
{
	s->stored.n = 0;
	if (s->raw_cap < s->frame.raw) {
		free(s->raw);
		s->raw = malloc(s->frame.raw);
		s->raw_cap = s->raw ? s->frame.raw : 0;
	}
	if (!s->raw)
		return -ENOMEM;
	return arc_buf_reserve(&s->stored,
			       (size_t)s->record->payload + ARC_DECODE_SLACK);
}

static void set_job(struct slot *s)
{
	struct arc_segset all = { 0 };

	for (uint32_t i = 0; i < s->record->segments; i++)
		arc_segset_add(&all, i);
	arc_record_place_groups(s->record, s->raw, s->groups);
	s->job = (struct arc_job){
		.kind = ARC_JOB_DECODE,
		.decode = { .record = s->record,
			    .payload = s->stored.p,
			    .set = all,
			    .want = all,
			    .groups = s->groups },
	};
}

/* Reads a record's payload and hands it to the engine. */
static int begin_frame(struct arc_ahead *a, struct slot *s)
{
	int err = make_room(s);

	if (!err)
		err = arc_volumes_read(a->cache->vs, s->frame.volume,
				       s->frame.offset + s->record->head,
				       s->stored.p, s->record->payload);
	if (err)
		return err;
	memset(s->stored.p + s->record->payload, 0, ARC_DECODE_SLACK);
	set_job(s);
	arc_engine_submit(a->engine, &s->job);
	return 0;
}

/* The frame at an offset of the stream, if devices can do something for it:
 * what fails here fails for the reader too, who says so. */
static bool begin_slot(struct arc_ahead *a, struct slot *s, uint64_t off)
{
	void *record;

	if (arc_index_frame_at(a->cache->idx, off, &s->frame) ||
	    s->frame.raw > a->frame_size ||
	    arc_lru_pin(a->cache->heads, s->frame.number, &record))
		return false;
	s->record = record;
	if (arc_engine_devices_decode(s->record) && !begin_frame(a, s))
		return true;
	arc_lru_unpin(a->cache->heads, s->frame.number);
	return false;
}

/* Segments of one group that nobody has decoded meanwhile. */
static uint32_t publish_group(struct arc_ahead *a, const struct slot *s,
			      struct arc_cache_group *g)
{
	uint32_t count = arc_segment_count(g->n), n = 0;
	struct arc_segset ready = { 0 };

	pthread_mutex_lock(&g->lock);
	if (g->busy) {
		pthread_mutex_unlock(&g->lock);
		return 0;
	}
	g->busy = true;
	pthread_mutex_unlock(&g->lock);
	for (uint32_t i = g->first; i < g->first + count; i++) {
		size_t at = (size_t)(i - g->first) << ARC_SEGMENT_LOG;

		if (arc_segset_has(&g->ready, i) ||
		    arc_segset_has(&s->job.decode.bad, i))
			continue;
		memcpy(g->buf + at, s->groups[g->number] + at,
		       arc_record_segment_raw(s->record, i));
		arc_segset_add(&ready, i);
		n++;
	}
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < ARC_COUNT(ready.word); i++) {
		g->ready.word[i] |= ready.word[i];
		g->bad.word[i] &= ~ready.word[i];
	}
	g->ahead = n > 0;
	g->busy = false;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	arc_cache_count(&a->cache->decoded, (uint64_t)n << ARC_SEGMENT_LOG);
	arc_cache_count(&a->cache->segments[s->record->codec], n);
	return n;
}

static void publish(struct arc_ahead *a, const struct slot *s)
{
	uint32_t segments = 0;

	for (uint32_t i = 0; i < arc_record_groups(s->record); i++) {
		uint64_t key = arc_cache_key(s->frame.number, i);
		void *group;

		if (arc_lru_pin(a->cache->groups, key, &group))
			break;
		segments += publish_group(a, s, group);
		arc_lru_unpin(a->cache->groups, key);
	}
	pthread_mutex_lock(&a->lock);
	a->stats.frames++;
	a->stats.segments += segments;
	if (s->job.by_device)
		a->stats.device_frames++;
	pthread_mutex_unlock(&a->lock);
}

static void end_oldest(struct arc_ahead *a)
{
	struct slot *s = &a->slot[a->first];

	arc_engine_wait(a->engine, &s->job);
	if (!s->job.err)
		publish(a, s);
	arc_lru_unpin(a->cache->heads, s->frame.number);
	a->first = (a->first + 1) % a->slots;
	a->busy--;
}

/* ---- devices ------------------------------------------------------------- */

static void set_life(struct arc_ahead *a, enum life life)
{
	pthread_mutex_lock(&a->lock);
	a->life = life;
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

/* Looks for devices; without any there is nothing to do, ever. */
static void look_for_devices(struct arc_ahead *a)
{
	const struct arc_gpu_purpose purpose = {
		.work = { [ARC_GPU_DECODE] = true },
		.threads = a->threads,
	};

	if (a->life != NOT_LOOKED)
		return;
	if (arc_gpu_choose(&a->opt, &purpose, false, &a->diag, &a->gpu) ||
	    !a->gpu->used[ARC_GPU_DECODE].count) {
		set_life(a, NO_DEVICE);
		return;
	}
	arc_lru_grow(a->cache->groups, a->extra);
	set_life(a, AT_WORK);
}

static bool make_engine(struct arc_ahead *a)
{
	struct arc_engine_params params = {
		.work = ARC_JOB_DECODE,
		.threads = 1,
		.diag = &a->diag,
		.devices_only = true,
		.frame_max = ARC_MIN(a->frame_size, ARC_FRAME_MAX),
		.deadline_ms = a->opt.timeout_ms,
		.batch = a->opt.decode_batch ? a->opt.decode_batch
					     : ARC_MAX(a->slots / 2, 1),
	};

	look_for_devices(a);
	if (a->life != AT_WORK)
		return false;
	params.device = a->gpu->used[ARC_GPU_DECODE].device;
	params.devices = a->gpu->used[ARC_GPU_DECODE].count;
	return a->engine || !arc_engine_new(&params, &a->engine);
}

static void give_back(struct arc_ahead *a)
{
	arc_engine_free(arc_steal(a->engine));
	for (unsigned i = 0; i < a->slots; i++) {
		arc_buf_fini(&a->slot[i].stored);
		free(arc_steal(a->slot[i].raw));
		a->slot[i].raw_cap = 0;
	}
}

/* ---- the thread ---------------------------------------------------------- */

/* Waits until something is asked for; false: in vain, for IDLE_S. With the
 * lock. */
static bool wait_asked(struct arc_ahead *a)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	while (!a->stop && a->put == a->taken) {
		if (!a->engine)
			pthread_cond_wait(&a->changed, &a->lock);
		else if (pthread_cond_timedwait(&a->changed, &a->lock, &until))
			return false;
	}
	return true;
}

/* Whether a reader has yet to come to the frame at an offset. With the lock. */
static bool is_wanted(const struct arc_ahead *a, uint64_t off)
{
	for (size_t i = 0; i < RUNS; i++) {
		const struct run *r = &a->run[i];

		if (r->at && off >= r->at && off < r->at + a->window)
			return true;
	}
	return false;
}

/* The next frame asked for; false: there is none now. *ret_idle: nor was there
 * for a while. */
static bool take_asked(struct arc_ahead *a, uint64_t *ret, bool *ret_idle)
{
	bool some, idle = false;

	pthread_mutex_lock(&a->lock);
	if (!a->busy)
		idle = !wait_asked(a);
	while (a->put != a->taken &&
	       !is_wanted(a, a->asked[a->taken % ASKED_MAX]))
		a->taken++;
	some = !a->stop && a->put != a->taken;
	if (some)
		*ret = a->asked[a->taken++ % ASKED_MAX];
	*ret_idle = idle;
	pthread_mutex_unlock(&a->lock);
	return some;
}

static bool is_stopped(struct arc_ahead *a)
{
	bool stop;

	pthread_mutex_lock(&a->lock);
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop;
}

static void *ahead_main(void *arg)
{
	struct arc_ahead *a = arg;
	uint64_t off = 0;
	bool idle, some;

	if (a->opt.mode == ARC_GPU_FORCE)
		make_engine(a);
	while (!is_stopped(a) || a->busy) {
		idle = false;
		some = a->busy < a->slots && take_asked(a, &off, &idle);
		if (!some && a->busy) {
			end_oldest(a);
			if (!arc_engine_has_devices(a->engine))
				set_life(a, NO_DEVICE);
		} else if (some && make_engine(a)) {
			unsigned next = (a->first + a->busy) % a->slots;

			a->busy += begin_slot(a, &a->slot[next], off);
		} else if (some) {
			atomic_store(&a->on, false);
		} else if (idle) {
			give_back(a);
		}
	}
	give_back(a);
	arc_gpu_free(arc_steal(a->gpu));
	return NULL;
}

/* ---- the face ------------------------------------------------------------ */

static void fini(struct arc_ahead *a)
{
	arc_diag_fini(&a->diag);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int arc_ahead_new(struct arc_cache *cache, const struct arc_gpu_options *opt,
		  unsigned threads, size_t extra, struct arc_ahead **ret)
{
	const struct arc_disk_footer *f = arc_volumes_footer(cache->vs);
	struct arc_ahead *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;
	int err;

	if (!a)
		return -ENOMEM;
	a->cache = cache;
	a->opt = *opt;
	a->threads = threads;
	a->frame_size = ARC_MAX(arc_get32(f->frame_size), ARC_SEGMENT_SIZE);
	a->extra = extra;
	a->window = ARC_MAX((cache->budget + extra) / 2, a->frame_size);
	a->slots = (unsigned)ARC_MIN(ARC_MAX(a->window / a->frame_size, 1),
				     SLOTS_MAX);
	arc_diag_init(&a->diag, hear, a, ARC_INFO);
	atomic_init(&a->on, true);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
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

void arc_ahead_stats(struct arc_ahead *a, struct arc_ahead_stats *ret)
{
	static const char *const states[] = {
		[NOT_LOOKED] = "not looked for",
		[AT_WORK] = "in use",
		[NO_DEVICE] = "none",
	};

	pthread_mutex_lock(&a->lock);
	*ret = a->stats;
	ret->state = states[a->life];
	pthread_mutex_unlock(&a->lock);
}
