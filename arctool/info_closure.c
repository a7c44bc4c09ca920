/* SPDX-License-Identifier: MIT */
/*
 * info_closure - goes through the tables of all frames, in parallel. A table
 * says what each of its segments needs, so that nothing has to be decoded.
 */
#include <pthread.h>

#include "info_i.h"

struct survey {
	struct tool *tool;
	pthread_mutex_t lock; /* of all below */
	struct tool_closures sums;
	uint64_t known; /* frames */
};

static uint64_t closure_of(const struct arc_record *r, uint32_t s)
{
	struct arc_segset set = { 0 };
	uint64_t bytes = 0;

	arc_segset_add(&set, s);
	arc_record_closure(r, 0, s, NULL, &set);
	for (uint32_t i = 0; i < r->segments; i++) {
		if (arc_segset_has(&set, i))
			bytes += arc_record_segment_raw(r, i);
	}
	return bytes;
}

static void add(struct tool_closure *sum, const struct tool_closure *more)
{
	sum->segments += more->segments;
	sum->bytes += more->bytes;
	sum->max = ARC_MAX(sum->max, more->max);
}

static int survey_frame(void *ctx, uint64_t number)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	struct survey *v = ctx;
	struct tool_closure sum = { 0 };
	struct arc_frame f;
	int err = arc_index_frame(v->tool->index, number, &f);

	if (err == 0)
		err = arc_archive_record(v->tool->archive, &f, &r);
	if (err == -ENOMEM)
		return err;
	if (err < 0 || !r->decoder) /* not known */
		return 0;
	for (uint32_t s = 0; s < r->segments; s++) {
		uint64_t bytes = closure_of(r, s);

		add(&sum, &(const struct tool_closure){ 1, bytes, bytes });
	}
	pthread_mutex_lock(&v->lock);
	add(&v->sums.all, &sum);
	add(&v->sums.codec[r->codec], &sum);
	v->sums.reach[r->group_log]++;
	v->known++;
	pthread_mutex_unlock(&v->lock);
	return 0;
}

int tool_info_closures(struct tool *t, struct tool_closures *ret)
{
	struct survey v = { .tool = t };
	int err;

	pthread_mutex_init(&v.lock, NULL);
	err = arc_index_each_frame(t->index, t->req.threads, survey_frame, &v);
	pthread_mutex_destroy(&v.lock);
	if (err < 0)
		return err;
	v.sums.unknown = arc_index_frames(t->index) - v.known;
	*ret = v.sums;
	return 0;
}
