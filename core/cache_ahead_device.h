/* SPDX-License-Identifier: MIT */
/*
 * cache_ahead_device - frames decoded by devices, many at once, and put into the
 * cache. Nobody waits for it: what a reader comes to before it is there, he
 * decodes himself. So a device that is slow, hangs or fails costs nothing but
 * the reading.
 *
 * Threads: one at a time.
 */
#ifndef ARC_CACHE_AHEAD_DEVICE_H
#define ARC_CACHE_AHEAD_DEVICE_H

#include "cache.h"
#include "gpu.h"

struct arc_ahead_device;

/* Frames that came to their end. */
struct arc_ahead_done {
	uint64_t frames;
	uint64_t device_frames; /* those of them that a device did ... */
	uint64_t device_batches; /* ... in so many batches */
	uint64_t segments; /* that readers had not decoded meanwhile */
};

/*
 * Looks for devices. window: bytes that may be on their way. threads: of the
 * CPU, to compare with. -ENODEV when there are none to use. Borrows all.
 */
int arc_ahead_device_new(struct arc_cache *cache,
			 const struct arc_gpu_options *opt,
			 struct arc_diag *diag, unsigned threads,
			 uint64_t window, struct arc_ahead_device **ret);

/* Waits for devices that are at work. Accepts NULL. */
void arc_ahead_device_free(struct arc_ahead_device *d);

ARC_DEFINE_CLEANUP(struct arc_ahead_device, arc_ahead_device_free)

/* Whether all slots, or any of them, are in use. */
bool arc_ahead_device_is_full(const struct arc_ahead_device *d);
bool arc_ahead_device_is_busy(const struct arc_ahead_device *d);

/* Whether all devices have been retired. From any thread. */
bool arc_ahead_device_is_lost(struct arc_ahead_device *d);

/* Begins with the frame at an offset of the stream, if a device can decode it.
 * Not when full. */
void arc_ahead_device_begin(struct arc_ahead_device *d, uint64_t off);

/* Waits for the frame that was begun first, and adds what came of it. Only when
 * busy. */
void arc_ahead_device_end(struct arc_ahead_device *d,
			  struct arc_ahead_done *done);

/* Gives devices' memory back until there is something to do again. Not when
 * busy. */
void arc_ahead_device_rest(struct arc_ahead_device *d);
bool arc_ahead_device_rests(const struct arc_ahead_device *d);

#endif
