/* SPDX-License-Identifier: MIT */
/*
 * The list is sorted and thinned out again and again. Hash tables were not
 * used: sorting works in files as well as in memory, and its result is the same
 * for any number of threads.
 */
#include <string.h>

#include "dedup_i.h"
#include "spool_sort.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Order by all that is known up to a stage. */
static int compare_up_to(const struct mk_candidate *a,
			 const struct mk_candidate *b,
			 enum mk_dedup_stage stage)
{
	int r = compare_numbers(a->size, b->size);

	if (!r && stage >= MK_FIRST)
		r = memcmp(a->first, b->first, sizeof(a->first));
	if (!r && stage >= MK_LAST)
		r = memcmp(a->last, b->last, sizeof(a->last));
	if (!r && stage >= MK_CENTRE)
		r = memcmp(a->centre, b->centre, sizeof(a->centre));
	if (!r && stage >= MK_HASH)
		r = compare_numbers(a->hash, b->hash);
	return r;
}

static int by_content(const void *a, const void *b)
{
	const struct mk_candidate *one = a;
	const struct mk_candidate *other = b;
	int r = compare_up_to(one, other, MK_HASH);

	return r ? r : compare_numbers(one->entry, other->entry);
}

static int by_entry(const void *a, const void *b)
{
	const struct mk_candidate *one = a;
	const struct mk_candidate *other = b;

	return compare_numbers(one->entry, other->entry);
}

int mk_candidates_sort_by_content(struct mk_dedup *d)
{
	return mk_spool_sort(&d->list, &d->spare, by_content);
}

int mk_candidates_sort_by_entry(struct mk_dedup *d)
{
	return mk_spool_sort(&d->list, &d->spare, by_entry);
}

void mk_dedup_release(const struct mk_dedup *d, uint64_t row)
{
	if (row % MK_SPOOL_STEP || !mk_spool_is_time())
		return;
	mk_tree_release(d->tree);
	mk_spool_release(&d->list);
}

static int add_candidate(struct mk_dedup *d, uint64_t entry, uint64_t size)
{
	uint64_t i;
	int err = mk_spool_add(&d->list, 1, &i);

	if (!err)
		*mk_candidate_at(d, i) =
			(struct mk_candidate){ .size = size, .entry = entry };
	return err;
}

int mk_candidates_collect(struct mk_dedup *d)
{
	for (uint64_t i = 0; i < d->tree->entries.count; i++) {
		const struct mk_entry *e = mk_tree_at(d->tree, i);
		int err;

		mk_dedup_release(d, i);
		if (!S_ISREG(e->mode) || e->link != i || e->size == 0)
			continue;
		err = add_candidate(d, i, e->size);
		if (err)
			return err;
	}
	return 0;
}

uint64_t mk_candidates_group_end(const struct mk_dedup *d, uint64_t i,
				 enum mk_dedup_stage stage)
{
	const struct mk_candidate first = *mk_candidate_at(d, i);
	uint64_t end = i + 1;

	while (end < d->list.count &&
	       compare_up_to(&first, mk_candidate_at(d, end), stage) == 0) {
		mk_dedup_release(d, end);
		end++;
	}
	return end;
}

static void keep_row(struct mk_dedup *d, uint64_t *kept, uint64_t i)
{
	*mk_candidate_at(d, *kept) = *mk_candidate_at(d, i);
	(*kept)++;
}

void mk_candidates_keep_groups(struct mk_dedup *d, enum mk_dedup_stage stage,
			       mk_counter *count)
{
	uint64_t kept = 0;

	for (uint64_t i = 0, end; i < d->list.count; i = end) {
		end = mk_candidates_group_end(d, i, stage);
		for (uint64_t k = i; k < end; k++) {
			mk_dedup_release(d, k);
			if (end - i > 1)
				keep_row(d, &kept, k);
		}
	}
	d->list.count = kept;
	mk_count(count, kept);
}

void mk_candidates_drop_out(struct mk_dedup *d)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < d->list.count; i++) {
		mk_dedup_release(d, i);
		if (mk_candidate_at(d, i)->state == MK_CANDIDATE_IN)
			keep_row(d, &kept, i);
	}
	d->list.count = kept;
}
