/* SPDX-License-Identifier: MIT */
#include "intake.h"

#include <string.h>

#include "contents.h"
#include "sha256.h"
#include "suffix.h"

#define HEAD ((size_t)64 << 10)

/* Where the bytes of the file at hand go. */
enum way { TO_HEAD, TO_HOLD, TO_STREAM };

struct mk_intake {
	struct mk_run *run;
	struct mk_tree *tree;
	struct mk_gather *gather;
	struct mk_framering *ring;
	struct arc_digest *digest;
	struct arc_sha256 *key; /* of the data, then of the runs */
	struct arc_sha256 *sha256; /* of the content; NULL: not wanted */
	struct mk_contents contents; /* numbered as in gather */
	struct mk_spool held; /* bytes */
	uint8_t *head; /* HEAD bytes */

	/* the file at hand */
	uint64_t inode;
	uint64_t size; /* as told, MK_NONE: unknown */
	bool alone;
	enum way way;
	size_t head_n;
	uint64_t at; /* how far it came, holes included */
	uint64_t data; /* bytes of data that came */
	uint64_t start; /* TO_STREAM: where its data begins there */
	struct mk_extent run_now; /* .stream: counted from the first data */
	uint64_t first; /* row of its first extent */
};

/* ---- making -------------------------------------------------------------- */

static int open_all(struct mk_intake *in, int tmp_fd)
{
	int r = arc_digest_new(&in->digest);

	if (r >= 0)
		r = arc_sha256_new(&in->key);
	if (r >= 0 && in->tree->sha256.base)
		r = arc_sha256_new(&in->sha256);
	if (r >= 0)
		r = mk_contents_open(&in->contents, tmp_fd);
	if (r >= 0)
		r = mk_spool_open(&in->held, tmp_fd, 1);
	if (r < 0)
		return r;
	in->head = malloc(HEAD);
	return in->head ? 0 : -ENOMEM;
}

int mk_intake_new(struct mk_run *run, struct mk_tree *tree,
		  struct mk_gather *gather, int tmp_fd,
		  struct mk_volume_sink *sink, struct mk_intake **ret)
{
	arc_cleanup(mk_framering_freep) struct mk_framering *ring = NULL;
	arc_cleanup(mk_intake_freep) struct mk_intake *in = NULL;
	int r = mk_framering_new(run, sink, &ring);

	if (r < 0)
		return r;
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->run = run;
	in->tree = tree;
	in->gather = gather;
	in->ring = arc_steal(ring);
	r = open_all(in, tmp_fd);
	if (r < 0)
		return r;
	*ret = arc_steal(in);
	return 0;
}

void mk_intake_free(struct mk_intake *in)
{
	if (!in)
		return;
	mk_framering_free(in->ring);
	arc_digest_free(in->digest);
	arc_sha256_free(in->key);
	arc_sha256_free(in->sha256);
	mk_contents_close(&in->contents);
	mk_spool_close(&in->held);
	free(in->head);
	free(in);
}

/* ---- what is there ------------------------------------------------------- */

static struct mk_head head_of(const struct mk_intake *in, uint64_t size)
{
	return (struct mk_head){ .size = size,
				 .hash = arc_xxh64(in->head, in->head_n) };
}

static bool knows_head(struct mk_intake *in, uint64_t size)
{
	const struct mk_head h = head_of(in, size);

	return mk_contents_know_head(&in->contents, &h);
}

static int add_content(struct mk_intake *in, const struct mk_content *c,
		       uint64_t *ret)
{
	const struct mk_head h = head_of(in, c->size);
	uint64_t row;
	int r = mk_contents_add(&in->contents, &h, c, &row);

	if (r >= 0)
		r = mk_gather_add_content(in->gather, ret);
	assert(r < 0 || row == *ret);
	return r;
}

/* ---- bytes --------------------------------------------------------------- */

static int put_stream(struct mk_intake *in, const uint8_t *p, size_t n)
{
	uint8_t *to;
	size_t room;
	int r = 0;

	while (r >= 0 && n > 0) {
		r = mk_framering_room(in->ring, &to, &room);
		if (r < 0)
			return r;
		room = ARC_MIN(room, n);
		memcpy(to, p, room);
		r = mk_framering_commit(in->ring, room);
		p += room;
		n -= room;
	}
	return r;
}

/* What was held goes into the stream, and what comes after it too. */
static int go_to_stream(struct mk_intake *in)
{
	uint64_t held = in->held.count;
	int r;

	in->way = TO_STREAM;
	in->start = mk_framering_pos(in->ring);
	r = put_stream(in, in->head, in->head_n);
	for (uint64_t at = 0; r >= 0 && at < held;) {
		size_t n = (size_t)ARC_MIN(held - at, ARC_MIB);

		r = put_stream(in, mk_spool_at(&in->held, at), n);
		at += n;
		if (at % (32 * ARC_MIB) == 0)
			mk_spool_release(&in->held);
	}
	return r;
}

static int hold(struct mk_intake *in, const uint8_t *p, size_t n)
{
	uint64_t at;
	int r = mk_spool_add(&in->held, n, &at);

	if (r == -E2BIG) {
		/* More than can be held: it is stored, even if once more. */
		r = go_to_stream(in);
		return r < 0 ? r : put_stream(in, p, n);
	}
	if (r >= 0)
		memcpy(mk_spool_at(&in->held, at), p, n);
	return r;
}

static int leave_head(struct mk_intake *in)
{
	if (!in->alone && (in->size == MK_NONE || knows_head(in, in->size))) {
		in->way = TO_HOLD;
		return 0;
	}
	return go_to_stream(in);
}

static int put(struct mk_intake *in, const uint8_t *p, size_t n)
{
	size_t room = HEAD - in->head_n;
	int r = 0;

	if (in->way == TO_HEAD && n > room) {
		memcpy(in->head + in->head_n, p, room);
		in->head_n += room;
		r = leave_head(in);
		p += room;
		n -= room;
	}
	if (r < 0)
		return r;
	switch (in->way) {
	case TO_HEAD:
		memcpy(in->head + in->head_n, p, n);
		in->head_n += n;
		return 0;
	case TO_HOLD:
		return hold(in, p, n);
	case TO_STREAM:
	default:
		return put_stream(in, p, n);
	}
}

/* ---- a file -------------------------------------------------------------- */

int mk_intake_begin(struct mk_intake *in, uint64_t inode, uint64_t size,
		    bool alone)
{
	int r;

	in->inode = inode;
	in->size = size;
	in->alone = alone;
	in->way = TO_HEAD;
	in->head_n = 0;
	in->at = 0;
	in->data = 0;
	in->run_now = (struct mk_extent){ 0 };
	in->first = in->tree->extents.count;
	in->held.count = 0;
	arc_digest_reset(in->digest);
	r = arc_sha256_reset(in->key);
	if (r >= 0 && in->sha256)
		r = arc_sha256_reset(in->sha256);
	return r;
}

void mk_intake_expect(struct mk_intake *in, const char *name)
{
	mk_framering_expect(in->ring, mk_suffix_is_compressed(name));
}

static bool wants_digest(const struct mk_intake *in)
{
	return in->run->opt->digest != MK_DIGEST_NONE;
}

/* The run that is open becomes a row. */
static int end_run(struct mk_intake *in)
{
	uint64_t row;
	int r;

	if (!in->run_now.len)
		return 0;
	if (in->tree->extents.count - in->first == UINT32_MAX)
		return -E2BIG;
	r = mk_spool_add(&in->tree->extents, 1, &row);
	if (r >= 0)
		*(struct mk_extent *)mk_spool_at(&in->tree->extents, row) =
			in->run_now;
	in->run_now.len = 0;
	return r;
}

static int put_hole(struct mk_intake *in, uint64_t end)
{
	uint64_t n = end - in->at;
	int r = end_run(in);

	in->at = end;
	mk_count(&in->run->stats.hole_bytes, n);
	if (r >= 0 && wants_digest(in))
		arc_digest_zeros(in->digest, n);
	if (r >= 0 && in->sha256)
		r = arc_sha256_zeros(in->sha256, n);
	return r;
}

int mk_intake_data(struct mk_intake *in, uint64_t off, const void *bytes,
		   size_t n)
{
	int r = 0;

	if (off < in->at || n > INT64_MAX - in->at || off > INT64_MAX - n)
		return -ERANGE;
	if (n == 0)
		return 0;
	if (off > in->at)
		r = put_hole(in, off);
	if (!in->run_now.len)
		in->run_now =
			(struct mk_extent){ .file = off, .stream = in->data };
	if (r >= 0 && wants_digest(in))
		arc_digest_update(in->digest, bytes, n);
	if (r >= 0 && !in->alone)
		r = arc_sha256_update(in->key, bytes, n);
	if (r >= 0 && in->sha256)
		r = arc_sha256_update(in->sha256, bytes, n);
	if (r >= 0)
		r = put(in, bytes, n);
	in->run_now.len += n;
	in->at += n;
	in->data += n;
	mk_count(&in->run->stats.read_bytes, n);
	return r;
}

uint64_t mk_intake_at(const struct mk_intake *in)
{
	return in->at;
}

/* ---- its end ------------------------------------------------------------- */

/* Holes count as they are: of the same data elsewhere in a file another file
 * is made. The runs stand behind the data, and how many there are is compared
 * too, so nothing can be taken for something else. */
static int end_key(struct mk_intake *in, struct mk_content *c)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < c->extents; i++) {
		const struct mk_extent *x =
			mk_spool_at(&in->tree->extents, in->first + i);
		const struct arc_le64 run[] = { arc_put64(x->file),
						arc_put64(x->len) };

		r = arc_sha256_update(in->key, run, sizeof(run));
	}
	return r < 0 ? r : arc_sha256_value(in->key, c->sha);
}

/* One run that is all of the file needs no row. */
static int describe(struct mk_intake *in, uint64_t size, struct mk_content *c)
{
	bool dense = in->data == size;
	int r = dense ? 0 : end_run(in);

	if (r < 0)
		return r;
	c->size = size;
	c->extents = (uint32_t)(in->tree->extents.count - in->first);
	c->flags = dense ? 0 : MK_ENTRY_EXTENTS;
	return end_key(in, c);
}

/* Puts it into the stream, as far as it is not there. */
static int store(struct mk_intake *in, struct mk_content *c, uint64_t *ret)
{
	int r = in->way == TO_STREAM ? 0 : go_to_stream(in);

	for (uint64_t i = 0; r >= 0 && i < c->extents; i++) {
		struct mk_extent *x =
			mk_spool_at(&in->tree->extents, in->first + i);

		x->stream += in->start;
	}
	c->data = c->flags & MK_ENTRY_EXTENTS ? in->first : in->start;
	mk_count(&in->run->stats.read_files, 1);
	return r < 0 ? r : add_content(in, c, ret);
}

static int find_or_store(struct mk_intake *in, struct mk_content *c,
			 uint64_t *ret)
{
	uint32_t row;

	if (in->alone || in->way == TO_STREAM ||
	    !mk_contents_find(&in->contents, c, &row))
		return store(in, c, ret);
	in->tree->extents.count = in->first; /* those of the first one do */
	c->data = mk_contents_at(&in->contents, row)->data;
	*ret = row;
	mk_count(&in->run->stats.duplicates, 1);
	mk_count(&in->run->stats.duplicate_bytes, in->data);
	return 0;
}

int mk_intake_end(struct mk_intake *in, uint64_t size)
{
	struct mk_gathered *inode = mk_gather_at(in->gather, in->inode);
	struct mk_content c = { 0 };
	uint64_t content = MK_NONE;
	int r = 0;

	if (size > in->at)
		r = put_hole(in, size);
	if (r >= 0)
		r = describe(in, in->at, &c);
	if (r >= 0 && c.size > 0)
		r = find_or_store(in, &c, &content);
	if (r >= 0 && in->sha256)
		r = arc_sha256_value(in->sha256, inode->sha256);
	if (r < 0)
		return r;
	inode->digest = arc_digest_value(in->digest);
	inode->content = content;
	inode->e.size = c.size;
	inode->e.data = c.data;
	inode->e.extents = c.extents;
	inode->e.flags = c.flags;
	return 0;
}

void mk_intake_drop(struct mk_intake *in)
{
	in->tree->extents.count = in->first;
	if (in->way == TO_STREAM)
		mk_framering_rewind(in->ring, in->start);
}

int mk_intake_finish(struct mk_intake *in, struct arc_disk_root *root,
		     struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx)
{
	return mk_framering_finish(in->ring, root, ret_vw, ret_idx);
}
