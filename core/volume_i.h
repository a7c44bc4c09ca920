/* SPDX-License-Identifier: MIT */
/*
 * volume_i - what the files of the volume module share.
 *
 * Threads: pure.
 */
#ifndef ARC_VOLUME_I_H
#define ARC_VOLUME_I_H

#include "volume.h"

/* arc_volumes_name() before there is a set. */
char *volume_name(const struct arc_volume_source *source, uint32_t number,
		  char *out, size_t cap);

/* The footer of the set that volume `named` belongs to; see
 * arc_volumes_open(). Says what is wrong. */
int volume_find_footer(struct arc_volume_source *source, uint32_t named,
		       struct arc_diag *diag, struct arc_disk_footer *ret);

#endif
