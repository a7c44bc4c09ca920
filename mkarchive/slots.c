/* SPDX-License-Identifier: MIT */
/*
 * When the table grows, the rows are walked in their order and not in that of
 * the slots: the spool they lie in is then read from its beginning to its end,
 * once.
 */
#include "slots.h"

#define SLOTS_MIN 1024

/* Larger tables lie in a file. */
#define MEMORY_MAX (16 * ARC_MIB)

/* The hashes come from outside (inode numbers): spread them over all bits. */
static uint64_t spread(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

void mk_slots_init(struct mk_slots *t, int dir_fd)
{
	t->dir_fd = dir_fd;
	t->has_dir = true;
}

/* Rows come in the order of their hashes, which is none. */
static void step(struct mk_slots *t)
{
	if (t->file.base && ++t->steps % MK_SPOOL_STEP == 0 &&
	    mk_spool_is_time())
		mk_spool_release(&t->file);
}

static int make_table(struct mk_slots *t)
{
	uint64_t first;
	int err;

	if (!t->has_dir || t->count <= MEMORY_MAX / sizeof(*t->slot)) {
		t->slot = calloc(t->count, sizeof(*t->slot));
		return t->slot ? 0 : -ENOMEM;
	}
	err = mk_spool_open(&t->file, t->dir_fd, sizeof(*t->slot));
	if (!err)
		err = mk_spool_add(&t->file, t->count, &first);
	if (!err)
		t->slot = mk_spool_at(&t->file, first);
	return err;
}

static void free_table(struct mk_slots *t)
{
	if (!t->file.base)
		free(t->slot);
	mk_spool_close(&t->file);
}

static void place(struct mk_slots *t, uint64_t hash, uint32_t row)
{
	uint64_t i = spread(hash) & (t->count - 1);

	while (t->slot[i])
		i = (i + 1) & (t->count - 1);
	t->slot[i] = row + 1;
}

bool mk_slots_find(struct mk_slots *t, uint64_t hash, mk_slots_same same,
		   const void *ctx, uint32_t *ret_row)
{
	if (!t->count)
		return false;
	step(t);
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
		.dir_fd = t->dir_fd,
		.has_dir = t->has_dir,
	};
	int err = make_table(&larger);

	if (err) {
		free_table(&larger);
		return err;
	}
	for (uint64_t row = 0; row < t->used; row++) {
		place(&larger, hash_of(ctx, (uint32_t)row), (uint32_t)row);
		step(&larger);
	}
	free_table(t);
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
	step(t);
	return 0;
}

void mk_slots_fini(struct mk_slots *t)
{
	free_table(t);
	*t = (struct mk_slots){ 0 };
}
