/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "extmap.h"
#include "format.h"

static void assert_piece(struct mk_extmap *m, uint64_t off, uint64_t end,
			 uint64_t len, uint64_t stream)
{
	struct mk_extent x = mk_extmap_piece(m, off, end);

	assert_int_equal(x.file, off);
	assert_int_equal(x.len, len);
	assert_true(x.stream == stream);
}

static const struct mk_extent lead[] = {
	{ 10, 10, 100 },
	{ 20, 5, 200 }, /* touches the one before */
	{ 40, 10, ARC_STREAM_ZERO },
	{ 60, 1, 300 },
};

static void a_run_is_cut_along_the_leaders_extents(void **state)
{
	struct mk_extmap m = { lead, ARC_COUNT(lead), 0 };

	(void)state;
	assert_piece(&m, 0, 100, 10, ARC_STREAM_ZERO);
	assert_piece(&m, 10, 100, 10, 100);
	assert_piece(&m, 20, 100, 5, 200);
	assert_piece(&m, 25, 100, 15, ARC_STREAM_ZERO);
	assert_piece(&m, 40, 100, 10, ARC_STREAM_ZERO);
	assert_piece(&m, 50, 100, 10, ARC_STREAM_ZERO);
	assert_piece(&m, 60, 100, 1, 300);
	assert_piece(&m, 61, 100, 39, ARC_STREAM_ZERO);
}

static void a_run_may_begin_and_end_anywhere(void **state)
{
	struct mk_extmap m = { lead, ARC_COUNT(lead), 0 };

	(void)state;
	assert_piece(&m, 12, 15, 3, 102);
	assert_piece(&m, 17, 21, 3, 107);
	assert_piece(&m, 20, 21, 1, 200);
	assert_piece(&m, 24, 26, 1, 204);
	assert_piece(&m, 30, 31, 1, ARC_STREAM_ZERO);
	assert_piece(&m, 45, 47, 2, ARC_STREAM_ZERO);
	assert_piece(&m, 60, 61, 1, 300);
}

static void without_extents_everything_is_zeros(void **state)
{
	struct mk_extmap m = { NULL, 0, 0 };

	(void)state;
	assert_piece(&m, 0, 7, 7, ARC_STREAM_ZERO);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *state >> 33;
}

#define SIZE 256

/* Random extents; where[i] says where byte i is stored. */
static size_t make_lead(uint64_t *rng, struct mk_extent *x,
			uint64_t where[SIZE])
{
	uint64_t at = 0, stream = 1000;
	size_t n = 0;

	for (size_t i = 0; i < SIZE; i++)
		where[i] = ARC_STREAM_ZERO;
	for (;;) {
		uint64_t len = 1 + next_random(rng) % 20;

		at += next_random(rng) % 3 ? next_random(rng) % 20 : 0;
		if (at + len > SIZE)
			return n;
		x[n++] = (struct mk_extent){ at, len, stream };
		for (uint64_t i = 0; i < len; i++)
			where[at + i] = stream + i;
		at += len;
		stream += len + next_random(rng) % 5;
	}
}

static void every_byte_is_found_where_the_leader_has_it(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct mk_extent x[SIZE];
		uint64_t where[SIZE], rng = seed, off = 0, end;
		struct mk_extmap m = { x, make_lead(&rng, x, where), 0 };

		while (off < SIZE) {
			off += next_random(&rng) % 10;
			end = off + 1 + next_random(&rng) % 50;
			end = ARC_MIN(end, SIZE);
			while (off < end) {
				struct mk_extent p =
					mk_extmap_piece(&m, off, end);

				assert_int_equal(p.file, off);
				assert_in_range(p.len, 1, end - off);
				for (uint64_t i = 0; i < p.len; i++)
					assert_true(where[off + i] ==
						    (p.stream == ARC_STREAM_ZERO
							     ? p.stream
							     : p.stream + i));
				off += p.len;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_cut_along_the_leaders_extents),
		cmocka_unit_test(a_run_may_begin_and_end_anywhere),
		cmocka_unit_test(without_extents_everything_is_zeros),
		cmocka_unit_test(every_byte_is_found_where_the_leader_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
