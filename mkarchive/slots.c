/* SPDX-License-Identifier: MIT */
/*
 * When the table grows, the rows are walked in their order and not in that of
 * the slots: the spool they lie in is then read from its beginning to its end,
 * once.
 */
#include "slots.h"

#define SLOTS_MIN 1024

/* The hashes come from outside (inode numbers): spread them over all bits. */
static uint64_t spread(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static void place(struct mk_slots *t, uint64_t hash, uint32_t row)
{
	uint64_t i = spread(hash) & (t->count - 1);

	while (t->slot[i])
		i = (i + 1) & (t->count - 1);
	t->slot[i] = row + 1;
}

bool mk_slots_find(const struct mk_slots *t, uint64_t hash, mk_slots_same same,
		   const void *ctx, uint32_t *ret_row)
{
	if (!t->count)
		return false;
	for (uint64_t i = spread(hash) & (t->count - 1); t->slot[i];
	     i = (i + 1) & (t->count - 1)) {
		if (same(ctx, t->slot[i] - 1)) {
			*ret_row = t->slot[i] - 1;
			return true;
		}
	}
	return false;
}

static int grow(struct mk_slots *t, mk_slots_hash hash_of, const void *ctx)
{
	struct mk_slots larger = {
		.count = t->count ? t->count * 2 : SLOTS_MIN,
		.used = t->used,
	};

	larger.slot = calloc(larger.count, sizeof(*larger.slot));
	if (!larger.slot)
		return -ENOMEM;
	for (uint64_t row = 0; row < t->used; row++)
		place(&larger, hash_of(ctx, (uint32_t)row), (uint32_t)row);
	free(t->slot);
	*t = larger;
	return 0;
}

int mk_slots_add(struct mk_slots *t, uint64_t hash, mk_slots_hash hash_of,
		 const void *ctx)
{
	if (t->used >= UINT32_MAX)
		return -E2BIG;
	if (t->used >= t->count / 4 * 3) {
		int err = grow(t, hash_of, ctx);

		if (err)
			return err;
	}
	place(t, hash, (uint32_t)t->used);
	t->used++;
	return 0;
}

void mk_slots_fini(struct mk_slots *t)
{
	free(t->slot);
	*t = (struct mk_slots){ 0 };
}
