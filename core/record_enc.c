/* SPDX-License-Identifier: MIT */
#include "hash.h"
#include "record.h"

struct arc_record_encoder {
	struct arc_record_params params;
	void *state; /* the codec's; NULL without a codec */
	struct arc_segment segment[ARC_FRAME_SEGMENTS_MAX];
};

/* A frame on its way into a record. */
struct shape {
	const struct arc_encoder *encoder; /* NULL: raw */
	uint8_t entry_size;
	uint8_t codec;
	uint32_t segments;
	uint32_t payload; /* bytes so far */
};

int arc_record_encoder_new(const struct arc_record_params *params,
			   struct arc_record_encoder **ret)
{
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;

	assert(params->level >= 1 && params->level <= 9);
	assert(params->group_log >= ARC_GROUP_LOG_MIN &&
	       params->group_log <= ARC_GROUP_LOG_MAX);
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->params = *params;
	if (params->encoder) {
		int err = params->encoder->new_state(params->level, &e->state);

		if (err < 0)
			return err;
	}
	*ret = arc_steal(e);
	return 0;
}

void arc_record_encoder_free(struct arc_record_encoder *e)
{
	if (!e)
		return;
	if (e->state)
		e->params.encoder->free_state(e->state);
	free(e);
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

static bool is_fill(struct arc_span seg)
{
	return memcmp(seg.p, seg.p + 1, seg.n - 1) == 0;
}

/* What every entry needs whatever the codec: fill or not, and the checksum. */
static void survey(struct arc_record_encoder *e, struct arc_span raw)
{
	for (uint32_t s = 0; s < arc_segment_count((uint32_t)raw.n); s++) {
		struct arc_span in = segment_of(raw, s);
		bool fill = is_fill(in);

		e->segment[s] = (struct arc_segment){
			.type = fill ? ARC_SEGMENT_FILL : ARC_SEGMENT_RAW,
			.fill = fill ? in.p[0] : 0,
			.check = arc_xxh64(in.p, in.n),
		};
	}
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

/* Codes or copies segment s of the group at base behind the payload so far. */
static void put_segment(struct arc_record_encoder *e, struct shape *shape,
			uint32_t s, const uint8_t *base, struct arc_span in,
			uint8_t *payload)
{
	struct arc_segment *seg = &e->segment[s];
	uint8_t *out = payload + shape->payload;
	struct arc_segment coded = *seg;
	size_t n = 0;

	if (shape->encoder)
		n = shape->encoder->encode(e->state, base,
					   (size_t)(in.p - base), in.n, out,
					   in.n - 1, &coded);
	seg->offset = shape->payload;
	if (seg->type == ARC_SEGMENT_FILL) /* the codec has just seen it */
		return;
	if (n > 0) {
		seg->type = ARC_SEGMENT_CODED;
		seg->extra = coded.extra;
	} else {
		memcpy(out, in.p, in.n);
		n = in.n;
	}
	seg->size = (uint32_t)n;
	shape->payload += (uint32_t)n;
}

static void put_payload(struct arc_record_encoder *e, struct shape *shape,
			struct arc_span raw, uint8_t *payload)
{
	uint32_t group = UINT32_C(1) << (e->params.group_log - ARC_SEGMENT_LOG);

	for (uint32_t from = 0; from < shape->segments; from += group) {
		uint32_t end = ARC_MIN(from + group, shape->segments);
		uint32_t used = last_of_use(e, from, end);
		const uint8_t *base = segment_of(raw, from).p;

		if (shape->encoder && used > from)
			shape->encoder->begin(e->state, base);
		for (uint32_t s = from; s < used; s++)
			put_segment(e, shape, s, base, segment_of(raw, s),
				    payload);
		for (uint32_t s = used; s < end; s++)
			e->segment[s].offset = shape->payload;
	}
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
			.extra = arc_put32(seg->extra),
			.check = arc_put64(seg->check),
		};

		memset(out, 0, shape->entry_size);
		memcpy(out, &d, sizeof(d));
		out += shape->entry_size;
	}
}

/* Writes header and table; returns the record's checksum. */
static uint64_t put_head(const struct arc_record_encoder *e,
			 const struct shape *shape, uint64_t number,
			 struct arc_span raw, uint64_t digest, uint8_t *out)
{
	uint8_t *table = out + sizeof(struct arc_disk_record);
	struct arc_disk_record d = {
		.frame = arc_put64(number),
		.codec = shape->codec,
		.group_log = e->params.group_log,
		.entry_size = shape->entry_size,
		.segments = arc_put32(shape->segments),
		.raw = arc_put32((uint32_t)raw.n),
		.payload = arc_put32(shape->payload),
		.digest = arc_put64(digest),
		.id = arc_put64(e->params.id),
	};
	struct arc_span front = { (const uint8_t *)&d,
				  offsetof(struct arc_disk_record, checksum) };
	struct arc_span back = { table,
				 (size_t)shape->segments * shape->entry_size };
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
	return arc_record_head_size(shape->segments, shape->entry_size) +
	       shape->payload;
}

/* Lays the frame out as its shape says and learns the payload's size. */
static void lay_out(struct arc_record_encoder *e, struct shape *shape,
		    struct arc_span raw, uint8_t *out)
{
	survey(e, raw);
	shape->payload = 0;
	put_payload(e, shape, raw,
		    out + arc_record_head_size(shape->segments,
					       shape->entry_size));
}

/* The size of the frame's record without a codec. */
static size_t raw_size(const struct arc_record_encoder *e, struct arc_span raw,
		       uint32_t segments)
{
	size_t n = arc_record_head_size(segments, ARC_ENTRY_SIZE_MIN);

	for (uint32_t s = 0; s < segments; s++) {
		if (e->segment[s].type != ARC_SEGMENT_FILL)
			n += segment_of(raw, s).n;
	}
	return n;
}

int arc_record_encode(struct arc_record_encoder *e, uint64_t number,
		      struct arc_span raw, uint8_t *out,
		      struct arc_record_info *ret)
{
	const struct arc_encoder *encoder = e->params.encoder;
	const struct shape plain = {
		.entry_size = ARC_ENTRY_SIZE_MIN,
		.codec = ARC_CODEC_RAW,
		.segments = arc_segment_count((uint32_t)raw.n),
	};
	struct shape shape = plain;
	uint64_t digest;

	assert(raw.n >= 1 && raw.n <= ARC_FRAME_MAX);
	if (encoder) {
		shape.encoder = encoder;
		shape.codec = (uint8_t)encoder->id;
		shape.entry_size = encoder->entry_size;
	}
	lay_out(e, &shape, raw, out);
	if (encoder &&
	    stored_size(&shape) >= raw_size(e, raw, plain.segments)) {
		shape = plain;
		lay_out(e, &shape, raw, out);
	}
	digest = arc_xxh64(raw.p, raw.n);
	*ret = (struct arc_record_info){
		.raw = (uint32_t)raw.n,
		.stored = (uint32_t)stored_size(&shape),
		.checksum = put_head(e, &shape, number, raw, digest, out),
		.digest = digest,
		.codec = shape.codec,
		.group_log = e->params.group_log,
		.entry_size = shape.entry_size,
	};
	return 0;
}
