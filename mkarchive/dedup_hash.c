/* SPDX-License-Identifier: MIT */
/*
 * A hole hashes as the zeros it reads as, without being read: the hash of a
 * leaf of zeros is a constant.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "dedup.h"
#include "source.h"

/* Bytes read at once: leaves that are hashed side by side. */
#define PIECE ((size_t)1 << 20)
#define PIECE_LEAVES (PIECE / ARC_FNV_LEAF)

static uint64_t zero_leaf;
static pthread_once_t zero_leaf_once = PTHREAD_ONCE_INIT;

static void hash_zero_leaf(void)
{
	static const uint8_t zeros[ARC_FNV_LEAF];

	zero_leaf = arc_fnv1a(zeros, sizeof(zeros));
}

/* Reads n bytes at off and joins their leaves; -ESTALE: the file ends before.
 */
static int join_data(int fd, uint8_t *buf, size_t n, uint64_t off,
		     uint64_t *state)
{
	uint64_t leaf[PIECE_LEAVES];
	ssize_t got = mk_source_read(fd, buf, n, off);

	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return -ESTALE;
	arc_fnv_leaves(buf, n, leaf);
	for (size_t i = 0; i < arc_div_up(n, ARC_FNV_LEAF); i++)
		*state = arc_fnv_join(*state, leaf[i]);
	return 0;
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

static int join_leaves(int fd, uint64_t size, bool holes, uint8_t *buf,
		       uint64_t *state)
{
	uint64_t data = 0;
	size_t n;

	for (uint64_t at = 0; at < size; at += n) {
		int err = 0;

		n = (size_t)ARC_MIN(size - at, PIECE);
		if (holes && data <= at)
			err = find_data(fd, at, size, &data);
		if (!err && n == PIECE && data >= at + n) {
			for (size_t i = 0; i < PIECE_LEAVES; i++)
				*state = arc_fnv_join(*state, zero_leaf);
			continue;
		}
		if (!err)
			err = join_data(fd, buf, n, at, state);
		if (err)
			return err;
	}
	return 0;
}

int mk_dedup_fnv(int fd, uint64_t size, uint64_t *ret)
{
	arc_cleanup(arc_freep) uint8_t *buf = NULL;
	uint64_t state = ARC_FNV_INIT;
	struct stat st;
	int err;

	pthread_once(&zero_leaf_once, hash_zero_leaf);
	if (fstat(fd, &st))
		return -errno;
	buf = malloc(ARC_MAX(ARC_MIN(size, PIECE), 1));
	if (!buf)
		return -ENOMEM;
	err = join_leaves(fd, size, st.st_blocks < st.st_size / 512, buf,
			  &state);
	if (!err)
		*ret = arc_fnv_join(state, size);
	return err;
}
