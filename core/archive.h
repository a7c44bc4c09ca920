/* SPDX-License-Identifier: MIT */
/*
 * archive - the one face of every reader: open a set of volumes, look up,
 * list, read, verify.
 *
 * Threads: every function may be called from any thread.
 */
#ifndef ARC_ARCHIVE_H
#define ARC_ARCHIVE_H

#include <sys/uio.h>

#include "cache.h"
#include "index.h"

struct arc_archive;

struct arc_archive_options {
	size_t cache_size; /* budget of decoded data; 0: by the machine's
			    * memory, see memory.h */
	size_t index_cache_size; /* budget of index blocks; 0: a quarter of
				  * that, at most ARC_INDEX_CACHE_MAX */
	unsigned max_open; /* volumes kept open; 0: chosen */
};

#define ARC_INDEX_CACHE_MAX ((size_t)32 << 20)

/* path: any volume of the set. Says what is wrong. Borrows diag. */
int arc_archive_open(const char *path, const struct arc_archive_options *opt,
		     struct arc_diag *diag, struct arc_archive **ret);

/* Takes source, on failure too; named as in arc_volumes_open(). */
int arc_archive_open_source(struct arc_volume_source *source, uint32_t named,
			    const struct arc_archive_options *opt,
			    struct arc_diag *diag, struct arc_archive **ret);
void arc_archive_close(struct arc_archive *a); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_archive, arc_archive_close)

/* The caches of data and index: give half back at once; grow again a little,
 * whether there is more to grow; drop what has not been used for `age` ticks,
 * returns the bytes. See lru.h. */
void arc_archive_shrink(struct arc_archive *a);
bool arc_archive_regrow(struct arc_archive *a);
size_t arc_archive_tidy(struct arc_archive *a, uint32_t now, uint32_t age);

/* The floors below, for those who list, inspect and verify. */
struct arc_volumes *arc_archive_volumes(struct arc_archive *a);
struct arc_index *arc_archive_index(struct arc_archive *a);
struct arc_cache *arc_archive_cache(struct arc_archive *a);

/*
 * The inode of a path from the root ("a/b", "/a/b", "" and "/": the root),
 * symlinks not followed: -ENOENT, -ENOTDIR, -EINVAL for "." and "..".
 */
int arc_archive_resolve(struct arc_archive *a, const char *path,
			struct arc_inode *ret);

/*
 * Header and table of a frame's record, read past the cache and compared with
 * what the index says of it; nothing is said about what is wrong. The caller
 * frees *ret with free(). -EBADMSG, and what arc_volumes_read() answers.
 */
int arc_archive_record(struct arc_archive *a, const struct arc_frame *f,
		       struct arc_record **ret);

/* A stored attribute by name: its value (freed by the caller) or -ENODATA. */
int arc_archive_getxattr(struct arc_archive *a, const struct arc_inode *inode,
			 const char *name, uint8_t **ret, size_t *ret_n);

/* NUL-separated names as listxattr(2) gives them, freed by the caller. */
int arc_archive_listxattr(struct arc_archive *a, const struct arc_inode *inode,
			  char **ret, size_t *ret_n);

/* A read under way: pieces that lie in pinned memory. */
struct arc_read {
	struct iovec *iov;
	int count;
	size_t n; /* bytes in all */
	struct arc_pin *pins;
	size_t pin_count;
	size_t copied; /* bytes that do not lie in the cache */
};

/*
 * Makes the bytes [off, off + n) of a regular file readable in place, cut at
 * the end of the file (n = 0 past it). All or nothing: any damage in the range
 * is an error, never a short read. End with arc_read_end(), also after n = 0;
 * not after an error. n <= ARC_READ_MAX.
 */
#define ARC_READ_MAX ((size_t)8 << 20)
int arc_archive_read_begin(struct arc_archive *a, const struct arc_inode *inode,
			   uint64_t off, size_t n, struct arc_read *ret);
void arc_archive_read_end(struct arc_archive *a, struct arc_read *r);

/* Copying read; any n; returns the bytes read (short only at the end). */
ssize_t arc_archive_pread(struct arc_archive *a, const struct arc_inode *inode,
			  void *buf, size_t n, uint64_t off);

/*
 * lseek(2) with SEEK_DATA (data true) or SEEK_HOLE: -ENXIO when off is at or
 * past the end, or there is no data after off. The end counts as a hole.
 */
int arc_archive_seek(struct arc_archive *a, const struct arc_inode *inode,
		     uint64_t off, bool data, uint64_t *ret);

/* Damage found by arc_archive_verify(). */
struct arc_damage {
	uint64_t frame; /* UINT64_MAX: not about a frame */
	uint32_t volume;
	uint32_t volumes; /* how many are missing, from this one on; else 0 */
	uint64_t offset; /* in the volume */
	uint64_t stream; /* first damaged byte of the stream */
	uint64_t len;
	int err;
	const char *what; /* "record", "segment", "index block inode" ...; valid
			   * during the call */
};

struct arc_engine;

struct arc_verify_options {
	unsigned threads;
	struct arc_engine *engine; /* has devices that decode; NULL: none */
	void (*damage)(void *ctx, const struct arc_damage *d); /* serialised */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes */
	void *ctx;
};

/*
 * Reads everything: every index block, every record, every segment of it, and
 * compares all checksums. Returns the number of damages, or a negative errno
 * when it could not be done.
 */
ssize_t arc_archive_verify(struct arc_archive *a,
			   const struct arc_verify_options *opt);

#endif
