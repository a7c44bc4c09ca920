/* SPDX-License-Identifier: MIT */
/*
 * packahead - threads that open and read small files before their turn, in the
 * order of the tree, so that many are asked for at once and the conductor only
 * copies.
 *
 *	entries   ... taken | ready, being read, ready | not looked at ...
 *	                    ^ the conductor            ^ the next for a thread
 *
 * What is not as plain as can be is left to the conductor: files that are large,
 * sparse, changed or cannot be read. So there is one place that says what is
 * wrong with a file, and the number of threads changes nothing but time.
 *
 * Threads: one owner; locked inside.
 */
#ifndef MK_PACKAHEAD_H
#define MK_PACKAHEAD_H

#include "mk_run.h"

/* A file as it was read, whole and unchanged since the scan. */
struct mk_ahead_file {
	const uint8_t *bytes;
	size_t n;
	struct arc_digest128 digest; /* where digests are wanted, see pack */
	uint8_t sha256[32]; /* where tree->sha256 is open */
};

struct mk_ahead;

/* Larger ones are read by the conductor, straight into the frame; the kernel
 * reads them ahead. */
#define MK_LARGE_FILE ARC_MIB

/* Starts a thread, and more when files come too slowly, up to run->opt->readers
 * or fewer where there are not descriptors enough; *ret NULL: none, or there is
 * no file for them. They hold run->opt->buffer_size bytes at most. */
int mk_ahead_new(struct mk_run *run, const struct mk_tree *tree,
		 struct mk_ahead **ret);
void mk_ahead_free(struct mk_ahead *a); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_ahead, mk_ahead_free)

/* The conductor has come to the i-th entry of tree->order, or of the tree where
 * that is not open: no thread looks at it from now on, unless one has begun to
 * read it already. To be called for each, in order. */
void mk_ahead_reach(struct mk_ahead *a, uint64_t i);

/* The entry, reached last; waits while it is being read. False: it has not been
 * read. True: *ret is valid until mk_ahead_done(). */
bool mk_ahead_take(struct mk_ahead *a, uint64_t entry,
		   struct mk_ahead_file *ret);
void mk_ahead_done(struct mk_ahead *a);

/* Whether the content's digest is of use to anybody: it is kept, or tells
 * whether a leader is what it was. */
bool mk_pack_is_digested(const struct mk_run *run, const struct mk_entry *e);

#endif
