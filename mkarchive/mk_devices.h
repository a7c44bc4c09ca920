/* SPDX-License-Identifier: MIT */
/*
 * mk_devices - settles how frames are encoded: by which devices, and in which
 * profile.
 *
 * Threads: the main thread, before packing.
 */
#ifndef MK_DEVICES_H
#define MK_DEVICES_H

#include "mk_run.h"

/*
 * Sets run->gpu (to be freed by arc_gpu_free()), opt->profile and
 * opt->coding.parallel. Devices are looked for when the user wants that or,
 * left to ourselves, when there is so much to encode that it may pay. opt is
 * run->opt.
 */
int mk_devices_choose(struct mk_run *run, struct mk_options *opt);

#endif
