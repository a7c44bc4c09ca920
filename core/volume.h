/* SPDX-License-Identifier: MIT */
/*
 * volume - the ordered set of stores of one archive as one space of
 * (volume number, offset). Volumes are opened when first needed, their
 * headers checked, and kept open in a bounded number.
 *
 * A volume that is missing answers -ENOMEDIUM, one whose header belongs to
 * another archive or another place -ESTALE, one that ends early -EBADMSG. A
 * damaged header is complained about but hides nothing: what is read is bound
 * to its place by the index. Each volume is complained about once. What is
 * wrong with one volume never concerns another.
 *
 * Threads: locked inside; nothing is held across I/O.
 */
#ifndef ARC_VOLUME_H
#define ARC_VOLUME_H

#include "diag.h"
#include "format.h"
#include "store.h"

struct arc_volumes;

/* Where the volumes come from: a folder, memory, later HTTP. */
struct arc_volume_source_ops {
	/* -ENOMEDIUM when there is no such volume. */
	int (*open)(void *ctx, uint32_t number, struct arc_store **ret);

	/* Highest number there is, 0 when there is none. `below` bounds the
	 * search: only numbers < below count. */
	int (*highest)(void *ctx, uint32_t below, uint32_t *ret);

	/* Whether a volume still being written lies there. NULL: no. */
	bool (*unfinished)(void *ctx);
	void (*close)(void *ctx);
};

struct arc_volume_source {
	const struct arc_volume_source_ops *ops;
	void *ctx;
	char *name; /* for messages: "dir/base"; owned, may be NULL */
};

/*
 * The set that the file `path` ("dir/base.007") belongs to. The folder is
 * opened now, so relative paths stay right whatever happens to the working
 * directory. *ret_number: which volume was named. Says what is wrong.
 * A path that has no volume number is refused with a hint ("name the volume
 * .001").
 */
int arc_volume_source_path(const char *path, struct arc_diag *diag,
			   struct arc_volume_source *ret, uint32_t *ret_number);

/* Memory stores for tests: borrows stores[0..n), volume i + 1 each; NULL is
 * missing. */
int arc_volume_source_memory(struct arc_store **stores, uint32_t n,
			     struct arc_volume_source *ret);

/*
 * Finds the set's last volume: among the volumes from the highest number down
 * the first that ends in a valid footer for its own number and whose archive
 * id is that of volume `named` (0: any). Takes source, on failure too.
 * -ENOMEDIUM when no footer is found: the message says whether the set is
 * unfinished (a .part file, if any) or its last volume missing.
 * -EOPNOTSUPP: made by a newer version.
 * max_open: descriptors kept (0: chosen from RLIMIT_NOFILE, 4..64).
 */
int arc_volumes_open(struct arc_volume_source *source, uint32_t named,
		     unsigned max_open, struct arc_diag *diag,
		     struct arc_volumes **ret);
void arc_volumes_close(struct arc_volumes *vs); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_volumes, arc_volumes_close)

/* The footer found, valid as long as vs. */
const struct arc_disk_footer *arc_volumes_footer(const struct arc_volumes *vs);

uint32_t arc_volumes_count(const struct arc_volumes *vs);

/* Reads exactly n bytes. Errors as above, -EIO when the place fails. */
int arc_volumes_read(struct arc_volumes *vs, uint32_t number, uint64_t off,
		     void *buf, size_t n);

/* The same as arc_store_read_once() does it: buf is such a buffer. */
int arc_volumes_read_once(struct arc_volumes *vs, uint32_t number, uint64_t off,
			  void *buf, size_t n, uint8_t **ret);

/*
 * The numbers (uint32_t, ascending) of the set's volumes that are there, each
 * appended to ret. As it was when the set was opened; costs nothing for those
 * that are missing, of which a footer may claim millions.
 */
int arc_volumes_present(struct arc_volumes *vs, struct arc_buf *ret);

/* Bytes of a volume; errors as above. */
int arc_volumes_size(struct arc_volumes *vs, uint32_t number, uint64_t *ret);

/* "dir/base.007", for messages; writes into out. Returns out. */
char *arc_volumes_name(const struct arc_volumes *vs, uint32_t number, char *out,
		       size_t cap);

/* Sum of what has been read so far, and how much of it around the system's
 * cache. */
uint64_t arc_volumes_bytes_read(const struct arc_volumes *vs);
uint64_t arc_volumes_bytes_direct(const struct arc_volumes *vs);

#endif
