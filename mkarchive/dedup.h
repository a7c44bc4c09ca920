/* SPDX-License-Identifier: MIT */
/*
 * dedup - finds files of equal content before anything is packed, in stages
 * that each read more and have fewer files left:
 *
 *	size -> first 2 bytes -> last 2 bytes -> 3 bytes at the centre
 *	     -> FNV-1a 64 over leaves of 64 KiB -> byte comparison
 *
 * A hash only proposes; bytes decide. A file whose size is unique is never
 * opened. Empty files take no part; hard links are one file. The hash is
 * computed by devices where run->gpu has some for it, with the same result;
 * those of them that fail are taken out of run->gpu.
 *
 * Content is what read(2) gives: a hole equals zeros.
 *
 * Threads: one call; works with run->opt->io_workers threads inside.
 */
#ifndef MK_DEDUP_H
#define MK_DEDUP_H

#include "mk_run.h"

/*
 * Sets `leader` of every regular entry: the first entry (lowest number) with
 * equal content, itself when there is none; for those with a leader sets
 * MK_ENTRY_CANDIDATE and the digest (tree->digests; sha256 too when opened) of
 * the content that was compared, so that packing can tell whether the leader
 * still is what was compared. A file that cannot be read or changed since the
 * scan takes no part (packing will report it). What is known of the candidates
 * lies in temporary files in the folder tmp_fd (borrowed): memory does not
 * depend on their number.
 */
int mk_dedup(struct mk_run *run, struct mk_tree *tree, int tmp_fd);

/* Hash of a file, replaced by tests to force collisions. */
typedef int (*mk_dedup_hash)(int fd, uint64_t size, uint64_t *ret);
int mk_dedup_with(struct mk_run *run, struct mk_tree *tree, int tmp_fd,
		  mk_dedup_hash hash);

/* The real one: leaves joined in order, then the size. */
int mk_dedup_fnv(int fd, uint64_t size, uint64_t *ret);

#endif
