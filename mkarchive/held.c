/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct mk_held {
	uint8_t *base;
	size_t cap;
	atomic_size_t used;
};

int mk_held_new(size_t cap, struct mk_held **ret)
{
	struct mk_held *h;

	*ret = NULL;
	if (!cap)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	/* What is not used takes no memory. */
	h->base = mmap(NULL, cap, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h->base == MAP_FAILED) {
		free(h);
		return -ENOMEM;
	}
	h->cap = cap;
	*ret = h;
	return 0;
}

void mk_held_free(struct mk_held *h)
{
	if (!h)
		return;
	munmap(h->base, h->cap);
	free(h);
}

uint8_t *mk_held_room(struct mk_held *h, size_t n, uint64_t *ret_at)
{
	size_t at;

	if (!h ||
	    atomic_load_explicit(&h->used, memory_order_relaxed) >= h->cap)
		return NULL;
	/* Each try moves the mark, so it stays near the end in the end: a file
	 * is small, and no thread tries behind the end. */
	at = atomic_fetch_add_explicit(&h->used, n, memory_order_relaxed);
	if (at > h->cap || n > h->cap - at)
		return NULL;
	*ret_at = at;
	return h->base + at;
}

const uint8_t *mk_held_at(const struct mk_held *h, uint64_t at)
{
	return h->base + at;
}
