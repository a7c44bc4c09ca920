/* SPDX-License-Identifier: MIT */
/*
 * sketch - what a content is like, in a few numbers: two contents that have
 * much in common have many of the numbers in common.
 *
 * MinHash (A. Broder, On the resemblance and containment of documents, 1997) by
 * one permutation (P. Li, A. Owen, C.-H. Zhang, One Permutation Hashing, 2012):
 * every run of eight bytes is hashed once; the hash says into which of 16 bins
 * it falls, and the smallest of each bin is kept. The share of bins that agree
 * is on average that of the runs that both contents have among all that one of
 * them has.
 *
 * Threads: pure.
 */
#ifndef MK_SKETCH_H
#define MK_SKETCH_H

#include "base.h"

#define MK_SKETCH_BINS 16

/* Contents with fewer bytes have a sketch of empty bins, which is like none. */
#define MK_SKETCH_MIN 64

/* The bin that nothing fell into. */
#define MK_SKETCH_EMPTY UINT32_MAX

struct mk_sketch {
	uint32_t bin[MK_SKETCH_BINS];
};

struct mk_sketch mk_sketch_of(const uint8_t *bytes, size_t n);

/* In sixteenths, rounded down: how much they have in common. */
unsigned mk_sketch_alike(const struct mk_sketch *a, const struct mk_sketch *b);

#endif
