/* SPDX-License-Identifier: MIT */
/*
 * What the files of pack share: the conductor (pack.c), reading one file into
 * the stream (packfile.c), a duplicate taking its leader's data (packdup.c).
 *
 * Threads: one owner.
 */
#ifndef MK_PACK_I_H
#define MK_PACK_I_H

#include "framering.h"
#include "mk_run.h"
#include "packahead.h"
#include "sha256.h"
#include "source.h"

struct mk_packer {
	struct mk_run *run;
	struct mk_tree *tree;
	struct mk_framering *ring;
	struct mk_source *source;
	struct mk_ahead *ahead; /* NULL: nothing is read before its turn */
	struct arc_digest *digest;
	struct arc_sha256 *sha256; /* NULL: not wanted */
	bool digesting; /* the file being read */
	bool lost; /* an entry was: it may be the first name of others */
};

/*
 * Reads the content of a regular entry into the stream; sets data, extents,
 * size and digests. A file that cannot be read is reported and marked as gone;
 * one that has changed is reported and stored as it was read. Negative only
 * for what ends the run.
 */
int mk_pack_store(struct mk_packer *p, uint64_t entry);

/* The digests of an entry without content. */
int mk_pack_store_empty(struct mk_packer *p, uint64_t entry);

/*
 * Gives a duplicate the data of its leader, which has been stored with the
 * content they were found to share. *ret_done false: its holes could not be
 * found, since it is not what it was; it must be stored itself.
 */
int mk_pack_follow(struct mk_packer *p, uint64_t entry, uint64_t leader,
		   bool *ret_done);

/* A row for the extents of an entry that is being packed. */
int mk_pack_add_extent(struct mk_packer *p, struct mk_entry *e,
		       const struct mk_extent *x);

#endif
