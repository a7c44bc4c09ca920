/* SPDX-License-Identifier: MIT */
/*
 * stats - what a mount has done so far: requests by operation and how long they
 * took here, the rest asked from the archive, told as one JSON object
 * (user.arcfs.stats).
 *
 * Threads: counters are atomic; every function may be called from any thread.
 */
#ifndef ARCFS_STATS_H
#define ARCFS_STATS_H

#include <time.h>

#include "archive.h"
#include "latency.h"

/* id, name in the JSON object */
#define ARCFS_OPS(X)                                                           \
	X(LOOKUP, "lookup")                                                    \
	X(GETATTR, "getattr")                                                  \
	X(READLINK, "readlink")                                                \
	X(OPEN, "open")                                                        \
	X(READ, "read")                                                        \
	X(LSEEK, "lseek")                                                      \
	X(OPENDIR, "opendir")                                                  \
	X(READDIR, "readdir")                                                  \
	X(READDIRPLUS, "readdirplus")                                          \
	X(GETXATTR, "getxattr")                                                \
	X(LISTXATTR, "listxattr")                                              \
	X(STATFS, "statfs")                                                    \
	X(REFUSED, "refused")

enum arcfs_op {
#define X(id, name) ARCFS_OP_##id,
	ARCFS_OPS(X)
#undef X
		ARCFS_OP_COUNT
};

struct arcfs_prefill;

struct arcfs_op_stats {
	uint64_t count; /* atomic; begun: whoever has an answer is counted */
	struct arcfs_latency latency; /* of those answered */
};

struct arcfs_stats {
	struct arcfs_op_stats op[ARCFS_OP_COUNT];
	uint64_t errors; /* atomic; requests answered EIO */
	uint64_t served; /* atomic; bytes of file data handed out */
	struct timespec start;
};

void arcfs_stats_init(struct arcfs_stats *stats);

static inline void arcfs_stats_add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* A request under way: from where it is taken up to where it is answered. */
struct arcfs_timer {
	struct arcfs_op_stats *op;
	uint64_t begun; /* ns */
};

/* Counts the request. */
struct arcfs_timer arcfs_timer_begin(struct arcfs_stats *stats,
				     enum arcfs_op op);
void arcfs_timer_end(const struct arcfs_timer *timer);

/* One line of JSON, NUL-terminated, freed by the caller; NULL: no memory.
 * prefill: NULL: none. */
char *arcfs_stats_json(const struct arcfs_stats *stats, struct arc_archive *a,
		       struct arcfs_prefill *prefill);

#endif
