/* SPDX-License-Identifier: MIT */
/*
 * make_scale ENTRIES OUT - writes the index of an archive with that many
 * entries, as if a scan had found them: folders of a thousand small files. The
 * data itself is not there, the index cannot tell. Prints one JSON object.
 *
 * make_scale ENTRIES FOLDER one-size - looks for duplicates among that many
 * files, which all have the same size and cannot be read. Likewise.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "dedup.h"
#include "idxwrite.h"
#include "numbers.h"

#define FILES_PER_FOLDER 1000
#define FRAME ((uint32_t)16 << 20)

/* splitmix64: the same tree each time. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int set_file(struct mk_tree *t, uint64_t i, uint64_t number,
		    uint64_t *random, uint64_t *stream)
{
	struct mk_entry *e = mk_tree_at(t, i);
	uint64_t digest[2] = { next_random(random), next_random(random) };
	char name[64];

	e->mode = S_IFREG | 0644;
	e->uid = e->gid = 1000;
	e->mtime = (int64_t)(1600000000 + next_random(random) % 100000000);
	e->mtime_ns = (uint32_t)(next_random(random) % 1000000000);
	e->size = 1 + next_random(random) % 16384;
	e->data = *stream;
	*stream += e->size;
	memcpy(mk_spool_at(&t->digests, i), digest, sizeof(digest));
	snprintf(name, sizeof(name), "file-%04" PRIu64 "-%04x.c", number,
		 (unsigned)(next_random(random) & 0xffff));
	return mk_tree_set_name(t, i, name);
}

/* Entries [first, first + n) become the files of a folder. */
static int fill_folder(struct mk_tree *t, uint64_t folder, uint64_t n,
		       uint64_t *random, uint64_t *stream)
{
	uint64_t first;
	int r = mk_tree_add(t, n, &first);

	if (r < 0)
		return r;
	mk_tree_at(t, folder)->children = first;
	mk_tree_at(t, folder)->child_count = n;
	for (uint64_t i = 0; r >= 0 && i < n; i++) {
		mk_tree_at(t, first + i)->parent = folder;
		mk_tree_at(t, first + i)->leader = first + i;
		mk_tree_at(t, first + i)->link = first + i;
		r = set_file(t, first + i, i, random, stream);
	}
	return r;
}

static int make_tree(struct mk_tree *t, uint64_t entries, uint64_t *ret_stream)
{
	uint64_t folders = arc_div_up(entries, FILES_PER_FOLDER + 1);
	uint64_t random = 42, root, first;
	char name[32];
	int r;

	r = mk_tree_add(t, 1, &root);
	if (r >= 0)
		r = mk_tree_add(t, folders, &first);
	if (r < 0)
		return r;
	mk_tree_at(t, 0)->mode = S_IFDIR | 0755;
	mk_tree_at(t, 0)->children = first;
	mk_tree_at(t, 0)->child_count = folders;
	for (uint64_t i = 0; r >= 0 && i < folders; i++) {
		struct mk_entry *e = mk_tree_at(t, first + i);

		e->mode = S_IFDIR | 0755;
		e->leader = e->link = first + i;
		e->mtime = 1600000000;
		snprintf(name, sizeof(name), "folder-%06" PRIu64, i);
		r = mk_tree_set_name(t, first + i, name);
	}
	*ret_stream = 0;
	for (uint64_t i = 0; r >= 0 && i < folders; i++) {
		r = fill_folder(t, first + i, FILES_PER_FOLDER, &random,
				ret_stream);
		if (i % 128 == 0)
			mk_tree_release(t);
	}
	return r;
}

/* Frames that are in no volume, but tile the stream. */
static int write_frames(struct mk_idxwrite *w, uint64_t stream)
{
	int r = 0;

	for (uint64_t at = 0; r >= 0 && at < stream; at += FRAME) {
		uint32_t raw = (uint32_t)ARC_MIN(stream - at, FRAME);
		struct arc_disk_frame row = {
			.start = arc_put64(at),
			.offset = arc_put64(64),
			.checksum = arc_put64(at * 7919),
			.volume = arc_put32(1),
			.raw = arc_put32(raw),
			.stored = arc_put32(8192),
			.codec = ARC_CODEC_LZ4,
			.group_log = 18,
			.entry_size = ARC_ENTRY_SIZE_MIN,
		};

		r = mk_idxwrite_row(w, ARC_TABLE_FRAME, &row);
	}
	return r;
}

static int write_set(const char *out, uint64_t entries, struct arc_diag *diag,
		     uint64_t *ret_names, uint64_t *ret_index)
{
	struct mk_volwrite_params params = { .limit = (uint64_t)98 << 20,
					     .frame_size = FRAME };
	struct arc_disk_root root = { 0 };
	struct mk_volwrite *vw = NULL;
	struct mk_idxwrite *w = NULL;
	struct mk_volume_sink sink;
	struct mk_tree tree;
	uint64_t stream = 0;
	int r;

	r = mk_volume_sink_path(out, MK_VOLUMES_REPLACE, diag, &sink);
	if (r < 0)
		return r;
	r = mk_tree_open(&tree, mk_volume_sink_dir(&sink), false);
	if (r >= 0)
		r = make_tree(&tree, entries, &stream);
	if (r >= 0)
		r = mk_numbers(&tree, &root);
	if (r >= 0)
		r = mk_volwrite_open(&sink, &params, diag, &vw);
	if (r >= 0)
		r = mk_idxwrite_new(vw, &w);
	root.stream = arc_put64(stream);
	if (r >= 0)
		r = write_frames(w, stream);
	if (r >= 0)
		r = mk_idxwrite_tree(w, &tree);
	if (r >= 0)
		r = mk_idxwrite_finish(w, &root, "made=by make_scale\n");
	*ret_names = tree.names.count;
	*ret_index = r < 0 ? 0 : mk_idxwrite_bytes_written(w);
	mk_idxwrite_free(w);
	mk_volwrite_close(vw);
	mk_tree_close(&tree);
	return r;
}

/* The longest list of candidates there is. */
static int look_for_duplicates(const char *folder, uint64_t entries,
			       struct arc_diag *diag)
{
	struct mk_options opt = { .src = folder, .threads = 2 };
	struct mk_run run = { .opt = &opt, .diag = diag };
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mk_tree tree;
	uint64_t stream;
	int r = fd < 0 ? -errno : mk_tree_open(&tree, fd, false);

	if (r < 0)
		return r;
	r = make_tree(&tree, entries, &stream);
	for (uint64_t i = 0; r >= 0 && i < tree.entries.count; i++) {
		if (i % FILES_PER_FOLDER == 0)
			mk_tree_release(&tree);
		mk_tree_at(&tree, i)->size = 4096;
	}
	tree.root_fd = fd;
	if (r >= 0)
		r = mk_dedup(&run, &tree, fd);
	if (r >= 0 && mk_value(&run.stats.same_size) < entries / 2)
		r = -EINVAL;
	mk_tree_close(&tree);
	return r;
}

int main(int argc, char **argv)
{
	static char name[] = "make_scale";
	uint64_t names = 0, index = 0, entries;
	struct arc_diag diag;
	struct rusage use;
	int r;

	if (argc != 3 && argc != 4)
		return 2;
	entries = strtoull(argv[1], NULL, 10);
	arc_diag_init(&diag, arc_sink_stderr, name, ARC_WARN);
	r = argc == 4 ? look_for_duplicates(argv[2], entries, &diag)
		      : write_set(argv[2], entries, &diag, &names, &index);
	arc_diag_fini(&diag);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], arc_error_text(r));
		return 1;
	}
	getrusage(RUSAGE_SELF, &use);
	printf("{\"entries\": %" PRIu64 ", \"index_bytes\": %" PRIu64
	       ", \"name_bytes\": %" PRIu64 ", \"peak_rss_kib\": %ld}\n",
	       entries, index, names, use.ru_maxrss);
	return 0;
}
