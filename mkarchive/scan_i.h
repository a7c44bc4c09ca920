/* SPDX-License-Identifier: MIT */
/*
 * scan_i - what the files of scan share: reading attributes (scan_xattr.c), a
 * stack of open directories of any depth (scan_dirs.c), listing one
 * (scan_list.c), making entries (scan_entry.c), threads ahead of the walk
 * (scan_look.c).
 *
 * Threads: one owner.
 */
#ifndef MK_SCAN_I_H
#define MK_SCAN_I_H

#include "links.h"
#include "scan.h"
#include "scanahead.h"

/* ---- attributes ---------------------------------------------------------- */

/* An attribute as it is read: its value lies in mk_xattrs.values. */
struct mk_xattr_read {
	const char *name;
	size_t at;
	size_t n;
};

struct mk_xattrs {
	struct mk_run *run;
	const struct mk_tree *tree;
	const char *path; /* messages speak of it; NULL: of the entry */
	bool by_proc; /* /proc is there: attributes of any kind of file */
	bool by_at; /* and mk_xattrs_list_at() can be used */
	char *names; /* as listed */
	struct arc_buf values;
	struct mk_xattr_read *read;
	struct mk_xattr_in *set; /* the result */
	size_t cap; /* of read and set */
};

/* fd: any open directory, to find out what /proc gives. */
int mk_xattrs_init(struct mk_xattrs *x, struct mk_run *run,
		   const struct mk_tree *tree, int fd);
void mk_xattrs_fini(struct mk_xattrs *x);

/* listxattrat(2), never through a symlink: -1 and errno. Ask first whether there
 * is such a call. */
ssize_t mk_xattrs_list_at(int dir_fd, const char *name, char *names, size_t n);
bool mk_xattrs_can_list_at(int dir_fd);

/*
 * The attributes of `name` in the directory dir_fd, which is entry `dir`; name
 * NULL: of the directory itself. x->set holds *ret_n of them, sorted, until
 * the next call. What cannot be read or may not be stored is reported and
 * missing; only want of memory is an error.
 */
int mk_xattrs_read(struct mk_xattrs *x, int dir_fd, uint64_t dir,
		   const char *name, mode_t mode, size_t *ret_n);

/* ---- the stack of directories -------------------------------------------- */

/*
 * The directories from the root to where the walk is. Only the innermost ones
 * are open, a bounded number of them:
 *
 *	frame[0] ... frame[first_open - 1]	closed
 *	frame[first_open] ... frame[depth - 1]	open
 */
#define MK_SCAN_LOOKS 16

struct mk_dir_frame {
	uint64_t entry;
	uint64_t next; /* entry to look at next */
	uint64_t dirs_left; /* subdirectories among those to look at */
	int fd;

	/* Subdirectories that threads look at, in their order (scan_look.c). */
	struct mk_look *look[MK_SCAN_LOOKS];
	unsigned looks;
	uint64_t look_at; /* entry to ask for next */
};

struct mk_dirs {
	const struct mk_tree *tree;
	struct mk_dir_frame *frame;
	size_t depth;
	size_t cap;
	size_t first_open;
	size_t max_open;
};

void mk_dirs_init(struct mk_dirs *d, const struct mk_tree *tree,
		  size_t max_open);
void mk_dirs_fini(struct mk_dirs *d);

/* As many as may be open without getting in the way of others. */
size_t mk_dirs_default(void);

static inline struct mk_dir_frame *mk_dirs_top(const struct mk_dirs *d)
{
	return &d->frame[d->depth - 1];
}

/* Takes fd, on failure too. */
int mk_dirs_push(struct mk_dirs *d, uint64_t entry, int fd);

/*
 * Leaves the innermost directory. The one outside it is open afterwards; when
 * it cannot be opened again or is another one now, the error is returned and
 * its fd is -1.
 */
int mk_dirs_pop(struct mk_dirs *d);

/* The next subdirectory of the innermost directory; there is one left. */
uint64_t mk_dirs_next(struct mk_dirs *d);

/* Opens a directory for listing: never through a symlink. */
int mk_dirs_open_at(int dir_fd, const char *name);

/* ---- the walk ------------------------------------------------------------ */

struct mk_scanner {
	struct mk_run *run;
	struct mk_tree *tree;
	const struct mk_scan_skip *skip; /* may be NULL */
	struct mk_dirs dirs;
	struct mk_xattrs xattrs;
	struct mk_links links; /* over tree->links */
	uint64_t *few; /* places in tree->names of the names listed */
	size_t few_cap;
	struct mk_spool many; /* the same where they are too many; else closed */
	struct mk_spool spare; /* to sort those with */
	uint64_t name_count;
	char *listing;
	struct arc_buf path; /* of what is asked about; "DIR/" kept */
	struct arc_buf target;
	uint64_t root_dev;
	uint64_t steps;
	struct mk_lookahead *ahead; /* NULL: no threads */
};

/* A step of the walk: now and then pages of the tree are handed back. */
static inline void mk_scan_step(struct mk_scanner *sc)
{
	mk_tree_step(sc->tree, ++sc->steps);
}

/* What stat says of an entry. */
void mk_scan_fill(struct mk_entry *e, const struct stat *st);

/* The target of a symlink; -ENAMETOOLONG. */
int mk_scan_read_target(struct arc_buf *ret, int dir_fd, const char *name);

/*
 * Reads all about the inode `text` in dir_fd, which is entry `dir`, and adds
 * its entry; text NULL: dir_fd itself, the root. name: its place in
 * tree->names. A symlink's target has been read into sc->target. plain: it is
 * known to have no attributes.
 */
int mk_scan_add_inode(struct mk_scanner *sc, int dir_fd, uint64_t dir,
		      uint64_t name, const char *text, const struct stat *st,
		      bool plain);

/*
 * Adds the entry of the name at `name` of tree->names, unless it is excluded
 * or cannot be read (which is reported). Returns 1 for a directory. listed: what
 * a thread has found out about it, or NULL.
 */
int mk_scan_add_name(struct mk_scanner *sc, int dir_fd, uint64_t dir,
		     uint64_t name, const struct mk_listed *listed);

/* ---- listing a directory (scan_list.c) ------------------------------------ */

/* What is in the directory, entry `dir`: name_count names, sorted. */
int mk_scan_list(struct mk_scanner *sc, int fd, uint64_t dir);
uint64_t mk_scan_listed_at(const struct mk_scanner *sc, uint64_t i);
void mk_scan_list_fini(struct mk_scanner *sc);
/* Puts a name into the tree. */
int mk_scan_keep_name(struct mk_scanner *sc, const char *name, uint64_t *ret);

/* Whether the archive is being written there. */
bool mk_scan_has_own(const struct mk_scanner *sc, uint64_t dir);

/* False, said if need be: it has no place in the archive. */
bool mk_scan_is_kept(struct mk_scanner *sc, uint64_t dir, bool own_volumes,
		     const char *name);

/* It is a file of the archive that is being written. skip may be NULL. */
bool mk_scan_is_own(const struct mk_scan_skip *skip, const struct stat *dir,
		    const char *name);

/* ---- threads ahead of the walk (scan_look.c) ------------------------------ */

/* Asks for the next subdirectories of the innermost directory. */
int mk_scan_look_ahead(struct mk_scanner *sc);
/* The look at a subdirectory of the innermost directory, which is the next to
 * be entered; NULL: none. To be freed. */
struct mk_look *mk_scan_look_of(struct mk_scanner *sc, uint64_t entry);

void mk_scan_drop_looks(struct mk_scanner *sc, struct mk_dir_frame *f);

#endif
