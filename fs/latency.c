/* SPDX-License-Identifier: MIT */
#include "latency.h"

#define SUB (UINT64_C(1) << ARCFS_LATENCY_SUB_LOG)
#define END (UINT64_C(1) << ARCFS_LATENCY_END_LOG)

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < SUB)
		return (unsigned)ns;
	ns = ARC_MIN(ns, END - 1);
	shift = 63 - (unsigned)__builtin_clzll(ns) - ARCFS_LATENCY_SUB_LOG;
	return (unsigned)((shift << ARCFS_LATENCY_SUB_LOG) + (ns >> shift));
}

static uint64_t middle_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * SUB)
		return bucket;
	shift = (bucket >> ARCFS_LATENCY_SUB_LOG) - 1;
	return ((SUB + bucket % SUB) << shift) + (UINT64_C(1) << shift) / 2;
}

/* The maximum goes first, so that who sees a bucket sees no smaller one. */
void arcfs_latency_add(struct arcfs_latency *l, uint64_t ns)
{
	uint64_t max = __atomic_load_n(&l->max, __ATOMIC_RELAXED);

	while (ns > max &&
	       !__atomic_compare_exchange_n(&l->max, &max, ns, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&l->bucket[bucket_of(ns)], 1, __ATOMIC_RELEASE);
}

/* The smallest value that so many percent of all are not above. */
static uint64_t percentile(const uint64_t *count, uint64_t all,
			   unsigned percent)
{
	uint64_t rank = arc_div_up(all * percent, 100), below = 0;
	unsigned i = 0;

	while (below + count[i] < rank)
		below += count[i++];
	return middle_of(i);
}

void arcfs_latency_sum_up(const struct arcfs_latency *l,
			  struct arcfs_latency_summary *ret)
{
	uint64_t count[ARCFS_LATENCY_BUCKETS];
	uint64_t all = 0, max;

	for (unsigned i = 0; i < ARCFS_LATENCY_BUCKETS; i++) {
		count[i] = __atomic_load_n(&l->bucket[i], __ATOMIC_ACQUIRE);
		all += count[i];
	}
	*ret = (struct arcfs_latency_summary){ 0 };
	if (all == 0)
		return;
	max = __atomic_load_n(&l->max, __ATOMIC_RELAXED);
	ret->max = max;
	ret->p50 = ARC_MIN(percentile(count, all, 50), max);
	ret->p95 = ARC_MIN(percentile(count, all, 95), max);
	ret->p99 = ARC_MIN(percentile(count, all, 99), max);
}
