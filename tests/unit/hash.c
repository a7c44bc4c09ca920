/* SPDX-License-Identifier: MIT */
/*
 * The XXH3 values were printed by `xxhsum -H3` and `xxhsum -H2` (0.8.1) for
 * the bytes of make_bytes(); the FNV-1a ones are the reference vectors of
 * http://www.isthe.com/chongo/tech/comp/fnv/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hash.h"
#include "sha256.h"

static const struct known {
	size_t n;
	uint64_t h64;
	const char *h128;
} known[] = {
	{ 0, 0x2d06800538d394c2, "99aa06d3014798d86001c324468d497f" },
	{ 1, 0xc44bdff4074eecdb, "a6cd5e9392000f6ac44bdff4074eecdb" },
	{ 3, 0x6811538b444fc6dc, "c925ae1797c3998f6811538b444fc6dc" },
	{ 8, 0xe5b43ab074c9c13b, "63f350efc0ba3e2e5b3f49d0f38f9d7d" },
	{ 16, 0x0a0ec5ae8679cb7f, "248181305d3c1039adebb1d9d080b69c" },
	{ 17, 0x57c52d21ce492c1e, "825a0db7d0afe2c0cfea252f6b7ed7e9" },
	{ 128, 0x696069c4f1e6a91a, "08df79f520370b525cfea347ea4bb687" },
	{ 129, 0xb1ada52285757beb, "fc1d02037be48a62821740ece8839b64" },
	{ 240, 0xb80284837259eee4, "8406fbd017acdf4e687f00a7f64e46db" },
	{ 241, 0x44dbd3180a664e27, "d894c74b1b3ea28f44dbd3180a664e27" },
	{ 1024, 0x7b3d0d5804231abc, "b8c0e3eef73574e67b3d0d5804231abc" },
	{ 65536, 0xe84be5e1e6ba6253, "61f8f3893e122034e84be5e1e6ba6253" },
	{ 100003, 0xae7fb719def5e831, "e8a2463f4e257ddeae7fb719def5e831" },
	{ 1048576, 0xf5dc59add6cbaf4d, "8e85520ed71a8dcbf5dc59add6cbaf4d" },
};

static uint8_t *make_bytes(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 131 + (i >> 8) * 17);
	return p;
}

static void assert_hex(const uint8_t *bytes, size_t n, const char *want)
{
	char hex[65];

	assert_true(2 * n < sizeof(hex));
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(hex, want);
}

static void assert_digest(const struct arc_digest *d, const char *want)
{
	struct arc_digest128 value = arc_digest_value(d);

	assert_hex(value.b, sizeof(value.b), want);
}

static void xxh64_has_the_known_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARC_COUNT(known); i++) {
		arc_cleanup(arc_freep) uint8_t *p = make_bytes(known[i].n);

		assert_true(arc_xxh64(p, known[i].n) == known[i].h64);
	}
}

static void xxh64_of_two_is_that_of_the_whole(void **state)
{
	arc_cleanup(arc_freep) uint8_t *p = make_bytes(1024);

	(void)state;
	for (size_t n = 0; n <= 1024; n += n < 300 ? 1 : 181) {
		for (size_t cut = 0; cut <= n; cut += 1 + cut / 3) {
			struct arc_span a = { .p = p, .n = cut };
			struct arc_span b = { .p = p + cut, .n = n - cut };

			assert_true(arc_xxh64_2(a, b) == arc_xxh64(p, n));
		}
	}
	assert_true(arc_xxh64_2((struct arc_span){ 0 },
				(struct arc_span){ 0 }) == known[0].h64);
}

static void digest_has_the_known_values(void **state)
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;

	(void)state;
	assert_int_equal(arc_digest_new(&d), 0);
	for (size_t i = 0; i < ARC_COUNT(known); i++) {
		arc_cleanup(arc_freep) uint8_t *p = make_bytes(known[i].n);

		arc_digest_reset(d);
		arc_digest_update(d, p, known[i].n);
		assert_digest(d, known[i].h128);
		assert_digest(d, known[i].h128); /* asking changes nothing */
	}
}

static void digest_does_not_depend_on_the_pieces(void **state)
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;
	arc_cleanup(arc_freep) uint8_t *p = make_bytes(100003);

	(void)state;
	assert_int_equal(arc_digest_new(&d), 0);
	for (size_t piece = 1; piece < 70000; piece = piece * 3 + 1) {
		arc_digest_reset(d);
		arc_digest_update(d, NULL, 0);
		for (size_t i = 0; i < 100003; i += piece)
			arc_digest_update(d, p + i, ARC_MIN(piece, 100003 - i));
		assert_digest(d, "e8a2463f4e257ddeae7fb719def5e831");
	}
}

static void digest_has_the_64_bits_of_the_same_bytes(void **state)
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;

	(void)state;
	assert_int_equal(arc_digest_new(&d), 0);
	for (size_t i = 0; i < ARC_COUNT(known); i++) {
		arc_cleanup(arc_freep) uint8_t *p = make_bytes(known[i].n);
		size_t half = known[i].n / 2;

		arc_digest_reset(d);
		arc_digest_update(d, p, half);
		arc_digest_update(d, p + half, known[i].n - half);
		assert_true(arc_digest_value64(d) == known[i].h64);
		assert_digest(d, known[i].h128);
	}
}

static void digest_of_zeros_is_that_of_zero_bytes(void **state)
{
	static const uint8_t zeros[200000];
	static const size_t lengths[] = { 0,	 1,	240,	65535,
					  65536, 65537, 131072, 200000 };
	arc_cleanup(arc_digest_freep) struct arc_digest *a = NULL;
	arc_cleanup(arc_digest_freep) struct arc_digest *b = NULL;

	(void)state;
	assert_int_equal(arc_digest_new(&a), 0);
	assert_int_equal(arc_digest_new(&b), 0);
	for (size_t i = 0; i < ARC_COUNT(lengths); i++) {
		struct arc_digest128 want;
		struct arc_digest128 got;

		arc_digest_reset(a);
		arc_digest_reset(b);
		arc_digest_update(a, "x", 1);
		arc_digest_update(b, "x", 1);
		arc_digest_update(a, zeros, lengths[i]);
		arc_digest_zeros(b, lengths[i]);
		want = arc_digest_value(a);
		got = arc_digest_value(b);
		assert_memory_equal(got.b, want.b, sizeof(want.b));
	}
	arc_digest_reset(b);
	arc_digest_zeros(b, 1000000);
	assert_digest(b, "ef233fc372a159319d648391f361d99a");
}

static void fnv1a_has_the_known_values(void **state)
{
	(void)state;
	assert_true(arc_fnv1a("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(arc_fnv1a("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(arc_fnv1a("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void assert_leaves(const uint8_t *p, size_t n)
{
	uint64_t got[24];
	size_t leaves = (size_t)arc_div_up(n, ARC_FNV_LEAF);

	assert_true(leaves < ARC_COUNT(got));
	memset(got, 0x5a, sizeof(got));
	arc_fnv_leaves(p, n, got);
	for (size_t i = 0; i < leaves; i++) {
		size_t off = i * ARC_FNV_LEAF;

		assert_true(got[i] ==
			    arc_fnv1a(p + off, ARC_MIN(n - off, ARC_FNV_LEAF)));
	}
	assert_true(got[leaves] == UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void assert_spans(const struct arc_span *leaf, size_t n)
{
	uint64_t got[65];

	assert_true(n < ARC_COUNT(got));
	memset(got, 0x5a, sizeof(got));
	arc_fnv_spans(leaf, n, got);
	for (size_t i = 0; i < n; i++)
		assert_true(got[i] == arc_fnv1a(leaf[i].p, leaf[i].n));
	assert_true(got[n] == UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void leaves_that_lie_apart_are_hashed_each_alone(void **state)
{
	arc_cleanup(arc_freep) uint8_t *p = make_bytes(3 * ARC_FNV_LEAF);
	struct arc_span leaf[64];

	(void)state;
	for (size_t n = 0; n <= ARC_COUNT(leaf); n++) {
		for (size_t i = 0; i < n; i++)
			leaf[i] = (struct arc_span){ p + i * 999, 500 };
		assert_spans(leaf, n);
		for (size_t i = 0; i < n; i++)
			leaf[i].n = i * 7919 % 1000 + i % 3 * 60000;
		assert_spans(leaf, n);
		for (size_t i = 0; i < n; i++) {
			if (i % 5 == n % 5)
				leaf[i] = (struct arc_span){ NULL, 0 };
		}
		assert_spans(leaf, n);
	}
}

static void leaves_are_hashed_each_alone(void **state)
{
	const size_t most = 20 * ARC_FNV_LEAF;
	arc_cleanup(arc_freep) uint8_t *p = make_bytes(most + 2);

	(void)state;
	for (size_t i = 0; i < most + 2; i++)
		p[i] ^= (uint8_t)(i / ARC_FNV_LEAF); /* no two are alike */
	for (size_t n = 0; n <= 20; n++) {
		size_t border = n * ARC_FNV_LEAF;

		if (border > 0)
			assert_leaves(p, border - 1);
		assert_leaves(p, border);
		assert_leaves(p + 1, border + 1);
	}
	for (size_t n = 0; n <= 3 * ARC_FNV_LEAF; n += 4999)
		assert_leaves(p, n);
}

static void joining_takes_eight_bytes_of_each_leaf(void **state)
{
	const uint8_t leaves[] = { 1, 2, 3, 4, 5, 6, 7, 8,
				   9, 0, 0, 0, 0, 0, 0, 0xff };
	uint64_t h = ARC_FNV_INIT;

	(void)state;
	h = arc_fnv_join(h, UINT64_C(0x0807060504030201));
	assert_true(h == arc_fnv1a(leaves, 8));
	h = arc_fnv_join(h, UINT64_C(0xff00000000000009));
	assert_true(h == arc_fnv1a(leaves, 16));
}

static void sha256_has_the_known_values(void **state)
{
	arc_cleanup(arc_sha256_freep) struct arc_sha256 *s = NULL;
	uint8_t value[32];

	(void)state;
	assert_int_equal(arc_sha256_new(&s), 0);
	assert_int_equal(arc_sha256_update(s, "ab", 2), 0);
	assert_int_equal(arc_sha256_update(s, NULL, 0), 0);
	assert_int_equal(arc_sha256_update(s, "c", 1), 0);
	assert_int_equal(arc_sha256_value(s, value), 0);
	assert_hex(value, 32,
		   "ba7816bf8f01cfea414140de5dae2223"
		   "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(arc_sha256_reset(s), 0);
	assert_int_equal(arc_sha256_value(s, value), 0);
	assert_hex(value, 32,
		   "e3b0c44298fc1c149afbf4c8996fb924"
		   "27ae41e4649b934ca495991b7852b855");
}

static void sha256_of_zeros_is_that_of_zero_bytes(void **state)
{
	static const uint8_t zeros[10000];
	static const size_t lengths[] = { 0, 1, 4095, 4096, 4097, 10000 };
	arc_cleanup(arc_sha256_freep) struct arc_sha256 *s = NULL;

	(void)state;
	assert_int_equal(arc_sha256_new(&s), 0);
	for (size_t i = 0; i < ARC_COUNT(lengths); i++) {
		uint8_t want[32];
		uint8_t got[32];

		assert_int_equal(arc_sha256_reset(s), 0);
		assert_int_equal(arc_sha256_update(s, zeros, lengths[i]), 0);
		assert_int_equal(arc_sha256_value(s, want), 0);
		assert_int_equal(arc_sha256_reset(s), 0);
		assert_int_equal(arc_sha256_zeros(s, lengths[i]), 0);
		assert_int_equal(arc_sha256_value(s, got), 0);
		assert_memory_equal(got, want, 32);
	}
}

static void freeing_nothing_is_allowed(void **state)
{
	(void)state;
	arc_digest_free(NULL);
	arc_sha256_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xxh64_has_the_known_values),
		cmocka_unit_test(xxh64_of_two_is_that_of_the_whole),
		cmocka_unit_test(digest_has_the_known_values),
		cmocka_unit_test(digest_does_not_depend_on_the_pieces),
		cmocka_unit_test(digest_has_the_64_bits_of_the_same_bytes),
		cmocka_unit_test(digest_of_zeros_is_that_of_zero_bytes),
		cmocka_unit_test(fnv1a_has_the_known_values),
		cmocka_unit_test(leaves_are_hashed_each_alone),
		cmocka_unit_test(leaves_that_lie_apart_are_hashed_each_alone),
		cmocka_unit_test(joining_takes_eight_bytes_of_each_leaf),
		cmocka_unit_test(sha256_has_the_known_values),
		cmocka_unit_test(sha256_of_zeros_is_that_of_zero_bytes),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
