/* SPDX-License-Identifier: MIT */
/*
 * ocl_cache - binaries of programs between two runs, each in a file:
 *
 *	magic	8 bytes
 *	length	le64, of the binary
 *	sum	le64, XXH3-64 of the key's 16 bytes and the binary
 *	binary
 *
 * A binary is code that the driver may run in this process, so that only files
 * of this user are taken. The sum covers the key: a file under a wrong name is
 * not taken for another.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bytes.h"
#include "ocl_i.h"

#define BINARY_MAX (256 * ARC_MIB)

static const uint8_t magic[8] = "ARCCLB\1";

struct head {
	uint8_t magic[8];
	struct arc_le64 length;
	struct arc_le64 sum;
};

_Static_assert(sizeof(struct head) == 24, "the head of a cached binary");

static uint64_t sum_of(const struct arc_digest128 *key, const void *p, size_t n)
{
	return arc_xxh64_2((struct arc_span){ key->b, sizeof(key->b) },
			   (struct arc_span){ p, n });
}

/* "DIR/KEY.bin" or, for a temporary one, "DIR/KEY.XXXXXX". NULL: no memory. */
static char *path_of(const char *dir, const struct arc_digest128 *key,
		     const char *end)
{
	char hex[2 * sizeof(key->b) + 1];
	char *path;

	for (size_t i = 0; i < sizeof(key->b); i++)
		snprintf(hex + 2 * i, 3, "%02x", key->b[i]);
	return asprintf(&path, "%s/%s.%s", dir, hex, end) < 0 ? NULL : path;
}

static int read_all(int fd, void *to, size_t n)
{
	uint8_t *p = to;

	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int write_all(int fd, const void *from, size_t n)
{
	const uint8_t *p = from;

	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

/* Bytes of the binary in a file that may be taken. */
static int check_file(int fd, size_t *ret_n)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	if ((uint64_t)st.st_size <= sizeof(struct head) ||
	    (uint64_t)st.st_size > BINARY_MAX)
		return -EBADMSG;
	*ret_n = (size_t)st.st_size - sizeof(struct head);
	return 0;
}

int ocl_cache_get(const char *dir, const struct arc_digest128 *key,
		  uint8_t **ret, size_t *ret_n)
{
	arc_cleanup(arc_freep) char *path = path_of(dir, key, "bin");
	arc_cleanup(arc_freep) uint8_t *binary = NULL;
	arc_cleanup(arc_closep) int fd = -1;
	struct head head;
	size_t n = 0;
	int err;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = check_file(fd, &n);
	if (err < 0)
		return err;
	binary = malloc(n);
	if (!binary)
		return -ENOMEM;
	err = read_all(fd, &head, sizeof(head));
	if (err == 0)
		err = read_all(fd, binary, n);
	if (err < 0)
		return err;
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 ||
	    arc_get64(head.length) != n ||
	    arc_get64(head.sum) != sum_of(key, binary, n))
		return -EBADMSG;
	ocl_cache_touch(fd);
	*ret = arc_steal(binary);
	*ret_n = n;
	return 0;
}

int ocl_cache_put(const char *dir, const struct arc_digest128 *key,
		  const void *p, size_t n)
{
	arc_cleanup(arc_freep) char *path = path_of(dir, key, "bin");
	arc_cleanup(arc_freep) char *temporary = path_of(dir, key, "XXXXXX");
	arc_cleanup(arc_closep) int fd = -1;
	struct head head = { .length = arc_put64(n),
			     .sum = arc_put64(sum_of(key, p, n)) };
	int err;

	if (!path || !temporary)
		return -ENOMEM;
	memcpy(head.magic, magic, sizeof(magic));
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, &head, sizeof(head));
	if (err == 0)
		err = write_all(fd, p, n);
	if (err == 0 && rename(temporary, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(temporary);
	else
		ocl_cache_tidy(dir);
	return err;
}

/* Makes the folder and the one above it. */
static bool make_folders(const char *above, const char *dir)
{
	mkdir(above, 0700);
	return mkdir(dir, 0700) == 0 || errno == EEXIST;
}

char *arc_ocl_cache_dir(void)
{
	arc_cleanup(arc_freep) char *above = NULL;
	arc_cleanup(arc_freep) char *dir = NULL;
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int n = -1;

	if (xdg && xdg[0] == '/')
		n = asprintf(&above, "%s", xdg);
	else if (home && home[0] == '/')
		n = asprintf(&above, "%s/.cache", home);
	if (n < 0) {
		above = NULL;
		return NULL;
	}
	if (asprintf(&dir, "%s/arcfs", above) < 0) {
		dir = NULL;
		return NULL;
	}
	return make_folders(above, dir) ? arc_steal(dir) : NULL;
}
