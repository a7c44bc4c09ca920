/* SPDX-License-Identifier: MIT */
/*
 * kill_at - loaded into a program before its libraries (LD_PRELOAD), kills it
 * with SIGKILL at the n-th step that is to be seen in a folder: a file is made,
 * written to, cut, renamed or removed. So a kill comes at the same place
 * whenever it is tried. Of what a write was to write, the first half arrives.
 *
 *	KILL_AT=N		the step; 0 or not given: none
 *	KILL_AT_COUNT=FILE	how many steps there were is written here
 *
 * Files without a name do not count.
 *
 * Threads: any.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_ulong steps;

static bool comes_to_its_end(void)
{
	const char *at = getenv("KILL_AT");
	unsigned long n = atomic_fetch_add(&steps, 1) + 1;

	return at && strtoul(at, NULL, 10) == n;
}

static void step(void)
{
	if (comes_to_its_end())
		raise(SIGKILL);
}

static bool has_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("KILL_AT_COUNT");
	FILE *f = path ? fopen(path, "we") : NULL;

	if (!f)
		return;
	fprintf(f, "%lu\n", atomic_load(&steps));
	fclose(f);
}

/* What the program called would have called. */
#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*openat_fn)(int, const char *, int, ...);
typedef int (*ftruncate_fn)(int, off_t);
typedef int (*unlinkat_fn)(int, const char *, int);
typedef int (*renameat2_fn)(int, const char *, int, const char *, unsigned);

ssize_t pwrite(int fd, const void *buf, size_t n, off_t off);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t off)
{
	pwrite_fn real = REAL(pwrite_fn, "pwrite");

	if (has_name(fd) && comes_to_its_end()) {
		if (real(fd, buf, n / 2, off) >= 0)
			raise(SIGKILL);
		abort();
	}
	return real(fd, buf, n, off);
}

int openat(int dir, const char *name, int flags, ...);
int openat(int dir, const char *name, int flags, ...)
{
	bool makes = flags & O_CREAT;
	unsigned mode = 0;
	va_list args;

	va_start(args, flags);
	if (makes || (flags & O_TMPFILE) == O_TMPFILE)
		mode = va_arg(args, unsigned);
	va_end(args);
	if (makes)
		step();
	return REAL(openat_fn, "openat")(dir, name, flags, mode);
}

int ftruncate(int fd, off_t n);
int ftruncate(int fd, off_t n)
{
	if (has_name(fd))
		step();
	return REAL(ftruncate_fn, "ftruncate")(fd, n);
}

int unlinkat(int dir, const char *name, int flags);
int unlinkat(int dir, const char *name, int flags)
{
	step();
	return REAL(unlinkat_fn, "unlinkat")(dir, name, flags);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned flags);
int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned flags)
{
	step();
	return REAL(renameat2_fn, "renameat2")(from_dir, from, to_dir, to,
					       flags);
}
