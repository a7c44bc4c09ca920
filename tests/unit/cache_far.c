/* SPDX-License-Identifier: MIT */
/*
 * The cache and segments that refer to others in earlier groups: frame 0 has
 * groups of one segment, and a chain of far references,
 *
 *	12 -> 8 -> 1, 4 -> 0
 *	14 -> 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "archive.h"
#include "cacheworld.h"
#include "hash.h"
#include "testdata.h"

#define HALF (SEGMENT / 2)
#define STREAM ((size_t)SET_FRAME)

static void fill(struct opened *o)
{
	uint64_t seed = 7;
	uint8_t *p;

	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	p = o->stream = malloc(STREAM);
	assert_non_null(p);
	testdata_random(p, STREAM, &seed);
	memcpy(p + 4 * SEGMENT, p, HALF);
	memcpy(p + 8 * SEGMENT, p + 4 * SEGMENT + HALF, HALF);
	memcpy(p + 8 * SEGMENT + HALF, p + SEGMENT, HALF);
	memcpy(p + 12 * SEGMENT, p + 8 * SEGMENT, SEGMENT);
	memcpy(p + 14 * SEGMENT, p + 2 * SEGMENT, SEGMENT);
	set_begin(&o->m, 98 << 20, SET_FRAME, 1);
	o->m.far_max = 4;
}

static void finish(struct opened *o, const struct arc_disk_frame *row)
{
	set_row(&o->m, ARC_TABLE_FRAME, row);
	set_dir(&o->m, 0, 0, 0);
	set_end(&o->m);
}

static void make(struct opened *o, size_t budget)
{
	struct arc_disk_frame row;

	fill(o);
	row = set_record(&o->m, o->stream, STREAM, "lzext3", 16);
	finish(o, &row);
	open_cache(o, budget);
}

/* 0 when the bytes are right, else the error. */
static int touch(struct opened *o, size_t off, size_t n)
{
	while (n > 0) {
		struct arc_pin pin;
		int err = arc_cache_pin(o->cache, off, n, &pin);

		if (err == 0 && memcmp(pin.p, o->stream + off, pin.n) != 0)
			err = -EIO;
		if (err < 0)
			return err;
		off += pin.n;
		n -= pin.n;
		arc_cache_unpin(o->cache, &pin);
	}
	return 0;
}

static uint64_t decoded(struct opened *o)
{
	struct arc_cache_stats s;

	arc_cache_stats(o->cache, &s);
	return s.decoded / SEGMENT;
}

/* Flips a bit in the stored bytes of a segment. */
static void flip(struct opened *o, uint32_t s)
{
	struct arc_record *r;
	struct arc_frame f;
	uint8_t *p;

	assert_int_equal(arc_index_frame(o->idx, 0, &f), 0);
	p = volume_bytes(&o->m, f.volume, NULL) + f.offset;
	assert_int_equal(arc_record_parse((struct arc_span){ p, f.stored }, &r),
			 0);
	p[r->head + r->segment[s].offset + r->segment[s].size / 2] ^= 4;
	free(r);
}

/* ---- tests -------------------------------------------------------------- */

static void a_closure_is_decoded_and_nothing_else(void **state)
{
	static const struct {
		uint32_t s;
		unsigned closure;
	} cases[] = { { 12, 5 }, { 8, 4 }, { 4, 2 }, { 0, 1 }, { 5, 1 } };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(cases); i++) {
		struct opened o;

		make(&o, BUDGET);
		assert_int_equal(touch(&o, cases[i].s * SEGMENT + 100, 4096),
				 0);
		assert_int_equal(decoded(&o), cases[i].closure);
		drop(&o);
	}
}

static void what_is_ready_is_not_decoded_again(void **state)
{
	struct opened o;

	(void)state;
	make(&o, BUDGET);
	assert_int_equal(touch(&o, 4 * SEGMENT, 1), 0);
	assert_int_equal(decoded(&o), 2);
	assert_int_equal(touch(&o, 12 * SEGMENT, 1), 0);
	assert_int_equal(decoded(&o), 5);
	assert_int_equal(touch(&o, 0, STREAM), 0);
	assert_int_equal(decoded(&o), STREAM / SEGMENT);
	drop(&o);
}

static void any_budget_is_enough(void **state)
{
	uint64_t seed = 3;
	struct opened o;

	(void)state;
	make(&o, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			touch(&o, testdata_next(&seed) % (STREAM - 10), 10), 0);
	assert_int_equal(touch(&o, 0, STREAM), 0);
	drop(&o);
}

/* Who depends on a damaged segment is unreadable, others are not; and once it
 * is mended, all are readable. */
static void damage_reaches_what_refers_to_it(void **state)
{
	static const uint32_t bad_with_4[] = { 4, 8, 12 };
	struct opened o;

	(void)state;
	make(&o, BUDGET);
	flip(&o, 4);
	for (size_t i = ARC_COUNT(bad_with_4); i-- > 0;)
		assert_int_equal(touch(&o, bad_with_4[i] * SEGMENT, 1),
				 -EBADMSG);
	for (uint32_t s = 0; s < 16; s++) {
		if (s != 4 && s != 8 && s != 12)
			assert_int_equal(touch(&o, s * SEGMENT, SEGMENT), 0);
	}
	assert_int_equal(touch(&o, 8 * SEGMENT, 1), -EBADMSG);
	flip(&o, 4);
	assert_int_equal(touch(&o, 4 * SEGMENT, SEGMENT), 0);
	assert_int_equal(touch(&o, 12 * SEGMENT, SEGMENT), 0);
	assert_int_equal(touch(&o, 0, STREAM), 0);
	drop(&o);
}

/* The row of a frame says how long the entries of the record are; a record
 * with others is not the one that is meant. */
static void a_row_with_other_entries_means_another_record(void **state)
{
	struct arc_disk_frame row;
	struct opened o;

	(void)state;
	fill(&o);
	row = set_record(&o.m, o.stream, STREAM, "lzext3", 16);
	assert_int_equal(row.entry_size, 56);
	row.entry_size = 64;
	finish(&o, &row);
	open_cache(&o, BUDGET);
	assert_int_equal(touch(&o, 0, 1), -EBADMSG);
	drop(&o);
}

/* Puts segment 3, which is raw, into the list of 14, which needs 2 only. */
static void list_one_more(struct opened *o, struct arc_disk_frame *row)
{
	uint8_t *p = volume_bytes(&o->m, 1, NULL) + arc_get64(row->offset);
	struct arc_disk_record *d = (struct arc_disk_record *)p;
	uint8_t *table = p + sizeof(*d);
	struct arc_disk_lzext3 *x =
		(struct arc_disk_lzext3 *)(table +
					   (size_t)14 * row->entry_size +
					   ARC_ENTRY_SIZE_MIN);

	assert_int_equal(x->fars, 1);
	assert_int_equal(x->far[0], 2);
	x->far[x->fars++] = 3;
	d->checksum = arc_put64(arc_xxh64_2(
		(struct arc_span){ p,
				   offsetof(struct arc_disk_record, checksum) },
		(struct arc_span){ table, (size_t)row->entry_size * 16 }));
	row->checksum = d->checksum;
}

static void note_damage(void *ctx, const struct arc_damage *d)
{
	struct arc_segset *bad = ctx;

	arc_segset_add(bad, (uint32_t)(d->stream >> ARC_SEGMENT_LOG));
}

/* Verification names what a mount does not read, even where the damaged
 * segment is listed in vain. */
static void verification_and_cache_agree(void **state)
{
	struct arc_segset bad = { 0 };
	struct arc_verify_options opt = { .threads = 1,
					  .damage = note_damage,
					  .ctx = &bad };
	const struct arc_archive_options open = { .cache_size = BUDGET };
	struct arc_volume_source source;
	struct arc_disk_frame row;
	struct arc_archive *a;
	struct opened o;

	(void)state;
	fill(&o);
	row = set_record(&o.m, o.stream, STREAM, "lzext3", 16);
	list_one_more(&o, &row);
	finish(&o, &row);
	open_cache(&o, BUDGET);
	assert_int_equal(touch(&o, 0, STREAM), 0);
	close_cache(&o);
	open_cache(&o, BUDGET);
	flip(&o, 3);
	source = set_source(&o.m);
	assert_int_equal(
		arc_archive_open_source(&source, 1, &open, &o.l.diag, &a), 0);
	assert_int_equal(arc_archive_verify(a, &opt), 2);
	arc_archive_close(a);
	for (uint32_t s = 0; s < 16; s++)
		assert_int_equal(touch(&o, s * SEGMENT, 1),
				 arc_segset_has(&bad, s) ? -EBADMSG : 0);
	assert_true(arc_segset_has(&bad, 3) && arc_segset_has(&bad, 14));
	drop(&o);
}

struct reader {
	struct opened *o;
	uint64_t seed;
	int err;
};

static void *read_at_random(void *arg)
{
	struct reader *r = arg;

	for (int i = 0; i < 300 && r->err == 0; i++) {
		size_t off = testdata_next(&r->seed) % STREAM;
		size_t n = 1 + testdata_next(&r->seed) % (2 * SEGMENT);

		r->err = touch(r->o, off, ARC_MIN(n, STREAM - off));
	}
	return NULL;
}

/* With room for three groups, so that chains are begun again and again. */
static void many_threads_read_chains(void **state)
{
	enum { THREADS = 6 };
	pthread_t thread[THREADS];
	struct reader r[THREADS];
	struct opened o;

	(void)state;
	make(&o, 4 * SEGMENT);
	for (size_t i = 0; i < THREADS; i++) {
		r[i] = (struct reader){ .o = &o, .seed = i };
		assert_int_equal(pthread_create(&thread[i], NULL,
						read_at_random, &r[i]),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(r[i].err, 0);
	}
	drop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_closure_is_decoded_and_nothing_else),
		cmocka_unit_test(what_is_ready_is_not_decoded_again),
		cmocka_unit_test(any_budget_is_enough),
		cmocka_unit_test(damage_reaches_what_refers_to_it),
		cmocka_unit_test(a_row_with_other_entries_means_another_record),
		cmocka_unit_test(verification_and_cache_agree),
		cmocka_unit_test(many_threads_read_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
