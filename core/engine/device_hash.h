/* SPDX-License-Identifier: MIT */
/*
 * device_hash - leaves of the duplicate hash (hash.h) by an OpenCL device. They
 * are gathered into pinned memory in batches. Two hashers of a device overlap:
 * while one computes, the other gathers.
 *
 * Nothing is checked here.
 *
 * Threads: one owner.
 */
#ifndef ARC_DEVICE_HASH_H
#define ARC_DEVICE_HASH_H

#include "ocl.h"

struct arc_device_hasher;

/*
 * For batches of up to `leaves` leaves, of which a device should have some
 * hundreds; each takes a little more than 64 KiB of the device's memory and of
 * the host's. They are gathered by up to `threads` threads. cache_dir as
 * arc_ocl_build() has it. -ENODEV when the device is none that could.
 */
int arc_device_hasher_new(struct arc_ocl_device *dev, const char *cache_dir,
			  uint32_t leaves, unsigned threads,
			  struct arc_device_hasher **ret);
void arc_device_hasher_free(struct arc_device_hasher *h); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_device_hasher, arc_device_hasher_free)

/*
 * ret[i] = arc_fnv1a(leaf[i]) for any number of leaves, none longer than
 * ARC_FNV_LEAF. After an error the hasher is good for nothing but being freed.
 */
int arc_device_hasher_run(struct arc_device_hasher *h,
			  const struct arc_span *leaf, size_t n, uint64_t *ret);

/*
 * One batch in three steps, of at most as many leaves as the hasher was made
 * for. Only the second has to do with the device, and may hang; it looks at
 * nothing but the hasher's own memory.
 */
int arc_device_hasher_load(struct arc_device_hasher *h,
			   const struct arc_span *leaf, size_t n);
int arc_device_hasher_compute(struct arc_device_hasher *h);
void arc_device_hasher_store(const struct arc_device_hasher *h, uint64_t *ret);

/* Nanoseconds that kernels ran in the last run, 0 when the device does not
 * tell. */
uint64_t arc_device_hasher_kernel_ns(const struct arc_device_hasher *h);

/* Likewise of the last launch. */
uint64_t arc_device_hasher_launch_ns(const struct arc_device_hasher *h);

#endif
