/* SPDX-License-Identifier: MIT */
/*
 * record - one frame as it is stored: header, table of segments, payload.
 * Encoding and decoding of whole records lies here; where a record is read
 * from or written to is somebody else's business.
 *
 * Threads: pure, except struct arc_record_encoder: one owner.
 */
#ifndef ARC_RECORD_H
#define ARC_RECORD_H

#include "codec.h"
#include "format.h"

/* How frames are encoded: the same for all of an archive. */
struct arc_record_params {
	/* Tried in this order; the first that makes the frame smaller wins. A
	 * frame that none makes smaller is RAW. No encoder: always RAW. */
	const struct arc_encoder *encoder;
	unsigned level; /* 1..9 */
	uint8_t group_log; /* 16..24 */
	uint64_t id; /* first 8 bytes of the archive id */
};

/* Encoder state, reused from frame to frame. */
struct arc_record_encoder;
int arc_record_encoder_new(const struct arc_record_params *params,
			   struct arc_record_encoder **ret);
void arc_record_encoder_free(struct arc_record_encoder *e);
ARC_DEFINE_CLEANUP(struct arc_record_encoder, arc_record_encoder_free)

/* The largest record of a frame of n raw bytes. */
size_t arc_record_bound(uint32_t n);

/* What an encoded record is, for the frame table. */
struct arc_record_info {
	uint32_t raw;
	uint32_t stored; /* bytes of the record */
	uint64_t checksum;
	uint64_t digest; /* XXH3-64 of the raw frame */
	uint8_t codec;
	uint8_t group_log;
	uint8_t entry_size;
};

/*
 * Encodes raw (1..ARC_FRAME_MAX bytes) as frame `number` into out, which has
 * arc_record_bound(raw.n) bytes. Deterministic: the result depends on the
 * parameters and the arguments alone. Fails with -ENOMEM only.
 */
int arc_record_encode(struct arc_record_encoder *e, uint64_t number,
		      struct arc_span raw, uint8_t *out,
		      struct arc_record_info *ret);

/* A record's header and table, checked. Owns its table. */
struct arc_record {
	uint64_t number;
	uint32_t raw;
	uint32_t segments;
	uint32_t payload; /* bytes */
	uint32_t head; /* bytes of header and table */
	uint64_t digest;
	uint64_t checksum;
	uint64_t id;
	uint8_t codec;
	uint8_t group_log;
	const struct arc_decoder *decoder; /* NULL: codec unknown here */
	struct arc_segment segment[]; /* `segments` of them */
};

/*
 * Parses the header alone, to learn how long header and table are (the first
 * sizeof(struct arc_disk_record) bytes): ret_head. Nothing is trusted yet.
 */
int arc_record_peek(struct arc_span header, size_t *ret_head);

/*
 * Checks checksum and every number of header and table. Payload pieces must
 * follow each other in order of the segments without overlap, and end where
 * the payload ends. The caller frees *ret with free().
 */
int arc_record_parse(struct arc_span head, struct arc_record **ret);

/* Raw bytes of segment s of a record: 64 KiB but for the last. */
uint32_t arc_record_segment_raw(const struct arc_record *r, uint32_t s);

/*
 * Decodes segment s into group + its offset in the group, from src (its
 * segment[s].size stored bytes), and compares its checksum. Earlier segments
 * of the group must have been decoded. -EBADMSG when the bytes are not what
 * the checksum says, -EOPNOTSUPP for an unknown codec.
 */
int arc_record_decode_segment(const struct arc_record *r, uint32_t s,
			      const uint8_t *src, uint8_t *group);

/*
 * Decodes a whole record (record.n bytes as stored) into out (r->raw bytes)
 * and compares the frame's digest. For verification of what was encoded, for
 * tests and salvage.
 */
int arc_record_decode_all(const struct arc_record *r, struct arc_span record,
			  uint8_t *out);

#endif
