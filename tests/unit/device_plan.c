/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/device_plan.h"
#include "testdata.h"

#define CAP 2048

static struct arc_device_plan *plan;

static int setup(void **state)
{
	(void)state;
	return arc_device_plan_new(CAP, &plan);
}

static int teardown(void **state)
{
	(void)state;
	arc_device_plan_free(plan);
	return 0;
}

/* A record of n coded segments that use nothing. */
static struct arc_record *record(uint32_t n, uint8_t group_log)
{
	struct arc_record *r =
		calloc(1, sizeof(*r) + n * sizeof(r->segment[0]));

	assert_non_null(r);
	r->segments = n;
	r->raw = n * ARC_SEGMENT_SIZE;
	r->codec = ARC_CODEC_LZEXT3;
	r->group_log = group_log;
	r->decoder = arc_decoder_find(ARC_CODEC_LZEXT3);
	for (uint32_t s = 0; s < n; s++)
		r->segment[s].type = ARC_SEGMENT_CODED;
	return r;
}

static struct arc_disk_lzext3 *entry(struct arc_record *r, uint32_t s)
{
	return (struct arc_disk_lzext3 *)r->segment[s].ext;
}

static void use_near(struct arc_record *r, uint32_t s, uint16_t granules)
{
	entry(r, s)->near = arc_put16(granules);
}

static void use_far(struct arc_record *r, uint32_t s, uint8_t far)
{
	entry(r, s)->far[entry(r, s)->fars++] = far;
}

/* Every segment may use all of its group before it. */
static void use_all_near(struct arc_record *r)
{
	uint32_t n = UINT32_C(1) << (r->group_log - ARC_SEGMENT_LOG);

	for (uint32_t s = 0; s < r->segments; s++) {
		uint32_t granule = n > 16 ? n / 16 : 1;
		uint32_t used = (s % n + granule - 1) / granule;

		use_near(r, s, (uint16_t)((1u << used) - 1));
	}
}

static struct arc_plan_frame all_of(const struct arc_record *r)
{
	struct arc_plan_frame f = { .record = r };

	for (uint32_t s = 0; s < r->segments; s++)
		arc_segset_add(&f.set, s);
	return f;
}

/* "0.0 0.1, 0.2 | 0.3": a bar between levels, commas between chains. */
static const char *planned(void)
{
	static char text[65536];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t k = 0; k < plan->levels; k++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
				      k ? " | " : "");
		for (uint32_t c = plan->level[k]; c < plan->level[k + 1]; c++) {
			const struct arc_plan_chain *chain = &plan->chain[c];

			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
					      c > plan->level[k] ? ", " : "");
			for (uint32_t i = 0; i < chain->n; i++) {
				const struct arc_plan_segment *p =
					&plan->segment[chain->first + i];

				n += (size_t)snprintf(text + n,
						      sizeof(text) - n,
						      "%s%u.%u", i ? " " : "",
						      p->frame, p->s);
			}
		}
	}
	return text;
}

/* ---- tests --------------------------------------------------------------- */

static void groups_that_need_nothing_are_one_launch(void **state)
{
	struct arc_record *r = record(7, 18);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	use_all_near(r);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	assert_string_equal(planned(), "0.0 0.1 0.2 0.3, 0.4 0.5 0.6");
	free(r);
}

static void a_group_comes_behind_those_it_refers_to(void **state)
{
	struct arc_record *r = record(8, 17);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	use_all_near(r);
	use_far(r, 5, 1); /* group 2 refers to group 0 */
	use_far(r, 6, 4); /* group 3 to group 2, by its other segment */
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	assert_string_equal(planned(), "0.0 0.1, 0.2 0.3 | 0.4 0.5 | 0.6 0.7");
	free(r);
}

static void frames_share_their_launches(void **state)
{
	struct arc_record *a = record(3, 17), *b = record(4, 17);
	struct arc_plan_frame f[] = { all_of(a), all_of(b) };

	(void)state;
	use_all_near(a);
	use_all_near(b);
	use_far(b, 2, 0);
	assert_int_equal(arc_device_plan_make(plan, f, 2, 1), 0);
	assert_string_equal(planned(), "0.0 0.1, 0.2, 1.0 1.1 | 1.2 1.3");
	free(a);
	free(b);
}

/* Work for many at once, in one group: but for what a segment really uses. */
static void long_groups_are_taken_apart_where_there_is_room(void **state)
{
	struct arc_record *r = record(6, 24);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	/* 16 segments are a granule here, so those that use anything use all
	 * before them */
	use_near(r, 4, 1);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 8), 0);
	assert_string_equal(planned(), "0.0, 0.1, 0.2, 0.3, 0.5 | 0.4");
	/* but not where one does it all anyway */
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	assert_string_equal(planned(), "0.0 0.1 0.2 0.3 0.4 0.5");
	free(r);
}

static void a_group_that_has_to_be_in_order_is_one_chain(void **state)
{
	struct arc_record *r = record(5, 24);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	use_all_near(r);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1000), 0);
	assert_string_equal(planned(), "0.0 0.1 0.2 0.3 0.4");
	free(r);
}

static void only_the_set_is_planned(void **state)
{
	struct arc_record *r = record(12, 18);
	struct arc_plan_frame f = { .record = r };

	(void)state;
	use_near(r, 6, 2); /* segment 5 */
	use_far(r, 9, 2);
	arc_segset_add(&f.set, 6);
	arc_segset_add(&f.set, 9);
	arc_record_closure(r, 0, 9, NULL, &f.set);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	assert_string_equal(planned(), "0.2, 0.5 0.6 | 0.9");
	free(r);
}

static void a_set_that_lacks_something_is_refused(void **state)
{
	struct arc_record *r = record(12, 18);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	use_near(r, 6, 2);
	use_far(r, 9, 2);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	f.set.word[0] &= ~(UINT64_C(1) << 5);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), -EINVAL);
	f = all_of(r);
	f.set.word[0] &= ~(UINT64_C(1) << 2);
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), -EINVAL);
	free(r);
}

static void what_is_not_coded_needs_nothing(void **state)
{
	struct arc_record *r = record(4, 18);
	struct arc_plan_frame f = all_of(r);

	(void)state;
	use_all_near(r);
	r->segment[1].type = ARC_SEGMENT_RAW;
	r->segment[2].type = ARC_SEGMENT_FILL;
	r->segment[3].type = ARC_SEGMENT_RAW;
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 100), 0);
	assert_string_equal(planned(), "0.0, 0.1, 0.2, 0.3");
	free(r);
}

static void nothing_to_do_is_no_launch(void **state)
{
	struct arc_record *r = record(4, 18);
	struct arc_plan_frame f = { .record = r };

	(void)state;
	assert_int_equal(arc_device_plan_make(plan, &f, 1, 1), 0);
	assert_int_equal(plan->levels, 0);
	assert_int_equal(plan->segments, 0);
	assert_int_equal(arc_device_plan_make(plan, NULL, 0, 1), 0);
	assert_int_equal(plan->levels, 0);
	free(r);
}

static void more_segments_than_there_is_memory_for_are_refused(void **state)
{
	struct arc_record *r = record(256, 20);
	struct arc_plan_frame f[9];

	(void)state;
	use_all_near(r);
	for (size_t i = 0; i < ARC_COUNT(f); i++)
		f[i] = all_of(r);
	assert_int_equal(arc_device_plan_make(plan, f, 8, 1000), 0);
	assert_int_equal(plan->segments, CAP);
	assert_int_equal(plan->chains, CAP / 16);
	assert_int_equal(arc_device_plan_make(plan, f, 9, 1000), -EINVAL);
	free(r);
}

/* Whatever the shape: each segment of the sets once, and what it needs in a
 * lower level or before it in its chain. */
static void check_order(const struct arc_plan_frame *frames, uint32_t n)
{
	static struct arc_segset done[64], lower[64];
	uint32_t segments = 0;

	memset(done, 0, sizeof(done));
	for (uint32_t k = 0; k < plan->levels; k++) {
		memcpy(lower, done, sizeof(lower));
		for (uint32_t c = plan->level[k]; c < plan->level[k + 1]; c++) {
			struct arc_segset own = { 0 };

			for (uint32_t i = 0; i < plan->chain[c].n; i++) {
				struct arc_plan_segment p =
					plan->segment[plan->chain[c].first + i];
				struct arc_segset needs = { 0 };

				assert_true(p.frame < n);
				assert_true(arc_segset_has(&frames[p.frame].set,
							   p.s));
				assert_false(
					arc_segset_has(&done[p.frame], p.s));
				arc_segset_add(&own, p.s);
				arc_segset_add(&needs, p.s);
				arc_record_closure(frames[p.frame].record, p.s,
						   p.s, NULL, &needs);
				for (size_t w = 0; w < 4; w++)
					assert_int_equal(
						needs.word[w] & ~own.word[w] &
							~lower[p.frame].word[w],
						0);
				arc_segset_add(&done[p.frame], p.s);
				segments++;
			}
		}
	}
	assert_int_equal(segments, plan->segments);
	for (uint32_t i = 0; i < n; i++)
		assert_memory_equal(&done[i], &frames[i].set, sizeof(done[i]));
}

static void any_frames_are_planned_in_an_order_that_works(void **state)
{
	struct arc_record *r[5];
	struct arc_plan_frame f[5];
	uint64_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 5; i++) {
			uint64_t v = testdata_next(&seed);
			uint32_t n = 1 + v % 256;
			uint8_t log = (uint8_t)(16 + (v >> 8) % 9);
			uint32_t group = UINT32_C(1) << (log - 16);

			r[i] = record(n, log);
			use_all_near(r[i]);
			f[i] = (struct arc_plan_frame){ .record = r[i] };
			for (uint32_t s = 0; s < n; s++) {
				uint64_t w = testdata_next(&seed);
				uint16_t near = arc_get16(entry(r[i], s)->near);

				use_near(r[i], s,
					 near & (w & 1 ? (uint16_t)(w >> 8)
						       : 0));
				if (s >= group && (w & 12) == 12)
					use_far(r[i], s,
						(uint8_t)((w >> 32) %
							  (s / group * group)));
				if ((w >> 4 & 7) <= (v >> 16 & 7))
					arc_segset_add(&f[i].set, s);
			}
			arc_record_closure(r[i], 0, n - 1, NULL, &f[i].set);
		}
		assert_int_equal(
			arc_device_plan_make(plan, f, 5, 1 + round * round), 0);
		check_order(f, 5);
		for (unsigned i = 0; i < 5; i++)
			free(r[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_that_need_nothing_are_one_launch),
		cmocka_unit_test(a_group_comes_behind_those_it_refers_to),
		cmocka_unit_test(frames_share_their_launches),
		cmocka_unit_test(
			long_groups_are_taken_apart_where_there_is_room),
		cmocka_unit_test(a_group_that_has_to_be_in_order_is_one_chain),
		cmocka_unit_test(only_the_set_is_planned),
		cmocka_unit_test(a_set_that_lacks_something_is_refused),
		cmocka_unit_test(what_is_not_coded_needs_nothing),
		cmocka_unit_test(nothing_to_do_is_no_launch),
		cmocka_unit_test(
			more_segments_than_there_is_memory_for_are_refused),
		cmocka_unit_test(any_frames_are_planned_in_an_order_that_works),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
