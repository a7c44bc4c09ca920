/* SPDX-License-Identifier: MIT */
/*
 * volume_memory - volumes that are stores of somebody else's, for tests. What
 * is opened is a thin store that forwards reads and leaves the lender's store
 * open when it is closed.
 */
#include "volume.h"

struct lent_store {
	struct arc_store store;
	struct arc_store *inner; /* borrowed */
};

static ssize_t lent_pread(struct arc_store *s, void *buf, size_t n,
			  uint64_t off)
{
	struct lent_store *lent = (struct lent_store *)s;

	return lent->inner->ops->pread(lent->inner, buf, n, off);
}

static ssize_t lent_pwrite(struct arc_store *s, const void *buf, size_t n,
			   uint64_t off)
{
	(void)s;
	(void)buf;
	(void)n;
	(void)off;
	return -EACCES;
}

static int lent_size(struct arc_store *s, uint64_t *ret)
{
	struct lent_store *lent = (struct lent_store *)s;

	return lent->inner->ops->size(lent->inner, ret);
}

static int lent_sync(struct arc_store *s)
{
	(void)s;
	return 0;
}

static void lent_close(struct arc_store *s)
{
	free(s);
}

static const struct arc_store_ops lent_ops = {
	.pread = lent_pread,
	.pwrite = lent_pwrite,
	.size = lent_size,
	.sync = lent_sync,
	.close = lent_close,
};

struct memory_set {
	struct arc_store **stores; /* borrowed */
	uint32_t n;
};

static int open_memory(void *ctx, uint32_t number, struct arc_store **ret)
{
	const struct memory_set *set = ctx;
	struct lent_store *lent;

	if (number == 0 || number > set->n || !set->stores[number - 1])
		return -ENOMEDIUM;
	lent = malloc(sizeof(*lent));
	if (!lent)
		return -ENOMEM;
	lent->store.ops = &lent_ops;
	lent->inner = set->stores[number - 1];
	*ret = &lent->store;
	return 0;
}

static int highest_memory(void *ctx, uint32_t below, uint32_t *ret)
{
	const struct memory_set *set = ctx;
	uint32_t number = ARC_MIN(set->n, below > 0 ? below - 1 : 0);

	while (number > 0 && !set->stores[number - 1])
		number--;
	*ret = number;
	return 0;
}

static const struct arc_volume_source_ops memory_ops = {
	.open = open_memory,
	.highest = highest_memory,
	.close = free,
};

int arc_volume_source_memory(struct arc_store **stores, uint32_t n,
			     struct arc_volume_source *ret)
{
	struct memory_set *set = malloc(sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->stores = stores;
	set->n = n;
	*ret = (struct arc_volume_source){ .ops = &memory_ops, .ctx = set };
	return 0;
}
