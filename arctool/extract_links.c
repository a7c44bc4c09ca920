/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <uthash.h>

#include "extract_i.h"

struct tool_link {
	uint64_t ino;
	uint64_t left; /* names still to come */
	char *path;
	UT_hash_handle hh;
};

static struct tool_link *find(const struct tool_extract *x, uint64_t ino)
{
	struct tool_link *link;

	HASH_FIND(hh, x->links, &ino, sizeof(ino), link);
	return link;
}

static void forget(struct tool_extract *x, struct tool_link *link)
{
	HASH_DEL(x->links, link);
	free(link->path);
	free(link);
}

const char *tool_links_find(const struct tool_extract *x, uint64_t ino)
{
	const struct tool_link *link = find(x, ino);

	return link ? link->path : NULL;
}

int tool_links_set(struct tool_extract *x, uint64_t ino, uint64_t names,
		   const char *path)
{
	struct tool_link *link = find(x, ino);

	if (link)
		forget(x, link);
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->ino = ino;
	link->left = names - 1;
	link->path = strdup(path);
	if (!link->path) {
		free(link);
		return -ENOMEM;
	}
	HASH_ADD(hh, x->links, ino, sizeof(link->ino), link);
	return 0;
}

void tool_links_used(struct tool_extract *x, uint64_t ino)
{
	struct tool_link *link = find(x, ino);

	if (link && --link->left == 0)
		forget(x, link);
}

void tool_links_clear(struct tool_extract *x)
{
	struct tool_link *link, *next;

	HASH_ITER (hh, x->links, link, next)
		forget(x, link);
}

uint64_t tool_links_identity(const struct tool_extract *x,
			     struct arc_inode *inode)
{
	struct arc_inode leader;

	if (!x->tool->req.hardlink_duplicates || !S_ISREG(inode->mode) ||
	    inode->share_nlink <= inode->nlink ||
	    arc_index_inode(x->tool->index, inode->share, &leader) < 0)
		return inode->nlink;
	inode->ino = inode->share;
	inode->mtime = leader.mtime;
	inode->mtime_ns = leader.mtime_ns;
	return inode->share_nlink;
}
