/* SPDX-License-Identifier: MIT */
/*
 * Records are written by a thread of their own, so that neither reading nor
 * encoding waits for a disk while there are slots. It takes the frames in their
 * order; a slot is filled again when its record has been written.
 */
#include "framering_i.h"

#include <string.h>

void mk_frame_encode(struct mk_framering *f, struct mk_frame *s,
		     uint64_t number, size_t n)
{
	s->found = false;
	s->job = (struct arc_job){
		.kind = ARC_JOB_ENCODE,
		.encode = { .in = { s->raw, n },
			    .number = number,
			    .named = s->named,
			    .out = s->out },
	};
	arc_engine_submit(f->engine, &s->job);
}

static void count_record(struct mk_stats *s, const struct arc_record_info *info)
{
	mk_count(&s->skipped_named, info->skipped_named);
	mk_count(&s->skipped_noise, info->skipped - info->skipped_named);
	mk_count(&s->frames[info->codec], 1);
	mk_count(&s->frame_raw[info->codec], info->raw);
	mk_count(&s->frame_stored[info->codec], info->stored);
}

static int put_record(struct mk_framering *f, const struct mk_frame *s,
		      uint32_t *ret_volume, uint64_t *ret_offset)
{
	const struct arc_record_info *info = &s->job.encode.info;
	struct arc_span body = { NULL, 0 };

	if (info->detached)
		body = s->job.encode.in;
	return mk_volwrite_put_two(
		f->vw, (struct arc_span){ s->out, info->stored - body.n }, body,
		ret_volume, ret_offset);
}

/* The oldest frame's record lies there. */
static int note_record(struct mk_framering *f,
		       const struct arc_record_info *info, uint32_t volume,
		       uint64_t offset)
{
	const struct arc_disk_frame row = {
		.start = arc_put64(f->written * f->frame_size),
		.offset = arc_put64(offset),
		.checksum = arc_put64(info->checksum),
		.volume = arc_put32(volume),
		.raw = arc_put32(info->raw),
		.stored = arc_put32(info->stored),
		.codec = info->codec,
		.group_log = info->group_log,
		.entry_size = info->entry_size,
	};

	assert(info->codec < ARC_COUNT(f->run->stats.frames));
	count_record(&f->run->stats, info);
	return mk_idxwrite_row(f->idx, ARC_TABLE_FRAME, &row);
}

/* The oldest frame cannot be kept (failed), or was not found (NULL): those
 * behind it that were found are encoded as well, all at once. */
static void stop_keeping(struct mk_framering *f, const struct mk_kept *failed)
{
	const struct mk_stats *stats = &f->run->stats;
	uint64_t end;

	mk_resume_end(f->resume, mk_value(&stats->kept_frames),
		      mk_value(&stats->kept_bytes), failed);
	pthread_mutex_lock(&f->lock);
	end = f->frames;
	pthread_mutex_unlock(&f->lock);
	for (uint64_t i = f->written; i < end; i++) {
		struct mk_frame *s = mk_frame_at(f, i);

		if (!s->found)
			continue;
		mk_resume_wait(&s->kept); /* its buffers are in use */
		mk_frame_encode(f, s, i, s->kept.raw.n);
	}
}

/* 1: the oldest frame's record stays as it is; 0: it does not. */
static int keep_oldest(struct mk_framering *f, struct mk_frame *s)
{
	const struct mk_kept *k = &s->kept;
	int r = 0;

	if (s->found && mk_resume_wait(&s->kept))
		r = mk_volwrite_keep(f->vw, k->volume, k->offset,
				     k->info.stored);
	if (r < 0)
		return r;
	if (r == 0) {
		stop_keeping(f, s->found ? k : NULL);
		return 0;
	}
	mk_count(&f->run->stats.kept_frames, 1);
	mk_count(&f->run->stats.kept_bytes, k->info.raw);
	if (f->devices)
		mk_frame_give_back(f, s);
	r = note_record(f, &k->info, k->volume, k->offset);
	return r < 0 ? r : 1;
}

/* Waits for the oldest frame under way and writes its record: the writer's
 * work, the only one to change f->written. */
static int write_oldest(struct mk_framering *f)
{
	struct mk_frame *s = mk_frame_at(f, f->written);
	const struct arc_record_info *info = &s->job.encode.info;
	uint32_t volume;
	uint64_t offset;
	int r = f->resume ? keep_oldest(f, s) : 0;

	if (r != 0)
		return r;
	arc_engine_wait(f->engine, &s->job);
	if (s->job.err < 0)
		return s->job.err;
	r = put_record(f, s, &volume, &offset);
	if (f->devices)
		mk_frame_give_back(f, s);
	if (r < 0)
		return r;
	mk_count(&f->run->stats.device_frames, s->job.by_device);
	return note_record(f, info, volume, offset);
}

void *mk_frame_write_all(void *arg)
{
	struct mk_framering *f = arg;
	int r = 0;

	pthread_mutex_lock(&f->lock);
	while (r >= 0 && !f->cancel) {
		if (f->written == f->frames && f->stop)
			break;
		if (f->written == f->frames) {
			pthread_cond_wait(&f->changed, &f->lock);
			continue;
		}
		pthread_mutex_unlock(&f->lock);
		r = write_oldest(f);
		pthread_mutex_lock(&f->lock);
		f->written++;
		f->err = ARC_MIN(r, 0);
		pthread_cond_broadcast(&f->changed);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}
