/* SPDX-License-Identifier: MIT */
/*
 * A slot holds one frame on its way. As many as there are slots are read and
 * handed to the engine before the oldest is waited for, so that reading,
 * decoding and publishing overlap.
 */
#include "cache_ahead_device.h"

#include <string.h>

#include "bytes.h"
#include "cache_i.h"
#include "engine.h"

#define SLOTS_MAX 16

struct slot {
	uint8_t *stored; /* lent by the engine */
	uint8_t *raw;
	size_t raw_cap;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_frame frame;
	struct arc_record *record; /* pinned among the heads */
	struct arc_job job;
};

struct arc_ahead_device {
	struct arc_cache *cache;
	struct arc_diag *diag;
	struct arc_gpu_options opt;
	pthread_mutex_t lock;
	/* Changed by the owner's thread with the lock. */
	struct arc_gpu *gpu;
	struct arc_engine *engine; /* NULL: devices' memory is given back */
	uint64_t frame_size;
	struct slot slot[SLOTS_MAX];
	unsigned slots;
	unsigned first, busy; /* slots under way, a ring */
};

/* ---- one frame ----------------------------------------------------------- */

static int make_room(struct slot *s)
{
	if (s->raw_cap < s->frame.raw) {
		free(s->raw);
		s->raw = malloc(s->frame.raw);
		s->raw_cap = s->raw ? s->frame.raw : 0;
	}
	return s->raw ? 0 : -ENOMEM;
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
			    .payload = s->stored,
			    .set = all,
			    .want = all,
			    .groups = s->groups },
	};
}

/* Reads a record's payload to where a device takes it from. */
static int read_payload(struct arc_ahead_device *d, struct slot *s)
{
	size_t n = s->record->payload;
	int err;

	s->stored = arc_engine_lend(d->engine, n + ARC_DECODE_SLACK);
	if (!s->stored)
		return -ENOMEM;
	err = arc_volumes_read(d->cache->vs, s->frame.volume,
			       s->frame.offset + s->record->head, s->stored, n);
	if (err)
		arc_engine_give_back(d->engine, s->stored);
	else
		memset(s->stored + n, 0, ARC_DECODE_SLACK);
	return err;
}

static int begin_frame(struct arc_ahead_device *d, struct slot *s)
{
	int err = make_room(s);

	if (!err)
		err = read_payload(d, s);
	if (err)
		return err;
	set_job(s);
	arc_engine_submit(d->engine, &s->job);
	return 0;
}

/* The frame at an offset of the stream, if devices can do something for it:
 * what fails here fails for the reader too, who says so. */
static bool begin_slot(struct arc_ahead_device *d, struct slot *s, uint64_t off)
{
	void *record;

	if (arc_index_frame_at(d->cache->idx, off, &s->frame) ||
	    s->frame.raw > d->frame_size ||
	    arc_lru_pin(d->cache->heads, s->frame.number, &record))
		return false;
	s->record = record;
	if (arc_engine_devices_decode(s->record) && !begin_frame(d, s))
		return true;
	arc_lru_unpin(d->cache->heads, s->frame.number);
	return false;
}

/* Segments of one group that nobody has decoded meanwhile. */
static uint32_t publish_group(struct arc_ahead_device *d, const struct slot *s,
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
	if (n)
		arc_cache_mark_ahead(d->cache, g);
	g->busy = false;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	arc_cache_count(&d->cache->decoded, (uint64_t)n << ARC_SEGMENT_LOG);
	arc_cache_count(&d->cache->segments[s->record->codec], n);
	return n;
}

static uint32_t publish(struct arc_ahead_device *d, const struct slot *s)
{
	uint32_t segments = 0;

	for (uint32_t i = 0; i < arc_record_groups(s->record); i++) {
		uint64_t key = arc_cache_key(s->frame.number, i);
		void *group;

		if (arc_lru_pin(d->cache->groups, key, &group))
			break;
		segments += publish_group(d, s, group);
		arc_lru_unpin(d->cache->groups, key);
	}
	return segments;
}

/* ---- the engine ---------------------------------------------------------- */

static void set_engine(struct arc_ahead_device *d, struct arc_engine *engine)
{
	pthread_mutex_lock(&d->lock);
	d->engine = engine;
	pthread_mutex_unlock(&d->lock);
}

/* Devices that have been retired are out of the next engine, too. */
static void forget_retired(struct arc_ahead_device *d)
{
	const struct arc_gpu_set *used = &d->gpu->used[ARC_GPU_DECODE];

	pthread_mutex_lock(&d->lock);
	for (unsigned i = used->count; i-- > 0;) {
		if (arc_engine_is_retired(d->engine, i))
			arc_gpu_drop(d->gpu, used->device[i]);
	}
	pthread_mutex_unlock(&d->lock);
}

/* 0 when there is one, made now or before. */
static int need_engine(struct arc_ahead_device *d)
{
	const struct arc_gpu_set *used = &d->gpu->used[ARC_GPU_DECODE];
	const struct arc_engine_params params = {
		.work = ARC_JOB_DECODE,
		.threads = 1,
		.diag = d->diag,
		.device = used->device,
		.devices = used->count,
		.devices_only = true,
		.frame_max = ARC_MIN(d->frame_size, ARC_FRAME_MAX),
		.deadline_ms = d->opt.timeout_ms,
		.batch = d->opt.decode_batch,
		.batch_max = ARC_MAX(d->slots / 2, 1),
	};
	struct arc_engine *engine = NULL;
	int err = 0;

	if (!d->engine) {
		err = arc_engine_new(&params, &engine);
		set_engine(d, engine);
	}
	return err;
}

/* ---- the face ------------------------------------------------------------ */

int arc_ahead_device_new(struct arc_cache *cache,
			 const struct arc_gpu_options *opt,
			 struct arc_diag *diag, unsigned threads,
			 uint64_t window, struct arc_ahead_device **ret)
{
	const struct arc_disk_footer *f = arc_volumes_footer(cache->vs);
	const struct arc_gpu_purpose purpose = {
		.work = { [ARC_GPU_DECODE] = true },
		.threads = threads,
	};
	arc_cleanup(arc_ahead_device_freep) struct arc_ahead_device *d =
		calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	d->cache = cache;
	d->diag = diag;
	d->opt = *opt;
	d->frame_size = ARC_MAX(arc_get32(f->frame_size), ARC_SEGMENT_SIZE);
	d->slots = (unsigned)ARC_MIN(ARC_MAX(window / d->frame_size, 1),
				     SLOTS_MAX);
	err = arc_gpu_choose(opt, &purpose, false, diag, &d->gpu);
	if (!err && !d->gpu->used[ARC_GPU_DECODE].count)
		err = -ENODEV;
	if (err)
		return err;
	*ret = arc_steal(d);
	return 0;
}

void arc_ahead_device_free(struct arc_ahead_device *d)
{
	struct arc_ahead_done done = { 0 };

	if (!d)
		return;
	while (d->busy)
		arc_ahead_device_end(d, &done);
	arc_ahead_device_rest(d);
	arc_gpu_free(d->gpu);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

bool arc_ahead_device_is_full(const struct arc_ahead_device *d)
{
	return d->busy == d->slots;
}

bool arc_ahead_device_is_busy(const struct arc_ahead_device *d)
{
	return d->busy;
}

/* The engine's lock is taken within ours; it holds none when it says
 * something. */
bool arc_ahead_device_is_lost(struct arc_ahead_device *d)
{
	bool lost;

	pthread_mutex_lock(&d->lock);
	lost = d->gpu->used[ARC_GPU_DECODE].count == 0 ||
	       (d->engine && !arc_engine_has_devices(d->engine));
	pthread_mutex_unlock(&d->lock);
	return lost;
}

void arc_ahead_device_begin(struct arc_ahead_device *d, uint64_t off)
{
	struct slot *s = &d->slot[(d->first + d->busy) % d->slots];

	if (need_engine(d) == 0)
		d->busy += begin_slot(d, s, off);
}

void arc_ahead_device_end(struct arc_ahead_device *d,
			  struct arc_ahead_done *done)
{
	struct slot *s = &d->slot[d->first];

	arc_engine_wait(d->engine, &s->job);
	if (!s->job.err) {
		done->frames++;
		done->segments += publish(d, s);
	}
	if (!s->job.err && s->job.by_device) {
		done->device_frames++;
		done->device_batches += s->job.begins_batch;
	}
	arc_engine_give_back(d->engine, s->stored);
	arc_lru_unpin(d->cache->heads, s->frame.number);
	d->first = (d->first + 1) % d->slots;
	d->busy--;
}

void arc_ahead_device_rest(struct arc_ahead_device *d)
{
	struct arc_engine *engine = d->engine;

	if (engine)
		forget_retired(d);
	set_engine(d, NULL);
	arc_engine_free(engine);
	for (unsigned i = 0; i < d->slots; i++) {
		free(arc_steal(d->slot[i].raw));
		d->slot[i].raw_cap = 0;
	}
}

bool arc_ahead_device_rests(const struct arc_ahead_device *d)
{
	return !d->engine;
}
