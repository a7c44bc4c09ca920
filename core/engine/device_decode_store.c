/* SPDX-License-Identifier: MIT */
/*
 * What a device has decoded is compared and handed out.
 */
#include <string.h>

#include "device_decode_i.h"
#include "device_words.h"
#include "hash.h"
#include "pool.h"

static uint32_t slot_of(const struct arc_device_decoder *d,
			const struct arc_plan_segment *p)
{
	return d->base[p->frame] + p->s -
	       arc_segset_lowest(&d->jobs[p->frame].set);
}

static uint32_t *status_of(const struct arc_device_decoder *d, uint64_t slot)
{
	return (uint32_t *)d->status.p + slot;
}

/* A slot's bytes; those that need no decoding are taken from where they come
 * from. */
static const uint8_t *bytes_of(const struct arc_device_decoder *d,
			       uint64_t slot, const struct arc_decode_job *job,
			       uint32_t s)
{
	const struct arc_segment *seg = &job->record->segment[s];
	uint8_t *p = (uint8_t *)d->output.p + (slot << ARC_SEGMENT_LOG);

	if (seg->type == ARC_SEGMENT_RAW)
		return job->payload + seg->offset;
	if (seg->type == ARC_SEGMENT_FILL)
		memset(p, seg->fill, ARC_SEGMENT_SIZE);
	return p;
}

/* Hands a slot's segment out where it is wanted, or says in its status that it
 * is bad. Called by several threads. */
static int hand_out(void *ctx, uint64_t slot)
{
	const struct arc_device_decoder *d = ctx;
	uint32_t s;
	const struct arc_decode_job *job = slot_job(d, slot, &s);
	const struct arc_record *r = job->record;
	const uint8_t *from;
	size_t n;

	if (!arc_segset_has(&job->want, s) ||
	    (d->fetched[slot] && *status_of(d, slot) != DEC_DONE))
		return 0;
	from = bytes_of(d, slot, job, s);
	n = arc_record_segment_raw(r, s);
	*status_of(d, slot) = DEC_BAD_CHECKSUM;
	if (arc_xxh64(from, n) != r->segment[s].check)
		return 0;
	*status_of(d, slot) = DEC_DONE;
	memcpy(job->groups[arc_group_of(s, r->group_log)] +
		       arc_offset_in_group(s, r->group_log),
	       from, n);
	return 0;
}

/* What the device says of itself. */
static int count_refused(struct arc_device_decoder *d)
{
	for (uint32_t i = 0; i < d->plan->segments; i++) {
		uint32_t status =
			*status_of(d, slot_of(d, &d->plan->segment[i]));

		if (status == DEC_NOT_RUN)
			return -EIO;
		d->figures.refused += status != DEC_DONE;
	}
	return 0;
}

int arc_device_decoder_store(struct arc_device_decoder *d)
{
	int err = count_refused(d);

	if (err < 0)
		return err;
	arc_parallel_each(d->threads, d->slots, hand_out, d);
	for (uint32_t slot = 0; slot < d->slots; slot++) {
		uint32_t s;
		struct arc_decode_job *job = slot_job(d, slot, &s);

		if (arc_segset_has(&job->want, s) &&
		    *status_of(d, slot) != DEC_DONE)
			arc_segset_add(&job->bad, s);
	}
	return 0;
}
