/* SPDX-License-Identifier: MIT */
/*
 * suffix - which files say by their name that they are compressed already:
 * pictures, sound, films, packages, office documents, archives, quantised
 * models. What a name says is tried before it is believed (noise.h).
 *
 * Threads: pure.
 */
#ifndef MK_SUFFIX_H
#define MK_SUFFIX_H

#include "base.h"

/* Of a name or a path; upper and lower case are one. */
bool mk_suffix_is_compressed(const char *name);

#endif
