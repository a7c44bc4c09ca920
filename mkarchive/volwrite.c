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

/* Appends to the open volume. */
static int append(struct mk_volwrite *vw, const void *bytes, size_t n)
{
	int r = arc_store_write(vw->store, bytes, n, vw->off);

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

/* Syncs and closes the open volume and gives it its final name. */
static int complete_volume(struct mk_volwrite *vw)
{
	int r = sync_store(vw);

	arc_store_close(arc_steal(vw->store));
	if (r < 0)
		return r;
	return vw->sink.ops->complete(vw->sink.ctx, vw->number);
}

static int begin_volume(struct mk_volwrite *vw)
{
	struct arc_disk_volume head = {
		.version = arc_put16(ARC_FORMAT_VERSION),
		.size = arc_put16(sizeof(head)),
		.number = arc_put32(vw->number + 1),
		.limit = arc_put64(vw->params.limit),
		.frame_size = arc_put32(vw->params.frame_size),
	};
	int r;

	if (vw->number == ARC_VOLUMES_MAX) {
		arc_say(vw->diag, ARC_ERROR,
			"more than %u volumes; make them larger",
			(unsigned)ARC_VOLUMES_MAX);
		return -E2BIG;
	}
	r = vw->sink.ops->create(vw->sink.ctx, vw->number + 1, &vw->store);
	if (r < 0)
		return r;
	vw->number++;
	vw->off = 0;
	memcpy(head.magic, ARC_VOLUME_MAGIC, sizeof(head.magic));
	memcpy(head.id, vw->params.id, sizeof(head.id));
	arc_format_seal_volume(&head);
	return append(vw, &head, sizeof(head));
}

/* Makes sure that n bytes fit behind what is in the open volume. */
static int make_room(struct mk_volwrite *vw, uint64_t n)
{
	uint64_t limit = vw->params.limit;
	int r;

	if (limit < sizeof(struct arc_disk_volume) ||
	    n > limit - sizeof(struct arc_disk_volume)) {
		arc_say(vw->diag, ARC_ERROR,
			"a piece of %llu bytes fits no volume of %llu bytes",
			(unsigned long long)n, (unsigned long long)limit);
		return -E2BIG;
	}
	if (vw->store && n <= limit - vw->off)
		return 0;
	if (vw->store) {
		r = complete_volume(vw);
		if (r < 0)
			return r;
	}
	return begin_volume(vw);
}

int mk_volwrite_put(struct mk_volwrite *vw, const void *piece, size_t n,
		    size_t tail, uint32_t *ret_volume, uint64_t *ret_offset)
{
	uint64_t all;
	uint64_t at;

	if (vw->err < 0)
		return vw->err;
	if (!arc_add_ok((uint64_t)n, (uint64_t)tail, &all))
		return vw->err = -EOVERFLOW;
	vw->err = make_room(vw, all);
	if (vw->err < 0)
		return vw->err;
	at = vw->off;
	vw->err = append(vw, piece, n);
	if (vw->err < 0)
		return vw->err;
	*ret_volume = vw->number;
	*ret_offset = at;
	return 0;
}

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

static int finish(struct mk_volwrite *vw, uint64_t root_offset,
		  uint64_t root_length)
{
	int r = sync_before_footer(vw);

	if (r < 0)
		return r;
	r = write_footer(vw, root_offset, root_length);
	if (r < 0)
		return r;
	r = complete_volume(vw);
	if (r < 0 || !vw->params.sync)
		return r;
	return vw->sink.ops->sync(vw->sink.ctx);
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
