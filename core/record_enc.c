/* SPDX-License-Identifier: MIT */
#include "hash.h"
#include "noise.h"
#include "record.h"

/* Groups of RAW records: their segments depend on nothing, and a reader keeps
 * what it reads by groups. */
#define RAW_GROUP_LOG 18

struct arc_record_encoder {
	struct arc_record_params params;
	void *state; /* the codec's; NULL without a codec */
	struct arc_digest *digest; /* of the frame's segments below checked */
	uint32_t checked;
	struct arc_noise *noise; /* NULL: nothing is skipped */
	struct arc_segset skip; /* segments the codec need not try */
	struct arc_segment segment[ARC_FRAME_SEGMENTS_MAX];
};

/* A frame on its way into a record. */
struct shape {
	struct arc_span raw;
	const struct arc_encoder *encoder; /* NULL: raw */
	struct arc_frame_plan plan;
	uint8_t codec;
	uint32_t segments;
	bool detached; /* nothing is copied to the payload */
	size_t plain; /* what the payload would be without a codec */
	uint8_t *out; /* where the payload goes */
	uint32_t payload; /* bytes so far */
};

int arc_record_encoder_new(const struct arc_record_params *params,
			   struct arc_record_encoder **ret)
{
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	int err;

	assert(params->codec.level >= 1 && params->codec.level <= 9);
	assert(params->codec.group_log >= ARC_GROUP_LOG_MIN &&
	       params->codec.group_log <= ARC_GROUP_LOG_MAX);
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->params = *params;
	err = arc_digest_new(&e->digest);
	if (err == 0 && params->encoder)
		err = params->encoder->new_state(&params->codec, &e->state);
	if (err == 0 && params->encoder && !params->no_skip)
		err = arc_noise_new(&e->noise);
	if (err < 0)
		return err;
	*ret = arc_steal(e);
	return 0;
}

void arc_record_encoder_free(struct arc_record_encoder *e)
{
	if (!e)
		return;
	if (e->state)
		e->params.encoder->free_state(e->state);
	arc_digest_free(e->digest);
	arc_noise_free(e->noise);
	free(e);
}

void *arc_record_encoder_state(struct arc_record_encoder *e)
{
	return e->state;
}

/* Room for the largest table of any codec, tried before raw is chosen. */
size_t arc_record_bound(uint32_t n)
{
	return arc_record_head_size(arc_segment_count(n), ARC_ENTRY_SIZE_MAX) +
	       n;
}

static struct arc_span segment_of(struct arc_span raw, uint32_t s)
{
	size_t off = (size_t)s << ARC_SEGMENT_LOG;

	return (struct arc_span){ raw.p + off,
				  ARC_MIN(raw.n - off, ARC_SEGMENT_SIZE) };
}

/* Segments [from, end) as one. */
static struct arc_span group_of(struct arc_span raw, uint32_t from,
				uint32_t end)
{
	struct arc_span first = segment_of(raw, from);
	struct arc_span last = segment_of(raw, end - 1);

	return (struct arc_span){ first.p,
				  (size_t)(last.p - first.p) + last.n };
}

static bool is_fill(struct arc_span seg)
{
	return memcmp(seg.p, seg.p + 1, seg.n - 1) == 0;
}

/* Bytes that segments [from, end) take as they are. */
static size_t plain_size(const struct arc_record_encoder *e,
			 struct arc_span raw, uint32_t from, uint32_t end)
{
	size_t n = 0;

	for (uint32_t s = from; s < end; s++)
		if (e->segment[s].type != ARC_SEGMENT_FILL)
			n += segment_of(raw, s).n;
	return n;
}

/* Which segments are fill, whatever the codec; checksums stay. Returns the
 * bytes that the segments take as they are. */
static size_t survey(struct arc_record_encoder *e, struct arc_span raw)
{
	uint32_t segments = arc_segment_count((uint32_t)raw.n);

	for (uint32_t s = 0; s < segments; s++) {
		struct arc_span in = segment_of(raw, s);
		bool fill = is_fill(in);

		e->segment[s] = (struct arc_segment){
			.type = fill ? ARC_SEGMENT_FILL : ARC_SEGMENT_RAW,
			.fill = fill ? in.p[0] : 0,
			.check = e->segment[s].check,
		};
	}
	return plain_size(e, raw, 0, segments);
}

/*
 * Segments of a group after which nothing but fill follows need no window any
 * more: a frame of zeros never sees the codec.
 */
static uint32_t last_of_use(const struct arc_record_encoder *e, uint32_t from,
			    uint32_t end)
{
	while (end > from && e->segment[end - 1].type == ARC_SEGMENT_FILL)
		end--;
	return end;
}

/* The checksum of segment s, and the frame's as far as there: both at once, and
 * before the segment is coded, so that it is fetched from memory once. To be
 * called for each segment in order; those that were checked are passed over. */
static void check_segment(struct arc_record_encoder *e, struct arc_span raw,
			  uint32_t s)
{
	struct arc_span in = segment_of(raw, s);

	if (s < e->checked)
		return;
	e->checked = s + 1;
	e->segment[s].check = arc_xxh64(in.p, in.n);
	arc_digest_update(e->digest, in.p, in.n);
}

/* Codes or copies segment s of the group at base behind the payload so far. */
static void put_segment(struct arc_record_encoder *e, struct shape *shape,
			const struct arc_encoder *encoder, uint32_t s,
			const uint8_t *base)
{
	struct arc_segment *seg = &e->segment[s];
	struct arc_span in = segment_of(shape->raw, s);
	uint8_t *out = shape->out + shape->payload;
	struct arc_segment coded = *seg;
	size_t n = 0;

	if (encoder)
		n = encoder->encode(e->state, base, (size_t)(in.p - base), in.n,
				    out, in.n - 1, &coded);
	seg->offset = shape->payload;
	if (seg->type == ARC_SEGMENT_FILL) /* the codec has just seen it */
		return;
	if (n > 0) {
		seg->type = ARC_SEGMENT_CODED;
		memcpy(seg->ext, coded.ext, sizeof(seg->ext));
	} else {
		if (!shape->detached)
			memcpy(out, in.p, in.n);
		n = in.n;
	}
	seg->size = (uint32_t)n;
	shape->payload += (uint32_t)n;
}

/* Whether a codec that tries each segment need not try this one. What the
 * kernels code is coded in whole groups, so they would not know of it. */
static bool is_skipped(const struct arc_record_encoder *e, uint32_t s)
{
	return arc_segset_has(&e->skip, s) && !e->params.codec.parallel;
}

/* Segments [from, end), one after the other; encoder NULL: as they are. */
static void put_segments(struct arc_record_encoder *e, struct shape *shape,
			 const struct arc_encoder *encoder, uint32_t from,
			 uint32_t end)
{
	uint32_t used = last_of_use(e, from, end);
	struct arc_span group = group_of(shape->raw, from, end);

	if (encoder && used > from)
		encoder->begin(e->state, group.p, group.n);
	for (uint32_t s = from; s < end; s++) {
		check_segment(e, shape->raw, s);
		if (s < used)
			put_segment(e, shape, is_skipped(e, s) ? NULL : encoder,
				    s, group.p);
		else
			e->segment[s].offset = shape->payload;
	}
}

/* Codes segments [from, end) whole; 0: that takes no less than they do as they
 * are. */
static ssize_t put_whole(struct arc_record_encoder *e, struct shape *shape,
			 uint32_t from, uint32_t end)
{
	struct arc_span group = group_of(shape->raw, from, end);
	size_t plain = plain_size(e, shape->raw, from, end);
	ssize_t n = 0;

	if (plain > 0)
		n = shape->encoder->encode_group(e->state, group.p, group.n,
						 shape->out + shape->payload,
						 plain - 1);
	if (n <= 0)
		return n;
	for (uint32_t s = from; s < end; s++) {
		struct arc_segment *seg = &e->segment[s];

		check_segment(e, shape->raw, s);
		seg->type = s == from ? ARC_SEGMENT_CODED : ARC_SEGMENT_JOINED;
		seg->fill = 0;
		seg->size = s == from ? (uint32_t)n : 0;
		seg->offset = shape->payload;
		shape->payload += seg->size;
	}
	return n;
}

/* Whether there is something in segments [from, end) for the codec to try. */
static bool has_work(const struct arc_record_encoder *e, uint32_t from,
		     uint32_t end)
{
	for (uint32_t s = from; s < end; s++)
		if (e->segment[s].type != ARC_SEGMENT_FILL &&
		    !arc_segset_has(&e->skip, s))
			return true;
	return false;
}

static int put_payload(struct arc_record_encoder *e, struct shape *shape)
{
	uint32_t group = UINT32_C(1)
			 << (shape->plan.group_log - ARC_SEGMENT_LOG);

	for (uint32_t from = 0; from < shape->segments; from += group) {
		uint32_t end = ARC_MIN(from + group, shape->segments);
		const struct arc_encoder *encoder =
			has_work(e, from, end) ? shape->encoder : NULL;
		bool whole = encoder && encoder->encode_group;
		ssize_t n = whole ? put_whole(e, shape, from, end) : 0;

		if (n < 0)
			return (int)n;
		if (n == 0)
			put_segments(e, shape, whole ? NULL : encoder, from,
				     end);
	}
	return 0;
}

static void put_table(const struct arc_record_encoder *e,
		      const struct shape *shape, uint8_t *out)
{
	for (uint32_t s = 0; s < shape->segments; s++) {
		const struct arc_segment *seg = &e->segment[s];
		struct arc_disk_segment d = {
			.offset = arc_put32(seg->offset),
			.size = arc_put32(seg->size),
			.type = seg->type,
			.fill = seg->fill,
			.check = arc_put64(seg->check),
		};

		memcpy(out, &d, sizeof(d));
		memcpy(out + sizeof(d), seg->ext,
		       shape->plan.entry_size - sizeof(d));
		out += shape->plan.entry_size;
	}
}

/* Writes header and table; returns the record's checksum. */
static uint64_t put_head(const struct arc_record_encoder *e,
			 const struct shape *shape, uint64_t number,
			 uint64_t digest, uint8_t *out)
{
	uint8_t *table = out + sizeof(struct arc_disk_record);
	struct arc_disk_record d = {
		.frame = arc_put64(number),
		.codec = shape->codec,
		.group_log = shape->plan.group_log,
		.entry_size = shape->plan.entry_size,
		.segments = arc_put32(shape->segments),
		.raw = arc_put32((uint32_t)shape->raw.n),
		.payload = arc_put32(shape->payload),
		.digest = arc_put64(digest),
		.id = arc_put64(e->params.id),
	};
	struct arc_span front = { (const uint8_t *)&d,
				  offsetof(struct arc_disk_record, checksum) };
	struct arc_span back = { table, (size_t)shape->segments *
						shape->plan.entry_size };
	uint64_t checksum;

	memcpy(d.magic, ARC_RECORD_MAGIC, sizeof(d.magic));
	put_table(e, shape, table);
	checksum = arc_xxh64_2(front, back);
	d.checksum = arc_put64(checksum);
	memcpy(out, &d, sizeof(d));
	return checksum;
}

static size_t stored_size(const struct shape *shape)
{
	return arc_record_head_size(shape->segments, shape->plan.entry_size) +
	       shape->payload;
}

/* Lays the frame out as its shape says and learns the payload's size. record:
 * where header and table will stand before it. */
static int lay_out(struct arc_record_encoder *e, struct shape *shape,
		   uint8_t *record)
{
	shape->plain = survey(e, shape->raw);
	shape->payload = 0;
	shape->detached = e->params.detach && !shape->encoder &&
			  shape->plain == shape->raw.n;
	shape->out = record + arc_record_head_size(shape->segments,
						   shape->plan.entry_size);
	return put_payload(e, shape);
}

/* What the codec makes of the params for this frame. */
static void make_plan(struct arc_record_encoder *e, struct arc_span raw,
		      struct arc_frame_plan *plan)
{
	const struct arc_encoder *encoder = e->params.encoder;

	plan->entry_size = encoder->entry_size;
	if (encoder->plan)
		encoder->plan(e->state, raw, plan);
	assert(plan->group_log >= ARC_GROUP_LOG_MIN &&
	       plan->group_log <= e->params.codec.group_log);
	assert(plan->entry_size >= ARC_ENTRY_SIZE_MIN &&
	       plan->entry_size <= ARC_ENTRY_SIZE_MAX &&
	       plan->entry_size % 8 == 0);
}

/* Which segments the codec shall not try. Returns whether any is left for it. */
static bool choose_skips(struct arc_record_encoder *e, struct arc_span raw,
			 const struct arc_segset *named)
{
	uint32_t segments = arc_segment_count((uint32_t)raw.n);
	bool far = e->params.codec.far_max > 0;

	e->skip = (struct arc_segset){ 0 };
	if (!e->params.encoder)
		return false;
	if (!e->noise)
		return true;
	arc_noise_begin(e->noise, raw,
			far ? ARC_GROUP_LOG_MAX : e->params.codec.group_log);
	for (uint32_t s = 0; s < segments; s++) {
		bool by_name = named && arc_segset_has(named, s);

		if (!arc_noise_is(e->noise, s, by_name))
			continue;
		arc_segset_add(&e->skip, s);
		if (s == e->checked) /* while it is in the cache */
			check_segment(e, raw, s);
	}
	survey(e, raw);
	return has_work(e, 0, segments);
}

/* The frame with the codec, if there is one and it gains something. */
static int choose_shape(struct arc_record_encoder *e, struct arc_span raw,
			const struct arc_segset *named, uint8_t *record,
			struct shape *ret)
{
	const struct arc_encoder *encoder = e->params.encoder;
	const struct shape plain = {
		.raw = raw,
		.plan = { .group_log = ARC_MIN(e->params.codec.group_log,
					       RAW_GROUP_LOG),
			  .entry_size = ARC_ENTRY_SIZE_MIN },
		.codec = ARC_CODEC_RAW,
		.segments = arc_segment_count((uint32_t)raw.n),
	};
	int err;

	*ret = plain;
	arc_digest_reset(e->digest);
	e->checked = 0;
	if (!choose_skips(e, raw, named))
		return lay_out(e, ret, record);
	ret->encoder = encoder;
	ret->codec = (uint8_t)encoder->id;
	ret->plan.group_log = e->params.codec.group_log;
	make_plan(e, raw, &ret->plan);
	err = lay_out(e, ret, record);
	if (err < 0 ||
	    stored_size(ret) <
		    arc_record_head_size(plain.segments, ARC_ENTRY_SIZE_MIN) +
			    ret->plain)
		return err;
	*ret = plain;
	return lay_out(e, ret, record);
}

/* Bytes of the segments that the codec was not to try, and of those of them
 * that were named. */
static void count_skipped(const struct arc_record_encoder *e,
			  struct arc_span raw, const struct arc_segset *named,
			  struct arc_record_info *info)
{
	uint32_t segments = arc_segment_count(info->raw);

	for (uint32_t s = 0; s < segments; s++) {
		uint32_t n = (uint32_t)segment_of(raw, s).n;

		if (!arc_segset_has(&e->skip, s))
			continue;
		info->skipped += n;
		if (named && arc_segset_has(named, s))
			info->skipped_named += n;
	}
}

int arc_record_encode_named(struct arc_record_encoder *e, uint64_t number,
			    struct arc_span raw, const struct arc_segset *named,
			    uint8_t *out, struct arc_record_info *ret)
{
	struct shape shape;
	uint64_t digest;
	int err;

	assert(raw.n >= 1 && raw.n <= ARC_FRAME_MAX);
	err = choose_shape(e, raw, named, out, &shape);
	if (err < 0)
		return err;
	digest = arc_digest_value64(e->digest);
	*ret = (struct arc_record_info){
		.raw = (uint32_t)raw.n,
		.stored = (uint32_t)stored_size(&shape),
		.checksum = put_head(e, &shape, number, digest, out),
		.digest = digest,
		.codec = shape.codec,
		.group_log = shape.plan.group_log,
		.entry_size = shape.plan.entry_size,
		.detached = shape.detached,
	};
	count_skipped(e, raw, named, ret);
	return 0;
}
