/* SPDX-License-Identifier: MIT */
#include "framering_i.h"

#include <string.h>

#include "mk_text.h"
#include "pool.h"

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

static void wait_for_work(struct mk_framering *f, struct mk_frame *s)
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
		wait_for_work(f, mk_frame_at(f, f->written));
	mk_resume_free(f->resume);
	for (uint64_t i = 0; f->slot && i < f->slots; i++) {
		mk_frame_give_back(f, &f->slot[i]);
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
	struct mk_frame *more;

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
	r = arc_thread_start(&f->writer, mk_frame_write_all, f);
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
	struct mk_frame *s;
	int r = 0;

	if (!f->engine)
		r = open_output(f,
				(struct arc_span){ f->slot[0].raw, f->fill });
	if (r < 0)
		return r;
	s = mk_frame_at(f, f->frames);
	s->named = take_named(f);
	s->found = f->resume &&
		   mk_resume_find(f->resume, f->frames,
				  (struct arc_span){ s->raw, f->fill }, s->out,
				  &s->kept);
	if (!s->found)
		mk_frame_encode(f, s, f->frames, f->fill);
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
static int make_slot(const struct mk_framering *f, struct mk_frame *s)
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
	struct mk_frame *s = mk_frame_at(f, f->frames);
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
		mk_frame_give_back(f, &f->slot[i]);
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
