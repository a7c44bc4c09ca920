/* SPDX-License-Identifier: MIT */
/*
 * Records are written by a thread of their own, so that neither reading nor
 * encoding waits for a disk while there are slots. It takes the frames in their
 * order; a slot is filled again when its record has been written.
 */
#include "framering.h"

#include <string.h>

#include "engine.h"
#include "mk_text.h"
#include "pool.h"
#include "resume.h"

struct slot {
	uint8_t *raw; /* frame_size bytes; with devices lent by the engine,
		       * frame by frame, so that they take it from there */
	uint8_t *out; /* the record */
	struct arc_segset named; /* as in struct arc_encode_job */
	struct arc_job job;
	bool found; /* an earlier run has left the record: then not the job */
	struct mk_kept kept;
};

struct mk_framering {
	struct mk_run *run;
	struct mk_volume_sink sink; /* until vw has it: ops not NULL */
	struct mk_volwrite *vw;
	struct mk_idxwrite *idx;
	struct arc_record_params params;
	struct arc_engine *engine;
	bool devices; /* the engine has some */
	struct mk_resume *resume; /* NULL: nothing is */
	struct slot *slot;
	uint64_t slots;
	uint32_t frame_size;
	uint64_t start; /* of the open frame in the stream */
	size_t fill; /* bytes in the open frame */
	bool expected; /* what comes is compressed already */
	struct arc_segset plain; /* segments with other bytes, too */

	pthread_t writer; /* has vw and idx while it runs */
	bool has_writer;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* any of what follows, which is by lock */
	uint64_t frames; /* submitted; the open frame's number (the owner of
			  * the ring changes it, and may read it without) */
	uint64_t written; /* frames whose records are written */
	int err; /* writing failed */
	bool stop; /* nothing is submitted any more */
	bool cancel; /* nor is anything to be written */
};

/* ---- making ------------------------------------------------------------- */

int mk_framering_new(struct mk_run *run, struct mk_volume_sink *sink,
		     struct mk_framering **ret)
{
	struct mk_framering *f = calloc(1, sizeof(*f));

	if (!f) {
		sink->ops->close(sink->ctx);
		return -ENOMEM;
	}
	f->run = run;
	f->sink = *sink;
	f->frame_size = run->opt->frame_size;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->slots = 1; /* until there is an engine */
	f->slot = calloc(f->slots, sizeof(*f->slot));
	if (!f->slot) {
		mk_framering_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

static struct slot *slot_of(const struct mk_framering *f, uint64_t frame)
{
	return &f->slot[frame % f->slots];
}

/* What was not lent is plain memory, and freed as well. */
static void give_back_raw(const struct mk_framering *f, struct slot *s)
{
	if (f->engine)
		arc_engine_give_back(f->engine, s->raw);
	else
		free(s->raw);
	s->raw = NULL;
}

/* Ends the writer: after all that was submitted, or at once. */
static int end_writer(struct mk_framering *f, bool cancel)
{
	if (!f->has_writer)
		return 0;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	f->cancel = cancel;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->writer, NULL);
	f->has_writer = false;
	return f->err;
}

static void wait_for_work(struct mk_framering *f, struct slot *s)
{
	if (s->found)
		mk_resume_wait(&s->kept);
	else
		arc_engine_wait(f->engine, &s->job);
}

void mk_framering_free(struct mk_framering *f)
{
	if (!f)
		return;
	end_writer(f, true);
	for (; f->written < f->frames; f->written++)
		wait_for_work(f, slot_of(f, f->written));
	mk_resume_free(f->resume);
	for (uint64_t i = 0; f->slot && i < f->slots; i++) {
		give_back_raw(f, &f->slot[i]);
		free(f->slot[i].out);
	}
	free(f->slot);
	arc_engine_free(f->engine);
	mk_idxwrite_free(f->idx);
	mk_volwrite_close(f->vw);
	if (f->sink.ops)
		f->sink.ops->close(f->sink.ctx);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- records ------------------------------------------------------------ */

static void count_record(struct mk_stats *s, const struct arc_record_info *info)
{
	mk_count(&s->skipped_named, info->skipped_named);
	mk_count(&s->skipped_noise, info->skipped - info->skipped_named);
	mk_count(&s->frames[info->codec], 1);
	mk_count(&s->frame_raw[info->codec], info->raw);
	mk_count(&s->frame_stored[info->codec], info->stored);
}

static int put_record(struct mk_framering *f, const struct slot *s,
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

static void encode(struct mk_framering *f, struct slot *s, uint64_t number,
		   size_t n)
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
		struct slot *s = slot_of(f, i);

		if (!s->found)
			continue;
		mk_resume_wait(&s->kept); /* its buffers are in use */
		encode(f, s, i, s->kept.raw.n);
	}
}

/* 1: the oldest frame's record stays as it is; 0: it does not. */
static int keep_oldest(struct mk_framering *f, struct slot *s)
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
		give_back_raw(f, s);
	r = note_record(f, &k->info, k->volume, k->offset);
	return r < 0 ? r : 1;
}

/* Waits for the oldest frame under way and writes its record: the writer's
 * work, the only one to change f->written. */
static int write_oldest(struct mk_framering *f)
{
	struct slot *s = slot_of(f, f->written);
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
		give_back_raw(f, s);
	if (r < 0)
		return r;
	mk_count(&f->run->stats.device_frames, s->job.by_device);
	return note_record(f, info, volume, offset);
}

static void *write_frames(void *arg)
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

/* ---- the output --------------------------------------------------------- */

/* The archive id: format, options, and the first frame if there is one. */
static int derive_id(const struct mk_framering *f, struct arc_span first,
		     uint8_t id[16])
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;
	arc_cleanup(arc_freep) char *text = NULL;
	struct arc_le16 version = arc_put16(ARC_FORMAT_VERSION);
	struct arc_le64 sum;
	struct arc_digest128 value;
	int r = mk_options_text(f->run->opt, &text);

	if (r >= 0)
		r = arc_digest_new(&d);
	if (r < 0)
		return r;
	arc_digest_update(d, &version, sizeof(version));
	arc_digest_update(d, text, strlen(text));
	if (first.n) {
		sum = arc_put64(arc_xxh64(first.p, first.n));
		arc_digest_update(d, &sum, sizeof(sum));
	}
	value = arc_digest_value(d);
	memcpy(id, value.b, sizeof(value.b));
	return 0;
}

/* What an earlier run left is looked for from now on. */
static int open_resume(struct mk_framering *f)
{
	const struct mk_resume_params params = {
		.vw = f->vw,
		.frame_size = f->frame_size,
		.threads = f->run->opt->threads,
		.waiting = f->slots,
		.id = f->params.id,
		.diag = f->run->diag,
	};

	return f->run->opt->resume ? mk_resume_new(&params, &f->resume) : 0;
}

/* The engine, and a slot for every frame that it wants under way. The first
 * one is in use already. */
static int open_engine(struct mk_framering *f)
{
	const struct mk_options *opt = f->run->opt;
	const struct arc_gpu_set *used =
		f->run->gpu ? &f->run->gpu->used[ARC_GPU_ENCODE] : NULL;
	const struct arc_engine_params params = {
		.work = ARC_JOB_ENCODE,
		.threads = opt->threads,
		.record = &f->params,
		.diag = f->run->diag,
		.device = used ? used->device : NULL,
		.devices = used ? used->count : 0,
		.devices_only = opt->gpu.mode == ARC_GPU_FORCE,
		.no_fallback = opt->gpu.no_fallback,
		.frame_max = f->frame_size,
		.batch = opt->gpu.encode_batch,
		.deadline_ms = opt->gpu.timeout_ms,
		.waiting = ARC_MAX(opt->read_batches, 1),
	};
	int r = arc_engine_new(&params, &f->engine);
	struct slot *more;

	f->devices = params.devices > 0;
	if (r < 0)
		return r;
	f->slots = arc_engine_depth(f->engine) +
		   ARC_MAX(opt->write_batches, 1) * arc_engine_batch(f->engine);
	more = calloc(f->slots, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[0] = f->slot[0];
	free(f->slot);
	f->slot = more;
	r = open_resume(f);
	if (r < 0)
		return r;
	r = arc_thread_start(&f->writer, write_frames, f);
	f->has_writer = r >= 0;
	return r;
}

/* Nothing is written over a complete archive, which this run may have been
 * meant to make. */
static int refuse_complete(const struct mk_framering *f, const uint8_t id[16])
{
	uint8_t old[16];

	if (!mk_volume_sink_is_complete(&f->sink, old))
		return 0;
	if (memcmp(old, id, sizeof(old)) == 0) {
		arc_say(f->run->diag, ARC_INFO,
			"%s: the archive is complete already (it was made with "
			"these options, and begins like this source); nothing "
			"was done",
			f->run->opt->out);
		f->run->was_complete = true;
		return -ECANCELED;
	}
	arc_say(f->run->diag, ARC_ERROR,
		"%s is a complete archive of another source or with other "
		"options; use --force to replace it",
		f->run->opt->out);
	return -EEXIST;
}

/* Nor are finished volumes removed that begin otherwise: this may be the wrong
 * source. What cannot be read is of no use to anybody. */
static int refuse_other(const struct mk_framering *f, const uint8_t id[16])
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	struct arc_disk_volume head;
	bool complete = false;

	if (!f->run->opt->resume || !f->sink.ops->adopt ||
	    f->sink.ops->adopt(f->sink.ctx, 1, &store, &complete) < 0 ||
	    !complete || arc_store_read(store, &head, sizeof(head), 0) < 0 ||
	    arc_format_check_volume(&head, 0) < 0 ||
	    memcmp(head.id, id, sizeof(head.id)) == 0)
		return 0;
	arc_say(f->run->diag, ARC_ERROR,
		"the finished volumes of %s begin with other data than this "
		"source: is it the right one? --force begins anew",
		f->run->opt->out);
	return -EEXIST;
}

/* Opens volumes, index and engine, now that the first frame is known. */
static int open_output(struct mk_framering *f, struct arc_span first)
{
	const struct mk_options *opt = f->run->opt;
	struct mk_volwrite_params params = {
		.limit = opt->volume_size,
		.frame_size = f->frame_size,
		.sync = opt->sync,
		.resume = opt->resume,
	};
	struct mk_volume_sink sink = f->sink;
	struct arc_le64 id;
	int r = derive_id(f, first, params.id);

	if (r >= 0)
		r = refuse_complete(f, params.id);
	if (r >= 0)
		r = refuse_other(f, params.id);
	if (r < 0)
		return r;
	f->sink.ops = NULL;
	r = mk_volwrite_open(&sink, &params, f->run->diag, &f->vw);
	if (r >= 0)
		r = mk_idxwrite_new(f->vw, &f->idx);
	if (r < 0)
		return r;
	memcpy(&id, params.id, sizeof(id));
	f->params = (struct arc_record_params){
		.encoder = mk_options_encoder(opt),
		.codec = opt->coding,
		.no_skip = !opt->skip,
		.detach = true,
		.id = arc_get64(id),
	};
	return open_engine(f);
}

/* ---- the stream --------------------------------------------------------- */

/* Until the open frame has a slot. */
static int wait_for_slot(struct mk_framering *f)
{
	int r;

	if (!f->has_writer)
		return 0;
	pthread_mutex_lock(&f->lock);
	while (!f->err && f->frames - f->written == f->slots)
		pthread_cond_wait(&f->changed, &f->lock);
	r = f->err;
	pthread_mutex_unlock(&f->lock);
	return r;
}

/* The segments of the open frame that hold nothing but what is expected to be
 * compressed; the next frame begins without any. */
static struct arc_segset take_named(struct mk_framering *f)
{
	struct arc_segset named;

	for (size_t i = 0; i < ARC_COUNT(named.word); i++)
		named.word[i] = ~f->plain.word[i];
	f->plain = (struct arc_segset){ 0 };
	return named;
}

/* Hands the open frame to the engine. */
static int submit(struct mk_framering *f)
{
	struct slot *s;
	int r = 0;

	if (!f->engine)
		r = open_output(f,
				(struct arc_span){ f->slot[0].raw, f->fill });
	if (r < 0)
		return r;
	s = slot_of(f, f->frames);
	s->named = take_named(f);
	s->found = f->resume &&
		   mk_resume_find(f->resume, f->frames,
				  (struct arc_span){ s->raw, f->fill }, s->out,
				  &s->kept);
	if (!s->found)
		encode(f, s, f->frames, f->fill);
	mk_count(&f->run->stats.stream, f->fill);
	pthread_mutex_lock(&f->lock);
	f->frames++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	f->start += f->fill;
	f->fill = 0;
	return 0;
}

/* A slot's buffers are made when it is first used: a small archive needs few. */
static int make_slot(const struct mk_framering *f, struct slot *s)
{
	if (!s->raw && f->devices)
		s->raw = arc_engine_lend(f->engine, f->frame_size);
	else if (!s->raw)
		s->raw = malloc(f->frame_size);
	if (!s->out)
		s->out = malloc(arc_record_bound(f->frame_size) +
				ARC_DECODE_SLACK);
	return s->raw && s->out ? 0 : -ENOMEM;
}

int mk_framering_room(struct mk_framering *f, uint8_t **ret, size_t *ret_n)
{
	struct slot *s = slot_of(f, f->frames);
	int r = f->fill ? 0 : wait_for_slot(f);

	if (r >= 0)
		r = make_slot(f, s);
	if (r < 0)
		return r;
	*ret = s->raw + f->fill;
	*ret_n = f->frame_size - f->fill;
	return 0;
}

int mk_framering_commit(struct mk_framering *f, size_t n)
{
	size_t end = f->fill + n;

	assert(n <= f->frame_size - f->fill);
	for (size_t at = f->fill; !f->expected && at < end;
	     at = (at | (ARC_SEGMENT_SIZE - 1)) + 1)
		arc_segset_add(&f->plain, (uint32_t)(at >> ARC_SEGMENT_LOG));
	f->fill = end;
	return f->fill == f->frame_size ? submit(f) : 0;
}

void mk_framering_expect(struct mk_framering *f, bool compressed)
{
	f->expected = compressed;
}

uint64_t mk_framering_pos(const struct mk_framering *f)
{
	return f->start + f->fill;
}

void mk_framering_rewind(struct mk_framering *f, uint64_t pos)
{
	uint32_t first;

	if (pos >= f->start && pos - f->start < f->fill)
		f->fill = (size_t)(pos - f->start);
	else if (pos < f->start)
		f->fill = 0;
	first = arc_segment_count((uint32_t)f->fill);
	for (uint32_t s = first; s < ARC_FRAME_SEGMENTS_MAX; s++)
		f->plain.word[s / 64] &= ~(UINT64_C(1) << (s % 64));
}

/* ---- the end ------------------------------------------------------------ */

static void fill_root(const struct mk_framering *f, struct arc_disk_root *root)
{
	const struct mk_stats *s = &f->run->stats;
	uint64_t stored = 0;

	for (size_t i = 0; i < ARC_COUNT(root->codec); i++) {
		root->codec[i].frames = arc_put64(mk_value(&s->frames[i]));
		root->codec[i].raw = arc_put64(mk_value(&s->frame_raw[i]));
		root->codec[i].stored =
			arc_put64(mk_value(&s->frame_stored[i]));
		stored += mk_value(&s->frame_stored[i]);
	}
	root->stored = arc_put64(stored);
	root->stream = arc_put64(f->start);
}

int mk_framering_finish(struct mk_framering *f, struct arc_disk_root *root,
			struct mk_volwrite **ret_vw,
			struct mk_idxwrite **ret_idx)
{
	int r = 0;

	if (f->fill)
		r = submit(f);
	else if (!f->engine)
		r = open_output(f, (struct arc_span){ NULL, 0 });
	if (r >= 0)
		r = end_writer(f, false);
	if (r < 0)
		return r;
	if (f->resume)
		mk_resume_end(f->resume, mk_value(&f->run->stats.kept_frames),
			      mk_value(&f->run->stats.kept_bytes), NULL);
	mk_resume_free(arc_steal(f->resume));
	for (uint64_t i = 0; i < f->slots; i++)
		give_back_raw(f, &f->slot[i]);
	/* The frames are done: the threads are free for the index. */
	arc_engine_free(arc_steal(f->engine));
	r = mk_idxwrite_threads(f->idx, f->run->opt->threads);
	if (r < 0)
		return r;
	fill_root(f, root);
	*ret_vw = arc_steal(f->vw);
	*ret_idx = arc_steal(f->idx);
	return 0;
}
