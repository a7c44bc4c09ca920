/* SPDX-License-Identifier: MIT */
/*
 * index_find - binary search over rows some of which cannot be read.
 *
 * A damaged block in the middle of a large directory must not hide the names
 * before and after it. Where a probe fails, the nearest readable rows on both
 * sides are looked for (in growing steps, then by halving): when what is
 * wanted lies beyond one of them, the search goes on there; only when it lies
 * between them the error is the answer.
 */
#include "index_i.h"

struct search {
	index_probe probe;
	void *ctx;
	uint64_t lo, hi; /* the answer lies in [lo, hi] */
};

/* The row at a distance from `bad`, to the right or to the left. */
static uint64_t row_at(uint64_t bad, uint64_t distance, bool right)
{
	return right ? bad + distance : bad - distance;
}

/*
 * The readable row nearest to `bad` on one side: its distance (0: none) and
 * how it compares.
 */
static uint64_t nearest_good(const struct search *s, uint64_t bad, bool right,
			     int *ret_cmp)
{
	uint64_t max = right ? s->hi - 1 - bad : bad - s->lo;
	uint64_t dark = 0, light = 1, mid;

	if (max == 0)
		return 0;
	while (s->probe(s->ctx, row_at(bad, light, right), ret_cmp) < 0) {
		if (light == max)
			return 0;
		dark = light;
		light = ARC_MIN(light * 2, max);
	}
	while (light - dark > 1) {
		int cmp;

		mid = dark + (light - dark) / 2;
		if (s->probe(s->ctx, row_at(bad, mid, right), &cmp) < 0) {
			dark = mid;
		} else {
			light = mid;
			*ret_cmp = cmp;
		}
	}
	return light;
}

/* Moves the bounds past unreadable rows around `bad`; false: the answer is
 * among them. */
static bool step_around(struct search *s, uint64_t bad)
{
	uint64_t distance;
	int cmp;

	distance = nearest_good(s, bad, true, &cmp);
	if (distance > 0 && cmp <= 0) {
		s->lo = bad + distance;
		return true;
	}
	distance = nearest_good(s, bad, false, &cmp);
	if (distance > 0 && cmp >= 0) {
		s->hi = bad - distance + 1;
		return true;
	}
	return false;
}

int index_bisect(index_probe probe, void *ctx, uint64_t lo, uint64_t hi,
		 uint64_t *ret_row, bool *ret_found)
{
	struct search s = { .probe = probe, .ctx = ctx, .lo = lo, .hi = hi };

	while (s.lo < s.hi) {
		uint64_t mid = s.lo + (s.hi - s.lo) / 2;
		int cmp;
		int err = probe(ctx, mid, &cmp);

		if (err == -ENOMEM)
			return err;
		if (err < 0) {
			if (!step_around(&s, mid))
				return err;
			continue;
		}
		if (cmp == 0) {
			*ret_row = mid;
			*ret_found = true;
			return 0;
		}
		if (cmp < 0)
			s.lo = mid + 1;
		else
			s.hi = mid;
	}
	*ret_row = s.lo;
	*ret_found = false;
	return 0;
}
