/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "archive.h"
#include "opencache.h"

/* A request takes a group and what is stored of it; the heads of all frames are
 * in use. */
static void the_ceiling_holds_for_many_readers(void **state)
{
	static const struct shape shapes[] = {
		{ TESTDATA_MIXED, "lz4", 18, 2 << 20 },
		{ TESTDATA_MIXED, "zstd", 20, 2 << 20 },
		{ TESTDATA_RANDOM, NULL, 20, 98 << 20 },
	};
	static const size_t budgets[] = { 0, 300000, 3 << 20 };

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(shapes) * ARC_COUNT(budgets); i++) {
		const struct shape *shape = &shapes[i % ARC_COUNT(shapes)];
		size_t budget = budgets[i / ARC_COUNT(shapes)];
		size_t group = (size_t)1 << shape->group_log;
		struct arc_cache_memory m;
		struct opened o;

		make(&o, shape);
		open_cache(&o, budget);
		run_many(&o, work, 6, THREADS_MAX);
		m = stats_of(&o).memory;
		assert_int_equal(m.ceiling, budget);
		assert_int_equal(m.in_flight, 0);
		assert_true(m.held <= budget);
		assert_true(m.peak <= budget + group + group * 5 / 4 + 65536);
		assert_true(m.peak >= SEGMENT);
		drop(&o);
	}
}

static void who_has_pins_does_not_wait(void **state)
{
	struct arc_pin pin[3];
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, 700000); /* two groups, but no stored bytes beside */
	assert_int_equal(arc_cache_pin(o.cache, 0, SEGMENT, &pin[0]), 0);
	assert_int_equal(arc_cache_pin_more(o.cache, 4 * SEGMENT, 1, &pin[1]),
			 0);
	assert_int_equal(arc_cache_pin_more(o.cache, 8 * SEGMENT, 1, &pin[2]),
			 -E2BIG);
	/* what is there can be had */
	assert_int_equal(arc_cache_pin_more(o.cache, 10, 1, &pin[2]), 0);
	for (int i = 0; i < 3; i++)
		arc_cache_unpin(o.cache, &pin[i]);
	assert_int_equal(arc_cache_pin_more(o.cache, 8 * SEGMENT, 1, &pin[2]),
			 0);
	arc_cache_unpin(o.cache, &pin[2]);
	assert_int_equal(stats_of(&o).memory.in_flight, 0);
	drop(&o);
}

static void memory_is_given_back(void **state)
{
	struct arc_cache_memory m;
	uint64_t before;
	struct opened o;

	(void)state;
	make(&o, &text);
	open_cache(&o, BUDGET);
	arc_cache_tidy(o.cache, 100, 60);
	for (size_t at = 0; at < STREAM; at += 4 * SEGMENT)
		touch(&o, at, 4 * SEGMENT);
	before = stats_of(&o).memory.held;
	assert_true(before > STREAM);
	arc_cache_shrink(o.cache);
	m = stats_of(&o).memory;
	assert_int_equal(m.shrinks, 1);
	assert_true(m.held <= before / 2);
	assert_true(m.limit <= BUDGET / 8);
	assert_true(arc_cache_regrow(o.cache));
	while (arc_cache_regrow(o.cache))
		;
	assert_int_equal(stats_of(&o).memory.limit, BUDGET);
	assert_int_equal(touch(&o, STREAM - 1, 1), 1);
	assert_int_equal(arc_cache_tidy(o.cache, 159, 60), 0);
	assert_int_equal(touch(&o, STREAM - 1, 1), 1); /* used at 159 */
	assert_true(arc_cache_tidy(o.cache, 160, 60) > 0);
	assert_true(stats_of(&o).memory.held > 0);
	assert_true(arc_cache_tidy(o.cache, 219, 60) > 0);
	m = stats_of(&o).memory;
	assert_int_equal(m.held, 0);
	assert_true(m.tidied > 5);
	assert_int_equal(touch(&o, 0, SEGMENT), SEGMENT);
	drop(&o);
}

/* ---- requests of several groups, and copies ------------------------------ */

/* A file of many pieces of the stream, which is read by copying. */
#define PIECES 8
#define PIECE ((size_t)150000)
#define STEP ((size_t)333333)
#define READERS 32
#define RANGE_MAX ((size_t)1 << 20)
#define GROUP ((size_t)256 << 10)

struct files {
	struct setmaker m;
	struct listener l;
	uint8_t *stream, *pieces;
	struct arc_archive *a;
};

/* Inode 2 is the stream, inode 3 the pieces. */
static void make_files(struct files *o, const struct arc_archive_options *opt)
{
	struct arc_volume_source source;
	struct arc_disk_inode row;

	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	o->stream = malloc(STREAM);
	o->pieces = malloc(PIECES * PIECE);
	assert_true(o->stream && o->pieces);
	testdata_fill(TESTDATA_MIXED, o->stream, STREAM, 1);
	set_begin(&o->m, 98 << 20, SET_FRAME, 1);
	set_stream(&o->m, o->stream, STREAM, SET_FRAME, "lz4", 18);
	set_dir(&o->m, 0, 0, 0);
	set_file(&o->m, 0, STREAM);
	row = row_of_file(&o->m, 0, PIECES * PIECE);
	row.flags = arc_put32(ARC_INODE_EXTENTS);
	row.extents = arc_put32(PIECES);
	set_inode(&o->m, row);
	for (size_t i = 0; i < PIECES; i++) {
		set_extent(&o->m, i * PIECE, PIECE, i * STEP);
		memcpy(o->pieces + i * PIECE, o->stream + i * STEP, PIECE);
	}
	set_end(&o->m);
	source = set_source(&o->m);
	assert_int_equal(
		arc_archive_open_source(&source, 1, opt, &o->l.diag, &o->a), 0);
}

static void drop_files(struct files *o)
{
	arc_archive_close(o->a);
	set_fini(&o->m);
	free(o->stream);
	free(o->pieces);
}

static bool read_is_right(struct files *o, uint64_t ino, uint64_t off, size_t n)
{
	const uint8_t *file = ino == 2 ? o->stream : o->pieces;
	struct arc_inode inode;
	struct arc_read r;
	bool right = true;

	if (arc_index_inode(arc_archive_index(o->a), ino, &inode) < 0 ||
	    arc_archive_read_begin(o->a, &inode, off, n, &r) < 0)
		return false;
	for (int i = 0; i < r.count; i++) {
		right &= memcmp(r.iov[i].iov_base, file + off,
				r.iov[i].iov_len) == 0;
		off += r.iov[i].iov_len;
	}
	arc_archive_read_end(o->a, &r);
	return right;
}

struct reader {
	struct files *files;
	pthread_t thread;
	uint64_t seed;
	unsigned wrong;
};

static void *read_ranges(void *arg)
{
	struct reader *r = arg;

	for (int i = 0; i < 8; i++) {
		bool pieces = testdata_next(&r->seed) % 4 == 0;
		size_t size = pieces ? PIECES * PIECE : STREAM;
		size_t n = 1 + testdata_next(&r->seed) % RANGE_MAX;

		r->wrong += !read_is_right(r->files, pieces ? 3 : 2,
					   testdata_next(&r->seed) % size, n);
	}
	return NULL;
}

static void read_by_many(struct files *o)
{
	struct reader reader[READERS];

	for (unsigned i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ .files = o, .seed = i };
		assert_int_equal(pthread_create(&reader[i].thread, NULL,
						read_ranges, &reader[i]),
				 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		assert_int_equal(reader[i].wrong, 0);
	}
}

static void requests_of_many_groups_stay_below_the_ceiling(void **state)
{
	static const size_t sizes[] = { 1, 700000, 4 << 20 };

	(void)state;
	for (size_t k = 0; k < ARC_COUNT(sizes); k++) {
		struct arc_archive_options opt = { .cache_size = sizes[k],
						   .index_cache_size = 1 };
		struct arc_cache_stats s;
		struct files o;

		make_files(&o, &opt);
		read_by_many(&o);
		arc_cache_stats(arc_archive_cache(o.a), &s);
		assert_int_equal(s.memory.in_flight, 0);
		assert_true(s.memory.held <= sizes[k]);
		/* one group and its stored bytes, one copy, heads */
		assert_true(s.memory.peak <= sizes[k] + GROUP + GROUP * 5 / 4 +
						     RANGE_MAX + 65536);
		drop_files(&o);
	}
}

static void an_idle_archive_gives_everything_back(void **state)
{
	struct arc_lru_stats index;
	struct arc_cache_stats s;
	struct files o;

	(void)state;
	make_files(&o, NULL);
	arc_archive_tidy(o.a, 1, 1);
	assert_true(read_is_right(&o, 2, 0, 100));
	assert_int_equal(arc_archive_tidy(o.a, 1, 1), 0);
	assert_true(arc_archive_tidy(o.a, 2, 1) > 0);
	arc_cache_stats(arc_archive_cache(o.a), &s);
	arc_index_stats(arc_archive_index(o.a), &index);
	assert_int_equal(s.memory.held, 0);
	assert_int_equal(index.cost, 0);
	assert_true(read_is_right(&o, 2, 0, STREAM));
	arc_archive_shrink(o.a);
	arc_index_stats(arc_archive_index(o.a), &index);
	assert_int_equal(index.shrinks, 1);
	assert_true(read_is_right(&o, 3, 0, STREAM));
	while (arc_archive_regrow(o.a))
		;
	arc_index_stats(arc_archive_index(o.a), &index);
	assert_int_equal(index.limit, index.budget);
	drop_files(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ceiling_holds_for_many_readers),
		cmocka_unit_test(who_has_pins_does_not_wait),
		cmocka_unit_test(memory_is_given_back),
		cmocka_unit_test(
			requests_of_many_groups_stay_below_the_ceiling),
		cmocka_unit_test(an_idle_archive_gives_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
