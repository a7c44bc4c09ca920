/* SPDX-License-Identifier: MIT */
/*
 * Damage, as chance has it: a device says what the C decoder says, and nothing
 * else comes to harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devicecases.h"

/* A segment with a bit of everything, its numbers drawn. */
static void draw_segment(uint64_t *seed)
{
	unsigned matches = (unsigned)(testdata_next(seed) % 300);

	asm_begin(&a, 9, 18);
	a.x.near = arc_put16((uint16_t)(testdata_next(seed) & 1));
	asm_list(&a, 6);
	for (unsigned i = 0; i < matches; i++) {
		uint64_t v = testdata_next(seed);
		uint32_t lit = v & 7 ? v >> 8 & 7 : v >> 8 & 511;
		uint32_t len = 4 + (v & 56 ? v >> 20 & 15 : v >> 20 & 511);
		uint32_t dist = 1 + (v >> 30 & 15);

		if ((v >> 40 & 15) == 0)
			dist = 3 * SEGMENT - 600 + a.n + (v >> 44 & 63);
		else if ((v >> 40 & 15) < 4)
			dist = SEGMENT + (v >> 44 & 255);
		if (a.n + lit + len > SEGMENT - 2000)
			break;
		asm_match(&a, a.n ? lit : 16, len, dist);
	}
	asm_tail(&a, (uint32_t)(testdata_next(seed) % 200));
	if (a.n == 0)
		asm_tail(&a, 1);
}

static uint8_t raw[13 * (size_t)SEGMENT];

static void damaged_segments_are_what_the_c_decoder_says(void **state)
{
	static uint8_t bytes[6 * (size_t)ASM_STREAM + 1];
	uint64_t seed = 2025;

	(void)state;
	good_seen = bad_seen = 0;
	for (unsigned i = 0; i < 60; i++) {
		draw_segment(&seed);
		add_case();
		for (unsigned k = 0; k < 20; k++) {
			size_t n = asm_bytes(&a, bytes);
			struct arc_segment seg = asm_entry(&a, n);

			asm_damage(&seg, bytes, &seed);
			add_stored(&seg, bytes, a.s, (int)a.n, a.group_log);
		}
	}
	flush_cases();
	/* both happen, or this is no test */
	assert_true(good_seen > 200 && bad_seen > 200);
}

/* ---- whole records ------------------------------------------------------- */

/* Bytes of table and payload are changed, and the table sealed again. Returns
 * whether the record is one that a reader takes. */
static bool forge(uint8_t *stored, struct arc_record_info *info, uint64_t *seed,
		  struct arc_record **ret)
{
	struct arc_disk_record *head = (struct arc_disk_record *)stored;
	size_t table = (size_t)arc_segment_count(info->raw) * info->entry_size;
	uint64_t v = testdata_next(seed);
	struct arc_span front = { stored, 56 };
	struct arc_span entries = { stored + sizeof(*head), table };
	struct arc_span record = { stored, info->stored };

	for (unsigned i = 0; i <= (v & 7); i++) {
		uint64_t w = testdata_next(seed);
		size_t s = (w >> 32) % arc_segment_count(info->raw);
		size_t at = sizeof(*head) + table;

		if ((w & 7) == 0) /* the codec's part of an entry */
			at = sizeof(*head) + s * info->entry_size +
			     sizeof(struct arc_disk_segment) + (w >> 8) % 16;
		else
			at += (w >> 8) % (info->stored - at);
		stored[at] ^= (uint8_t)(1u << (w >> 4 & 7));
	}
	head->checksum = arc_put64(arc_xxh64_2(front, entries));
	return arc_record_parse(record, ret) == 0;
}

static void forged_records_do_no_harm(void **state)
{
	static const uint8_t reaches[] = { 16, 18, 20, 24 };
	size_t n = 12 * (size_t)SEGMENT + 100;
	unsigned bad = 0, all = 0;
	uint64_t seed = 4;

	(void)state;
	testdata_fill(TESTDATA_MIXED, raw, n, 8);
	for (unsigned i = 0; i < 60; i++) {
		const struct arc_encoder_params p = {
			.level = 1 + i % 6,
			.group_log = reaches[i % 4],
			.far_max = i % 3 == 0 ? 16 : 0,
		};
		struct arc_record_info info;
		uint8_t *stored = device_encode(raw, n, &p, &info);
		struct arc_record *r = NULL;

		/* one in four is left as it is, and must come back */
		if (i % 4 == 0) {
			free(stored);
			device_add_raw(raw, n, &p);
		} else if (forge(stored, &info, &seed, &r)) {
			device_want(device_add(r, stored + r->head, stored), 0,
				    r->segments);
		} else {
			free(stored);
		}
		if (i % 20 != 19)
			continue;
		all += world.n;
		bad += device_check();
		device_clear();
	}
	assert_true(all > 40 && bad > 40);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_segments_are_what_the_c_decoder_says),
		cmocka_unit_test(forged_records_do_no_harm),
	};

	return cmocka_run_group_tests(tests, cases_setup, cases_teardown);
}
