/* SPDX-License-Identifier: MIT */
/*
 * mk_devices - settles which devices hash and encode, and in which profile
 * frames are encoded.
 *
 * Threads: the main thread, between the scan and the search for duplicates.
 */
#ifndef MK_DEVICES_H
#define MK_DEVICES_H

#include "mk_run.h"

/*
 * Sets run->gpu (to be freed by arc_gpu_free()), opt->profile and
 * opt->coding.parallel. Devices are looked for when the user wants that or,
 * left to ourselves, when so much was found that it may pay. opt is run->opt.
 */
int mk_devices_choose(struct mk_run *run, struct mk_options *opt);

#endif
