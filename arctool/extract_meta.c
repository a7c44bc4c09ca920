/* SPDX-License-Identifier: MIT */
/*
 * The order matters: giving a file away drops its capabilities and its
 * set-user-ID bit, so the owner comes first; a mode without write permission
 * forbids user attributes, so it comes after them; all of these touch nothing
 * but ctime, so mtime could come anywhere and comes last.
 *
 * There are no *at() calls for attributes of what has no descriptor (symlinks,
 * devices); /proc/self/fd/N/name is that, and lsetxattr() does not follow the
 * last part.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "extract_i.h"

#define PROC_ROOM (ARC_NAME_MAX + 48)

static void proc_path(const struct tool_place *at, char ret[PROC_ROOM])
{
	snprintf(ret, PROC_ROOM, "/proc/self/fd/%d/%s", at->dir, at->name);
}

static int stat_place(const struct tool_place *at, struct stat *ret)
{
	return at->fd >= 0
		       ? fstat(at->fd, ret)
		       : fstatat(at->dir, at->name, ret, AT_SYMLINK_NOFOLLOW);
}

static int chown_place(const struct tool_place *at, uid_t uid, gid_t gid)
{
	return at->fd >= 0 ? fchown(at->fd, uid, gid)
			   : fchownat(at->dir, at->name, uid, gid,
				      AT_SYMLINK_NOFOLLOW);
}

/*
 * Returns the mode bits that may be set. Who may not give files away keeps
 * them as their own, without a word, as tar does; but then no set-user-ID
 * program of somebody else becomes one of theirs.
 */
static uint32_t set_owner(struct tool_extract *x, const struct tool_place *at,
			  const struct arc_inode *inode)
{
	uint32_t mode = inode->mode & 07777;
	struct stat st;

	if (x->privileged) {
		if (chown_place(at, inode->uid, inode->gid) < 0)
			tool_extract_problem(x, at->path, "owner", -errno);
		return mode;
	}
	if (stat_place(at, &st) < 0) {
		tool_extract_problem(x, at->path, "owner", -errno);
		return mode;
	}
	if (st.st_uid != inode->uid)
		mode &= ~(uint32_t)S_ISUID;
	if (st.st_gid != inode->gid &&
	    chown_place(at, (uid_t)-1, inode->gid) < 0 && !S_ISDIR(inode->mode))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

static int set_attribute(const struct tool_place *at, const char *name,
			 const uint8_t *value, size_t n)
{
	char path[PROC_ROOM];
	int r;

	if (at->fd >= 0) {
		r = fsetxattr(at->fd, name, value, n, 0);
	} else {
		proc_path(at, path);
		r = lsetxattr(path, name, value, n, 0);
	}
	return r < 0 ? -errno : 0;
}

static void set_attributes(struct tool_extract *x, const struct tool_place *at,
			   const struct arc_inode *inode)
{
	char name[ARC_XATTR_NAME_MAX + 1];
	int r = 0;

	for (uint32_t i = 0; inode->xset && r == 0; i++) {
		arc_cleanup(arc_freep) uint8_t *value = NULL;
		char what[ARC_XATTR_NAME_MAX + 16];
		size_t n;
		int err;

		r = arc_index_xattr(x->tool->index, inode, i, name, &value, &n);
		if (r < 0)
			break;
		err = set_attribute(at, name, value, n);
		snprintf(what, sizeof(what), "attribute %s", name);
		if (err < 0)
			tool_extract_problem(x, at->path, what, err);
	}
	if (r < 0 && r != -ENODATA)
		tool_extract_problem(x, at->path, "attributes", r);
}

static void set_mode(struct tool_extract *x, const struct tool_place *at,
		     uint32_t mode)
{
	int r = at->fd >= 0 ? fchmod(at->fd, mode)
			    : fchmodat(at->dir, at->name, mode,
				       AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		tool_extract_problem(x, at->path, "mode", -errno);
}

static void set_times(struct tool_extract *x, const struct tool_place *at,
		      const struct arc_inode *inode)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)inode->mtime,
		  .tv_nsec = (long)inode->mtime_ns },
	};
	int r = at->fd >= 0 ? futimens(at->fd, times)
			    : utimensat(at->dir, at->name, times,
					AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		tool_extract_problem(x, at->path, "time", -errno);
}

void tool_meta_strip(const struct tool_place *at)
{
	static const char *const names[] = { "system.posix_acl_default",
					     "system.posix_acl_access" };
	char path[PROC_ROOM];

	if (at->fd < 0)
		proc_path(at, path);
	/* What is not there cannot be removed; that is no problem. */
	for (size_t i = 0; i < ARC_COUNT(names); i++) {
		if (at->fd >= 0)
			fremovexattr(at->fd, names[i]);
		else
			lremovexattr(path, names[i]);
	}
}

/* Remembers the mode of a directory that would lock us out already now. */
static int delay_mode(struct tool_extract *x, const char *path, uint32_t mode)
{
	struct tool_late_mode *late;

	if (x->late_count == x->late_cap) {
		size_t cap = x->late_cap ? x->late_cap * 2 : 16;

		late = reallocarray(x->late, cap, sizeof(*late));
		if (!late)
			return -ENOMEM;
		x->late = late;
		x->late_cap = cap;
	}
	late = &x->late[x->late_count];
	late->path = strdup(path);
	if (!late->path)
		return -ENOMEM;
	late->mode = mode;
	x->late_count++;
	return 0;
}

void tool_meta_apply(struct tool_extract *x, const struct tool_place *at,
		     const struct arc_inode *inode)
{
	uint32_t mode;
	bool locks = S_ISDIR(inode->mode) && !(inode->mode & S_IXUSR) &&
		     !x->privileged;

	if (at->strip && !S_ISLNK(inode->mode))
		tool_meta_strip(at);
	mode = set_owner(x, at, inode);
	set_attributes(x, at, inode);
	if (locks && delay_mode(x, at->path, mode) == 0)
		mode |= S_IXUSR;
	if (!S_ISLNK(inode->mode))
		set_mode(x, at, mode);
	set_times(x, at, inode);
}

void tool_meta_finish(struct tool_extract *x)
{
	for (size_t i = 0; i < x->late_count; i++) {
		const struct tool_late_mode *late = &x->late[i];
		struct tool_place at = { .fd = -1, .path = late->path };
		int r = 0;

		if (*late->path) {
			r = tool_dirs_open_parent(x, late->path, &at.dir,
						  &at.name);
		} else {
			at.fd = x->dirs.way[0].fd;
		}
		if (r < 0)
			tool_extract_problem(x, late->path, "mode", r);
		else
			set_mode(x, &at, late->mode);
		if (r == 0 && at.fd < 0)
			close(at.dir);
		free(late->path);
	}
	free(x->late);
	x->late = NULL;
	x->late_count = x->late_cap = 0;
}
