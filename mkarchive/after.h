/* SPDX-License-Identifier: MIT */
/*
 * after - what is wished for once a set is finished: that it is verified, that
 * the source is removed, that every file is reported. Nothing that goes wrong
 * here takes anything from the set.
 *
 * Threads: one owner.
 */
#ifndef MK_AFTER_H
#define MK_AFTER_H

#include "stream.h"

/* Says why what is wished for is not possible with this source, before anything
 * is written; false: it is. */
bool mk_after_refuses(const struct mk_run *run, const struct mk_stream *src);

/* Does it. tree: as it was archived; dir_fd: the folder of the set. What goes
 * wrong is counted as problems. */
void mk_after(struct mk_run *run, const struct mk_stream *src,
	      struct mk_tree *tree, int dir_fd);

#endif
