/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "device_plan.h"

/* Time is counted in parts of what a work-group needs for a segment, about a
 * quarter of a millisecond; a launch takes some microseconds. */
#define SEGMENT_TIME 64
#define LAUNCH_TIME 2

#define LEVELS_MAX ARC_FRAME_SEGMENTS_MAX

/* Into what a frame is cut. */
enum cut { CUT_GROUPS, CUT_SEGMENTS, CUTS };

/* Of a frame's segments, by number. */
struct levels {
	uint16_t of[CUTS][ARC_FRAME_SEGMENTS_MAX];
};

/* What a cut comes to, by level. */
struct tally {
	uint32_t segments[LEVELS_MAX];
	uint32_t chains[LEVELS_MAX];
	uint32_t longest[LEVELS_MAX]; /* chain */
};

/* ---- sets ---------------------------------------------------------------- */

uint32_t arc_segset_count(const struct arc_segset *set)
{
	uint32_t n = 0;

	for (size_t i = 0; i < ARC_COUNT(set->word); i++)
		n += (uint32_t)__builtin_popcountll(set->word[i]);
	return n;
}

uint32_t arc_segset_lowest(const struct arc_segset *set)
{
	uint32_t i = 0;

	while (set->word[i] == 0)
		i++;
	return i * 64 + (uint32_t)__builtin_ctzll(set->word[i]);
}

uint32_t arc_segset_highest(const struct arc_segset *set)
{
	uint32_t i = ARC_COUNT(set->word) - 1;

	while (set->word[i] == 0)
		i--;
	return i * 64 + 63 - (uint32_t)__builtin_clzll(set->word[i]);
}

/* Takes the lowest segment of a set out of it; false when it is empty. */
static bool take_lowest(struct arc_segset *set, uint32_t *ret)
{
	for (uint32_t i = 0; i < ARC_COUNT(set->word); i++) {
		if (set->word[i] == 0)
			continue;
		*ret = i * 64 + (uint32_t)__builtin_ctzll(set->word[i]);
		set->word[i] &= set->word[i] - 1;
		return true;
	}
	return false;
}

/* What segment s needs, all of it before s. -EINVAL when the set lacks some. */
static int find_needs(const struct arc_plan_frame *f, uint32_t s,
		      struct arc_segset *ret)
{
	struct arc_segset needs = { 0 };

	arc_segset_add(&needs, s);
	arc_record_closure(f->record, s, s, NULL, &needs);
	needs.word[s / 64] &= ~(UINT64_C(1) << s % 64);
	for (size_t i = 0; i < ARC_COUNT(needs.word); i++) {
		if (needs.word[i] & ~f->set.word[i])
			return -EINVAL;
	}
	*ret = needs;
	return 0;
}

/* ---- levels -------------------------------------------------------------- */

static void raise_to(uint16_t *level, uint32_t at_least)
{
	*level = (uint16_t)ARC_MAX(*level, at_least);
}

static int find_levels(const struct arc_plan_frame *f, struct levels *ret)
{
	uint8_t log = f->record->group_log;
	uint16_t of_group[ARC_FRAME_SEGMENTS_MAX] = { 0 };
	struct arc_segset left = f->set;
	uint32_t s, need;

	while (take_lowest(&left, &s)) {
		uint16_t *level = &ret->of[CUT_SEGMENTS][s];
		uint32_t group = arc_group_of(s, log);
		struct arc_segset needs;
		int err = find_needs(f, s, &needs);

		if (err < 0)
			return err;
		*level = 0;
		while (take_lowest(&needs, &need)) {
			uint32_t other = arc_group_of(need, log);

			raise_to(level, ret->of[CUT_SEGMENTS][need] + 1u);
			if (other != group)
				raise_to(&of_group[group],
					 of_group[other] + 1u);
		}
	}
	for (left = f->set; take_lowest(&left, &s);)
		ret->of[CUT_GROUPS][s] = of_group[arc_group_of(s, log)];
	return 0;
}

/* ---- chains -------------------------------------------------------------- */

/* Whether segment s goes on with the chain of `before`, the one before it in
 * the set. */
static bool same_chain(const struct arc_plan_frame *f, enum cut cut,
		       uint32_t before, uint32_t s)
{
	uint8_t log = f->record->group_log;

	return cut == CUT_GROUPS &&
	       arc_group_of(before, log) == arc_group_of(s, log);
}

/* Adds a frame. */
static void count(const struct arc_plan_frame *f, const struct levels *levels,
		  enum cut cut, struct tally *t)
{
	struct arc_segset left = f->set;
	uint32_t s, before = 0, n = 0;

	for (; take_lowest(&left, &s); before = s) {
		uint32_t level = levels->of[cut][s];

		if (n > 0 && same_chain(f, cut, before, s)) {
			n++;
		} else {
			t->chains[level]++;
			n = 1;
		}
		t->segments[level]++;
		t->longest[level] = ARC_MAX(t->longest[level], n);
	}
}

/* When all of it is decoded: a level takes as long as its longest chain, or as
 * all together when there are more of them than run at once. */
static uint64_t duration(const struct tally *t, uint32_t at_once)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < LEVELS_MAX && t->chains[k] > 0; k++) {
		uint64_t all = (uint64_t)t->segments[k] * SEGMENT_TIME;
		uint64_t chain = (uint64_t)t->longest[k] * SEGMENT_TIME;

		sum += LAUNCH_TIME + ARC_MAX(chain, arc_div_up(all, at_once));
	}
	return sum;
}

/* Puts a frame's chains behind those that its levels have already. */
static void place(struct arc_device_plan *plan, const struct arc_plan_frame *f,
		  uint32_t number, const uint16_t *level, enum cut cut,
		  struct tally *next)
{
	struct arc_segset left = f->set;
	uint32_t s, before = 0;
	bool first = true;

	for (; take_lowest(&left, &s); before = s, first = false, level++) {
		uint32_t *chain = &next->chains[*level];
		uint32_t at = next->segments[*level]++;

		if (first || !same_chain(f, cut, before, s)) {
			plan->chain[*chain] =
				(struct arc_plan_chain){ .first = at };
			++*chain;
		}
		plan->chain[*chain - 1].n++;
		plan->segment[at] =
			(struct arc_plan_segment){ .frame = number, .s = s };
	}
}

/* Where each level begins, into *next: its first segment and chain. */
static void lay_out(struct arc_device_plan *plan, const struct tally *t,
		    struct tally *next)
{
	plan->segments = plan->chains = plan->levels = 0;
	for (uint32_t k = 0; k < LEVELS_MAX && t->chains[k] > 0; k++) {
		next->segments[k] = plan->segments;
		next->chains[k] = plan->chains;
		plan->level[plan->levels++] = plan->chains;
		plan->segments += t->segments[k];
		plan->chains += t->chains[k];
	}
	plan->level[plan->levels] = plan->chains;
}

/* Levels of all segments of the frames, one behind the other, and what they
 * come to. */
static int measure(struct arc_device_plan *plan,
		   const struct arc_plan_frame *frames, uint32_t n,
		   struct tally tally[CUTS])
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct arc_plan_frame *f = &frames[i];
		struct arc_segset left = f->set;
		struct levels levels;
		uint32_t s;
		int err = find_levels(f, &levels);

		if (err == 0 && arc_segset_count(&f->set) > plan->cap - at)
			err = -EINVAL;
		if (err < 0)
			return err;
		count(f, &levels, CUT_GROUPS, &tally[CUT_GROUPS]);
		count(f, &levels, CUT_SEGMENTS, &tally[CUT_SEGMENTS]);
		for (; take_lowest(&left, &s); at++) {
			for (unsigned cut = 0; cut < CUTS; cut++)
				plan->level_of[cut][at] = levels.of[cut][s];
		}
	}
	return 0;
}

int arc_device_plan_make(struct arc_device_plan *plan,
			 const struct arc_plan_frame *frames, uint32_t n,
			 uint32_t at_once)
{
	struct tally tally[CUTS] = { 0 }, next;
	enum cut cut = CUT_GROUPS;
	uint32_t at = 0;
	int err = measure(plan, frames, n, tally);

	assert(at_once > 0);
	if (err < 0)
		return err;
	if (duration(&tally[CUT_SEGMENTS], at_once) <
	    duration(&tally[CUT_GROUPS], at_once))
		cut = CUT_SEGMENTS;
	lay_out(plan, &tally[cut], &next);
	for (uint32_t i = 0; i < n; i++) {
		place(plan, &frames[i], i, plan->level_of[cut] + at, cut,
		      &next);
		at += arc_segset_count(&frames[i].set);
	}
	return 0;
}

/* ---- memory -------------------------------------------------------------- */

void arc_device_plan_free(struct arc_device_plan *plan)
{
	if (!plan)
		return;
	free(plan->segment);
	free(plan->chain);
	for (unsigned cut = 0; cut < CUTS; cut++)
		free(plan->level_of[cut]);
	free(plan);
}

int arc_device_plan_new(uint32_t cap, struct arc_device_plan **ret)
{
	arc_cleanup(arc_device_plan_freep) struct arc_device_plan *plan =
		calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->cap = cap;
	plan->segment = calloc(cap, sizeof(plan->segment[0]));
	plan->chain = calloc(cap, sizeof(plan->chain[0]));
	if (!plan->segment || !plan->chain)
		return -ENOMEM;
	for (unsigned cut = 0; cut < CUTS; cut++) {
		plan->level_of[cut] = calloc(cap, sizeof(uint16_t));
		if (!plan->level_of[cut])
			return -ENOMEM;
	}
	*ret = arc_steal(plan);
	return 0;
}
