/* SPDX-License-Identifier: MIT */
/*
 * crew - how many threads of a mount wait for requests.
 *
 * When several threads wait, the kernel wakes the one that has waited longest:
 * a single reader is then answered by all of them in turn, each on a CPU that
 * was asleep and whose caches know nothing of the last answer. So there are as
 * many as have had something to do at the same time lately, and no more:
 *
 *	one more	when a thread comes back and a request is there already:
 *			nobody was waiting for it
 *	one more	when a tick passes and those who answer are still at it,
 *			nobody waiting (a slow disk must not hold up others)
 *	fewer		when in WINDOW requests no more than so many were busy
 *			(the leader/followers pattern: Schmidt et al., 1996)
 *
 * This is arithmetic only: serve.c has the threads.
 *
 * Threads: the caller's lock.
 */
#ifndef ARCFS_CREW_H
#define ARCFS_CREW_H

#include "base.h"

#define ARCFS_CREW_WINDOW 256

struct arcfs_crew {
	unsigned max; /* threads there may be, >= 1 */
	unsigned wanted; /* to wait or to answer, 1 .. max */
	unsigned waiting;
	unsigned busy;
	unsigned peak; /* most that were busy in this window */
	unsigned taken; /* requests in this window */
	bool moved; /* one was taken or answered since the last tick */
};

void arcfs_crew_init(struct arcfs_crew *c, unsigned max);

/* A thread is free: true if it is to wait for a request, and counts as
 * waiting from now on; false: it is not needed now. */
bool arcfs_crew_wait(struct arcfs_crew *c);

/* One that waited has a request, or found it there (was_there); or nothing.
 * True: another thread should come and wait. */
bool arcfs_crew_take(struct arcfs_crew *c, bool was_there);
void arcfs_crew_missed(struct arcfs_crew *c);

/* It could not be had: it is wanted again when there is reason to. */
void arcfs_crew_alone(struct arcfs_crew *c);

void arcfs_crew_answered(struct arcfs_crew *c);

/* Every few ms while something is being answered. True: another thread should
 * come and wait. */
bool arcfs_crew_tick(struct arcfs_crew *c);

#endif
