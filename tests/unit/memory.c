/* SPDX-License-Identifier: MIT */
/*
 * Limits and pressure of memory, from files as the kernel shows them, below a
 * folder that stands for the root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

#define MEMINFO "MemFree: 1 kB\nMemTotal:       24683012 kB\nSwapTotal: 9 kB\n"
#define MACHINE (UINT64_C(24683012) * 1024)
#define V2_MOUNT                                                               \
	"22 1 0:20 / /proc rw,nosuid - proc proc rw\n"                         \
	"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "    \
	"rw,nsdelegate\n"
#define V1_MOUNT                                                               \
	"35 34 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"          \
	"36 34 0:32 /docker/1 /sys/fs/cgroup/memory rw - cgroup none "         \
	"rw,memory\n"

struct root {
	char dir[64];
};

static int make_root(void **state)
{
	struct root *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	snprintf(r->dir, sizeof(r->dir), "/tmp/memory-XXXXXX");
	*state = r;
	return mkdtemp(r->dir) ? 0 : -1;
}

static int drop_root(void **state)
{
	struct root *r = *state;
	char command[128];
	int err;

	snprintf(command, sizeof(command), "rm -rf -- %s", r->dir);
	err = system(command);
	free(r);
	return err;
}

/* A file below the root, and the folders that it lies in. */
static void put(const struct root *r, const char *path, const char *text)
{
	char name[512];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", r->dir, path);
	for (char *p = name + strlen(r->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(name, 0755);
		*p = '/';
	}
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void get(const struct root *r, const char *path, char *ret, size_t cap)
{
	char name[512];
	FILE *f;
	size_t n;

	snprintf(name, sizeof(name), "%s%s", r->dir, path);
	f = fopen(name, "r");
	assert_non_null(f);
	n = fread(ret, 1, cap - 1, f);
	ret[n] = '\0';
	fclose(f);
}

static uint64_t available(const struct root *r)
{
	return arc_memory_available(r->dir);
}

static void without_groups_the_machine_counts(void **state)
{
	struct root *r = *state;

	assert_int_equal(available(r), 0);
	put(r, "/proc/meminfo", "nothing of the kind\n");
	assert_int_equal(available(r), 0);
	put(r, "/proc/meminfo", MEMINFO);
	assert_int_equal(available(r), MACHINE);
	put(r, "/proc/self/cgroup", "rubbish\n0:\n");
	put(r, "/proc/self/mountinfo", "rubbish - cgroup2\n");
	assert_int_equal(available(r), MACHINE);
}

static void the_least_limit_on_the_way_up_counts(void **state)
{
	struct root *r = *state;

	put(r, "/proc/meminfo", MEMINFO);
	put(r, "/proc/self/mountinfo", V2_MOUNT);
	put(r, "/proc/self/cgroup", "0::/user.slice/mount.scope\n");
	assert_int_equal(available(r), MACHINE);
	put(r, "/sys/fs/cgroup/user.slice/mount.scope/memory.max", "max\n");
	assert_int_equal(available(r), MACHINE);
	put(r, "/sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
	assert_int_equal(available(r), ARC_GIB);
	put(r, "/sys/fs/cgroup/user.slice/mount.scope/memory.high",
	    "536870912\n");
	assert_int_equal(available(r), 512 * ARC_MIB);
	put(r, "/sys/fs/cgroup/memory.max", "268435456\n");
	assert_int_equal(available(r), 256 * ARC_MIB);
	/* what lies above the mount is nobody's limit */
	put(r, "/sys/fs/memory.max", "1\n");
	assert_int_equal(available(r), 256 * ARC_MIB);
	put(r, "/proc/self/cgroup", "0::/\n");
	assert_int_equal(available(r), 256 * ARC_MIB);
	/* a group that cannot be seen from here */
	put(r, "/proc/self/cgroup", "0::/../../other\n");
	assert_int_equal(available(r), 256 * ARC_MIB);
}

static void version_1_counts_too(void **state)
{
	struct root *r = *state;

	put(r, "/proc/meminfo", MEMINFO);
	put(r, "/proc/self/mountinfo", V1_MOUNT V2_MOUNT);
	put(r, "/proc/self/cgroup",
	    "5:cpu,cpuacct:/\n4:blkio,memory:/docker/1/a\n0::/\n");
	put(r, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
	    "9223372036854771712\n");
	assert_int_equal(available(r), MACHINE);
	put(r, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
	assert_int_equal(available(r), 100 * ARC_MIB);
}

static void only_our_own_shortage_counts(void **state)
{
	struct root *r = *state;

	put(r, "/proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 1001 kB\n");
	assert_false(arc_memory_is_short(r->dir));
	put(r, "/proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 1000 kB\n");
	assert_true(arc_memory_is_short(r->dir));
	put(r, "/proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 7000 kB\n");
	put(r, "/proc/self/mountinfo", V1_MOUNT V2_MOUNT);
	put(r, "/proc/self/cgroup", "4:memory:/docker/1\n0::/a\n");
	put(r, "/sys/fs/cgroup/a/memory.high", "8000\n");
	put(r, "/sys/fs/cgroup/a/memory.current", "6999\n");
	assert_false(arc_memory_is_short(r->dir));
	put(r, "/sys/fs/cgroup/a/memory.current", "7000\n");
	assert_true(arc_memory_is_short(r->dir));
	put(r, "/sys/fs/cgroup/a/memory.high", "max\n");
	assert_false(arc_memory_is_short(r->dir));
	put(r, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "800\n");
	put(r, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "799\n");
	assert_true(arc_memory_is_short(r->dir));
}

static void this_machine_has_memory(void **state)
{
	(void)state;
	assert_true(arc_memory_available("") >= 16 * ARC_MIB);
}

static void caches_take_a_share(void **state)
{
	(void)state;
	assert_int_equal(arc_memory_cache_size(0), 64 * ARC_MIB);
	assert_int_equal(arc_memory_cache_size(1), ARC_MIB);
	assert_int_equal(arc_memory_cache_size(96 * ARC_MIB), 48 * ARC_MIB);
	assert_int_equal(arc_memory_cache_size(400 * ARC_MIB), 64 * ARC_MIB);
	assert_int_equal(arc_memory_cache_size(2 * ARC_GIB), 256 * ARC_MIB);
	assert_int_equal(arc_memory_cache_size(64 * ARC_GIB), 512 * ARC_MIB);
	assert_int_equal(arc_memory_cache_size(UINT64_MAX), 512 * ARC_MIB);
}

static void pressure_of_the_own_group_is_watched_first(void **state)
{
	struct root *r = *state;
	char name[512], text[64], want[512];
	int fd;

	assert_int_equal(arc_memory_watch(r->dir, name, sizeof(name)), -ENOENT);
	put(r, "/proc/pressure/memory", "");
	fd = arc_memory_watch(r->dir, name, sizeof(name));
	assert_true(fd >= 0);
	close(fd);
	snprintf(want, sizeof(want), "%s/proc/pressure/memory", r->dir);
	assert_string_equal(name, want);
	get(r, "/proc/pressure/memory", text, sizeof(text));
	assert_string_equal(text, "some 150000 1000000");

	put(r, "/proc/self/mountinfo", V2_MOUNT);
	put(r, "/proc/self/cgroup", "0::/a\n");
	put(r, "/sys/fs/cgroup/a/memory.pressure", "");
	fd = arc_memory_watch(r->dir, name, sizeof(name));
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	snprintf(want, sizeof(want), "%s/sys/fs/cgroup/a/memory.pressure",
		 r->dir);
	assert_string_equal(name, want);
	get(r, "/sys/fs/cgroup/a/memory.pressure", text, sizeof(text));
	assert_string_equal(text, "some 150000 1000000");
}

#define IN_ROOT(test)                                                          \
	cmocka_unit_test_setup_teardown(test, make_root, drop_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(without_groups_the_machine_counts),
		IN_ROOT(the_least_limit_on_the_way_up_counts),
		IN_ROOT(version_1_counts_too),
		IN_ROOT(only_our_own_shortage_counts),
		cmocka_unit_test(this_machine_has_memory),
		cmocka_unit_test(caches_take_a_share),
		IN_ROOT(pressure_of_the_own_group_is_watched_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
