/* SPDX-License-Identifier: MIT */
/*
 * moment_layer - runs a command of bash at a moment that a test could not
 * hit from outside: LD_PRELOAD=.../libmoment_layer.so. Each command runs once.
 *
 *	MOMENT_WRITTEN=command	when a set has been written, before it is read
 *				back: at the first posix_fadvise() that drops
 *				pages
 *	MOMENT_REMOVE=command	when the first name of a source has been looked
 *				at and is to be removed: at the renameat2() to
 *				".removing-..."
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *written;
static const char *removing;

/* What is started by us shall not be stopped at the same moments. */
__attribute__((constructor)) static void begin(void)
{
	written = getenv("MOMENT_WRITTEN");
	removing = getenv("MOMENT_REMOVE");
	unsetenv("LD_PRELOAD");
}

/* bash, for its exported functions. */
static int run(const char *command)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("bash", "bash", "-euc", command, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void reach(const char **moment)
{
	const char *command = *moment;

	*moment = NULL;
	if (command && run(command) != 0)
		abort();
}

int posix_fadvise(int fd, off_t off, off_t len, int advice)
{
	static int (*next)(int, off_t, off_t, int);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "posix_fadvise");
	if (advice == POSIX_FADV_DONTNEED)
		reach(&written);
	return next(fd, off, len, advice);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned flags)
{
	static int (*next)(int, const char *, int, const char *, unsigned);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "renameat2");
	if (strncmp(to, ".removing-", 10) == 0)
		reach(&removing);
	return next(from_dir, from, to_dir, to, flags);
}
