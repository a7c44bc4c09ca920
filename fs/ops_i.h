/* SPDX-License-Identifier: MIT */
/*
 * ops - FUSE's low-level operations over an archive.
 *
 * A FUSE inode number is the archive's inode number, but for FUSE_ROOT_ID,
 * which is the directory that is mounted: no table, nothing to forget. With
 * inodes=shared a duplicate goes by the number of its sharing leader, wherever
 * a number is told: lookup, readdir, readdirplus and getattr agree because all
 * of them go through arcfs_show() and arcfs_attr().
 *
 * An archive never changes: answers are valid for a year, also the one that a
 * name does not exist; open and opendir are answered ENOSYS, which tells the
 * kernel never to ask again and to keep what it has cached.
 *
 * Threads: struct arcfs is frozen after arcfs_init() but for its counters.
 */
#ifndef ARCFS_OPS_I_H
#define ARCFS_OPS_I_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "archive.h"
#include "fs_options.h"
#include "stats.h"

#define ARCFS_TIMEOUT (365.0 * 24 * 60 * 60) /* seconds */

/* Directories remembered as listed without attributes of files. */
#define ARCFS_LISTED 1024

/* Names that have attributes before anybody has made use of them. */
#define ARCFS_FIRST_CREDIT 8192

struct arcfs {
	struct arc_archive *archive; /* borrowed */
	struct arc_index *index; /* the archive's */
	struct arcfs_stats stats;
	struct arcfs_prefill *prefill; /* borrowed; NULL: none */
	uint64_t root; /* archive's inode shown as FUSE_ROOT_ID */
	bool shared;
	bool set_uid, set_gid;
	uid_t uid;
	gid_t gid;
	mode_t keep; /* permission bits that -o umask= leaves */

	/* What the kernel can do without being asked; written by init, before
	 * any other request. */
	bool no_open, no_opendir;

	/* No entry has attributes of these kinds; written by init. */
	bool no_security, no_system;

	/* Do those who list directories look at the files in them? Atomic; a
	 * guess that costs time when it is wrong, nothing else. See ops_dir.c */
	fuse_ino_t listed[ARCFS_LISTED];
	int credit; /* names that may still have attributes */
	unsigned lists;
};

/* Resolves -o subdir=. Says what is wrong. Borrows archive. */
int arcfs_init(struct arcfs *fs, struct arc_archive *archive,
	       const struct arcfs_options *opt, struct arc_diag *diag);

/* The table given to fuse_session_new(). */
extern const struct fuse_lowlevel_ops arcfs_ops;

/* ---- between the files of this module ----------------------------------- */

static inline struct arcfs *arcfs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The first line of every operation: counts it, and measures to its end. */
#define ARCFS_MEASURE(req, id)                                                 \
	arc_cleanup(arcfs_timer_end) __attribute__((unused))                   \
	const struct arcfs_timer timer =                                       \
		arcfs_timer_begin(&arcfs_of(req)->stats, ARCFS_OP_##id)

/* Answers with the errno that applications expect for a negative errno. */
void arcfs_fail(fuse_req_t req, int err);

/* The archive's row for a number that the kernel gives. */
int arcfs_inode(struct arcfs *fs, fuse_ino_t ino, struct arc_inode *ret);

/* The number the kernel is told for a row of the archive. */
fuse_ino_t arcfs_show(const struct arcfs *fs, uint64_t ino);

/* What stat(2) is to say about a row. */
int arcfs_attr(struct arcfs *fs, const struct arc_inode *inode,
	       struct stat *ret);

/* Entry with attributes for lookup and readdirplus: of row `ino` or, with
 * inodes=shared, of `share`. */
int arcfs_entry(struct arcfs *fs, uint64_t ino, uint64_t share,
		struct fuse_entry_param *ret);

/* A file of this directory has been looked up. */
void arcfs_dir_used(struct arcfs *fs, fuse_ino_t dir);

void arcfs_op_opendir(fuse_req_t req, fuse_ino_t ino,
		      struct fuse_file_info *fi);
void arcfs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi);
void arcfs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			  off_t off, struct fuse_file_info *fi);

void arcfs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void arcfs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		   struct fuse_file_info *fi);
void arcfs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		    struct fuse_file_info *fi);

void arcfs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		       size_t size);
void arcfs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);

/* Every attempt to change something: EROFS. */
void arcfs_no_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		      int to_set, struct fuse_file_info *fi);
void arcfs_no_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		    mode_t mode, dev_t rdev);
void arcfs_no_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		    mode_t mode);
void arcfs_no_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void arcfs_no_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void arcfs_no_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
		      const char *name);
void arcfs_no_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		     fuse_ino_t newparent, const char *newname,
		     unsigned int flags);
void arcfs_no_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent,
		   const char *newname);
void arcfs_no_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
		    size_t size, off_t off, struct fuse_file_info *fi);
void arcfs_no_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, struct fuse_file_info *fi);
void arcfs_no_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		       const char *value, size_t size, int flags);
void arcfs_no_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void arcfs_no_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
			off_t length, struct fuse_file_info *fi);

#endif
