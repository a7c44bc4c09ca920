/* SPDX-License-Identifier: MIT */
#include "framering.h"

#include <string.h>

#include "engine.h"
#include "mk_text.h"

struct slot {
	uint8_t *raw; /* frame_size bytes; with devices lent by the engine,
		       * frame by frame, so that they take it from there */
	uint8_t *out; /* the record */
	struct arc_job job;
	bool busy; /* the job has been submitted */
};

struct mk_framering {
	struct mk_run *run;
	struct mk_volume_sink sink; /* until vw has it: ops not NULL */
	struct mk_volwrite *vw;
	struct mk_idxwrite *idx;
	struct arc_record_params params;
	struct arc_engine *engine;
	bool devices; /* the engine has some */
	struct slot *slot;
	uint64_t slots;
	uint32_t frame_size;
	uint64_t frames; /* submitted; the open frame's number */
	uint64_t written; /* frames whose records are written */
	uint64_t start; /* of the open frame in the stream */
	size_t fill; /* bytes in the open frame */
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

void mk_framering_free(struct mk_framering *f)
{
	if (!f)
		return;
	for (uint64_t i = 0; f->slot && i < f->slots; i++) {
		if (f->slot[i].busy)
			arc_engine_wait(f->engine, &f->slot[i].job);
		give_back_raw(f, &f->slot[i]);
		free(f->slot[i].out);
	}
	free(f->slot);
	arc_engine_free(f->engine);
	mk_idxwrite_free(f->idx);
	mk_volwrite_close(f->vw);
	if (f->sink.ops)
		f->sink.ops->close(f->sink.ctx);
	free(f);
}

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
	};
	int r = arc_engine_new(&params, &f->engine);
	struct slot *more;

	f->devices = params.devices > 0;
	if (r < 0)
		return r;
	f->slots = arc_engine_depth(f->engine);
	more = calloc(f->slots, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[0] = f->slot[0];
	free(f->slot);
	f->slot = more;
	return 0;
}

/* Opens volumes, index and engine, now that the first frame is known. */
static int open_output(struct mk_framering *f, struct arc_span first)
{
	const struct mk_options *opt = f->run->opt;
	struct mk_volwrite_params params = {
		.limit = opt->volume_size,
		.frame_size = f->frame_size,
		.sync = opt->sync,
	};
	struct mk_volume_sink sink = f->sink;
	struct arc_le64 id;
	int r = derive_id(f, first, params.id);

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
		.id = arc_get64(id),
	};
	return open_engine(f);
}

/* ---- records ------------------------------------------------------------ */

static void count_record(struct mk_stats *s, const struct arc_record_info *info)
{
	mk_count(&s->frames[info->codec], 1);
	mk_count(&s->frame_raw[info->codec], info->raw);
	mk_count(&s->frame_stored[info->codec], info->stored);
}

/* Waits for the oldest frame under way and writes its record. */
static int write_oldest(struct mk_framering *f)
{
	struct slot *s = slot_of(f, f->written);
	const struct arc_record_info *info = &s->job.encode.info;
	struct arc_disk_frame row;
	uint32_t volume;
	uint64_t offset;
	int r;

	arc_engine_wait(f->engine, &s->job);
	s->busy = false;
	if (f->devices)
		give_back_raw(f, s);
	if (s->job.err < 0)
		return s->job.err;
	assert(info->codec < ARC_COUNT(f->run->stats.frames));
	r = mk_volwrite_put(f->vw, s->out, info->stored, 0, &volume, &offset);
	if (r < 0)
		return r;
	row = (struct arc_disk_frame){
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
	count_record(&f->run->stats, info);
	mk_count(&f->run->stats.device_frames, s->job.by_device);
	f->written++;
	return mk_idxwrite_row(f->idx, ARC_TABLE_FRAME, &row);
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
	s->job = (struct arc_job){
		.kind = ARC_JOB_ENCODE,
		.encode = { .in = { s->raw, f->fill },
			    .number = f->frames,
			    .out = s->out },
	};
	arc_engine_submit(f->engine, &s->job);
	s->busy = true;
	mk_count(&f->run->stats.stream, f->fill);
	f->frames++;
	f->start += f->fill;
	f->fill = 0;
	return 0;
}

/* ---- the stream --------------------------------------------------------- */

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
	int r = s->busy ? write_oldest(f) : 0;

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
	assert(n <= f->frame_size - f->fill);
	f->fill += n;
	return f->fill == f->frame_size ? submit(f) : 0;
}

uint64_t mk_framering_pos(const struct mk_framering *f)
{
	return f->start + f->fill;
}

void mk_framering_rewind(struct mk_framering *f, uint64_t pos)
{
	if (pos >= f->start && pos - f->start < f->fill)
		f->fill = (size_t)(pos - f->start);
	else if (pos < f->start)
		f->fill = 0;
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
	while (r >= 0 && f->written < f->frames)
		r = write_oldest(f);
	if (r < 0)
		return r;
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
