/* SPDX-License-Identifier: MIT */
/*
 * intake - takes the contents of files that come once and cannot be read again,
 * and puts those that are new into the stream.
 *
 * The first 64 KiB of a content are held in memory. If there was none of this
 * size that began so, it goes straight into the frames from then on; else the
 * whole is held in a temporary file until it has been seen, and is dropped if
 * it is one that is there already: of the same size, with the same holes, and
 * with the same SHA-256 (FIPS 180-4), which decides here because the first one
 * cannot be read any more. So most files cost no disk, and memory is bounded.
 *
 *	begin -> data, data ... -> end		or drop
 *
 * Threads: one owner.
 */
#ifndef MK_INTAKE_H
#define MK_INTAKE_H

#include "framering.h"
#include "gather.h"

struct mk_intake;

/* Borrows run, tree and gather; takes sink, on failure too. The temporary file
 * goes into the folder tmp_fd (borrowed). */
int mk_intake_new(struct mk_run *run, struct mk_tree *tree,
		  struct mk_gather *gather, int tmp_fd,
		  struct mk_volume_sink *sink, struct mk_intake **ret);
void mk_intake_free(struct mk_intake *in); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_intake, mk_intake_free)

/*
 * The content of an inode of gather begins. size: MK_NONE when nobody knows
 * it. alone: there will be no other, so it is not looked for.
 */
int mk_intake_begin(struct mk_intake *in, uint64_t inode, uint64_t size,
		    bool alone);

/* By its name the content is compressed already, or not; until the next. */
void mk_intake_expect(struct mk_intake *in, const char *name);

/* Bytes at `off`; what was left out before is a hole. -ERANGE when they come
 * before the end of what came already. */
int mk_intake_data(struct mk_intake *in, uint64_t off, const void *bytes,
		   size_t n);

/* Where the next bytes would come. */
uint64_t mk_intake_at(const struct mk_intake *in);

/* It ends at `size` (at least what came): sets size, data, extents, flags,
 * content and digests of the inode. */
int mk_intake_end(struct mk_intake *in, uint64_t size);

/* It is not to be stored: nothing of it stays but what has left the open
 * frame. */
void mk_intake_drop(struct mk_intake *in);

/* As mk_framering_finish(). */
int mk_intake_finish(struct mk_intake *in, struct arc_disk_root *root,
		     struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx);

#endif
