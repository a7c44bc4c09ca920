/* SPDX-License-Identifier: MIT */
/*
 * A store over a file descriptor. pread and not mmap: a file that is cut while
 * it is read must give an error, never a signal.
 *
 * What is read around the system's cache is read through a second descriptor of
 * the same file, opened when it is first wanted (O_DIRECT is a property of the
 * open file, not of a call). cachestat(2) tells what the cache has; a kernel
 * without it reads everything the ordinary way.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store.h"

#if !defined(SYS_cachestat) && !defined(__alpha__)
#define SYS_cachestat 451 /* elsewhere one number for all architectures */
#endif

#define DIRECT_MIN ((size_t)16 * ARC_KIB) /* less is not worth the calls */
#define NOT_OPEN (-1)

struct file_store {
	struct arc_store base; /* first: casts both ways */
	int fd;
	atomic_int direct; /* descriptor, or NOT_OPEN */
	atomic_bool no_direct; /* it does not work here */
};

static struct file_store *file_of(struct arc_store *s)
{
	return (struct file_store *)s;
}

static int fd_of(struct arc_store *s)
{
	return file_of(s)->fd;
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

/* ---- around the system's cache ------------------------------------------- */

/* How many pages of [off, off + n) are cached: 0, or -errno. */
static int count_cached(int fd, uint64_t off, size_t n, uint64_t *ret)
{
#ifdef SYS_cachestat
	struct {
		uint64_t off, n;
	} range = { off, n };
	struct {
		uint64_t cached, dirty, writeback, evicted, recently_evicted;
	} is;

	if (syscall(SYS_cachestat, fd, &range, &is, 0) < 0)
		return -errno;
	*ret = is.cached;
	return 0;
#else
	return -ENOSYS;
#endif
}

/* Opens the second descriptor, or finds it open. */
static int direct_of(struct file_store *f)
{
	int fd = atomic_load(&f->direct), none = NOT_OPEN;
	char name[64];

	if (fd != NOT_OPEN)
		return fd;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f->fd);
	fd = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (atomic_compare_exchange_strong(&f->direct, &none, fd))
		return fd;
	close(fd); /* another thread was faster */
	return none;
}

/* Whatever goes wrong here goes wrong again, and is told, when the bytes are
 * read the ordinary way. */
static ssize_t file_pread_direct(struct arc_store *s, void *buf, size_t n,
				 uint64_t off)
{
	struct file_store *f = file_of(s);
	uint64_t cached = 0;
	ssize_t got;
	int fd;

	if (n < DIRECT_MIN || atomic_load(&f->no_direct))
		return -EOPNOTSUPP;
	fd = count_cached(f->fd, off, n, &cached);
	if (cached > n / ARC_STORE_BLOCK / 2)
		return -EOPNOTSUPP;
	if (fd == 0)
		fd = direct_of(f);
	do {
		got = fd < 0 ? fd : pread(fd, buf, n, (off_t)off);
	} while (got < 0 && fd >= 0 && errno == EINTR);
	if (fd < 0 || (got < 0 && errno == EINVAL))
		atomic_store(&f->no_direct, true);
	return got < 0 ? -EOPNOTSUPP : got;
}

/* ---- the rest ------------------------------------------------------------ */

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
	struct file_store *f = file_of(s);
	int direct = atomic_load(&f->direct);

	if (direct != NOT_OPEN)
		close(direct);
	close(f->fd);
	free(f);
}

static const struct arc_store_ops file_ops = {
	.pread = file_pread,
	.pread_direct = file_pread_direct,
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
	*f = (struct file_store){ .base.ops = &file_ops,
				  .fd = fd,
				  .direct = NOT_OPEN };
	*ret = &f->base;
	return 0;
}
