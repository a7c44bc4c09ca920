/* SPDX-License-Identifier: MIT */
/*
 * index - inodes, names, extents, attributes and frames of an archive, read
 * from its index blocks when they are first needed and kept under a byte
 * budget. Opening reads the footer and the top root and nothing else.
 *
 * Everything that comes from disk is checked before it is used: a row that
 * breaks a rule of format.h answers -EBADMSG, for that row alone.
 *
 * Inode numbers are row + 1; the root directory is ARC_ROOT_INO.
 *
 * Threads: immutable after open but for the block cache, which is locked
 * inside: every function may be called from any thread.
 */
#ifndef ARC_INDEX_H
#define ARC_INDEX_H

#include "lru.h"
#include "pool.h"
#include "volume.h"

#define ARC_ROOT_INO UINT64_C(1)

struct arc_index;

/* An inode row, checked. */
struct arc_inode {
	uint64_t ino;
	uint32_t mode; /* type and permission bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size; /* st_size; directory: number of entries */
	uint64_t data; /* see struct arc_disk_inode */
	uint64_t parent; /* directory: ino of the parent */
	uint64_t leader; /* regular: ino of the content leader */
	uint64_t share; /* ino of the sharing leader */
	uint32_t share_nlink;
	uint32_t xset; /* 0: no attributes */
	uint32_t extents;
	bool has_extents;
};

struct arc_dirent {
	uint64_t ino;
	uint64_t share; /* ino of the sharing leader */
	uint32_t type; /* S_IFMT bits */
	uint8_t name_len;
	char name[ARC_NAME_MAX + 1]; /* NUL-terminated */
};

/* A run of a file: [file, file + len) */
struct arc_extent {
	uint64_t file;
	uint64_t len;
	uint64_t stream; /* offset in the stream, ARC_STREAM_ZERO for zeros */
};

/* Where a frame's record lies. */
struct arc_frame {
	uint64_t number;
	uint64_t start; /* in the stream */
	uint64_t offset; /* in its volume */
	uint64_t checksum;
	uint32_t volume;
	uint32_t raw;
	uint32_t stored;
	uint8_t codec;
	uint8_t group_log;
	uint8_t entry_size;
};

/* The top root's counts, as the writer wrote them: they inform, no more. */
struct arc_summary {
	uint64_t stream, entries, files, dirs, symlinks, others, hardlinks;
	uint64_t bytes, holes, duplicates, duplicate_bytes, stored;
	struct {
		uint64_t frames, raw, stored;
	} codec[8];
};

/*
 * Borrows vs. Says what is wrong. budget: bytes of blocks, kept or being read.
 * What is kept makes room; requests pass it by what they use at the moment and
 * nothing else: a few blocks each, of up to 256 KiB.
 * -EBADMSG when footer or top root are damaged, -EOPNOTSUPP for an unknown
 * incompat feature.
 */
int arc_index_open(struct arc_volumes *vs, size_t budget, struct arc_diag *diag,
		   struct arc_index **ret);
void arc_index_close(struct arc_index *idx); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_index, arc_index_close)

const struct arc_summary *arc_index_summary(const struct arc_index *idx);

/* "key=value\n" lines that describe how the archive was made; NUL-terminated */
const char *arc_index_text(const struct arc_index *idx);

uint64_t arc_index_inodes(const struct arc_index *idx);
uint64_t arc_index_frames(const struct arc_index *idx);
bool arc_index_has_digest(const struct arc_index *idx);
bool arc_index_has_sha256(const struct arc_index *idx);

/* -ENOENT when there is no such inode. */
int arc_index_inode(struct arc_index *idx, uint64_t ino, struct arc_inode *ret);

/* Entry `name` of a directory: -ENOENT, -ENOTDIR. */
int arc_index_lookup(struct arc_index *idx, const struct arc_inode *dir,
		     const char *name, size_t n, struct arc_dirent *ret);

/*
 * Entry number i of a directory in name order; -ENOENT past the last. The
 * order against its neighbour before is checked, and that a subdirectory is one
 * of this directory: there are no loops. A walker enters a subdirectory only if
 * its number is greater than those it has entered from the same directory
 * before; then it enters none twice, and its work is bounded by the archive.
 */
int arc_index_entry(struct arc_index *idx, const struct arc_inode *dir,
		    uint64_t i, struct arc_dirent *ret);

/*
 * Where to go on when entry i cannot be read: the next entry, or the first
 * behind an unreadable part of the index (how much lies there is only known
 * from a count that may be a lie). At most dir->size.
 */
uint64_t arc_index_entry_after(struct arc_index *idx,
			       const struct arc_inode *dir, uint64_t i);

/* Target of a symlink; the caller frees *ret (NUL-terminated). */
int arc_index_target(struct arc_index *idx, const struct arc_inode *inode,
		     char **ret);

/*
 * Attributes by number, in name order: i-th name/value of the inode's set.
 * -ENODATA past the last. name has room for ARC_XATTR_NAME_MAX + 1; *ret_value
 * is freed by the caller (NULL argument: not wanted).
 */
int arc_index_xattr(struct arc_index *idx, const struct arc_inode *inode,
		    uint32_t i, char *name, uint8_t **ret_value, size_t *ret_n);

/* Whether there may be attributes whose names begin so: false is certain. */
bool arc_index_may_have_xattrs(struct arc_index *idx, const char *prefix);

/*
 * The runs of a regular file that overlap [off, off + len), cut to that range,
 * in ascending order; what is between them is hole. Writes up to cap of them;
 * returns their number (fewer than cap: there are no more in the range).
 */
ssize_t arc_index_extents(struct arc_index *idx, const struct arc_inode *inode,
			  uint64_t off, uint64_t len, struct arc_extent *ret,
			  size_t cap);

/* Bytes of a regular file that are data, not hole. */
int arc_index_data_bytes(struct arc_index *idx, const struct arc_inode *inode,
			 uint64_t *ret);

/* -ENOENT when there is no such frame. */
int arc_index_frame(struct arc_index *idx, uint64_t number,
		    struct arc_frame *ret);

/* The frame that holds a byte of the stream. */
int arc_index_frame_at(struct arc_index *idx, uint64_t stream,
		       struct arc_frame *ret);

/* -ENODATA when none is stored for this inode. */
int arc_index_digest(struct arc_index *idx, uint64_t ino, uint8_t ret[16]);
int arc_index_sha256(struct arc_index *idx, uint64_t ino, uint8_t ret[32]);

void arc_index_stats(struct arc_index *idx, struct arc_lru_stats *ret);

/* The blocks that are kept: see lru.h. */
void arc_index_shrink(struct arc_index *idx);
bool arc_index_regrow(struct arc_index *idx);
size_t arc_index_tidy(struct arc_index *idx, uint32_t now, uint32_t age);

/*
 * Reads and checks every block of the index, and every row of the blocks that
 * can be read, in parallel. Calls bad() for each damaged block (which table,
 * where) and bad_row() for each row that breaks a rule though its checksum is
 * right, one call at a time; returns how many there were, or a negative errno.
 */
typedef void (*arc_index_bad)(void *ctx, const char *table, uint8_t level,
			      uint64_t number, uint32_t volume, uint64_t offset,
			      int err);
typedef void (*arc_index_bad_row)(void *ctx, const char *table, uint64_t row);
ssize_t arc_index_verify(struct arc_index *idx, unsigned threads,
			 arc_index_bad bad, arc_index_bad_row bad_row,
			 void *ctx);

/*
 * fn(ctx, number) in parallel for every frame whose row lies in a block that
 * can be read: the number of frames is not to be trusted before that. The
 * first negative result ends it.
 */
int arc_index_each_frame(struct arc_index *idx, unsigned threads,
			 arc_each_fn fn, void *ctx);

#endif
