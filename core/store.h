/* SPDX-License-Identifier: MIT */
/*
 * store - a place where bytes live: a file, memory, a store that fails on
 * purpose (for tests); later HTTP. Offsets are absolute; there is no position.
 *
 * Threads: pread may be called from many threads at once; the writing calls
 * belong to one owner.
 */
#ifndef ARC_STORE_H
#define ARC_STORE_H

#include "base.h"

struct arc_store;

/* Of reads around the system's cache place, length and memory are multiples of
 * it. */
#define ARC_STORE_BLOCK ((size_t)4096)

/* What a kind of store has to provide; see the functions below. */
struct arc_store_ops {
	ssize_t (*pread)(struct arc_store *s, void *buf, size_t n,
			 uint64_t off);
	/* NULL: there is none. May be short. -EOPNOTSUPP: this cannot be read
	 * so, or had better not be. */
	ssize_t (*pread_direct)(struct arc_store *s, void *buf, size_t n,
				uint64_t off);
	ssize_t (*pwrite)(struct arc_store *s, const void *buf, size_t n,
			  uint64_t off);
	int (*size)(struct arc_store *s, uint64_t *ret);
	int (*sync)(struct arc_store *s);
	void (*close)(struct arc_store *s);
};

struct arc_store {
	const struct arc_store_ops *ops;
};

/* Reads exactly n bytes; -EBADMSG when the store ends before. */
int arc_store_read(struct arc_store *s, void *buf, size_t n, uint64_t off);

/*
 * The same for what is hardly wanted again soon: where it can be, and where
 * most of it is not in the system's cache, it is read around that, which saves
 * a copy and the memory of one. buf is aligned to ARC_STORE_BLOCK and has room
 * for two of these besides; *ret: where in it the bytes are. Returns 1 when
 * they came around the cache.
 */
int arc_store_read_once(struct arc_store *s, void *buf, size_t n, uint64_t off,
			uint8_t **ret);

/* Writes all n bytes. */
int arc_store_write(struct arc_store *s, const void *buf, size_t n,
		    uint64_t off);
int arc_store_size(struct arc_store *s, uint64_t *ret);
int arc_store_sync(struct arc_store *s);
void arc_store_close(struct arc_store *s); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_store, arc_store_close)

/* Takes fd, on failure too. Retries EINTR. */
int arc_store_from_fd(int fd, struct arc_store **ret);

/* Growing memory, zero-filled where never written. */
int arc_store_memory(struct arc_store **ret);

/* The bytes of a memory store, valid until the next write. */
struct arc_span arc_store_memory_bytes(struct arc_store *s);

/* Cuts or extends (with zeros) a memory store. */
int arc_store_memory_resize(struct arc_store *s, uint64_t n);

/* What a faulty store does, and when. */
struct arc_fault_plan {
	uint64_t fail_at; /* the n-th call fails, 1 = the first; 0 = never */
	int error; /* positive errno of the failing call, EIO when 0 */
	bool short_io; /* transfers are cut to half, so loops are tested */
	uint64_t calls; /* counted here */
};

/* Wraps (takes) inner; borrows plan. */
int arc_store_faulty(struct arc_store *inner, struct arc_fault_plan *plan,
		     struct arc_store **ret);

#endif
