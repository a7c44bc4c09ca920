/* SPDX-License-Identifier: MIT */
/*
 * pack - the conductor: reads every file that has content of its own once, in
 * the order of the tree, fills frames, has them encoded, hands the records to
 * volwrite in order, notes where everything went.
 *
 * It must (1) give the same bytes whatever the number of threads, (2) hold a
 * bounded number of frames, (3) write frames in order, (4) never store bytes
 * under a name that they were not read from.
 *
 * Threads: one owner; the engine's threads encode.
 */
#ifndef MK_PACK_H
#define MK_PACK_H

#include "idxwrite.h"
#include "mk_run.h"
#include "volwrite.h"

/* Fills the codec counts, stream and stored of *root. Opens the volumes (the
 * archive id needs the first frame); *ret_vw and *ret_idx are open after
 * success, with the FRAME table written. Takes sink, on failure too. */
int mk_pack(struct mk_run *run, struct mk_tree *tree,
	    struct mk_volume_sink *sink, struct arc_disk_root *root,
	    struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx);

#endif
