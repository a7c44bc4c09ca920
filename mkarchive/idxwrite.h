/* SPDX-License-Identifier: MIT */
/*
 * idxwrite - writes the index: the tables of format.h, block by block as rows
 * come in, then the levels of descriptors over them, then the top root.
 *
 * Threads: one owner.
 */
#ifndef MK_IDXWRITE_H
#define MK_IDXWRITE_H

#include "format.h"
#include "tree.h"
#include "volwrite.h"

/* ---- tables ------------------------------------------------------------- */

/*
 * All tables of one index, open side by side. Blocks are written a few at a
 * time when they are full; the descriptors are kept (32 bytes a block).
 */
struct mk_idxwrite;

/* Borrows vw. */
int mk_idxwrite_new(struct mk_volwrite *vw, struct mk_idxwrite **ret);
void mk_idxwrite_free(struct mk_idxwrite *w); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_idxwrite, mk_idxwrite_free)

/* From now on so many threads encode blocks; that changes no byte. Once. */
int mk_idxwrite_threads(struct mk_idxwrite *w, unsigned threads);

/* Appends a row (of the table's row size). */
int mk_idxwrite_row(struct mk_idxwrite *w, enum arc_table_id table,
		    const void *row);

/* Appends an item to a heap; zeros first when it would cross a block. */
int mk_idxwrite_item(struct mk_idxwrite *w, enum arc_table_id table,
		     struct arc_span head, struct arc_span body,
		     uint64_t *ret_offset);

/* Appends bytes to a heap as they are. */
int mk_idxwrite_bytes(struct mk_idxwrite *w, enum arc_table_id table,
		      const void *bytes, size_t n);

/*
 * Ends all tables, writes roots, top root and (through volwrite) the footer.
 * root: the counts; its tables and text_len are filled in here.
 */
int mk_idxwrite_finish(struct mk_idxwrite *w, struct arc_disk_root *root,
		       const char *text);

/* Bytes of index written so far. */
uint64_t mk_idxwrite_bytes_written(const struct mk_idxwrite *w);

/* ---- the whole index of a tree ------------------------------------------ */

/*
 * Writes inodes, entries, names, extents, attributes and digests of a numbered
 * tree (numbers.h) into w.
 */
int mk_idxwrite_tree(struct mk_idxwrite *w, const struct mk_tree *tree);

#endif
