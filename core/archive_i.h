/* SPDX-License-Identifier: MIT */
/*
 * archive_i - what the files of the archive module share.
 *
 * Threads: immutable after open.
 */
#ifndef ARC_ARCHIVE_I_H
#define ARC_ARCHIVE_I_H

#include "archive.h"

struct arc_archive {
	struct arc_volumes *vs;
	struct arc_index *idx;
	struct arc_cache *cache;
};

#endif
