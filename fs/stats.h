/* SPDX-License-Identifier: MIT */
/*
 * stats - what a mount has done so far: requests by operation here, the rest
 * asked from the archive, told as one JSON object (user.arcfs.stats).
 *
 * Threads: counters are atomic; every function may be called from any thread.
 */
#ifndef ARCFS_STATS_H
#define ARCFS_STATS_H

#include <time.h>

#include "archive.h"

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

struct arcfs_stats {
	uint64_t requests[ARCFS_OP_COUNT]; /* atomic */
	uint64_t errors; /* atomic; requests answered EIO */
	uint64_t served; /* atomic; bytes of file data handed out */
	struct timespec start;
};

void arcfs_stats_init(struct arcfs_stats *stats);

static inline void arcfs_stats_add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* One line of JSON, NUL-terminated, freed by the caller; NULL: no memory.
 * prefill: NULL: none. */
char *arcfs_stats_json(const struct arcfs_stats *stats, struct arc_archive *a,
		       struct arcfs_prefill *prefill);

#endif
