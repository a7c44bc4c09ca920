/* SPDX-License-Identifier: MIT */
/*
 * stream_i - what the files of stream share: stream.c (what SRC is, begin and
 * end), stream_archive.c (entries of archives), stream_pipe.c (bytes as one
 * file).
 *
 * Threads: one owner.
 */
#ifndef MK_STREAM_I_H
#define MK_STREAM_I_H

#include "gather.h"
#include "intake.h"
#include "stream.h"

struct mk_streaming {
	struct mk_run *run;
	const struct mk_stream *src;
	struct mk_tree *tree;
	struct mk_gather *gather;
	struct mk_intake *intake;
	struct arc_buf path; /* of the entry at hand, as gather has it */
	struct arc_buf target; /* of a hard link */
	struct mk_entry first; /* the first entry: a root that is missing is
				* made up like it */
	bool has_first;
};

/* All entries of the input. */
int mk_stream_archive(struct mk_streaming *s);
int mk_stream_pipe(struct mk_streaming *s);

#endif
