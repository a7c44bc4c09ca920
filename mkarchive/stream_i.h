/* SPDX-License-Identifier: MIT */
/*
 * stream_i - what the files of stream share: stream.c (what SRC is, begin and
 * end), stream_archive.c (entries of archives), stream_pipe.c (bytes as one
 * file), stream_list.c (files that a list names).
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
int mk_stream_list(struct mk_streaming *s);

/* A pattern says that s->path is not wanted, or a directory that it is in. */
bool mk_stream_excluded(struct mk_streaming *s, bool dir);

/* Says why an entry is left out, from what gather says of it, and returns 0;
 * err itself when that is not about this entry. */
int mk_stream_leave_out(struct mk_streaming *s, const char *path, int err);

#endif
