/* SPDX-License-Identifier: MIT */
#include "links.h"

/* What mk_slots asks about a row; dev, ino and type are wanted. */
struct key {
	const struct mk_spool *rows;
	struct mk_link l;
};

static uint64_t hash_link(const struct mk_link *l)
{
	return l->ino ^ l->dev << 40;
}

static bool is_link(const void *ctx, uint32_t row)
{
	const struct key *key = ctx;
	const struct mk_link *l = mk_spool_at(key->rows, row);

	return l->dev == key->l.dev && l->ino == key->l.ino &&
	       l->type == key->l.type;
}

static bool may_have_names(const struct stat *st)
{
	return !S_ISDIR(st->st_mode) && st->st_nlink > 1;
}

static struct mk_link link_of(const struct stat *st)
{
	return (struct mk_link){ .dev = st->st_dev,
				 .ino = st->st_ino,
				 .type = st->st_mode & S_IFMT };
}

const struct mk_link *mk_links_find(struct mk_links *links,
				    const struct stat *st)
{
	const struct key key = { links->rows, link_of(st) };
	uint32_t row;

	if (!may_have_names(st) ||
	    !mk_slots_find(&links->slots, hash_link(&key.l), is_link, &key,
			   &row))
		return NULL;
	return mk_spool_at(links->rows, row);
}

int mk_links_note(struct mk_links *links, const struct stat *st, uint64_t entry,
		  uint32_t xset)
{
	struct mk_link *l;
	uint64_t row;
	int err;

	if (!may_have_names(st))
		return 0;
	err = mk_spool_add(links->rows, 1, &row);
	if (err)
		return err;
	l = mk_spool_at(links->rows, row);
	*l = link_of(st);
	l->entry = entry;
	l->xset = xset;
	return mk_slots_add(&links->slots, hash_link(l));
}
