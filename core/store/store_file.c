/* SPDX-License-Identifier: MIT */
/*
 * A store over a file descriptor. pread and not mmap: a file that is cut while
 * it is read must give an error, never a signal.
 */
#include <sys/stat.h>

#include "store.h"

struct file_store {
	struct arc_store base; /* first: casts both ways */
	int fd;
};

static int fd_of(struct arc_store *s)
{
	return ((struct file_store *)s)->fd;
}

/*
 * -errno, in the words of diag.h. ESTALE and ENODEV of a network or removed
 * disk mean something else there, so all that is not named becomes -EIO.
 */
static int error_of_call(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case EFBIG:
		return -E2BIG;
	case ENOMEM:
	case EACCES:
	case EPERM:
	case EISDIR:
		return -errno;
	default:
		return -EIO;
	}
}

static ssize_t file_pread(struct arc_store *s, void *buf, size_t n,
			  uint64_t off)
{
	ssize_t got;

	do {
		got = pread(fd_of(s), buf, n, (off_t)off);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? error_of_call() : got;
}

static ssize_t file_pwrite(struct arc_store *s, const void *buf, size_t n,
			   uint64_t off)
{
	ssize_t put;

	do {
		put = pwrite(fd_of(s), buf, n, (off_t)off);
	} while (put < 0 && errno == EINTR);
	return put < 0 ? error_of_call() : put;
}

static int file_size(struct arc_store *s, uint64_t *ret)
{
	struct stat st;
	off_t end;

	if (fstat(fd_of(s), &st) < 0)
		return error_of_call();
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* Of a block device st_size says nothing; its end can be sought. */
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(fd_of(s), 0, SEEK_END);
	if (end < 0)
		return error_of_call();
	*ret = (uint64_t)end;
	return 0;
}

static int file_sync(struct arc_store *s)
{
	int rc;

	do {
		rc = fsync(fd_of(s));
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? error_of_call() : 0;
}

static void file_close(struct arc_store *s)
{
	close(fd_of(s));
	free(s);
}

static const struct arc_store_ops file_ops = {
	.pread = file_pread,
	.pwrite = file_pwrite,
	.size = file_size,
	.sync = file_sync,
	.close = file_close,
};

int arc_store_from_fd(int fd, struct arc_store **ret)
{
	struct file_store *f = malloc(sizeof(*f));

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	*f = (struct file_store){ .base.ops = &file_ops, .fd = fd };
	*ret = &f->base;
	return 0;
}
