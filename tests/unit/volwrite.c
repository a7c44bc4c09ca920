/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "faultysink.h"
#include "volwrite.h"

#define LIMIT ((uint64_t)4096)
#define HEAD sizeof(struct arc_disk_volume)
#define FOOT sizeof(struct arc_disk_footer)

static const struct mk_volwrite_params params = {
	.limit = LIMIT,
	.frame_size = 65536,
	.id = { 1, 2, 3, 4, 5, 6, 7, 8, 9 },
	.sync = true,
};

static uint8_t bytes[1 << 20];

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *state >> 33;
}

static uint64_t store_size(struct arc_store *s)
{
	uint64_t n;

	assert_int_equal(arc_store_size(s, &n), 0);
	return n;
}

struct opened {
	struct faulty_sink sink;
	struct mk_volwrite *vw;
};

static void open_memory(struct opened *o, uint64_t limit)
{
	struct mk_volwrite_params p = params;
	struct mk_volume_sink sink;

	memset(o, 0, sizeof(*o));
	p.limit = limit;
	sink = faulty_sink_open(&o->sink);
	assert_int_equal(mk_volwrite_open(&sink, &p, NULL, &o->vw), 0);
}

static void close_memory(struct opened *o)
{
	mk_volwrite_close(o->vw);
	assert_int_equal(o->sink.closed, 1);
	memory_set_fini(&o->sink.set);
}

/* ---- borders ------------------------------------------------------------ */

static void a_piece_that_just_fits_stays_in_its_volume(void **state)
{
	struct opened o;
	uint32_t volume;
	uint64_t offset;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(
		mk_volwrite_put(o.vw, bytes, 1000, 0, &volume, &offset), 0);
	assert_int_equal(volume, 1);
	assert_int_equal(offset, HEAD);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD - 1000, 0,
					 &volume, &offset),
			 0);
	assert_int_equal(volume, 1);
	assert_int_equal(offset, HEAD + 1000);
	assert_int_equal(store_size(o.sink.set.stores[0]), LIMIT);
	assert_int_equal(o.sink.completed, 0);
	close_memory(&o);
}

static void a_piece_one_byte_too_long_begins_the_next_volume(void **state)
{
	struct opened o;
	uint32_t volume;
	uint64_t offset;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(
		mk_volwrite_put(o.vw, bytes, 1000, 0, &volume, &offset), 0);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD - 999, 0,
					 &volume, &offset),
			 0);
	assert_int_equal(volume, 2);
	assert_int_equal(offset, HEAD);
	assert_int_equal(o.sink.completed, 1);
	assert_int_equal(mk_volwrite_volumes(o.vw), 2);
	assert_int_equal(mk_volwrite_bytes(o.vw), 2 * HEAD + LIMIT - HEAD + 1);
	close_memory(&o);
}

static void a_piece_of_two_parts_crosses_no_border(void **state)
{
	const struct arc_span head = { bytes, 100 };
	struct arc_span body = { bytes + 50, LIMIT - HEAD - 100 };
	struct arc_span first;
	struct opened o;
	uint32_t volume;
	uint64_t offset;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(
		mk_volwrite_put_two(o.vw, head, body, &volume, &offset), 0);
	assert_int_equal(volume, 1);
	first = arc_store_memory_bytes(o.sink.set.stores[0]);
	assert_int_equal(first.n, LIMIT);
	assert_memory_equal(first.p + HEAD, head.p, head.n);
	assert_memory_equal(first.p + HEAD + 100, body.p, body.n);
	body.n = 10;
	assert_int_equal(
		mk_volwrite_put_two(o.vw, head, body, &volume, &offset), 0);
	assert_int_equal(volume, 2);
	body.n = LIMIT - HEAD - 99;
	assert_int_equal(mk_volwrite_put_two(o.vw, head, body, &volume,
					     &offset),
			 -E2BIG);
	close_memory(&o);
}

static void the_tail_is_kept_free_behind_a_piece(void **state)
{
	struct opened o;
	uint32_t volume;
	uint64_t offset;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD - FOOT - 10,
					 0, &volume, &offset),
			 0);
	assert_int_equal(
		mk_volwrite_put(o.vw, bytes, 10, FOOT, &volume, &offset), 0);
	assert_int_equal(volume, 1);
	assert_int_equal(mk_volwrite_finish(o.vw, offset, 10), 0);
	assert_int_equal(store_size(o.sink.set.stores[0]), LIMIT);
	close_memory(&o);

	open_memory(&o, LIMIT);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD - FOOT - 9,
					 0, &volume, &offset),
			 0);
	assert_int_equal(
		mk_volwrite_put(o.vw, bytes, 10, FOOT, &volume, &offset), 0);
	assert_int_equal(volume, 2);
	assert_int_equal(mk_volwrite_finish(o.vw, offset, 10), 0);
	assert_int_equal(store_size(o.sink.set.stores[1]), HEAD + 10 + FOOT);
	close_memory(&o);
}

static void a_piece_that_fits_no_volume_is_refused(void **state)
{
	struct opened o;
	uint32_t volume;
	uint64_t offset;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD + 1, 0,
					 &volume, &offset),
			 -E2BIG);
	assert_int_equal(o.sink.set.n, 0);
	close_memory(&o);

	open_memory(&o, LIMIT);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, LIMIT - HEAD - FOOT + 1,
					 FOOT, &volume, &offset),
			 -E2BIG);
	close_memory(&o);

	open_memory(&o, HEAD - 1);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, 1, 0, &volume, &offset),
			 -E2BIG);
	close_memory(&o);

	open_memory(&o, LIMIT);
	assert_int_equal(mk_volwrite_put(o.vw, bytes, 1, SIZE_MAX, &volume,
					 &offset),
			 -EOVERFLOW);
	close_memory(&o);
}

/* Every piece lies where it was said to lie, no volume is longer than its
 * limit, headers and footer are sound, and nothing is in between. */
static void check_set(const struct opened *o, uint64_t limit)
{
	struct arc_disk_volume head;
	struct arc_disk_footer foot;
	uint32_t n = o->sink.set.n;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct arc_span s =
			arc_store_memory_bytes(o->sink.set.stores[i]);

		assert_true(s.n <= limit);
		assert_true(s.n >= sizeof(head));
		sum += s.n;
		memcpy(&head, s.p, sizeof(head));
		assert_int_equal(arc_format_check_volume(&head, i + 1), 0);
		assert_int_equal(arc_get64(head.limit), limit);
		assert_memory_equal(head.id, params.id, sizeof(head.id));
		if (i + 1 < n)
			continue;
		assert_true(s.n >= sizeof(head) + sizeof(foot));
		memcpy(&foot, s.p + s.n - sizeof(foot), sizeof(foot));
		assert_int_equal(arc_format_check_footer(&foot), 0);
		assert_int_equal(arc_get32(foot.volumes), n);
		assert_memory_equal(foot.end, "GPU_IDX1", 8);
	}
	assert_int_equal(o->sink.completed, n);
	assert_int_equal(mk_volwrite_volumes(o->vw), n);
	assert_int_equal(mk_volwrite_bytes(o->vw), sum);
}

static void no_volume_passes_its_limit(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t rng = seed;
		uint64_t limit = 512 + next_random(&rng) % 8192;
		size_t most = limit - HEAD - FOOT;
		unsigned pieces = 1 + next_random(&rng) % 60;
		struct opened o;
		uint32_t volume;
		uint64_t offset;
		size_t n = 0;

		open_memory(&o, limit);
		for (unsigned i = 0; i < pieces; i++) {
			struct arc_span s;

			/* the last piece is the root */
			n = 64 + next_random(&rng) % (most - 63);
			memset(bytes, (int)(1 + i), n);
			assert_int_equal(mk_volwrite_put(o.vw, bytes, n,
							 i + 1 == pieces ? FOOT
									 : 0,
							 &volume, &offset),
					 0);
			assert_int_equal(volume, o.sink.set.n);
			s = arc_store_memory_bytes(
				o.sink.set.stores[volume - 1]);
			assert_int_equal(s.n, offset + n);
			assert_memory_equal(s.p + offset, bytes, n);
		}
		assert_int_equal(mk_volwrite_finish(o.vw, offset, n), 0);
		check_set(&o, limit);
		close_memory(&o);
	}
}

/* ---- order and failure -------------------------------------------------- */

/* Some pieces over three volumes, and the end. */
static int write_some(struct opened *o)
{
	uint32_t volume;
	uint64_t offset = 0;
	int r = 0;

	for (int i = 0; r >= 0 && i < 5; i++)
		r = mk_volwrite_put(o->vw, bytes, 2000, i == 4 ? FOOT : 0,
				    &volume, &offset);
	return r < 0 ? r : mk_volwrite_finish(o->vw, offset, 2000);
}

static void every_call_that_fails_is_passed_up(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct opened o;
		uint32_t volume;
		uint64_t offset;
		int r;

		assert_true(n < 100);
		open_memory(&o, LIMIT);
		o.sink.plan = (struct arc_fault_plan){ .fail_at = n,
						       .error = ENOSPC,
						       .short_io = n % 2 };
		r = write_some(&o);
		done = o.sink.plan.calls < n;
		assert_int_equal(r, done ? 0 : -ENOSPC);
		if (done) {
			check_set(&o, LIMIT);
		} else {
			assert_true(o.sink.completed < 3 ||
				    o.sink.plan.calls == n);
			/* and it stays failed */
			assert_int_equal(mk_volwrite_put(o.vw, bytes, 1, 0,
							 &volume, &offset),
					 -ENOSPC);
			assert_int_equal(mk_volwrite_finish(o.vw, 64, 1),
					 -ENOSPC);
		}
		close_memory(&o);
	}
}

static void nothing_is_synced_when_not_asked_to(void **state)
{
	struct mk_volwrite_params p = params;
	struct opened o = { 0 };
	struct mk_volume_sink sink = faulty_sink_open(&o.sink);
	uint64_t synced_calls;

	(void)state;
	p.sync = false;
	assert_int_equal(mk_volwrite_open(&sink, &p, NULL, &o.vw), 0);
	assert_int_equal(write_some(&o), 0);
	assert_int_equal(o.sink.syncs, 0);
	check_set(&o, LIMIT);
	synced_calls = o.sink.plan.calls;
	close_memory(&o);

	open_memory(&o, LIMIT);
	assert_int_equal(write_some(&o), 0);
	/* the folder before the footer and at the end; each of three volumes,
	 * the last before and behind its footer */
	assert_int_equal(o.sink.syncs, 2);
	assert_int_equal(o.sink.plan.calls, synced_calls + 2 + 4);
	close_memory(&o);
}

static void an_unfinished_set_has_no_footer(void **state)
{
	struct opened o;
	struct arc_disk_footer foot;
	uint32_t volume;
	uint64_t offset;
	struct arc_span s;

	(void)state;
	open_memory(&o, LIMIT);
	assert_int_equal(
		mk_volwrite_put(o.vw, bytes, 2000, 0, &volume, &offset), 0);
	mk_volwrite_close(o.vw);
	o.vw = NULL;
	assert_int_equal(o.sink.completed, 0);
	s = arc_store_memory_bytes(o.sink.set.stores[0]);
	memcpy(&foot, s.p + s.n - sizeof(foot), sizeof(foot));
	assert_int_equal(arc_format_check_footer(&foot), -EBADMSG);
	close_memory(&o);
}

/* ---- in a folder -------------------------------------------------------- */

static char *said; /* the last message */
static unsigned messages;

static void note_message(void *ctx, enum arc_level level, const char *text)
{
	(void)ctx;
	(void)level;
	free(said);
	said = strdup(text);
	messages++;
}

struct folder {
	char path[64];
	struct arc_diag diag;
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/volwrite-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	arc_diag_init(&f->diag, note_message, NULL, ARC_DEBUG);
	messages = 0;
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct folder *f = *state;
	char path[512];
	DIR *dir = opendir(f->path);
	const struct dirent *d;

	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->path, d->d_name);
		if (unlink(path) < 0)
			rmdir(path);
	}
	closedir(dir);
	rmdir(f->path);
	arc_diag_fini(&f->diag);
	free(f);
	free(said);
	said = NULL;
	return 0;
}

static char *path_in(const struct folder *f, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

static bool exists(const struct folder *f, const char *name)
{
	return access(path_in(f, name), F_OK) == 0;
}

static void touch(const struct folder *f, const char *name)
{
	int fd = open(path_in(f, name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int open_path(struct folder *f, const char *out, bool force,
		     struct mk_volwrite **ret)
{
	struct mk_volume_sink sink;
	int r = mk_volume_sink_path(path_in(f, out),
				    force ? MK_VOLUMES_REPLACE : MK_VOLUMES_NEW,
				    &f->diag, &sink);

	if (r < 0)
		return r;
	assert_true(mk_volume_sink_dir(&sink) >= 0);
	return mk_volwrite_open(&sink, &params, &f->diag, ret);
}

static void put_bytes(struct mk_volwrite *vw, size_t n, size_t tail,
		      uint64_t *ret_offset)
{
	uint32_t volume;

	assert_int_equal(
		mk_volwrite_put(vw, bytes, n, tail, &volume, ret_offset), 0);
}

static void volumes_get_their_name_when_they_are_finished(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint64_t offset;

	assert_int_equal(open_path(f, "set", false, &vw), 0);
	assert_false(exists(f, "set.001.part"));
	put_bytes(vw, 3000, 0, &offset);
	assert_true(exists(f, "set.001.part"));
	assert_false(exists(f, "set.001"));
	put_bytes(vw, 3000, FOOT, &offset);
	assert_true(exists(f, "set.001"));
	assert_false(exists(f, "set.001.part"));
	assert_true(exists(f, "set.002.part"));
	assert_int_equal(mk_volwrite_finish(vw, offset, 3000), 0);
	mk_volwrite_close(vw);
	assert_true(exists(f, "set.002"));
	assert_false(exists(f, "set.002.part"));
	assert_null(said);
}

static void an_interrupted_run_leaves_its_part(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint64_t offset;

	assert_int_equal(open_path(f, "set", false, &vw), 0);
	put_bytes(vw, 3000, 0, &offset);
	put_bytes(vw, 3000, 0, &offset);
	mk_volwrite_close(vw);
	assert_true(exists(f, "set.001"));
	assert_true(exists(f, "set.002.part"));
	assert_false(exists(f, "set.002"));
}

static void an_existing_set_is_refused_by_name(void **state)
{
	static const char *const names[] = { "set.001", "set.017", "set.1000",
					     "set.004.part" };
	struct folder *f = *state;
	struct mk_volwrite *vw;

	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		touch(f, names[i]);
		assert_int_equal(open_path(f, "set", false, &vw), -EEXIST);
		assert_non_null(strstr(said, names[i]));
		assert_non_null(strstr(said,
				       " exists; use --force to replace the "
				       "set"));
		unlink(path_in(f, names[i]));
	}
}

static void the_first_of_an_existing_set_is_named(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;

	touch(f, "set.003");
	touch(f, "set.001");
	touch(f, "set.002");
	assert_int_equal(open_path(f, "set", false, &vw), -EEXIST);
	assert_non_null(strstr(said, "/set.001 exists"));
}

/* Names that look like volumes of "set" but are none. */
static const char *const strangers[] = {
	"set",	    "set.1",	   "set.01",	     "set.0001",
	"set.000",  "set.001.bak", "set.b.001",	     "set.b.001.part",
	"et.001",   "xset.001",	   "set.001.part.x", "set.part",
	"set.00a",  "set.+01",	   ".001",	     "set.99999999999999",
	"set..001", "SET.001",	   "set.001.002",    "set.17777777",
	"set.001 ",
};

static void other_names_are_no_volumes_of_the_set(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;

	for (size_t i = 0; i < ARC_COUNT(strangers); i++)
		touch(f, strangers[i]);
	assert_int_equal(open_path(f, "set", false, &vw), 0);
	mk_volwrite_close(vw);
}

static void force_replaces_the_set_and_nothing_else(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint64_t offset;

	for (size_t i = 0; i < ARC_COUNT(strangers); i++)
		touch(f, strangers[i]);
	touch(f, "set.001");
	touch(f, "set.002");
	touch(f, "set.1234");
	touch(f, "set.003.part");
	assert_int_equal(open_path(f, "set", true, &vw), 0);
	/* not before there is something to put in its place */
	assert_true(exists(f, "set.002"));
	put_bytes(vw, 100, FOOT, &offset);
	assert_false(exists(f, "set.002"));
	assert_false(exists(f, "set.1234"));
	assert_false(exists(f, "set.003.part"));
	assert_int_equal(mk_volwrite_finish(vw, offset, 100), 0);
	mk_volwrite_close(vw);
	assert_true(exists(f, "set.001"));
	for (size_t i = 0; i < ARC_COUNT(strangers); i++)
		assert_true(exists(f, strangers[i]));
	assert_null(said);
}

static void a_set_that_cannot_go_whole_is_left_whole(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint32_t volume;
	uint64_t offset;

	touch(f, "set.001");
	assert_int_equal(mkdir(path_in(f, "set.002"), 0700), 0);
	touch(f, "set.003");
	assert_int_equal(open_path(f, "set", true, &vw), 0);
	assert_int_equal(mk_volwrite_put(vw, bytes, 100, 0, &volume, &offset),
			 -EISDIR);
	assert_non_null(strstr(said, "set.002: is a directory"));
	mk_volwrite_close(vw);
	assert_true(exists(f, "set.001"));
	assert_true(exists(f, "set.003"));
}

static void a_set_being_written_is_not_removed(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *first, *second;
	uint32_t volume;
	uint64_t offset;

	assert_int_equal(open_path(f, "set", false, &first), 0);
	/* its first volume open, then finished, the lock goes with it */
	for (int i = 0; i < 2; i++) {
		put_bytes(first, 3000, FOOT, &offset);
		assert_int_equal(open_path(f, "set", true, &second), 0);
		assert_int_equal(mk_volwrite_put(second, bytes, 100, 0, &volume,
						 &offset),
				 -EBUSY);
		assert_non_null(strstr(said, "is being written"));
		mk_volwrite_close(second);
	}
	put_bytes(first, 100, FOOT, &offset);
	assert_int_equal(mk_volwrite_finish(first, offset, 100), 0);
	mk_volwrite_close(first);
	/* now it is only a set as any other */
	assert_int_equal(open_path(f, "set", true, &second), 0);
	put_bytes(second, 100, FOOT, &offset);
	mk_volwrite_close(second);
}

static void a_file_that_turned_up_meanwhile_is_not_overwritten(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint32_t volume;
	uint64_t offset;
	struct stat st;

	assert_int_equal(open_path(f, "set", false, &vw), 0);
	put_bytes(vw, 3000, 0, &offset);
	touch(f, "set.001");
	assert_int_equal(mk_volwrite_put(vw, bytes, 3000, 0, &volume, &offset),
			 -EEXIST);
	assert_non_null(strstr(said, "set.001: "));
	mk_volwrite_close(vw);
	assert_int_equal(stat(path_in(f, "set.001"), &st), 0);
	assert_int_equal(st.st_size, 0);

	assert_int_equal(open_path(f, "b", false, &vw), 0);
	touch(f, "b.001.part");
	assert_int_equal(mk_volwrite_put(vw, bytes, 3000, 0, &volume, &offset),
			 -EEXIST);
	assert_non_null(strstr(said, "making "));
	mk_volwrite_close(vw);
}

static void a_target_that_is_no_place_is_explained(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	char longer[300];

	assert_int_equal(open_path(f, "no/set", false, &vw), -ENOENT);
	assert_non_null(strstr(said, "/no/: "));
	touch(f, "file");
	assert_int_equal(open_path(f, "file/set", false, &vw), -ENOTDIR);
	assert_int_equal(open_path(f, "", false, &vw), -EINVAL);
	assert_non_null(strstr(said, "name of the volumes is missing"));
	assert_int_equal(open_path(f, ".", false, &vw), -EINVAL);
	assert_int_equal(open_path(f, "..", false, &vw), -EINVAL);
	memset(longer, 'x', 250);
	longer[250] = '\0';
	assert_int_equal(open_path(f, longer, false, &vw), -ENAMETOOLONG);
	longer[239] = '\0';
	assert_int_equal(open_path(f, longer, false, &vw), 0);
	mk_volwrite_close(vw);
}

static void a_link_in_a_volumes_place_is_not_followed(void **state)
{
	struct folder *f = *state;
	struct mk_volwrite *vw;
	uint32_t volume;
	uint64_t offset;
	struct stat st;

	touch(f, "victim");
	assert_int_equal(open_path(f, "set", false, &vw), 0);
	assert_int_equal(symlink("victim", path_in(f, "set.001.part")), 0);
	assert_int_equal(mk_volwrite_put(vw, bytes, 10, 0, &volume, &offset),
			 -EEXIST);
	mk_volwrite_close(vw);
	assert_int_equal(stat(path_in(f, "victim"), &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void a_failing_write_names_its_file_once(void **state)
{
	struct folder *f = *state;
	struct rlimit old, small;
	struct mk_volwrite *vw;
	uint32_t volume;
	uint64_t offset;
	int r;

	/* a limit on files stands for a full disk */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(open_path(f, "set", false, &vw), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = mk_volwrite_put(vw, bytes, 3000, 0, &volume, &offset);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(r, -E2BIG);
	assert_non_null(strstr(said, "writing "));
	assert_non_null(strstr(said, "/set.001.part: "));
	assert_int_equal(messages, 1);
	mk_volwrite_close(vw);
	assert_int_equal(messages, 1);
}

int main(void)
{
#define IN_FOLDER(test)                                                        \
	cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_that_just_fits_stays_in_its_volume),
		cmocka_unit_test(
			a_piece_one_byte_too_long_begins_the_next_volume),
		cmocka_unit_test(a_piece_of_two_parts_crosses_no_border),
		cmocka_unit_test(the_tail_is_kept_free_behind_a_piece),
		cmocka_unit_test(a_piece_that_fits_no_volume_is_refused),
		cmocka_unit_test(no_volume_passes_its_limit),
		cmocka_unit_test(every_call_that_fails_is_passed_up),
		cmocka_unit_test(nothing_is_synced_when_not_asked_to),
		cmocka_unit_test(an_unfinished_set_has_no_footer),
		IN_FOLDER(volumes_get_their_name_when_they_are_finished),
		IN_FOLDER(an_interrupted_run_leaves_its_part),
		IN_FOLDER(an_existing_set_is_refused_by_name),
		IN_FOLDER(the_first_of_an_existing_set_is_named),
		IN_FOLDER(other_names_are_no_volumes_of_the_set),
		IN_FOLDER(force_replaces_the_set_and_nothing_else),
		IN_FOLDER(a_set_that_cannot_go_whole_is_left_whole),
		IN_FOLDER(a_set_being_written_is_not_removed),
		IN_FOLDER(a_file_that_turned_up_meanwhile_is_not_overwritten),
		IN_FOLDER(a_target_that_is_no_place_is_explained),
		IN_FOLDER(a_link_in_a_volumes_place_is_not_followed),
		IN_FOLDER(a_failing_write_names_its_file_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
