/* SPDX-License-Identifier: MIT */
/*
 * base - the few words every file of this project shares: spans of bytes,
 * cleanup attributes, ownership hand-over, checked arithmetic.
 *
 * Threads: pure.
 */
#ifndef ARC_BASE_H
#define ARC_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define ARC_KIB ((uint64_t)1 << 10)
#define ARC_MIB ((uint64_t)1 << 20)
#define ARC_GIB ((uint64_t)1 << 30)

#define ARC_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARC_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ARC_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Borrowed bytes: never freed through the span. */
struct arc_span {
	const uint8_t *p;
	size_t n;
};

/*
 * Release at the end of the scope:
 *	arc_cleanup(arc_freep) char *name = NULL;
 * Every type with a destructor defines its own `<destructor>p` through
 * ARC_DEFINE_CLEANUP; the destructor accepts NULL.
 */
#define arc_cleanup(fn) __attribute__((cleanup(fn)))

#define ARC_DEFINE_CLEANUP(type, destroy)                                      \
	static inline void destroy##p(type **ptr)                              \
	{                                                                      \
		destroy(*ptr);                                                 \
	}

/* For any pointer from malloc; errno survives. */
static inline void arc_freep(void *ptr)
{
	int saved = errno;

	free(*(void **)ptr);
	errno = saved;
}

/* For a file descriptor that may be -1; errno survives. */
static inline void arc_closep(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* Hand the value over and leave NULL behind, as the last act of a maker. */
#define arc_steal(ptr)                                                         \
	__extension__({                                                        \
		__typeof__(ptr) stolen_ = (ptr);                               \
		(ptr) = NULL;                                                  \
		stolen_;                                                       \
	})

static inline int arc_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Checked arithmetic: true when the result fits, written only then. */
#define arc_add_ok(a, b, ret) (!__builtin_add_overflow((a), (b), (ret)))
#define arc_sub_ok(a, b, ret) (!__builtin_sub_overflow((a), (b), (ret)))
#define arc_mul_ok(a, b, ret) (!__builtin_mul_overflow((a), (b), (ret)))

/* [off, off + len) lies within [0, total); false when off + len wraps. */
static inline bool arc_range_ok(uint64_t off, uint64_t len, uint64_t total)
{
	return off <= total && len <= total - off;
}

/* n / d rounded up; d > 0. */
static inline uint64_t arc_div_up(uint64_t n, uint64_t d)
{
	return n / d + (n % d != 0);
}

#endif
