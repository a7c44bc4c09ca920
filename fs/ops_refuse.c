/* SPDX-License-Identifier: MIT */
/*
 * The mount is read-only, so the kernel refuses changes before they come here;
 * after `mount -o remount,rw` they do come.
 */
#include "ops_i.h"

#define UNUSED __attribute__((unused))

static void refuse(fuse_req_t req)
{
	ARCFS_MEASURE(req, REFUSED);

	fuse_reply_err(req, EROFS);
}

void arcfs_no_setattr(fuse_req_t req, fuse_ino_t ino UNUSED,
		      struct stat *attr UNUSED, int to_set UNUSED,
		      struct fuse_file_info *fi UNUSED)
{
	refuse(req);
}

void arcfs_no_mknod(fuse_req_t req, fuse_ino_t parent UNUSED,
		    const char *name UNUSED, mode_t mode UNUSED,
		    dev_t rdev UNUSED)
{
	refuse(req);
}

void arcfs_no_mkdir(fuse_req_t req, fuse_ino_t parent UNUSED,
		    const char *name UNUSED, mode_t mode UNUSED)
{
	refuse(req);
}

void arcfs_no_unlink(fuse_req_t req, fuse_ino_t parent UNUSED,
		     const char *name UNUSED)
{
	refuse(req);
}

void arcfs_no_rmdir(fuse_req_t req, fuse_ino_t parent UNUSED,
		    const char *name UNUSED)
{
	refuse(req);
}

void arcfs_no_symlink(fuse_req_t req, const char *link UNUSED,
		      fuse_ino_t parent UNUSED, const char *name UNUSED)
{
	refuse(req);
}

void arcfs_no_rename(fuse_req_t req, fuse_ino_t parent UNUSED,
		     const char *name UNUSED, fuse_ino_t newparent UNUSED,
		     const char *newname UNUSED, unsigned int flags UNUSED)
{
	refuse(req);
}

void arcfs_no_link(fuse_req_t req, fuse_ino_t ino UNUSED,
		   fuse_ino_t newparent UNUSED, const char *newname UNUSED)
{
	refuse(req);
}

void arcfs_no_write(fuse_req_t req, fuse_ino_t ino UNUSED,
		    const char *buf UNUSED, size_t size UNUSED,
		    off_t off UNUSED, struct fuse_file_info *fi UNUSED)
{
	refuse(req);
}

void arcfs_no_create(fuse_req_t req, fuse_ino_t parent UNUSED,
		     const char *name UNUSED, mode_t mode UNUSED,
		     struct fuse_file_info *fi UNUSED)
{
	refuse(req);
}

void arcfs_no_setxattr(fuse_req_t req, fuse_ino_t ino UNUSED,
		       const char *name UNUSED, const char *value UNUSED,
		       size_t size UNUSED, int flags UNUSED)
{
	refuse(req);
}

void arcfs_no_removexattr(fuse_req_t req, fuse_ino_t ino UNUSED,
			  const char *name UNUSED)
{
	refuse(req);
}

void arcfs_no_fallocate(fuse_req_t req, fuse_ino_t ino UNUSED, int mode UNUSED,
			off_t off UNUSED, off_t length UNUSED,
			struct fuse_file_info *fi UNUSED)
{
	refuse(req);
}
