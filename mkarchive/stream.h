/* SPDX-License-Identifier: MIT */
/*
 * stream - a source that comes but once: an archive of another program
 * (unpack.h), bytes that are to be one file, a list of names. What comes is packed while it
 * comes, so volumes appear before the input ends.
 *
 * Threads: one owner; the engine's threads encode.
 */
#ifndef MK_STREAM_H
#define MK_STREAM_H

#include <stdio.h>

#include "idxwrite.h"
#include "mk_run.h"
#include "scan.h"
#include "volwrite.h"

/* What SRC is. */
enum mk_source_kind {
	MK_SOURCE_TREE, /* a directory, or one file that can be read again */
	MK_SOURCE_ARCHIVE, /* made by another program */
	MK_SOURCE_PIPE, /* bytes that are one file */
	MK_SOURCE_LIST /* what a list names of a directory */
};

struct mk_stream {
	enum mk_source_kind kind;
	int fd; /* -1: none */
	FILE *list; /* LIST: the names */
	const struct mk_scan_skip *skip; /* LIST: the archive's own files */
	const char *name; /* for messages */
};

/*
 * Looks at run->opt: what SRC is and, unless it is a tree, opens it. Says what
 * is wrong.
 */
int mk_stream_open(struct mk_run *run, struct mk_stream *ret);
void mk_stream_close(struct mk_stream *s);

/*
 * Fills an opened tree and packs what comes, as mk_pack(). What cannot be kept
 * is told through mk_problem_path(). Takes sink, on failure too. tmp_fd: folder
 * of temporary files.
 */
int mk_stream_pack(struct mk_run *run, const struct mk_stream *s,
		   struct mk_tree *tree, int tmp_fd,
		   struct mk_volume_sink *sink, struct arc_disk_root *root,
		   struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx);

#endif
