/* SPDX-License-Identifier: MIT */
/*
 * spool - a growing array of rows that lives in an unlinked temporary file
 * mapped into memory: pointers stay valid while it grows, and its pages can be
 * handed back to the kernel at any time, so that an array of any length costs
 * little memory.
 *
 * Space is allocated before it is written (posix_fallocate), so that a full
 * disk is an error code here and never a signal.
 *
 * Threads: adding has one owner; reading rows and writing to different rows
 * may be done from any thread.
 */
#ifndef MK_SPOOL_H
#define MK_SPOOL_H

#include "base.h"

struct mk_spool {
	uint8_t *base; /* start of the reserved addresses */
	size_t row_size;
	uint64_t count; /* rows in use */
	uint64_t allocated; /* bytes of file behind the addresses */
	uint64_t reserved; /* bytes of addresses */
	int fd;
};

/* dir_fd: where the temporary file goes (O_TMPFILE, or made and unlinked). */
int mk_spool_open(struct mk_spool *s, int dir_fd, size_t row_size);
void mk_spool_close(struct mk_spool *s); /* accepts a zeroed one */

/* n new rows, zeroed; *ret_first: number of the first. -ENOSPC, -E2BIG. */
int mk_spool_add(struct mk_spool *s, uint64_t n, uint64_t *ret_first);

/* i < count. Aligned as row_size allows, 8 at most. */
static inline void *mk_spool_at(const struct mk_spool *s, uint64_t i)
{
	return s->base + i * s->row_size;
}

/* Hands the pages back; contents stay (they come back from the file). */
void mk_spool_release(const struct mk_spool *s);

/*
 * To be asked now and then, each MK_SPOOL_STEP rows or so, by who goes through
 * rows, in whatever order: whether the pages of all spools are more than they
 * should be, and it is time to hand some back.
 */
bool mk_spool_is_time(void);

#define MK_SPOOL_STEP 1024

#endif
