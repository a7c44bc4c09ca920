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

/* What is left of a leaf, and its hash so far. */
struct chain {
	const uint8_t *p;
	size_t n;
	uint64_t h;
	size_t leaf;
};

/* Four at once here, for each has a pointer of its own, and more of them than
 * there are registers. Goes on to the end of the shortest. */
static void step_four(struct chain c[4])
{
	const uint8_t *p0 = c[0].p, *p1 = c[1].p, *p2 = c[2].p, *p3 = c[3].p;
	uint64_t h0 = c[0].h, h1 = c[1].h, h2 = c[2].h, h3 = c[3].h;
	size_t n = ARC_MIN(ARC_MIN(c[0].n, c[1].n), ARC_MIN(c[2].n, c[3].n));

	for (size_t i = 0; i < n; i++) {
		h0 = (h0 ^ p0[i]) * FNV_PRIME;
		h1 = (h1 ^ p1[i]) * FNV_PRIME;
		h2 = (h2 ^ p2[i]) * FNV_PRIME;
		h3 = (h3 ^ p3[i]) * FNV_PRIME;
	}
	c[0].h = h0;
	c[1].h = h1;
	c[2].h = h2;
	c[3].h = h3;
	for (size_t k = 0; k < 4; k++) {
		c[k].p += n;
		c[k].n -= n;
	}
}

static uint64_t finish(const struct chain *c)
{
	uint64_t h = c->h;

	for (size_t i = 0; i < c->n; i++)
		h = (h ^ c->p[i]) * FNV_PRIME;
	return h;
}

/* Leaves without bytes may be nowhere: no arithmetic with such pointers. */
static bool next_chain(const struct arc_span *leaf, size_t n, uint64_t *ret,
		       size_t *at, struct chain *c)
{
	while (*at < n && leaf[*at].n == 0)
		ret[(*at)++] = ARC_FNV_INIT;
	if (*at == n)
		return false;
	*c = (struct chain){ leaf[*at].p, leaf[*at].n, ARC_FNV_INIT, *at };
	++*at;
	return true;
}

/* Where one chain ends, the next leaf takes its place. */
void arc_fnv_spans(const struct arc_span *leaf, size_t n, uint64_t *ret)
{
	struct chain c[4];
	size_t at = 0, used = 0;

	while (used < 4 && next_chain(leaf, n, ret, &at, &c[used]))
		used++;
	while (used == 4) {
		step_four(c);
		for (size_t k = 0; k < used; k++) {
			if (c[k].n > 0)
				continue;
			ret[c[k].leaf] = c[k].h;
			if (!next_chain(leaf, n, ret, &at, &c[k]))
				c[k] = c[--used];
		}
	}
	for (size_t k = 0; k < used; k++)
		ret[c[k].leaf] = finish(&c[k]);
}

uint64_t arc_fnv_join(uint64_t state, uint64_t leaf)
{
	for (int i = 0; i < 8; i++, leaf >>= 8)
		state = (state ^ (leaf & 0xff)) * FNV_PRIME;
	return state;
}
