/* SPDX-License-Identifier: MIT */
/*
 * making - the file OUT.making beside a set while it is made. It holds what
 * decides the bytes of the set (identity.h), for --resume and for people, and
 * the lock of whoever makes it. It is there before the first volume, and goes
 * when the set is complete.
 *
 * Threads: one owner.
 */
#ifndef MK_MAKING_H
#define MK_MAKING_H

#include "diag.h"

/* Behind the name of the set. */
#define MK_MAKING_SUFFIX ".making"

struct mk_making;

/* For the set "shown" "base" ("dir/", "name") in the folder dir. Borrows all of
 * that. Looks at nothing yet. */
int mk_making_new(int dir, const char *shown, const char *base,
		  struct arc_diag *diag, struct mk_making **ret);

/* The file stays, unlocked. Accepts NULL. */
void mk_making_free(struct mk_making *m);
ARC_DEFINE_CLEANUP(struct mk_making, mk_making_free)

/* Whether the file is there; nothing is opened. */
bool mk_making_exists(const struct mk_making *m);

/* Locks the file. 1: it is there; 0: it is not; -EBUSY, said, while another
 * mkarchive is making the set; -EEXIST, said: it is somebody else's. */
int mk_making_lock(struct mk_making *m);

/* Whether the file (locked, and there) says the same as `identity`. -EEXIST:
 * it does not; what differs has been said. */
int mk_making_compare(struct mk_making *m, const char *identity);

/* Makes the file, in place of an old one; nothing to do when it has been
 * compared and is right. Says what is wrong; then there is none. */
int mk_making_write(struct mk_making *m, const char *identity, bool sync);

/* The set is complete, or was not begun. */
int mk_making_remove(struct mk_making *m);

#endif
