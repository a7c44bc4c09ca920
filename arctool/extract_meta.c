/* SPDX-License-Identifier: MIT */
/*
 * The order matters: giving a file away drops its capabilities and its
 * set-user-ID bit, so the owner comes first; a mode without write permission
 * forbids user attributes, so it comes after them; all of these touch nothing
 * but ctime, so mtime could come anywhere and comes last.
 */
#include <stdio.h>
#include <string.h>

#include "extract_i.h"

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
	int r;

	r = x->privileged ? tool_place_chown(at, inode->uid, inode->gid)
			  : tool_place_stat(at, &st);
	if (r < 0)
		tool_extract_problem(x, at->path, "owner", r);
	if (r < 0 || x->privileged)
		return mode;
	if (st.st_uid != inode->uid)
		mode &= ~(uint32_t)S_ISUID;
	if (st.st_gid != inode->gid &&
	    tool_place_chown(at, (uid_t)-1, inode->gid) < 0 &&
	    !S_ISDIR(inode->mode))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
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
		err = tool_place_setxattr(at, name, value, n);
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
	int r = tool_place_chmod(at, mode);

	if (r < 0)
		tool_extract_problem(x, at->path, "mode", r);
}

static void set_times(struct tool_extract *x, const struct tool_place *at,
		      const struct arc_inode *inode)
{
	int r = tool_place_set_mtime(at, inode->mtime, inode->mtime_ns);

	if (r < 0)
		tool_extract_problem(x, at->path, "time", r);
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
		tool_place_strip(at);
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
