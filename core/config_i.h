/* SPDX-License-Identifier: MIT */
/*
 * config_i - what config.c (the table, values) and config_file.c (where they
 * come from) share.
 */
#ifndef ARC_CONFIG_I_H
#define ARC_CONFIG_I_H

#include "config.h"

/* name: n bytes. -ENOENT. */
int arc_config_find(const char *name, size_t n, enum arc_config_id *ret);

/* arc_config_offer() with the line of a file. */
int arc_config_offer_line(struct arc_config *c, enum arc_config_id id,
			  const char *text, enum arc_config_source source,
			  unsigned line);

#endif
