/* SPDX-License-Identifier: MIT */
/*
 * latency - how long things took: a histogram of fixed size, from which
 * percentiles are told when somebody asks.
 *
 *	ns   0 1 .. 7 | 8 9 .. 15 | 16 18 .. 30 | 32 36 .. 60 | ...
 *	     exact      exact       wide 2        wide 4
 *
 * Every power of two has eight buckets of equal width, and a percentile is told
 * as the middle of its bucket: it is off by a sixteenth (6.25 %) at most. What
 * took 2^40 ns (18 minutes) or more counts as just below; the maximum is exact.
 *
 * Threads: atomic inside, without locks; any thread adds and asks.
 */
#ifndef ARCFS_LATENCY_H
#define ARCFS_LATENCY_H

#include "base.h"

#define ARCFS_LATENCY_SUB_LOG 3
#define ARCFS_LATENCY_END_LOG 40
#define ARCFS_LATENCY_BUCKETS                                                  \
	((ARCFS_LATENCY_END_LOG - ARCFS_LATENCY_SUB_LOG + 1)                   \
	 << ARCFS_LATENCY_SUB_LOG)

/* Zero-initialised is empty. */
struct arcfs_latency {
	uint64_t bucket[ARCFS_LATENCY_BUCKETS]; /* atomic */
	uint64_t max; /* atomic */
};

/* In nanoseconds; zeros when nothing was added. */
struct arcfs_latency_summary {
	uint64_t p50, p95, p99;
	uint64_t max;
};

void arcfs_latency_add(struct arcfs_latency *l, uint64_t ns);

/* What is added meanwhile may be in it or not. */
void arcfs_latency_sum_up(const struct arcfs_latency *l,
			  struct arcfs_latency_summary *ret);

#endif
