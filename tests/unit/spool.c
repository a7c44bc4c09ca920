/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "spool.h"

static int open_tmp(void)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Field number `field` of statm, in bytes. */
static uint64_t statm(int field)
{
	unsigned long long v[3];
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu %llu %llu", v, v + 1, v + 2), 3);
	fclose(f);
	return v[field] * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Resident pages of files: those of the heap and of sanitizers do not count. */
static uint64_t resident(void)
{
	return statm(2);
}

static void rows_are_zeroed_and_never_move(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	struct mk_spool s;
	uint64_t first;
	uint64_t *row0;

	(void)state;
	assert_int_equal(mk_spool_open(&s, tmp, 24), 0);
	assert_int_equal(mk_spool_add(&s, 1, &first), 0);
	assert_int_equal(first, 0);
	row0 = mk_spool_at(&s, 0);
	*row0 = 42;
	for (uint64_t i = 1; i < 500000; i++) {
		uint64_t *row;

		assert_int_equal(mk_spool_add(&s, 1, &first), 0);
		assert_int_equal(first, i);
		row = mk_spool_at(&s, i);
		assert_int_equal(row[0] | row[1] | row[2], 0);
		row[2] = i * 3;
	}
	assert_ptr_equal(row0, mk_spool_at(&s, 0));
	assert_int_equal(*row0, 42);
	for (uint64_t i = 1; i < 500000; i++)
		assert_int_equal(((uint64_t *)mk_spool_at(&s, i))[2], i * 3);
	mk_spool_close(&s);
}

static void contents_survive_release_and_memory_is_given_back(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	const uint64_t n = 48 * ARC_MIB / 8;
	struct mk_spool s;
	uint64_t first, before;

	(void)state;
	assert_int_equal(mk_spool_open(&s, tmp, 8), 0);
	assert_int_equal(mk_spool_add(&s, n, &first), 0);
	before = resident();
	for (uint64_t i = 0; i < n; i++)
		*(uint64_t *)mk_spool_at(&s, i) = i ^ 0x5555;
	assert_true(resident() > before + 40 * ARC_MIB);
	mk_spool_release(&s);
	assert_true(resident() < before + 8 * ARC_MIB);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(*(uint64_t *)mk_spool_at(&s, i), i ^ 0x5555);
	mk_spool_close(&s);
}

static void adding_alone_keeps_memory_bounded(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	const uint64_t rows = 192 * ARC_MIB / 64;
	uint64_t before = resident(), first;
	struct mk_spool s;

	(void)state;
	assert_int_equal(mk_spool_open(&s, tmp, 64), 0);
	for (uint64_t i = 0; i < rows; i++) {
		assert_int_equal(mk_spool_add(&s, 1, &first), 0);
		memset(mk_spool_at(&s, first), (int)i, 64);
	}
	assert_true(resident() < before + 64 * ARC_MIB);
	for (uint64_t i = 0; i < rows; i += 1000)
		assert_int_equal(*(uint8_t *)mk_spool_at(&s, i), i & 0xff);
	mk_spool_close(&s);
}

static void nothing_is_left_in_the_folder(void **state)
{
	char dir[] = "/tmp/spool-XXXXXX";
	arc_cleanup(arc_closep) int tmp = -1;
	struct mk_spool s;
	uint64_t first;

	(void)state;
	assert_non_null(mkdtemp(dir));
	tmp = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(tmp >= 0);
	assert_int_equal(mk_spool_open(&s, tmp, 1), 0);
	assert_int_equal(mk_spool_add(&s, 10, &first), 0);
	assert_int_equal(rmdir(dir), 0);
	mk_spool_close(&s);
}

static void absurd_counts_are_refused(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	struct mk_spool s;
	uint64_t first;

	(void)state;
	assert_int_equal(mk_spool_open(&s, tmp, 16), 0);
	assert_int_equal(mk_spool_add(&s, UINT64_MAX / 2, &first), -E2BIG);
	assert_int_equal(mk_spool_add(&s, UINT64_MAX / 16, &first), -E2BIG);
	assert_int_equal(mk_spool_add(&s, s.reserved / 16 + 1, &first), -E2BIG);
	assert_int_equal(mk_spool_add(&s, 1, &first), 0);
	assert_int_equal(first, 0);
	mk_spool_close(&s);
}

static void a_full_place_is_an_error_and_no_signal(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	struct rlimit saved, small;
	struct mk_spool s;
	uint64_t first;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	assert_int_equal(mk_spool_open(&s, tmp, 1), 0);
	small = saved;
	small.rlim_cur = 4 * ARC_MIB;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(mk_spool_add(&s, 2 * ARC_MIB, &first), 0);
	assert_true(mk_spool_add(&s, 8 * ARC_MIB, &first) < 0);
	assert_int_equal(s.count, 2 * ARC_MIB);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	memset(mk_spool_at(&s, 0), 1, s.count);
	mk_spool_close(&s);
}

static void a_few_rows_take_little_room_on_the_disk(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	struct mk_spool s;
	uint64_t first;

	(void)state;
	assert_int_equal(mk_spool_open(&s, tmp, 100), 0);
	assert_int_equal(mk_spool_add(&s, 10, &first), 0);
	assert_true(s.allocated <= 64 * ARC_KIB);
	mk_spool_close(&s);
}

static void a_limited_address_space_is_shared(void **state)
{
	arc_cleanup(arc_closep) int tmp = open_tmp();
	struct mk_spool s[10];
	struct rlimit saved, small;
	uint64_t first;
	void *frames;

	(void)state;
	if (statm(0) > 128 * ARC_MIB)
		skip(); /* a sanitizer's */
	assert_int_equal(getrlimit(RLIMIT_AS, &saved), 0);
	small = saved;
	small.rlim_cur = 512 * ARC_MIB;
	assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
	for (size_t i = 0; i < ARC_COUNT(s); i++) {
		assert_int_equal(mk_spool_open(&s[i], tmp, 8), 0);
		assert_int_equal(mk_spool_add(&s[i], 1000000, &first), 0);
	}
	frames = malloc(64 * ARC_MIB);
	assert_non_null(frames);
	free(frames);
	assert_int_equal(mk_spool_add(&s[0], ARC_GIB / 8, &first), -E2BIG);
	for (size_t i = 0; i < ARC_COUNT(s); i++)
		mk_spool_close(&s[i]);
	assert_int_equal(setrlimit(RLIMIT_AS, &saved), 0);
}

static void closing_one_that_was_never_opened_is_harmless(void **state)
{
	struct mk_spool s = { 0 };

	(void)state;
	mk_spool_close(&s);
	assert_true(fcntl(0, F_GETFD) >= 0 || errno != EBADF);
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
	arc_cleanup(arc_closep) int proc = open("/proc", O_RDONLY);
	struct mk_spool s;

	(void)state;
	assert_true(mk_spool_open(&s, proc, 8) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_zeroed_and_never_move),
		cmocka_unit_test(
			contents_survive_release_and_memory_is_given_back),
		cmocka_unit_test(adding_alone_keeps_memory_bounded),
		cmocka_unit_test(nothing_is_left_in_the_folder),
		cmocka_unit_test(absurd_counts_are_refused),
		cmocka_unit_test(a_full_place_is_an_error_and_no_signal),
		cmocka_unit_test(a_few_rows_take_little_room_on_the_disk),
		cmocka_unit_test(a_limited_address_space_is_shared),
		cmocka_unit_test(closing_one_that_was_never_opened_is_harmless),
		cmocka_unit_test(a_folder_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
