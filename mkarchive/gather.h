/* SPDX-License-Identifier: MIT */
/*
 * gather - the tree of a source that comes in an order of its own: a stream, a
 * list. Names are found and made as they come; what comes later under a name
 * takes its place, as files do that are unpacked one after the other. At the
 * end the tree is brought into the order of tree.h.
 *
 *	name   -> name of its directory, inode	found by (directory, text)
 *	inode  -> metadata, content		names that are links share one
 *	content -> first entry that has it	becomes the leader of the others
 *
 * A name and its inode are rows of their own, so that a name that is replaced
 * does not take those away that were linked to it before.
 *
 * Lives in spools.
 *
 * Threads: one owner.
 */
#ifndef MK_GATHER_H
#define MK_GATHER_H

#include "tree.h"

struct mk_gather;

struct mk_gathered {
	struct mk_entry e; /* but name, parent, link, leader */
	struct arc_digest128 digest; /* of a regular file */
	uint8_t sha256[32];
	uint64_t content; /* MK_NONE: no content */
	uint64_t first; /* set by finish: entry of its first name */
	bool made_up; /* a directory that did not come itself */
};

/* Borrows tree, which is open and empty, and tmp_fd, the folder where spools
 * go. */
int mk_gather_new(struct mk_tree *tree, int tmp_fd, struct mk_gather **ret);
void mk_gather_free(struct mk_gather *g); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_gather, mk_gather_free)

/*
 * Appends the path as it is looked up, with a NUL that does not count: without
 * slashes at its ends, without "." and double slashes. -EINVAL for "..",
 * -ENAMETOOLONG for a name of more than ARC_NAME_MAX bytes.
 */
int mk_gather_path(const char *path, struct arc_buf *ret);

/* The inode at a path, MK_NONE when there is none. "": the root. */
uint64_t mk_gather_find(struct mk_gather *g, const char *path);

/* There is a directory. */
bool mk_gather_is_dir(struct mk_gather *g, const char *path);

/*
 * The name at a path: a new one if need be, without an inode. Directories that
 * are missing on the way are made up, with owner and time of `like`. -ENOTDIR
 * when something else is in the way.
 */
int mk_gather_place(struct mk_gather *g, const char *path,
		    const struct mk_entry *like, uint64_t *ret_name);

/* A new inode; its metadata are filled in through mk_gather_at(). */
int mk_gather_add(struct mk_gather *g, uint64_t *ret_inode);
struct mk_gathered *mk_gather_at(const struct mk_gather *g, uint64_t inode);

/* A new content: they are numbered 0, 1, 2 ... */
int mk_gather_add_content(struct mk_gather *g, uint64_t *ret);

/* Gives the name an inode. -EISDIR when it is a directory with entries and
 * the inode is none. */
int mk_gather_put(struct mk_gather *g, uint64_t name, uint64_t inode);

/* Hands pages back. */
void mk_gather_release(const struct mk_gather *g);

/* Fills the tree. A root that never came is made up as `like` says. *ret_made:
 * directories in it that were made up, the root not counted. */
int mk_gather_finish(struct mk_gather *g, const struct mk_entry *like,
		     uint64_t *ret_made);

#endif
