/* SPDX-License-Identifier: MIT */
/*
 * dedup_i - the files that may be equal to others, what is known about each,
 * and the tools of a thread that reads them: dedup.c (the stages),
 * dedup_compare.c (byte comparison), dedup_hash.c (the hash).
 */
#ifndef MK_DEDUP_I_H
#define MK_DEDUP_I_H

#include <pthread.h>

#include "dedup.h"
#include "hash.h"
#include "sha256.h"
#include "source.h"

enum mk_candidate_state {
	MK_CANDIDATE_IN,
	MK_CANDIDATE_OUT, /* cannot be read or changed: takes no part */
	MK_CANDIDATE_EQUAL, /* to the leader it is being compared with */
};

struct mk_candidate {
	uint64_t size;
	uint64_t entry;
	uint64_t hash;
	uint8_t first[2];
	uint8_t last[2];
	uint8_t centre[3];
	uint8_t state; /* enum mk_candidate_state */
};

/* What one thread works with. */
struct mk_dedup_worker {
	struct mk_dedup_worker *next; /* idle ones */
	struct mk_source *source;
	uint8_t *leader; /* MK_COMPARE_PIECE bytes each */
	uint8_t *member;
	struct arc_digest *digest;
	struct arc_sha256 *sha256; /* NULL: not wanted */
};

#define MK_COMPARE_PIECE ((size_t)256 << 10)

struct mk_dedup {
	struct mk_run *run;
	struct mk_tree *tree;
	mk_dedup_hash hash;
	unsigned threads;
	struct mk_candidate *list;
	uint64_t count;
	uint64_t cap;
	uint64_t *groups; /* first candidate of each, and the end */
	pthread_mutex_t lock; /* guards idle */
	struct mk_dedup_worker *idle;
};

/*
 * Compares n candidates of equal size and hash, in the order of their entries,
 * with each other and enters leaders in the tree. Only want of memory or of
 * descriptors is an error.
 */
int mk_dedup_compare_group(struct mk_dedup *d, struct mk_dedup_worker *w,
			   struct mk_candidate *list, uint64_t n);

#endif
