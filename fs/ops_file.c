/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "prefill.h"

/* fuse_reply_iov() puts one piece of its own before ours; writev(2) takes
 * 1024. */
#define PIECES_MAX 1023

/*
 * ENOSYS means: opening always succeeds and need not be asked again. The kernel
 * then keeps its cached pages, as keep_cache would say.
 */
void arcfs_op_open(fuse_req_t req, fuse_ino_t ino __attribute__((unused)),
		   struct fuse_file_info *fi)
{
	ARCFS_MEASURE(req, OPEN);
	struct arcfs *fs = arcfs_of(req);

	if (fs->no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

/* For a file in more pieces than one reply takes: the copying way. */
static int reply_copied(fuse_req_t req, const struct arc_read *r)
{
	arc_cleanup(arc_freep) char *buf = malloc(r->n);
	size_t n = 0;

	if (!buf)
		return -ENOMEM;
	for (int i = 0; i < r->count; i++) {
		memcpy(buf + n, r->iov[i].iov_base, r->iov[i].iov_len);
		n += r->iov[i].iov_len;
	}
	fuse_reply_buf(req, buf, n);
	return 0;
}

void arcfs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi __attribute__((unused)))
{
	ARCFS_MEASURE(req, READ);
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	struct arc_read r;
	int err;

	err = arcfs_inode(fs, ino, &inode);
	if (!err && (size > ARC_READ_MAX || off < 0))
		err = -EINVAL;
	if (!err && !S_ISREG(inode.mode))
		err = -EINVAL;
	if (!err)
		err = arc_archive_read_begin(fs->archive, &inode, (uint64_t)off,
					     size, &r);
	if (err) {
		arcfs_fail(req, err);
		return;
	}
	arcfs_stats_add(&fs->stats.served, r.n);
	if (r.count <= PIECES_MAX)
		fuse_reply_iov(req, r.iov, r.count);
	else
		err = reply_copied(req, &r);
	arc_archive_read_end(fs->archive, &r);
	if (err)
		arcfs_fail(req, err);
	else if (off == 0)
		arcfs_prefill_note(fs->prefill, &inode);
}

void arcfs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		    struct fuse_file_info *fi __attribute__((unused)))
{
	ARCFS_MEASURE(req, LSEEK);
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	uint64_t pos;
	int err;

	err = arcfs_inode(fs, ino, &inode);
	if (!err && !S_ISREG(inode.mode))
		err = -EINVAL;
	if (!err && whence != SEEK_DATA && whence != SEEK_HOLE)
		err = -EINVAL;
	if (!err && off < 0)
		err = -ENXIO;
	if (!err)
		err = arc_archive_seek(fs->archive, &inode, (uint64_t)off,
				       whence == SEEK_DATA, &pos);
	if (err)
		arcfs_fail(req, err);
	else
		fuse_reply_lseek(req, (off_t)pos);
}
