/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "store.h"

/* A file without a name, so that nothing is left behind. */
static struct arc_store *open_file(void)
{
	struct arc_store *s = NULL;
	int fd = memfd_create("store", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(arc_store_from_fd(fd, &s), 0);
	return s;
}

static struct arc_store *open_memory(void)
{
	struct arc_store *s = NULL;

	assert_int_equal(arc_store_memory(&s), 0);
	return s;
}

/* The contract that every kind of store keeps. Closes s. */
static void assert_behaves(struct arc_store *s)
{
	uint8_t buf[16];
	uint64_t n = 99;

	assert_int_equal(arc_store_size(s, &n), 0);
	assert_true(n == 0);
	assert_int_equal(arc_store_read(s, buf, 1, 0), -EBADMSG);
	assert_int_equal(arc_store_read(s, buf, 0, 0), 0);
	assert_int_equal(arc_store_write(s, "hello", 5, 0), 0);
	assert_int_equal(arc_store_write(s, "HE", 2, 0), 0);
	assert_int_equal(arc_store_write(s, "end", 3, 9), 0);
	assert_int_equal(arc_store_write(s, NULL, 0, 1000), 0);
	assert_int_equal(arc_store_size(s, &n), 0);
	assert_true(n == 12);
	assert_int_equal(arc_store_read(s, buf, 12, 0), 0);
	assert_memory_equal(buf, "HEllo\0\0\0\0end", 12);
	assert_int_equal(arc_store_read(s, buf, 3, 9), 0);
	assert_memory_equal(buf, "end", 3);
	assert_int_equal(arc_store_read(s, buf, 4, 9), -EBADMSG);
	assert_int_equal(arc_store_read(s, buf, 1, 12), -EBADMSG);
	assert_int_equal(arc_store_sync(s), 0);
	/* no offset wraps or reaches the system as a negative one */
	assert_int_equal(arc_store_read(s, buf, 1, UINT64_MAX), -EBADMSG);
	assert_int_equal(arc_store_read(s, buf, 2, INT64_MAX), -EBADMSG);
	assert_int_equal(arc_store_read(s, buf, 1, INT64_MAX - 1), -EBADMSG);
	assert_int_equal(arc_store_write(s, "x", 1, UINT64_MAX), -E2BIG);
	assert_int_equal(arc_store_write(s, "x", 1, INT64_MAX), -E2BIG);
	assert_int_equal(arc_store_size(s, &n), 0);
	assert_true(n == 12);
	arc_store_close(s);
}

static void memory_store_keeps_the_contract(void **state)
{
	(void)state;
	assert_behaves(open_memory());
}

static void file_store_keeps_the_contract(void **state)
{
	(void)state;
	assert_behaves(open_file());
}

static void halved_transfers_change_nothing(void **state)
{
	struct arc_fault_plan plan = { .short_io = true };
	struct arc_store *s = NULL;

	(void)state;
	assert_int_equal(arc_store_faulty(open_memory(), &plan, &s), 0);
	assert_behaves(s);
	assert_true(plan.calls > 20);
}

static void memory_resize_cuts_and_extends_with_zeros(void **state)
{
	arc_cleanup(arc_store_closep) struct arc_store *s = open_memory();
	struct arc_span bytes;

	(void)state;
	assert_int_equal(arc_store_write(s, "abcdef", 6, 0), 0);
	assert_int_equal(arc_store_memory_resize(s, 2), 0);
	assert_int_equal(arc_store_memory_resize(s, 5), 0);
	bytes = arc_store_memory_bytes(s);
	assert_int_equal(bytes.n, 5);
	assert_memory_equal(bytes.p, "ab\0\0\0", 5);
	assert_int_equal(arc_store_memory_resize(s, 0), 0);
	assert_int_equal(arc_store_memory_bytes(s).n, 0);
}

/* The n-th call fails, for every n until none does; what it was is told. */
static void faulty_store_fails_the_call_it_is_told(void **state)
{
	uint64_t at = 0;
	bool failed = true;

	(void)state;
	while (failed) {
		struct arc_fault_plan plan = { .fail_at = ++at };
		arc_cleanup(arc_store_closep) struct arc_store *s = NULL;
		uint64_t n;
		int results[4];

		plan.error = at == 2 ? ENOSPC : 0;
		assert_int_equal(arc_store_faulty(open_memory(), &plan, &s), 0);
		results[0] = arc_store_write(s, "abc", 3, 0);
		results[1] = arc_store_write(s, "abc", 3, 3);
		results[2] = arc_store_size(s, &n);
		results[3] = arc_store_sync(s);
		failed = false;
		for (uint64_t i = 0; i < ARC_COUNT(results); i++) {
			int want = i + 1 != at ? 0 : at == 2 ? -ENOSPC : -EIO;

			assert_int_equal(results[i], want);
			failed = failed || results[i] < 0;
		}
		assert_true(plan.calls == 4);
	}
	assert_true(at == 5);
}

static void fault_in_the_middle_of_a_transfer_is_told(void **state)
{
	struct arc_fault_plan plan = { .short_io = true };
	arc_cleanup(arc_store_closep) struct arc_store *s = NULL;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(arc_store_faulty(open_memory(), &plan, &s), 0);
	assert_int_equal(arc_store_write(s, "12345678", 8, 0), 0);
	assert_true(plan.calls == 4); /* 4 + 2 + 1 + 1 bytes */
	plan = (struct arc_fault_plan){ .short_io = true, .fail_at = 3 };
	assert_int_equal(arc_store_read(s, buf, 8, 0), -EIO);
	assert_true(plan.calls == 3);
	assert_int_equal(arc_store_read(s, buf, 8, 0), 0);
	assert_memory_equal(buf, "12345678", 8);
}

static int error_of_write(int fd, uint64_t off)
{
	arc_cleanup(arc_store_closep) struct arc_store *s = NULL;

	assert_true(fd >= 0);
	assert_int_equal(arc_store_from_fd(fd, &s), 0);
	return arc_store_write(s, "x", 1, off);
}

static void errors_of_the_system_are_translated(void **state)
{
	arc_cleanup(arc_store_closep) struct arc_store *dir = NULL;
	struct rlimit small;
	struct rlimit saved;
	uint64_t n;
	uint8_t byte;
	int rc;

	(void)state;
	assert_int_equal(error_of_write(open("/dev/full", O_WRONLY), 0),
			 -ENOSPC);
	/* a descriptor that cannot be written */
	assert_int_equal(error_of_write(open("/dev/null", O_RDONLY), 0), -EIO);
	assert_int_equal(arc_store_from_fd(open("/", O_RDONLY), &dir), 0);
	assert_int_equal(arc_store_read(dir, &byte, 1, 0), -EISDIR);
	assert_int_equal(arc_store_size(dir, &n), -EISDIR);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	small = saved;
	small.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = error_of_write(memfd_create("limit", MFD_CLOEXEC), 4096);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, -E2BIG);
}

static void closing_closes_the_descriptor(void **state)
{
	struct arc_store *s = NULL;
	int fd = memfd_create("closed", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(arc_store_from_fd(fd, &s), 0);
	arc_store_close(s);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	arc_store_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_store_keeps_the_contract),
		cmocka_unit_test(file_store_keeps_the_contract),
		cmocka_unit_test(halved_transfers_change_nothing),
		cmocka_unit_test(memory_resize_cuts_and_extends_with_zeros),
		cmocka_unit_test(faulty_store_fails_the_call_it_is_told),
		cmocka_unit_test(fault_in_the_middle_of_a_transfer_is_told),
		cmocka_unit_test(errors_of_the_system_are_translated),
		cmocka_unit_test(closing_closes_the_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
