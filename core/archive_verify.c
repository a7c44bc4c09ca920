/* SPDX-License-Identifier: MIT */
/*
 * archive_verify - reads everything once, frame by frame and in parallel, past
 * the cache: a record is read in whole into buffers that threads pass on to
 * each other (up to 32 MiB for each thread).
 *
 * A record with a damaged part is gone through to its end, so that each damaged
 * segment is named.
 */
#include <stdio.h>
#include <string.h>

#include "archive_i.h"
#include "engine.h"
#include "hash.h"

/* Buffers for one record. */
struct bench {
	uint8_t *stored; /* lent by the engine or, without one, of own */
	struct arc_buf own;
	struct arc_buf raw;
	struct bench *next; /* in the list of those that nobody uses */
};

struct verify {
	struct arc_archive *archive;
	const struct arc_verify_options *opt;
	uint64_t total;

	pthread_mutex_t lock; /* of all below; serialises the callbacks */
	struct bench *idle;
	uint64_t done;
	uint64_t damages;
};

static void report(struct verify *v, const struct arc_damage *d)
{
	pthread_mutex_lock(&v->lock);
	v->damages++;
	if (v->opt->damage)
		v->opt->damage(v->opt->ctx, d);
	pthread_mutex_unlock(&v->lock);
}

static void advance(struct verify *v, uint64_t bytes)
{
	pthread_mutex_lock(&v->lock);
	v->done += bytes;
	if (v->opt->progress)
		v->opt->progress(v->opt->ctx, v->done, v->total);
	pthread_mutex_unlock(&v->lock);
}

/* ---- buffers ------------------------------------------------------------ */

static struct bench *take_bench(struct verify *v)
{
	struct bench *b;

	pthread_mutex_lock(&v->lock);
	b = v->idle;
	if (b)
		v->idle = b->next;
	pthread_mutex_unlock(&v->lock);
	return b ? b : calloc(1, sizeof(*b));
}

static void give_bench(struct verify *v, struct bench *b)
{
	pthread_mutex_lock(&v->lock);
	b->next = v->idle;
	v->idle = b;
	pthread_mutex_unlock(&v->lock);
}

static void free_benches(struct bench *b)
{
	while (b) {
		struct bench *next = b->next;

		arc_buf_fini(&b->own);
		arc_buf_fini(&b->raw);
		free(b);
		b = next;
	}
}

static int make_room(struct arc_buf *b, size_t n)
{
	b->n = 0;
	return arc_buf_reserve(b, n);
}

/* Room for a record: where a device takes it from, if there is one. */
static int take_stored(struct verify *v, struct bench *b, size_t n)
{
	if (v->opt->engine)
		b->stored = arc_engine_lend(v->opt->engine, n);
	else if (!make_room(&b->own, n))
		b->stored = b->own.p;
	return b->stored ? 0 : -ENOMEM;
}

static void give_stored(struct verify *v, struct bench *b)
{
	if (v->opt->engine)
		arc_engine_give_back(v->opt->engine, b->stored);
	b->stored = NULL;
}

/* ---- frames ------------------------------------------------------------- */

static void report_frame(struct verify *v, const struct arc_frame *f,
			 const char *what, int err)
{
	report(v, &(const struct arc_damage){ .frame = f->number,
					      .volume = f->volume,
					      .offset = f->offset,
					      .stream = f->start,
					      .len = f->raw,
					      .err = err,
					      .what = what });
}

static void report_segment(struct verify *v, const struct arc_frame *f,
			   const struct arc_record *r, uint32_t s, int err)
{
	report(v, &(const struct arc_damage){
			  .frame = f->number,
			  .volume = f->volume,
			  .offset = f->offset + r->head + r->segment[s].offset,
			  .stream = f->start + ((uint64_t)s << ARC_SEGMENT_LOG),
			  .len = arc_record_segment_raw(r, s),
			  .err = err,
			  .what = "segment" });
}

/* A record read in whole or, where that failed (partial), by segments. */
struct content {
	const struct arc_frame *frame;
	const struct arc_record *record;
	uint8_t *stored;
	bool partial;
	int joined_err; /* of the segment that joined ones came with */
};

/* The stored bytes of a segment: part of what was read in whole, or read now.
 * Joined segments have none and share the luck of their first. */
static int fetch_segment(struct verify *v, struct content *c, uint32_t s)
{
	const struct arc_segment *seg = &c->record->segment[s];
	uint64_t at = (uint64_t)c->record->head + seg->offset;

	if (!c->partial)
		return 0;
	if (seg->type == ARC_SEGMENT_JOINED)
		return c->joined_err;
	c->joined_err = 0;
	if (seg->size > 0)
		c->joined_err =
			arc_volumes_read(v->archive->vs, c->frame->volume,
					 c->frame->offset + at, c->stored + at,
					 seg->size);
	return c->joined_err;
}

/* Whether no segment of an earlier group that s refers to is bad: else a mount
 * does not decode it. */
static bool is_founded(const struct arc_record *r, uint32_t s,
		       const struct arc_segset *bad)
{
	uint32_t group = arc_group_of(s, r->group_log);
	struct arc_segset set = { 0 };

	arc_segset_add(&set, s);
	arc_record_closure(r, s, s, NULL, &set);
	for (uint32_t i = 0; arc_group_of(i, r->group_log) < group; i++)
		if (arc_segset_has(&set, i) && arc_segset_has(bad, i))
			return false;
	return true;
}

/* Has a device decode all of a record: 1 when nothing is wrong. Else 0: what is
 * wrong shall be named as a mount finds it. -EIO: it failed, and no other way
 * was allowed. */
static int ask_devices(struct verify *v, const struct arc_record *r,
		       const uint8_t *stored, uint8_t *raw)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_job job = { .kind = ARC_JOB_DECODE };

	if (!v->opt->engine || !arc_engine_devices_decode(r))
		return 0;
	arc_record_place_groups(r, raw, groups);
	job.decode = (struct arc_decode_job){
		.record = r,
		.payload = stored + r->head,
		.groups = groups,
	};
	for (uint32_t s = 0; s < r->segments; s++)
		arc_segset_add(&job.decode.set, s);
	job.decode.want = job.decode.set;
	arc_engine_submit(v->opt->engine, &job);
	arc_engine_wait(v->opt->engine, &job);
	if (job.err)
		return job.err == -EIO ? -EIO : 0;
	for (size_t i = 0; i < ARC_COUNT(job.decode.bad.word); i++) {
		if (job.decode.bad.word[i])
			return 0;
	}
	return arc_xxh64(raw, r->raw) == r->digest;
}

static int check_segments(struct verify *v, const struct arc_frame *f,
			  const struct arc_record *r, struct bench *b,
			  bool partial)
{
	struct content c = {
		.frame = f, .record = r, .stored = b->stored, .partial = partial
	};
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_segset bad = { 0 };
	bool good = true;
	int err = make_room(&b->raw, r->raw);

	if (err < 0)
		return err;
	if (!partial)
		err = ask_devices(v, r, b->stored, b->raw.p);
	if (err)
		return ARC_MIN(err, 0);
	arc_record_place_groups(r, b->raw.p, groups);
	for (uint32_t s = 0; s < r->segments; s++) {
		size_t at = (size_t)r->head + r->segment[s].offset;

		err = fetch_segment(v, &c, s);
		if (err == 0 && !good && !is_founded(r, s, &bad))
			err = -EBADMSG;
		if (err == 0)
			err = arc_record_decode_unproven(r, s, c.stored + at,
							 groups);
		/* What was decoded stays, though it may be wrong, for what
		 * refers to it, as in a mount. */
		if (err < 0)
			memset(b->raw.p + ((size_t)s << ARC_SEGMENT_LOG), 0,
			       arc_record_segment_raw(r, s));
		else
			err = arc_record_prove_segment(r, s, groups);
		if (err == 0)
			continue;
		if (err == -ENOMEM)
			return err;
		good = false;
		arc_segset_add(&bad, s);
		report_segment(v, f, r, s, err);
	}
	if (good && arc_xxh64(b->raw.p, r->raw) != r->digest)
		report_frame(v, f, "frame digest", -EBADMSG);
	return 0;
}

static int check_record(struct verify *v, const struct arc_frame *f,
			struct bench *b)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	struct arc_volumes *vs = v->archive->vs;
	size_t head =
		arc_record_head_size(arc_segment_count(f->raw), f->entry_size);
	bool partial;
	int err = arc_volumes_read(vs, f->volume, f->offset, b->stored,
				   f->stored);

	partial = err < 0;
	if (err == -EBADMSG || err == -EIO)
		err = arc_volumes_read(vs, f->volume, f->offset, b->stored,
				       head);
	if (err == 0)
		err = arc_record_parse((struct arc_span){ b->stored, head },
				       &r);
	if (err == 0 && !arc_cache_is_meant(r, f))
		err = -EBADMSG;
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		report_frame(v, f, "record", err);
		return 0;
	}
	return check_segments(v, f, r, b, partial);
}

static int check_frame(void *ctx, uint64_t number)
{
	struct verify *v = ctx;
	struct arc_frame f;
	struct bench *b;
	int err = arc_index_frame(v->archive->idx, number, &f);

	if (err == -ENOMEM)
		return err;
	if (err < 0) /* reported as a row of the index */
		return 0;
	b = take_bench(v);
	if (!b)
		return -ENOMEM;
	err = take_stored(v, b, (size_t)f.stored + ARC_DECODE_SLACK);
	if (err == 0) {
		err = check_record(v, &f, b);
		give_stored(v, b);
	}
	give_bench(v, b);
	if (err == 0)
		advance(v, f.raw);
	return err;
}

/* ---- volumes and index -------------------------------------------------- */

/* Volumes of which there is a file. */
struct present {
	struct verify *verify;
	struct arc_buf numbers; /* uint32_t, ascending */
};

static uint32_t present_at(const struct present *p, uint64_t i)
{
	uint32_t number;

	memcpy(&number, p->numbers.p + i * sizeof(number), sizeof(number));
	return number;
}

/*
 * Header of a volume. One that is foreign answers the read; a damaged header is
 * only seen here, since readers do without it.
 */
static int check_volume(void *ctx, uint64_t i)
{
	const struct present *p = ctx;
	struct verify *v = p->verify;
	struct arc_disk_volume header;
	struct arc_damage d = { .frame = UINT64_MAX,
				.volume = present_at(p, i),
				.what = "volume" };

	d.err = arc_volumes_read(v->archive->vs, d.volume, 0, &header,
				 sizeof(header));
	if (d.err == 0) {
		d.err = arc_format_check_volume(&header, d.volume);
		d.what = "volume header";
	}
	if (d.err == -ENOMEM)
		return d.err;
	if (d.err < 0)
		report(v, &d);
	return 0;
}

/* The volumes that lie between two that are there. */
static void report_missing(struct verify *v, uint32_t before, uint32_t after)
{
	if (after - before > 1)
		report(v, &(const struct arc_damage){ .frame = UINT64_MAX,
						      .volume = before + 1,
						      .volumes = after -
								 before - 1,
						      .err = -ENOMEDIUM,
						      .what = "volume" });
}

static int check_volumes(struct verify *v, unsigned threads)
{
	struct arc_volumes *vs = v->archive->vs;
	struct present p = { .verify = v };
	uint32_t last = 0;
	size_t n;
	int err = arc_volumes_present(vs, &p.numbers);

	n = p.numbers.n / sizeof(last);
	if (err == 0)
		err = arc_parallel_each(threads, n, check_volume, &p);
	for (size_t i = 0; i < n && err == 0; i++) {
		report_missing(v, last, present_at(&p, i));
		last = present_at(&p, i);
	}
	if (err == 0)
		report_missing(v, last, arc_volumes_count(vs) + 1);
	arc_buf_fini(&p.numbers);
	return err;
}

/* Frames whose rows cannot be read: the part of the stream that is lost. */
static void lost_stream(struct verify *v, uint64_t first, uint64_t rows,
			struct arc_damage *d)
{
	const struct arc_disk_footer *f = arc_volumes_footer(v->archive->vs);
	uint64_t total = arc_index_summary(v->archive->idx)->stream;
	uint64_t size = arc_get32(f->frame_size), end;

	if (!arc_mul_ok(first, size, &d->stream) || d->stream > total)
		d->stream = total;
	if (!arc_mul_ok(rows, size, &end) ||
	    !arc_add_ok(d->stream, end, &end) || end > total)
		end = total;
	d->len = end - d->stream;
}

/* Rows of the frame table that a block of a level stands for. */
static uint64_t frames_below(uint8_t level)
{
	uint64_t n = arc_table_layout(ARC_TABLE_FRAME)->rows_per_block;

	for (; level > 0; level--)
		if (!arc_mul_ok(n, ARC_DESCRIPTORS_PER_BLOCK, &n))
			return UINT64_MAX;
	return n;
}

static bool is_frame_table(const char *table)
{
	return table == arc_table_layout(ARC_TABLE_FRAME)->name;
}

static void bad_block(void *ctx, const char *table, uint8_t level,
		      uint64_t number, uint32_t volume, uint64_t offset,
		      int err)
{
	struct verify *v = ctx;
	char what[64];
	struct arc_damage d = { .frame = UINT64_MAX,
				.volume = volume,
				.offset = offset,
				.err = err,
				.what = what };
	uint64_t first;

	snprintf(what, sizeof(what), "index block %s", table);
	if (is_frame_table(table) &&
	    arc_mul_ok(number, frames_below(level), &first))
		lost_stream(v, first, frames_below(level), &d);
	report(v, &d);
}

static void bad_row(void *ctx, const char *table, uint64_t row)
{
	struct verify *v = ctx;
	char what[64];
	struct arc_damage d = { .frame = UINT64_MAX,
				.err = -EBADMSG,
				.what = what };

	snprintf(what, sizeof(what), "index row %s %llu", table,
		 (unsigned long long)row);
	if (is_frame_table(table)) {
		d.frame = row;
		lost_stream(v, row, 1, &d);
	}
	report(v, &d);
}

ssize_t arc_archive_verify(struct arc_archive *a,
			   const struct arc_verify_options *opt)
{
	struct verify v = { .archive = a,
			    .opt = opt,
			    .total = arc_index_summary(a->idx)->stream };
	unsigned threads = opt->threads ? opt->threads : arc_cpu_count();
	ssize_t err;

	pthread_mutex_init(&v.lock, NULL);
	err = check_volumes(&v, threads);
	if (err == 0)
		err = arc_index_verify(a->idx, threads, bad_block, bad_row, &v);
	if (opt->engine) /* they wait for it, most of the time */
		threads = ARC_MAX(threads, arc_engine_depth(opt->engine));
	if (err >= 0)
		err = arc_index_each_frame(a->idx, threads, check_frame, &v);
	free_benches(v.idle);
	pthread_mutex_destroy(&v.lock);
	return err < 0 ? err : (ssize_t)v.damages;
}
