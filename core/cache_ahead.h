/* SPDX-License-Identifier: MIT */
/*
 * cache_ahead - decodes what readers will want next: those who read the stream
 * in order are noticed (cache_runs.h), and what lies in front of them is put
 * into the cache, by devices if there are any (cache_ahead_device.h), else by a
 * thread.
 *
 * Nobody waits for devices. For the thread one waits as for any other reader
 * who has begun to decode the same, segment by segment.
 *
 * Threads: one of its own, which also looks for the devices; noting from any.
 */
#ifndef ARC_CACHE_AHEAD_H
#define ARC_CACHE_AHEAD_H

#include "cache.h"

struct arc_ahead;

/* As arc_cache_read_ahead(). */
int arc_ahead_new(struct arc_cache *cache, const struct arc_ahead_options *opt,
		  struct arc_ahead **ret);

/* Ends the thread; waits for devices that are at work. Accepts NULL. */
void arc_ahead_free(struct arc_ahead *a);

/* Waits until devices have been looked for, which with FORCE is at once.
 * -ENODEV: there is none. */
int arc_ahead_await(struct arc_ahead *a);

/* A reader has pinned [off, off + n) of the stream. fresh: it had to decode it,
 * or is the first to use what was decoded ahead. */
void arc_ahead_note(struct arc_ahead *a, uint64_t off, size_t n, bool fresh);

/* Whether who reads the stream at `off` reads in order. */
bool arc_ahead_is_order(struct arc_ahead *a, uint64_t off);

/* A group of n bytes has taken memory that nobody had touched. */
void arc_ahead_want_buffers(struct arc_ahead *a, size_t n);

void arc_ahead_stats(struct arc_ahead *a, struct arc_ahead_stats *ret);

#endif
