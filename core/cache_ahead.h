/* SPDX-License-Identifier: MIT */
/*
 * cache_ahead - has devices decode what readers will want next. Readers whose
 * pins follow each other in the stream are noticed; the frames in front of them
 * are read, decoded by devices, many at once, and put into the cache.
 *
 *	stream  ...|####|####|>> . . | frame | frame | frame |...
 *	             readers ^        \_ asked for: read, decoded, published
 *
 * Nobody waits for it: a reader who comes to something before it is there
 * decodes it, as ever. So a device that is slow, hangs or fails costs nothing
 * but the reading.
 *
 * Threads: one of its own, which also looks for the devices; noting from any.
 */
#ifndef ARC_CACHE_AHEAD_H
#define ARC_CACHE_AHEAD_H

#include "cache.h"
#include "gpu.h"

struct arc_ahead;

/* extra: by so many bytes the cache may grow when there are devices. */
int arc_ahead_new(struct arc_cache *cache, const struct arc_gpu_options *opt,
		  unsigned threads, size_t extra, struct arc_ahead **ret);

/* Ends the thread; waits for devices that are at work. Accepts NULL. */
void arc_ahead_free(struct arc_ahead *a);

/* A reader has pinned [off, off + n) of the stream. fresh: it had to decode it,
 * or is the first to use what was decoded ahead. */
void arc_ahead_note(struct arc_ahead *a, uint64_t off, size_t n, bool fresh);

void arc_ahead_stats(struct arc_ahead *a, struct arc_ahead_stats *ret);

#endif
