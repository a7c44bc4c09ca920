/* SPDX-License-Identifier: MIT */
/*
 * contents - what intake has put into the stream, so that what comes again is
 * known. How a content begins is a row of its own: what may be equal to one
 * that is there has to be held, and many that differ may begin alike.
 *
 * Lives in spools.
 *
 * Threads: one owner.
 */
#ifndef MK_CONTENTS_H
#define MK_CONTENTS_H

#include "slots.h"

struct mk_content {
	uint64_t size;
	uint8_t sha[32]; /* of its data and where it lies in the file */
	uint64_t data; /* as in struct mk_entry */
	uint32_t extents;
	uint32_t flags; /* MK_ENTRY_EXTENTS */
};

/* How one begins. */
struct mk_head {
	uint64_t size; /* of all of it */
	uint64_t hash; /* of its first bytes of data */
};

struct mk_contents {
	struct mk_spool heads; /* struct mk_head, each once */
	struct mk_slots head_slots;
	struct mk_spool rows; /* struct mk_content */
	struct mk_slots slots;
};

/* For a zeroed one; tmp_fd: the folder where spools go. */
int mk_contents_open(struct mk_contents *c, int tmp_fd);
void mk_contents_close(struct mk_contents *c); /* accepts a zeroed one */

/* One that begins so is there. */
bool mk_contents_know_head(struct mk_contents *c, const struct mk_head *head);

/* The row of an equal one. */
bool mk_contents_find(struct mk_contents *c, const struct mk_content *wanted,
		      uint32_t *ret_row);

/* Rows are numbered 0, 1, 2 ... */
int mk_contents_add(struct mk_contents *c, const struct mk_head *head,
		    const struct mk_content *content, uint64_t *ret_row);

static inline const struct mk_content *
mk_contents_at(const struct mk_contents *c, uint64_t row)
{
	return mk_spool_at(&c->rows, row);
}

#endif
