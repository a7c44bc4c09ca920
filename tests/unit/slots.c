/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "slots.h"

/* Rows of the tests: their keys, and how a key is hashed. */
struct rows {
	uint64_t *key;
	uint64_t wanted;
	uint64_t modulus; /* of the hash: small ones collide */
	uint64_t *asked; /* counts */
};

static uint64_t hash_key(const struct rows *r, uint64_t key)
{
	return key % r->modulus;
}

static bool is_wanted(const void *ctx, uint32_t row)
{
	const struct rows *r = ctx;

	++*r->asked;
	return r->key[row] == r->wanted;
}

static void add_and_find_in(struct mk_slots t, uint64_t n, uint64_t modulus)
{
	uint64_t asked = 0;
	struct rows r = { .modulus = modulus, .asked = &asked };
	uint32_t row;

	r.key = calloc(n, sizeof(*r.key));
	assert_non_null(r.key);
	for (uint64_t i = 0; i < n; i++) {
		r.key[i] = i * 4096 + 7;
		r.wanted = r.key[i];
		assert_false(mk_slots_find(&t, hash_key(&r, r.wanted),
					   is_wanted, &r, &row));
		assert_int_equal(mk_slots_add(&t, hash_key(&r, r.key[i])), 0);
	}
	for (uint64_t i = 0; i < n; i++) {
		r.wanted = r.key[i];
		assert_true(mk_slots_find(&t, hash_key(&r, r.wanted), is_wanted,
					  &r, &row));
		assert_int_equal(row, i);
	}
	assert_int_equal(t.file.base != NULL, t.has_dir && n > 2000000 / 4 * 3);
	if (modulus > n)
		assert_in_range(asked, n, n + n / 100);
	mk_slots_fini(&t);
	free(r.key);
}

static void add_and_find(uint64_t n, uint64_t modulus)
{
	add_and_find_in((struct mk_slots){ 0 }, n, modulus);
}

static void every_row_is_found_after_growing(void **state)
{
	(void)state;
	add_and_find(200000, UINT64_MAX);
}

static void rows_of_equal_hash_are_told_apart(void **state)
{
	(void)state;
	add_and_find(2000, 3);
}

/* And those that were put into the small one are there still. */
static void a_large_table_lies_in_a_file(void **state)
{
	arc_cleanup(arc_closep) int tmp =
		open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mk_slots small = { 0 }, large = { 0 };

	(void)state;
	mk_slots_init(&small, tmp);
	add_and_find_in(small, 100000, UINT64_MAX);
	mk_slots_init(&large, tmp);
	add_and_find_in(large, 3500000, UINT64_MAX);
}

static void an_empty_table_finds_nothing(void **state)
{
	struct mk_slots t = { 0 };
	struct rows r = { .modulus = 1 };
	uint32_t row;

	(void)state;
	assert_false(mk_slots_find(&t, 0, is_wanted, &r, &row));
	mk_slots_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_after_growing),
		cmocka_unit_test(rows_of_equal_hash_are_told_apart),
		cmocka_unit_test(a_large_table_lies_in_a_file),
		cmocka_unit_test(an_empty_table_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
