/* SPDX-License-Identifier: MIT */
/*
 * serve - the threads that take requests from the kernel and answer them, as
 * many as crew.h says.
 *
 * libfuse's own loop has a number of threads and lets all of them wait. Its
 * signal handlers are not used either: they mark the session as ended, and a
 * request that is read at that moment is thrown away. Nobody would answer it
 * any more, and whoever waits for it while the mount ends (prefill.h) waits for
 * ever.
 */
#ifndef ARCFS_SERVE_H
#define ARCFS_SERVE_H

#include "ops_i.h"

/* From now on SIGHUP, SIGINT and SIGTERM, those that are not ignored, do nothing
 * but to end arcfs_serve(), also if it has yet to begin. */
void arcfs_catch_signals(void);
void arcfs_release_signals(void);

/*
 * Answers requests with at most `threads` threads until the mount ends or such
 * a signal comes: 0. Signals have to come to the calling thread. What has been
 * read is answered then, what comes later is not read. Negative errno: a thread could not be
 * made at the beginning, or requests could not be taken any more.
 */
int arcfs_serve(struct fuse_session *se, unsigned threads);

#endif
