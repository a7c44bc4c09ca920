/* SPDX-License-Identifier: MIT */
/*
 * There are no *at() calls for attributes of what has no descriptor (symlinks,
 * devices); /proc/self/fd/N/name is that, and lsetxattr() does not follow the
 * last part.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "extract_i.h"

#define PROC_ROOM (ARC_NAME_MAX + 48)

static void proc_path(const struct tool_place *at, char ret[PROC_ROOM])
{
	snprintf(ret, PROC_ROOM, "/proc/self/fd/%d/%s", at->dir, at->name);
}

static int code(int r)
{
	return r < 0 ? -errno : 0;
}

int tool_place_stat(const struct tool_place *at, struct stat *ret)
{
	return code(at->fd >= 0 ? fstat(at->fd, ret)
				: fstatat(at->dir, at->name, ret,
					  AT_SYMLINK_NOFOLLOW));
}

int tool_place_chown(const struct tool_place *at, uid_t uid, gid_t gid)
{
	return code(at->fd >= 0 ? fchown(at->fd, uid, gid)
				: fchownat(at->dir, at->name, uid, gid,
					   AT_SYMLINK_NOFOLLOW));
}

int tool_place_chmod(const struct tool_place *at, uint32_t mode)
{
	return code(at->fd >= 0 ? fchmod(at->fd, mode)
				: fchmodat(at->dir, at->name, mode,
					   AT_SYMLINK_NOFOLLOW));
}

int tool_place_setxattr(const struct tool_place *at, const char *name,
			const uint8_t *value, size_t n)
{
	char path[PROC_ROOM];

	if (at->fd >= 0)
		return code(fsetxattr(at->fd, name, value, n, 0));
	proc_path(at, path);
	return code(lsetxattr(path, name, value, n, 0));
}

int tool_place_set_mtime(const struct tool_place *at, int64_t mtime,
			 uint32_t mtime_ns)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)mtime, .tv_nsec = (long)mtime_ns },
	};

	return code(at->fd >= 0 ? futimens(at->fd, times)
				: utimensat(at->dir, at->name, times,
					    AT_SYMLINK_NOFOLLOW));
}

void tool_place_strip(const struct tool_place *at)
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
