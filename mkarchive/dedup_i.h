/* SPDX-License-Identifier: MIT */
/*
 * dedup_i - the files that may be equal to others, what is known about each,
 * and the tools of a thread that reads them: dedup.c (the stages),
 * dedup_list.c (the list of candidates), dedup_compare.c (byte comparison),
 * dedup_hash.c (the hash), dedup_device.c (the hash by devices).
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
	uint64_t read; /* bytes compared, not counted yet */
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
	struct mk_spool list; /* struct mk_candidate */
	struct mk_spool spare; /* to sort the list with */
	struct mk_spool groups; /* u64: first candidate of each, and the end */
	pthread_mutex_t lock; /* guards idle */
	struct mk_dedup_worker *idle;
};

static inline struct mk_candidate *mk_candidate_at(const struct mk_dedup *d,
						   uint64_t i)
{
	return mk_spool_at(&d->list, i);
}

/* Call it with the number of a row that was done; any thread may. Now and then
 * pages of the tree and of the list are handed back. */
void mk_dedup_release(const struct mk_dedup *d, uint64_t row);

/* ---- the list (dedup_list.c) --------------------------------------------- */

/* What is known to be equal after a stage. */
enum mk_dedup_stage { MK_SIZE, MK_FIRST, MK_LAST, MK_CENTRE, MK_HASH };

/* Enters every file that may have an equal one. */
int mk_candidates_collect(struct mk_dedup *d);

/* The order in which equal ones are neighbours, or that of the tree, in which
 * files lie near each other on disk: that is the one to read them in. */
int mk_candidates_sort_by_content(struct mk_dedup *d);
int mk_candidates_sort_by_entry(struct mk_dedup *d);

/* In the order by content: the end of the group of equal ones begun at i. */
uint64_t mk_candidates_group_end(const struct mk_dedup *d, uint64_t i,
				 enum mk_dedup_stage stage);

/* In the order by content: keeps those that are not alone, counts them. */
void mk_candidates_keep_groups(struct mk_dedup *d, enum mk_dedup_stage stage,
			       mk_counter *count);

/* Keeps those whose state is MK_CANDIDATE_IN. */
void mk_candidates_drop_out(struct mk_dedup *d);

/* ---- workers (dedup.c) --------------------------------------------------- */

/* One that is idle, or a new one. To be put back. */
int mk_dedup_take_worker(struct mk_dedup *d, struct mk_dedup_worker **ret);
void mk_dedup_put_worker(struct mk_dedup *d, struct mk_dedup_worker *w);

/* ---- the hash (dedup_hash.c) --------------------------------------------- */

/* Bytes read at once: whole leaves but at the end of a file. */
#define MK_HASH_PIECE ((size_t)1 << 20)

/* Who takes the leaves of a file, in their order. What fails ends the reading
 * with that code. */
struct mk_leaves {
	void *ctx;
	/* Room for the next n bytes, at most MK_HASH_PIECE. */
	int (*room)(void *ctx, size_t n, uint8_t **ret);
	/* They are there. Only the last ones of a file may end within a leaf. */
	int (*data)(void *ctx, size_t n);
	/* n leaves of zeros, which nobody has read. */
	int (*zeros)(void *ctx, size_t n);
};

int mk_dedup_read_leaves(int fd, uint64_t size, const struct mk_leaves *leaves);

/* Hash of a leaf of zeros. */
uint64_t mk_dedup_zero_leaf(void);

/* mk_dedup_fnv() of bytes, one leaf at most. */
uint64_t mk_dedup_fnv_bytes(struct arc_span bytes);

/* ---- the hash by devices (dedup_device.c) -------------------------------- */

/* Whether it is their work: they have been chosen for it, and there is enough
 * of it. */
bool mk_dedup_is_for_devices(const struct mk_dedup *d);

/* Hashes the files of the list as mk_dedup_fnv() would. */
int mk_dedup_hash_by_devices(struct mk_dedup *d);

/* ---- comparison (dedup_compare.c) ---------------------------------------- */

/*
 * Compares n candidates of equal size and hash, in the order of their entries,
 * with each other and enters leaders in the tree. Only want of memory or of
 * descriptors is an error.
 */
int mk_dedup_compare_group(struct mk_dedup *d, struct mk_dedup_worker *w,
			   struct mk_candidate *list, uint64_t n);

#endif
