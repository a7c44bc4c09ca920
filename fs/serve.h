/* SPDX-License-Identifier: MIT */
/*
 * serve - the threads that take requests from the kernel and answer them, as
 * many as crew.h says.
 *
 * libfuse's own loop has a number of threads and lets all of them wait.
 */
#ifndef ARCFS_SERVE_H
#define ARCFS_SERVE_H

#include "ops_i.h"

/*
 * Answers requests with at most `threads` threads until the mount ends or a
 * signal for which fuse_set_signal_handlers() was called: 0. Those signals
 * have to come to the calling thread. Negative errno: a thread could not be
 * made at the beginning, or requests could not be taken any more.
 */
int arcfs_serve(struct fuse_session *se, unsigned threads);

#endif
