/* SPDX-License-Identifier: MIT */
/*
 * held - contents of small files that the search for duplicates has read, kept
 * until they are packed: to open a small file costs more than what is in it, so
 * each is opened once. Bounded; who finds no room is opened again.
 *
 *	| file | file | file | ... room ...          |
 *	                     ^ used                  ^ cap
 *
 * What is held was read from an inode that was what the scan saw, before and
 * after. Nothing is taken out again before all of it goes.
 *
 * Threads: any number may ask for room; what was put there is read when they
 * have ended.
 */
#ifndef MK_HELD_H
#define MK_HELD_H

#include "base.h"

struct mk_held;

/* *ret NULL: cap is 0. */
int mk_held_new(size_t cap, struct mk_held **ret);
void mk_held_free(struct mk_held *h); /* accepts NULL */

/* n bytes, at *ret_at; NULL where there is no room. Accepts NULL. */
uint8_t *mk_held_room(struct mk_held *h, size_t n, uint64_t *ret_at);
const uint8_t *mk_held_at(const struct mk_held *h, uint64_t at);

#endif
