/* SPDX-License-Identifier: MIT */
/*
 * noise - tells which segments of a frame no codec would make smaller, from a
 * look that costs a small part of trying: encrypted, random, and compressed
 * already.
 *
 *	1. The bytes of a sample are as many of each kind. The sum of the
 *	   squares of their counts is that of Pearson's chi-squared test (K.
 *	   Pearson, On the criterion..., 1900; The Art of Computer Programming
 *	   2, section 3.3.1). Text, code and numbers end here, after 1 KiB.
 *	2. No stretches of 64 bytes whose highest bits are all the same: text,
 *	   zeros and tables between what is even.
 *	3. No repeats, as far back as the codec will see: of the places whose
 *	   lowest seven bits are one pattern, one in 128, the latest with the
 *	   same four bytes is remembered. As it is the bytes that decide which
 *	   places are looked at (A. Broder, Identifying and filtering
 *	   near-duplicate documents, 2000, has the idea), a repeat is seen at the
 *	   same places again. Of the bytes of a segment that repeat others, 47
 *	   at most go unseen on average: the more there are, the less likely.
 *	4. No four bytes that came shortly before, in two runs of 1 KiB: data
 *	   that was compressed poorly is full of them.
 *
 * Of a file whose name says that it is compressed, more is let pass: some
 * unevenness, some repeats; what contradicts the name is told still.
 *
 * What it says depends on the bytes alone. It may be wrong, and then costs
 * some space or time, and nothing else.
 *
 * Threads: one owner.
 */
#ifndef ARC_NOISE_H
#define ARC_NOISE_H

#include "format.h"

/* Fewer bytes are not judged: coding them costs as little. */
#define ARC_NOISE_MIN 4096

struct arc_noise;
int arc_noise_new(struct arc_noise **ret);
void arc_noise_free(struct arc_noise *n); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_noise, arc_noise_free)

/* A frame begins, borrowed until the next. Repeats count inside of windows of
 * that size, log2, that follow each other from its start. */
void arc_noise_begin(struct arc_noise *n, struct arc_span frame,
		     uint8_t window_log);

/* Whether segment s is noise; to be asked in ascending order. named: a name
 * says that it is compressed. */
bool arc_noise_is(struct arc_noise *n, uint32_t s, bool named);

#endif
