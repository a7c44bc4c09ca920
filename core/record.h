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
	struct arc_encoder_params codec; /* group_log holds without one too */
	bool no_skip; /* try every segment, noise (noise.h) or not */
	bool detach; /* the payload of a RAW frame that is the frame itself is
		      * not copied, see struct arc_record_info */
	uint64_t id; /* first 8 bytes of the archive id */
};

/* Encoder state, reused from frame to frame. */
struct arc_record_encoder;
int arc_record_encoder_new(const struct arc_record_params *params,
			   struct arc_record_encoder **ret);
void arc_record_encoder_free(struct arc_record_encoder *e);
ARC_DEFINE_CLEANUP(struct arc_record_encoder, arc_record_encoder_free)

/* The codec's state; NULL without a codec. */
void *arc_record_encoder_state(struct arc_record_encoder *e);

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
	bool detached; /* of the record there is the head alone: the payload is
			* the raw frame */
	uint32_t skipped; /* raw bytes that were not tried */
	uint32_t skipped_named; /* of those: of segments that were named */
};

/*
 * Encodes raw (1..ARC_FRAME_MAX bytes) as frame `number` into out, which has
 * arc_record_bound(raw.n) bytes. Deterministic: the result depends on the
 * parameters and the arguments alone. Fails with -ENOMEM only, where the codec
 * does. named: the segments that lie in files whose names say that they are
 * compressed already; NULL: none.
 */
int arc_record_encode_named(struct arc_record_encoder *e, uint64_t number,
			    struct arc_span raw, const struct arc_segset *named,
			    uint8_t *out, struct arc_record_info *ret);

static inline int arc_record_encode(struct arc_record_encoder *e,
				    uint64_t number, struct arc_span raw,
				    uint8_t *out, struct arc_record_info *ret)
{
	return arc_record_encode_named(e, number, raw, NULL, out, ret);
}

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

/* Groups of a record, and raw bytes of group g: full but for the last. */
uint32_t arc_record_groups(const struct arc_record *r);
uint32_t arc_record_group_raw(const struct arc_record *r, uint32_t g);

/* Where the groups lie in a buffer of the whole frame. */
void arc_record_place_groups(const struct arc_record *r, uint8_t *frame,
			     uint8_t *groups[ARC_FRAME_SEGMENTS_MAX]);

/* Whether segment s is one of a group whose first segment, when it is decoded,
 * gives the bytes of all. */
bool arc_record_is_coded_whole(const struct arc_record *r, uint32_t s);

/*
 * What must be decoded. Looks at the segments of [lo, hi] that are in the set,
 * from the last to the first: those that are ready leave the set, and what the
 * others need joins it. All of that lies before them (so with lo 0 the set is
 * complete in the end), but for groups that are coded whole, which join with
 * all their segments, ready or not. ready may be NULL.
 */
void arc_record_closure(const struct arc_record *r, uint32_t lo, uint32_t hi,
			const struct arc_segset *ready, struct arc_segset *set);

/*
 * Decodes segment s into its place in its group, groups[i] being where group i
 * lies, from src (its segment[s].size stored bytes and ARC_DECODE_SLACK more
 * that can be read), and compares its checksum. A raw one may be in its place
 * already: src is that, without slack. What it needs must have been
 * decoded; the buffers of other groups need not exist. The first segment of a
 * group that is coded whole fills all of the group, a joined one is only
 * compared: after the first each of them has a result of its own, and with a
 * damaged group some may be right.
 *
 * -EBADMSG when the bytes are not what the checksum says, -EOPNOTSUPP for an
 * unknown codec, -ENOMEM.
 */
int arc_record_decode_segment(const struct arc_record *r, uint32_t s,
			      const uint8_t *src, uint8_t *const *groups);

/* The two halves of that: who wants no more of a segment than what others copy
 * from it may leave the second to their checksums. */
int arc_record_decode_unproven(const struct arc_record *r, uint32_t s,
			       const uint8_t *src, uint8_t *const *groups);
int arc_record_prove_segment(const struct arc_record *r, uint32_t s,
			     uint8_t *const *groups);

/*
 * Decodes a whole record (record.n bytes as stored, and ARC_DECODE_SLACK more
 * that can be read) into out (r->raw bytes) and compares the frame's digest.
 * For verification of what was encoded, for tests and salvage.
 */
int arc_record_decode_all(const struct arc_record *r, struct arc_span record,
			  uint8_t *out);

#endif
