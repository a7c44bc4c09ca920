/* SPDX-License-Identifier: MIT */
/*
 * The search for duplicates with devices that hash comes to the same as
 * without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chosengpu.h"
#include "dedup_i.h"
#include "scratch.h"
#include "testdata.h"

static struct arc_gpu *gpu;

static int choose(void **state)
{
	(void)state;
	gpu = gpu_choose_cpu(ARC_GPU_HASH);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	arc_gpu_free(gpu);
	return 0;
}

/* ---- helpers ------------------------------------------------------------- */

static void random_file(struct scratch *s, const char *name, size_t n,
			uint64_t seed)
{
	uint8_t *p = malloc(n + 1);

	testdata_random(p, n, &seed);
	scratch_file(s, name, p, n);
	free(p);
}

/* As random_file(), with one byte another one. */
static void near_file(struct scratch *s, const char *name, size_t n,
		      uint64_t seed, size_t at)
{
	uint8_t *p = malloc(n);

	testdata_random(p, n, &seed);
	p[at] ^= 1;
	scratch_file(s, name, p, n);
	free(p);
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

static void search(struct scratch *s, bool devices)
{
	s->run.gpu = devices ? gpu : NULL;
	s->opt.gpu.mode = devices ? ARC_GPU_FORCE : ARC_GPU_OFF;
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	if (!devices)
		assert_int_equal(mk_value(&s->run.stats.device_hashed), 0);
}

/* Searches without devices and with them; returns the bytes that they hashed.
 */
static uint64_t compare_searches(struct scratch *s)
{
	uint64_t hashed, same_hash, compared, n, *leaders;

	search(s, false);
	n = s->tree.entries.count;
	leaders = calloc(n, sizeof(*leaders));
	for (uint64_t i = 0; i < n; i++)
		leaders[i] = mk_tree_at(&s->tree, i)->leader;
	hashed = mk_value(&s->run.stats.hashed);
	same_hash = mk_value(&s->run.stats.same_hash);
	compared = mk_value(&s->run.stats.compared);
	search(s, true);
	assert_int_equal(s->tree.entries.count, n);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(mk_tree_at(&s->tree, i)->leader, leaders[i]);
	assert_int_equal(mk_value(&s->run.stats.hashed), hashed);
	assert_int_equal(mk_value(&s->run.stats.same_hash), same_hash);
	assert_int_equal(mk_value(&s->run.stats.compared), compared);
	free(leaders);
	return mk_value(&s->run.stats.device_hashed);
}

/* ---- tests --------------------------------------------------------------- */

static void files_of_any_length_have_the_same_leaders(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 0,	 1,	  65535,   65536,
					65537,	 200000,  1048575, 1048576,
					1048577, 2097152, 2097153, 5000000 };
	uint64_t sum = 0;
	char name[32];

	for (size_t i = 0; i < ARC_COUNT(sizes); i++) {
		snprintf(name, sizeof(name), "a%zu", i);
		random_file(s, name, sizes[i], i);
		snprintf(name, sizeof(name), "b%zu", i);
		random_file(s, name, sizes[i], i);
		sum += 2 * sizes[i];
		if (sizes[i] < 1000)
			continue;
		snprintf(name, sizeof(name), "c%zu", i);
		near_file(s, name, sizes[i], i, sizes[i] / 3);
		sum += sizes[i];
	}
	assert_int_equal(compare_searches(s), sum);
	assert_int_equal(mk_value(&s->run.stats.duplicates),
			 ARC_COUNT(sizes) - 1);
}

static void many_files_share_slots_with_any_number_of_threads(void **state)
{
	struct scratch *s = *state;
	static const unsigned threads[] = { 1, 2, 5, 40 };
	char name[32];

	for (size_t i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "f%04zu", i * 7 % 1500);
		random_file(s, name, 10 + i % 5 * 3000, i % 400);
	}
	for (size_t k = 0; k < ARC_COUNT(threads); k++) {
		s->opt.threads = threads[k];
		compare_searches(s);
		assert_int_equal(mk_value(&s->run.stats.duplicates), 1100);
	}
}

/* One thread has 96 MiB of slots, and goes through them more than once. */
static void more_bytes_than_slots_are_hashed(void **state)
{
	struct scratch *s = *state;
	char name[32];

	for (size_t i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		near_file(s, name, 15000001, 1, 7000000 + i / 2 * 1000000);
	}
	s->opt.threads = 1;
	assert_int_equal(compare_searches(s), (uint64_t)8 * 15000001);
	assert_int_equal(mk_value(&s->run.stats.duplicates), 4);
}

static void holes_hash_as_zeros(void **state)
{
	struct scratch *s = *state;
	const size_t n = (9 << 20) + 12345;
	uint8_t *zeros = calloc(1, n);

	scratch_file(s, "a-zeros", zeros, n);
	zeros[5 << 20] = 'm';
	scratch_file(s, "a-marked", zeros, n);
	free(zeros);
	sparse_file(s, "b-hole", (off_t)n, -1);
	sparse_file(s, "b-marked", (off_t)n, 5 << 20);
	sparse_file(s, "b-elsewhere", (off_t)n, (5 << 20) + 1);
	compare_searches(s);
	assert_int_equal(scratch_entry(s, "b-hole")->leader,
			 scratch_find(s, "a-zeros"));
	assert_int_equal(scratch_entry(s, "b-marked")->leader,
			 scratch_find(s, "a-marked"));
}

/* Each is two steps of a slot, which has 128: data comes when it is full, and
 * then it is full again before there is any. */
static void files_without_data_fill_slots_too(void **state)
{
	struct scratch *s = *state;
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%s%03d", i < 64 ? "a" : "c", i);
		sparse_file(s, name, 4 << 20, -1);
	}
	sparse_file(s, "b1", 4 << 20, 9);
	sparse_file(s, "b2", 4 << 20, 9);
	sparse_file(s, "d1", 4 << 20, 2 << 20);
	sparse_file(s, "d2", 4 << 20, 2 << 20);
	s->opt.threads = 1;
	compare_searches(s);
	assert_int_equal(scratch_entry(s, "b2")->leader, scratch_find(s, "b1"));
	assert_int_equal(scratch_entry(s, "d2")->leader, scratch_find(s, "d1"));
	assert_int_equal(mk_value(&s->run.stats.duplicates), 199 + 2);
}

static void files_changed_since_the_scan_take_no_part(void **state)
{
	struct scratch *s = *state;

	for (int i = 0; i < 5; i++) {
		const char name[] = { (char)('a' + i), 0 };

		random_file(s, name, 90000, 1);
	}
	s->run.gpu = gpu;
	s->opt.gpu.mode = ARC_GPU_FORCE;
	assert_int_equal(scratch_scan(s), 0);
	usleep(20000); /* the clock of the times is a coarse one */
	near_file(s, "a", 90000, 1, 40000);
	random_file(s, "c", 100000, 1);
	assert_int_equal(unlinkat(s->fd, "d", 0), 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	assert_int_equal(scratch_entry(s, "e")->leader, scratch_find(s, "b"));
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
	assert_int_equal(mk_value(&s->run.stats.problems), 0);
}

static int constant_hash(int fd, uint64_t size, uint64_t *ret)
{
	(void)fd;
	(void)size;
	*ret = 42;
	return 0;
}

static void another_hash_is_not_for_devices(void **state)
{
	struct scratch *s = *state;

	random_file(s, "a", 90000, 1);
	random_file(s, "b", 90000, 1);
	s->run.gpu = gpu;
	s->opt.gpu.mode = ARC_GPU_FORCE;
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(
		mk_dedup_with(&s->run, &s->tree, s->tmp, constant_hash), 0);
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
	assert_int_equal(mk_value(&s->run.stats.device_hashed), 0);
}

static void little_is_hashed_on_the_cpu_unless_forced(void **state)
{
	struct scratch *s = *state;

	random_file(s, "a", 90000, 1);
	random_file(s, "b", 90000, 1);
	s->run.gpu = gpu;
	s->opt.gpu.mode = ARC_GPU_AUTO;
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_dedup(&s->run, &s->tree, s->tmp), 0);
	assert_int_equal(mk_value(&s->run.stats.duplicates), 1);
	assert_int_equal(mk_value(&s->run.stats.device_hashed), 0);
}

/* ---- files that end early ------------------------------------------------ */

#define FILES 6

static void free_workers(struct mk_dedup *d)
{
	while (d->idle) {
		struct mk_dedup_worker *w = d->idle;

		d->idle = w->next;
		mk_source_free(w->source);
		free(w->leader);
		free(w->member);
		arc_digest_free(w->digest);
		arc_sha256_free(w->sha256);
		free(w);
	}
}

/* A list that says that every other file is longer than it is. */
static void list_files(struct scratch *s, struct mk_dedup *d)
{
	char name[32];
	uint64_t i;

	for (size_t k = 0; k < FILES; k++) {
		snprintf(name, sizeof(name), "f%zu", k);
		random_file(s, name, 1500000 + k, k);
	}
	assert_int_equal(scratch_scan(s), 0);
	assert_int_equal(mk_spool_open(&d->list, s->tmp,
				       sizeof(struct mk_candidate)),
			 0);
	for (size_t k = 0; k < FILES; k++) {
		assert_int_equal(mk_spool_add(&d->list, 1, &i), 0);
		snprintf(name, sizeof(name), "f%zu", k);
		*mk_candidate_at(d, i) = (struct mk_candidate){
			.size = 1500000 + k + (k % 2 ? 1000000 * k : 0),
			.entry = scratch_find(s, name),
		};
	}
}

static void a_file_that_ends_early_drops_out_alone(void **state)
{
	struct scratch *s = *state;
	struct mk_dedup d = { .run = &s->run,
			      .tree = &s->tree,
			      .hash = mk_dedup_fnv,
			      .threads = 1 };

	pthread_mutex_init(&d.lock, NULL);
	list_files(s, &d);
	s->run.gpu = gpu;
	s->opt.gpu.mode = ARC_GPU_FORCE;
	assert_true(mk_dedup_is_for_devices(&d));
	assert_int_equal(mk_dedup_hash_by_devices(&d), 0);
	for (size_t k = 0; k < FILES; k++) {
		const struct mk_candidate *c = mk_candidate_at(&d, k);
		uint64_t hash;
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "f%zu", k);
		fd = openat(s->fd, name, O_RDONLY);
		assert_int_equal(mk_dedup_fnv(fd, c->size, &hash),
				 k % 2 ? -ESTALE : 0);
		close(fd);
		assert_int_equal(c->state,
				 k % 2 ? MK_CANDIDATE_OUT : MK_CANDIDATE_IN);
		if (k % 2 == 0)
			assert_true(c->hash == hash);
	}
	assert_int_equal(mk_value(&s->run.stats.hashed), FILES / 2);
	free_workers(&d);
	mk_spool_close(&d.list);
	pthread_mutex_destroy(&d.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
		TEST(files_of_any_length_have_the_same_leaders),
		TEST(many_files_share_slots_with_any_number_of_threads),
		TEST(more_bytes_than_slots_are_hashed),
		TEST(holes_hash_as_zeros),
		TEST(files_without_data_fill_slots_too),
		TEST(files_changed_since_the_scan_take_no_part),
		TEST(another_hash_is_not_for_devices),
		TEST(little_is_hashed_on_the_cpu_unless_forced),
		TEST(a_file_that_ends_early_drops_out_alone),
	};

	return cmocka_run_group_tests(tests, choose, drop);
}
