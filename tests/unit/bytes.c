/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"

static void integers_are_little_endian(void **state)
{
	const uint8_t b[] = { 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0xf1 };
	struct arc_le16 v16;
	struct arc_le32 v32;
	struct arc_le64 v64;

	(void)state;
	memcpy(&v16, b, sizeof(v16));
	memcpy(&v32, b, sizeof(v32));
	memcpy(&v64, b, sizeof(v64));
	assert_int_equal(arc_get16(v16), 0xcdef);
	assert_true(arc_get32(v32) == UINT32_C(0x89abcdef));
	assert_true(arc_get64(v64) == UINT64_C(0xf123456789abcdef));
	v16 = arc_put16(0xcdef);
	v32 = arc_put32(UINT32_C(0x89abcdef));
	v64 = arc_put64(UINT64_C(0xf123456789abcdef));
	assert_memory_equal(&v16, b, 2);
	assert_memory_equal(&v32, b, 4);
	assert_memory_equal(&v64, b, 8);
}

static void cursor_reads_in_order(void **state)
{
	const uint8_t b[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
			      11, 12, 13, 14, 15, 16, 17, 18, 19 };
	struct arc_cursor c =
		arc_cursor_of((struct arc_span){ .p = b, .n = sizeof(b) });
	uint8_t two[2];

	(void)state;
	assert_int_equal(arc_cursor_u8(&c), 1);
	assert_int_equal(arc_cursor_u16(&c), 0x0302);
	assert_int_equal(arc_cursor_u32(&c), 0x07060504);
	assert_true(arc_cursor_u64(&c) == UINT64_C(0x0f0e0d0c0b0a0908));
	assert_true(arc_cursor_take(&c, two, 2));
	assert_memory_equal(two, b + 15, 2);
	assert_ptr_equal(arc_cursor_view(&c, 2), b + 17);
	assert_int_equal(c.left, 0);
	assert_false(c.bad);
}

static void cursor_past_the_end_is_bad_for_good(void **state)
{
	const uint8_t b[] = { 1, 2, 3, 4, 5 };
	struct arc_cursor c =
		arc_cursor_of((struct arc_span){ .p = b, .n = sizeof(b) });
	uint8_t dst[8];

	(void)state;
	memset(dst, 0xff, sizeof(dst));
	assert_false(arc_cursor_take(&c, dst, 6));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(dst[i], 0);
	assert_int_equal(dst[6], 0xff);
	assert_true(c.bad);
	assert_int_equal(c.left, 0);
	/* also for what would have fitted before */
	assert_int_equal(arc_cursor_u8(&c), 0);
	assert_int_equal(arc_cursor_u16(&c), 0);
	assert_int_equal(arc_cursor_u32(&c), 0);
	assert_true(arc_cursor_u64(&c) == 0);
	assert_null(arc_cursor_view(&c, 1));
	assert_null(arc_cursor_view(&c, 0));
	assert_false(arc_cursor_take(&c, dst, 0));
	assert_true(c.bad);
}

static void cursor_checks_every_width(void **state)
{
	const uint8_t b[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	for (size_t n = 0; n <= sizeof(b); n++) {
		const struct arc_span s = { .p = b, .n = n };
		struct arc_cursor c8 = arc_cursor_of(s);
		struct arc_cursor c16 = arc_cursor_of(s);
		struct arc_cursor c32 = arc_cursor_of(s);
		struct arc_cursor c64 = arc_cursor_of(s);

		assert_true(arc_cursor_u8(&c8) == (n < 1 ? 0 : UINT8_MAX));
		assert_true(c8.bad == (n < 1));
		assert_true(arc_cursor_u16(&c16) == (n < 2 ? 0 : UINT16_MAX));
		assert_true(c16.bad == (n < 2));
		assert_true(arc_cursor_u32(&c32) == (n < 4 ? 0 : UINT32_MAX));
		assert_true(c32.bad == (n < 4));
		assert_true(arc_cursor_u64(&c64) == (n < 8 ? 0 : UINT64_MAX));
		assert_true(c64.bad == (n < 8));
	}
}

static void cursor_over_nothing_gives_nothing(void **state)
{
	struct arc_cursor c = arc_cursor_of((struct arc_span){ 0 });

	(void)state;
	assert_non_null(arc_cursor_view(&c, 0));
	assert_true(arc_cursor_take(&c, NULL, 0));
	assert_false(c.bad);
	assert_null(arc_cursor_view(&c, SIZE_MAX));
	assert_true(c.bad);
}

static void buffer_grows_and_keeps_its_bytes(void **state)
{
	struct arc_buf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t pair[2] = { (uint8_t)i, (uint8_t)(i >> 8) };

		assert_int_equal(arc_buf_append(&b, pair, 2), 0);
	}
	assert_int_equal(arc_buf_fill(&b, 0xaa, 3), 0);
	assert_int_equal(b.n, 20003);
	assert_true(b.cap >= b.n);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(b.p[2 * i] | b.p[2 * i + 1] << 8, i);
	for (size_t i = 20000; i < b.n; i++)
		assert_int_equal(b.p[i], 0xaa);
	arc_buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(b.n + b.cap, 0);
}

static void appends_of_nothing_need_no_memory(void **state)
{
	struct arc_buf b = { 0 };

	(void)state;
	assert_int_equal(arc_buf_append(&b, NULL, 0), 0);
	assert_int_equal(arc_buf_fill(&b, 1, 0), 0);
	assert_int_equal(arc_buf_reserve(&b, 0), 0);
	assert_null(b.p);
	arc_buf_fini(&b);
}

static void reserve_makes_room_at_once(void **state)
{
	struct arc_buf b = { 0 };
	const uint8_t *p;

	(void)state;
	assert_int_equal(arc_buf_append(&b, "x", 1), 0);
	assert_int_equal(arc_buf_reserve(&b, 100000), 0);
	assert_int_equal(b.n, 1);
	assert_true(b.cap >= 100001);
	p = b.p;
	assert_int_equal(arc_buf_fill(&b, 7, 100000), 0);
	assert_ptr_equal(b.p, p);
	arc_buf_fini(&b);
}

static void failed_append_leaves_the_buffer(void **state)
{
	struct arc_buf b = { 0 };

	(void)state;
	assert_int_equal(arc_buf_append(&b, "abc", 3), 0);
	assert_int_equal(arc_buf_reserve(&b, SIZE_MAX), -ENOMEM);
	assert_int_equal(arc_buf_reserve(&b, SIZE_MAX - 3), -ENOMEM);
	assert_int_equal(arc_buf_fill(&b, 0, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(b.n, 3);
	assert_memory_equal(b.p, "abc", 3);
	arc_buf_fini(&b);
}

static void ranges_do_not_wrap(void **state)
{
	(void)state;
	assert_true(arc_range_ok(0, 0, 0));
	assert_true(arc_range_ok(3, 4, 7));
	assert_true(arc_range_ok(7, 0, 7));
	assert_false(arc_range_ok(3, 5, 7));
	assert_false(arc_range_ok(8, 0, 7));
	assert_false(arc_range_ok(4, UINT64_MAX - 2, 7));
	assert_false(arc_range_ok(UINT64_MAX, 2, UINT64_MAX));
	assert_true(arc_range_ok(1, UINT64_MAX - 1, UINT64_MAX));
	assert_true(arc_div_up(0, 3) == 0);
	assert_true(arc_div_up(1, 3) == 1);
	assert_true(arc_div_up(3, 3) == 1);
	assert_true(arc_div_up(UINT64_MAX, 2) == UINT64_MAX / 2 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(cursor_reads_in_order),
		cmocka_unit_test(cursor_past_the_end_is_bad_for_good),
		cmocka_unit_test(cursor_checks_every_width),
		cmocka_unit_test(cursor_over_nothing_gives_nothing),
		cmocka_unit_test(buffer_grows_and_keeps_its_bytes),
		cmocka_unit_test(appends_of_nothing_need_no_memory),
		cmocka_unit_test(reserve_makes_room_at_once),
		cmocka_unit_test(failed_append_leaves_the_buffer),
		cmocka_unit_test(ranges_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
