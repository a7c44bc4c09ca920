/* SPDX-License-Identifier: MIT */
/*
 * keeper - keeps an archive's memory small while nobody needs it: one thread
 * that sleeps, wakes up now and then and
 *
 *	- drops what has not been used for a time;
 *	- has the caches give back half of what they hold when the kernel or a
 *	  person says that memory is short, and lets them grow again, a 64th a
 *	  second, when there has been calm for ten seconds.
 *
 * What is dropped goes back to the system. What is in use is left alone.
 *
 * Threads: one of its own; new and free by one owner.
 */
#ifndef ARC_KEEPER_H
#define ARC_KEEPER_H

#include "archive.h"

struct arc_keeper;

struct arc_keeper_options {
	/* Seconds after which what is not used is dropped; it may take half as
	 * long again. 0: never. */
	unsigned tidy;

	/* POLLPRI: tasks wait for memory, of arc_memory_watch(). Not listened
	 * to any more when it says that it has ended. */
	int pressure; /* -1: none */
	const char *root; /* "" but for tests; borrowed: see memory.h */

	/* Readable: somebody asks to give memory back; what can be read is
	 * thrown away. */
	int asked; /* -1: none */
};

/* Borrows archive and diag; takes both descriptors. Starts a thread: not before
 * a program has gone into the background. */
int arc_keeper_new(struct arc_archive *archive,
		   const struct arc_keeper_options *opt, struct arc_diag *diag,
		   struct arc_keeper **ret);
void arc_keeper_free(struct arc_keeper *k); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_keeper, arc_keeper_free)

#endif
