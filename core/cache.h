/* SPDX-License-Identifier: MIT */
/*
 * cache - decoded bytes of the stream, by group of segments. A reader pins a
 * piece, uses it, unpins it. Only what a piece needs is decoded: its segments
 * and those they refer to, as the codec tells; each once, whoever asks (single
 * flight). Every byte handed out has been compared with its segment's checksum.
 *
 *	stream  ...|  frame 7                                |  frame 8 ...
 *	groups     | 256 KiB | 256 KiB | ...                 |
 *	segments   |64K|64K|64K|64K| ...      pin = bytes within one group
 *
 * Limits: the budget is a ceiling on all of it together: groups, pinned or
 * kept; heads of records; stored bytes that are being decoded; buffers kept for
 * the next groups; copies of bytes for replies. What is kept makes room for
 * what is needed, and where that is not enough, requests wait for each other,
 * as lru.h tells. The ceiling can be passed by
 *	- one request at a time, the one with the right of way: by one group,
 *	  those before it in its frame that it refers to, and their stored bytes
 *	  (36 MiB at worst, of a frame of 16 MiB that is one group coded whole);
 *	- one copy of a reply, when there is no other (ARC_READ_MAX);
 *	- heads in use, 16 KiB for each thread that decodes;
 *	- a second buffer for a group that is coded whole and in part damaged;
 *	- a group that is being published of those decoded ahead.
 *
 * Why waiting is no deadlock. A request waits for room in two places: before a
 * group that is not there is made, and before it decodes, when all groups that
 * it needs are pinned and it knows how many stored bytes it will read. In both
 * it has no group busy and loads nothing, so others wait for nothing of it but
 * room. It then has one pin at most from earlier calls: none, or it is hasty
 * (arc_cache_pin_more) and gets -E2BIG instead of waiting. Copies of replies
 * are begun before anything is pinned and wait for copies alone, whose owners
 * wait for pins, never the other way round.
 *
 * Threads: locked inside; nothing is locked while reading or decoding.
 */
#ifndef ARC_CACHE_H
#define ARC_CACHE_H

#include "index.h"
#include "record.h"

struct arc_cache;

/* Pinned bytes of the stream. */
struct arc_pin {
	const uint8_t *p;
	size_t n;
	uint64_t key; /* the cache's, as the next */
	struct arc_lru_claim claim;
};

/* What has been decoded ahead of readers. */
struct arc_ahead_stats {
	uint64_t segments; /* that readers had not decoded meanwhile */
	uint64_t groups; /* that some of them are in ... */
	uint64_t used; /* ... and readers have come to */
	uint64_t pieces; /* that the CPU was asked for, of up to 1 MiB */
	uint64_t frames; /* handed to devices */
	uint64_t device_frames; /* those of them that a device did ... */
	uint64_t device_batches; /* ... in so many batches */
	const char *state; /* of devices: "off", "not looked for", "in use",
			    * "none" */
	char message[256]; /* the first one about devices; "" */
};

/* What the cache takes, in bytes unless said otherwise. */
struct arc_cache_memory {
	uint64_t ceiling;
	uint64_t limit; /* of what is kept now; below the ceiling: shrunk */
	uint64_t held; /* groups, heads and buffers kept for the next */
	uint64_t in_flight; /* stored bytes and copies of requests under way */
	uint64_t peak; /* of all */
	uint64_t waits; /* times a request had to wait for room */
	uint64_t shrinks; /* times */
	uint64_t tidied; /* groups dropped since they were not used */
};

struct arc_cache_stats {
	struct arc_lru_stats groups;
	uint64_t segments[ARC_CODEC_COUNT]; /* decoded, by codec */
	uint64_t decoded; /* bytes decoded */
	uint64_t served; /* bytes pinned for readers */
	uint64_t bad_segments; /* checksums of segments that failed */
	struct arc_ahead_stats ahead;
	struct arc_cache_memory memory;
};

/* Borrows idx and vs. budget in bytes. Bad segments are named to diag. */
int arc_cache_new(struct arc_index *idx, struct arc_volumes *vs, size_t budget,
		  struct arc_diag *diag, struct arc_cache **ret);
void arc_cache_free(struct arc_cache *cache); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_cache, arc_cache_free)

struct arc_gpu_options;

struct arc_ahead_options {
	const struct arc_gpu_options *gpu; /* which devices decode ahead */
	bool cpu; /* a thread does where there are none */
	unsigned threads; /* of the CPU: devices are compared with all */
	size_t extra; /* the budget becomes larger by it with devices */
};

/*
 * From now on what those who read in order will want next is decoded before
 * they ask (cache_ahead.h): by devices up to half of the budget, by the CPU
 * some MiB. To be called once, before anything is pinned, and not before a
 * program has gone into the background: it starts threads. Copies opt.
 */
int arc_cache_read_ahead(struct arc_cache *cache,
			 const struct arc_ahead_options *opt);

/* Waits for devices that are forced to have been looked for: -ENODEV when none
 * can be used, which has been said. */
int arc_cache_await_devices(struct arc_cache *cache);

/*
 * Pins the bytes of the stream from `off` on: at least 1, at most n, up to the
 * end of the group at most. -EBADMSG when they are damaged, -ENOMEDIUM,
 * -ESTALE, -EIO from the volume. Damage in other segments does not matter.
 * Waits for memory, so the caller may have no other pin.
 */
int arc_cache_pin(struct arc_cache *cache, uint64_t off, size_t n,
		  struct arc_pin *ret);

/* The same for who has pins already: -E2BIG instead of waiting. */
int arc_cache_pin_more(struct arc_cache *cache, uint64_t off, size_t n,
		       struct arc_pin *ret);
void arc_cache_unpin(struct arc_cache *cache, struct arc_pin *pin);

/* Makes room for a copy of n bytes, before anything is pinned; waits while
 * copies take a quarter of the budget. */
void arc_cache_begin_copy(struct arc_cache *cache, size_t n);
void arc_cache_end_copy(struct arc_cache *cache, size_t n);

/* Gives memory back at once; slowly grows again; drops what has not been used
 * for `age` ticks and returns how many bytes: see lru.h. */
void arc_cache_shrink(struct arc_cache *cache);
bool arc_cache_regrow(struct arc_cache *cache);
size_t arc_cache_tidy(struct arc_cache *cache, uint32_t now, uint32_t age);

/* Whether a record that was found in a frame's place is the one the index
 * means, and not a stale or foreign one. */
bool arc_cache_is_meant(const struct arc_record *r, const struct arc_frame *f);

void arc_cache_stats(struct arc_cache *cache, struct arc_cache_stats *ret);

#endif
