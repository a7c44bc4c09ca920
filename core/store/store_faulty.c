/* SPDX-License-Identifier: MIT */
#include "store.h"

struct faulty_store {
	struct arc_store base; /* first: casts both ways */
	struct arc_store *inner;
	struct arc_fault_plan *plan; /* calls: counted atomically */
};

static struct faulty_store *faulty_of(struct arc_store *s)
{
	return (struct faulty_store *)s;
}

/* Counts a call; the error it has to fail with, or 0. */
static int count_call(const struct faulty_store *f)
{
	uint64_t call =
		__atomic_add_fetch(&f->plan->calls, 1, __ATOMIC_RELAXED);

	if (call != f->plan->fail_at)
		return 0;
	return f->plan->error ? -f->plan->error : -EIO;
}

static size_t cut(const struct faulty_store *f, size_t n)
{
	return f->plan->short_io && n > 1 ? n / 2 : n;
}

static ssize_t faulty_pread(struct arc_store *s, void *buf, size_t n,
			    uint64_t off)
{
	const struct faulty_store *f = faulty_of(s);
	int err = count_call(f);

	return err < 0 ? err
		       : f->inner->ops->pread(f->inner, buf, cut(f, n), off);
}

static ssize_t faulty_pwrite(struct arc_store *s, const void *buf, size_t n,
			     uint64_t off)
{
	const struct faulty_store *f = faulty_of(s);
	int err = count_call(f);

	return err < 0 ? err
		       : f->inner->ops->pwrite(f->inner, buf, cut(f, n), off);
}

static int faulty_size(struct arc_store *s, uint64_t *ret)
{
	const struct faulty_store *f = faulty_of(s);
	int err = count_call(f);

	return err < 0 ? err : arc_store_size(f->inner, ret);
}

static int faulty_sync(struct arc_store *s)
{
	const struct faulty_store *f = faulty_of(s);
	int err = count_call(f);

	return err < 0 ? err : arc_store_sync(f->inner);
}

static void faulty_close(struct arc_store *s)
{
	arc_store_close(faulty_of(s)->inner);
	free(s);
}

static const struct arc_store_ops faulty_ops = {
	.pread = faulty_pread,
	.pwrite = faulty_pwrite,
	.size = faulty_size,
	.sync = faulty_sync,
	.close = faulty_close,
};

int arc_store_faulty(struct arc_store *inner, struct arc_fault_plan *plan,
		     struct arc_store **ret)
{
	struct faulty_store *f = malloc(sizeof(*f));

	if (!f) {
		arc_store_close(inner);
		return -ENOMEM;
	}
	*f = (struct faulty_store){ .base.ops = &faulty_ops,
				    .inner = inner,
				    .plan = plan };
	*ret = &f->base;
	return 0;
}
