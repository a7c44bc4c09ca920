/* SPDX-License-Identifier: MIT */
/*
 * volwrite - writes pieces (records, index blocks) into volumes of bounded
 * size. A piece never crosses a border. The open volume is OUT.NNN.part; a
 * finished one gets its final name at once; the footer comes last, after
 * everything before it has been synced.
 *
 * Threads: one owner.
 */
#ifndef MK_VOLWRITE_H
#define MK_VOLWRITE_H

#include "diag.h"
#include "format.h"
#include "store.h"

/* Where volumes are made: a folder, or memory in tests. */
struct mk_volume_sink_ops {
	/* Makes volume `number`, not visible under its final name. */
	int (*create)(void *ctx, uint32_t number, struct arc_store **ret);

	/* Gives it its final name; its store has been synced and closed. */
	int (*complete)(void *ctx, uint32_t number);

	/* Makes the names durable. */
	int (*sync)(void *ctx);
	void (*close)(void *ctx);
};

struct mk_volume_sink {
	const struct mk_volume_sink_ops *ops;
	void *ctx;
};

/*
 * A sink for "dir/base". An existing set (any dir/base.NNN or .part) is
 * refused with -EEXIST, or removed first when force is true. Creates no file
 * yet. Says what is wrong.
 */
int mk_volume_sink_path(const char *out, bool force, struct arc_diag *diag,
			struct mk_volume_sink *ret);

/* The folder of a path sink (borrowed), for temporary files. */
int mk_volume_sink_dir(const struct mk_volume_sink *sink);

/* A sink that makes memory stores: number n lies in (*stores)[n - 1]; the
 * caller closes them. */
struct mk_memory_set {
	struct arc_store **stores;
	uint32_t n;
};
int mk_volume_sink_memory(struct mk_memory_set *set,
			  struct mk_volume_sink *ret);

struct mk_volwrite;

struct mk_volwrite_params {
	uint64_t limit; /* bytes of a volume */
	uint32_t frame_size;
	uint8_t id[16];
	bool sync;
};

/* Takes sink, on failure too. */
int mk_volwrite_open(struct mk_volume_sink *sink,
		     const struct mk_volwrite_params *params,
		     struct arc_diag *diag, struct mk_volwrite **ret);

/* Without finish before it: what was written stays, recognisably unfinished.
 * Accepts NULL. */
void mk_volwrite_close(struct mk_volwrite *vw);
ARC_DEFINE_CLEANUP(struct mk_volwrite, mk_volwrite_close)

/*
 * Writes a piece; where it went. `tail` more bytes must fit behind it in the
 * same volume (0 but for the top root, which needs the footer's room).
 * -E2BIG when the piece can fit no volume.
 */
int mk_volwrite_put(struct mk_volwrite *vw, const void *piece, size_t n,
		    size_t tail, uint32_t *ret_volume, uint64_t *ret_offset);

/* The footer behind the top root (just put); completes the set. */
int mk_volwrite_finish(struct mk_volwrite *vw, uint64_t root_offset,
		       uint64_t root_length);

uint32_t mk_volwrite_volumes(const struct mk_volwrite *vw);
uint64_t mk_volwrite_bytes(const struct mk_volwrite *vw);

#endif
