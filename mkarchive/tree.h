/* SPDX-License-Identifier: MIT */
/*
 * tree - the source as it was found: one row per name, in the order in which
 * everything is written. The entries of a directory stand together, sorted by
 * their raw names; then its subdirectories follow in that order, depth first.
 * Entry 0 is the root.
 *
 * Lives in spools, so that memory does not grow with the number of entries.
 *
 * Threads: one owner adds; later stages write to different rows from several
 * threads.
 */
#ifndef MK_TREE_H
#define MK_TREE_H

#include <sys/stat.h>

#include "bytes.h"
#include "diag.h"
#include "hash.h"
#include "held.h"
#include "spool.h"

#define MK_NONE UINT64_MAX

enum mk_entry_flags {
	MK_ENTRY_GONE = 1, /* could not be stored: not in the archive */
	MK_ENTRY_SPARSE = 2, /* fewer blocks than bytes: look for holes */
	MK_ENTRY_EXTENTS = 4, /* has an extent list (set by pack) */
	MK_ENTRY_CANDIDATE = 8, /* found to be a duplicate (set by dedup) */
	MK_ENTRY_LEADER = 16, /* others were found equal (set by dedup) */
	/* set by recheck */
	MK_ENTRY_VERIFIED = 32, /* the archive has it as the source has */
	MK_ENTRY_DOUBT = 64, /* it could not be compared to its end */
	MK_ENTRY_DIFFERS = 128, /* the archive has it otherwise */
	MK_ENTRY_REMOVED = 256, /* from the source (set by removal) */
	MK_ENTRY_PACKED = 512, /* before its turn in the tree (set by pack) */
	MK_ENTRY_HELD =
		1024, /* `data` is its place in tree->held (set by dedup,
			     * until it is packed) */
};

struct mk_entry {
	/* set by scan */
	uint64_t name; /* offset in tree->names, NUL-terminated */
	uint64_t parent; /* entry of its directory; root: 0 */
	uint64_t dev;
	uint64_t ino;
	int64_t mtime;
	int64_t ctime;
	uint32_t mtime_ns;
	uint32_t ctime_ns;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t xset; /* 1 + row of tree->xsets; 0: none */
	uint64_t size; /* regular: st_size, later what was stored */
	uint64_t rdev; /* device: major << 32 | minor */
	uint64_t link; /* entry of the inode's first name; own when first */
	uint64_t children; /* directory: first entry of its own */
	uint64_t child_count; /* directory: entries, the gone ones too */
	uint64_t target; /* symlink: offset of its item in tree->text */

	/* set by dedup */
	uint64_t leader; /* entry with the same content, own when none */

	/* set by pack */
	uint64_t data; /* stream offset, or first row of tree->extents */
	uint32_t extents;
	uint32_t flags; /* enum mk_entry_flags; scan sets SPARSE */

	/* set by number (numbers.h) */
	uint64_t row; /* of the inode in the index */
	uint64_t share; /* row of the sharing leader */
	uint32_t nlink; /* names in the archive; directory: 2 + subdirs */
	uint32_t share_nlink;
};

struct mk_extent {
	uint64_t file;
	uint64_t len;
	uint64_t stream; /* or ARC_STREAM_ZERO */
};

struct mk_xset {
	uint64_t first; /* row of tree->xattrs */
	uint64_t count;
	uint64_t hash;
};

struct mk_xattr {
	uint64_t name; /* offset of the item in tree->text */
	uint64_t value;
};

struct mk_link {
	uint64_t dev;
	uint64_t ino;
	uint64_t entry; /* the first name found */
	uint32_t type; /* S_IFMT of its mode */
	uint32_t xset; /* of the entry */
};

struct mk_tree {
	int root_fd; /* the source directory; a single file: its folder */
	int tmp_fd; /* where spools go */
	char *root_path; /* as given, for messages */
	bool single_file; /* the source is one file, entry 1 */
	struct mk_spool entries; /* struct mk_entry */
	struct mk_spool names; /* bytes */
	struct mk_spool text; /* bytes: items of u32 length (little-endian),
			       * bytes; none crosses an ARC_BLOCK_MAX border,
			       * so the spool is the TEXT table as it is */
	struct mk_spool xsets; /* struct mk_xset, each different set once */
	struct mk_spool xattrs; /* struct mk_xattr */
	struct mk_spool extents; /* struct mk_extent, by pack */
	struct mk_spool digests; /* struct arc_digest128 by entry */
	struct mk_spool sha256; /* 32 bytes by entry; unused: not opened */
	struct mk_spool links; /* struct mk_link: inodes with more names */
	struct mk_spool order; /* u64: entries as they are packed, before all
				* others (order.h); unused: not opened */
	struct mk_interned *interned; /* the xattr sets' hash table */
	struct mk_held *held; /* of dedup, for pack; NULL: nothing */
};

/* Spools go into the folder tmp_fd (borrowed). sha256: open that spool too. */
int mk_tree_open(struct mk_tree *t, int tmp_fd, bool sha256);
void mk_tree_close(struct mk_tree *t); /* accepts NULL */

/* n fresh entries (and places for digests); their names are set by name(). */
int mk_tree_add(struct mk_tree *t, uint64_t n, uint64_t *ret_first);
int mk_tree_set_name(struct mk_tree *t, uint64_t entry, const char *name);

/* An item of tree->text. */
int mk_tree_add_text(struct mk_tree *t, const void *bytes, size_t n,
		     uint64_t *ret_offset);

/* An attribute of a set to be interned; sorted by name by the caller. */
struct mk_xattr_in {
	const char *name;
	const uint8_t *value;
	size_t n;
};

/* 1 + row of the set, an equal one if there is one; 0 for no attributes. */
int mk_tree_intern(struct mk_tree *t, const struct mk_xattr_in *set, size_t n,
		   uint32_t *ret);

static inline struct mk_entry *mk_tree_at(const struct mk_tree *t, uint64_t i)
{
	return mk_spool_at(&t->entries, i);
}

static inline const char *mk_tree_name(const struct mk_tree *t,
				       const struct mk_entry *e)
{
	return mk_spool_at(&t->names, e->name);
}

/* The content of an entry that has MK_ENTRY_HELD. */
static inline struct arc_span mk_tree_held(const struct mk_tree *t,
					   const struct mk_entry *e)
{
	return (struct arc_span){ mk_held_at(t->held, e->data),
				  (size_t)e->size };
}

/* Lets go of all that is held. */
void mk_tree_drop_held(struct mk_tree *t);

/* Path relative to the source ("" for the root), appended to buf with a NUL
 * that does not count. */
int mk_tree_path(const struct mk_tree *t, uint64_t entry, struct arc_buf *buf);

/* Pages of all spools are handed back to the kernel. */
void mk_tree_release(const struct mk_tree *t);

/* To be called with 1, 2, 3 ... by who goes through rows in any order: hands
 * pages back when it is time. */
void mk_tree_step(const struct mk_tree *t, uint64_t step);

#endif
