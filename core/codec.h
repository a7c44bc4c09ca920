/* SPDX-License-Identifier: MIT */
/*
 * codec - the table of codecs. A codec turns the segments of a frame into
 * coded bytes and back; it knows nothing of files, records or checksums.
 *
 *	frame:   | group 0                     | group 1 ...
 *	group:   | segment 0 | segment 1 | ... |      64 KiB each, contiguous
 *	         ^ base                  ^ off
 *
 * What a segment may refer to is the codec's rule: bytes between base and its
 * own position, and perhaps single segments of earlier groups of the frame
 * (*far* references). It is always something before it, so segments that are
 * decoded in ascending order find all they need.
 *
 * One folder `codec/` holds one pair of files per codec, <name>_enc.c and
 * <name>_dec.c; a decoder never depends on its encoder.
 *
 * Threads: the tables are immutable; an encoder state has one owner.
 */
#ifndef ARC_CODEC_H
#define ARC_CODEC_H

#include "format.h"

/* Readable bytes a decoder needs behind its input; their values are of no
 * importance. */
#define ARC_DECODE_SLACK 160

/* A segment entry, parsed. */
struct arc_segment {
	uint32_t offset; /* in the payload */
	uint32_t size;
	uint8_t type; /* enum arc_segment_type */
	uint8_t fill;
	uint64_t check;
	uint8_t ext[ARC_ENTRY_SIZE_MAX - ARC_ENTRY_SIZE_MIN]; /* the codec's;
				 * zeros where the entry is shorter */
};

/* Segments of a frame by number. */
struct arc_segset {
	uint64_t word[ARC_FRAME_SEGMENTS_MAX / 64];
};

static inline bool arc_segset_has(const struct arc_segset *set, uint32_t s)
{
	return set->word[s / 64] >> (s % 64) & 1;
}

static inline void arc_segset_add(struct arc_segset *set, uint32_t s)
{
	set->word[s / 64] |= UINT64_C(1) << (s % 64);
}

/* How a codec shall encode; the same for all of an archive. */
struct arc_encoder_params {
	unsigned level; /* 1..9 */
	uint8_t group_log; /* 16..24 */
	bool group_auto; /* the codec may choose smaller groups by frame */
	unsigned far_max; /* far references per segment at most, 0..16 */
	bool parallel; /* code as the kernels do, where there are such; no far
			* references then */

	/* 0: what the level says. */
	unsigned hash_log; /* 12..24: entries of the match finder's table */
	unsigned candidates; /* 1..64: tried at one position at most */
	unsigned good_enough; /* 4..65536: a match this long ends a search */
};

/* What an encoder may choose for each frame. */
struct arc_frame_plan {
	uint8_t group_log; /* at most what the params say */
	uint8_t entry_size;
};

struct arc_encoder {
	const char *name; /* of -c: "lz4", "lz4hc" */
	const char *about; /* one line for --help */
	enum arc_codec_id id; /* written into records */
	uint8_t entry_size; /* of its segment entries */

	/* Optional: the version of the library that does the work, which has a
	 * say in what the bytes are. */
	const char *(*library)(void);

	/* State for one frame after another. */
	int (*new_state)(const struct arc_encoder_params *params, void **ret);
	void (*free_state)(void *state);

	/* Optional: looks at a frame before its groups are encoded; plan holds
	 * what the params and entry_size say. Groups of which no frame has been
	 * told are encoded as the first of a frame would be. */
	void (*plan)(void *state, struct arc_span frame,
		     struct arc_frame_plan *plan);

	/* Either these two: */

	/* A new group begins at base, n bytes long. */
	void (*begin)(void *state, const uint8_t *base, size_t n);

	/*
	 * Codes the n bytes at base + off; calls come in ascending order. What
	 * lies between them was not worth a trial, is stored raw and still may
	 * be referred to. Returns the coded bytes, at
	 * most cap; 0 when they do not fit (the segment is then stored raw and
	 * still may be referred to by the next). Sets seg->ext, which is zeros
	 * before, and nothing else of *seg.
	 */
	size_t (*encode)(void *state, const uint8_t *base, size_t off, size_t n,
			 uint8_t *out, size_t cap, struct arc_segment *seg);

	/*
	 * Or this one, where a group cannot be taken apart: codes its n bytes
	 * at base whole. Returns the coded bytes, at most cap; 0 when they do
	 * not fit (all its segments are then stored raw); -ENOMEM.
	 */
	ssize_t (*encode_group)(void *state, const uint8_t *base, size_t n,
				uint8_t *out, size_t cap);
};

/* One segment (or, for a codec of whole groups, one group) to decode. */
struct arc_decode {
	const struct arc_segment *seg;
	const uint8_t *src; /* seg->size bytes and ARC_DECODE_SLACK more */
	uint32_t s; /* number of the segment in its frame */
	uint32_t n; /* raw bytes of it (of the group) */
	uint8_t group_log;
	uint8_t *const *groups; /* where the frame's groups lie, by number; only
				 * its own and those it needs are looked at */
};

struct arc_decoder {
	const char *name;
	enum arc_codec_id id;
	uint8_t entry_size; /* entries are at least that long */
	bool whole_group; /* only whole groups are decoded */

	/* Optional: whether what stands in a coded segment's entry can be true;
	 * n: its raw bytes. -EBADMSG if not. */
	int (*check)(const struct arc_segment *seg, uint32_t s, uint32_t n,
		     uint8_t group_log);

	/* Adds the segments that coded segment s refers to, all below s, to
	 * the set (a codec of whole groups: none). */
	void (*needs)(const struct arc_segment *seg, uint32_t s,
		      uint8_t group_log, struct arc_segset *set);

	/*
	 * Decodes exactly d->n bytes; what it needs has been decoded. Writes
	 * nothing outside them. -EBADMSG when src is no such thing; the bytes
	 * written are then undefined. -ENOMEM.
	 */
	int (*decode)(const struct arc_decode *d);
};

/* Where segment s begins in the buffer of its group. */
static inline size_t arc_offset_in_group(uint32_t s, uint8_t group_log)
{
	return ((size_t)s << ARC_SEGMENT_LOG) & (((size_t)1 << group_log) - 1);
}

static inline uint32_t arc_group_of(uint32_t s, uint8_t group_log)
{
	return s >> (group_log - ARC_SEGMENT_LOG);
}

/* By the name of -c; NULL when there is none. */
const struct arc_encoder *arc_encoder_find(const char *name);

/* The i-th encoder, NULL past the end: for --help. */
const struct arc_encoder *arc_encoder_at(unsigned i);

/* By id; NULL when this build does not know it. */
const struct arc_decoder *arc_decoder_find(uint8_t id);

/* "raw", "lz4", ...; "unknown" for ids without a name. */
const char *arc_codec_name(uint8_t id);

#endif
