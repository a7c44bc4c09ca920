/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "setmaker.h"

struct folder {
	char path[64];
	int fd;
};

static void make_folder(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/unit-volume.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void put_file(const struct folder *f, const char *name, const void *p,
		     size_t n)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static void put_set(const struct folder *f, struct setmaker *m,
		    const char *base)
{
	for (uint32_t v = 1; v <= m->set.n; v++) {
		char name[64];
		size_t n;
		const uint8_t *p = volume_bytes(m, v, &n);

		assert_int_equal(arc_volume_name(base, v, name, sizeof(name)),
				 0);
		put_file(f, name, p, n);
	}
}

static void remove_folder(struct folder *f)
{
	char command[128];

	close(f->fd);
	snprintf(command, sizeof(command), "rm -r %s", f->path);
	assert_int_equal(system(command), 0);
}

static int open_path(const struct folder *f, const char *name,
		     struct listener *l, struct arc_volumes **ret)
{
	struct arc_volume_source source;
	char path[256];
	uint32_t named;
	int err;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	err = arc_volume_source_path(path, &l->diag, &source, &named);
	if (err < 0)
		return err;
	return arc_volumes_open(&source, named, 0, &l->diag, ret);
}

static void sets_side_by_side_never_mix(void **state)
{
	struct arc_volumes *vs;
	struct setmaker a, ab;
	struct listener l;
	struct folder f;
	char name[128];

	(void)state;
	make_folder(&f);
	listener_init(&l);
	set_of_volumes(&a, 2, 1);
	set_of_volumes(&ab, 4, 2);
	put_set(&f, &a, "a");
	put_set(&f, &ab, "a.b");
	put_file(&f, "a.0099", "x", 1);
	put_file(&f, "a.99", "x", 1);
	put_file(&f, "a.+99", "x", 1);
	assert_int_equal(open_path(&f, "a.002", &l, &vs), 0);
	assert_int_equal(arc_volumes_count(vs), a.set.n);
	assert_header(vs, 1);
	assert_non_null(
		strstr(arc_volumes_name(vs, 7, name, sizeof(name)), "/a.007"));
	arc_volumes_close(vs);
	assert_int_equal(open_path(&f, "a.b.001", &l, &vs), 0);
	assert_int_equal(arc_volumes_count(vs), ab.set.n);
	assert_header(vs, 3);
	arc_volumes_close(vs);
	assert_int_equal(l.count, 0);
	set_fini(&a);
	set_fini(&ab);
	remove_folder(&f);
}

static void an_unfinished_set_is_said_to_be_one(void **state)
{
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;
	struct folder f;
	size_t n;

	(void)state;
	make_folder(&f);
	listener_init(&l);
	set_of_volumes(&m, 3, 1);
	put_file(&f, "x.001.part", volume_bytes(&m, 1, &n), 5000);
	assert_int_equal(open_path(&f, "x.001", &l, &vs), -ENOMEDIUM);
	assert_non_null(strstr(l.text, "not finished (there is a .part"));
	listener_forget(&l);
	put_file(&f, "x.001", volume_bytes(&m, 1, &n), n);
	put_file(&f, "x.002.part", volume_bytes(&m, 2, &n), 5000);
	assert_int_equal(open_path(&f, "x.001", &l, &vs), -ENOMEDIUM);
	assert_int_equal(l.count, 1);
	assert_non_null(strstr(l.text, "not finished (there is a .part"));
	set_fini(&m);
	remove_folder(&f);
}

static void a_path_that_is_no_volume_is_refused_with_a_hint(void **state)
{
	static const char *const names[] = { "x",	  "x.01", "x.000",
					     "x.01a",	  "",	  ".001",
					     "x.0001",	  "x.",	  "x.001.part",
					     "x.99999999" };
	struct arc_volumes *vs;
	struct listener l;
	struct folder f;

	(void)state;
	make_folder(&f);
	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		listener_init(&l);
		assert_int_equal(open_path(&f, names[i], &l, &vs), -EINVAL);
		assert_int_equal(l.count, 1);
		assert_non_null(strstr(l.text, ".001"));
	}
	listener_init(&l);
	assert_int_equal(open_path(&f, "none/x.001", &l, &vs), -ENOENT);
	assert_int_equal(l.count, 1);
	remove_folder(&f);
}

static void a_changed_working_directory_does_not_matter(void **state)
{
	struct arc_volume_source source;
	struct arc_volumes *vs;
	struct setmaker m;
	struct folder f;
	uint32_t named;
	char *before = getcwd(NULL, 0);

	(void)state;
	make_folder(&f);
	set_of_volumes(&m, 3, 1);
	put_set(&f, &m, "x");
	assert_int_equal(chdir(f.path), 0);
	assert_int_equal(arc_volume_source_path("x.001", NULL, &source, &named),
			 0);
	assert_int_equal(arc_volumes_open(&source, named, 0, NULL, &vs), 0);
	assert_int_equal(chdir(before), 0);
	assert_header(vs, 2);
	arc_volumes_close(vs);
	free(before);
	set_fini(&m);
	remove_folder(&f);
}

static void what_is_no_file_makes_nobody_wait(void **state)
{
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;
	struct folder f;
	uint8_t byte;

	(void)state;
	make_folder(&f);
	listener_init(&l);
	set_of_volumes(&m, 4, 1);
	put_set(&f, &m, "x");
	assert_int_equal(unlinkat(f.fd, "x.002", 0), 0);
	assert_int_equal(mkfifoat(f.fd, "x.002", 0644), 0);
	assert_int_equal(unlinkat(f.fd, "x.003", 0), 0);
	assert_int_equal(mkdirat(f.fd, "x.003", 0755), 0);
	assert_int_equal(open_path(&f, "x.001", &l, &vs), 0);
	assert_int_equal(arc_volumes_read(vs, 2, 0, &byte, 1), -ESTALE);
	assert_int_equal(arc_volumes_read(vs, 3, 0, &byte, 1), -ESTALE);
	assert_header(vs, 4);
	arc_volumes_close(vs);
	set_fini(&m);
	remove_folder(&f);
}

static int leased = -1;

static void give_lease_back(int signal)
{
	(void)signal;
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

/* As servers of files hold them for their clients. */
static void a_volume_with_a_lease_is_waited_for(void **state)
{
	const struct sigaction act = { .sa_handler = give_lease_back };
	struct arc_volumes *vs;
	struct sigaction old;
	struct setmaker m;
	struct listener l;
	struct folder f;

	(void)state;
	make_folder(&f);
	listener_init(&l);
	set_of_volumes(&m, 1, 1);
	put_set(&f, &m, "x");
	leased = openat(f.fd, "x.001", O_RDWR | O_CLOEXEC);
	assert_true(leased >= 0);
	assert_int_equal(sigaction(SIGIO, &act, &old), 0);
	if (fcntl(leased, F_SETLEASE, F_WRLCK) == 0) {
		assert_int_equal(open_path(&f, "x.001", &l, &vs), 0);
		assert_int_equal(l.count, 0);
		arc_volumes_close(vs);
	} else { /* a file system without */
		assert_int_equal(errno, EINVAL);
	}
	sigaction(SIGIO, &old, NULL);
	close(leased);
	set_fini(&m);
	remove_folder(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_side_by_side_never_mix),
		cmocka_unit_test(an_unfinished_set_is_said_to_be_one),
		cmocka_unit_test(
			a_path_that_is_no_volume_is_refused_with_a_hint),
		cmocka_unit_test(a_changed_working_directory_does_not_matter),
		cmocka_unit_test(what_is_no_file_makes_nobody_wait),
		cmocka_unit_test(a_volume_with_a_lease_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
