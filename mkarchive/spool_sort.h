/* SPDX-License-Identifier: MIT */
/*
 * spool_sort - brings the rows of a spool into order, however many they are:
 * pieces of MK_SORT_PIECE are sorted by themselves and then merged two by two
 * into a second spool and back (merge sort of files: Knuth, The Art of Computer
 * Programming 3, section 5.4.1). Memory is that of one piece and as much again;
 * pages read and written are handed back on the way.
 *
 * Threads: one owner of both spools.
 */
#ifndef MK_SPOOL_SORT_H
#define MK_SPOOL_SORT_H

#include "spool.h"

#define MK_SORT_PIECE (32 * ARC_MIB)

/*
 * The order is qsort's; equal rows come in any order. `spare` has rows of the
 * same size; what it held is lost, and the two may have changed places: the
 * sorted rows are in s. -ENOSPC, -E2BIG: then the rows of s are all there, but
 * in no order.
 */
int mk_spool_sort(struct mk_spool *s, struct mk_spool *spare,
		  int (*order)(const void *, const void *));

/* The same with an order that knows more than the rows, and with pieces of so
 * many rows: as much as may be in memory of what they stand for. */
int mk_spool_sort_with(struct mk_spool *s, struct mk_spool *spare,
		       uint64_t piece,
		       int (*order)(const void *, const void *, void *),
		       void *ctx);

#endif
