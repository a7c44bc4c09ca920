/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "slots.h"

/* The table over tree->xsets by the hash of a set. */
struct mk_interned {
	struct mk_slots slots;
};

/* ---- open and close ------------------------------------------------------ */

static int open_spools(struct mk_tree *t, int tmp_fd, bool sha256)
{
	const struct {
		struct mk_spool *spool;
		size_t row_size;
	} all[] = {
		{ &t->entries, sizeof(struct mk_entry) },
		{ &t->names, 1 },
		{ &t->text, 1 },
		{ &t->xsets, sizeof(struct mk_xset) },
		{ &t->xattrs, sizeof(struct mk_xattr) },
		{ &t->extents, sizeof(struct mk_extent) },
		{ &t->digests, sizeof(struct arc_digest128) },
		{ &t->links, sizeof(struct mk_link) },
		{ &t->sha256, 32 },
	};

	for (size_t i = 0; i < ARC_COUNT(all) - !sha256; i++) {
		int err = mk_spool_open(all[i].spool, tmp_fd, all[i].row_size);

		if (err)
			return err;
	}
	return 0;
}

int mk_tree_open(struct mk_tree *t, int tmp_fd, bool sha256)
{
	uint64_t empty_name;
	int err;

	*t = (struct mk_tree){ .root_fd = -1 };
	t->tmp_fd = fcntl(tmp_fd, F_DUPFD_CLOEXEC, 0);
	err = t->tmp_fd < 0 ? -errno : open_spools(t, tmp_fd, sha256);
	/* Offset 0 of the names is the empty one: the root's. */
	if (!err)
		err = mk_spool_add(&t->names, 1, &empty_name);
	if (!err) {
		t->interned = calloc(1, sizeof(*t->interned));
		if (!t->interned)
			err = -ENOMEM;
	}
	if (!err)
		mk_slots_init(&t->interned->slots, t->tmp_fd);
	if (err)
		mk_tree_close(t);
	return err;
}

void mk_tree_close(struct mk_tree *t)
{
	if (!t)
		return;
	/* One that never was open has no first spool and no descriptor. */
	if (t->entries.base && t->root_fd >= 0)
		close(t->root_fd);
	if (t->entries.base)
		close(t->tmp_fd);
	free(t->root_path);
	if (t->interned)
		mk_slots_fini(&t->interned->slots);
	free(t->interned);
	mk_tree_drop_held(t);
	mk_spool_close(&t->entries);
	mk_spool_close(&t->names);
	mk_spool_close(&t->text);
	mk_spool_close(&t->xsets);
	mk_spool_close(&t->xattrs);
	mk_spool_close(&t->extents);
	mk_spool_close(&t->digests);
	mk_spool_close(&t->sha256);
	mk_spool_close(&t->links);
	mk_spool_close(&t->order);
	*t = (struct mk_tree){ .root_fd = -1 };
}

void mk_tree_drop_held(struct mk_tree *t)
{
	mk_held_free(arc_steal(t->held));
}

void mk_tree_release(const struct mk_tree *t)
{
	mk_spool_release(&t->entries);
	mk_spool_release(&t->names);
	mk_spool_release(&t->text);
	mk_spool_release(&t->xsets);
	mk_spool_release(&t->xattrs);
	mk_spool_release(&t->extents);
	mk_spool_release(&t->digests);
	mk_spool_release(&t->sha256);
	mk_spool_release(&t->links);
	mk_spool_release(&t->order);
}

void mk_tree_step(const struct mk_tree *t, uint64_t step)
{
	if (step % MK_SPOOL_STEP == 0 && mk_spool_is_time())
		mk_tree_release(t);
}

/* ---- entries ------------------------------------------------------------- */

int mk_tree_add(struct mk_tree *t, uint64_t n, uint64_t *ret_first)
{
	uint64_t first, same;
	int err = mk_spool_add(&t->digests, n, &same);

	if (!err && t->sha256.base)
		err = mk_spool_add(&t->sha256, n, &same);
	if (!err)
		err = mk_spool_add(&t->entries, n, &first);
	if (err)
		return err;
	for (uint64_t i = first; i < first + n; i++) {
		mk_tree_at(t, i)->link = i;
		mk_tree_at(t, i)->leader = i;
	}
	*ret_first = first;
	return 0;
}

int mk_tree_set_name(struct mk_tree *t, uint64_t entry, const char *name)
{
	size_t n = strlen(name) + 1;
	uint64_t at;
	int err = mk_spool_add(&t->names, n, &at);

	if (err)
		return err;
	memcpy(mk_spool_at(&t->names, at), name, n);
	mk_tree_at(t, entry)->name = at;
	return 0;
}

int mk_tree_path(const struct mk_tree *t, uint64_t entry, struct arc_buf *buf)
{
	size_t n = 0;
	uint8_t *p;
	int err;

	for (uint64_t i = entry; i != 0; i = mk_tree_at(t, i)->parent)
		n += strlen(mk_tree_name(t, mk_tree_at(t, i))) + 1;
	if (n > 0)
		n--; /* no slash in front of the first name */
	err = arc_buf_reserve(buf, n + 1);
	if (err)
		return err;
	p = buf->p + buf->n + n;
	*p = 0;
	for (uint64_t i = entry; i != 0; i = mk_tree_at(t, i)->parent) {
		const char *name = mk_tree_name(t, mk_tree_at(t, i));
		size_t len = strlen(name);

		p -= len;
		memcpy(p, name, len);
		if (p > buf->p + buf->n)
			*--p = '/';
	}
	buf->n += n;
	return 0;
}

/* ---- text and attributes ------------------------------------------------- */

int mk_tree_add_text(struct mk_tree *t, const void *bytes, size_t n,
		     uint64_t *ret_offset)
{
	struct arc_le32 head = arc_put32((uint32_t)n);
	uint64_t room, at, pad = 0;
	int err;

	if (n > ARC_BLOCK_MAX - sizeof(head))
		return -E2BIG;
	room = ARC_BLOCK_MAX - t->text.count % ARC_BLOCK_MAX;
	if (room < n + sizeof(head))
		pad = room;
	err = mk_spool_add(&t->text, pad + sizeof(head) + n, &at);
	if (err)
		return err;
	at += pad;
	memcpy(mk_spool_at(&t->text, at), &head, sizeof(head));
	if (n > 0)
		memcpy(mk_spool_at(&t->text, at + sizeof(head)), bytes, n);
	*ret_offset = at;
	return 0;
}

/* The set that is looked for, and where to look. */
struct wanted {
	const struct mk_tree *t;
	const struct mk_xattr_in *set;
	size_t n;
	uint64_t hash;
};

static bool item_is(const struct mk_tree *t, uint64_t at, const void *bytes,
		    size_t n)
{
	struct arc_le32 head;

	memcpy(&head, mk_spool_at(&t->text, at), sizeof(head));
	return arc_get32(head) == n &&
	       (n == 0 || memcmp(mk_spool_at(&t->text, at + sizeof(head)),
				 bytes, n) == 0);
}

static bool is_wanted_set(const void *ctx, uint32_t row)
{
	const struct wanted *w = ctx;
	const struct mk_xset *x = mk_spool_at(&w->t->xsets, row);

	if (x->hash != w->hash || x->count != w->n)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		const struct mk_xattr *a =
			mk_spool_at(&w->t->xattrs, x->first + i);

		if (!item_is(w->t, a->name, w->set[i].name,
			     strlen(w->set[i].name)) ||
		    !item_is(w->t, a->value, w->set[i].value, w->set[i].n))
			return false;
	}
	return true;
}

/* Names with their NUL and lengths go in: nothing can run into the next. */
static uint64_t hash_set(const struct mk_xattr_in *set, size_t n)
{
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++) {
		const uint64_t parts[] = {
			hash,
			arc_xxh64(set[i].name, strlen(set[i].name) + 1),
			set[i].n,
			set[i].n ? arc_xxh64(set[i].value, set[i].n) : 0,
		};

		hash = arc_xxh64(parts, sizeof(parts));
	}
	return hash;
}

static int add_set(struct mk_tree *t, const struct wanted *w)
{
	uint64_t first, row;
	struct mk_xset *x;
	int err = mk_spool_add(&t->xattrs, w->n, &first);

	for (size_t i = 0; !err && i < w->n; i++) {
		struct mk_xattr *a = mk_spool_at(&t->xattrs, first + i);

		err = mk_tree_add_text(t, w->set[i].name,
				       strlen(w->set[i].name), &a->name);
		if (!err)
			err = mk_tree_add_text(t, w->set[i].value, w->set[i].n,
					       &a->value);
	}
	if (!err)
		err = mk_spool_add(&t->xsets, 1, &row);
	if (err)
		return err;
	x = mk_spool_at(&t->xsets, row);
	*x = (struct mk_xset){ .first = first, .count = w->n, .hash = w->hash };
	return mk_slots_add(&t->interned->slots, w->hash);
}

int mk_tree_intern(struct mk_tree *t, const struct mk_xattr_in *set, size_t n,
		   uint32_t *ret)
{
	struct wanted w = { .t = t, .set = set, .n = n };
	uint32_t row;
	int err;

	if (n == 0) {
		*ret = 0;
		return 0;
	}
	w.hash = hash_set(set, n);
	if (mk_slots_find(&t->interned->slots, w.hash, is_wanted_set, &w,
			  &row)) {
		*ret = row + 1;
		return 0;
	}
	if (t->xsets.count >= UINT32_MAX)
		return -E2BIG;
	err = add_set(t, &w);
	if (!err)
		*ret = (uint32_t)t->xsets.count;
	return err;
}
