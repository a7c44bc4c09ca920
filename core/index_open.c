/* SPDX-License-Identifier: MIT */
/*
 * index_open - footer and top root: all that is read before the first
 * question.
 *
 * How many blocks and levels a table has follows from its rows; what the root
 * says about that is compared with the result and not used, so no count from
 * disk drives a loop.
 */
#include <stdio.h>

#include "index_i.h"

/* The raw bytes of the top root. */
static int read_root(struct arc_index *idx, struct arc_buf *ret)
{
	const struct arc_disk_footer *f = arc_volumes_footer(idx->vs);
	arc_cleanup(arc_freep) uint8_t *bytes = NULL;
	uint64_t length = arc_get64(f->length);
	uint64_t offset = arc_get64(f->offset);
	struct arc_disk_block head;
	size_t n;
	int err;

	if (length < sizeof(head) || length > arc_block_bound(ARC_BLOCK_MAX) ||
	    offset > ARC_FILE_SIZE_MAX - length)
		return -EBADMSG;
	n = (size_t)length;
	bytes = malloc(n);
	if (!bytes)
		return -ENOMEM;
	err = arc_volumes_read(idx->vs, arc_volumes_count(idx->vs), offset,
			       bytes, n);
	if (err < 0)
		return err;
	memcpy(&head, bytes, sizeof(head));
	err = arc_format_check_block(&head);
	if (err < 0)
		return err;
	/* Nothing points to the root but the footer: its own header says what
	 * to expect, and its own checksum vouches for that. */
	const struct arc_block_want want = {
		.table = ARC_TABLE_ROOT,
		.rows = arc_get32(head.rows),
		.checksum = arc_get64(head.checksum),
	};
	err = arc_buf_reserve(ret, want.rows);
	if (err < 0)
		return err;
	err = arc_block_decode(arc_bytes_layout(), &want,
			       (struct arc_span){ bytes, n }, ret->p);
	if (err < 0)
		return err;
	ret->n = want.rows;
	return 0;
}

/* One table; unknown ones are skipped. */
static int take_table(struct arc_index *idx, const struct arc_disk_table *d)
{
	uint32_t id = arc_get32(d->id);
	const struct arc_table_layout *layout;
	struct index_table *t;
	uint64_t n;

	if (id == ARC_TABLE_ROOT || id >= ARC_TABLE_COUNT)
		return 0;
	t = &idx->table[id];
	layout = arc_table_layout((enum arc_table_id)id);
	n = arc_get64(d->rows);
	if (t->rows > 0 || arc_get32(d->row_size) != layout->row_size ||
	    arc_get32(d->rows_per_block) != layout->rows_per_block ||
	    n > INDEX_ROWS_MAX)
		return -EBADMSG;
	t->rows = n;
	t->top = d->top;
	if (n > 0) {
		n = arc_div_up(n, layout->rows_per_block);
		t->blocks[t->levels++] = n;
	}
	while (n > 1) {
		n = arc_div_up(n, ARC_DESCRIPTORS_PER_BLOCK);
		if (t->levels == ARC_LEVELS_MAX)
			return -EBADMSG;
		t->blocks[t->levels++] = n;
	}
	return arc_get32(d->levels) == t->levels ? 0 : -EBADMSG;
}

static void take_counts(struct arc_summary *s, const struct arc_disk_root *d)
{
	s->stream = arc_get64(d->stream);
	s->entries = arc_get64(d->entries);
	s->files = arc_get64(d->files);
	s->dirs = arc_get64(d->dirs);
	s->symlinks = arc_get64(d->symlinks);
	s->others = arc_get64(d->others);
	s->hardlinks = arc_get64(d->hardlinks);
	s->bytes = arc_get64(d->bytes);
	s->holes = arc_get64(d->holes);
	s->duplicates = arc_get64(d->duplicates);
	s->duplicate_bytes = arc_get64(d->duplicate_bytes);
	s->stored = arc_get64(d->stored);
	for (size_t i = 0; i < ARC_COUNT(s->codec); i++) {
		s->codec[i].frames = arc_get64(d->codec[i].frames);
		s->codec[i].raw = arc_get64(d->codec[i].raw);
		s->codec[i].stored = arc_get64(d->codec[i].stored);
	}
}

static int parse_root(struct arc_index *idx, struct arc_span root)
{
	struct arc_cursor c = arc_cursor_of(root);
	const struct index_table *t = idx->table;
	struct arc_disk_root head;
	uint32_t tables, text_len;
	const uint8_t *text;

	if (!arc_cursor_take(&c, &head, sizeof(head)))
		return -EBADMSG;
	take_counts(&idx->summary, &head);
	tables = arc_get32(head.tables);
	text_len = arc_get32(head.text_len);
	for (uint32_t i = 0; i < tables; i++) {
		struct arc_disk_table d;
		int err;

		if (!arc_cursor_take(&c, &d, sizeof(d)))
			return -EBADMSG;
		err = take_table(idx, &d);
		if (err < 0)
			return err;
	}
	if (text_len > ARC_ROOT_TEXT_MAX)
		return -EBADMSG;
	text = arc_cursor_view(&c, text_len);
	if (c.bad || idx->summary.stream > ARC_FILE_SIZE_MAX)
		return -EBADMSG;
	if (t[ARC_TABLE_INODE].rows == 0 ||
	    (t[ARC_TABLE_DIGEST].rows > 0 &&
	     t[ARC_TABLE_DIGEST].rows != t[ARC_TABLE_INODE].rows) ||
	    (t[ARC_TABLE_SHA256].rows > 0 &&
	     t[ARC_TABLE_SHA256].rows != t[ARC_TABLE_INODE].rows))
		return -EBADMSG;
	idx->text = strndup(text_len > 0 ? (const char *)text : "", text_len);
	return idx->text ? 0 : -ENOMEM;
}

/* Everything but the block cache. */
static int load_root(struct arc_index *idx)
{
	arc_cleanup(arc_buf_fini) struct arc_buf root = { 0 };
	char name[512];
	int err = read_root(idx, &root);

	if (err == 0)
		err = parse_root(idx, (struct arc_span){ root.p, root.n });
	if (err < 0)
		arc_say(idx->diag, ARC_ERROR, "%s: root of the index: %s",
			arc_volumes_name(idx->vs, arc_volumes_count(idx->vs),
					 name, sizeof(name)),
			arc_error_text(err));
	return err;
}

int arc_index_open(struct arc_volumes *vs, size_t budget, struct arc_diag *diag,
		   struct arc_index **ret)
{
	arc_cleanup(arc_index_closep) struct arc_index *idx =
		calloc(1, sizeof(*idx));
	int err;

	if (!idx)
		return -ENOMEM;
	idx->vs = vs;
	idx->diag = diag;
	idx->frame_size = arc_get32(arc_volumes_footer(vs)->frame_size);
	for (unsigned i = 0; i < ARC_TABLE_COUNT; i++)
		idx->table[i].layout = arc_table_layout((enum arc_table_id)i);
	err = load_root(idx);
	if (err < 0)
		return err;
	err = index_blocks_new(idx, budget);
	if (err < 0)
		return err;
	*ret = arc_steal(idx);
	return 0;
}

void arc_index_close(struct arc_index *idx)
{
	if (!idx)
		return;
	arc_lru_free(idx->blocks);
	free(idx->text);
	free(idx);
}

const struct arc_summary *arc_index_summary(const struct arc_index *idx)
{
	return &idx->summary;
}

const char *arc_index_text(const struct arc_index *idx)
{
	return idx->text;
}

uint64_t arc_index_inodes(const struct arc_index *idx)
{
	return idx->table[ARC_TABLE_INODE].rows;
}

uint64_t arc_index_frames(const struct arc_index *idx)
{
	return idx->table[ARC_TABLE_FRAME].rows;
}

bool arc_index_has_digest(const struct arc_index *idx)
{
	return idx->table[ARC_TABLE_DIGEST].rows > 0;
}

bool arc_index_has_sha256(const struct arc_index *idx)
{
	return idx->table[ARC_TABLE_SHA256].rows > 0;
}

void arc_index_stats(struct arc_index *idx, struct arc_lru_stats *ret)
{
	arc_lru_stats(idx->blocks, ret);
}

void arc_index_shrink(struct arc_index *idx)
{
	arc_lru_shrink(idx->blocks);
}

bool arc_index_regrow(struct arc_index *idx)
{
	return arc_lru_regrow(idx->blocks);
}

size_t arc_index_tidy(struct arc_index *idx, uint32_t now, uint32_t age)
{
	return arc_lru_tidy(idx->blocks, now, age);
}
