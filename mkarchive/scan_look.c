/* SPDX-License-Identifier: MIT */
/*
 * What the walk asks threads for: in each directory that it is in the next few
 * subdirectories, those of the innermost first. Far down it asks for nothing:
 * every look begins at the root.
 */
#include <string.h>

#include "scan_i.h"

#define DEPTH_MAX 64

/* Whether the walk will enter it. */
static bool is_entered(const struct mk_scanner *sc, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(sc->tree, entry);

	return S_ISDIR(e->mode) &&
	       (!sc->run->opt->one_file_system || e->dev == sc->root_dev);
}

int mk_scan_look_ahead(struct mk_scanner *sc)
{
	struct mk_dir_frame *f = mk_dirs_top(&sc->dirs);
	const struct mk_entry *e = mk_tree_at(sc->tree, f->entry);
	uint64_t end = e->children + e->child_count;
	int err = 0;

	if (!sc->ahead || sc->dirs.depth > DEPTH_MAX)
		return 0;
	f->look_at = ARC_MAX(f->look_at, f->next);
	while (!err && f->looks < ARC_MIN(f->dirs_left, MK_SCAN_LOOKS) &&
	       f->look_at < end) {
		uint64_t entry = f->look_at++;

		mk_scan_step(sc);
		if (!is_entered(sc, entry))
			continue;
		err = mk_look_new(sc->ahead, entry,
				  f->looks ? f->look[f->looks - 1] : NULL,
				  &f->look[f->looks]);
		f->looks += !err;
	}
	return err;
}

struct mk_look *mk_scan_look_of(struct mk_scanner *sc, uint64_t entry)
{
	struct mk_dir_frame *f = mk_dirs_top(&sc->dirs);
	struct mk_look *look = f->look[0];

	if (!f->looks || mk_look_entry(look) != entry)
		return NULL;
	f->looks--;
	memmove(f->look, f->look + 1, f->looks * sizeof(*f->look));
	return look;
}

void mk_scan_drop_looks(struct mk_scanner *sc, struct mk_dir_frame *f)
{
	while (f->looks > 0)
		mk_look_free(sc->ahead, f->look[--f->looks]);
}
