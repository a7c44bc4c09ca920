/* SPDX-License-Identifier: MIT */
/*
 * XXH_STATIC_LINKING_ONLY makes the streaming state a complete type, so that
 * arc_xxh64_2() can keep it on the stack and cannot fail. Its layout has been
 * the same in every release since 0.8.0; the code itself is linked
 * dynamically.
 */
#define XXH_STATIC_LINKING_ONLY
#include "hash.h"

#include <string.h>
#include <xxhash.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

_Static_assert(sizeof(XXH128_canonical_t) == sizeof(struct arc_digest128),
	       "a digest is the canonical form of XXH3-128");

uint64_t arc_xxh64(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t arc_xxh64_2(struct arc_span a, struct arc_span b)
{
	XXH3_state_t state;

	XXH3_INITSTATE(&state);
	XXH3_64bits_reset(&state);
	if (a.n > 0)
		XXH3_64bits_update(&state, a.p, a.n);
	if (b.n > 0)
		XXH3_64bits_update(&state, b.p, b.n);
	return XXH3_64bits_digest(&state);
}

struct arc_digest {
	XXH3_state_t *state; /* wants more alignment than malloc gives */
};

int arc_digest_new(struct arc_digest **ret)
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;

	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->state = XXH3_createState();
	if (!d->state)
		return -ENOMEM;
	arc_digest_reset(d);
	*ret = arc_steal(d);
	return 0;
}

void arc_digest_free(struct arc_digest *d)
{
	if (!d)
		return;
	XXH3_freeState(d->state);
	free(d);
}

void arc_digest_reset(struct arc_digest *d)
{
	XXH3_128bits_reset(d->state);
}

void arc_digest_update(struct arc_digest *d, const void *p, size_t n)
{
	if (n > 0)
		XXH3_128bits_update(d->state, p, n);
}

void arc_digest_zeros(struct arc_digest *d, uint64_t n)
{
	static const uint8_t zeros[64 * ARC_KIB];

	while (n > 0) {
		size_t part = (size_t)ARC_MIN(n, sizeof(zeros));

		XXH3_128bits_update(d->state, zeros, part);
		n -= part;
	}
}

struct arc_digest128 arc_digest_value(const struct arc_digest *d)
{
	struct arc_digest128 ret;
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(d->state));
	memcpy(ret.b, canonical.digest, sizeof(ret.b));
	return ret;
}

/* Until its end is asked for, the state of both lengths is the same. */
uint64_t arc_digest_value64(const struct arc_digest *d)
{
	return XXH3_64bits_digest(d->state);
}

uint64_t arc_fnv1a(const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint64_t h = ARC_FNV_INIT;

	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * FNV_PRIME;
	return h;
}

/*
 * A step of FNV-1a waits about four cycles for its multiplication, which the
 * processor can begin every cycle: eight chains side by side keep it busy.
 * Written out, because compilers do not unroll such a loop at -O2.
 */
static void hash_eight(const uint8_t *p, uint64_t ret[8])
{
	uint64_t h[8] = { ARC_FNV_INIT, ARC_FNV_INIT, ARC_FNV_INIT,
			  ARC_FNV_INIT, ARC_FNV_INIT, ARC_FNV_INIT,
			  ARC_FNV_INIT, ARC_FNV_INIT };

#define STEP(k) h[k] = (h[k] ^ p[(k)*ARC_FNV_LEAF + i]) * FNV_PRIME
	for (size_t i = 0; i < ARC_FNV_LEAF; i++) {
		STEP(0);
		STEP(1);
		STEP(2);
		STEP(3);
		STEP(4);
		STEP(5);
		STEP(6);
		STEP(7);
	}
#undef STEP
	memcpy(ret, h, sizeof(h));
}

/* For what eight leave over: files of a few leaves are the common case. */
static void hash_two(const uint8_t *p, uint64_t ret[2])
{
	uint64_t a = ARC_FNV_INIT;
	uint64_t b = ARC_FNV_INIT;

	for (size_t i = 0; i < ARC_FNV_LEAF; i++) {
		a = (a ^ p[i]) * FNV_PRIME;
		b = (b ^ p[ARC_FNV_LEAF + i]) * FNV_PRIME;
	}
	ret[0] = a;
	ret[1] = b;
}

void arc_fnv_leaves(const void *p, size_t n, uint64_t *ret)
{
	const uint8_t *bytes = p;
	size_t done = 0; /* leaves */

	for (; n >= 8 * ARC_FNV_LEAF; n -= 8 * ARC_FNV_LEAF, done += 8)
		hash_eight(bytes + done * ARC_FNV_LEAF, ret + done);
	for (; n >= 2 * ARC_FNV_LEAF; n -= 2 * ARC_FNV_LEAF, done += 2)
		hash_two(bytes + done * ARC_FNV_LEAF, ret + done);
	for (; n > 0; done++) {
		size_t leaf = ARC_MIN(n, ARC_FNV_LEAF);

		ret[done] = arc_fnv1a(bytes + done * ARC_FNV_LEAF, leaf);
		n -= leaf;
	}
}

uint64_t arc_fnv_join(uint64_t state, uint64_t leaf)
{
	for (int i = 0; i < 8; i++, leaf >>= 8)
		state = (state ^ (leaf & 0xff)) * FNV_PRIME;
	return state;
}
