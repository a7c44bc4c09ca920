/* SPDX-License-Identifier: MIT */
/*
 * A place is the low bits of the mark, so that a table that grows is read from
 * its beginning to its end, and the one twice its size is written at two places
 * that move on likewise.
 */
#include "slots.h"

#define SLOTS_MIN 1024

/* As many places as a mark tells apart. */
#define SLOTS_MAX ((uint64_t)1 << 32)

/* Larger tables lie in a file. */
#define MEMORY_MAX (16 * ARC_MIB)

/* The hashes come from outside (inode numbers): spread them over all bits. */
static uint32_t mark_of(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash ^ hash >> 29);
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

static void place(struct mk_slots *t, struct mk_slot slot)
{
	uint64_t i = slot.mark & (t->count - 1);

	while (t->slot[i].row)
		i = (i + 1) & (t->count - 1);
	t->slot[i] = slot;
}

bool mk_slots_find(struct mk_slots *t, uint64_t hash, mk_slots_same same,
		   const void *ctx, uint32_t *ret_row)
{
	uint32_t mark = mark_of(hash);

	if (!t->count)
		return false;
	step(t);
	for (uint64_t i = mark & (t->count - 1); t->slot[i].row;
	     i = (i + 1) & (t->count - 1)) {
		uint32_t row = t->slot[i].row - 1;

		if (t->slot[i].mark == mark && same(ctx, row)) {
			*ret_row = row;
			return true;
		}
	}
	return false;
}

static int grow(struct mk_slots *t)
{
	struct mk_slots larger = {
		.count = t->count ? t->count * 2 : SLOTS_MIN,
		.used = t->used,
		.dir_fd = t->dir_fd,
		.has_dir = t->has_dir,
	};
	int err;

	if (larger.count > SLOTS_MAX)
		return -E2BIG;
	err = make_table(&larger);
	if (err) {
		free_table(&larger);
		return err;
	}
	for (uint64_t i = 0; i < t->count; i++) {
		if (t->slot[i].row)
			place(&larger, t->slot[i]);
		step(t);
		step(&larger);
	}
	free_table(t);
	*t = larger;
	return 0;
}

int mk_slots_add(struct mk_slots *t, uint64_t hash)
{
	if (t->used >= t->count / 4 * 3) {
		int err = grow(t);

		if (err)
			return err;
	}
	place(t, (struct mk_slot){ (uint32_t)t->used + 1, mark_of(hash) });
	t->used++;
	step(t);
	return 0;
}

void mk_slots_fini(struct mk_slots *t)
{
	free_table(t);
	*t = (struct mk_slots){ 0 };
}
