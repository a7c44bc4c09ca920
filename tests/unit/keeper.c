/* SPDX-License-Identifier: MIT */
/*
 * The keeper of a small archive. Pressure is urgent data on a socket: POLLPRI,
 * as the kernel's own file gives it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "keeper.h"
#include "opencache.h"

static uint8_t content[SET_FRAME];

struct kept {
	struct setmaker m;
	struct listener l;
	struct arc_archive *a;
	struct arc_keeper *k;
	int near[2]; /* pressure and asking, our ends */
	char root[64]; /* stands for "/" */
};

/* Asks for the whole archive, twice, so that caches hold it. */
static void read_everything(struct kept *o)
{
	static uint8_t buf[SET_FRAME];
	struct arc_inode inode;

	assert_int_equal(arc_index_inode(arc_archive_index(o->a), 2, &inode),
			 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(arc_archive_pread(o->a, &inode, buf,
						   sizeof(buf), 0),
				 sizeof(buf));
	assert_memory_equal(buf, content, sizeof(buf));
}

/* What the machine says of its memory. */
static void put_meminfo(struct kept *o, const char *lines)
{
	char name[128];
	FILE *f;

	snprintf(name, sizeof(name), "%s/proc", o->root);
	mkdir(name, 0755);
	snprintf(name, sizeof(name), "%s/proc/meminfo", o->root);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(lines, f);
	fclose(f);
}

static void keep(struct kept *o, unsigned tidy)
{
	struct arc_keeper_options opt = { .tidy = tidy, .root = o->root };
	struct arc_volume_source source;
	int pair[2];

	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	snprintf(o->root, sizeof(o->root), "/tmp/keeper-XXXXXX");
	assert_non_null(mkdtemp(o->root));
	put_meminfo(o, "MemTotal: 9 kB\nMemAvailable: 9 kB\n");
	set_begin(&o->m, 98 << 20, SET_FRAME, 1);
	testdata_fill(TESTDATA_TEXT, content, SET_FRAME, 1);
	set_frame(&o->m, content, SET_FRAME, "lz4", 16);
	set_dir(&o->m, 0, 0, 0);
	set_file(&o->m, 0, SET_FRAME);
	set_end(&o->m);
	source = set_source(&o->m);
	assert_int_equal(arc_archive_open_source(&source, 1, NULL, &o->l.diag,
						 &o->a),
			 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	o->near[0] = pair[0];
	opt.pressure = pair[1];
	o->near[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	opt.asked = dup(o->near[1]);
	assert_int_equal(arc_keeper_new(o->a, &opt, &o->l.diag, &o->k), 0);
	read_everything(o);
}

static void end(struct kept *o)
{
	char command[128];

	arc_keeper_free(o->k);
	close(o->near[0]);
	close(o->near[1]);
	arc_archive_close(o->a);
	set_fini(&o->m);
	snprintf(command, sizeof(command), "rm -rf -- %s", o->root);
	assert_int_equal(system(command), 0);
}

static struct arc_cache_memory memory_of(struct kept *o)
{
	struct arc_cache_stats s;

	arc_cache_stats(arc_archive_cache(o->a), &s);
	return s.memory;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void wait_for_shrinks(struct kept *o, uint64_t n)
{
	while (memory_of(o).shrinks < n)
		pause_a_little();
	assert_int_equal(memory_of(o).shrinks, n);
}

/* Ends by the test's time limit when it never comes. */
static void wait_for_held(struct kept *o, uint64_t most)
{
	while (memory_of(o).held > most)
		pause_a_little();
}

static void who_asks_gets_half_of_it_back(void **state)
{
	struct kept o;
	uint64_t before;

	(void)state;
	keep(&o, 0);
	before = memory_of(&o).held;
	assert_true(before >= SET_FRAME);
	assert_int_equal(eventfd_write(o.near[1], 1), 0);
	wait_for_shrinks(&o, 1);
	wait_for_held(&o, before / 2);
	assert_int_equal(eventfd_write(o.near[1], 1), 0);
	wait_for_shrinks(&o, 2);
	wait_for_held(&o, before / 4);
	read_everything(&o);
	end(&o);
}

static void pressure_gets_half_of_it_back(void **state)
{
	struct kept o;
	uint64_t before;

	(void)state;
	keep(&o, 0);
	before = memory_of(&o).held;
	if (send(o.near[0], "!", 1, MSG_OOB) != 1) {
		end(&o);
		skip(); /* sockets of this kernel cannot do it */
	}
	for (int i = 0; i < 20; i++)
		pause_a_little();
	assert_int_equal(memory_of(&o).shrinks, 0); /* others are short */
	put_meminfo(&o, "MemTotal: 9 kB\nMemAvailable: 1 kB\n");
	wait_for_held(&o, before / 2);
	assert_true(memory_of(&o).shrinks > 0);
	end(&o);
}

/* A group that has gone tells no more, and nothing else. */
static void a_watch_that_ends_is_left_alone(void **state)
{
	struct kept o;

	(void)state;
	keep(&o, 0);
	close(o.near[0]);
	o.near[0] = -1;
	assert_int_equal(eventfd_write(o.near[1], 1), 0);
	wait_for_shrinks(&o, 1);
	read_everything(&o);
	end(&o);
}

static void what_is_idle_goes_in_time(void **state)
{
	struct arc_lru_stats index;
	struct kept o;

	(void)state;
	keep(&o, 1);
	assert_true(memory_of(&o).held >= SET_FRAME);
	do {
		pause_a_little();
		arc_index_stats(arc_archive_index(o.a), &index);
	} while (memory_of(&o).held > 0 || index.cost > 0);
	assert_true(memory_of(&o).tidied >= SET_FRAME / SEGMENT);
	assert_int_equal(memory_of(&o).shrinks, 0);
	read_everything(&o);
	end(&o);
}

static void freeing_nothing_is_allowed(void **state)
{
	(void)state;
	arc_keeper_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_gets_half_of_it_back),
		cmocka_unit_test(pressure_gets_half_of_it_back),
		cmocka_unit_test(a_watch_that_ends_is_left_alone),
		cmocka_unit_test(what_is_idle_goes_in_time),
		cmocka_unit_test(freeing_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
