/* SPDX-License-Identifier: MIT */
/*
 * Opening a file for its attributes would fail for symlinks and unreadable files
 * and wake up devices. /proc/self/fd/N/NAME names a file in an open directory
 * for the calls that take a path. Without /proc, the attributes of regular files
 * and directories are read through a descriptor, and the others go without.
 *
 * Whether a file has any is asked of each one. listxattrat(), where the kernel
 * has it (6.13), spares the way through /proc, which takes as long as the rest
 * of the call.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "format.h"
#include "scan_i.h"

#define RESERVED "user.arcfs."

#define LIST_MAX 65536 /* XATTR_LIST_MAX of the kernel */

/* Most values are short, and the kernel clears what it is offered. */
#define VALUE_FIRST 1024

/* The C library does not know it yet. The number is that of every machine but
 * one. */
#if !defined(SYS_listxattrat) && !defined(__alpha__)
#define SYS_listxattrat 465
#endif

/* Where the attributes are: fd when it is not -1, else path; at_fd and name
 * say the same when at_fd is not -1. */
struct place {
	char path[32 + NAME_MAX * 4];
	int fd;
	int at_fd;
	const char *name;
};

ssize_t mk_xattrs_list_at(int dir_fd, const char *name, char *names, size_t n)
{
#ifdef SYS_listxattrat
	return syscall(SYS_listxattrat, dir_fd, name, AT_SYMLINK_NOFOLLOW,
		       names, n);
#else
	(void)dir_fd, (void)name, (void)names, (void)n;
	errno = ENOSYS;
	return -1;
#endif
}

bool mk_xattrs_can_list_at(int dir_fd)
{
	return mk_xattrs_list_at(dir_fd, ".", NULL, 0) >= 0 || errno == ENOTSUP;
}

int mk_xattrs_init(struct mk_xattrs *x, struct mk_run *run,
		   const struct mk_tree *tree, int fd)
{
	char path[64];
	struct stat here, there;

	*x = (struct mk_xattrs){ .run = run, .tree = tree };
	x->names = malloc(LIST_MAX);
	if (!x->names)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
	x->by_proc = fstat(fd, &here) == 0 && stat(path, &there) == 0 &&
		     here.st_dev == there.st_dev && here.st_ino == there.st_ino;
	x->by_at = x->by_proc && mk_xattrs_can_list_at(fd);
	return 0;
}

void mk_xattrs_fini(struct mk_xattrs *x)
{
	free(x->names);
	free(x->read);
	free(x->set);
	arc_buf_fini(&x->values);
}

static void say(struct mk_xattrs *x, uint64_t dir, const char *name,
		const char *what, int err)
{
	if (x->path)
		mk_problem_path(x->run, x->path, what, err);
	else
		mk_problem_name(x->run, x->tree, dir, name, what, err);
}

static void problem(struct mk_xattrs *x, uint64_t dir, const char *name,
		    const char *attribute, const char *what, int err)
{
	char text[64 + ARC_XATTR_NAME_MAX];

	snprintf(text, sizeof(text), "attribute %s %s", attribute, what);
	say(x, dir, name, text, err);
}

static ssize_t list(const struct place *p, char *names, size_t n)
{
	if (p->at_fd >= 0)
		return mk_xattrs_list_at(p->at_fd, p->name, names, n);
	return p->fd >= 0 ? flistxattr(p->fd, names, n)
			  : llistxattr(p->path, names, n);
}

/* Bytes of the list in x->names, 0 when there is none. */
static ssize_t list_names(struct mk_xattrs *x, const struct place *p)
{
	char few[256];
	ssize_t n = list(p, few, sizeof(few));

	if (n > 0)
		memcpy(x->names, few, (size_t)n);
	if (n < 0 && errno == ERANGE)
		n = list(p, x->names, LIST_MAX);
	if (n < 0 && (errno == ENOTSUP || errno == ENODATA || errno == ENOENT))
		return 0;
	return n < 0 ? -errno : n;
}

static ssize_t get(const struct place *p, const char *name, void *value,
		   size_t n)
{
	return p->fd >= 0 ? fgetxattr(p->fd, name, value, n)
			  : lgetxattr(p->path, name, value, n);
}

/* Appends a value to x->values; its length, or a negative errno. */
static ssize_t append_value(struct mk_xattrs *x, const struct place *p,
			    const char *name)
{
	size_t room = VALUE_FIRST;
	ssize_t n;

	for (;;) {
		if (arc_buf_reserve(&x->values, room))
			return -ENOMEM;
		n = get(p, name, x->values.p + x->values.n, room);
		if (n >= 0 || errno != ERANGE || room == ARC_XATTR_VALUE_MAX)
			break;
		room = ARC_XATTR_VALUE_MAX;
	}
	if (n < 0)
		return -errno;
	x->values.n += (size_t)n;
	return n;
}

static int add_room(struct mk_xattrs *x)
{
	size_t cap = x->cap ? x->cap * 2 : 16;
	void *read = reallocarray(x->read, cap, sizeof(*x->read));
	void *set;

	if (!read)
		return -ENOMEM;
	x->read = read;
	set = reallocarray(x->set, cap, sizeof(*x->set));
	if (!set)
		return -ENOMEM;
	x->set = set;
	x->cap = cap;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct mk_xattr_in *one = a;
	const struct mk_xattr_in *other = b;

	return strcmp(one->name, other->name);
}

static int read_listed(struct mk_xattrs *x, const struct place *p, uint64_t dir,
		       const char *file, size_t listed, size_t *ret_n)
{
	const char *end = x->names + listed;
	size_t count = 0;

	x->values.n = 0;
	for (const char *name = x->names; name < end;
	     name += strlen(name) + 1) {
		size_t at = x->values.n;
		ssize_t n;

		if (strncmp(name, RESERVED, strlen(RESERVED)) == 0) {
			problem(x, dir, file, name, "is reserved and left out",
				0);
			continue;
		}
		n = append_value(x, p, name);
		if (n == -ENOMEM || (count == x->cap && add_room(x)))
			return -ENOMEM;
		if (n < 0 && n != -ENODATA)
			problem(x, dir, file, name, "cannot be read", (int)n);
		if (n < 0)
			continue;
		x->read[count++] =
			(struct mk_xattr_read){ name, at, (size_t)n };
	}
	for (size_t i = 0; i < count; i++) {
		x->set[i] = (struct mk_xattr_in){ .name = x->read[i].name,
						  .value = x->values.p +
							   x->read[i].at,
						  .n = x->read[i].n };
	}
	if (count > 1)
		qsort(x->set, count, sizeof(*x->set), by_name);
	*ret_n = count;
	return 0;
}

/* False: this kind of file has to go without. */
static bool find_place(const struct mk_xattrs *x, int dir_fd, const char *name,
		       mode_t mode, struct place *p)
{
	if (!name)
		name = ".";
	p->fd = -1;
	p->at_fd = x->by_at ? dir_fd : -1;
	p->name = name;
	if (x->by_proc) {
		int n = snprintf(p->path, sizeof(p->path),
				 "/proc/self/fd/%d/%s", dir_fd, name);

		return n > 0 && (size_t)n < sizeof(p->path);
	}
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return false;
	p->fd = openat(dir_fd, name,
		       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return p->fd >= 0;
}

int mk_xattrs_read(struct mk_xattrs *x, int dir_fd, uint64_t dir,
		   const char *name, mode_t mode, size_t *ret_n)
{
	struct place p;
	ssize_t listed;
	int err = 0;

	*ret_n = 0;
	if (!find_place(x, dir_fd, name, mode, &p))
		return 0;
	listed = list_names(x, &p);
	if (listed < 0)
		say(x, dir, name, "its attributes cannot be listed",
		    (int)listed);
	if (listed > 0)
		err = read_listed(x, &p, dir, name, (size_t)listed, ret_n);
	if (p.fd >= 0)
		close(p.fd);
	return err;
}
