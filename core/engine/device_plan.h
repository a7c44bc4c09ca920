/* SPDX-License-Identifier: MIT */
/*
 * device_plan - in which order a device decodes the segments of some frames.
 *
 * A *chain* is a list of segments of one frame that one work-group decodes one
 * after the other. Chains have levels: one of level 0 needs nothing but its own
 * segments, one of level k + 1 only chains of lower levels besides. All chains
 * of a level are one launch, so nobody ever waits within one.
 *
 * A chain is all that is wanted of a group (which mostly refers to nothing
 * outside, so that there is one launch), or a single segment, where groups are
 * too few and too long to keep a device busy: whichever promises to be ready
 * sooner.
 *
 * Threads: one owner.
 */
#ifndef ARC_DEVICE_PLAN_H
#define ARC_DEVICE_PLAN_H

#include "record.h"

/* What is to be decoded of a frame. */
struct arc_plan_frame {
	const struct arc_record *record;
	struct arc_segset set; /* with all that its segments need */
};

struct arc_plan_segment {
	uint32_t frame;
	uint32_t s; /* in it */
};

struct arc_plan_chain {
	uint32_t first; /* of the plan's segments */
	uint32_t n;
};

struct arc_device_plan {
	uint32_t cap; /* segments at most */
	uint32_t segments;
	uint32_t chains;
	uint32_t levels;
	struct arc_plan_segment *segment; /* chain by chain */
	struct arc_plan_chain *chain; /* level by level */
	uint32_t level[ARC_FRAME_SEGMENTS_MAX + 1]; /* where each begins; one
						     * more is the end */
	uint16_t *level_of[2]; /* while it is being made */
};

/* Memory for up to cap segments, so that making plans cannot fail for want of
 * it. */
int arc_device_plan_new(uint32_t cap, struct arc_device_plan **ret);
void arc_device_plan_free(struct arc_device_plan *plan); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_device_plan, arc_device_plan_free)

/*
 * Plans for n frames, of not more than cap segments together. at_once: how many
 * work-groups the device runs side by side, more or less. -EINVAL when there are
 * more segments, or a set lacks what one of its segments needs.
 */
int arc_device_plan_make(struct arc_device_plan *plan,
			 const struct arc_plan_frame *frames, uint32_t n,
			 uint32_t at_once);

/* Segments of a set; its lowest and its highest (it is not empty). */
uint32_t arc_segset_count(const struct arc_segset *set);
uint32_t arc_segset_lowest(const struct arc_segset *set);
uint32_t arc_segset_highest(const struct arc_segset *set);

#endif
