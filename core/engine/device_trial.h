/* SPDX-License-Identifier: MIT */
/*
 * device_trial - what a device is tried with. Encoding has a file of its own,
 * which only programs that encode link.
 *
 * Threads: one owner.
 */
#ifndef ARC_DEVICE_TRIAL_H
#define ARC_DEVICE_TRIAL_H

#include "device.h"
#include "record.h"

#define ARC_TRIAL_FRAME ((size_t)4 * ARC_MIB)
#define ARC_TRIAL_FRAMES 16 /* at once; on a device made of CPU cores one */

struct arc_trial {
	struct arc_device *device;
	unsigned threads;
	unsigned frames;
	uint8_t *raw; /* one frame */
	uint8_t *stored; /* its payload, and slack */
	struct arc_record *record;
	struct arc_encoder_params coding;
	uint8_t *out; /* where frames are decoded to, one after another */
};

/* Seconds of a clock that never jumps. */
double arc_trial_now(void);

/* Codes the frame, compares and measures, as arc_device_try() says. */
int arc_trial_encode(struct arc_trial *t, double *ret_rate, double *ret_cpu);

#endif
