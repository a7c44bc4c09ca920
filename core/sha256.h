/* SPDX-License-Identifier: MIT */
/*
 * sha256 - running SHA-256 (FIPS 180-4) through libcrypto.
 *
 * Threads: one owner.
 */
#ifndef ARC_SHA256_H
#define ARC_SHA256_H

#include "base.h"

struct arc_sha256;
int arc_sha256_new(struct arc_sha256 **ret);
void arc_sha256_free(struct arc_sha256 *s); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_sha256, arc_sha256_free)
int arc_sha256_reset(struct arc_sha256 *s);
int arc_sha256_update(struct arc_sha256 *s, const void *p, size_t n);
int arc_sha256_zeros(struct arc_sha256 *s, uint64_t n);
int arc_sha256_value(struct arc_sha256 *s, uint8_t ret[32]); /* ends it */

#endif
