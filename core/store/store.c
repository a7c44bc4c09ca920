/* SPDX-License-Identifier: MIT */
/* What every kind of store shares: loops over partial transfers, limits. */
#include "store.h"

/* No store reaches beyond what off_t can name. */
#define STORE_END ((uint64_t)INT64_MAX)

/* One transfer is at most this long, so that its length fits ssize_t. */
#define TRANSFER_MAX ((size_t)ARC_GIB)

int arc_store_read(struct arc_store *s, void *buf, size_t n, uint64_t off)
{
	uint8_t *p = buf;

	if (!arc_range_ok(off, n, STORE_END))
		return -EBADMSG;
	while (n > 0) {
		ssize_t got =
			s->ops->pread(s, p, ARC_MIN(n, TRANSFER_MAX), off);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return -EBADMSG;
		p += got;
		n -= (size_t)got;
		off += (uint64_t)got;
	}
	return 0;
}

int arc_store_read_once(struct arc_store *s, void *buf, size_t n, uint64_t off,
			uint8_t **ret)
{
	size_t before = off % ARC_STORE_BLOCK;
	size_t all;

	*ret = buf;
	if (!s->ops->pread_direct || n == 0 || n > TRANSFER_MAX ||
	    !arc_range_ok(off, n, STORE_END - ARC_STORE_BLOCK))
		return arc_store_read(s, buf, n, off);
	all = arc_div_up(before + n, ARC_STORE_BLOCK) * ARC_STORE_BLOCK;
	if (s->ops->pread_direct(s, buf, all, off - before) <
	    (ssize_t)(before + n))
		return arc_store_read(s, buf, n, off);
	*ret += before;
	return 1;
}

int arc_store_write(struct arc_store *s, const void *buf, size_t n,
		    uint64_t off)
{
	const uint8_t *p = buf;

	if (!arc_range_ok(off, n, STORE_END))
		return -E2BIG;
	while (n > 0) {
		ssize_t put =
			s->ops->pwrite(s, p, ARC_MIN(n, TRANSFER_MAX), off);

		if (put < 0)
			return (int)put;
		if (put == 0)
			return -EIO; /* no progress, no reason: no loop */
		p += put;
		n -= (size_t)put;
		off += (uint64_t)put;
	}
	return 0;
}

int arc_store_size(struct arc_store *s, uint64_t *ret)
{
	return s->ops->size(s, ret);
}

int arc_store_sync(struct arc_store *s)
{
	return s->ops->sync(s);
}

void arc_store_close(struct arc_store *s)
{
	if (s)
		s->ops->close(s);
}
