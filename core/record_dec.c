/* SPDX-License-Identifier: MIT */
#include "hash.h"
#include "record.h"

int arc_record_peek(struct arc_span header, size_t *ret_head)
{
	struct arc_disk_record d;
	int err;

	if (header.n < sizeof(d))
		return -EBADMSG;
	memcpy(&d, header.p, sizeof(d));
	err = arc_format_check_record(&d);
	/* An unknown flag may as well be a flipped bit: the checksum, which
	 * needs the table, has to say. */
	if (err < 0 && err != -EOPNOTSUPP)
		return err;
	*ret_head = arc_record_head_size(arc_get32(d.segments), d.entry_size);
	return 0;
}

static bool checksum_ok(const struct arc_disk_record *d, struct arc_span head)
{
	struct arc_span front = { head.p,
				  offsetof(struct arc_disk_record, checksum) };
	struct arc_span table = { head.p + sizeof(*d), head.n - sizeof(*d) };

	return arc_xxh64_2(front, table) == arc_get64(d->checksum);
}

/* What a segment's size may be, by its type. */
static int check_segment(const struct arc_record *r, uint32_t s)
{
	const struct arc_segment *seg = &r->segment[s];
	uint32_t raw = arc_record_segment_raw(r, s);
	bool ok;

	switch (seg->type) {
	case ARC_SEGMENT_RAW:
		ok = seg->size == raw;
		break;
	case ARC_SEGMENT_CODED:
		ok = seg->size > 0 && seg->size < raw &&
		     r->codec != ARC_CODEC_RAW;
		break;
	case ARC_SEGMENT_FILL:
		ok = seg->size == 0;
		break;
	default:
		/* A codec we do not know may have types we do not know. */
		return r->decoder ? -EBADMSG : -EOPNOTSUPP;
	}
	return ok ? 0 : -EBADMSG;
}

/* The table, whose checksum was right; its pieces must tile the payload. */
static int parse_table(struct arc_record *r, const uint8_t *table,
		       uint8_t entry_size)
{
	uint32_t end = 0;

	for (uint32_t s = 0; s < r->segments; s++, table += entry_size) {
		struct arc_segment *seg = &r->segment[s];
		struct arc_disk_segment d;
		int err;

		memcpy(&d, table, sizeof(d));
		seg->offset = arc_get32(d.offset);
		seg->size = arc_get32(d.size);
		seg->type = d.type;
		seg->fill = d.fill;
		seg->extra = arc_get32(d.extra);
		seg->check = arc_get64(d.check);
		err = check_segment(r, s);
		if (err < 0)
			return err;
		if (seg->offset != end)
			return -EBADMSG;
		end += seg->size; /* at most 256 times 64 KiB */
	}
	return end == r->payload ? 0 : -EBADMSG;
}

int arc_record_parse(struct arc_span head, struct arc_record **ret)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	struct arc_disk_record d;
	uint32_t segments;
	size_t n;
	int err;

	err = arc_record_peek(head, &n);
	if (err < 0)
		return err;
	if (head.n < n)
		return -EBADMSG;
	head.n = n;
	memcpy(&d, head.p, sizeof(d));
	if (!checksum_ok(&d, head))
		return -EBADMSG;
	err = arc_format_check_record(&d);
	if (err < 0)
		return err;
	segments = arc_get32(d.segments);
	r = malloc(sizeof(*r) + segments * sizeof(r->segment[0]));
	if (!r)
		return -ENOMEM;
	*r = (struct arc_record){
		.number = arc_get64(d.frame),
		.raw = arc_get32(d.raw),
		.segments = segments,
		.payload = arc_get32(d.payload),
		.head = (uint32_t)n,
		.digest = arc_get64(d.digest),
		.checksum = arc_get64(d.checksum),
		.id = arc_get64(d.id),
		.codec = d.codec,
		.group_log = d.group_log,
		.decoder = arc_decoder_find(d.codec),
	};
	if (r->decoder && d.entry_size < r->decoder->entry_size)
		return -EBADMSG;
	err = parse_table(r, head.p + sizeof(d), d.entry_size);
	if (err < 0)
		return err;
	*ret = arc_steal(r);
	return 0;
}

uint32_t arc_record_segment_raw(const struct arc_record *r, uint32_t s)
{
	assert(s < r->segments);
	return ARC_MIN(r->raw - (s << ARC_SEGMENT_LOG), ARC_SEGMENT_SIZE);
}

/* Where segment s begins in its group. */
static size_t offset_in_group(const struct arc_record *r, uint32_t s)
{
	size_t group = (size_t)1 << r->group_log;

	return ((size_t)s << ARC_SEGMENT_LOG) & (group - 1);
}

int arc_record_decode_segment(const struct arc_record *r, uint32_t s,
			      const uint8_t *src, uint8_t *group)
{
	const struct arc_segment *seg = &r->segment[s];
	size_t off = offset_in_group(r, s);
	size_t n = arc_record_segment_raw(r, s);
	int err;

	switch ((enum arc_segment_type)seg->type) {
	case ARC_SEGMENT_RAW:
		memcpy(group + off, src, n);
		break;
	case ARC_SEGMENT_FILL:
		memset(group + off, seg->fill, n);
		break;
	case ARC_SEGMENT_CODED:
		if (!r->decoder)
			return -EOPNOTSUPP;
		err = r->decoder->decode(seg, src, group, off, n);
		if (err < 0)
			return err;
		break;
	case ARC_SEGMENT_TYPES:
		return -EBADMSG;
	}
	return arc_xxh64(group + off, n) == seg->check ? 0 : -EBADMSG;
}

int arc_record_decode_all(const struct arc_record *r, struct arc_span record,
			  uint8_t *out)
{
	const uint8_t *payload = record.p + r->head;

	if (record.n != (size_t)r->head + r->payload)
		return -EBADMSG;
	for (uint32_t s = 0; s < r->segments; s++) {
		size_t at = (size_t)s << ARC_SEGMENT_LOG;
		uint8_t *group = out + (at - offset_in_group(r, s));
		int err = arc_record_decode_segment(
			r, s, payload + r->segment[s].offset, group);

		if (err < 0)
			return err;
	}
	return arc_xxh64(out, r->raw) == r->digest ? 0 : -EBADMSG;
}
