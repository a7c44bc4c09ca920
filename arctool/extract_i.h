/* SPDX-License-Identifier: MIT */
/*
 * extract_i - the rooms of the verb extract. Each calls only those that stand
 * below it:
 *
 *	verb_extract.c     walks, makes entries, links names
 *	extract_tar.c      the same as a tar stream instead of DEST
 *	extract_data.c     writes file data, in parallel
 *	extract_copy.c     reads it, with exact damage
 *	extract_meta.c     owner, attributes, mode, times
 *	extract_dirs.c     the directories of DEST that are open
 *	extract_place.c    system calls for an entry, however it is reached
 *	extract_links.c    which inode already has a name in DEST
 *	extract_problem.c  what could not be done
 *
 * Nothing is ever written outside DEST: every name is one checked component,
 * given to a system call that takes a directory's descriptor and follows no
 * symlink; a directory is opened with O_NOFOLLOW, and one that had to be closed
 * is found again through ".." and recognised by its inode.
 *
 * Only the main thread makes, links and removes names. So a directory does not
 * change any more once it is left, and gets its metadata then.
 */
#ifndef TOOL_EXTRACT_I_H
#define TOOL_EXTRACT_I_H

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "pool.h"
#include "walk.h"

/* A directory of DEST on the way to where we are. */
struct tool_dir {
	int fd; /* -1: closed for now */
	dev_t dev;
	ino_t ino;
	bool made; /* by us */
	bool inherits; /* has a default ACL, which new entries must not get */
};

/* The way from DEST (the first) to where we are. */
struct tool_dirs {
	struct tool_dir *way;
	size_t depth;
	size_t cap;
	size_t open_max; /* descriptors kept */
};

/* A directory whose last mode would lock us out while links are made. */
struct tool_late_mode {
	char *path;
	uint32_t mode;
};

struct tool_link;
struct tool_place;

struct tool_extract {
	struct tool *tool;
	struct arc_pool *pool;
	struct tool_dirs dirs;
	struct tool_link *links; /* hash table by inode */
	struct tool_late_mode *late;
	size_t late_count;
	size_t late_cap;
	bool privileged; /* may give files away */
	atomic_bool inexact; /* something is not as it was: exit code 1 */
	atomic_bool stop; /* nothing more can be written */
};

/* ---- a tar stream -------------------------------------------------------- */

/* Writes what is selected to standard output. Negative only for what ends it.
 */
int tool_extract_tar(struct tool_extract *x, const struct tool_select *select);

/* ---- data ---------------------------------------------------------------- */

/*
 * Takes fd, an empty file: writes the inode's content into it and then gives it
 * its metadata. Most of this happens later, in other threads.
 */
void tool_data_write(struct tool_extract *x, int fd, const char *path,
		     const struct arc_inode *inode, bool strip);

/* ---- reading data -------------------------------------------------------- */

/* The data of a file on its way somewhere, one piece after the other. */
struct tool_copy {
	struct tool_extract *x;
	const struct arc_inode *inode;
	const char *path; /* for messages */
	/* Takes the bytes at `off`; may change iov. */
	void (*put)(void *ctx, struct iovec *iov, int count, uint64_t off);
	/* The next len bytes are damaged. NULL: nobody needs to know. */
	void (*lose)(void *ctx, uint64_t len);
	/* Nothing more is wanted. */
	bool (*is_over)(void *ctx);
	void *ctx;
	/* damage found that has not been said, as it may go on */
	uint64_t bad_from;
	uint64_t bad_to;
	int bad_err;
};

/* Hands over a run of data; what is damaged is noted and, where it ends, said:
 * exact to the segment. */
void tool_copy_extent(struct tool_copy *c, const struct arc_extent *e);

/* Notes damage that was found elsewhere. */
void tool_copy_damage(struct tool_copy *c, uint64_t off, uint64_t len, int err);

/* Says what is still to be said. */
void tool_copy_say(struct tool_copy *c);

/* ---- metadata ------------------------------------------------------------ */

/* Owner, attributes, mode, times, in this order. Reports what fails. */
void tool_meta_apply(struct tool_extract *x, const struct tool_place *at,
		     const struct arc_inode *inode);

/* Modes that had to wait, innermost directories first. */
void tool_meta_finish(struct tool_extract *x);

/* ---- directories --------------------------------------------------------- */

/* Opens DEST, makes it when it is missing. Says what is wrong. */
int tool_dirs_begin(struct tool_extract *x, const char *dest);
void tool_dirs_end(struct tool_dirs *dirs);

/* The directory we are in. */
struct tool_dir *tool_dirs_here(const struct tool_extract *x);

/* Makes (or finds) the directory `name` here and goes into it. */
int tool_dirs_enter(struct tool_extract *x, const char *name);

/*
 * Goes up. First call prepare: it makes sure that the directory above is open
 * while the one below may still be searched.
 */
int tool_dirs_prepare_leave(struct tool_extract *x);
void tool_dirs_leave(struct tool_extract *x);

/*
 * The directory that holds `path` (from DEST), opened for use in *at() calls
 * only. *ret_name: the last part of path.
 */
int tool_dirs_open_parent(struct tool_extract *x, const char *path, int *ret_fd,
			  const char **ret_name);

/* ---- entries of DEST ----------------------------------------------------- */

/* An entry of DEST to which metadata is given. */
struct tool_place {
	int fd; /* opened; -1: reached through dir and name */
	int dir;
	const char *name;
	const char *path; /* for messages */
	bool strip; /* remove ACLs that are not from the archive */
};

/* 0 or a negative errno. Symlinks are not followed. */
int tool_place_stat(const struct tool_place *at, struct stat *ret);
int tool_place_chown(const struct tool_place *at, uid_t uid, gid_t gid);
int tool_place_chmod(const struct tool_place *at, uint32_t mode);
int tool_place_setxattr(const struct tool_place *at, const char *name,
			const uint8_t *value, size_t n);
int tool_place_set_mtime(const struct tool_place *at, int64_t mtime,
			 uint32_t mtime_ns);

/* Removes the ACLs that an entry has, as new ones get from their directory. */
void tool_place_strip(const struct tool_place *at);

/* ---- links --------------------------------------------------------------- */

/* The path under which an inode was made; NULL when it has none yet. */
const char *tool_links_find(const struct tool_extract *x, uint64_t ino);

/* names: how many the inode has; it is forgotten after the last. */
int tool_links_set(struct tool_extract *x, uint64_t ino, uint64_t names,
		   const char *path);
void tool_links_used(struct tool_extract *x, uint64_t ino);

/*
 * The inode that a name shall be: its own, or with --hardlink-duplicates the
 * one of its sharing class, with the times of its leader, as in a mount.
 * Returns how many names it has.
 */
uint64_t tool_links_identity(const struct tool_extract *x,
			     struct arc_inode *inode);
void tool_links_clear(struct tool_extract *x);

/* ---- problems ------------------------------------------------------------ */

/*
 * Says "PATH: what: why" and remembers that the result is not exact. An error
 * after which nothing more can be written ends the extraction. err: negative
 * errno.
 */
void tool_extract_problem(struct tool_extract *x, const char *path,
			  const char *what, int err);

/* What a code means, in words. */
const char *tool_extract_reason(int err);

#endif
