/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "bytes.h"
#include "store.h"

struct memory_store {
	struct arc_store base; /* first: casts both ways */
	struct arc_buf bytes;
};

static struct arc_buf *bytes_of(struct arc_store *s)
{
	return &((struct memory_store *)s)->bytes;
}

static ssize_t memory_pread(struct arc_store *s, void *buf, size_t n,
			    uint64_t off)
{
	const struct arc_buf *b = bytes_of(s);

	if (off >= b->n)
		return 0;
	n = ARC_MIN(n, b->n - (size_t)off);
	if (n > 0)
		memcpy(buf, b->p + off, n);
	return (ssize_t)n;
}

static ssize_t memory_pwrite(struct arc_store *s, const void *buf, size_t n,
			     uint64_t off)
{
	struct arc_buf *b = bytes_of(s);
	uint64_t end;
	int err = 0;

	if (n == 0)
		return 0;
	if (!arc_add_ok(off, (uint64_t)n, &end))
		return -E2BIG;
	if (end > b->n)
		err = arc_store_memory_resize(s, end);
	if (err < 0)
		return err;
	memcpy(b->p + off, buf, n);
	return (ssize_t)n;
}

static int memory_size(struct arc_store *s, uint64_t *ret)
{
	*ret = bytes_of(s)->n;
	return 0;
}

static int memory_sync(struct arc_store *s)
{
	(void)s;
	return 0;
}

static void memory_close(struct arc_store *s)
{
	arc_buf_fini(bytes_of(s));
	free(s);
}

static const struct arc_store_ops memory_ops = {
	.pread = memory_pread,
	.pwrite = memory_pwrite,
	.size = memory_size,
	.sync = memory_sync,
	.close = memory_close,
};

int arc_store_memory(struct arc_store **ret)
{
	struct memory_store *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->base.ops = &memory_ops;
	*ret = &m->base;
	return 0;
}

struct arc_span arc_store_memory_bytes(struct arc_store *s)
{
	const struct arc_buf *b = bytes_of(s);

	assert(s->ops == &memory_ops);
	return (struct arc_span){ .p = b->p, .n = b->n };
}

int arc_store_memory_resize(struct arc_store *s, uint64_t n)
{
	struct arc_buf *b = bytes_of(s);

	assert(s->ops == &memory_ops);
	if (n > SIZE_MAX)
		return -E2BIG;
	if (n > b->n)
		return arc_buf_fill(b, 0, (size_t)n - b->n);
	b->n = (size_t)n;
	return 0;
}
