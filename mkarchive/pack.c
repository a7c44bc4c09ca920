/* SPDX-License-Identifier: MIT */
/*
 * One walk over the entries in the order of the tree. Files go into the stream
 * one behind the other; a duplicate is not read again when what its leader was
 * packed with is what the two were found to share.
 *
 * A leader can be lost meanwhile, and so can the first name of a hard-linked
 * inode. Its place is then taken by the next that can be read: the lost entry's
 * `leader` or `link` says which, for those that come later. These references
 * only ever lead to later entries, so following them comes to an end.
 *
 * Where there is an order of its own (order.h), what it names is packed first;
 * the walk then finds it done. None of that is a duplicate or a further name,
 * so what the walk relies on still holds: a leader comes before those it leads.
 */
#include "pack.h"

#include <string.h>
#include <sys/stat.h>

#include "pack_i.h"
#include "pool.h"

static bool is_gone(const struct mk_entry *e)
{
	return e->flags & MK_ENTRY_GONE;
}

/* ---- duplicates --------------------------------------------------------- */

/* Where the leader's data is: the leader, or the last that took its place. */
static uint64_t heir_of(const struct mk_tree *t, uint64_t leader)
{
	const struct mk_entry *l = mk_tree_at(t, leader);

	while (is_gone(l) && (l->link != leader || l->leader != leader)) {
		leader = l->link != leader ? l->link : l->leader;
		l = mk_tree_at(t, leader);
	}
	return leader;
}

/* Was packed with the content that the duplicate was compared with. */
static bool holds_same(const struct mk_tree *t, uint64_t heir, uint64_t entry)
{
	const struct mk_entry *h = mk_tree_at(t, heir);

	return !is_gone(h) && heir < entry &&
	       h->size == mk_tree_at(t, entry)->size &&
	       memcmp(mk_spool_at(&t->digests, heir),
		      mk_spool_at(&t->digests, entry),
		      sizeof(struct arc_digest128)) == 0;
}

/* Takes the heir's data. *ret_done false: it has to be stored itself. */
static int follow(struct mk_packer *p, uint64_t entry, uint64_t heir,
		  bool *ret_done)
{
	struct mk_tree *t = p->tree;
	int r;

	*ret_done = false;
	if (!holds_same(t, heir, entry))
		return 0;
	r = mk_pack_follow(p, entry, heir, ret_done);
	if (r < 0 || !*ret_done)
		return r;
	mk_tree_at(t, entry)->leader = heir;
	mk_tree_at(t, entry)->flags &= ~(uint32_t)MK_ENTRY_HELD;
	if (p->sha256)
		memcpy(mk_spool_at(&t->sha256, entry),
		       mk_spool_at(&t->sha256, heir), 32);
	return 0;
}

static int pack_duplicate(struct mk_packer *p, uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);
	uint64_t heir = heir_of(p->tree, e->leader);
	bool done;
	int r = follow(p, entry, heir, &done);

	if (r < 0 || done)
		return r;
	mk_count(&p->run->stats.duplicates, (uint64_t)-1);
	mk_count(&p->run->stats.duplicate_bytes, -e->size);
	e->leader = entry;
	r = mk_pack_store(p, entry);
	if (r >= 0 && !is_gone(e) && is_gone(mk_tree_at(p->tree, heir)))
		mk_tree_at(p->tree, heir)->leader = entry;
	return r;
}

/* ---- entries ------------------------------------------------------------ */

static int pack_inode(struct mk_packer *p, uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(p->tree, entry);

	if (!e->size) {
		e->leader = entry;
		return mk_pack_store_empty(p, entry);
	}
	if (e->flags & MK_ENTRY_CANDIDATE && e->leader != entry)
		return pack_duplicate(p, entry);
	e->leader = entry;
	return mk_pack_store(p, entry);
}

/* A further name of an inode: if the names before it were lost, the inode is
 * read under this one. */
static int pack_name(struct mk_packer *p, uint64_t entry)
{
	struct mk_tree *t = p->tree;
	struct mk_entry *e = mk_tree_at(t, entry);
	struct mk_entry *first;
	uint64_t link = e->link;

	/* The first name may lie anywhere: not looked at without need. */
	if (!p->lost)
		return 0;
	while (mk_tree_at(t, link)->link != link)
		link = mk_tree_at(t, link)->link;
	first = mk_tree_at(t, link);
	e->link = link;
	if (!is_gone(first))
		return 0;
	first->link = entry;
	e->link = entry;
	e->leader = first->leader == link ? entry : first->leader;
	e->flags |= first->flags & (MK_ENTRY_CANDIDATE | MK_ENTRY_LEADER);
	memcpy(mk_spool_at(&t->digests, entry), mk_spool_at(&t->digests, link),
	       sizeof(struct arc_digest128));
	mk_count(&p->run->stats.bytes, e->size);
	return pack_inode(p, entry);
}

static int pack_entry(struct mk_packer *p, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(p->tree, entry);
	int r = 0;

	if (!S_ISREG(e->mode) || e->flags & MK_ENTRY_PACKED)
		return 0;
	if (!is_gone(e))
		r = e->link == entry ? pack_inode(p, entry)
				     : pack_name(p, entry);
	p->lost |= is_gone(e);
	return r;
}

/* What has an order of its own. */
static int pack_ordered(struct mk_packer *p)
{
	const struct mk_spool *order = &p->tree->order;
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < order->count; i++) {
		uint64_t entry = *(const uint64_t *)mk_spool_at(order, i);

		if (p->ahead)
			mk_ahead_reach(p->ahead, i);
		r = pack_entry(p, entry);
		mk_tree_at(p->tree, entry)->flags |= MK_ENTRY_PACKED;
		mk_tree_step(p->tree, i);
	}
	mk_ahead_free(arc_steal(p->ahead));
	return r;
}

static int pack_all(struct mk_packer *p)
{
	int r = p->tree->order.base ? pack_ordered(p) : 0;

	for (uint64_t i = 0; r >= 0 && i < p->tree->entries.count; i++) {
		if (p->ahead)
			mk_ahead_reach(p->ahead, i);
		r = pack_entry(p, i);
		mk_tree_step(p->tree, i);
	}
	return r;
}

/* What was chosen, for who wants to know why. */
static void say_threads(const struct mk_run *run, const struct mk_ahead *ahead)
{
	const struct mk_options *opt = run->opt;

	arc_say(run->diag, ARC_DEBUG,
		"%u threads compress; this machine has %u cores", opt->threads,
		arc_cpu_count());
	if (ahead)
		arc_say(run->diag, ARC_DEBUG,
			"files of up to 1M are read before their turn by 1 to "
			"%u threads, more of them while cores are idle; larger "
			"ones are read when it is their turn",
			opt->readers);
	else
		arc_say(run->diag, ARC_DEBUG,
			"no file of up to 1M is left to be read before its "
			"turn: no thread does");
}

int mk_pack(struct mk_run *run, struct mk_tree *tree,
	    struct mk_volume_sink *sink, struct arc_disk_root *root,
	    struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx)
{
	arc_cleanup(mk_framering_freep) struct mk_framering *ring = NULL;
	arc_cleanup(mk_source_freep) struct mk_source *source = NULL;
	arc_cleanup(arc_digest_freep) struct arc_digest *digest = NULL;
	arc_cleanup(arc_sha256_freep) struct arc_sha256 *sha256 = NULL;
	struct mk_packer p = { .run = run, .tree = tree };
	int r = mk_framering_new(run, sink, &ring);

	if (r >= 0)
		r = mk_source_new(tree, &source);
	if (r >= 0)
		r = arc_digest_new(&digest);
	if (r >= 0 && tree->sha256.base)
		r = arc_sha256_new(&sha256);
	if (r >= 0)
		r = mk_ahead_new(run, tree, &p.ahead);
	if (r < 0)
		return r;
	say_threads(run, p.ahead);
	p.ring = ring;
	p.source = source;
	p.digest = digest;
	p.sha256 = sha256;
	r = pack_all(&p);
	mk_ahead_free(p.ahead);
	mk_tree_drop_held(tree);
	if (r < 0)
		return r;
	/* They told duplicates apart; from here on only the index has use for
	 * them, if it is to have them. */
	if (run->opt->digest == MK_DIGEST_NONE)
		mk_spool_close(&tree->digests);
	return mk_framering_finish(ring, root, ret_vw, ret_idx);
}
