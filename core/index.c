/* SPDX-License-Identifier: MIT */
/*
 * index - inodes and what hangs on them directly: targets, attributes,
 * digests. Rows are copied out of their pinned block and checked there and
 * then; nothing is allocated on the way to an inode.
 */
#include <sys/stat.h>

#include "index_i.h"

/* ---- inodes ------------------------------------------------------------- */

static bool type_known(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	default:
		return false;
	}
}

/* Whether `data` and `extents` point to something that exists. */
static bool data_ok(const struct arc_index *idx, const struct arc_inode *in)
{
	const struct index_table *t = idx->table;

	switch (in->mode & S_IFMT) {
	case S_IFREG:
		return in->has_extents ? arc_range_ok(in->data, in->extents,
						      t[ARC_TABLE_EXTENT].rows)
				       : arc_range_ok(in->data, in->size,
						      idx->summary.stream);
	case S_IFDIR:
		return arc_range_ok(in->data, in->size,
				    t[ARC_TABLE_DIRENT].rows);
	case S_IFLNK:
		return in->size > 0 && in->size <= ARC_TARGET_MAX &&
		       in->data < t[ARC_TABLE_TEXT].rows;
	default:
		return in->size == 0;
	}
}

/* The leader of a directory is its parent, which stands before it. */
static bool leader_ok(uint64_t row, uint64_t leader, uint64_t rows,
		      const struct arc_inode *in)
{
	if (S_ISDIR(in->mode))
		return row == 0 ? leader == 0 : leader < row;
	return row > 0 && leader < rows;
}

static int parse_inode(const struct arc_index *idx, uint64_t row,
		       const struct arc_disk_inode *d, struct arc_inode *ret)
{
	uint64_t rows = idx->table[ARC_TABLE_INODE].rows;
	uint64_t leader = arc_get64(d->leader);
	uint64_t share = arc_get64(d->share);
	uint32_t flags = arc_get32(d->flags);
	struct arc_inode in = {
		.ino = row + 1,
		.mode = arc_get32(d->mode),
		.uid = arc_get32(d->uid),
		.gid = arc_get32(d->gid),
		.nlink = arc_get32(d->nlink),
		.mtime = (int64_t)arc_get64(d->mtime),
		.mtime_ns = arc_get32(d->mtime_ns),
		.size = arc_get64(d->size),
		.data = arc_get64(d->data),
		.share = share + 1,
		.share_nlink = arc_get32(d->share_nlink),
		.xset = arc_get32(d->xset),
		.extents = arc_get32(d->extents),
		.has_extents = flags & ARC_INODE_EXTENTS,
	};

	if (!type_known(in.mode) || (in.mode & ~(uint32_t)(S_IFMT | 07777)) ||
	    in.mtime_ns > 999999999 || in.size > ARC_FILE_SIZE_MAX ||
	    in.nlink == 0 || in.xset > idx->table[ARC_TABLE_XSET].rows)
		return -EBADMSG;
	if ((flags & ~(uint32_t)ARC_INODE_KNOWN) ||
	    (in.has_extents && !S_ISREG(in.mode)))
		return -EBADMSG;
	if (!leader_ok(row, leader, rows, &in) || !data_ok(idx, &in))
		return -EBADMSG;
	if (S_ISREG(in.mode) ? share >= rows || in.share_nlink == 0
			     : share != row)
		return -EBADMSG;
	if (S_ISDIR(in.mode))
		in.parent = leader + 1;
	else
		in.leader = leader + 1;
	*ret = in;
	return 0;
}

int arc_index_inode(struct arc_index *idx, uint64_t ino, struct arc_inode *ret)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_INODE);
	const void *row;
	int err;

	if (ino == 0 || ino > idx->table[ARC_TABLE_INODE].rows)
		return -ENOENT;
	err = index_view_row(&v, ino - 1, &row);
	if (err < 0)
		return err;
	return parse_inode(idx, ino - 1, row, ret);
}

/* ---- symlinks ----------------------------------------------------------- */

int arc_index_target(struct arc_index *idx, const struct arc_inode *inode,
		     char **ret)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_TEXT);
	struct arc_span item;
	char *target;
	int err;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	err = index_view_item(&v, inode->data, 4, &item);
	if (err < 0)
		return err;
	if (item.n != inode->size || memchr(item.p, '\0', item.n))
		return -EBADMSG;
	target = strndup((const char *)item.p, item.n);
	if (!target)
		return -ENOMEM;
	*ret = target;
	return 0;
}

/* ---- attributes --------------------------------------------------------- */

/* The i-th attribute's row of a set: 1, or 0 when there are no more. */
static int find_xattr(struct arc_index *idx, uint32_t xset, uint32_t i,
		      struct arc_disk_xattr *ret)
{
	struct arc_disk_xset set;
	uint32_t count;
	int err;

	if (xset == 0)
		return 0;
	err = index_copy_row(idx, ARC_TABLE_XSET, xset - 1, &set);
	if (err < 0)
		return err;
	count = arc_get32(set.count);
	if (count > ARC_XATTRS_MAX ||
	    !arc_range_ok(arc_get64(set.first), count,
			  idx->table[ARC_TABLE_XATTR].rows))
		return -EBADMSG;
	if (i >= count)
		return 0;
	err = index_copy_row(idx, ARC_TABLE_XATTR, arc_get64(set.first) + i,
			     ret);
	return err < 0 ? err : 1;
}

/* A checked attribute name, NUL-terminated. */
static int read_xattr_name(struct arc_index *idx, uint64_t off, char *name)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_TEXT);
	struct arc_span item;
	int err = index_view_item(&v, off, 4, &item);

	if (err < 0)
		return err;
	if (item.n == 0 || item.n > ARC_XATTR_NAME_MAX ||
	    memchr(item.p, '\0', item.n))
		return -EBADMSG;
	memcpy(name, item.p, item.n);
	name[item.n] = '\0';
	return 0;
}

static int read_xattr_value(struct arc_index *idx, uint64_t off, uint8_t **ret,
			    size_t *ret_n)
{
	arc_cleanup(index_view_end) struct index_view v =
		INDEX_VIEW(idx, ARC_TABLE_TEXT);
	struct arc_span item;
	uint8_t *value;
	int err = index_view_item(&v, off, 4, &item);

	if (err < 0)
		return err;
	if (item.n > ARC_XATTR_VALUE_MAX)
		return -EBADMSG;
	value = malloc(item.n + 1);
	if (!value)
		return -ENOMEM;
	memcpy(value, item.p, item.n);
	value[item.n] = '\0';
	*ret = value;
	*ret_n = item.n;
	return 0;
}

int arc_index_xattr(struct arc_index *idx, const struct arc_inode *inode,
		    uint32_t i, char *name, uint8_t **ret_value, size_t *ret_n)
{
	char own[ARC_XATTR_NAME_MAX + 1], before[ARC_XATTR_NAME_MAX + 1];
	struct arc_disk_xattr row, last;
	int err = find_xattr(idx, inode->xset, i, &row);

	if (err <= 0)
		return err < 0 ? err : -ENODATA;
	err = read_xattr_name(idx, arc_get64(row.name), own);
	if (err < 0)
		return err;
	/* A neighbour that cannot be read is not this attribute's fault. */
	if (i > 0 && find_xattr(idx, inode->xset, i - 1, &last) > 0 &&
	    read_xattr_name(idx, arc_get64(last.name), before) == 0 &&
	    strcmp(before, own) >= 0)
		return -EBADMSG;
	if (ret_value) {
		err = read_xattr_value(idx, arc_get64(row.value), ret_value,
				       ret_n);
		if (err < 0)
			return err;
	}
	memcpy(name, own, strlen(own) + 1);
	return 0;
}

/* Looking at more of them would take longer than is gained. */
#define NAMES_MAX 4096

bool arc_index_may_have_xattrs(struct arc_index *idx, const char *prefix)
{
	uint64_t rows = idx->table[ARC_TABLE_XATTR].rows;
	char name[ARC_XATTR_NAME_MAX + 1];
	struct arc_disk_xattr row;

	if (rows > NAMES_MAX)
		return true;
	for (uint64_t i = 0; i < rows; i++) {
		if (index_copy_row(idx, ARC_TABLE_XATTR, i, &row) < 0 ||
		    read_xattr_name(idx, arc_get64(row.name), name) < 0 ||
		    strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

/* ---- digests ------------------------------------------------------------ */

static int read_digest(struct arc_index *idx, enum arc_table_id table,
		       uint64_t ino, uint8_t *ret, size_t n)
{
	static const uint8_t zeros[32];
	uint8_t digest[32];
	int err;

	if (idx->table[table].rows == 0)
		return -ENODATA;
	if (ino == 0 || ino > idx->table[table].rows)
		return -ENOENT;
	err = index_copy_row(idx, table, ino - 1, digest);
	if (err < 0)
		return err;
	if (memcmp(digest, zeros, n) == 0)
		return -ENODATA;
	memcpy(ret, digest, n);
	return 0;
}

int arc_index_digest(struct arc_index *idx, uint64_t ino, uint8_t ret[16])
{
	return read_digest(idx, ARC_TABLE_DIGEST, ino, ret, 16);
}

int arc_index_sha256(struct arc_index *idx, uint64_t ino, uint8_t ret[32])
{
	return read_digest(idx, ARC_TABLE_SHA256, ino, ret, 32);
}
