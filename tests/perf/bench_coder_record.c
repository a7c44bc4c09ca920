/* SPDX-License-Identifier: MIT */
/*
 * The project's codecs as archives use them: each piece is a frame and becomes
 * a record; a read decodes the closure of its segment, as the cache does.
 * Checksums are compared, unless the decoder is bare.
 */
#include "bench_coder.h"
#include "record.h"

static size_t bound(size_t n)
{
	return arc_record_bound((uint32_t)n);
}

static int new_encoder(const struct bench_setting *setting, void **ret)
{
	struct arc_record_params params = {
		.encoder = setting->encoder,
		.codec = setting->params,
	};
	struct arc_record_encoder *e;
	int err = arc_record_encoder_new(&params, &e);

	if (err < 0)
		return err;
	*ret = e;
	return 0;
}

static void free_encoder(void *encoder)
{
	arc_record_encoder_free(encoder);
}

static int encode(void *encoder, struct arc_span raw, uint8_t *out, size_t *ret)
{
	struct arc_record_info info;
	int err = arc_record_encode(encoder, 0, raw, out, &info);

	if (err < 0)
		return err;
	*ret = info.stored;
	return 0;
}

static int open_piece(const struct bench_piece *piece, void **ret)
{
	struct arc_record *r;
	int err = arc_record_parse((struct arc_span){ piece->coded, piece->n },
				   &r);

	if (err < 0)
		return err;
	*ret = r;
	return 0;
}

struct decoder {
	bool bare;
};

static int new_decoder(const struct bench_setting *setting, void **ret)
{
	struct decoder *d = malloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->bare = setting->bare;
	*ret = d;
	return 0;
}

static void free_decoder(void *decoder)
{
	free(decoder);
}

/* As arc_record_decode_segment(), but for the checksum. */
static int decode_bare(const struct arc_record *r, uint32_t s,
		       const uint8_t *src, uint8_t *const *groups)
{
	uint32_t g = arc_group_of(s, r->group_log);
	struct arc_decode d = {
		.seg = &r->segment[s],
		.src = src,
		.s = s,
		.n = arc_record_segment_raw(r, s),
		.group_log = r->group_log,
		.groups = groups,
	};
	uint8_t *out = groups[g] + arc_offset_in_group(s, r->group_log);

	switch ((enum arc_segment_type)d.seg->type) {
	case ARC_SEGMENT_RAW:
		memcpy(out, src, d.n);
		return 0;
	case ARC_SEGMENT_FILL:
		memset(out, d.seg->fill, d.n);
		return 0;
	case ARC_SEGMENT_CODED:
		if (arc_record_is_coded_whole(r, s))
			d.n = arc_record_group_raw(r, g);
		return r->decoder->decode(&d);
	case ARC_SEGMENT_JOINED:
		return 0;
	case ARC_SEGMENT_TYPES:
		break;
	}
	return -EBADMSG;
}

static int decode_segments(const struct decoder *d,
			   const struct bench_piece *piece,
			   const struct arc_segset *set, uint8_t *out,
			   size_t *ret)
{
	const struct arc_record *r = piece->view;
	const uint8_t *payload = piece->coded + r->head;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	size_t n = 0;

	arc_record_place_groups(r, out, groups);
	for (uint32_t s = 0; s < r->segments; s++) {
		const uint8_t *src = payload + r->segment[s].offset;
		int err;

		if (!arc_segset_has(set, s))
			continue;
		err = d->bare ? decode_bare(r, s, src, groups)
			      : arc_record_decode_segment(r, s, src, groups);
		if (err < 0)
			return err;
		n += arc_record_segment_raw(r, s);
	}
	*ret = n;
	return 0;
}

static int decode(void *decoder, const struct bench_piece *piece, uint8_t *out)
{
	struct arc_segset all;
	size_t n;

	memset(&all, 0xff, sizeof(all));
	return decode_segments(decoder, piece, &all, out, &n);
}

static int read_closure(void *decoder, const struct bench_piece *piece,
			size_t at, uint8_t *out, size_t *ret)
{
	const struct arc_record *r = piece->view;
	uint32_t s = (uint32_t)(at >> ARC_SEGMENT_LOG);
	struct arc_segset set = { 0 };

	arc_segset_add(&set, s);
	arc_record_closure(r, 0, r->segments - 1, NULL, &set);
	return decode_segments(decoder, piece, &set, out, ret);
}

const struct bench_coder bench_coder_record = {
	.bound = bound,
	.new_encoder = new_encoder,
	.free_encoder = free_encoder,
	.encode = encode,
	.open = open_piece,
	.new_decoder = new_decoder,
	.free_decoder = free_decoder,
	.decode = decode,
	.read = read_closure,
};
