/* SPDX-License-Identifier: MIT */
/*
 * resume - the records that an earlier run has left in its volumes, found one
 * after the other by their headers, and proven: a record is only kept when its
 * header, table and checksums are right and it decodes to the very bytes that
 * the frame has now. Whatever else lies there ends it: the records behind are
 * not looked at any more.
 *
 * What is held is one open volume and a frame for each thread, however many
 * records there are.
 *
 * Threads: mk_resume_find() has one owner; mk_resume_wait() and mk_resume_end()
 * have one as well, which may be another; threads of its own prove.
 */
#ifndef MK_RESUME_H
#define MK_RESUME_H

#include "record.h"
#include "volwrite.h"

struct mk_resume;

/* A frame whose record may be there. Stays where it is until it was waited
 * for. */
struct mk_kept {
	struct arc_span raw; /* borrowed */
	uint64_t number;
	uint8_t *record; /* as stored; ARC_DECODE_SLACK more can be read */

	/* The record: where it lies, and what it is. */
	uint32_t volume;
	uint64_t offset;
	struct arc_record_info info;

	/* The module's. */
	struct mk_resume *owner;
	int state; /* enum proof, by the owner's lock */
};

struct mk_resume_params {
	const struct mk_volwrite *vw; /* borrowed; whose volumes these are */
	uint32_t frame_size; /* of the largest frame */
	unsigned threads;
	size_t waiting; /* frames that wait to be proven before others do */
	uint64_t id; /* first 8 bytes of the archive id */
	struct arc_diag *diag;
};

int mk_resume_new(const struct mk_resume_params *params,
		  struct mk_resume **ret);

/* What was found must have been waited for. Accepts NULL. */
void mk_resume_free(struct mk_resume *r);
ARC_DEFINE_CLEANUP(struct mk_resume, mk_resume_free)

/*
 * Whether a record of frame `number`, which is `raw`, comes next: it is read
 * into `record` (as large as the largest record, and ARC_DECODE_SLACK) and
 * begins to be proven. When one does not, none will.
 */
bool mk_resume_find(struct mk_resume *r, uint64_t number, struct arc_span raw,
		    uint8_t *record, struct mk_kept *ret);

/* Returns when it is done: whether it is proven. */
bool mk_resume_wait(struct mk_kept *k);

/*
 * So many frames of so many bytes were kept, and no more are: says so, and why,
 * the first time. failed: the one that was found and could not be kept; NULL:
 * none, or at the end of the stream.
 */
void mk_resume_end(struct mk_resume *r, uint64_t frames, uint64_t bytes,
		   const struct mk_kept *failed);

#endif
