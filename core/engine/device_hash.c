/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "device_hash.h"
#include "device_kernel.h"
#include "device_mirror.h"
#include "hash.h"
#include "pool.h"

#define UNIT 16 /* bytes, as in hash.cl */

/* A warp each: few leaves shall be spread over many units. */
#define ITEMS 32

/* Where a leaf lies; what hash.cl sees as uint2. */
struct where {
	uint32_t unit;
	uint32_t n;
};

struct arc_device_hasher {
	struct arc_ocl_queue *queue;
	struct arc_ocl_kernel *kernel;
	struct arc_mirror data, where, hash;
	uint32_t leaves; /* of a batch at most */
	uint32_t items;
	unsigned threads;
	uint64_t ns;

	/* While a batch lasts. */
	const struct arc_span *leaf; /* while it is gathered */
	uint32_t n;
	uint32_t units;
};

/* ---- making one ---------------------------------------------------------- */

void arc_device_hasher_free(struct arc_device_hasher *h)
{
	if (!h)
		return;
	arc_ocl_queue_free(h->queue);
	arc_mirror_fini(&h->data);
	arc_mirror_fini(&h->where);
	arc_mirror_fini(&h->hash);
	arc_ocl_kernel_free(h->kernel);
	free(h);
}

static int allocate(struct arc_device_hasher *h, struct arc_ocl_device *dev)
{
	size_t leaves = h->leaves;
	int err = arc_mirror_init(&h->data, dev, leaves * ARC_FNV_LEAF);

	if (err == 0)
		err = arc_mirror_init(&h->where, dev,
				      leaves * sizeof(struct where));
	if (err == 0)
		err = arc_mirror_init(&h->hash, dev, leaves * sizeof(uint64_t));
	return err < 0 ? err : arc_ocl_queue_new(dev, &h->queue);
}

int arc_device_hasher_new(struct arc_ocl_device *dev, const char *cache_dir,
			  uint32_t leaves, unsigned threads,
			  struct arc_device_hasher **ret)
{
	static const char *const files[] = { "hash.cl" };
	const struct arc_ocl_info *info = arc_ocl_info(dev);
	arc_cleanup(arc_device_hasher_freep) struct arc_device_hasher *h =
		calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	assert(leaves > 0);
	if (!info->little)
		return -ENODEV;
	h->leaves = (uint32_t)ARC_MIN(leaves, UINT32_MAX * UNIT / ARC_FNV_LEAF);
	h->items = (uint32_t)ARC_MIN(info->work_group, ITEMS);
	h->threads = threads;
	err = arc_device_kernel_new(dev, files, ARC_COUNT(files),
				    "-cl-std=CL1.2", cache_dir, "hash_leaves",
				    &h->kernel);
	if (err == 0)
		err = allocate(h, dev);
	if (err < 0)
		return err;
	*ret = arc_steal(h);
	return 0;
}

/* ---- a batch ------------------------------------------------------------- */

/* Called by several threads. */
static int gather(void *ctx, uint64_t i)
{
	const struct arc_device_hasher *h = ctx;
	const struct where *w = (const struct where *)h->where.p + i;

	if (w->n > 0)
		memcpy((uint8_t *)h->data.p + (size_t)w->unit * UNIT,
		       h->leaf[i].p, w->n);
	return 0;
}

int arc_device_hasher_load(struct arc_device_hasher *h,
			   const struct arc_span *leaf, size_t n)
{
	struct where *where = h->where.p;

	assert(n <= h->leaves);
	h->n = (uint32_t)n;
	h->units = 0;
	for (size_t i = 0; i < n; i++) {
		assert(leaf[i].n <= ARC_FNV_LEAF);
		where[i] = (struct where){ h->units, (uint32_t)leaf[i].n };
		h->units += (uint32_t)arc_div_up(leaf[i].n, UNIT);
	}
	h->leaf = leaf;
	return arc_parallel_each(h->threads, n, gather, h);
}

int arc_device_hasher_compute(struct arc_device_hasher *h)
{
	const struct arc_ocl_arg args[] = {
		ARC_OCL_BUFFER(h->data.device),
		ARC_OCL_BUFFER(h->where.device),
		ARC_OCL_VALUE(h->n),
		ARC_OCL_BUFFER(h->hash.device),
	};
	int err;

	if (h->n == 0)
		return 0;
	err = arc_mirror_send(&h->data, h->queue, 0, (size_t)h->units * UNIT);
	if (err == 0)
		err = arc_mirror_send(&h->where, h->queue, 0,
				      h->n * sizeof(struct where));
	if (err == 0)
		err = arc_ocl_run(h->queue, h->kernel,
				  arc_div_up(h->n, h->items), h->items, args,
				  ARC_COUNT(args));
	if (err == 0)
		err = arc_mirror_fetch(&h->hash, h->queue, 0,
				       h->n * sizeof(uint64_t));
	if (err == 0)
		err = arc_ocl_finish(h->queue);
	if (err == 0)
		h->ns += arc_ocl_kernel_ns(h->queue);
	return err;
}

void arc_device_hasher_store(const struct arc_device_hasher *h, uint64_t *ret)
{
	if (h->n > 0)
		memcpy(ret, h->hash.p, h->n * sizeof(*ret));
}

int arc_device_hasher_run(struct arc_device_hasher *h,
			  const struct arc_span *leaf, size_t n, uint64_t *ret)
{
	int err = 0;

	h->ns = 0;
	while (n > 0 && err == 0) {
		size_t part = ARC_MIN(n, h->leaves);

		err = arc_device_hasher_load(h, leaf, part);
		if (err == 0)
			err = arc_device_hasher_compute(h);
		if (err == 0)
			arc_device_hasher_store(h, ret);
		leaf += part;
		ret += part;
		n -= part;
	}
	return err;
}

uint64_t arc_device_hasher_kernel_ns(const struct arc_device_hasher *h)
{
	return h->ns;
}

uint64_t arc_device_hasher_launch_ns(const struct arc_device_hasher *h)
{
	return arc_ocl_longest_ns(h->queue);
}
