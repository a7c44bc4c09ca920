/* SPDX-License-Identifier: MIT */
/*
 * on_exit() and not atexit(): who ends with an error has said why, and a second
 * message about a pipe that was closed would only hide it.
 */
#include "printed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

static struct {
	const char *program;
	int failure;
} wanted;

static void check(int status, void *unused)
{
	bool failed;

	(void)unused;
	if (status)
		return;
	failed = ferror(stdout);
	errno = 0;
	failed |= fflush(stdout) != 0;
	if (!failed)
		return;
	fprintf(stderr, "%s: standard output cannot be written%s%s\n",
		wanted.program, errno ? ": " : "",
		errno ? strerror(errno) : "");
	_exit(wanted.failure);
}

void arc_printed_or(int failure, const char *program)
{
	wanted.program = program;
	wanted.failure = failure;
	on_exit(check, NULL);
}
