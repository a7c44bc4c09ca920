/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "device_hash.h"
#include "device_kernel.h"
#include "device_mirror.h"
#include "hash.h"
#include "pool.h"

#define UNIT 16 /* bytes, as in hash.cl */
#define SLOTS 2

/* A warp each: few leaves shall be spread over many units. */
#define ITEMS 32

/* Where a leaf lies; what hash.cl sees as uint2. */
struct where {
	uint32_t unit;
	uint32_t n;
};

/* A batch and its memory. */
struct slot {
	struct arc_ocl_queue *queue;
	struct arc_mirror data, where, hash;
	const struct arc_span *leaf; /* the first; borrowed */
	uint64_t *ret; /* of the first; borrowed */
	uint32_t n; /* leaves; 0: nothing is under way */
};

struct arc_device_hasher {
	struct arc_ocl_kernel *kernel;
	struct slot slot[SLOTS];
	uint32_t leaves;
	uint32_t items;
	unsigned threads;
	uint64_t ns;
};

/* ---- making one ---------------------------------------------------------- */

void arc_device_hasher_free(struct arc_device_hasher *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &h->slot[i];

		arc_ocl_queue_free(slot->queue);
		arc_mirror_fini(&slot->data);
		arc_mirror_fini(&slot->where);
		arc_mirror_fini(&slot->hash);
	}
	arc_ocl_kernel_free(h->kernel);
	free(h);
}

static int slot_init(struct slot *slot, struct arc_ocl_device *dev,
		     size_t leaves)
{
	int err = arc_mirror_init(&slot->data, dev, leaves * ARC_FNV_LEAF);

	if (err == 0)
		err = arc_mirror_init(&slot->where, dev,
				      leaves * sizeof(struct where));
	if (err == 0)
		err = arc_mirror_init(&slot->hash, dev,
				      leaves * sizeof(uint64_t));
	return err < 0 ? err : arc_ocl_queue_new(dev, &slot->queue);
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
	for (unsigned i = 0; i < SLOTS && err == 0; i++)
		err = slot_init(&h->slot[i], dev, h->leaves);
	if (err < 0)
		return err;
	*ret = arc_steal(h);
	return 0;
}

/* ---- a batch ------------------------------------------------------------- */

/* The i-th leaf of a slot. Called by several threads. */
static int gather(void *ctx, uint64_t i)
{
	const struct slot *slot = ctx;
	const struct where *w = (const struct where *)slot->where.p + i;

	if (w->n > 0)
		memcpy((uint8_t *)slot->data.p + (size_t)w->unit * UNIT,
		       slot->leaf[i].p, w->n);
	return 0;
}

/* Gives the device up to n leaves; returns how many. */
static int start(struct arc_device_hasher *h, struct slot *slot,
		 const struct arc_span *leaf, size_t n, uint64_t *ret)
{
	struct where *where = slot->where.p;
	uint32_t units = 0;
	uint32_t leaves = (uint32_t)ARC_MIN(n, h->leaves);
	const struct arc_ocl_arg args[] = {
		ARC_OCL_BUFFER(slot->data.device),
		ARC_OCL_BUFFER(slot->where.device),
		ARC_OCL_VALUE(leaves),
		ARC_OCL_BUFFER(slot->hash.device),
	};
	int err;

	for (uint32_t i = 0; i < leaves; i++) {
		assert(leaf[i].n <= ARC_FNV_LEAF);
		where[i] = (struct where){ units, (uint32_t)leaf[i].n };
		units += (uint32_t)arc_div_up(leaf[i].n, UNIT);
	}
	slot->leaf = leaf;
	slot->ret = ret;
	slot->n = leaves;
	arc_parallel_each(h->threads, leaves, gather, slot);
	err = arc_mirror_send(&slot->data, slot->queue, 0,
			      (size_t)units * UNIT);
	if (err == 0)
		err = arc_mirror_send(&slot->where, slot->queue, 0,
				      leaves * sizeof(*where));
	if (err == 0)
		err = arc_ocl_run(slot->queue, h->kernel,
				  arc_div_up(leaves, h->items), h->items, args,
				  ARC_COUNT(args));
	if (err == 0)
		err = arc_mirror_fetch(&slot->hash, slot->queue, 0,
				       leaves * sizeof(uint64_t));
	return err < 0 ? err : arc_ocl_flush(slot->queue);
}

/* Waits for what a slot has under way. */
static int settle(struct arc_device_hasher *h, struct slot *slot)
{
	int err;

	if (slot->n == 0)
		return 0;
	err = arc_ocl_finish(slot->queue);
	if (err < 0)
		return err;
	h->ns += arc_ocl_kernel_ns(slot->queue);
	memcpy(slot->ret, slot->hash.p, slot->n * sizeof(uint64_t));
	slot->n = 0;
	return 0;
}

int arc_device_hasher_run(struct arc_device_hasher *h,
			  const struct arc_span *leaf, size_t n, uint64_t *ret)
{
	struct slot *slot = &h->slot[0];
	int err = 0;

	h->ns = 0;
	for (size_t done = 0; done < n && err == 0; done += slot->n) {
		slot = &h->slot[slot == &h->slot[0]];
		err = settle(h, slot);
		if (err == 0)
			err = start(h, slot, leaf + done, n - done, ret + done);
	}
	for (unsigned i = 0; i < SLOTS && err == 0; i++)
		err = settle(h, &h->slot[i]);
	return err;
}

uint64_t arc_device_hasher_kernel_ns(const struct arc_device_hasher *h)
{
	return h->ns;
}
