/* SPDX-License-Identifier: MIT */
/*
 * cache_heads - the headers and tables of records, kept so that a frame's is
 * read once for many groups. They have an order of their own, so that groups do
 * not push them out, but count for the one budget.
 */
#include "cache_i.h"

bool arc_cache_is_meant(const struct arc_record *r, const struct arc_frame *f)
{
	return r->checksum == f->checksum && r->number == f->number &&
	       r->raw == f->raw && r->codec == f->codec &&
	       r->group_log == f->group_log &&
	       r->head == arc_record_head_size(r->segments, f->entry_size) &&
	       (uint64_t)r->head + r->payload == f->stored;
}

static void report_frame(struct arc_cache *cache, const struct arc_frame *f,
			 int err)
{
	char name[512];

	if (err == -ENOMEM ||
	    arc_said_before(&cache->said_heads, f->number + 1))
		return;
	arc_say(cache->diag, ARC_ERROR, "%s: frame %llu: %s",
		arc_volumes_name(cache->vs, f->volume, name, sizeof(name)),
		(unsigned long long)f->number, arc_error_text(err));
}

static int read_head(struct arc_cache *cache, const struct arc_frame *f,
		     struct arc_record **ret)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	arc_cleanup(arc_freep) uint8_t *head = NULL;
	size_t n =
		arc_record_head_size(arc_segment_count(f->raw), f->entry_size);
	int err;

	head = malloc(n);
	if (!head)
		return -ENOMEM;
	err = arc_volumes_read(cache->vs, f->volume, f->offset, head, n);
	if (err < 0)
		return err;
	err = arc_record_parse((struct arc_span){ head, n }, &r);
	if (err == 0 && !arc_cache_is_meant(r, f))
		err = -EBADMSG;
	if (err < 0) {
		report_frame(cache, f, err);
		return err;
	}
	if (!r->decoder) /* its raw segments can be read all the same */
		report_frame(cache, f, -EOPNOTSUPP);
	*ret = arc_steal(r);
	return 0;
}

static size_t cost_of(const struct arc_record *r)
{
	return sizeof(*r) + r->segments * sizeof(r->segment[0]);
}

int arc_cache_load_head(void *ctx, uint64_t key, void **ret_obj,
			size_t *ret_cost)
{
	struct arc_cache *cache = ctx;
	struct arc_record *r = NULL;
	struct arc_frame f;
	int err = arc_index_frame(cache->idx, key, &f);

	if (err == 0)
		err = read_head(cache, &f, &r);
	if (err < 0)
		return err;
	*ret_obj = r;
	*ret_cost = cost_of(r);
	arc_lru_count(cache->groups, *ret_cost);
	return 0;
}

void arc_cache_drop_head(void *ctx, void *obj)
{
	struct arc_cache *cache = ctx;

	arc_lru_uncount(cache->groups, cost_of(obj));
	free(obj);
}
