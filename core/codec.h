/* SPDX-License-Identifier: MIT */
/*
 * codec - the table of codecs. A codec turns the segments of one group into
 * coded bytes and back; it knows nothing of files, records or checksums.
 *
 *	group:   | segment 0 | segment 1 | ... |      64 KiB each, contiguous
 *	         ^ base                  ^ off
 *
 * A segment may refer to everything between base and its own position. One
 * folder `codec/` holds one pair of files per codec, <name>_enc.c and
 * <name>_dec.c; a decoder never depends on its encoder.
 *
 * Threads: the table is immutable; an encoder state has one owner.
 */
#ifndef ARC_CODEC_H
#define ARC_CODEC_H

#include "format.h"

/* A segment entry, parsed. */
struct arc_segment {
	uint32_t offset; /* in the payload */
	uint32_t size;
	uint8_t type; /* enum arc_segment_type */
	uint8_t fill;
	uint32_t extra;
	uint64_t check;
};

struct arc_encoder {
	const char *name; /* of -c: "lz4", "lz4hc" */
	const char *about; /* one line for --help */
	enum arc_codec_id id; /* written into records */
	uint8_t entry_size; /* of its segment entries */
	unsigned level_min; /* levels of -l mean this codec's own ... */
	unsigned level_max; /* ... settings in between */

	/* State for one frame after another; level 1..9. */
	int (*new_state)(unsigned level, void **ret);
	void (*free_state)(void *state);

	/* A new group begins at base. */
	void (*begin)(void *state, const uint8_t *base);

	/*
	 * Codes the n bytes at base + off, where everything from base on has
	 * been given before in ascending calls. Returns the coded bytes, at
	 * most cap; 0 when they do not fit (the segment is then stored raw and
	 * still may be referred to by the next).
	 */
	size_t (*encode)(void *state, const uint8_t *base, size_t off, size_t n,
			 uint8_t *out, size_t cap, struct arc_segment *seg);
};

struct arc_decoder {
	const char *name;
	enum arc_codec_id id;
	uint8_t entry_size;

	/*
	 * Decodes src (exactly seg->size bytes) into base + off, exactly n
	 * bytes; everything from base to base + off has been decoded. Writes
	 * nothing outside [base + off, base + off + n). -EBADMSG when src is
	 * no such thing; the bytes written are then undefined.
	 */
	int (*decode)(const struct arc_segment *seg, const uint8_t *src,
		      uint8_t *base, size_t off, size_t n);
};

/* By the name of -c; NULL when there is none. */
const struct arc_encoder *arc_encoder_find(const char *name);

/* The i-th encoder, NULL past the end: for --help. */
const struct arc_encoder *arc_encoder_at(unsigned i);

/* By id; NULL when this build does not know it. */
const struct arc_decoder *arc_decoder_find(uint8_t id);

/* "raw", "lz4", ...; "unknown" for ids without a name. */
const char *arc_codec_name(uint8_t id);

#endif
