/* SPDX-License-Identifier: MIT */
/*
 * An index whose checksums are right and whose rows are of unknown origin:
 * what somebody who means harm would write. Everything in it is looked at
 * through the face of every reader.
 *
 *	input:  8 bytes length of the stream | pieces
 *	piece:  u8 table, u8 count | count rows (heaps: 8 * count bytes)
 *
 * Rows are written in the order of the input; what ends early is left out.
 */
#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "archive.h"
#include "idxwrite.h"
#include "volwrite.h"

#define LOOK_AT 48 /* inodes, entries, frames: the first and the last */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_heap(uint8_t table)
{
	return table == ARC_TABLE_NAME || table == ARC_TABLE_TEXT;
}

/* One piece of the input; false at its end. */
static bool write_piece(struct mk_idxwrite *w, struct arc_cursor *c)
{
	uint8_t table = (uint8_t)(1 + arc_cursor_u8(c) % (ARC_TABLE_COUNT - 1));
	size_t count = arc_cursor_u8(c);
	size_t row = arc_table_layout((enum arc_table_id)table)->row_size;

	if (c->bad)
		return false;
	if (is_heap(table)) {
		const uint8_t *bytes = arc_cursor_view(c, 8 * count);

		return bytes && mk_idxwrite_bytes(w, (enum arc_table_id)table,
						  bytes, 8 * count) == 0;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = arc_cursor_view(c, row);

		if (!bytes ||
		    mk_idxwrite_row(w, (enum arc_table_id)table, bytes) < 0)
			return false;
	}
	return true;
}

static int write_set(struct mk_memory_set *set, struct arc_cursor *c)
{
	arc_cleanup(mk_volwrite_closep) struct mk_volwrite *vw = NULL;
	arc_cleanup(mk_idxwrite_freep) struct mk_idxwrite *w = NULL;
	struct mk_volwrite_params params = { .limit = (uint64_t)98 << 20,
					     .frame_size = ARC_FRAME_MAX };
	struct arc_disk_root root = {
		.stream = arc_put64(arc_cursor_u64(c)),
	};
	struct mk_volume_sink sink;
	int r;

	r = mk_volume_sink_memory(set, &sink);
	if (r == 0)
		r = mk_volwrite_open(&sink, &params, NULL, &vw);
	if (r == 0)
		r = mk_idxwrite_new(vw, &w);
	if (r < 0)
		return r;
	while (write_piece(w, c))
		;
	return mk_idxwrite_finish(w, &root, "made=by a fuzzer\n");
}

static void look_at_file(struct arc_archive *a, const struct arc_inode *inode)
{
	struct arc_index *idx = arc_archive_index(a);
	struct arc_extent extents[16];
	uint8_t buf[512], digest[32];
	uint64_t off;

	arc_index_data_bytes(idx, inode, &off);
	arc_index_extents(idx, inode, 0, inode->size, extents, 16);
	arc_index_extents(idx, inode, inode->size / 2, 1, extents, 1);
	arc_index_digest(idx, inode->ino, digest);
	arc_index_sha256(idx, inode->ino, digest);
	arc_archive_seek(a, inode, inode->size / 3, false, &off);
	arc_archive_seek(a, inode, inode->size / 3, true, &off);
	arc_archive_pread(a, inode, buf, sizeof(buf), 0);
	arc_archive_pread(a, inode, buf, sizeof(buf), inode->size / 2);
	arc_archive_pread(a, inode, buf, sizeof(buf), UINT64_MAX - 5);
}

static void look_at_directory(struct arc_index *idx,
			      const struct arc_inode *inode)
{
	struct arc_dirent e;

	for (uint64_t i = 0; i < inode->size && i < LOOK_AT; i++) {
		if (arc_index_entry(idx, inode, i, &e) == 0) {
			assert(e.name_len == strlen(e.name));
			assert(!strchr(e.name, '/'));
			arc_index_lookup(idx, inode, e.name, e.name_len, &e);
		}
		arc_index_entry(idx, inode, inode->size - 1 - i, &e);
	}
	arc_index_lookup(idx, inode, "name", 4, &e);
}

static void look_at_inode(struct arc_archive *a, uint64_t ino)
{
	struct arc_index *idx = arc_archive_index(a);
	arc_cleanup(arc_freep) char *target = NULL, *names = NULL;
	arc_cleanup(arc_freep) uint8_t *value = NULL;
	struct arc_inode inode;
	size_t n;

	if (arc_index_inode(idx, ino, &inode) < 0)
		return;
	arc_archive_listxattr(a, &inode, &names, &n);
	arc_archive_getxattr(a, &inode, "user.note", &value, &n);
	if (S_ISDIR(inode.mode))
		look_at_directory(idx, &inode);
	else if (S_ISLNK(inode.mode))
		arc_index_target(idx, &inode, &target);
	else if (S_ISREG(inode.mode))
		look_at_file(a, &inode);
}

/* What a walker may rely on: it enters every directory once at most. */
static void walk(struct arc_index *idx, const struct arc_inode *dir,
		 uint8_t *entered, unsigned depth)
{
	uint64_t last = 0;

	for (uint64_t i = 0; i < dir->size && i < 1000; i++) {
		struct arc_inode inode;
		struct arc_dirent e;

		if (arc_index_entry(idx, dir, i, &e) < 0 ||
		    arc_index_inode(idx, e.ino, &inode) < 0)
			continue;
		if ((inode.mode & S_IFMT) != e.type)
			abort();
		if (!S_ISDIR(inode.mode) || inode.ino <= last)
			continue;
		last = inode.ino;
		if (inode.parent != dir->ino || inode.ino <= dir->ino ||
		    entered[inode.ino]++ || depth > 2000)
			abort();
		walk(idx, &inode, entered, depth + 1);
	}
}

static void walk_all(struct arc_index *idx)
{
	uint64_t inodes = arc_index_inodes(idx);
	struct arc_inode root;
	uint8_t *entered;

	if (inodes > 2000 || arc_index_inode(idx, 1, &root) < 0)
		return;
	entered = calloc(1, inodes + 1);
	if (!entered)
		abort();
	if (S_ISDIR(root.mode))
		walk(idx, &root, entered, 0);
	free(entered);
}

static void look_at_all(struct arc_archive *a)
{
	struct arc_verify_options opt = { .threads = 1 };
	struct arc_index *idx = arc_archive_index(a);
	uint64_t inodes = arc_index_inodes(idx);
	struct arc_inode inode;
	struct arc_frame frame;

	for (uint64_t i = 0; i < LOOK_AT; i++) {
		look_at_inode(a, i);
		look_at_inode(a, inodes - i);
		arc_index_frame(idx, i, &frame);
		arc_index_frame_at(idx, i << 14, &frame);
	}
	walk_all(idx);
	arc_archive_resolve(a, "a/b", &inode);
	arc_archive_verify(a, &opt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arc_cursor c = arc_cursor_of((struct arc_span){ data, n });
	struct mk_memory_set set = { 0 };
	struct arc_volume_source source;
	struct arc_archive *a = NULL;

	if (write_set(&set, &c) == 0 &&
	    arc_volume_source_memory(set.stores, set.n, &source) == 0 &&
	    arc_archive_open_source(&source, 1, NULL, NULL, &a) == 0)
		look_at_all(a);
	arc_archive_close(a);
	for (uint32_t i = 0; i < set.n; i++)
		arc_store_close(set.stores[i]);
	free(set.stores);
	return 0;
}
