/* SPDX-License-Identifier: MIT */
/*
 * cache_buffers - memory for groups and for stored bytes. What is given back is
 * kept for the next one, since getting and giving back pages costs as much as
 * decoding does.
 */
#include <sys/mman.h>

#include "cache_i.h"

#define PAGE ((size_t)4096)

/* Takes spare number i out. Called with the lock. */
static struct arc_cache_spare remove_spare(struct arc_cache *cache, unsigned i)
{
	struct arc_cache_spare s = cache->spare[i];

	cache->spares--;
	cache->spare_bytes -= s.n;
	memmove(&cache->spare[i], &cache->spare[i + 1],
		(cache->spares - i) * sizeof(s));
	return s;
}

static uint8_t *new_buffer(size_t n)
{
	return aligned_alloc(ARC_STORE_BLOCK,
			     arc_div_up(n, ARC_STORE_BLOCK) * ARC_STORE_BLOCK);
}

uint8_t *arc_cache_take_buffer(struct arc_cache *cache, size_t n, size_t max,
			       size_t *ret_n)
{
	struct arc_cache_spare found = { NULL, n };

	pthread_mutex_lock(&cache->lock);
	for (unsigned i = cache->spares; i-- > 0 && !found.buf;)
		if (cache->spare[i].n >= n && cache->spare[i].n <= max)
			found = remove_spare(cache, i);
	pthread_mutex_unlock(&cache->lock);
	*ret_n = found.n;
	return found.buf ? found.buf : new_buffer(n);
}

/* The oldest go for it, whose sizes nobody has asked for. */
void arc_cache_give_buffer(struct arc_cache *cache, uint8_t *buf, size_t n)
{
	uint8_t *old[ARC_CACHE_SPARES_MAX];
	unsigned olds = 0;

	if (n > cache->spare_max) {
		free(buf);
		return;
	}
	pthread_mutex_lock(&cache->lock);
	while (cache->spares == ARC_CACHE_SPARES_MAX ||
	       cache->spare_bytes + n > cache->spare_max)
		old[olds++] = remove_spare(cache, 0).buf;
	cache->spare[cache->spares++] = (struct arc_cache_spare){ buf, n };
	cache->spare_bytes += n;
	cache->spare_peak = ARC_MAX(cache->spare_peak, cache->spare_bytes);
	pthread_mutex_unlock(&cache->lock);
	while (olds > 0)
		free(old[--olds]);
}

void arc_cache_drop_buffers(struct arc_cache *cache)
{
	struct arc_cache_spare spare[ARC_CACHE_SPARES_MAX];
	unsigned n;

	pthread_mutex_lock(&cache->lock);
	n = cache->spares;
	memcpy(spare, cache->spare, n * sizeof(spare[0]));
	cache->spares = 0;
	cache->spare_bytes = 0;
	pthread_mutex_unlock(&cache->lock);
	while (n > 0)
		free(spare[--n].buf);
}

unsigned arc_cache_count_buffers(struct arc_cache *cache, size_t n)
{
	unsigned count = 0;

	pthread_mutex_lock(&cache->lock);
	for (unsigned i = 0; i < cache->spares; i++)
		count += cache->spare[i].n == n;
	pthread_mutex_unlock(&cache->lock);
	return count;
}

/* Has the kernel give the pages of a new buffer; at once where it can (Linux
 * 5.14), which takes two thirds of the time. */
static void touch(uint8_t *buf, size_t n)
{
#ifdef MADV_POPULATE_WRITE
	if (madvise(buf, n, MADV_POPULATE_WRITE) == 0)
		return;
#endif
	for (size_t at = 0; at < n; at += PAGE)
		buf[at] = 0;
}

void arc_cache_make_buffers(struct arc_cache *cache, size_t n)
{
	unsigned i = arc_cache_count_buffers(cache, n);

	for (; i < ARC_CACHE_READY; i++) {
		uint8_t *buf = new_buffer(n);

		if (!buf)
			return;
		touch(buf, n);
		arc_cache_give_buffer(cache, buf, n);
	}
}
