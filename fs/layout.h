/* SPDX-License-Identifier: MIT */
/*
 * layout - where the bytes of a file lie, as text: its extents, and of each the
 * frames, volumes, codecs and segments (user.arcfs.layout).
 *
 *	{"ino":7,"leader":7,"size":300000,"extents":2}
 *	{"file":0,"len":70000,"stream":65000}
 *	{"frame":0,"volume":1,"offset":64,"codec":"lz4", ... "segments":[0,2],
 *	 "types":{"coded":3},"segment_bytes":9120}
 *	{"file":70000,"len":30000,"hole":true}
 *	...
 *
 * One object a line. It ends where an attribute must; a last line says so, and
 * the work is bounded by that whatever the index claims.
 *
 * Threads: pure.
 */
#ifndef ARCFS_LAYOUT_H
#define ARCFS_LAYOUT_H

#include "archive.h"

/* The most bytes of text: as many as an attribute can have. */
#define ARCFS_LAYOUT_MAX ((size_t)65536)

/*
 * Of a regular file. *ret is NUL-terminated and freed by the caller. Damage is
 * told in the text; -ENOMEM.
 */
int arcfs_layout_text(struct arc_archive *a, const struct arc_inode *inode,
		      char **ret);

#endif
