/* SPDX-License-Identifier: MIT */
/* Packing with threads that read files before their turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "packworld.h"

#define FILES 90

/* Small ones, some that are too large, none at all, and one with a hole. */
static uint64_t size_of(unsigned i)
{
	static const uint64_t sizes[] = { 1,	 100,  65536, 70000, 0,
					  20000, 3000, 7,     150000 };

	return i == 40 ? 1500000 : i == 41 ? 300000 : sizes[i % 9];
}

static const char *name_of(unsigned i)
{
	static char name[16];

	snprintf(name, sizeof(name), "n%02u", i);
	return name;
}

static void write_files(struct world *w)
{
	for (unsigned i = 0; i < FILES; i++)
		write_file(w, name_of(i), i, size_of(i));
	set_size(w, "sparse", 200000);
	write_range(w, "sparse", 1, 200000, 210000);
	write_file(w, "twin", 5, size_of(5));
	linkat(w->dir, name_of(7), w->dir, "zlink", 0);
}

static void list_files(struct world *w)
{
	list_folder(w);
	mark_duplicate(w, "twin", name_of(5));
}

/* Packs once more, with as many threads. */
static void pack_with(struct world *w, unsigned readers, size_t buffer)
{
	close_output(w);
	memset(&w->run, 0, sizeof(w->run));
	w->opt.readers = readers;
	w->opt.buffer_size = buffer;
	list_files(w);
	pack_all(w);
}

static void assert_same_volumes(const struct mk_memory_set *one,
				const struct mk_memory_set *other)
{
	assert_int_equal(one->n, other->n);
	for (uint32_t v = 0; v < one->n; v++) {
		struct arc_span a = arc_store_memory_bytes(one->stores[v]);
		struct arc_span b = arc_store_memory_bytes(other->stores[v]);

		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.p, b.p, a.n);
	}
}

static void the_number_of_readers_changes_no_byte(void **state)
{
	static const unsigned readers[] = { 1, 2, 3, 16 };
	static const enum mk_digest digests[] = { MK_DIGEST_XXH128,
						  MK_DIGEST_SHA256,
						  MK_DIGEST_NONE };
	struct world *w = *state;
	struct mk_memory_set first;
	uint64_t bytes;

	write_files(w);
	for (size_t d = 0; d < ARC_COUNT(digests); d++) {
		w->opt.digest = digests[d];
		pack_with(w, 0, 0);
		bytes = mk_value(&w->run.stats.read_bytes);
		first = w->sink.set;
		w->sink.set = (struct mk_memory_set){ 0 };
		for (size_t i = 0; i < ARC_COUNT(readers); i++) {
			pack_with(w, readers[i], ARC_MIB << i);
			assert_same_volumes(&first, &w->sink.set);
			assert_int_equal(mk_value(&w->run.stats.read_bytes),
					 bytes);
			assert_int_equal(mk_value(&w->run.stats.problems), 0);
		}
		memory_set_fini(&first);
	}
}

static void a_small_buffer_is_used_again_and_again(void **state)
{
	struct world *w = *state;

	write_files(w);
	pack_with(w, 3, 65536);
	for (unsigned i = 0; i < FILES; i++)
		assert_content(w, name_of(i), i, size_of(i));
	assert_as_file(w, "sparse");
	assert_as_file(w, "twin");
}

static void what_is_wrong_with_a_file_is_told_as_ever(void **state)
{
	struct world *w = *state;

	write_files(w);
	w->opt.readers = 4;
	w->opt.buffer_size = ARC_MIB;
	list_files(w);
	unlinkat(w->dir, name_of(10), 0);
	unlinkat(w->dir, name_of(11), 0);
	assert_int_equal(symlinkat("n12", w->dir, name_of(11)), 0);
	write_file(w, name_of(15), 15, size_of(15) + 1000);
	set_size(w, name_of(20), 10);
	pack_all(w);
	for (unsigned i = 0; i < FILES; i++) {
		if (i == 10 || i == 11)
			assert_true(is_gone(w, name_of(i)));
		else if (i == 15)
			assert_content(w, name_of(i), i, size_of(i) + 1000);
		else if (i == 20)
			assert_content(w, name_of(i), i, 10);
		else
			assert_content(w, name_of(i), i, size_of(i));
	}
	assert_int_equal(mk_value(&w->run.stats.problems), 4);
}

/* The leader of a duplicate is lost: the duplicate is read in its place. */
static void a_lost_leader_has_an_heir(void **state)
{
	struct world *w = *state;

	write_files(w);
	w->opt.readers = 2;
	w->opt.buffer_size = ARC_MIB;
	list_files(w);
	unlinkat(w->dir, name_of(5), 0);
	unlinkat(w->dir, name_of(7), 0);
	pack_all(w);
	assert_true(is_gone(w, name_of(5)));
	assert_content(w, "twin", 5, size_of(5));
	assert_content(w, "zlink", 7, size_of(7));
}

static void few_descriptors_mean_fewer_readers(void **state)
{
	struct world *w = *state;
	struct rlimit old, few;

	write_files(w);
	getrlimit(RLIMIT_NOFILE, &old);
	for (rlim_t n = 26; n < 40; n += 3) {
		few = (struct rlimit){ n, old.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		pack_with(w, 16, ARC_MIB);
		for (unsigned i = 0; i < FILES; i++)
			assert_content(w, name_of(i), i, size_of(i));
		assert_int_equal(mk_value(&w->run.stats.problems), 0);
	}
	setrlimit(RLIMIT_NOFILE, &old);
}

/* Writing fails while threads read, and wait for room. */
static void a_failure_ends_the_readers(void **state)
{
	struct world *w = *state;

	write_files(w);
	for (unsigned i = 0; i < 6; i++) {
		w->opt.readers = 1 + i;
		w->opt.buffer_size = 65536;
		list_files(w);
		w->sink.plan = (struct arc_fault_plan){ .fail_at = 3 + i };
		assert_int_equal(pack(w), -EIO);
		close_output(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_number_of_readers_changes_no_byte),
		IN_WORLD(a_small_buffer_is_used_again_and_again),
		IN_WORLD(what_is_wrong_with_a_file_is_told_as_ever),
		IN_WORLD(a_lost_leader_has_an_heir),
		IN_WORLD(few_descriptors_mean_fewer_readers),
		IN_WORLD(a_failure_ends_the_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
