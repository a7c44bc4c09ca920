/* SPDX-License-Identifier: MIT */
/*
 * identity - what decides the bytes of an archive beside its source, as lines
 * "KEY = value": the options, the build of this program, the libraries that
 * compress. Threads, queues, devices and messages decide none.
 *
 * Threads: pure.
 */
#ifndef MK_IDENTITY_H
#define MK_IDENTITY_H

#include "mk_options.h"

/* The value of "build" where the linker left no build id. */
#define MK_BUILD_UNKNOWN "unknown"

/* Of settled options (the profile is known); the caller frees *ret. */
int mk_identity_text(const struct mk_options *opt, char **ret);

#endif
