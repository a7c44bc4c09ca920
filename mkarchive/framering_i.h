/* SPDX-License-Identifier: MIT */
/*
 * framering_i - what the files of framering share: framering.c fills frames,
 * framering_write.c writes their records.
 */
#ifndef MK_FRAMERING_I_H
#define MK_FRAMERING_I_H

#include "engine.h"
#include "framering.h"
#include "resume.h"

struct mk_frame {
	uint8_t *raw; /* frame_size bytes; with devices lent by the engine,
		       * frame by frame, so that they take it from there */
	uint8_t *out; /* the record */
	struct arc_segset named; /* as in struct arc_encode_job */
	struct arc_job job;
	bool found; /* an earlier run has left the record: then not the job */
	struct mk_kept kept;
};

struct mk_framering {
	struct mk_run *run;
	struct mk_volume_sink sink; /* until vw has it: ops not NULL */
	struct mk_volwrite *vw;
	struct mk_idxwrite *idx;
	struct arc_record_params params;
	struct arc_engine *engine;
	bool devices; /* the engine has some */
	struct mk_resume *resume; /* NULL: nothing is */
	struct mk_frame *slot;
	uint64_t slots;
	uint32_t frame_size;
	uint64_t start; /* of the open frame in the stream */
	size_t fill; /* bytes in the open frame */
	bool expected; /* what comes is compressed already */
	struct arc_segset plain; /* segments with other bytes, too */

	pthread_t writer; /* has vw and idx while it runs */
	bool has_writer;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* any of what follows, which is by lock */
	uint64_t frames; /* submitted; the open frame's number (the owner of
			  * the ring changes it, and may read it without) */
	uint64_t written; /* frames whose records are written */
	int err; /* writing failed */
	bool stop; /* nothing is submitted any more */
	bool cancel; /* nor is anything to be written */
};

static inline struct mk_frame *mk_frame_at(const struct mk_framering *f,
					   uint64_t frame)
{
	return &f->slot[frame % f->slots];
}

/* What was not lent is plain memory, and freed as well. */
static inline void mk_frame_give_back(const struct mk_framering *f,
				      struct mk_frame *s)
{
	if (f->engine)
		arc_engine_give_back(f->engine, s->raw);
	else
		free(s->raw);
	s->raw = NULL;
}

/* Has n bytes of the slot encoded as a frame. */
void mk_frame_encode(struct mk_framering *f, struct mk_frame *s,
		     uint64_t number, size_t n);

/* The writer's thread: writes the records of what is submitted. */
void *mk_frame_write_all(void *framering);

#endif
