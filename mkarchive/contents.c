/* SPDX-License-Identifier: MIT */
#include "contents.h"

#include <string.h>

int mk_contents_open(struct mk_contents *c, int tmp_fd)
{
	int r = mk_spool_open(&c->heads, tmp_fd, sizeof(struct mk_head));

	if (r >= 0)
		r = mk_spool_open(&c->rows, tmp_fd, sizeof(struct mk_content));
	mk_slots_init(&c->head_slots, tmp_fd);
	mk_slots_init(&c->slots, tmp_fd);
	return r;
}

void mk_contents_close(struct mk_contents *c)
{
	mk_spool_close(&c->heads);
	mk_slots_fini(&c->head_slots);
	mk_spool_close(&c->rows);
	mk_slots_fini(&c->slots);
}

/* What mk_slots is asked with. */
struct query {
	const struct mk_contents *c;
	const struct mk_head *head;
	const struct mk_content *content;
};

static uint64_t hash_head(const struct mk_head *h)
{
	return h->hash ^ h->size << 20;
}

static bool is_head(const void *ctx, uint32_t row)
{
	const struct query *q = ctx;
	const struct mk_head *h = mk_spool_at(&q->c->heads, row);

	return h->size == q->head->size && h->hash == q->head->hash;
}

bool mk_contents_know_head(struct mk_contents *c, const struct mk_head *head)
{
	const struct query q = { .c = c, .head = head };
	uint32_t row;

	return mk_slots_find(&c->head_slots, hash_head(head), is_head, &q,
			     &row);
}

static int add_head(struct mk_contents *c, const struct mk_head *head)
{
	uint64_t row;
	int r;

	if (mk_contents_know_head(c, head))
		return 0;
	r = mk_spool_add(&c->heads, 1, &row);
	if (r < 0)
		return r;
	*(struct mk_head *)mk_spool_at(&c->heads, row) = *head;
	return mk_slots_add(&c->head_slots, hash_head(head));
}

static uint64_t hash_content(const struct mk_content *c)
{
	uint64_t hash;

	memcpy(&hash, c->sha, sizeof(hash));
	return hash;
}

static bool is_content(const void *ctx, uint32_t row)
{
	const struct query *q = ctx;
	const struct mk_content *c = mk_contents_at(q->c, row);
	const struct mk_content *w = q->content;

	return c->size == w->size && c->flags == w->flags &&
	       c->extents == w->extents &&
	       memcmp(c->sha, w->sha, sizeof(c->sha)) == 0;
}

bool mk_contents_find(struct mk_contents *c, const struct mk_content *wanted,
		      uint32_t *ret_row)
{
	const struct query q = { .c = c, .content = wanted };

	return mk_slots_find(&c->slots, hash_content(wanted), is_content, &q,
			     ret_row);
}

int mk_contents_add(struct mk_contents *c, const struct mk_head *head,
		    const struct mk_content *content, uint64_t *ret_row)
{
	uint64_t row;
	int r = add_head(c, head);

	if (r >= 0)
		r = mk_spool_add(&c->rows, 1, &row);
	if (r < 0)
		return r;
	*(struct mk_content *)mk_spool_at(&c->rows, row) = *content;
	if (row % MK_SPOOL_STEP == 0 && mk_spool_is_time()) {
		mk_spool_release(&c->rows);
		mk_spool_release(&c->heads);
	}
	r = mk_slots_add(&c->slots, hash_content(content));
	if (r >= 0)
		*ret_row = row;
	return r;
}
