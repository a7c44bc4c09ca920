/* SPDX-License-Identifier: MIT */
/*
 * scanahead - threads that list directories before the walk comes to them, and
 * look at what is in them, so that many are asked for at once.
 *
 * The walk asks for the next subdirectories of each directory that it is in,
 * and takes what was found. What no thread has begun with when the walk comes,
 * what is large, and what could not be read, is left to the walk: so there is
 * one place that says what is wrong, and threads change nothing but time.
 *
 * Threads: one owner; locked inside.
 */
#ifndef MK_SCANAHEAD_H
#define MK_SCANAHEAD_H

#include "mk_run.h"

struct mk_listed {
	const char *name;
	struct stat st;
	bool known; /* st is valid, and it has no attributes */
};

struct mk_look; /* a directory that was asked for */
struct mk_lookahead;

/* Starts run->opt->scan_workers threads, or fewer where there are not
 * descriptors enough; *ret NULL: none. tree->root_fd is open and stays so.
 * by_proc: as struct mk_xattrs has it. */
int mk_lookahead_new(struct mk_run *run, const struct mk_tree *tree,
		     bool by_proc, struct mk_lookahead **ret);

/* All looks have been freed. Accepts NULL. */
void mk_lookahead_free(struct mk_lookahead *a);

/*
 * Asks for the directory `entry`, which is scanned later than that of `after`
 * and sooner than all that were asked for before that one; after NULL: sooner
 * than all. *ret is freed by the caller.
 */
int mk_look_new(struct mk_lookahead *a, uint64_t entry, struct mk_look *after,
		struct mk_look **ret);
void mk_look_free(struct mk_lookahead *a, struct mk_look *look);

uint64_t mk_look_entry(const struct mk_look *look);

/*
 * What is in it, sorted by name, valid until it is freed; waits for a thread
 * that is at it. False: none was, or it failed; nobody will be.
 */
bool mk_look_take(struct mk_lookahead *a, struct mk_look *look,
		  const struct mk_listed **ret, size_t *ret_n);

#endif
