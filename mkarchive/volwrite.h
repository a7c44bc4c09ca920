/* SPDX-License-Identifier: MIT */
/*
 * volwrite - writes pieces (records, index blocks) into volumes of bounded
 * size. A piece never crosses a border. The open volume is OUT.NNN.part; a
 * finished one gets its final name at once; the footer comes last, after
 * everything before it has been synced.
 *
 * What an earlier run has left of the same set can be gone on with: as long as
 * the pieces are those that lie there already, at the same places, nothing is
 * written. The first piece that differs ends that: the volume is cut before it,
 * all later ones are removed, and from there on everything is written.
 *
 * Threads: one owner, but for mk_volwrite_old().
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

	/* A sink may be without what follows (NULL). */

	/* What the set's bytes depend on, told before the first volume is made.
	 * An unfinished set that was made of other things is refused, said. */
	int (*begin)(void *ctx, const char *identity, bool sync);

	/* Opens volume `number` as an earlier run left it, for reading. From
	 * any thread. -ENOENT: there is none. */
	int (*adopt)(void *ctx, uint32_t number, struct arc_store **ret,
		     bool *ret_complete);

	/* Cuts volume `number` of an earlier run behind its first n bytes (0:
	 * makes it anew, even if there was none), and opens it for writing, no
	 * longer under its final name. All later ones of that run are removed
	 * before. */
	int (*reopen)(void *ctx, uint32_t number, uint64_t n,
		      struct arc_store **ret);

	/* The set is complete. */
	int (*finished)(void *ctx);
};

struct mk_volume_sink {
	const struct mk_volume_sink_ops *ops;
	void *ctx;
};

/* What shall become of a set that is there. */
enum mk_volume_mode {
	MK_VOLUMES_NEW, /* it is refused with -EEXIST */
	MK_VOLUMES_REPLACE, /* it is removed when there is something to write */
	MK_VOLUMES_RESUME, /* if unfinished, it is gone on with */
};

/*
 * A sink for "dir/base"; a set is any dir/base.NNN or .part. Creates no file
 * yet. Says what is wrong.
 */
int mk_volume_sink_path(const char *out, enum mk_volume_mode mode,
			struct arc_diag *diag, struct mk_volume_sink *ret);

/* Whether what was to be resumed is complete: then nothing may be written, and
 * ret is the archive's id. */
bool mk_volume_sink_is_complete(const struct mk_volume_sink *sink,
				uint8_t ret[16]);

/* The folder of a path sink (borrowed), for temporary files. */
int mk_volume_sink_dir(const struct mk_volume_sink *sink);

/* A sink that makes memory stores: number n lies in (*stores)[n - 1]; the
 * caller closes them. What is there already is what an earlier run left. */
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
	bool resume; /* what the sink finds there is gone on with */
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

/* The same, with a piece that lies in two places. */
int mk_volwrite_put_two(struct mk_volwrite *vw, struct arc_span head,
			struct arc_span body, uint32_t *ret_volume,
			uint64_t *ret_offset);

/*
 * The n bytes at that place, which an earlier run has written, are the next
 * piece, as the caller has made sure. 1: they are kept. 0: it would not lie
 * there; nothing was done.
 */
int mk_volwrite_keep(struct mk_volwrite *vw, uint32_t volume, uint64_t offset,
		     size_t n);

/*
 * Volume `number` of an earlier run, for reading; *ret_complete: has its final
 * name. From any thread. -ENOENT: there is none. -ESTALE: its header is not
 * what it would be now.
 */
int mk_volwrite_old(const struct mk_volwrite *vw, uint32_t number,
		    struct arc_store **ret, bool *ret_complete);

/* The footer behind the top root (just put); completes the set. */
int mk_volwrite_finish(struct mk_volwrite *vw, uint64_t root_offset,
		       uint64_t root_length);

uint32_t mk_volwrite_volumes(const struct mk_volwrite *vw);
uint64_t mk_volwrite_bytes(const struct mk_volwrite *vw);

#endif
