/* SPDX-License-Identifier: MIT */
/*
 * The addresses for the largest array are reserved once, without memory behind
 * them; the file is mapped over them piece by piece, so that no row ever
 * moves. mremap() would have been shorter, but moves rows under the feet of
 * whoever holds a pointer.
 */
#include "spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

/* Small: the file lies beside the volumes, where room may be scarce. */
#define GROW_MIN (64 * ARC_KIB)
#define GROW_MAX (64 * ARC_MIB)

/* While rows are added, pages are handed back each time so much is full. */
#define RELEASE_STEP (32 * ARC_MIB)

#define TEMPORARY_TRIES 100

/* Of all spools, with the programs and libraries. */
#define RESIDENT_MAX (96 * ARC_MIB)

/*
 * What is tried, the largest first: the thread sanitizer has room for little
 * more than a terabyte in all.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LITTLE_ROOM
#endif
#elif defined(__SANITIZE_THREAD__)
#define LITTLE_ROOM
#endif
static const uint64_t reservations[] = {
#ifndef LITTLE_ROOM
	1024 * ARC_GIB,
#endif
	64 * ARC_GIB,
	8 * ARC_GIB,
	ARC_GIB,
};

/* A limited address space has to be enough for all spools, and the frames. */
#define SHARE_OF_LIMIT 20

/* For file systems without O_TMPFILE: a file made and unlinked at once. */
static int open_unlinked(int dir_fd)
{
	char name[32];
	uint64_t number;
	int fd;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		if (getrandom(&number, sizeof(number), 0) !=
		    (ssize_t)sizeof(number))
			return -EIO;
		snprintf(name, sizeof(name), ".spool-%016llx",
			 (unsigned long long)number);
		fd = openat(dir_fd, name,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			    0600);
		if (fd >= 0) {
			unlinkat(dir_fd, name, 0);
			return fd;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int open_temporary(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT ||
	    errno == EINVAL)
		return open_unlinked(dir_fd);
	return -errno;
}

/* Addresses without memory; MAP_FAILED when there are none. */
static void *reserve(uint64_t *ret_n)
{
	uint64_t most = reservations[0];
	void *base = MAP_FAILED;
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY)
		most = limit.rlim_cur / SHARE_OF_LIMIT / GROW_MIN * GROW_MIN;
	for (size_t i = 0; base == MAP_FAILED && i < ARC_COUNT(reservations);
	     i++) {
		*ret_n = ARC_MIN(reservations[i], most);
		base = mmap(NULL, *ret_n, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	return base;
}

int mk_spool_open(struct mk_spool *s, int dir_fd, size_t row_size)
{
	uint64_t reserved;
	void *base;
	int fd = open_temporary(dir_fd);

	if (fd < 0)
		return fd;
	base = reserve(&reserved);
	if (base == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	*s = (struct mk_spool){
		.base = base,
		.row_size = row_size,
		.reserved = reserved,
		.fd = fd,
	};
	return 0;
}

void mk_spool_close(struct mk_spool *s)
{
	if (s->base) {
		munmap(s->base, s->reserved);
		close(s->fd);
	}
	*s = (struct mk_spool){ .fd = -1 };
}

/* Puts file behind the addresses until `need` bytes are there. */
static int grow(struct mk_spool *s, uint64_t need)
{
	uint64_t more = ARC_MIN(ARC_MAX(s->allocated, GROW_MIN), GROW_MAX);
	void *at = s->base + s->allocated;
	int err;

	more = ARC_MAX(more,
		       arc_div_up(need - s->allocated, GROW_MIN) * GROW_MIN);
	more = ARC_MIN(more, s->reserved - s->allocated);
	do {
		err = posix_fallocate(s->fd, (off_t)s->allocated, (off_t)more);
	} while (err == EINTR);
	if (err)
		return -err;
	if (mmap(at, more, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 s->fd, (off_t)s->allocated) == MAP_FAILED)
		return -errno;
	s->allocated += more;
	return 0;
}

int mk_spool_add(struct mk_spool *s, uint64_t n, uint64_t *ret_first)
{
	uint64_t before = s->count * s->row_size;
	uint64_t bytes, after;

	if (!arc_mul_ok(n, s->row_size, &bytes) ||
	    !arc_add_ok(before, bytes, &after) || after > s->reserved)
		return -E2BIG;
	if (after > s->allocated) {
		int err = grow(s, after);

		if (err)
			return err;
	}
	if (before / RELEASE_STEP != after / RELEASE_STEP)
		mk_spool_release(s);
	*ret_first = s->count;
	s->count += n;
	return 0;
}

/* What the kernel counts: pages of files that are mapped and in memory. One that
 * is read here and there brings its neighbours with it, so that counting rows
 * would tell little. */
bool mk_spool_is_time(void)
{
	unsigned long long resident = 0, shared = 0;
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return true;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[ARC_MAX(n, 0)] = 0;
	if (sscanf(text, "%*u %llu %llu", &resident, &shared) != 2)
		return true;
	return shared * (uint64_t)sysconf(_SC_PAGESIZE) > RESIDENT_MAX;
}

void mk_spool_release(const struct mk_spool *s)
{
	if (s->allocated > 0)
		madvise(s->base, s->allocated, MADV_DONTNEED);
}
