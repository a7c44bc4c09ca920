/* SPDX-License-Identifier: MIT */
/*
 * archive_read - the bytes of files.
 *
 * A read is answered in place: its pieces point into pinned groups and, for
 * holes and zeros, into a block of zeros. That holds up to two groups (of up to
 * 16 MiB) for each extent; so a range of many extents is copied instead, with
 * one group pinned at a time. Otherwise a hostile file of tiny extents could
 * have gigabytes pinned by one request. And so is a range for whose second
 * group or later there is no room without waiting, for who has pins must not.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "archive_i.h"

#define EXTENTS_IN_PLACE 4
#define EXTENTS_AT_ONCE 64
#define ZEROS_SIZE 65536

static const uint8_t zeros[ZEROS_SIZE];

/* ---- copying ------------------------------------------------------------ */

/* Copies stream bytes, or zeros. */
static int copy_extent(struct arc_archive *a, const struct arc_extent *e,
		       uint8_t *out)
{
	uint64_t done = 0;

	if (e->stream == ARC_STREAM_ZERO) {
		memset(out, 0, e->len);
		return 0;
	}
	while (done < e->len) {
		struct arc_pin pin;
		int err = arc_cache_pin(a->cache, e->stream + done,
					e->len - done, &pin);

		if (err < 0)
			return err;
		memcpy(out + done, pin.p, pin.n);
		done += pin.n;
		arc_cache_unpin(a->cache, &pin);
	}
	return 0;
}

/* Copies [off, off + n), which lies within the file. */
static int copy_range(struct arc_archive *a, const struct arc_inode *inode,
		      uint64_t off, uint8_t *out, size_t n)
{
	struct arc_extent extent[EXTENTS_AT_ONCE];
	uint64_t at = off, end = off + n;
	ssize_t got = EXTENTS_AT_ONCE;

	while (got == EXTENTS_AT_ONCE) {
		got = arc_index_extents(a->idx, inode, at, end - at, extent,
					EXTENTS_AT_ONCE);
		if (got < 0)
			return (int)got;
		for (ssize_t i = 0; i < got; i++) {
			const struct arc_extent *e = &extent[i];
			int err;

			memset(out + (at - off), 0, e->file - at);
			err = copy_extent(a, e, out + (e->file - off));
			if (err < 0)
				return err;
			at = e->file + e->len;
		}
	}
	memset(out + (at - off), 0, end - at);
	return 0;
}

ssize_t arc_archive_pread(struct arc_archive *a, const struct arc_inode *inode,
			  void *buf, size_t n, uint64_t off)
{
	int err;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (off >= inode->size)
		return 0;
	n = ARC_MIN(ARC_MIN(n, inode->size - off), (size_t)SSIZE_MAX);
	err = copy_range(a, inode, off, buf, n);
	return err < 0 ? err : (ssize_t)n;
}

/* ---- in place ----------------------------------------------------------- */

/* A read being put together. */
struct builder {
	struct arc_archive *archive;
	struct arc_read read;
	size_t cap; /* pieces and pins there is room for */
};

/*
 * Room for a range of some extents: pieces of at least 64 KiB, but for the
 * first and last of each extent and of each hole (one more than extents). Only
 * frames shorter than a segment make more. Pins and pieces are one allocation,
 * which iov points to.
 */
static int make_room(struct builder *b, size_t n, size_t extents)
{
	struct arc_read *r = &b->read;

	static_assert(ZEROS_SIZE >= ARC_SEGMENT_SIZE, "see above");
	b->cap = n / ARC_SEGMENT_SIZE + 2 * (2 * extents + 1);
	r->iov = malloc(b->cap * (sizeof(r->iov[0]) + sizeof(r->pins[0])));
	if (!r->iov)
		return -ENOMEM;
	r->pins = (struct arc_pin *)(void *)(r->iov + b->cap);
	return 0;
}

static void add_piece(struct arc_read *r, const uint8_t *p, size_t n)
{
	union {
		const uint8_t *in;
		void *out;
	} base = { p }; /* struct iovec knows no const */

	r->iov[r->count++] = (struct iovec){ base.out, n };
	r->n += n;
}

static bool is_full(const struct builder *b)
{
	return (size_t)b->read.count == b->cap;
}

static int add_zeros(struct builder *b, uint64_t n)
{
	while (n > 0) {
		size_t some = ARC_MIN(n, ZEROS_SIZE);

		if (is_full(b))
			return -E2BIG;
		add_piece(&b->read, zeros, some);
		n -= some;
	}
	return 0;
}

typedef int (*pin_fn)(struct arc_cache *cache, uint64_t off, size_t n,
		      struct arc_pin *ret);

static int add_extent(struct builder *b, const struct arc_extent *e)
{
	struct arc_read *r = &b->read;
	const struct arc_pin *got;
	uint64_t done = 0;

	if (e->stream == ARC_STREAM_ZERO)
		return add_zeros(b, e->len);
	while (done < e->len) {
		pin_fn pin = r->pin_count ? arc_cache_pin_more : arc_cache_pin;
		int err;

		if (is_full(b))
			return -E2BIG;
		err = pin(b->archive->cache, e->stream + done, e->len - done,
			  &r->pins[r->pin_count]);
		if (err < 0)
			return err;
		r->pin_count++;
		got = &r->pins[r->pin_count - 1];
		add_piece(r, got->p, got->n);
		done += got->n;
	}
	return 0;
}

/* -E2BIG: there are more pieces than there is room, or no memory for more at
 * the moment. */
static int read_in_place(struct builder *b, uint64_t off, size_t n,
			 const struct arc_extent *extent, size_t count)
{
	uint64_t at = off;
	int err = make_room(b, n, count);

	for (size_t i = 0; i < count && err == 0; i++) {
		err = add_zeros(b, extent[i].file - at);
		if (err == 0)
			err = add_extent(b, &extent[i]);
		at = extent[i].file + extent[i].len;
	}
	return err == 0 ? add_zeros(b, off + n - at) : err;
}

/* One piece behind its own iovec. */
static int read_copied(struct arc_archive *a, const struct arc_inode *inode,
		       struct arc_read *r, uint64_t off, size_t n)
{
	uint8_t *bytes;
	int err;

	arc_cache_begin_copy(a->cache, n);
	r->copied = n;
	r->iov = malloc(sizeof(r->iov[0]) + n);
	if (!r->iov)
		return -ENOMEM;
	bytes = (uint8_t *)(r->iov + 1);
	err = copy_range(a, inode, off, bytes, n);
	if (err == 0)
		add_piece(r, bytes, n);
	return err;
}

int arc_archive_read_begin(struct arc_archive *a, const struct arc_inode *inode,
			   uint64_t off, size_t n, struct arc_read *ret)
{
	struct arc_extent extent[EXTENTS_IN_PLACE + 1];
	struct builder b = { .archive = a };
	ssize_t count;
	int err = -E2BIG;

	if (!S_ISREG(inode->mode) || n > ARC_READ_MAX)
		return -EINVAL;
	n = off < inode->size ? ARC_MIN(n, inode->size - off) : 0;
	if (n == 0) {
		*ret = b.read;
		return 0;
	}
	count = arc_index_extents(a->idx, inode, off, n, extent,
				  EXTENTS_IN_PLACE + 1);
	if (count < 0)
		return (int)count;
	if (count <= EXTENTS_IN_PLACE)
		err = read_in_place(&b, off, n, extent, (size_t)count);
	if (err == -E2BIG) {
		arc_archive_read_end(a, &b.read);
		err = read_copied(a, inode, &b.read, off, n);
	}
	if (err < 0) {
		arc_archive_read_end(a, &b.read);
		return err;
	}
	*ret = b.read;
	return 0;
}

void arc_archive_read_end(struct arc_archive *a, struct arc_read *r)
{
	for (size_t i = 0; i < r->pin_count; i++)
		arc_cache_unpin(a->cache, &r->pins[i]);
	if (r->copied)
		arc_cache_end_copy(a->cache, r->copied);
	free(r->iov);
	*r = (struct arc_read){ .iov = NULL };
}

/* ---- holes -------------------------------------------------------------- */

/* The end of the data that goes on from `at`, extents that touch as one. */
static int end_of_data(struct arc_archive *a, const struct arc_inode *inode,
		       uint64_t at, uint64_t *ret)
{
	struct arc_extent extent[EXTENTS_AT_ONCE];
	ssize_t got = EXTENTS_AT_ONCE;

	while (got == EXTENTS_AT_ONCE) {
		got = arc_index_extents(a->idx, inode, at, inode->size - at,
					extent, EXTENTS_AT_ONCE);
		if (got < 0)
			return (int)got;
		for (ssize_t i = 0; i < got; i++) {
			if (extent[i].file != at)
				break;
			at += extent[i].len;
		}
		if (got > 0 && extent[got - 1].file + extent[got - 1].len != at)
			break;
	}
	*ret = at;
	return 0;
}

int arc_archive_seek(struct arc_archive *a, const struct arc_inode *inode,
		     uint64_t off, bool data, uint64_t *ret)
{
	struct arc_extent first;
	ssize_t got;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (off >= inode->size)
		return -ENXIO;
	if (!data)
		return end_of_data(a, inode, off, ret);
	got = arc_index_extents(a->idx, inode, off, inode->size - off, &first,
				1);
	if (got < 0)
		return (int)got;
	if (got == 0)
		return -ENXIO;
	*ret = first.file;
	return 0;
}
