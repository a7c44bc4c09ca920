/* SPDX-License-Identifier: MIT */
/* Reads around the system's cache. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "store.h"
#include "testdata.h"

#define SIZE ((size_t)200000) /* ends within a block */

struct world {
	int fd; /* of a file without a name, SIZE bytes */
	bool works; /* direct reads do, in this place on this kernel */
	struct arc_store *store;
	uint8_t *want;
	uint8_t *buf;
};

/* Pages of the file that the system has, -1: it does not tell. */
static int64_t cached(const struct world *w)
{
#ifdef __alpha__
	return -1;
#else
	uint64_t range[2] = { 0, SIZE }, is[5];

	return syscall(451, w->fd, range, is, 0) < 0 ? -1 : (int64_t)is[0];
#endif
}

static void drop_cached(const struct world *w)
{
	assert_int_equal(fsync(w->fd), 0);
	assert_int_equal(posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

/* Tried in another way than the store does it. */
static bool direct_works(const struct world *w)
{
	char name[64];
	ssize_t got = -1;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", w->fd);
	fd = open(name, O_RDONLY | O_DIRECT);
	if (fd >= 0) {
		got = pread(fd, w->buf, ARC_STORE_BLOCK, 0);
		close(fd);
	}
	return got == (ssize_t)ARC_STORE_BLOCK && cached(w) == 0;
}

static int open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t seed = 5;

	w->want = malloc(SIZE);
	w->buf = aligned_alloc(ARC_STORE_BLOCK, 64 * ARC_STORE_BLOCK);
	testdata_random(w->want, SIZE, &seed);
	w->fd = open("/var/tmp", O_RDWR | O_TMPFILE, 0600);
	assert_true(w->fd >= 0);
	assert_int_equal(write(w->fd, w->want, SIZE), SIZE);
	drop_cached(w);
	w->works = direct_works(w);
	assert_int_equal(arc_store_from_fd(dup(w->fd), &w->store), 0);
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	arc_store_close(w->store);
	close(w->fd);
	free(w->want);
	free(w->buf);
	free(w);
	return 0;
}

/* Reads and compares; returns what the call does. */
static int read_once(const struct world *w, size_t n, uint64_t off)
{
	uint8_t *p = NULL;
	int got;

	memset(w->buf, 0xee, 64 * ARC_STORE_BLOCK);
	got = arc_store_read_once(w->store, w->buf, n, off, &p);
	if (got >= 0)
		assert_memory_equal(p, w->want + off, n);
	return got;
}

static void cold_bytes_come_around_the_cache(void **state)
{
	const struct world *w = *state;

	if (!w->works)
		print_message("direct reads do not work here\n");
	assert_int_equal(read_once(w, 100000, 0), w->works);
	assert_int_equal(read_once(w, 65536, 4095), w->works);
	assert_int_equal(read_once(w, 65537, 12289), w->works);
	assert_int_equal(read_once(w, 65536, 8192), w->works);
	if (w->works)
		assert_int_equal(cached(w), 0);
}

/* The file does not end where a block does. */
static void the_end_of_the_file_is_read(void **state)
{
	const struct world *w = *state;
	uint8_t *p;

	assert_int_equal(read_once(w, 65536, SIZE - 65536), w->works);
	assert_int_equal(read_once(w, 50001, SIZE - 50001), w->works);
	assert_int_equal(arc_store_read_once(w->store, w->buf, 50001,
					     SIZE - 50000, &p),
			 -EBADMSG);
	assert_int_equal(arc_store_read_once(w->store, w->buf, 50000,
					     INT64_MAX - 100, &p),
			 -EBADMSG);
	assert_int_equal(arc_store_read_once(w->store, w->buf, 50000,
					     UINT64_MAX - 100, &p),
			 -EBADMSG);
}

/* Neither what the system has, nor what is small. */
static void others_come_the_ordinary_way(void **state)
{
	const struct world *w = *state;

	assert_int_equal(read_once(w, 1, 0), 0);
	assert_int_equal(read_once(w, 0, 0), 0);
	assert_int_equal(read_once(w, 3000, 70000), 0);
	assert_int_equal(arc_store_read(w->store, w->buf, 100000, 0), 0);
	assert_int_equal(read_once(w, 100000, 0), 0);
	assert_int_equal(read_once(w, 65536, 20000), 0);
	drop_cached(w);
	assert_int_equal(read_once(w, 65536, 20000), w->works);
}

static void what_was_written_is_read(void **state)
{
	const struct world *w = *state;

	assert_int_equal(read_once(w, 65536, 8192), w->works);
	memset(w->want + 10000, 7, 60000);
	assert_int_equal(pwrite(w->fd, w->want + 10000, 60000, 10000), 60000);
	assert_int_equal(read_once(w, 65536, 8192), 0); /* in the cache now */
	memset(w->want + 30000, 8, 5);
	assert_int_equal(pwrite(w->fd, w->want + 30000, 5, 30000), 5);
	assert_true(read_once(w, 150000, 8192) >= 0);
}

static void stores_without_it_read_the_ordinary_way(void **state)
{
	struct world *w = *state;
	struct arc_store *memory = NULL, *file = w->store;

	assert_int_equal(arc_store_memory(&memory), 0);
	assert_int_equal(arc_store_write(memory, w->want, SIZE, 0), 0);
	w->store = memory;
	assert_int_equal(read_once(w, 100000, 77), 0);
	w->store = file;
	arc_store_close(memory);
}

static void both_descriptors_are_closed(void **state)
{
	struct world *w = *state;
	int before, after;

	arc_store_close(arc_steal(w->store));
	before = dup(0);
	assert_int_equal(arc_store_from_fd(dup(w->fd), &w->store), 0);
	assert_true(read_once(w, 100000, 0) >= 0);
	arc_store_close(arc_steal(w->store));
	after = dup(0);
	assert_int_equal(after, before + 1);
	close(before);
	close(after);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(cold_bytes_come_around_the_cache),
		TEST(the_end_of_the_file_is_read),
		TEST(others_come_the_ordinary_way),
		TEST(what_was_written_is_read),
		TEST(stores_without_it_read_the_ordinary_way),
		TEST(both_descriptors_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
