/* SPDX-License-Identifier: MIT */
/*
 * index_dir - entries of directories.
 *
 * An entry repeats what its inode says (type, sharing leader), and a walker
 * trusts it to come to an end. So an entry is compared with its inode before
 * it is given out: a subdirectory's row must be greater than its directory's,
 * and its inode must name that directory as its parent. When the inode cannot
 * be read, the name is given out all the same: nobody can go on from there,
 * since that needs the inode.
 *
 * What is left is a directory with several names in the one directory that is
 * its parent. Who asks for one entry cannot see that without looking at all the
 * others; who goes through them in order does, since the rows of subdirectories
 * ascend (see arc_index_entry()).
 */
#include <sys/stat.h>

#include "index_i.h"

/* The windows of one request. */
struct reader {
	struct arc_index *idx;
	const struct arc_inode *dir;
	struct index_view dirent;
	struct index_view name;
	struct index_view inode;
};

static struct reader reader_of(struct arc_index *idx,
			       const struct arc_inode *dir)
{
	return (struct reader){
		.idx = idx,
		.dir = dir,
		.dirent = INDEX_VIEW(idx, ARC_TABLE_DIRENT),
		.name = INDEX_VIEW(idx, ARC_TABLE_NAME),
		.inode = INDEX_VIEW(idx, ARC_TABLE_INODE),
	};
}

static void end_reader(struct reader *r)
{
	index_view_end(&r->dirent);
	index_view_end(&r->name);
	index_view_end(&r->inode);
}

/* An entry's row and its name, valid until the next call. */
static int read_entry(struct reader *r, uint64_t row,
		      const struct arc_disk_dirent **ret, struct arc_span *name)
{
	const struct arc_disk_dirent *d;
	const void *p;
	int err = index_view_row(&r->dirent, row, &p);

	if (err < 0)
		return err;
	d = p;
	err = index_view_item(&r->name, arc_get64(d->name), 1, name);
	if (err < 0)
		return err;
	if (!arc_format_name_ok(name->p, name->n))
		return -EBADMSG;
	*ret = d;
	return 0;
}

static int compare_names(struct arc_span a, struct arc_span b)
{
	int cmp = memcmp(a.p, b.p, ARC_MIN(a.n, b.n));

	return cmp ? cmp : (a.n > b.n) - (a.n < b.n);
}

/* ---- an entry against its inode ----------------------------------------- */

static bool is_subdirectory(const struct reader *r, uint64_t row,
			    const struct arc_disk_inode *inode)
{
	uint64_t dir = r->dir->ino - 1;

	return row > dir && arc_get64(inode->leader) == dir;
}

/* The sharing leader of a file is a file that leads itself. */
static bool leads(const struct arc_disk_inode *leader, uint64_t share)
{
	return S_ISREG(arc_get32(leader->mode)) &&
	       arc_get64(leader->share) == share;
}

/* 1: the row was read; 0: it cannot be. */
static int view_inode(struct reader *r, uint64_t row,
		      const struct arc_disk_inode **ret)
{
	const void *p;
	int err = index_view_row(&r->inode, row, &p);

	if (err == -ENOMEM)
		return err;
	*ret = err < 0 ? NULL : p;
	return err == 0;
}

static int check_inode(struct reader *r, const struct arc_dirent *e)
{
	const struct arc_disk_inode *inode;
	uint64_t row = e->ino - 1, share = e->share - 1;
	int got = view_inode(r, row, &inode);

	if (got <= 0)
		return got;
	if ((arc_get32(inode->mode) & S_IFMT) != e->type ||
	    arc_get64(inode->share) != share)
		return -EBADMSG;
	if (S_ISDIR(e->type) && !is_subdirectory(r, row, inode))
		return -EBADMSG;
	if (share == row)
		return 0;
	if (!S_ISREG(e->type))
		return -EBADMSG;
	got = view_inode(r, share, &inode);
	if (got <= 0)
		return got;
	return leads(inode, share) ? 0 : -EBADMSG;
}

/* Makes the answer from what was read. */
static int give_entry(struct reader *r, const struct arc_disk_dirent *d,
		      struct arc_span name, struct arc_dirent *ret)
{
	uint64_t rows = r->idx->table[ARC_TABLE_INODE].rows;
	uint64_t row = arc_get64(d->row);
	uint64_t share = arc_get64(d->share);

	if (row >= rows || share >= rows)
		return -EBADMSG;
	ret->ino = row + 1;
	ret->share = share + 1;
	ret->type = (uint32_t)d->type << 12;
	ret->name_len = (uint8_t)name.n;
	memcpy(ret->name, name.p, name.n);
	ret->name[name.n] = '\0';
	return check_inode(r, ret);
}

/* ---- by name ------------------------------------------------------------ */

struct name_probe {
	struct reader *reader;
	struct arc_span name;
};

static int probe_name(void *ctx, uint64_t row, int *ret_cmp)
{
	struct name_probe *p = ctx;
	const struct arc_disk_dirent *d;
	struct arc_span name;
	int err = read_entry(p->reader, row, &d, &name);

	if (err < 0)
		return err;
	*ret_cmp = compare_names(name, p->name);
	return 0;
}

int arc_index_lookup(struct arc_index *idx, const struct arc_inode *dir,
		     const char *name, size_t n, struct arc_dirent *ret)
{
	arc_cleanup(end_reader) struct reader r = reader_of(idx, dir);
	struct name_probe probe = { &r, { (const uint8_t *)name, n } };
	const struct arc_disk_dirent *d;
	struct arc_span found_name;
	struct arc_dirent entry;
	uint64_t row;
	bool found;
	int err;

	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (n == 0 || n > ARC_NAME_MAX)
		return -ENOENT;
	err = index_bisect(probe_name, &probe, dir->data, dir->data + dir->size,
			   &row, &found);
	if (err < 0)
		return err;
	if (!found)
		return -ENOENT;
	err = read_entry(&r, row, &d, &found_name);
	if (err < 0)
		return err;
	err = give_entry(&r, d, found_name, &entry);
	if (err < 0)
		return err;
	*ret = entry;
	return 0;
}

/* ---- by number ---------------------------------------------------------- */

/* The name of entry i against the one before it. */
static int check_order(struct reader *r, uint64_t i, const struct arc_dirent *e)
{
	struct arc_span own = { (const uint8_t *)e->name, e->name_len };
	const struct arc_disk_dirent *d;
	struct arc_span before;
	int err;

	if (i == 0)
		return 0;
	err = read_entry(r, r->dir->data + i - 1, &d, &before);
	if (err < 0) /* its fault, not this entry's */
		return err == -ENOMEM ? err : 0;
	return compare_names(before, own) < 0 ? 0 : -EBADMSG;
}

int arc_index_entry(struct arc_index *idx, const struct arc_inode *dir,
		    uint64_t i, struct arc_dirent *ret)
{
	arc_cleanup(end_reader) struct reader r = reader_of(idx, dir);
	const struct arc_disk_dirent *d;
	struct arc_dirent entry;
	struct arc_span name;
	int err;

	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (i >= dir->size)
		return -ENOENT;
	err = read_entry(&r, dir->data + i, &d, &name);
	if (err < 0)
		return err;
	err = give_entry(&r, d, name, &entry);
	if (err < 0)
		return err;
	err = check_order(&r, i, &entry);
	if (err < 0)
		return err;
	*ret = entry;
	return 0;
}

uint64_t arc_index_entry_after(struct arc_index *idx,
			       const struct arc_inode *dir, uint64_t i)
{
	uint64_t row = index_row_after(idx, ARC_TABLE_DIRENT, dir->data + i);

	return ARC_MIN(row - dir->data, dir->size);
}
