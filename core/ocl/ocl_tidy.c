/* SPDX-License-Identifier: MIT */
/*
 * ocl_tidy - keeps the folder of binaries small: every driver, option and
 * version of the kernels leaves files there that nobody asks for any more.
 *
 * Whoever takes a binary renews its time (ocl_touch()), so that the time says
 * when it was used last. A file that goes while another process reads it stays
 * whole for that process; one that goes just when another has put it there anew
 * is built once more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "bytes.h"
#include "ocl_i.h"

#define KEY_DIGITS (2 * sizeof(((struct arc_digest128 *)0)->b))
#define NAME_ROOM (KEY_DIGITS + sizeof(".XXXXXX"))

#define DAY 86400 /* seconds */
#define UNUSED_MAX (90 * DAY)
#define UNFINISHED_MAX DAY /* a temporary file that somebody left behind */
#define TOUCH_AFTER DAY

struct entry {
	char name[NAME_ROOM];
	int64_t age; /* seconds since it was used */
};

/* A clock that went back does not make a file young for ever. */
static int64_t age_of(const struct stat *st, time_t now)
{
	int64_t age = (int64_t)now - (int64_t)st->st_mtim.tv_sec;

	return age < -DAY ? INT64_MAX : age;
}

/* What ocl_cache.c names so: 32 digits, then ".bin" or a temporary ending. */
static bool is_ours(const char *name, bool *ret_finished)
{
	size_t digits = strspn(name, "0123456789abcdef");
	const char *end = name + KEY_DIGITS;

	if (digits != KEY_DIGITS || *end != '.')
		return false;
	*ret_finished = strcmp(end, ".bin") == 0;
	return *ret_finished || strlen(end) == strlen(".XXXXXX");
}

/* Removes one that is too old. Else a finished one joins the list. */
static int look_at(int dir, const char *name, time_t now, struct arc_buf *list)
{
	struct entry e = { .age = 0 };
	struct stat st;
	bool finished;

	if (!is_ours(name, &finished) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return 0;
	e.age = age_of(&st, now);
	if (e.age > (finished ? UNUSED_MAX : UNFINISHED_MAX)) {
		unlinkat(dir, name, 0);
		return 0;
	}
	if (!finished)
		return 0;
	memcpy(e.name, name, strlen(name) + 1); /* is_ours() knows its length */
	return arc_buf_append(list, &e, sizeof(e));
}

static int by_age(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->age != y->age)
		return x->age < y->age ? -1 : 1;
	return strcmp(x->name, y->name);
}

void ocl_cache_tidy(const char *path)
{
	struct arc_buf list = { 0 };
	DIR *dir = opendir(path);
	struct dirent *d;
	time_t now = time(NULL);
	struct entry *entry;
	int err = 0;

	if (!dir)
		return;
	while (!err && (d = readdir(dir)))
		err = look_at(dirfd(dir), d->d_name, now, &list);
	entry = (struct entry *)(void *)list.p;
	if (list.n)
		qsort(entry, list.n / sizeof(*entry), sizeof(*entry), by_age);
	for (size_t i = OCL_CACHE_FILES; i < list.n / sizeof(*entry); i++)
		unlinkat(dirfd(dir), entry[i].name, 0);
	arc_buf_fini(&list);
	closedir(dir);
}

void ocl_cache_touch(int fd)
{
	struct stat st;
	int64_t age;

	if (fstat(fd, &st) < 0)
		return;
	age = age_of(&st, time(NULL));
	if (age > TOUCH_AFTER || age < 0)
		futimens(fd, NULL); /* where that may not be, it ages */
}
