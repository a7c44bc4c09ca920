/* SPDX-License-Identifier: MIT */
#include "sketch.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"

#define RUN sizeof(uint64_t)
#define BIN_SHIFT 60 /* the upper bits are those that mix best */
#define VALUE_SHIFT 28

static_assert(1u << (64 - BIN_SHIFT) == MK_SKETCH_BINS, "all bins are used");

/* The finish of splitmix64 (https://prng.di.unimi.it/splitmix64.c), half of
 * it. */
static inline uint64_t mix(const uint8_t *p)
{
	struct arc_le64 v;
	uint64_t x;

	memcpy(&v, p, sizeof(v));
	x = arc_get64(v) * UINT64_C(0x9e3779b97f4a7c15);
	return (x ^ x >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
}

struct mk_sketch mk_sketch_of(const uint8_t *bytes, size_t n)
{
	struct mk_sketch s;

	memset(&s, 0xff, sizeof(s));
	if (n < MK_SKETCH_MIN)
		return s;
	for (size_t at = 0; at + RUN <= n; at++) {
		uint64_t x = mix(bytes + at);
		uint32_t value = (uint32_t)(x >> VALUE_SHIFT);
		uint32_t *bin = &s.bin[x >> BIN_SHIFT];

		*bin = ARC_MIN(*bin, value);
	}
	return s;
}

unsigned mk_sketch_alike(const struct mk_sketch *a, const struct mk_sketch *b)
{
	unsigned equal = 0, used = 0;

	for (size_t i = 0; i < MK_SKETCH_BINS; i++) {
		bool empty = a->bin[i] == MK_SKETCH_EMPTY &&
			     b->bin[i] == MK_SKETCH_EMPTY;

		used += !empty;
		equal += !empty && a->bin[i] == b->bin[i];
	}
	return used ? equal * 16 / used : 0;
}
