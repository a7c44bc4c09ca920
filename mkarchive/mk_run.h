/* SPDX-License-Identifier: MIT */
/*
 * mk_run - what the stages of one run share: options, messages, counters, and
 * the list of what went wrong with single files.
 *
 * Threads: counters are atomic; mk_problem() is locked inside; the rest is
 * frozen once the run has begun.
 */
#ifndef MK_RUN_H
#define MK_RUN_H

#include <stdatomic.h>

#include "diag.h"
#include "mk_options.h"
#include "stages.h"
#include "tree.h"

typedef atomic_uint_fast64_t mk_counter;

struct mk_stats {
	/* scan */
	mk_counter files; /* regular inodes found */
	mk_counter dirs;
	mk_counter symlinks;
	mk_counter others;
	mk_counter hardlinks; /* further names */
	mk_counter excluded;
	mk_counter bytes; /* sum of st_size of regular inodes */
	mk_counter listed; /* entries */

	/* dedup: files that are still candidates after each stage */
	mk_counter same_size;
	mk_counter same_first;
	mk_counter same_last;
	mk_counter same_centre;
	mk_counter hashed; /* files read as a whole for the hash */
	mk_counter device_hashed; /* bytes of them hashed by devices */
	mk_counter same_hash;
	mk_counter compared; /* pairs compared byte for byte */
	mk_counter searched; /* files opened on the way */
	mk_counter searched_bytes; /* read from them */
	mk_counter duplicates; /* files found equal */
	mk_counter duplicate_bytes; /* their data, not stored again */

	/* order */
	mk_counter sketched; /* files whose beginnings were read */
	mk_counter similar; /* files put behind one that they are like */

	/* pack */
	mk_counter read_bytes; /* data read from files for packing */
	mk_counter read_files;
	mk_counter held_bytes; /* of these, what the search had read */
	mk_counter held_files;
	mk_counter hole_bytes;
	mk_counter stream; /* bytes of the stream */
	mk_counter frames[8]; /* by codec id */
	mk_counter frame_raw[8];
	mk_counter frame_stored[8];
	mk_counter skipped_named; /* bytes not tried: by name */
	mk_counter skipped_noise; /* by what they look like */
	mk_counter device_frames; /* encoded by devices */
	mk_counter kept_frames; /* of an earlier run, not encoded again */
	mk_counter kept_bytes; /* raw */

	/* volwrite */
	mk_counter volumes;
	mk_counter written; /* bytes of all volumes */
	mk_counter index_bytes;
	mk_counter indexed; /* entries written down */

	/* recheck, removal */
	mk_counter verified; /* entries found equal */
	mk_counter verified_bytes; /* of the source, compared */
	mk_counter differences; /* that are the archive's fault */
	mk_counter removed; /* entries of the source */
	mk_counter removed_bytes;
	mk_counter not_removed; /* entries that were to be removed and were not */

	mk_counter problems; /* files skipped or changed */
};

struct mk_progress;
struct mk_report;

struct mk_run {
	const struct mk_options *opt;
	struct arc_diag *diag;
	struct mk_progress *progress; /* NULL: none shown */
	struct mk_report *report; /* NULL: none written */
	bool sums_only; /* the source could not be compared: checksums were */
	struct arc_gpu *gpu; /* devices that hash or encode; NULL: none */
	bool was_complete; /* there was nothing left to resume */
	struct mk_stats stats;
	struct mk_stages stages;
};

static inline void mk_count(mk_counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static inline uint64_t mk_value(const mk_counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

/*
 * Something is wrong with one entry: says "PATH: WHAT (reason of err)" as a
 * warning and counts it; the exit code becomes 1. err: negative errno or 0.
 */
void mk_problem(struct mk_run *run, const struct mk_tree *tree, uint64_t entry,
		const char *what, int err);

/* The same about a path that is no entry of the tree (yet). */
void mk_problem_path(struct mk_run *run, const char *path, const char *what,
		     int err);

/* The same about a name in the directory `dir` that is no entry of the tree. */
void mk_problem_name(struct mk_run *run, const struct mk_tree *tree,
		     uint64_t dir, const char *name, const char *what, int err);

#endif
