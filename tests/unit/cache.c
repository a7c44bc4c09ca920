/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "opencache.h"

/* The header of the record of a frame, in its volume. */
static uint8_t *find_record(struct opened *o, uint64_t number,
			    struct arc_record **ret)
{
	struct arc_frame f;
	uint8_t *p;

	assert_int_equal(arc_index_frame(o->idx, number, &f), 0);
	p = volume_bytes(&o->m, f.volume, NULL) + f.offset;
	if (ret)
		assert_int_equal(
			arc_record_parse((struct arc_span){ p, f.stored }, ret),
			0);
	return p;
}

/* ---- bytes -------------------------------------------------------------- */

static void every_byte_is_that_of_the_stream(void **state)
{
	static const struct shape shapes[] = {
		{ TESTDATA_TEXT, "lz4", 16, 98 << 20 },
		{ TESTDATA_MIXED, "lz4", 18, 2 << 20 },
		{ TESTDATA_MIXED, "lz4hc", 20, 98 << 20 },
		{ TESTDATA_TEXT, "lz4", 24, 98 << 20 },
		{ TESTDATA_RANDOM, NULL, 18, 2 << 20 },
		{ TESTDATA_ZERO, "lz4", 18, 98 << 20 },
		{ TESTDATA_TEXT, "zstd", 18, 98 << 20 },
		{ TESTDATA_MIXED, "zstd", 20, 2 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(shapes); i++) {
		uint64_t seed = i;
		struct opened o;
		uint64_t at = 0;

		make(&o, &shapes[i]);
		open_cache(&o, BUDGET);
		for (int k = 0; k < 300; k++) {
			uint64_t off = testdata_next(&seed) % STREAM;
			size_t n = 1 + testdata_next(&seed) % 400000;

			assert_true(touch(&o, off, ARC_MIN(n, STREAM - off)) >
				    0);
		}
		while (at < STREAM) {
			ssize_t got = touch(&o, at, STREAM - at);

			assert_true(got > 0);
			at += (uint64_t)got;
		}
		assert_int_equal(o.l.count, 0);
		drop(&o);
	}
}

static void a_pin_ends_with_its_group(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	assert_int_equal(touch(&o, 0, 1), 1);
	assert_int_equal(touch(&o, 0, STREAM), 4 * SEGMENT);
	assert_int_equal(touch(&o, 4 * SEGMENT - 1, 10), 1);
	assert_int_equal(touch(&o, SET_FRAME - 5, 10), 5);
	assert_int_equal(touch(&o, STREAM - 7, 100), 7);
	assert_int_equal(touch(&o, STREAM, 1), -EBADMSG);
	assert_int_equal(touch(&o, UINT64_MAX, 1), -EBADMSG);
	drop(&o);
}

/* ---- no more work than needed ------------------------------------------- */

static void only_what_is_needed_is_decoded(void **state)
{
	struct arc_cache_stats s;
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	touch(&o, 5 * SEGMENT, 10); /* the second of group 1 */
	assert_int_equal(segments_decoded(&o), 2);
	touch(&o, 4 * SEGMENT + 17, SEGMENT);
	assert_int_equal(segments_decoded(&o), 2);
	touch(&o, 7 * SEGMENT, 1); /* the two that were left */
	assert_int_equal(segments_decoded(&o), 4);
	touch(&o, 4 * SEGMENT, 4 * SEGMENT);
	assert_int_equal(segments_decoded(&o), 4);
	s = stats_of(&o);
	assert_int_equal(s.segments[ARC_CODEC_LZ4], 4);
	assert_int_equal(s.decoded, 4 * SEGMENT);
	assert_int_equal(s.served, 10 + SEGMENT + 1 + 4 * SEGMENT);
	assert_int_equal(s.groups.misses, 1);
	assert_int_equal(s.groups.hits, 3);
	drop(&o);
}

static void a_raw_segment_needs_no_other(void **state)
{
	static const struct shape raw = { TESTDATA_RANDOM, NULL, 20, 98 << 20 };
	struct opened o;
	uint64_t before;

	(void)state;
	make(&o, &raw);
	open_cache(&o, BUDGET);
	touch(&o, 0, 1);
	before = arc_volumes_bytes_read(o.vs);
	touch(&o, 10 * SEGMENT, 1);
	assert_int_equal(segments_decoded(&o), 2);
	assert_int_equal(arc_volumes_bytes_read(o.vs) - before, SEGMENT);
	drop(&o);
}

static void a_group_is_read_with_one_call(void **state)
{
	struct arc_fault_plan plan = { .fail_at = 0 };
	struct opened o;
	uint64_t before;

	(void)state;
	make(&o, &text);
	assert_int_equal(arc_store_faulty(o.m.set.stores[0], &plan,
					  &o.m.set.stores[0]),
			 0);
	open_cache(&o, BUDGET);
	touch(&o, 0, 1); /* head of the record, and the first segment */
	before = plan.calls;
	touch(&o, 4 * SEGMENT, 4 * SEGMENT);
	assert_int_equal(plan.calls - before, 1);
	drop(&o);
}

static const struct shape zstd = { TESTDATA_TEXT, "zstd", 18, 98 << 20 };

static void a_group_that_is_coded_whole_is_decoded_once(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &zstd);
	open_cache(&o, BUDGET);
	assert_int_equal(touch(&o, 6 * SEGMENT, 10), 10);
	assert_int_equal(stats_of(&o).segments[ARC_CODEC_ZSTD], 4);
	assert_int_equal(stats_of(&o).decoded, 4 * SEGMENT);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), 4 * SEGMENT);
	assert_int_equal(segments_decoded(&o), 4);
	drop(&o);
}

/* ---- budget ------------------------------------------------------------- */

static void any_budget_is_enough(void **state)
{
	static const size_t budgets[] = { 0, 1, 65536, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(budgets); i++) {
		uint64_t seed = i;
		struct opened o;

		make(&o, &text);
		open_cache(&o, budgets[i]);
		for (int k = 0; k < 100; k++) {
			uint64_t off = testdata_next(&seed) % (STREAM - 10);

			assert_true(touch(&o, off, 10) > 0);
			assert_true(stats_of(&o).groups.cost <= budgets[i]);
		}
		drop(&o);
	}
}

static void what_was_used_last_stays(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, 1 << 20); /* three groups and spare buffers */
	for (uint64_t at = 0; at < STREAM; at += 4 * SEGMENT)
		touch(&o, at, 1);
	assert_true(stats_of(&o).groups.evictions > 5);
	assert_int_equal(segments_decoded(&o), 13);
	touch(&o, STREAM - 1, 1);
	assert_int_equal(segments_decoded(&o), 14);
	touch(&o, STREAM - 1, 1);
	assert_int_equal(segments_decoded(&o), 14);
	touch(&o, 0, 1);
	assert_int_equal(segments_decoded(&o), 15);
	drop(&o);
}

/* Unless it has been dropped before: then it is wanted again and again. */
static void what_was_served_whole_goes_first(void **state)
{
	const uint64_t group = 4 * SEGMENT;
	struct opened o;
	uint64_t before;

	(void)state;
	make(&o, &text);
	open_cache(&o, 1 << 20); /* three groups and spare buffers */
	touch(&o, group, 1);
	touch(&o, 2 * group, 1);
	assert_int_equal(touch(&o, 0, group), group);
	touch(&o, 3 * group, 1);
	before = segments_decoded(&o);
	touch(&o, group, 1);
	touch(&o, 2 * group, 1);
	assert_int_equal(segments_decoded(&o), before);
	assert_int_equal(touch(&o, 0, group), group);
	assert_int_equal(segments_decoded(&o), before + 4);
	touch(&o, 4 * group, 1);
	assert_int_equal(touch(&o, 0, group), group);
	assert_int_equal(segments_decoded(&o), before + 4 + 1);
	drop(&o);
}

/* ---- damage ------------------------------------------------------------- */

/* Flips a bit in the stored bytes of a segment of frame 0. */
static void damage_at(struct opened *o, uint32_t s, bool end)
{
	struct arc_record *r;
	uint8_t *p = find_record(o, 0, &r);
	uint32_t n = r->segment[s].size;

	p[r->head + r->segment[s].offset + (end ? n - 20 : n / 2)] ^= 0x40;
	free(r);
}

static void damage_segment(struct opened *o, uint32_t s)
{
	damage_at(o, s, false);
}

static void damage_end(struct opened *o, uint32_t s)
{
	damage_at(o, s, true);
}

static void a_damaged_segment_hides_itself(void **state)
{
	static const struct shape shape = { TESTDATA_RANDOM, NULL, 18,
					    98 << 20 };
	struct opened o;

	(void)state;
	make(&o, &shape);
	open_cache(&o, BUDGET);
	damage_segment(&o, 5);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(touch(&o, 5 * SEGMENT - 1, 2), -EBADMSG);
		assert_int_equal(touch(&o, 5 * SEGMENT, 1), -EBADMSG);
		assert_int_equal(touch(&o, 6 * SEGMENT - 1, 1), -EBADMSG);
		assert_int_equal(touch(&o, 5 * SEGMENT - 1, 1), 1);
		assert_int_equal(touch(&o, 6 * SEGMENT, SEGMENT), SEGMENT);
	}
	assert_in_range(stats_of(&o).bad_segments, 1, 9);
	assert_int_equal(o.l.count, 1);
	assert_non_null(strstr(o.l.text, "volume.001: frame 0, segment 5"));
	drop(&o);
}

static void a_mended_segment_is_read(void **state)
{
	struct opened o;
	uint64_t before;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	damage_segment(&o, 4);
	damage_segment(&o, 6);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), -EBADMSG);
	assert_int_equal(touch(&o, 7 * SEGMENT, 1), -EBADMSG);
	/* in vain, and at the price of one segment */
	before = stats_of(&o).bad_segments;
	assert_int_equal(touch(&o, 7 * SEGMENT, 1), -EBADMSG);
	assert_int_equal(stats_of(&o).bad_segments, before + 1);
	damage_segment(&o, 4);
	assert_int_equal(touch(&o, 4 * SEGMENT, 2 * SEGMENT), 2 * SEGMENT);
	assert_int_equal(touch(&o, 7 * SEGMENT, 1), -EBADMSG);
	damage_segment(&o, 6);
	assert_int_equal(touch(&o, 7 * SEGMENT, SEGMENT), SEGMENT);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), 4 * SEGMENT);
	drop(&o);
}

static void coded_segments_before_the_damage_are_served(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	damage_segment(&o, 6);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), -EBADMSG);
	assert_int_equal(touch(&o, 4 * SEGMENT, 2 * SEGMENT), 2 * SEGMENT);
	assert_int_equal(touch(&o, 6 * SEGMENT, 1), -EBADMSG);
	/* groups beside it do not know */
	assert_int_equal(touch(&o, 0, 4 * SEGMENT), 4 * SEGMENT);
	assert_int_equal(touch(&o, 8 * SEGMENT, 4 * SEGMENT), 4 * SEGMENT);
	drop(&o);
}

/* Which of segments 4 to 7 can be read, after `first` has been read. */
static unsigned readable_after(const struct shape *shape, uint32_t damaged,
			       uint32_t first)
{
	struct opened o;
	unsigned set = 0;

	make(&o, shape);
	open_cache(&o, BUDGET);
	damage_segment(&o, damaged);
	touch(&o, first * SEGMENT, 1);
	for (uint32_t s = 4; s < 8; s++) {
		ssize_t got = touch(&o, s * SEGMENT, SEGMENT);

		assert_true(got == SEGMENT || got == -EBADMSG);
		set |= got > 0 ? 1u << s : 0;
	}
	drop(&o);
	return set;
}

/* Nor does it show anything; what is served touch() compares. */
static void what_is_read_first_hides_nothing(void **state)
{
	static const struct shape shapes[] = {
		{ TESTDATA_TEXT, "lz4", 18, 98 << 20 },
		{ TESTDATA_TEXT, "lzext3", 20, 98 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(shapes); i++) {
		for (uint32_t bad = 4; bad < 7; bad++) {
			unsigned want = readable_after(&shapes[i], bad, 4);
			unsigned got = readable_after(&shapes[i], bad, 7);

			assert_int_equal(got, want);
			assert_false(want & 1u << bad);
		}
	}
}

static void segments_of_a_whole_group_before_the_damage_are_served(void **state)
{
	struct opened o;
	struct arc_pin pin;
	uint64_t before;

	(void)state;
	make(&o, &zstd);
	open_cache(&o, BUDGET);
	damage_end(&o, 4);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), -EBADMSG);
	assert_int_equal(touch(&o, 7 * SEGMENT, 1), -EBADMSG);
	assert_int_equal(touch(&o, 4 * SEGMENT, SEGMENT), SEGMENT);
	assert_int_equal(touch(&o, 0, 4 * SEGMENT), 4 * SEGMENT);
	/* what is pinned stays while the rest is tried again */
	assert_int_equal(arc_cache_pin(o.cache, 4 * SEGMENT, SEGMENT, &pin), 0);
	before = segments_decoded(&o);
	assert_int_equal(touch(&o, 6 * SEGMENT, 2 * SEGMENT), -EBADMSG);
	assert_memory_equal(pin.p, o.stream + 4 * SEGMENT, SEGMENT);
	assert_int_equal(segments_decoded(&o), before);
	damage_end(&o, 4);
	assert_int_equal(touch(&o, 4 * SEGMENT, 4 * SEGMENT), 4 * SEGMENT);
	assert_memory_equal(pin.p, o.stream + 4 * SEGMENT, SEGMENT);
	assert_int_equal(segments_decoded(&o), 4 + 4);
	arc_cache_unpin(o.cache, &pin);
	drop(&o);
}

static void a_damaged_head_hides_its_frame(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	find_record(&o, 1, NULL)[70] ^= 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(touch(&o, SET_FRAME + i, 1), -EBADMSG);
	assert_int_equal(o.l.count, 1);
	assert_non_null(strstr(o.l.text, "frame 1"));
	assert_int_equal(touch(&o, SET_FRAME - 1, 1), 1);
	assert_int_equal(touch(&o, 2 * SET_FRAME, 1), 1);
	drop(&o);
}

/* A record that is sound in itself, but not the one the index means. */
static void a_stale_record_is_refused(void **state)
{
	struct opened o, other;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	make(&other,
	     &(const struct shape){ TESTDATA_MIXED, "lz4", 18, 98 << 20 });
	open_cache(&other, BUDGET);
	memcpy(find_record(&o, 0, NULL), find_record(&other, 0, NULL), 40000);
	assert_int_equal(touch(&o, 0, 1), -EBADMSG);
	assert_int_equal(touch(&o, SET_FRAME, 1), 1);
	drop(&o);
	drop(&other);
}

static void a_volume_that_comes_back_is_read(void **state)
{
	static const struct shape shape = { TESTDATA_RANDOM, NULL, 18,
					    2 << 20 };
	struct arc_store *away;
	struct opened o;

	(void)state;
	make(&o, &shape);
	assert_true(o.m.set.n >= 3);
	open_cache(&o, BUDGET);
	away = arc_steal(o.m.set.stores[1]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(touch(&o, SET_FRAME, 1), -ENOMEDIUM);
	assert_int_equal(touch(&o, 0, 1), 1);
	o.m.set.stores[1] = away;
	assert_int_equal(touch(&o, SET_FRAME, 1), 1);
	drop(&o);
}

static void every_failing_read_is_answered_and_forgotten(void **state)
{
	static const struct shape shape = { TESTDATA_MIXED, "lz4", 18,
					    2 << 20 };
	uint64_t calls = UINT64_MAX;

	(void)state;
	for (uint64_t n = 1; n <= calls; n++) {
		struct arc_fault_plan plan = { .fail_at = 0 };
		unsigned failed = 0;
		struct opened o;

		make(&o, &shape);
		for (uint32_t i = 0; i < o.m.set.n; i++)
			assert_int_equal(arc_store_faulty(o.m.set.stores[i],
							  &plan,
							  &o.m.set.stores[i]),
					 0);
		open_cache(&o, BUDGET);
		plan.calls = 0;
		plan.fail_at = n;
		for (uint64_t at = 0; at < STREAM; at += 4 * SEGMENT) {
			ssize_t got = touch(&o, at, SEGMENT);

			if (got < 0) {
				assert_int_equal(got, -EIO);
				failed++;
				got = touch(&o, at, SEGMENT);
			}
			assert_true(got > 0);
		}
		assert_int_equal(failed, plan.calls >= n);
		if (failed == 0)
			calls = n;
		drop(&o);
	}
	assert_in_range(calls, 10, 100);
}

/* ---- threads ------------------------------------------------------------ */

static void *pin_one_group(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->start);
	w->wrong += !pin_is_right(w->o, 0, 4 * SEGMENT);
	return NULL;
}

static void many_who_ask_at_once_cost_one_decoding(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct opened o;

		make(&o, &text);
		open_cache(&o, BUDGET);
		run_threads(&o, pin_one_group, 1);
		assert_int_equal(segments_decoded(&o), 4);
		assert_int_equal(stats_of(&o).groups.misses, 1);
		drop(&o);
	}
}

static void threads_share_a_small_cache(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &(const struct shape){ TESTDATA_MIXED, "lz4", 18, 2 << 20 });
	open_cache(&o, 600000);
	run_threads(&o, work, 150);
	assert_true(stats_of(&o).groups.evictions > 0);
	assert_true(stats_of(&o).groups.cost <= 600000);
	drop(&o);
}

static void threads_share_a_large_cache(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &(const struct shape){ TESTDATA_MIXED, "lz4", 20, 2 << 20 });
	open_cache(&o, BUDGET);
	run_threads(&o, work, 150);
	assert_true(segments_decoded(&o) <= STREAM / SEGMENT + 1);
	drop(&o);
}

static void threads_share_groups_that_are_coded_whole(void **state)
{
	struct opened o;

	(void)state;
	make(&o, &(const struct shape){ TESTDATA_MIXED, "zstd", 18, 2 << 20 });
	open_cache(&o, 600000);
	run_threads(&o, work, 100);
	assert_true(stats_of(&o).groups.evictions > 0);
	drop(&o);
}

/* Every 5th segment of frame 0 is damaged: what comes out is right. */
static void *work_amid_damage(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->start);
	for (unsigned i = 0; i < w->rounds; i++) {
		uint64_t off = testdata_next(&w->seed) % SET_FRAME;
		size_t n = 1 + testdata_next(&w->seed) % 200000;
		struct arc_pin pin;
		int err = arc_cache_pin(w->o->cache, off, n, &pin);

		if (err < 0) {
			w->wrong += err != -EBADMSG;
			continue;
		}
		w->wrong += memcmp(pin.p, w->o->stream + off, pin.n) != 0;
		arc_cache_unpin(w->o->cache, &pin);
	}
	return NULL;
}

static void threads_meet_damage(void **state)
{
	static const char *const codecs[] = { NULL, "lz4", "zstd" };

	(void)state;
	for (size_t i = 0; i < 2 * ARC_COUNT(codecs); i++) {
		const struct shape shape = { TESTDATA_TEXT, codecs[i / 2], 18,
					     98 << 20 };
		struct opened o;

		make(&o, &shape);
		open_cache(&o, i & 1 ? 600000 : BUDGET);
		for (uint32_t s = 0; s < SET_FRAME / SEGMENT; s += 5)
			if (i / 2 < 2 || s % 4 == 0)
				damage_segment(&o, s);
		run_threads(&o, work_amid_damage, 100);
		assert_true(stats_of(&o).bad_segments > 0);
		assert_true(segments_decoded(&o) > 0);
		drop(&o);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_that_of_the_stream),
		cmocka_unit_test(a_pin_ends_with_its_group),
		cmocka_unit_test(only_what_is_needed_is_decoded),
		cmocka_unit_test(a_raw_segment_needs_no_other),
		cmocka_unit_test(a_group_is_read_with_one_call),
		cmocka_unit_test(a_group_that_is_coded_whole_is_decoded_once),
		cmocka_unit_test(any_budget_is_enough),
		cmocka_unit_test(what_was_used_last_stays),
		cmocka_unit_test(what_was_served_whole_goes_first),
		cmocka_unit_test(a_damaged_segment_hides_itself),
		cmocka_unit_test(a_mended_segment_is_read),
		cmocka_unit_test(coded_segments_before_the_damage_are_served),
		cmocka_unit_test(what_is_read_first_hides_nothing),
		cmocka_unit_test(
			segments_of_a_whole_group_before_the_damage_are_served),
		cmocka_unit_test(a_damaged_head_hides_its_frame),
		cmocka_unit_test(a_stale_record_is_refused),
		cmocka_unit_test(a_volume_that_comes_back_is_read),
		cmocka_unit_test(every_failing_read_is_answered_and_forgotten),
		cmocka_unit_test(many_who_ask_at_once_cost_one_decoding),
		cmocka_unit_test(threads_share_a_small_cache),
		cmocka_unit_test(threads_share_a_large_cache),
		cmocka_unit_test(threads_share_groups_that_are_coded_whole),
		cmocka_unit_test(threads_meet_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
