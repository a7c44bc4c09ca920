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

static bool is_first_of_group(const struct arc_record *r, uint32_t s)
{
	return arc_offset_in_group(s, r->group_log) == 0;
}

static uint32_t first_of_group(const struct arc_record *r, uint32_t s)
{
	uint8_t log = (uint8_t)(r->group_log - ARC_SEGMENT_LOG);

	return s >> log << log;
}

/* Raw bytes that the coded bytes of segment s may stand for. */
static uint32_t coded_raw(const struct arc_record *r, uint32_t s)
{
	uint32_t group = arc_group_of(s, r->group_log);

	/* A codec we do not know may be one of whole groups. */
	if (r->decoder && !r->decoder->whole_group)
		return arc_record_segment_raw(r, s);
	return is_first_of_group(r, s) ? arc_record_group_raw(r, group)
				       : arc_record_segment_raw(r, s);
}

static int check_coded(const struct arc_record *r, uint32_t s)
{
	const struct arc_segment *seg = &r->segment[s];
	uint32_t n = coded_raw(r, s);

	if (seg->size == 0 || seg->size >= n)
		return -EBADMSG;
	if (!r->decoder)
		return 0;
	if (r->decoder->whole_group && !is_first_of_group(r, s))
		return -EBADMSG;
	if (!r->decoder->check)
		return 0;
	return r->decoder->check(seg, s, n, r->group_log);
}

/* In a group that is decoded whole the first segment is coded and all others
 * are joined; a group that is not coded has none of both. */
static int check_joined(const struct arc_record *r, uint32_t s)
{
	const struct arc_segment *seg = &r->segment[s];
	uint32_t first = first_of_group(r, s);
	bool behind_coded =
		first < s && r->segment[first].type == ARC_SEGMENT_CODED;
	bool joined = seg->type == ARC_SEGMENT_JOINED;

	if (joined && (seg->size != 0 || !behind_coded))
		return -EBADMSG;
	if (r->decoder && joined != (behind_coded && r->decoder->whole_group))
		return -EBADMSG;
	return 0;
}

/* What a segment's entry may say, by its type; those before are checked. */
static int check_segment(const struct arc_record *r, uint32_t s)
{
	const struct arc_segment *seg = &r->segment[s];
	int err = check_joined(r, s);

	if (err < 0)
		return err;
	switch (seg->type) {
	case ARC_SEGMENT_RAW:
		return seg->size == arc_record_segment_raw(r, s) ? 0 : -EBADMSG;
	case ARC_SEGMENT_CODED:
		return check_coded(r, s);
	case ARC_SEGMENT_FILL:
		return seg->size == 0 ? 0 : -EBADMSG;
	case ARC_SEGMENT_JOINED:
		return 0;
	default:
		/* A codec we do not know may have types we do not know. */
		return r->decoder ? -EBADMSG : -EOPNOTSUPP;
	}
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
		seg->check = arc_get64(d.check);
		memset(seg->ext, 0, sizeof(seg->ext));
		memcpy(seg->ext, table + sizeof(d), entry_size - sizeof(d));
		err = check_segment(r, s);
		if (err < 0)
			return err;
		if (seg->offset != end)
			return -EBADMSG;
		end += seg->size; /* two frames' worth at most */
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

bool arc_record_is_coded_whole(const struct arc_record *r, uint32_t s)
{
	return r->decoder && r->decoder->whole_group &&
	       r->segment[first_of_group(r, s)].type == ARC_SEGMENT_CODED;
}

uint32_t arc_record_groups(const struct arc_record *r)
{
	return arc_group_of(r->segments - 1, r->group_log) + 1;
}

uint32_t arc_record_group_raw(const struct arc_record *r, uint32_t g)
{
	uint32_t size = UINT32_C(1) << r->group_log;

	assert(g < arc_record_groups(r));
	return ARC_MIN(r->raw - g * size, size);
}

void arc_record_place_groups(const struct arc_record *r, uint8_t *frame,
			     uint8_t *groups[ARC_FRAME_SEGMENTS_MAX])
{
	for (uint32_t g = 0; g < arc_record_groups(r); g++)
		groups[g] = frame + ((size_t)g << r->group_log);
}

/* ---- what needs what ---------------------------------------------------- */

static void remove_segment(struct arc_segset *set, uint32_t s)
{
	set->word[s / 64] &= ~(UINT64_C(1) << (s % 64));
}

/* What coded segment s needs. Only what lies before it, whatever the codec
 * says: the closure relies on that. */
static void add_needs(const struct arc_record *r, uint32_t s,
		      struct arc_segset *set)
{
	struct arc_segset refs = { 0 };

	if (r->segment[s].type != ARC_SEGMENT_CODED || !r->decoder)
		return;
	r->decoder->needs(&r->segment[s], s, r->group_log, &refs);
	for (uint32_t w = 0; w < s / 64; w++)
		set->word[w] |= refs.word[w];
	set->word[s / 64] |= refs.word[s / 64] & ((UINT64_C(1) << s % 64) - 1);
}

/* All segments of the group of s; returns the first. */
static uint32_t add_group(const struct arc_record *r, uint32_t s,
			  struct arc_segset *set)
{
	uint32_t first = first_of_group(r, s);
	uint32_t n = UINT32_C(1) << (r->group_log - ARC_SEGMENT_LOG);

	for (uint32_t i = first; i < ARC_MIN(first + n, r->segments); i++)
		arc_segset_add(set, i);
	return first;
}

void arc_record_closure(const struct arc_record *r, uint32_t lo, uint32_t hi,
			const struct arc_segset *ready, struct arc_segset *set)
{
	assert(hi < r->segments);
	for (uint32_t s = hi + 1; s-- > lo;) {
		if (!arc_segset_has(set, s))
			continue;
		if (ready && arc_segset_has(ready, s))
			remove_segment(set, s);
		else if (arc_record_is_coded_whole(r, s))
			s = add_group(r, s, set);
		else
			add_needs(r, s, set);
	}
}

/* ---- decoding ----------------------------------------------------------- */

/*
 * A damaged group may be right up to the damage, which the checksums of its
 * segments say. What its decoder did not reach must be nothing then, and not
 * what the memory held before.
 */
static int decode_whole(const struct arc_record *r, struct arc_decode *d)
{
	uint32_t g = arc_group_of(d->s, r->group_log);
	int err;

	d->n = arc_record_group_raw(r, g);
	err = r->decoder->decode(d);
	if (err == -EBADMSG) {
		memset(d->groups[g], 0, d->n);
		err = r->decoder->decode(d);
	}
	return err == -EBADMSG ? 0 : err;
}

static int decode_coded(const struct arc_record *r, uint32_t s,
			const uint8_t *src, uint8_t *const *groups)
{
	struct arc_decode d = {
		.seg = &r->segment[s],
		.src = src,
		.s = s,
		.n = arc_record_segment_raw(r, s),
		.group_log = r->group_log,
		.groups = groups,
	};

	if (!r->decoder)
		return -EOPNOTSUPP;
	return r->decoder->whole_group ? decode_whole(r, &d)
				       : r->decoder->decode(&d);
}

static uint8_t *place_of(const struct arc_record *r, uint32_t s,
			 uint8_t *const *groups)
{
	return groups[arc_group_of(s, r->group_log)] +
	       arc_offset_in_group(s, r->group_log);
}

int arc_record_decode_unproven(const struct arc_record *r, uint32_t s,
			       const uint8_t *src, uint8_t *const *groups)
{
	const struct arc_segment *seg = &r->segment[s];
	uint8_t *out = place_of(r, s, groups);
	size_t n = arc_record_segment_raw(r, s);
	int err = 0;

	switch ((enum arc_segment_type)seg->type) {
	case ARC_SEGMENT_RAW:
		if (src != out)
			memcpy(out, src, n);
		break;
	case ARC_SEGMENT_FILL:
		memset(out, seg->fill, n);
		break;
	case ARC_SEGMENT_CODED:
		err = decode_coded(r, s, src, groups);
		break;
	case ARC_SEGMENT_JOINED:
		err = r->decoder ? 0 : -EOPNOTSUPP;
		break;
	case ARC_SEGMENT_TYPES:
		err = -EBADMSG;
		break;
	}
	return err;
}

int arc_record_prove_segment(const struct arc_record *r, uint32_t s,
			     uint8_t *const *groups)
{
	uint64_t check =
		arc_xxh64(place_of(r, s, groups), arc_record_segment_raw(r, s));

	return check == r->segment[s].check ? 0 : -EBADMSG;
}

int arc_record_decode_segment(const struct arc_record *r, uint32_t s,
			      const uint8_t *src, uint8_t *const *groups)
{
	int err = arc_record_decode_unproven(r, s, src, groups);

	return err < 0 ? err : arc_record_prove_segment(r, s, groups);
}

int arc_record_decode_all(const struct arc_record *r, struct arc_span record,
			  uint8_t *out)
{
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	const uint8_t *payload = record.p + r->head;

	if (record.n != (size_t)r->head + r->payload)
		return -EBADMSG;
	arc_record_place_groups(r, out, groups);
	for (uint32_t s = 0; s < r->segments; s++) {
		int err = arc_record_decode_segment(
			r, s, payload + r->segment[s].offset, groups);

		if (err < 0)
			return err;
	}
	return arc_xxh64(out, r->raw) == r->digest ? 0 : -EBADMSG;
}
