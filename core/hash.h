/* SPDX-License-Identifier: MIT */
/*
 * hash - checksums and digests. XXH3 (https://xxhash.com, spec
 * doc/xxhash_spec.md of the xxHash project) guards everything stored; FNV-1a
 * (http://www.isthe.com/chongo/tech/comp/fnv/) proposes duplicates and nothing
 * else.
 *
 * Threads: pure, except struct arc_digest: one owner.
 */
#ifndef ARC_HASH_H
#define ARC_HASH_H

#include "base.h"

uint64_t arc_xxh64(const void *p, size_t n);

/* XXH3-64 of the concatenation a|b. */
uint64_t arc_xxh64_2(struct arc_span a, struct arc_span b);

/* XXH3-128 in canonical (big-endian) order, as `xxhsum -H2` prints it. */
struct arc_digest128 {
	uint8_t b[16];
};

struct arc_digest; /* running XXH3, either length */
int arc_digest_new(struct arc_digest **ret);
void arc_digest_free(struct arc_digest *d); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_digest, arc_digest_free)
void arc_digest_reset(struct arc_digest *d);
void arc_digest_update(struct arc_digest *d, const void *p, size_t n);
void arc_digest_zeros(struct arc_digest *d, uint64_t n); /* n zero bytes */
struct arc_digest128 arc_digest_value(const struct arc_digest *d);
uint64_t arc_digest_value64(const struct arc_digest *d); /* XXH3-64 */

/* Bytes of a leaf of the duplicate hash. */
#define ARC_FNV_LEAF ((size_t)65536)

/* 64-bit FNV-1a of n bytes, byte by byte. */
uint64_t arc_fnv1a(const void *p, size_t n);

/*
 * The leaves' hashes of n bytes (ARC_FNV_LEAF each, the last may be shorter):
 * ret[i] = arc_fnv1a(leaf i). Several leaves are hashed side by side, so that
 * their multiplications overlap. ret has arc_div_up(n, ARC_FNV_LEAF) places.
 */
void arc_fnv_leaves(const void *p, size_t n, uint64_t *ret);

/* The same of n leaves that lie anywhere, of any lengths: ret[i] =
 * arc_fnv1a(leaf[i]). */
void arc_fnv_spans(const struct arc_span *leaf, size_t n, uint64_t *ret);

/*
 * Running hash over leaves: starts at ARC_FNV_INIT, takes each leaf's hash as
 * 8 little-endian bytes in order.
 */
#define ARC_FNV_INIT UINT64_C(0xcbf29ce484222325)
uint64_t arc_fnv_join(uint64_t state, uint64_t leaf);

#endif
