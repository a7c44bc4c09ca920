/* SPDX-License-Identifier: MIT */
#include "spool_sort.h"

#include <stdlib.h>
#include <string.h>

struct merge {
	const struct mk_spool *from;
	const struct mk_spool *to;
	int (*order)(const void *, const void *, void *);
	void *ctx;
	uint64_t step; /* rows after which pages are handed back */
};

static void sort_pieces(const struct mk_spool *s, uint64_t piece,
			int (*order)(const void *, const void *, void *),
			void *ctx)
{
	for (uint64_t i = 0; i < s->count; i += piece) {
		uint64_t n = ARC_MIN(piece, s->count - i);

		qsort_r(mk_spool_at(s, i), n, s->row_size, order, ctx);
		if (n < s->count)
			mk_spool_release(s);
	}
}

static void copy_row(const struct merge *m, uint64_t to, uint64_t from)
{
	memcpy(mk_spool_at(m->to, to), mk_spool_at(m->from, from),
	       m->to->row_size);
}

/* Rows [a, b) and [b, end), each in order, become [a, end) in order. */
static void merge_two(const struct merge *m, uint64_t a, uint64_t b,
		      uint64_t end)
{
	uint64_t b_begin = b;

	for (uint64_t to = a; to < end; to++) {
		bool second = a == b_begin ||
			      (b < end &&
			       m->order(mk_spool_at(m->from, b),
					mk_spool_at(m->from, a), m->ctx) < 0);

		copy_row(m, to, second ? b++ : a++);
		if (to % m->step == 0) {
			mk_spool_release(m->from);
			mk_spool_release(m->to);
		}
	}
}

static void merge_all(const struct merge *m, uint64_t run)
{
	uint64_t n = m->from->count;

	for (uint64_t i = 0; i < n; i += 2 * run)
		merge_two(m, i, ARC_MIN(i + run, n), ARC_MIN(i + 2 * run, n));
}

int mk_spool_sort_with(struct mk_spool *s, struct mk_spool *spare,
		       uint64_t piece,
		       int (*order)(const void *, const void *, void *),
		       void *ctx)
{
	uint64_t first;
	int err;

	if (s->count < 2)
		return 0;
	sort_pieces(s, piece, order, ctx);
	if (s->count <= piece)
		return 0;
	spare->count = 0;
	err = mk_spool_add(spare, s->count, &first);
	if (err)
		return err;
	for (uint64_t run = piece; run < s->count; run *= 2) {
		const struct merge m = { s, spare, order, ctx, piece };
		struct mk_spool swap;

		merge_all(&m, run);
		swap = *s;
		*s = *spare;
		*spare = swap;
	}
	return 0;
}

struct plain {
	int (*order)(const void *, const void *);
};

static int by_rows(const void *a, const void *b, void *ctx)
{
	const struct plain *plain = ctx;

	return plain->order(a, b);
}

int mk_spool_sort(struct mk_spool *s, struct mk_spool *spare,
		  int (*order)(const void *, const void *))
{
	struct plain plain = { order };

	return mk_spool_sort_with(s, spare,
				  ARC_MAX(MK_SORT_PIECE / s->row_size, 1),
				  by_rows, &plain);
}
