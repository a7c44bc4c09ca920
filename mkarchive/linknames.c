/* SPDX-License-Identifier: MIT */
#include "linknames.h"

#include "spool_sort.h"

struct linkname {
	uint64_t entry;
	uint64_t link; /* entry of the first name */

	/* of that, when it is settled */
	uint64_t row;
	uint64_t share;
	uint32_t nlink;
	uint32_t share_nlink;
};

static struct linkname *at(const struct mk_linknames *n, uint64_t i)
{
	return mk_spool_at(&n->rows, i);
}

static void step(const struct mk_linknames *n, uint64_t i)
{
	if (i % MK_SPOOL_STEP == 0 && mk_spool_is_time()) {
		mk_tree_release(n->tree);
		mk_spool_release(&n->rows);
	}
}

static int by_link(const void *a, const void *b)
{
	const struct linkname *one = a;
	const struct linkname *other = b;

	return (one->link > other->link) - (one->link < other->link);
}

static int by_entry(const void *a, const void *b)
{
	const struct linkname *one = a;
	const struct linkname *other = b;

	return (one->entry > other->entry) - (one->entry < other->entry);
}

int mk_linknames_init(struct mk_linknames *n, struct mk_tree *tree)
{
	int r;

	*n = (struct mk_linknames){ .tree = tree };
	r = mk_spool_open(&n->rows, tree->tmp_fd, sizeof(struct linkname));
	if (r >= 0)
		r = mk_spool_open(&n->spare, tree->tmp_fd,
				  sizeof(struct linkname));
	return r;
}

void mk_linknames_fini(struct mk_linknames *n)
{
	mk_spool_close(&n->rows);
	mk_spool_close(&n->spare);
}

int mk_linknames_add(struct mk_linknames *n, uint64_t entry)
{
	uint64_t i;
	int r = mk_spool_add(&n->rows, 1, &i);

	if (r < 0)
		return r;
	at(n, i)->entry = entry;
	at(n, i)->link = mk_tree_at(n->tree, entry)->link;
	return 0;
}

int mk_linknames_count(struct mk_linknames *n)
{
	int r = mk_spool_sort(&n->rows, &n->spare, by_link);

	for (uint64_t i = 0; r >= 0 && i < n->rows.count; i++) {
		mk_tree_at(n->tree, at(n, i)->link)->nlink++;
		step(n, i);
	}
	return r;
}

/* They are in the order in which count() left them. */
static void look_at_inodes(struct mk_linknames *n)
{
	for (uint64_t i = 0; i < n->rows.count; i++) {
		struct linkname *l = at(n, i);
		const struct mk_entry *e = mk_tree_at(n->tree, l->link);

		l->row = e->row;
		l->share = e->share;
		l->nlink = e->nlink;
		l->share_nlink = e->share_nlink;
		step(n, i);
	}
}

int mk_linknames_settle(struct mk_linknames *n)
{
	int r;

	look_at_inodes(n);
	r = mk_spool_sort(&n->rows, &n->spare, by_entry);
	for (uint64_t i = 0; r >= 0 && i < n->rows.count; i++) {
		const struct linkname *l = at(n, i);
		struct mk_entry *e = mk_tree_at(n->tree, l->entry);

		e->row = l->row;
		e->share = l->share;
		e->nlink = l->nlink;
		e->share_nlink = l->share_nlink;
		step(n, i);
	}
	return r;
}
