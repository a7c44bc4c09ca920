/* SPDX-License-Identifier: MIT */
/*
 * recheck_i - what the files of recheck share: recheck.c (the set, begin and
 * end), recheck_walk.c (names), recheck_entry.c (metadata), recheck_data.c
 * (contents).
 *
 * Threads: verdicts are locked inside; the rest has one owner.
 */
#ifndef MK_RECHECK_I_H
#define MK_RECHECK_I_H

#include "archive.h"
#include "recheck.h"
#include "scan_i.h"

/* A piece of a file that is compared at once: [off, end). */
struct mk_piece {
	uint64_t stream; /* where its first data lies, the order of all */
	uint64_t entry;
	uint64_t off;
	uint64_t end;
};

struct mk_recheck {
	struct mk_run *run;
	struct mk_tree *tree;
	const struct mk_scan_skip *skip;
	int dir_fd;
	struct arc_archive *archive;
	struct arc_index *index;
	struct mk_spool pieces; /* struct mk_piece */
	pthread_mutex_t lock; /* of the flags of entries while threads compare */
};

/* "PATH: WHAT": the archive is not what it should be. Said once an entry. */
void mk_recheck_differs(struct mk_recheck *c, uint64_t entry, const char *what);

/* The same about what could not be compared. err: negative errno or 0. */
void mk_recheck_doubt(struct mk_recheck *c, uint64_t entry, const char *what,
		      int err);

/* Something is wrong already: no use comparing more of it. */
bool mk_recheck_is_out(struct mk_recheck *c, uint64_t entry);

/*
 * Goes through the tree, the index and the source side by side. What is as it
 * should be becomes MK_ENTRY_VERIFIED, and its content pieces.
 */
int mk_recheck_walk(struct mk_recheck *c);

/* The tree, the index and the source, side by side (recheck_walk.c). */
struct mk_rewalk {
	struct mk_recheck *c;
	struct mk_tree *tree;
	struct mk_dirs dirs;
	struct mk_xattrs xattrs;
	struct arc_diag mute; /* what is wrong with attributes ... */
	struct mk_run muted; /* ... was said by the scan: counted here */
	struct mk_spool link_rows;
	struct mk_links links; /* to entries, as the source has them now */
	struct arc_buf target;
	struct arc_buf path;
	char *listing;
	uint8_t *seen; /* a bit for each inode of the archive */
	uint64_t inodes; /* room in seen */
	uint64_t seen_count;
	bool passed_over; /* not all of the archive was looked at */
	uint64_t steps;
};

/* A name that is looked at. */
struct mk_relook {
	uint64_t entry;
	uint64_t dir; /* entry of its directory */
	int dir_fd;
	const char *name; /* in dir_fd; NULL: dir_fd itself, the root */
	struct stat st;
	struct arc_inode inode; /* what the archive says */
	bool own_dir; /* the set lies in it, and changed its times */
	bool seen; /* a name before led to this inode of the archive */
};

/*
 * Compares all of an entry but its content, of which it makes pieces. ino: as
 * the archive's directory has it. Negative only for what ends all.
 */
int mk_recheck_entry(struct mk_rewalk *w, struct mk_relook *l, uint64_t ino);

/* Appends the pieces of a file's content. */
int mk_recheck_add_pieces(struct mk_recheck *c, uint64_t entry,
			  const struct arc_inode *inode);

/* Compares all pieces, in the order of the stream, in several threads. */
int mk_recheck_data(struct mk_recheck *c);

#endif
