/* SPDX-License-Identifier: MIT */
/*
 * make_shape SHAPE ENTRIES FOLDER - makes a tree of that many names in a new
 * folder. All files are empty, so that it is made quickly.
 *
 *	folders	a thousand files in each folder
 *	folder	all of them in one
 *	links	in folders of a thousand, each file under two names that lie far
 *		from each other
 *	names	as `folders`, with names of 200 bytes
 *	xattrs	as `folders`, each file with an attribute of its own
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define EACH 1000

struct shape {
	int top;
	unsigned long long entries;
	const char *kind;
	char filler[160];
};

static int is(const struct shape *s, const char *kind)
{
	return strcmp(s->kind, kind) == 0;
}

static int open_folder(const struct shape *s, unsigned long long number)
{
	char name[32];

	snprintf(name, sizeof(name), "d%llu", number);
	if (mkdirat(s->top, name, 0755))
		return -1;
	return openat(s->top, name, O_RDONLY | O_DIRECTORY);
}

/* The second half of the names are those of the first half's files, in another
 * order: 7919 is prime, and so they lie far from each other. */
static int make_link(const struct shape *s, int dir, const char *name,
		     unsigned long long i)
{
	unsigned long long half = s->entries / 2, first = i * 7919 % half;
	char old[64];

	snprintf(old, sizeof(old), "d%llu/f%llu", first / EACH, first);
	return linkat(s->top, old, dir, name, 0);
}

static int make_file(const struct shape *s, int dir, unsigned long long i)
{
	char name[256], value[32];
	int fd, err = 0;

	snprintf(name, sizeof(name), is(s, "names") ? "f%llu%.*s" : "f%llu", i,
		 (int)sizeof(s->filler), s->filler);
	if (is(s, "links") && i >= s->entries / 2)
		return make_link(s, dir, name, i);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	if (is(s, "xattrs")) {
		snprintf(value, sizeof(value), "value %llu", i);
		err = fsetxattr(fd, "user.number", value, strlen(value), 0);
	}
	close(fd);
	return err;
}

static int make_all(const struct shape *s)
{
	int dir = -1, err = 0;

	for (unsigned long long i = 0; !err && i < s->entries; i++) {
		if (i == 0 || (i % EACH == 0 && !is(s, "folder"))) {
			if (dir >= 0)
				close(dir);
			dir = open_folder(s, i / EACH);
			err = dir < 0 ? -1 : 0;
		}
		if (!err)
			err = make_file(s, dir, i);
	}
	if (dir >= 0)
		close(dir);
	return err;
}

int main(int argc, char **argv)
{
	struct shape s = { .top = -1 };

	if (argc != 4)
		return 2;
	s.kind = argv[1];
	s.entries = strtoull(argv[2], NULL, 10);
	memset(s.filler, 'n', sizeof(s.filler));
	if (!mkdir(argv[3], 0755))
		s.top = open(argv[3], O_RDONLY | O_DIRECTORY);
	if (s.top < 0 || make_all(&s)) {
		perror(argv[3]);
		return 1;
	}
	return 0;
}
