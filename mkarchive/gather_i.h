/* SPDX-License-Identifier: MIT */
/*
 * gather_i - what the files of gather share: gather.c takes names and inodes as
 * they come, gather_order.c brings them into the order of the tree.
 *
 * Threads: one owner.
 */
#ifndef MK_GATHER_I_H
#define MK_GATHER_I_H

#include "gather.h"
#include "slots.h"

struct mk_gather_name {
	uint64_t parent; /* name of its directory; the root: 0 */
	uint64_t text; /* in tree->names */
	uint64_t inode; /* MK_NONE: placed, but nothing came */
	uint64_t count; /* names in it; at the end those that came */
	uint64_t first; /* at the end: its first row of children */
};

/* For the order of the tree. */
struct mk_gather_child {
	uint64_t parent;
	uint64_t name;
};

struct mk_gather {
	struct mk_tree *tree;
	int tmp_fd;
	struct mk_spool names; /* struct mk_gather_name; 0 is the root */
	struct mk_spool inodes; /* struct mk_gathered */
	struct mk_spool contents; /* u64: first entry of each */
	struct mk_spool children; /* struct mk_gather_child */
	struct mk_slots slots; /* over names */
	uint64_t steps;
};

static inline struct mk_gather_name *
mk_gather_name_at(const struct mk_gather *g, uint64_t i)
{
	return mk_spool_at(&g->names, i);
}

static inline void mk_gather_step(struct mk_gather *g)
{
	if (++g->steps % MK_SPOOL_STEP == 0 && mk_spool_is_time())
		mk_gather_release(g);
}

static inline const char *mk_gather_text(const struct mk_gather *g,
					 const struct mk_gather_name *nm)
{
	return mk_spool_at(&g->tree->names, nm->text);
}

/* Makes a directory that did not come itself, owned and dated as `like`. */
int mk_gather_make_up(struct mk_gather *g, uint64_t name,
		      const struct mk_entry *like);

#endif
