/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "ops_i.h"

#define BLOCK_SIZE 4096 /* what stat and statfs count in: the kernel's page */

int arcfs_init(struct arcfs *fs, struct arc_archive *archive,
	       const struct arcfs_options *opt, struct arc_diag *diag)
{
	const char *subdir = opt->subdir ? opt->subdir : "";
	struct arc_inode root;
	int err;

	memset(fs, 0, sizeof(*fs));
	err = arc_archive_resolve(archive, subdir, &root);
	if (!err && !S_ISDIR(root.mode))
		err = -ENOTDIR;
	if (err) {
		arc_say(diag, ARC_ERROR, "%s%s: %s",
			opt->subdir ? "subdir=" : "the root directory", subdir,
			arc_error_text(err));
		return err;
	}
	fs->archive = archive;
	fs->index = arc_archive_index(archive);
	fs->root = root.ino;
	fs->shared = opt->shared;
	fs->set_uid = opt->set_uid;
	fs->set_gid = opt->set_gid;
	fs->uid = opt->uid;
	fs->gid = opt->gid;
	fs->keep = 07777 & ~opt->umask;
	fs->credit = ARCFS_FIRST_CREDIT;
	arcfs_stats_init(&fs->stats);
	return 0;
}

/*
 * What applications expect: they know nothing of checksums or volumes, so
 * everything that says "the bytes cannot be had" is EIO.
 */
static int errno_for_caller(int err)
{
	switch (-err) {
	case ENOMEM:
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ENODATA:
	case ERANGE:
	case ENXIO:
	case ENAMETOOLONG:
		return -err;
	default:
		return EIO;
	}
}

void arcfs_fail(fuse_req_t req, int err)
{
	int code = errno_for_caller(err);

	if (code == EIO)
		arcfs_stats_add(&arcfs_of(req)->stats.errors, 1);
	fuse_reply_err(req, code);
}

int arcfs_inode(struct arcfs *fs, fuse_ino_t ino, struct arc_inode *ret)
{
	return arc_index_inode(fs->index, ino == FUSE_ROOT_ID ? fs->root : ino,
			       ret);
}

fuse_ino_t arcfs_show(const struct arcfs *fs, uint64_t ino)
{
	return ino == fs->root ? FUSE_ROOT_ID : ino;
}

/* Bytes that st_blocks stands for. */
static int data_bytes(struct arcfs *fs, const struct arc_inode *inode,
		      uint64_t *ret)
{
	if (S_ISREG(inode->mode) && inode->has_extents)
		return arc_index_data_bytes(fs->index, inode, ret);
	*ret = S_ISREG(inode->mode) ? inode->size : 0;
	return 0;
}

int arcfs_attr(struct arcfs *fs, const struct arc_inode *inode,
	       struct stat *ret)
{
	uint64_t bytes;
	int err = data_bytes(fs, inode, &bytes);

	if (err)
		return err;
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = arcfs_show(fs, inode->ino);
	ret->st_mode = inode->mode & (S_IFMT | fs->keep);
	ret->st_nlink = fs->shared ? inode->share_nlink : inode->nlink;
	ret->st_uid = fs->set_uid ? fs->uid : inode->uid;
	ret->st_gid = fs->set_gid ? fs->gid : inode->gid;
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		ret->st_rdev = makedev((unsigned)(inode->data >> 32),
				       (unsigned)inode->data);
	ret->st_size = (off_t)inode->size;
	ret->st_blksize = BLOCK_SIZE;
	ret->st_blocks = (blkcnt_t)arc_div_up(bytes, 512);
	ret->st_mtim.tv_sec = inode->mtime;
	ret->st_mtim.tv_nsec = inode->mtime_ns;
	ret->st_atim = ret->st_mtim;
	ret->st_ctim = ret->st_mtim;
	return 0;
}

int arcfs_entry(struct arcfs *fs, uint64_t ino, uint64_t share,
		struct fuse_entry_param *ret)
{
	struct arc_inode inode;
	int err;

	err = arc_index_inode(fs->index, fs->shared ? share : ino, &inode);
	if (err)
		return err;
	memset(ret, 0, sizeof(*ret));
	err = arcfs_attr(fs, &inode, &ret->attr);
	if (err)
		return err;
	ret->ino = ret->attr.st_ino;
	ret->attr_timeout = ARCFS_TIMEOUT;
	ret->entry_timeout = ARCFS_TIMEOUT;
	return 0;
}

/* Asks for the bits that this kernel knows. */
static void want(struct fuse_conn_info *conn, unsigned bits)
{
	conn->want |= conn->capable & bits;
}

/*
 * Where there are no ACLs at all the kernel is not told to look for them: it
 * would ask for those of each file.
 */
static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct arcfs *fs = userdata;

	fs->no_security = !arc_index_may_have_xattrs(fs->index, "security.");
	fs->no_system = !arc_index_may_have_xattrs(fs->index, "system.");
	if (!fs->no_system)
		want(conn, FUSE_CAP_POSIX_ACL);
	want(conn, FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO |
			   FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
			   FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_READDIRPLUS |
			   FUSE_CAP_READDIRPLUS_AUTO |
			   FUSE_CAP_EXPLICIT_INVAL_DATA);
	conn->want &=
		~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
	conn->max_background = 64;
	conn->congestion_threshold = 48;
	fs->no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	fs->no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

/*
 * "." and ".." are asked for by an NFS server that has forgotten the path; what
 * is above the mounted directory is never shown.
 */
static int find(struct arcfs *fs, fuse_ino_t parent, const char *name,
		struct fuse_entry_param *ret)
{
	struct arc_dirent entry;
	struct arc_inode dir;
	size_t n = strlen(name);
	uint64_t up;
	int err;

	if (n > ARC_NAME_MAX)
		return -ENAMETOOLONG;
	err = arcfs_inode(fs, parent, &dir);
	if (err)
		return err;
	if (strcmp(name, ".") == 0)
		return arcfs_entry(fs, dir.ino, dir.share, ret);
	if (strcmp(name, "..") == 0) {
		up = dir.ino == fs->root ? fs->root : dir.parent;
		return arcfs_entry(fs, up, up, ret);
	}
	err = arc_index_lookup(fs->index, &dir, name, n, &entry);
	if (err)
		return err;
	return arcfs_entry(fs, entry.ino, entry.share, ret);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	ARCFS_MEASURE(req, LOOKUP);
	const struct fuse_entry_param nothing = { .entry_timeout =
							  ARCFS_TIMEOUT };
	struct arcfs *fs = arcfs_of(req);
	struct fuse_entry_param e;
	int err;

	err = find(fs, parent, name, &e);
	if (err == -ENOENT)
		fuse_reply_entry(req, &nothing);
	else if (err)
		arcfs_fail(req, err);
	else
		fuse_reply_entry(req, &e);
	if (!err && !S_ISDIR(e.attr.st_mode))
		arcfs_dir_used(fs, parent);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi __attribute__((unused)))
{
	ARCFS_MEASURE(req, GETATTR);
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	struct stat st;
	int err;

	err = arcfs_inode(fs, ino, &inode);
	if (!err)
		err = arcfs_attr(fs, &inode, &st);
	if (err)
		arcfs_fail(req, err);
	else
		fuse_reply_attr(req, &st, ARCFS_TIMEOUT);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	ARCFS_MEASURE(req, READLINK);
	arc_cleanup(arc_freep) char *target = NULL;
	struct arcfs *fs = arcfs_of(req);
	struct arc_inode inode;
	int err;

	err = arcfs_inode(fs, ino, &inode);
	if (!err && !S_ISLNK(inode.mode))
		err = -EINVAL;
	if (!err)
		err = arc_index_target(fs->index, &inode, &target);
	if (err)
		arcfs_fail(req, err);
	else
		fuse_reply_readlink(req, target);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino __attribute__((unused)))
{
	ARCFS_MEASURE(req, STATFS);
	struct arcfs *fs = arcfs_of(req);
	const struct arc_summary *sum = arc_index_summary(fs->index);
	uint64_t bytes = sum->bytes;
	struct statvfs st;

	if (sum->holes <= bytes)
		bytes -= sum->holes;
	memset(&st, 0, sizeof(st));
	st.f_bsize = BLOCK_SIZE;
	st.f_frsize = BLOCK_SIZE;
	st.f_blocks = arc_div_up(bytes, BLOCK_SIZE);
	st.f_files = arc_index_inodes(fs->index);
	st.f_namemax = ARC_NAME_MAX;
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops arcfs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.statfs = op_statfs,
	.open = arcfs_op_open,
	.read = arcfs_op_read,
	.lseek = arcfs_op_lseek,
	.opendir = arcfs_op_opendir,
	.readdir = arcfs_op_readdir,
	.readdirplus = arcfs_op_readdirplus,
	.getxattr = arcfs_op_getxattr,
	.listxattr = arcfs_op_listxattr,
	.setattr = arcfs_no_setattr,
	.mknod = arcfs_no_mknod,
	.mkdir = arcfs_no_mkdir,
	.unlink = arcfs_no_unlink,
	.rmdir = arcfs_no_rmdir,
	.symlink = arcfs_no_symlink,
	.rename = arcfs_no_rename,
	.link = arcfs_no_link,
	.write = arcfs_no_write,
	.create = arcfs_no_create,
	.setxattr = arcfs_no_setxattr,
	.removexattr = arcfs_no_removexattr,
	.fallocate = arcfs_no_fallocate,
};
