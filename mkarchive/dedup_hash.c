/* SPDX-License-Identifier: MIT */
/*
 * A hole hashes as the zeros it reads as, without being read: the hash of a
 * leaf of zeros is a constant.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "dedup_i.h"

#define PIECE_LEAVES (MK_HASH_PIECE / ARC_FNV_LEAF)

static uint64_t zero_leaf;
static pthread_once_t zero_leaf_once = PTHREAD_ONCE_INIT;

static void hash_zero_leaf(void)
{
	static const uint8_t zeros[ARC_FNV_LEAF];

	zero_leaf = arc_fnv1a(zeros, sizeof(zeros));
}

/* Where data begins at or after off; size when it is all hole. */
static int find_data(int fd, uint64_t off, uint64_t size, uint64_t *ret)
{
	uint64_t end;
	int err = mk_source_run(fd, off, size, ret, &end);

	if (err == -ENXIO) {
		*ret = size;
		return 0;
	}
	return err;
}

uint64_t mk_dedup_zero_leaf(void)
{
	pthread_once(&zero_leaf_once, hash_zero_leaf);
	return zero_leaf;
}

/* -ESTALE: the file ends before. */
static int read_piece(int fd, size_t n, uint64_t off,
		      const struct mk_leaves *leaves)
{
	uint8_t *buf;
	ssize_t got;
	int err = leaves->room(leaves->ctx, n, &buf);

	if (err)
		return err;
	got = mk_source_read(fd, buf, n, off);
	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return -ESTALE;
	return leaves->data(leaves->ctx, n);
}

int mk_dedup_read_leaves(int fd, uint64_t size, const struct mk_leaves *leaves)
{
	uint64_t data = 0;
	struct stat st;
	bool holes;
	size_t n;

	if (fstat(fd, &st))
		return -errno;
	holes = st.st_blocks < st.st_size / 512;
	for (uint64_t at = 0; at < size; at += n) {
		int err = 0;

		n = (size_t)ARC_MIN(size - at, MK_HASH_PIECE);
		if (holes && data <= at)
			err = find_data(fd, at, size, &data);
		if (!err && n == MK_HASH_PIECE && data >= at + n)
			err = leaves->zeros(leaves->ctx, PIECE_LEAVES);
		else if (!err)
			err = read_piece(fd, n, at, leaves);
		if (err)
			return err;
	}
	return 0;
}

/* ---- one file, here ------------------------------------------------------ */

struct joined {
	uint8_t *buf;
	uint64_t state;
};

static int give_room(void *ctx, size_t n, uint8_t **ret)
{
	(void)n;
	*ret = ((struct joined *)ctx)->buf;
	return 0;
}

static int join_data(void *ctx, size_t n)
{
	struct joined *j = ctx;
	uint64_t leaf[PIECE_LEAVES];

	arc_fnv_leaves(j->buf, n, leaf);
	for (size_t i = 0; i < arc_div_up(n, ARC_FNV_LEAF); i++)
		j->state = arc_fnv_join(j->state, leaf[i]);
	return 0;
}

static int join_zeros(void *ctx, size_t n)
{
	struct joined *j = ctx;

	for (size_t i = 0; i < n; i++)
		j->state = arc_fnv_join(j->state, mk_dedup_zero_leaf());
	return 0;
}

uint64_t mk_dedup_fnv_bytes(struct arc_span bytes)
{
	uint64_t leaf;

	assert(bytes.n > 0 && bytes.n <= ARC_FNV_LEAF);
	arc_fnv_leaves(bytes.p, bytes.n, &leaf);
	return arc_fnv_join(arc_fnv_join(ARC_FNV_INIT, leaf), bytes.n);
}

int mk_dedup_fnv(int fd, uint64_t size, uint64_t *ret)
{
	arc_cleanup(arc_freep) uint8_t *buf =
		malloc(ARC_MAX(ARC_MIN(size, MK_HASH_PIECE), 1));
	struct joined j = { .buf = buf, .state = ARC_FNV_INIT };
	const struct mk_leaves leaves = { &j, give_room, join_data,
					  join_zeros };
	int err;

	if (!buf)
		return -ENOMEM;
	err = mk_dedup_read_leaves(fd, size, &leaves);
	if (!err)
		*ret = arc_fnv_join(j.state, size);
	return err;
}
