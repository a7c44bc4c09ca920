/* SPDX-License-Identifier: MIT */
/*
 * A volume is made when its first piece comes, so that nothing is created
 * before there is something to write. What goes wrong with a file is said by
 * the sink, which knows its name; here only what no sink can know is said.
 *
 * An error sticks: a piece may have been written in part, and whatever would
 * follow it must not look like a valid set.
 */
#include "volwrite.h"

#include <string.h>

struct mk_volwrite {
	struct mk_volume_sink sink;
	struct mk_volwrite_params params;
	struct arc_diag *diag;
	struct arc_store *store; /* of the open volume */
	uint32_t number; /* of the open volume, 0 before the first */
	uint64_t off; /* bytes in the open volume */
	uint64_t bytes; /* of all volumes */
	bool adopting; /* so far all is as an earlier run left it: store is that
			* volume, to be read */
	bool complete; /* it has its final name, while adopting */
	int err; /* sticky */
};

int mk_volwrite_open(struct mk_volume_sink *sink,
		     const struct mk_volwrite_params *params,
		     struct arc_diag *diag, struct mk_volwrite **ret)
{
	struct mk_volwrite *vw = calloc(1, sizeof(*vw));

	if (!vw) {
		sink->ops->close(sink->ctx);
		return -ENOMEM;
	}
	vw->sink = *sink;
	vw->params = *params;
	vw->diag = diag;
	vw->adopting = params->resume && sink->ops->adopt;
	*ret = vw;
	return 0;
}

void mk_volwrite_close(struct mk_volwrite *vw)
{
	if (!vw)
		return;
	arc_store_close(vw->store);
	vw->sink.ops->close(vw->sink.ctx);
	free(vw);
}

/* ---- what an earlier run left ------------------------------------------- */

/* Whether these bytes lie at off. What cannot be read does not. */
static bool is_there(struct arc_store *store, const uint8_t *bytes, size_t n,
		     uint64_t off)
{
	uint8_t old[4096];
	uint64_t size;

	if (arc_store_size(store, &size) < 0 || !arc_range_ok(off, n, size))
		return false;
	while (n > 0) {
		size_t some = ARC_MIN(n, sizeof(old));

		if (arc_store_read(store, old, some, off) < 0 ||
		    memcmp(old, bytes, some) != 0)
			return false;
		bytes += some;
		off += some;
		n -= some;
	}
	return true;
}

/* From here on all is written. */
static int end_adopting(struct mk_volwrite *vw)
{
	arc_store_close(arc_steal(vw->store));
	vw->adopting = false;
	return vw->sink.ops->reopen(vw->sink.ctx, vw->number, vw->off,
				    &vw->store);
}

/* Whether the open volume, an old one, ends where we are. */
static bool ends_here(struct mk_volwrite *vw)
{
	uint64_t size;

	return arc_store_size(vw->store, &size) >= 0 && size == vw->off;
}

/* The open volume is full. Nothing but what belongs there may be behind. */
static int end_old_volume(struct mk_volwrite *vw)
{
	return !vw->adopting || ends_here(vw) ? 0 : end_adopting(vw);
}

/* Appends to the open volume. */
static int append(struct mk_volwrite *vw, const void *bytes, size_t n)
{
	int r = 0;

	if (vw->adopting && !is_there(vw->store, bytes, n, vw->off))
		r = end_adopting(vw);
	if (r >= 0 && !vw->adopting)
		r = arc_store_write(vw->store, bytes, n, vw->off);
	if (r < 0)
		return r;
	vw->off += n;
	vw->bytes += n;
	return 0;
}

static int sync_store(struct mk_volwrite *vw)
{
	return vw->params.sync ? arc_store_sync(vw->store) : 0;
}

/* ---- volumes ------------------------------------------------------------ */

/* Syncs and closes the open volume and gives it its final name. An old one may
 * have been written by somebody who did not wait. */
static int complete_volume(struct mk_volwrite *vw)
{
	int r = end_old_volume(vw);

	if (r >= 0)
		r = sync_store(vw);
	arc_store_close(arc_steal(vw->store));
	if (r < 0 || (vw->adopting && vw->complete))
		return r;
	return vw->sink.ops->complete(vw->sink.ctx, vw->number);
}

static void fill_header(const struct mk_volwrite *vw, uint32_t number,
			struct arc_disk_volume *ret)
{
	*ret = (struct arc_disk_volume){
		.version = arc_put16(ARC_FORMAT_VERSION),
		.size = arc_put16(sizeof(*ret)),
		.number = arc_put32(number),
		.limit = arc_put64(vw->params.limit),
		.frame_size = arc_put32(vw->params.frame_size),
	};
	memcpy(ret->magic, ARC_VOLUME_MAGIC, sizeof(ret->magic));
	memcpy(ret->id, vw->params.id, sizeof(ret->id));
	arc_format_seal_volume(ret);
}

/* Volume `number`, the old one where there is one. */
static int open_volume(struct mk_volwrite *vw, uint32_t number)
{
	const struct mk_volume_sink_ops *ops = vw->sink.ops;
	int r;

	if (!vw->adopting)
		return ops->create(vw->sink.ctx, number, &vw->store);
	r = ops->adopt(vw->sink.ctx, number, &vw->store, &vw->complete);
	if (r != -ENOENT)
		return r;
	vw->adopting = false;
	return ops->reopen(vw->sink.ctx, number, 0, &vw->store);
}

static int begin_volume(struct mk_volwrite *vw)
{
	struct arc_disk_volume head;
	int r;

	if (vw->number == ARC_VOLUMES_MAX) {
		arc_say(vw->diag, ARC_ERROR,
			"more than %u volumes; make them larger",
			(unsigned)ARC_VOLUMES_MAX);
		return -E2BIG;
	}
	r = open_volume(vw, vw->number + 1);
	if (r < 0)
		return r;
	vw->number++;
	vw->off = 0;
	fill_header(vw, vw->number, &head);
	return append(vw, &head, sizeof(head));
}

static bool fits_a_volume(const struct mk_volwrite *vw, uint64_t n)
{
	uint64_t limit = vw->params.limit;

	return limit >= sizeof(struct arc_disk_volume) &&
	       n <= limit - sizeof(struct arc_disk_volume);
}

/* In the open volume, behind what is in it. */
static bool fits_here(const struct mk_volwrite *vw, uint64_t n)
{
	return vw->store && n <= vw->params.limit - vw->off;
}

/* Makes sure that n bytes fit behind what is in the open volume. */
static int make_room(struct mk_volwrite *vw, uint64_t n)
{
	int r;

	if (!fits_a_volume(vw, n)) {
		arc_say(vw->diag, ARC_ERROR,
			"a piece of %llu bytes fits no volume of %llu bytes",
			(unsigned long long)n,
			(unsigned long long)vw->params.limit);
		return -E2BIG;
	}
	if (fits_here(vw, n))
		return 0;
	if (vw->store) {
		r = complete_volume(vw);
		if (r < 0)
			return r;
	}
	return begin_volume(vw);
}

static int put(struct mk_volwrite *vw, struct arc_span head,
	       struct arc_span body, size_t tail, uint32_t *ret_volume,
	       uint64_t *ret_offset)
{
	uint64_t all;
	uint64_t at;

	if (vw->err < 0)
		return vw->err;
	if (!arc_add_ok((uint64_t)head.n, (uint64_t)body.n, &all) ||
	    !arc_add_ok(all, (uint64_t)tail, &all))
		return vw->err = -EOVERFLOW;
	vw->err = make_room(vw, all);
	if (vw->err < 0)
		return vw->err;
	at = vw->off;
	vw->err = append(vw, head.p, head.n);
	if (vw->err >= 0 && body.n)
		vw->err = append(vw, body.p, body.n);
	if (vw->err < 0)
		return vw->err;
	*ret_volume = vw->number;
	*ret_offset = at;
	return 0;
}

int mk_volwrite_put(struct mk_volwrite *vw, const void *piece, size_t n,
		    size_t tail, uint32_t *ret_volume, uint64_t *ret_offset)
{
	const struct arc_span all = { piece, n }, none = { NULL, 0 };

	return put(vw, all, none, tail, ret_volume, ret_offset);
}

int mk_volwrite_put_two(struct mk_volwrite *vw, struct arc_span head,
			struct arc_span body, uint32_t *ret_volume,
			uint64_t *ret_offset)
{
	return put(vw, head, body, 0, ret_volume, ret_offset);
}

int mk_volwrite_keep(struct mk_volwrite *vw, uint32_t volume, uint64_t offset,
		     size_t n)
{
	bool here = fits_here(vw, n);
	uint32_t at_volume = here ? vw->number : vw->number + 1;
	uint64_t at = here ? vw->off : sizeof(struct arc_disk_volume);

	if (vw->err < 0)
		return vw->err;
	if (!vw->adopting || !fits_a_volume(vw, n) || volume != at_volume ||
	    offset != at || (!here && vw->store && !ends_here(vw)))
		return 0;
	vw->err = make_room(vw, n);
	if (vw->err < 0)
		return vw->err;
	if (!vw->adopting)
		return 0; /* it was there, but is no more */
	vw->off += n;
	vw->bytes += n;
	return 1;
}

int mk_volwrite_old(const struct mk_volwrite *vw, uint32_t number,
		    struct arc_store **ret, bool *ret_complete)
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	struct arc_disk_volume head;
	bool complete;
	int r = -ENOENT;

	if (vw->sink.ops->adopt)
		r = vw->sink.ops->adopt(vw->sink.ctx, number, &store,
					&complete);
	if (r < 0)
		return r;
	fill_header(vw, number, &head);
	if (!is_there(store, (const uint8_t *)&head, sizeof(head), 0))
		return -ESTALE;
	*ret = arc_steal(store);
	*ret_complete = complete;
	return 0;
}

/* ---- the end ------------------------------------------------------------ */

/* Everything but the footer is on disk, under its final name. */
static int sync_before_footer(struct mk_volwrite *vw)
{
	int r = sync_store(vw);

	if (r < 0 || !vw->params.sync || vw->number == 1)
		return r;
	return vw->sink.ops->sync(vw->sink.ctx);
}

static int write_footer(struct mk_volwrite *vw, uint64_t root_offset,
			uint64_t root_length)
{
	struct arc_disk_footer foot = {
		.version = arc_put16(ARC_FORMAT_VERSION),
		.size = arc_put16(sizeof(foot)),
		.volumes = arc_put32(vw->number),
		.frame_size = arc_put32(vw->params.frame_size),
		.offset = arc_put64(root_offset),
		.length = arc_put64(root_length),
	};

	assert(sizeof(foot) <= vw->params.limit - vw->off);
	memcpy(foot.magic, ARC_FOOTER_MAGIC, sizeof(foot.magic));
	memcpy(foot.id, vw->params.id, sizeof(foot.id));
	memcpy(foot.end, ARC_END_MAGIC, sizeof(foot.end));
	arc_format_seal_footer(&foot);
	return append(vw, &foot, sizeof(foot));
}

/* A footer is always written, never found: so there is none while volumes of an
 * earlier run lie behind it. */
static int finish(struct mk_volwrite *vw, uint64_t root_offset,
		  uint64_t root_length)
{
	const struct mk_volume_sink_ops *ops = vw->sink.ops;
	int r = vw->adopting ? end_adopting(vw) : 0;

	if (r >= 0)
		r = sync_before_footer(vw);
	if (r < 0)
		return r;
	r = write_footer(vw, root_offset, root_length);
	if (r < 0)
		return r;
	r = complete_volume(vw);
	if (r >= 0 && vw->params.sync)
		r = ops->sync(vw->sink.ctx);
	return r < 0 || !ops->finished ? r : ops->finished(vw->sink.ctx);
}

int mk_volwrite_finish(struct mk_volwrite *vw, uint64_t root_offset,
		       uint64_t root_length)
{
	if (vw->err < 0)
		return vw->err;
	assert(vw->store); /* the top root has been put */
	vw->err = finish(vw, root_offset, root_length);
	return vw->err;
}

uint32_t mk_volwrite_volumes(const struct mk_volwrite *vw)
{
	return vw->number;
}

uint64_t mk_volwrite_bytes(const struct mk_volwrite *vw)
{
	return vw->bytes;
}
