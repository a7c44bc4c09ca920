/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "dedup.h"
#include "scratch.h"
#include "sha256.h"

/* ---- helpers ------------------------------------------------------------- */

/* Bytes that repeat nowhere near. */
static void fill(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) +
		       1442695040888963407;
		p[i] = (uint8_t)(seed >> 56);
	}
}

static void random_file(struct scratch *s, const char *name, size_t n,
			uint64_t seed)
{
	uint8_t *p = malloc(n + 1);

	fill(p, n, seed);
	scratch_file(s, name, p, n);
	free(p);
}

/* As random_file(), with one byte another one. */
static void near_file(struct scratch *s, const char *name, size_t n,
		      uint64_t seed, size_t at)
{
	uint8_t *p = malloc(n);

	fill(p, n, seed);
	p[at] ^= 1;
	scratch_file(s, name, p, n);
	free(p);
}

static void dedup(struct scratch *s)
{
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
}

static void check_leader(const struct scratch *s, const char *path,
			 const char *leader)
{
	const struct mk_entry *e = scratch_entry(s, path);

	if (e->leader != scratch_find(s, leader))
		fail_msg("%s: leader is %llu", path,
			 (unsigned long long)e->leader);
	assert_int_equal((e->flags & MK_ENTRY_CANDIDATE) != 0,
			 strcmp(path, leader) != 0);
}

static void check_alone(const struct scratch *s, const char *path)
{
	check_leader(s, path, path);
}

/* The digests in the tree are those of the file's content. */
static void check_digests(struct scratch *s, const char *path)
{
	uint64_t entry = scratch_find(s, path);
	size_t n = (size_t)scratch_entry(s, path)->size;
	uint8_t *p = malloc(n);
	struct arc_digest *d;
	struct arc_digest128 value;
	struct arc_sha256 *sha;
	uint8_t sha_value[32];
	int fd = openat(s->fd, path, O_RDONLY);

	assert_int_equal(read(fd, p, n), n);
	close(fd);
	assert_int_equal(arc_digest_new(&d), 0);
	arc_digest_reset(d);
	arc_digest_update(d, p, n);
	value = arc_digest_value(d);
	arc_digest_free(d);
	assert_memory_equal(mk_spool_at(&s->tree.digests, entry), &value, 16);
	assert_int_equal(arc_sha256_new(&sha), 0);
	assert_int_equal(arc_sha256_reset(sha), 0);
	assert_int_equal(arc_sha256_update(sha, p, n), 0);
	assert_int_equal(arc_sha256_value(sha, sha_value), 0);
	arc_sha256_free(sha);
	assert_memory_equal(mk_spool_at(&s->tree.sha256, entry), sha_value, 32);
	free(p);
}

/* ---- equal and nearly equal ---------------------------------------------- */

static void equal_files_follow_the_first_one(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 1,    2,     3,	    7,	    4096,
					4097, 65536, 70000, 3000000 };
	char a[32], b[32], c[32];
	uint64_t sum = 0;

	scratch_dir(s, "d");
	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		snprintf(a, sizeof(a), "a%zu", i);
		snprintf(b, sizeof(b), "d/b%zu", i);
		snprintf(c, sizeof(c), "c%zu", i);
		random_file(s, a, sizes[i], i);
		random_file(s, b, sizes[i], i);
		random_file(s, c, sizes[i], i);
		sum += 2 * sizes[i];
	}
	dedup(s);
	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		snprintf(a, sizeof(a), "a%zu", i);
		snprintf(b, sizeof(b), "d/b%zu", i);
		snprintf(c, sizeof(c), "c%zu", i);
		check_alone(s, a);
		check_leader(s, b, a);
		check_leader(s, c, a);
		check_digests(s, b);
		check_digests(s, c);
	}
	assert_int_equal(mk_value(&s->run.stats.duplicates), 18);
	assert_int_equal(mk_value(&s->run.stats.duplicate_bytes), sum);
	assert_int_equal(mk_value(&s->run.stats.compared), 18);
	assert_int_equal(mk_value(&s->run.stats.problems), 0);
}

static void one_different_byte_anywhere_keeps_files_apart(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 1,	2,	3,	4,     4095,
					4096,	4097,	65535,	65536, 65537,
					262144, 300000, 1048577 };
	char name[64];

	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		size_t n = sizes[i];
		const size_t at[] = {
			0,     1,	  n / 4,     n / 2 - (n > 1),
			n / 2, n / 2 + 1, n / 2 + 2, n - n / 4,
			n - 3, n - 2,	  n - 1
		};

		snprintf(name, sizeof(name), "%zu-0", n);
		random_file(s, name, n, i);
		for (size_t k = 0; k < ARC_COUNT(at); k++) {
			if (at[k] >= n)
				continue;
			snprintf(name, sizeof(name), "%zu-at-%zu", n, at[k]);
			near_file(s, name, n, i, at[k]);
		}
	}
	dedup(s);
	for (uint64_t i = 0; i < s->tree.entries.count; i++)
		assert_int_equal(mk_tree_at(&s->tree, i)->leader, i);
	assert_int_equal(mk_value(&s->run.stats.duplicates), 0);
}

static void empty_files_and_further_names_take_no_part(void **state)
{
	struct scratch *s = *state;

	scratch_file(s, "e1", "", 0);
	scratch_file(s, "e2", "", 0);
	scratch_file(s, "h1", "x", 1);
	assert_int_equal(linkat(s->fd, "h1", s->fd, "h2", 0), 0);
	assert_int_equal(symlinkat("h1", s->fd, "l1"), 0);
	assert_int_equal(symlinkat("h1", s->fd, "l2"), 0);
	dedup(s);
	for (uint64_t i = 0; i < s->tree.entries.count; i++)
		assert_int_equal(mk_tree_at(&s->tree, i)->leader, i);
	assert_int_equal(mk_value(&s->run.stats.same_size), 0);
}

static void sparse_file(struct scratch *s, const char *name, off_t n,
			off_t mark)
{
	int fd = openat(s->fd, name, O_CREAT | O_WRONLY, 0644);

	assert_int_equal(ftruncate(fd, n), 0);
	if (mark >= 0)
		assert_int_equal(pwrite(fd, "m", 1, mark), 1);
	close(fd);
}

static void zeros_and_holes_are_the_same_content(void **state)
{
	struct scratch *s = *state;
	const size_t n = (9 << 20) + 12345;
	uint8_t *zeros = calloc(1, n);

	scratch_file(s, "a-zeros", zeros, n);
	sparse_file(s, "b-hole", (off_t)n, -1);
	sparse_file(s, "c-hole", (off_t)n, -1);
	sparse_file(s, "d-marked", (off_t)n, 5 << 20);
	zeros[5 << 20] = 'm';
	scratch_file(s, "e-marked", zeros, n);
	sparse_file(s, "f-elsewhere", (off_t)n, (5 << 20) + 1);
	sparse_file(s, "g-marked", (off_t)n, 5 << 20);
	free(zeros);
	dedup(s);
	check_alone(s, "a-zeros");
	check_leader(s, "b-hole", "a-zeros");
	check_leader(s, "c-hole", "a-zeros");
	check_alone(s, "d-marked");
	check_leader(s, "e-marked", "d-marked");
	check_leader(s, "g-marked", "d-marked");
	check_alone(s, "f-elsewhere");
	check_digests(s, "b-hole");
	check_digests(s, "c-hole");
	check_digests(s, "e-marked");
	check_digests(s, "g-marked");
	/* Only what is data counts: e, and a page or so of g. */
	assert_true(mk_value(&s->run.stats.duplicate_bytes) >= n);
	assert_true(mk_value(&s->run.stats.duplicate_bytes) < n + 100000);
}

static void two_holes_are_compared_without_reading_them(void **state)
{
	struct scratch *s = *state;

	sparse_file(s, "a", (off_t)1 << 33, (off_t)1 << 32);
	sparse_file(s, "b", (off_t)1 << 33, (off_t)1 << 32);
	sparse_file(s, "c", (off_t)1 << 33, ((off_t)1 << 32) + 8192);
	dedup(s);
	check_leader(s, "b", "a");
	check_alone(s, "c");
}

/* ---- the stages ---------------------------------------------------------- */

static atomic_uint hash_calls;

static int constant_hash(int fd, uint64_t size, uint64_t *ret)
{
	(void)fd;
	(void)size;
	atomic_fetch_add(&hash_calls, 1);
	*ret = 42;
	return 0;
}

static void dedup_constant(struct scratch *s)
{
	atomic_store(&hash_calls, 0);
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(
		mk_dedup_with(&s->run, &s->tree, s->tmp, constant_hash), 0);
}

static void each_stage_counts_what_it_leaves(void **state)
{
	struct scratch *s = *state;
	const size_t n = 5000;

	random_file(s, "unique", 4999, 1);
	random_file(s, "base", n, 1);
	random_file(s, "copy", n, 1);
	near_file(s, "first", n, 1, 1);
	near_file(s, "last", n, 1, n - 2);
	near_file(s, "centre", n, 1, n / 2);
	near_file(s, "elsewhere", n, 1, 1000);
	dedup(s);
	assert_int_equal(mk_value(&s->run.stats.same_size), 6);
	assert_int_equal(mk_value(&s->run.stats.same_first), 5);
	assert_int_equal(mk_value(&s->run.stats.same_last), 4);
	assert_int_equal(mk_value(&s->run.stats.same_centre), 3);
	assert_int_equal(mk_value(&s->run.stats.hashed), 3);
	assert_int_equal(mk_value(&s->run.stats.same_hash), 2);
	assert_int_equal(mk_value(&s->run.stats.compared), 1);
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
	check_leader(s, "copy", "base");
}

static void files_told_apart_by_samples_are_not_hashed(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 100, 5000 };
	char name[32];

	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		size_t n = sizes[i];
		const size_t at[] = { 0,	 1,	n - 1,	  n - 2,
				      n / 2 - 1, n / 2, n / 2 + 1 };

		snprintf(name, sizeof(name), "%zu", n);
		random_file(s, name, n, 3);
		for (size_t k = 0; k < ARC_COUNT(at); k++) {
			snprintf(name, sizeof(name), "%zu-%zu", n, at[k]);
			near_file(s, name, n, 3, at[k]);
		}
	}
	dedup_constant(s);
	assert_int_equal(atomic_load(&hash_calls), 0);
	assert_int_equal(mk_value(&s->run.stats.hashed), 0);
	assert_int_equal(mk_value(&s->run.stats.same_size), 16);
}

/* Names below the scratch folder that are opened while dedup runs. */
static void files_of_unique_size_are_never_opened(void **state)
{
	struct scratch *s = *state;
	_Alignas(struct inotify_event) char events[65536];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	bool twin = false;
	char name[32];
	ssize_t n;

	for (uint64_t i = 1; i <= 50; i++) {
		snprintf(name, sizeof(name), "unique%llu",
			 (unsigned long long)i);
		random_file(s, name, i * 10, i);
	}
	random_file(s, "twin1", 777, 1);
	random_file(s, "twin2", 777, 1);
	assert_int_equal(scratch_scan(s), 0);
	assert_true(inotify_add_watch(watch, s->dir, IN_OPEN) >= 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	while ((n = read(watch, events, sizeof(events))) > 0) {
		for (char *p = events; p < events + n;) {
			const struct inotify_event *e = (void *)p;

			assert_int_equal(e->mask & IN_Q_OVERFLOW, 0);
			if (e->len > 0) {
				assert_null(strstr(e->name, "unique"));
				twin |= strcmp(e->name, "twin1") == 0;
			}
			p += sizeof(*e) + e->len;
		}
	}
	assert_true(twin); /* the watch does see opens */
	close(watch);
}

static void colliding_hashes_make_no_duplicates(void **state)
{
	struct scratch *s = *state;
	char name[32];

	/* Equal in size and all samples: three contents, told apart late. */
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "f%02d", i);
		near_file(s, name, 400000, 9, 90000 + (size_t)(i % 3) * 100000);
	}
	dedup_constant(s);
	assert_int_equal(atomic_load(&hash_calls), 12);
	for (int i = 0; i < 12; i++) {
		char leader[32];

		snprintf(name, sizeof(name), "f%02d", i);
		snprintf(leader, sizeof(leader), "f%02d", i % 3);
		check_leader(s, name, leader);
		if (i >= 3)
			check_digests(s, name);
	}
	assert_int_equal(mk_value(&s->run.stats.duplicates), 9);
	assert_int_equal(mk_value(&s->run.stats.same_hash), 12);
	assert_int_equal(mk_value(&s->run.stats.duplicate_bytes), 9 * 400000);
	/* 11 with f00, 7 with f01, 3 with f02. */
	assert_int_equal(mk_value(&s->run.stats.compared), 11 + 7 + 3);
}

static void every_file_different_under_one_hash_stays_alone(void **state)
{
	struct scratch *s = *state;
	char name[32];

	for (size_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%02zu", i);
		near_file(s, name, 1000, 9, 100 + i);
	}
	dedup_constant(s);
	for (uint64_t i = 0; i < s->tree.entries.count; i++)
		assert_int_equal(mk_tree_at(&s->tree, i)->leader, i);
	assert_int_equal(mk_value(&s->run.stats.same_hash), 40);
	assert_int_equal(mk_value(&s->run.stats.compared), 40 * 39 / 2);
}

/* ---- changes on the way -------------------------------------------------- */

static void files_changed_since_the_scan_take_no_part(void **state)
{
	struct scratch *s = *state;

	random_file(s, "a", 9000, 1);
	random_file(s, "b", 9000, 1);
	random_file(s, "c", 9000, 1);
	random_file(s, "d", 9000, 1);
	random_file(s, "e", 9000, 1);
	assert_int_equal(scratch_scan(s), 0);
	usleep(20000); /* the clock of the times is a coarse one */
	near_file(s, "a", 9000, 1, 4000); /* same size, other content */
	random_file(s, "c", 10000, 1);
	assert_int_equal(unlinkat(s->fd, "d", 0), 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	check_alone(s, "a");
	check_alone(s, "b");
	check_alone(s, "c");
	check_alone(s, "d");
	check_leader(s, "e", "b");
	assert_int_equal(mk_value(&s->run.stats.problems), 0);
}

/* The hash of these tests changes a file after it was hashed. */
static int changed_dir;
static const char *changed_name;
static atomic_uint to_hash;

static int changing_hash(int fd, uint64_t size, uint64_t *ret)
{
	(void)fd;
	(void)size;
	*ret = 1;
	if (atomic_fetch_sub(&to_hash, 1) == 1) {
		usleep(20000);
		assert_int_equal(utimensat(changed_dir, changed_name, NULL, 0),
				 0);
	}
	return 0;
}

static void dedup_changing(struct scratch *s, const char *name)
{
	static const char *const names[] = { "a", "b", "c" };

	for (size_t i = 0; i < ARC_COUNT(names); i++)
		random_file(s, names[i], 100000, 1);
	changed_dir = s->fd;
	changed_name = name;
	atomic_store(&to_hash, ARC_COUNT(names));
	s->opt.threads = 1;
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(
		mk_dedup_with(&s->run, &s->tree, s->tmp, changing_hash), 0);
}

static void a_leader_that_changes_gives_way_to_the_next(void **state)
{
	struct scratch *s = *state;

	dedup_changing(s, "a");
	check_alone(s, "a");
	check_alone(s, "b");
	check_leader(s, "c", "b");
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
	assert_int_equal(mk_value(&s->run.stats.duplicate_bytes), 100000);
}

static void a_member_that_changes_stays_alone(void **state)
{
	struct scratch *s = *state;

	dedup_changing(s, "b");
	check_alone(s, "b");
	check_leader(s, "c", "a");
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
}

static int failing_hash(int fd, uint64_t size, uint64_t *ret)
{
	(void)fd;
	(void)size;
	(void)ret;
	return -EIO;
}

static void files_that_cannot_be_hashed_take_no_part(void **state)
{
	struct scratch *s = *state;

	random_file(s, "a", 100, 1);
	random_file(s, "b", 100, 1);
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_dedup_with(&s->run, &s->tree, s->tmp, failing_hash),
			 0);
	check_alone(s, "a");
	check_alone(s, "b");
	assert_int_equal(mk_value(&s->run.stats.hashed), 0);
	assert_int_equal(mk_value(&s->run.stats.problems), 0);
}

/* ---- any number of threads ----------------------------------------------- */

static void any_number_of_threads_gives_the_same(void **state)
{
	struct scratch *s = *state;
	static const unsigned threads[] = { 1, 2, 3, 16 };
	uint64_t *leaders = NULL;
	uint64_t compared = 0;
	char name[32];

	for (size_t i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "f%03zu", i * 7 % 600);
		random_file(s, name, 10 + i % 5 * 3000, i % 40);
	}
	for (size_t k = 0; k < ARC_COUNT(threads); k++) {
		uint64_t n;

		s->opt.threads = threads[k];
		dedup(s);
		n = s->tree.entries.count;
		if (!leaders)
			leaders = calloc(n, sizeof(*leaders));
		for (uint64_t i = 0; i < n; i++) {
			uint64_t leader = mk_tree_at(&s->tree, i)->leader;

			if (k > 0)
				assert_int_equal(leader, leaders[i]);
			leaders[i] = leader;
		}
		if (k > 0)
			assert_int_equal(mk_value(&s->run.stats.compared),
					 compared);
		compared = mk_value(&s->run.stats.compared);
		assert_int_equal(mk_value(&s->run.stats.duplicates), 560);
	}
	free(leaders);
}

/* ---- few descriptors ----------------------------------------------------- */

static void make_pairs(struct scratch *s)
{
	char name[32];

	for (size_t i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "f%03zu", i);
		random_file(s, name, 20000, i / 2);
	}
	s->opt.threads = 16;
}

/* The next n descriptors may be opened, no more: behind the tree's last one
 * (and those in front of it that are free). */
static struct rlimit leave_descriptors(const struct scratch *s, unsigned n)
{
	int root = s->tree.root_fd;
	int next = fcntl(root, F_DUPFD_CLOEXEC, root);
	struct rlimit saved, few;

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = saved;
	few.rlim_cur = (rlim_t)next + n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	return saved;
}

static void few_descriptors_change_nothing(void **state)
{
	struct scratch *s = *state;
	struct rlimit saved;

	make_pairs(s);
	for (unsigned n = 8; n < 40; n += 7) {
		assert_int_equal(scratch_scan(s), 0);
		saved = leave_descriptors(s, n);
		assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
		assert_int_equal(mk_value(&s->run.stats.duplicates), 200);
	}
}

/* Else the limit would decide what is found. */
static void want_of_descriptors_ends_the_run(void **state)
{
	struct scratch *s = *state;
	struct rlimit saved;

	make_pairs(s);
	assert_int_equal(scratch_scan(s), 0);
	saved = leave_descriptors(s, 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
}

/* ---- the hash itself ----------------------------------------------------- */

static uint64_t hash_by_definition(const uint8_t *p, size_t n)
{
	uint64_t state = ARC_FNV_INIT;

	for (size_t at = 0; at < n; at += ARC_FNV_LEAF)
		state = arc_fnv_join(state,
				     arc_fnv1a(p + at,
					       ARC_MIN(n - at, ARC_FNV_LEAF)));
	return arc_fnv_join(state, n);
}

static void the_hash_is_leaves_in_order_then_the_size(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 1,	 65535,	  65536,   65537,
					1048575, 1048576, 1048577, 5000000 };
	uint8_t *p = malloc(5000000);

	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		uint64_t hash = 0;
		int fd;

		fill(p, sizes[i], i);
		scratch_file(s, "f", p, sizes[i]);
		fd = openat(s->fd, "f", O_RDONLY);
		assert_int_equal(mk_dedup_fnv(fd, sizes[i], &hash), 0);
		assert_int_equal(hash, hash_by_definition(p, sizes[i]));
		/* A file that ends early is an error, not another hash. */
		assert_int_equal(mk_dedup_fnv(fd, sizes[i] + 1, &hash),
				 -ESTALE);
		close(fd);
	}
	free(p);
}

static void holes_hash_as_zeros(void **state)
{
	struct scratch *s = *state;
	static const off_t marks[] = { -1,	0,
				       65536,	(3 << 20) - 1,
				       3 << 20, (6 << 20) + 99 };
	const size_t n = (6 << 20) + 100;
	uint8_t *p = malloc(n);

	for (size_t i = 0; i < ARC_COUNT(marks); i++) {
		uint64_t hash = 0;
		int fd;

		unlinkat(s->fd, "f", 0);
		sparse_file(s, "f", (off_t)n, marks[i]);
		memset(p, 0, n);
		if (marks[i] >= 0)
			p[marks[i]] = 'm';
		fd = openat(s->fd, "f", O_RDONLY);
		assert_int_equal(mk_dedup_fnv(fd, n, &hash), 0);
		assert_int_equal(hash, hash_by_definition(p, n));
		close(fd);
	}
	free(p);
}

#define IN_SCRATCH(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_open, scratch_close)

/* ---- what is held -------------------------------------------------------- */

static bool is_held(const struct scratch *s, const char *path)
{
	return scratch_entry(s, path)->flags & MK_ENTRY_HELD;
}

static void check_held(const struct scratch *s, const char *path, uint64_t seed)
{
	const struct mk_entry *e = scratch_entry(s, path);
	struct arc_span held;
	uint8_t want[4096];

	assert_true(is_held(s, path));
	held = mk_tree_held(&s->tree, e);
	assert_int_equal(held.n, e->size);
	fill(want, held.n, seed);
	assert_memory_equal(held.p, want, held.n);
}

static void small_files_that_were_read_are_held(void **state)
{
	struct scratch *s = *state;

	s->opt.buffer_size = ARC_MIB;
	random_file(s, "a", 4096, 1);
	random_file(s, "b", 4096, 1);
	random_file(s, "c", 4096, 2);
	random_file(s, "large", 4097, 3);
	random_file(s, "large too", 4097, 3);
	random_file(s, "one", 1, 4);
	random_file(s, "one too", 1, 4);
	random_file(s, "unique", 77, 5);
	dedup(s);
	check_held(s, "a", 1);
	check_held(s, "b", 1);
	check_held(s, "c", 2);
	check_held(s, "one", 4);
	check_held(s, "one too", 4);
	assert_false(is_held(s, "large") || is_held(s, "large too"));
	assert_false(is_held(s, "unique"));
	check_leader(s, "b", "a");
	check_leader(s, "large too", "large");
	check_leader(s, "one too", "one");
	check_alone(s, "c");
	check_digests(s, "b");
	check_digests(s, "one too");
	/* Of the small ones each was opened once, of the large ones each for
	 * its samples, its hash, and to be compared. */
	assert_int_equal(mk_value(&s->run.stats.searched), 5 + 2 + 2 + 1);
	assert_int_equal(mk_value(&s->run.stats.compared), 3);
	assert_int_equal(mk_value(&s->run.stats.duplicate_bytes),
			 4096 + 4097 + 1);
}

static void what_changed_since_the_scan_is_not_held(void **state)
{
	struct scratch *s = *state;

	s->opt.buffer_size = ARC_MIB;
	random_file(s, "a", 300, 1);
	random_file(s, "b", 300, 2);
	assert_int_equal(scratch_scan(s), 0);
	random_file(s, "b", 300, 1);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	check_held(s, "a", 1);
	assert_false(is_held(s, "b"));
	check_alone(s, "b");
}

static void how_much_is_held_changes_no_result(void **state)
{
	static const size_t sizes[] = { 0, 1, 500, 2000, ARC_MIB };
	struct scratch *s = *state;
	uint64_t leader[60];
	char name[16];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%02u", i);
		random_file(s, name, 3 + i % 4 * 1500, i % 7);
	}
	for (size_t k = 0; k < ARC_COUNT(sizes); k++) {
		s->opt.buffer_size = sizes[k];
		dedup(s);
		for (unsigned i = 0; i < 60; i++) {
			snprintf(name, sizeof(name), "%02u", i);
			if (k == 0)
				leader[i] = scratch_entry(s, name)->leader;
			assert_int_equal(scratch_entry(s, name)->leader,
					 leader[i]);
		}
		assert_int_equal(mk_value(&s->run.stats.duplicates), 60 - 28);
		assert_int_equal(mk_value(&s->run.stats.hashed), 60);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(equal_files_follow_the_first_one),
		IN_SCRATCH(one_different_byte_anywhere_keeps_files_apart),
		IN_SCRATCH(empty_files_and_further_names_take_no_part),
		IN_SCRATCH(zeros_and_holes_are_the_same_content),
		IN_SCRATCH(two_holes_are_compared_without_reading_them),
		IN_SCRATCH(each_stage_counts_what_it_leaves),
		IN_SCRATCH(files_told_apart_by_samples_are_not_hashed),
		IN_SCRATCH(files_of_unique_size_are_never_opened),
		IN_SCRATCH(colliding_hashes_make_no_duplicates),
		IN_SCRATCH(every_file_different_under_one_hash_stays_alone),
		IN_SCRATCH(files_changed_since_the_scan_take_no_part),
		IN_SCRATCH(a_leader_that_changes_gives_way_to_the_next),
		IN_SCRATCH(a_member_that_changes_stays_alone),
		IN_SCRATCH(files_that_cannot_be_hashed_take_no_part),
		IN_SCRATCH(any_number_of_threads_gives_the_same),
		IN_SCRATCH(few_descriptors_change_nothing),
		IN_SCRATCH(want_of_descriptors_ends_the_run),
		IN_SCRATCH(the_hash_is_leaves_in_order_then_the_size),
		IN_SCRATCH(holes_hash_as_zeros),
		IN_SCRATCH(small_files_that_were_read_are_held),
		IN_SCRATCH(what_changed_since_the_scan_is_not_held),
		IN_SCRATCH(how_much_is_held_changes_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
