/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "device_encode.h"
#include "device_trial.h"

/* Codes the frame on the CPU and compares each segment. */
static int compare_coded(const struct arc_trial *t, void *state,
			 const struct arc_encode_frame *f)
{
	const struct arc_encoder *encoder = arc_encoder_find("lzext3");
	struct arc_frame_plan plan = { .group_log = t->coding.group_log };
	size_t group = (size_t)1 << f->group_log;
	uint8_t out[ARC_SEGMENT_SIZE];

	encoder->plan(state, (struct arc_span){ t->raw, ARC_TRIAL_FRAME },
		      &plan);
	for (size_t at = 0; at < ARC_TRIAL_FRAME; at += ARC_SEGMENT_SIZE) {
		const struct arc_encoded_segment *s =
			&f->segment[at >> ARC_SEGMENT_LOG];
		size_t begin = at / group * group;
		struct arc_segment seg = { 0 };
		size_t n;

		if (at == begin)
			encoder->begin(state, t->raw + begin,
				       ARC_MIN(group, ARC_TRIAL_FRAME - begin));
		n = encoder->encode(state, t->raw + begin, at - begin,
				    ARC_SEGMENT_SIZE, out, ARC_SEGMENT_SIZE - 1,
				    &seg);
		if (n != s->size ||
		    (n > 0 && (memcmp(out, f->coded + s->offset, n) != 0 ||
			       memcmp(seg.ext, &s->ext, sizeof(s->ext)) != 0)))
			return -EBADMSG;
	}
	return 0;
}

static int time_encoding(const struct arc_trial *t, void *state,
			 double *ret_rate, double *ret_cpu)
{
	arc_cleanup(arc_device_encoder_freep) struct arc_device_encoder *e =
		NULL;
	struct arc_encode_frame frame[ARC_TRIAL_FRAMES];
	struct arc_frame_plan plan = { .group_log = t->coding.group_log };
	double begun;
	int err = arc_device_encoder_new(t->device->ocl, t->device->cache_dir,
					 &t->coding,
					 ARC_TRIAL_FRAME * t->frames, &e);

	arc_encoder_find("lzext3")->plan(
		state, (struct arc_span){ t->raw, ARC_TRIAL_FRAME }, &plan);
	for (unsigned i = 0; i < t->frames; i++)
		frame[i] = (struct arc_encode_frame){
			.raw = { t->raw, ARC_TRIAL_FRAME },
			.group_log = plan.group_log,
		};
	if (!err)
		err = arc_device_encoder_run(e, frame, 1);
	begun = arc_trial_now();
	if (!err)
		err = compare_coded(t, state, &frame[0]);
	*ret_cpu = (double)ARC_TRIAL_FRAME * t->threads /
		   (arc_trial_now() - begun);
	if (err)
		return err;
	begun = arc_trial_now();
	err = arc_device_encoder_run(e, frame, t->frames);
	*ret_rate = (double)(ARC_TRIAL_FRAME * t->frames) /
		    (arc_trial_now() - begun);
	return err;
}

int arc_trial_encode(struct arc_trial *t, double *ret_rate, double *ret_cpu)
{
	const struct arc_encoder *encoder = arc_encoder_find("lzext3");
	void *state = NULL;
	int err = encoder->new_state(&t->coding, &state);

	if (!err)
		err = time_encoding(t, state, ret_rate, ret_cpu);
	if (state)
		encoder->free_state(state);
	return err;
}
