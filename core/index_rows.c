/* SPDX-License-Identifier: MIT */
/*
 * index_rows - checks every row, for damage that no checksum knows: rows that
 * a faulty or hostile writer made.
 *
 * Whoever asks for a row gets it checked; here every row is asked for. An
 * answer of -EBADMSG may also mean that a block cannot be read, which
 * arc_index_verify() reports: so a row is blamed only when all blocks that it
 * speaks of can be read.
 *
 * Directories of one archive have no entry in common, lists of extents no row.
 * A tree in which they have would make the work quadratic; their sums are
 * compared with the tables before the rows are looked at.
 *
 * Entries, extents and attributes are visited from the inodes and sets that
 * they belong to.
 */
#include <sys/stat.h>

#include "index_i.h"

static void blame(struct index_check *c, enum arc_table_id table, uint64_t row)
{
	pthread_mutex_lock(&c->lock);
	c->damaged++;
	c->bad_row(c->ctx, c->idx->table[table].layout->name, row);
	pthread_mutex_unlock(&c->lock);
}

/* Whether the blocks of rows [first, first + n) can be read; rows that do not
 * exist can. */
static bool readable(const struct index_check *c, enum arc_table_id table,
		     uint64_t first, uint64_t n)
{
	const struct index_table *t = &c->idx->table[table];
	uint32_t per = t->layout->rows_per_block;
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(c->idx, table);
	const void *p;

	if (!arc_range_ok(first, n, t->rows))
		return true;
	for (uint64_t row = first; row < first + n; row += per - row % per)
		if (index_view_row(&v, row, &p) < 0)
			return false;
	return true;
}

/* Whether an error is the row's own: -ENOMEM ends the work, and what a volume
 * lacks has been reported. */
static bool is_damage(int err)
{
	return err == -EBADMSG;
}

static int fatal(int err)
{
	return err == -ENOMEM ? err : 0;
}

/* ---- what hangs on an inode --------------------------------------------- */

static bool entry_readable(const struct index_check *c, uint64_t row)
{
	struct arc_disk_dirent d;

	return index_copy_row(c->idx, ARC_TABLE_DIRENT, row, &d) == 0 &&
	       readable(c, ARC_TABLE_NAME, arc_get64(d.name), 1);
}

static int check_entries(struct index_check *c, const struct arc_inode *dir)
{
	uint64_t last = 0; /* number of the subdirectory before */

	for (uint64_t i = 0; i < dir->size; i++) {
		struct arc_dirent e;
		int err = arc_index_entry(c->idx, dir, i, &e);

		if (err == 0 && S_ISDIR(e.type) && e.ino <= last)
			err = -EBADMSG;
		if (err == 0) {
			last = S_ISDIR(e.type) ? e.ino : last;
			continue;
		}
		/* What lies behind a block that is missing may not exist. */
		if (!is_damage(err) || !entry_readable(c, dir->data + i))
			return fatal(err);
		blame(c, ARC_TABLE_DIRENT, dir->data + i);
	}
	return 0;
}

static int check_dir(struct index_check *c, const struct arc_inode *dir)
{
	uint64_t rows = c->idx->table[ARC_TABLE_DIRENT].rows;
	uint64_t before = atomic_fetch_add(&c->entries, dir->size);

	if (before > rows || dir->size > rows - before) {
		blame(c, ARC_TABLE_INODE, dir->ino - 1);
		return 0;
	}
	return check_entries(c, dir);
}

/* The content leader is a file of the same size. */
static bool leader_fits(struct index_check *c, const struct arc_inode *file)
{
	struct arc_inode leader;

	if (file->leader == file->ino ||
	    arc_index_inode(c->idx, file->leader, &leader) < 0)
		return true;
	return S_ISREG(leader.mode) && leader.size == file->size;
}

static int check_file(struct index_check *c, const struct arc_inode *file)
{
	uint64_t rows = c->idx->table[ARC_TABLE_EXTENT].rows;
	uint64_t before, bytes;
	bool good = leader_fits(c, file);
	int err = 0;

	if (good && file->has_extents) {
		before = atomic_fetch_add(&c->extents, file->extents);
		good = before <= rows && file->extents <= rows - before;
		if (good)
			err = arc_index_data_bytes(c->idx, file, &bytes);
	}
	if (!good || (is_damage(err) &&
		      readable(c, ARC_TABLE_EXTENT, file->data, file->extents)))
		blame(c, ARC_TABLE_INODE, file->ino - 1);
	return fatal(err);
}

static int check_symlink(struct index_check *c, const struct arc_inode *link)
{
	arc_cleanup(arc_freep) char *target = NULL;
	int err = arc_index_target(c->idx, link, &target);

	if (is_damage(err) && readable(c, ARC_TABLE_TEXT, link->data, 1))
		blame(c, ARC_TABLE_INODE, link->ino - 1);
	return fatal(err);
}

static int check_inode(void *ctx, uint64_t row)
{
	struct index_check *c = ctx;
	struct arc_inode inode;
	int err = arc_index_inode(c->idx, row + 1, &inode);

	if (is_damage(err) && readable(c, ARC_TABLE_INODE, row, 1))
		blame(c, ARC_TABLE_INODE, row);
	if (err < 0)
		return fatal(err);
	if (S_ISDIR(inode.mode))
		return check_dir(c, &inode);
	if (S_ISREG(inode.mode))
		return check_file(c, &inode);
	return S_ISLNK(inode.mode) ? check_symlink(c, &inode) : 0;
}

/* ---- attributes and frames ---------------------------------------------- */

static bool attributes_readable(const struct index_check *c, uint64_t row)
{
	struct arc_disk_xset set;
	uint32_t count;

	if (index_copy_row(c->idx, ARC_TABLE_XSET, row, &set) < 0)
		return false;
	count = ARC_MIN(arc_get32(set.count), ARC_XATTRS_MAX);
	if (!readable(c, ARC_TABLE_XATTR, arc_get64(set.first), count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct arc_disk_xattr x;

		if (index_copy_row(c->idx, ARC_TABLE_XATTR,
				   arc_get64(set.first) + i, &x) < 0)
			break; /* no such row */
		if (!readable(c, ARC_TABLE_TEXT, arc_get64(x.name), 1) ||
		    !readable(c, ARC_TABLE_TEXT, arc_get64(x.value), 1))
			return false;
	}
	return true;
}

static int check_xset(void *ctx, uint64_t row)
{
	struct index_check *c = ctx;
	struct arc_inode any = { .xset = (uint32_t)row + 1 };
	char name[ARC_XATTR_NAME_MAX + 1];
	int err = row < UINT32_MAX ? 0 : -ENODATA; /* no inode can name it */

	for (uint32_t i = 0; err == 0; i++) {
		arc_cleanup(arc_freep) uint8_t *value = NULL;
		size_t n;

		err = arc_index_xattr(c->idx, &any, i, name, &value, &n);
	}
	if (is_damage(err) && attributes_readable(c, row))
		blame(c, ARC_TABLE_XSET, row);
	return fatal(err);
}

static int check_frame(void *ctx, uint64_t row)
{
	struct index_check *c = ctx;
	struct arc_frame f;
	int err = arc_index_frame(c->idx, row, &f);

	if (is_damage(err) && readable(c, ARC_TABLE_FRAME, row, 1))
		blame(c, ARC_TABLE_FRAME, row);
	return fatal(err);
}

arc_each_fn index_row_check(enum arc_table_id table)
{
	switch ((int)table) {
	case ARC_TABLE_INODE:
		return check_inode;
	case ARC_TABLE_XSET:
		return check_xset;
	case ARC_TABLE_FRAME:
		return check_frame;
	default:
		return NULL;
	}
}
