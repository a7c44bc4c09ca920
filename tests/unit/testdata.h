/* SPDX-License-Identifier: MIT */
/*
 * testdata - bytes of several kinds, the same on every machine for the same
 * seed.
 *
 * Threads: pure.
 */
#ifndef ARC_TESTDATA_H
#define ARC_TESTDATA_H

#include <stdint.h>
#include <string.h>

enum testdata_kind {
	TESTDATA_ZERO,
	TESTDATA_BYTE, /* one byte repeated */
	TESTDATA_RANDOM,
	TESTDATA_TEXT,
	TESTDATA_MIXED, /* stretches of all the others */
	TESTDATA_KINDS
};

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c) */
static inline uint64_t testdata_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline void testdata_random(uint8_t *p, size_t n, uint64_t *seed)
{
	while (n > 0) {
		uint64_t v = testdata_next(seed);
		size_t some = n < 8 ? n : 8;

		memcpy(p, &v, some);
		p += some;
		n -= some;
	}
}

/* Words of a small vocabulary, with a number now and then. */
static inline void testdata_text(uint8_t *p, size_t n, uint64_t *seed)
{
	static const char *const words[] = {
		"static ", "int ",  "struct ",	  "return ", "if (",
		"err",	   " < 0)", "\n\t",	  "while ",  "const ",
		"buffer",  " = ",   "size_t ",	  "->next",  ";\n",
		"frame",   "}\n\n", "/* why */ ", "NULL",    "number",
	};

	while (n > 0) {
		uint64_t v = testdata_next(seed);
		const char *word = words[v % 20];
		size_t len = strlen(word);
		size_t some = len < n ? len : n;

		memcpy(p, word, some);
		p += some;
		n -= some;
		if (n > 0 && v >> 60 == 0) {
			*p++ = (uint8_t)('0' + (v >> 32) % 10);
			n--;
		}
	}
}

static inline void testdata_fill(enum testdata_kind kind, uint8_t *p, size_t n,
				 uint64_t seed);

/* Stretches of 1 byte to 100,000 bytes, some of them copies from before. */
static inline void testdata_mixed(uint8_t *p, size_t n, uint64_t *seed)
{
	size_t done = 0;

	while (done < n) {
		uint64_t v = testdata_next(seed);
		size_t some = 1 + (v >> 8) % (v & 1 ? 100000 : 3000);
		unsigned what = (v >> 40) % 5;

		if (some > n - done)
			some = n - done;
		if (what == 4 && done > some)
			memcpy(p + done, p + (v >> 44) % (done - some), some);
		else if (what < 4)
			testdata_fill((enum testdata_kind)what, p + done, some,
				      v);
		else
			memset(p + done, (int)(v >> 50), some);
		done += some;
	}
}

static inline void testdata_fill(enum testdata_kind kind, uint8_t *p, size_t n,
				 uint64_t seed)
{
	switch (kind) {
	case TESTDATA_ZERO:
		memset(p, 0, n);
		break;
	case TESTDATA_BYTE:
		memset(p, 0xa5, n);
		break;
	case TESTDATA_RANDOM:
		testdata_random(p, n, &seed);
		break;
	case TESTDATA_TEXT:
		testdata_text(p, n, &seed);
		break;
	case TESTDATA_MIXED:
		testdata_mixed(p, n, &seed);
		break;
	case TESTDATA_KINDS:
		break;
	}
}

#endif
