/* SPDX-License-Identifier: MIT */
/*
 * Volumes in memory. The writer closes a volume's store when it is full, the
 * set keeps the bytes: so the writer gets a window that may be closed without
 * the store behind it.
 */
#include "volwrite.h"

struct window {
	struct arc_store store;
	struct arc_store *inner; /* the set's */
};

static struct arc_store *inner_of(struct arc_store *s)
{
	return ((struct window *)s)->inner;
}

static ssize_t window_pread(struct arc_store *s, void *buf, size_t n,
			    uint64_t off)
{
	return inner_of(s)->ops->pread(inner_of(s), buf, n, off);
}

static ssize_t window_pwrite(struct arc_store *s, const void *buf, size_t n,
			     uint64_t off)
{
	return inner_of(s)->ops->pwrite(inner_of(s), buf, n, off);
}

static int window_size(struct arc_store *s, uint64_t *ret)
{
	return arc_store_size(inner_of(s), ret);
}

static int window_sync(struct arc_store *s)
{
	return arc_store_sync(inner_of(s));
}

static void window_close(struct arc_store *s)
{
	free(s);
}

static const struct arc_store_ops window_ops = {
	.pread = window_pread,
	.pwrite = window_pwrite,
	.size = window_size,
	.sync = window_sync,
	.close = window_close,
};

static int open_window(const struct mk_memory_set *set, uint32_t number,
		       struct arc_store **ret)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->store.ops = &window_ops;
	w->inner = set->stores[number - 1];
	*ret = &w->store;
	return 0;
}

static int memory_create(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct mk_memory_set *set = ctx;
	struct arc_store **stores;
	int r;

	assert(number == set->n + 1);
	stores = realloc(set->stores, number * sizeof(struct arc_store *));
	if (!stores)
		return -ENOMEM;
	set->stores = stores;
	r = arc_store_memory(&set->stores[set->n]);
	if (r < 0)
		return r;
	set->n++;
	return open_window(set, number, ret);
}

/* All that is there, but for the last, counts as finished. */
static int memory_adopt(void *ctx, uint32_t number, struct arc_store **ret,
			bool *ret_complete)
{
	const struct mk_memory_set *set = ctx;

	if (number > set->n)
		return -ENOENT;
	*ret_complete = number < set->n;
	return open_window(set, number, ret);
}

static int memory_reopen(void *ctx, uint32_t number, uint64_t n,
			 struct arc_store **ret)
{
	struct mk_memory_set *set = ctx;
	uint32_t kept = n ? number : number - 1;
	int r;

	while (set->n > kept)
		arc_store_close(set->stores[--set->n]);
	if (!n)
		return memory_create(set, number, ret);
	r = arc_store_memory_resize(set->stores[number - 1], n);
	return r < 0 ? r : open_window(set, number, ret);
}

static int memory_complete(void *ctx, uint32_t number)
{
	(void)ctx;
	(void)number;
	return 0;
}

static int memory_sync(void *ctx)
{
	(void)ctx;
	return 0;
}

static void memory_close(void *ctx)
{
	(void)ctx;
}

static const struct mk_volume_sink_ops memory_ops = {
	.create = memory_create,
	.complete = memory_complete,
	.sync = memory_sync,
	.close = memory_close,
	.adopt = memory_adopt,
	.reopen = memory_reopen,
};

int mk_volume_sink_memory(struct mk_memory_set *set, struct mk_volume_sink *ret)
{
	*ret = (struct mk_volume_sink){ .ops = &memory_ops, .ctx = set };
	return 0;
}
