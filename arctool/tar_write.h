/* SPDX-License-Identifier: MIT */
/*
 * tar_write - a stream of tar as POSIX.1-2001 has it (pax), with the records
 * that GNU tar, star and libarchive agree on beyond it: SCHILY.xattr.*,
 * SCHILY.acl.*, and GNU.sparse in its version 1.0.
 *
 * Own code, because the writer of libarchive passes names through the locale,
 * wants the bytes of holes handed over to leave them out, and keeps the runs of
 * a file in memory. Nothing is kept here: a header goes out when it is known.
 *
 * An entry is: records, header, data of exactly the size told, end.
 *
 * Threads: one owner.
 */
#ifndef TAR_WRITE_H
#define TAR_WRITE_H

#include <sys/uio.h>

#include "base.h"

struct tool_tar;

enum tool_tar_type {
	TOOL_TAR_FILE = '0',
	TOOL_TAR_LINK = '1',
	TOOL_TAR_SYMLINK = '2',
	TOOL_TAR_CHAR = '3',
	TOOL_TAR_BLOCK = '4',
	TOOL_TAR_DIR = '5',
	TOOL_TAR_FIFO = '6'
};

struct tool_tar_entry {
	enum tool_tar_type type;
	const char *path; /* a directory's ends in a slash */
	const char *target; /* of links, else NULL */
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size; /* of the data behind the header */
	uint32_t major;
	uint32_t minor;
	bool sparse; /* the data begins with a map; the records say so */
};

/* Borrows fd. */
int tool_tar_new(int fd, struct tool_tar **ret);
void tool_tar_free(struct tool_tar *t); /* accepts NULL; writes nothing */
ARC_DEFINE_CLEANUP(struct tool_tar, tool_tar_free)

/* A record of the entry whose header comes next. */
int tool_tar_record(struct tool_tar *t, const char *key, const void *value,
		    size_t n);
int tool_tar_number(struct tool_tar *t, const char *key, uint64_t value);

/* An extended attribute as a record, an ACL as text (tar_attribute.c). */
int tool_tar_attribute(struct tool_tar *t, const char *name,
		       const uint8_t *value, size_t n);

/* Negative: what write(2) said; the stream is broken then. */
int tool_tar_header(struct tool_tar *t, const struct tool_tar_entry *e);
int tool_tar_data(struct tool_tar *t, const void *bytes, size_t n);
int tool_tar_vector(struct tool_tar *t, struct iovec *iov, int count);
int tool_tar_zeros(struct tool_tar *t, uint64_t n);

/* Fills the block that the data ended in. */
int tool_tar_end_entry(struct tool_tar *t);

/* The end of the stream, and everything that is still here. */
int tool_tar_finish(struct tool_tar *t);

#endif
