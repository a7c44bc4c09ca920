/* SPDX-License-Identifier: MIT */
/*
 * Stored attributes, and the virtual ones under user.arcfs.: only on regular
 * files and directories (where user.* can be), in no list, and never stored.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "layout.h"
#include "ops_i.h"

#define VIRTUAL_PREFIX "user.arcfs."
#define TRUSTED_PREFIX "trusted."

/* What the counters may grow by between "how long is it?" and "give it". */
#define STATS_SLACK 1024

static bool starts_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static int hex_text(const uint8_t *bytes, size_t n, char **ret)
{
	char *text = malloc(2 * n + 1);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	*ret = text;
	return 0;
}

/* Text of a virtual attribute, freed by the caller; -ENODATA. *ret_slack: how
 * much longer it may be a moment later. */
static int virtual_text(struct arcfs *fs, const struct arc_inode *inode,
			const char *name, char **ret, size_t *ret_slack)
{
	uint8_t sum[32];
	int err;

	*ret_slack = 0;
	if (strcmp(name, "stats") == 0 && inode->ino == fs->root) {
		*ret_slack = STATS_SLACK;
		*ret = arcfs_stats_json(&fs->stats, fs->archive, fs->prefill);
		return *ret ? 0 : -ENOMEM;
	}
	if (!S_ISREG(inode->mode))
		return -ENODATA;
	if (strcmp(name, "layout") == 0)
		return arcfs_layout_text(fs->archive, inode, ret);
	if (strcmp(name, "digest") == 0) {
		err = arc_index_digest(fs->index, inode->ino, sum);
		return err ? err : hex_text(sum, 16, ret);
	}
	if (strcmp(name, "sha256") == 0) {
		err = arc_index_sha256(fs->index, inode->ino, sum);
		return err ? err : hex_text(sum, 32, ret);
	}
	return -ENODATA;
}

/* Asked with size 0: how long it is. */
static void reply_value(fuse_req_t req, const void *value, size_t n,
			size_t slack, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, n + slack);
	else if (n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, n);
}

/*
 * Kinds of attributes that no entry has are said to be unknown here, which ls
 * and others remember for the whole mount; they ask for each file otherwise.
 */
static bool is_unknown(const struct arcfs *fs, const char *name)
{
	return (fs->no_security && starts_with(name, "security.")) ||
	       (fs->no_system && starts_with(name, "system."));
}

void arcfs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		       size_t size)
{
	ARCFS_MEASURE(req, GETXATTR);
	arc_cleanup(arc_freep) uint8_t *value = NULL;
	arc_cleanup(arc_freep) char *text = NULL;
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	size_t slack = 0;
	size_t n = 0;
	int err;

	if (is_unknown(fs, name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	err = arcfs_inode(fs, ino, &inode);
	if (!err && starts_with(name, VIRTUAL_PREFIX))
		err = virtual_text(fs, &inode, name + strlen(VIRTUAL_PREFIX),
				   &text, &slack);
	else if (!err && inode.xset == 0)
		err = -ENODATA;
	else if (!err)
		err = arc_archive_getxattr(fs->archive, &inode, name, &value,
					   &n);
	if (err)
		arcfs_fail(req, err);
	else if (text)
		reply_value(req, text, strlen(text), slack, size);
	else
		reply_value(req, value, n, 0, size);
}

/*
 * Drops the names that are not to be seen, in place: virtual ones (an archive
 * that stores such a name is not of our making) and, as every file system does,
 * trusted ones for all but root. Returns the bytes left.
 */
static size_t visible_names(char *names, size_t n, bool root)
{
	size_t kept = 0;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = strlen(names + i) + 1;
		if (starts_with(names + i, VIRTUAL_PREFIX) ||
		    (!root && starts_with(names + i, TRUSTED_PREFIX)))
			continue;
		memmove(names + kept, names + i, len);
		kept += len;
	}
	return kept;
}

void arcfs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	ARCFS_MEASURE(req, LISTXATTR);
	bool root = fuse_req_ctx(req)->uid == 0;
	arc_cleanup(arc_freep) char *names = NULL;
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	size_t n = 0;
	int err;

	err = arcfs_inode(fs, ino, &inode);
	if (!err && inode.xset != 0)
		err = arc_archive_listxattr(fs->archive, &inode, &names, &n);
	if (err)
		arcfs_fail(req, err);
	else
		reply_value(req, names, visible_names(names, n, root), 0, size);
}
