/* SPDX-License-Identifier: MIT */
/*
 * framering - the stream, cut into frames. Bytes are read straight into the
 * open frame; a full frame is handed to the engine, and when its buffers are
 * needed again its record is written. So records are written in the order of
 * their frames, and no more frames are held than there are buffers.
 *
 *	slot   0        1        2        3
 *	     | frame 4 | frame 5 | frame 2 | frame 3 |
 *	       encoding  filled    to be written next
 *
 * The volumes are opened with the first full frame, since the archive id is
 * derived from it.
 *
 * Where an interrupted run is resumed, a frame whose record is there already is
 * proven (resume.h) instead of encoded, and nothing is written for it.
 *
 * Threads: one owner; the engine's threads encode.
 */
#ifndef MK_FRAMERING_H
#define MK_FRAMERING_H

#include "idxwrite.h"
#include "mk_run.h"
#include "volwrite.h"

struct mk_framering;

/* Takes sink, on failure too. Borrows run. */
int mk_framering_new(struct mk_run *run, struct mk_volume_sink *sink,
		     struct mk_framering **ret);
void mk_framering_free(struct mk_framering *f); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_framering, mk_framering_free)

/* Where the next bytes of the stream go: room for *ret_n >= 1 of them. */
int mk_framering_room(struct mk_framering *f, uint8_t **ret, size_t *ret_n);

/* n bytes of the room have been filled. */
int mk_framering_commit(struct mk_framering *f, size_t n);

/* What is committed from now on comes from a file whose name says that it is
 * compressed already, or from one whose name does not. */
void mk_framering_expect(struct mk_framering *f, bool compressed);

/* Bytes of the stream so far. */
uint64_t mk_framering_pos(const struct mk_framering *f);

/* Forgets the bytes from pos on, as far as they are in the open frame. */
void mk_framering_rewind(struct mk_framering *f, uint64_t pos);

/*
 * Writes what is left. Fills the codec counts, stream and stored of *root;
 * hands over volumes and index, open.
 */
int mk_framering_finish(struct mk_framering *f, struct arc_disk_root *root,
			struct mk_volwrite **ret_vw,
			struct mk_idxwrite **ret_idx);

#endif
