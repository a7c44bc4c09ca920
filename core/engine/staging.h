/* SPDX-License-Identifier: MIT */
/*
 * staging - memory that is lent to those who read what devices shall take: an
 * area of blocks for each lane of a device, pinned, so that the device takes
 * the bytes from where they were read to; and plain memory for whoever comes
 * when all blocks are lent out.
 *
 *	area	| block | block | ... |	 of a device, until it is retired
 *
 * What was lent stays readable until it is given back, whatever becomes of the
 * device; the areas stay until the end, for a device may still be copying from
 * them when nobody waits for it any more.
 *
 * Threads: locked inside.
 */
#ifndef ARC_STAGING_H
#define ARC_STAGING_H

#include "base.h"

struct arc_staging;

int arc_staging_new(struct arc_staging **ret);

/* Ends all areas. Everything must have been given back. Accepts NULL. */
void arc_staging_free(struct arc_staging *s);

/* An area of a device (numbers from 1 on): `blocks` blocks (1..256) of `block`
 * bytes each, at p. It is ended by end(ctx). */
struct arc_staging_area {
	unsigned device;
	uint8_t *p;
	size_t block;
	unsigned blocks;
	void (*end)(void *ctx);
	void *ctx;
};

/* Takes the area. -ENOMEM. */
int arc_staging_add(struct arc_staging *s, const struct arc_staging_area *area);

/* Nothing more is lent of a device's areas. */
void arc_staging_retire(struct arc_staging *s, unsigned device);

/* n bytes, of the area that has the most blocks left; NULL: no memory. */
uint8_t *arc_staging_lend(struct arc_staging *s, size_t n);
void arc_staging_give_back(struct arc_staging *s, uint8_t *p); /* or NULL */

/* The device in whose areas p lies; 0: in none. */
unsigned arc_staging_device(struct arc_staging *s, const uint8_t *p);

#endif
