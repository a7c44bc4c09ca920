/* SPDX-License-Identifier: MIT */
/*
 * device_decode_i - what the files of device_decode share: where things lie.
 * Here for a run of two jobs:
 *
 *	payload	  | stored bytes of segment | of segment | ... each aligned
 *	segments  | DEC_WORDS words | ...   in the order of the plan
 *	output    | job 0: lowest..highest segment | job 1 ...
 *	status    | a word for each segment of the output
 *
 * A *slot* is the place of a segment in the output, which is the same in the
 * device's memory and in pinned memory. Of a job whose payload is pinned, what
 * it needs lies in the device's memory as it does in the payload. Segments that are raw or filled make
 * no way to the device but where others copy from them, and none back.
 *
 * Threads: one owner; its own threads each have a slot or a segment.
 */
#ifndef ARC_DEVICE_DECODE_I_H
#define ARC_DEVICE_DECODE_I_H

#include "device_decode.h"
#include "device_mirror.h"
#include "device_plan.h"

/* Bytes that the device takes from where they are. */
struct arc_upload {
	const uint8_t *from;
	size_t to; /* in the payload */
	size_t n;
};

struct arc_device_decoder {
	struct arc_ocl_queue *queue;
	struct arc_ocl_kernel *kernel;
	struct arc_mirror payload, segments, chains, output, status;
	struct arc_device_plan *plan;
	struct arc_plan_frame *frame; /* of jobs */
	uint32_t *base; /* of jobs: their first slot */
	uint32_t *owner; /* of slots: the job */
	bool *fetched; /* of slots: they come back from the device */
	uint32_t *src; /* of the plan's segments: where their stored bytes are
			* put, in units */
	bool *direct; /* of jobs: the payload is taken from where it is */
	uint32_t *at; /* of such jobs: where its part begins, in units */
	struct arc_upload *upload; /* as many as slots at most */
	uint32_t cap; /* slots */
	size_t stored_max;
	unsigned items;
	unsigned threads;
	uint32_t at_once;
	struct arc_decode_figures figures;

	/* While a run lasts. */
	struct arc_decode_job *jobs;
	unsigned n;
	uint32_t slots; /* of all jobs */
	uint32_t uploads;
};

/* Whose slot it is, and of which segment. */
static inline struct arc_decode_job *
slot_job(const struct arc_device_decoder *d, uint64_t slot, uint32_t *ret_s)
{
	uint32_t i = d->owner[slot];

	*ret_s = (uint32_t)slot - d->base[i] +
		 arc_segset_lowest(&d->jobs[i].set);
	return &d->jobs[i];
}

#endif
