/* SPDX-License-Identifier: MIT */
/*
 * longpath - opens paths that are longer than the kernel takes at once.
 *
 * Threads: pure.
 */
#ifndef MK_LONGPATH_H
#define MK_LONGPATH_H

#include "base.h"

/*
 * openat(2) on a path of any length relative to root; "": root itself. path is
 * cut up on the way. Returns the descriptor or a negative errno.
 */
int mk_longpath_open(int root, char *path, int flags);

#endif
