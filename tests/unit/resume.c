/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "block.h"
#include "faultysink.h"
#include "resume.h"

#define FRAME ARC_SEGMENT_SIZE
#define FRAMES 11
#define LIMIT ((uint64_t)300000) /* four frames of noise fit */
#define HEAD sizeof(struct arc_disk_volume)
#define FOOT sizeof(struct arc_disk_footer)
#define ROOT 1000 /* bytes of what stands for the index */
#define BLOCK_BEFORE 6 /* an index block lies before this frame */

static const uint8_t id[16] = "1st archive here";

static uint8_t source[FRAMES][FRAME];
static uint8_t root[ROOT];
static char *said;
static struct arc_diag diag;

static void note_message(void *ctx, enum arc_level level, const char *text)
{
	(void)ctx;
	(void)level;
	free(said);
	said = strdup(text);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static int fill_source(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < FRAMES; i++)
		for (uint64_t k = 0; k < FRAME; k++)
			source[i][k] = (uint8_t)mix(i << 32 ^ k);
	arc_diag_init(&diag, note_message, NULL, ARC_DEBUG);
	return 0;
}

static int drop_messages(void **state)
{
	(void)state;
	free(said);
	arc_diag_fini(&diag);
	return 0;
}

/* ---- writing and resuming ----------------------------------------------- */

struct writer {
	struct mk_volume_sink sink;
	struct mk_volwrite *vw;
	struct arc_record_encoder *encoder;
	struct mk_resume *resume;
	uint8_t *record;
	unsigned kept;
};

static uint64_t id_word(const uint8_t archive[16])
{
	struct arc_le64 word;

	memcpy(&word, archive, sizeof(word));
	return arc_get64(word);
}

static void open_writer_on(struct writer *w, const struct mk_volume_sink *sink,
			   const uint8_t archive[16], bool resume)
{
	struct mk_volwrite_params p = { .limit = LIMIT,
					.frame_size = FRAME,
					.resume = resume };
	const struct arc_record_params record = {
		.codec = { .level = 1, .group_log = 16 },
		.id = id_word(archive),
	};
	struct mk_resume_params find = { .frame_size = FRAME,
					 .threads = 2,
					 .waiting = 4,
					 .id = record.id,
					 .diag = &diag };

	memcpy(p.id, archive, sizeof(p.id));
	*w = (struct writer){ .sink = *sink };
	assert_int_equal(mk_volwrite_open(&w->sink, &p, &diag, &w->vw), 0);
	assert_int_equal(arc_record_encoder_new(&record, &w->encoder), 0);
	find.vw = w->vw;
	if (resume)
		assert_int_equal(mk_resume_new(&find, &w->resume), 0);
	w->record = malloc(arc_record_bound(FRAME) + ARC_DECODE_SLACK);
	assert_non_null(w->record);
}

static void open_writer(struct writer *w, struct mk_memory_set *set,
			const uint8_t archive[16], bool resume)
{
	struct mk_volume_sink sink;

	mk_volume_sink_memory(set, &sink);
	open_writer_on(w, &sink, archive, resume);
}

static void close_writer(struct writer *w)
{
	mk_resume_free(w->resume);
	mk_volwrite_close(w->vw);
	arc_record_encoder_free(w->encoder);
	free(w->record);
}

/* A block of the frame table, as it may lie between records. */
static int put_block(struct writer *w)
{
	static uint8_t rows[40 * 100];
	uint8_t out[8192];
	uint32_t volume;
	uint64_t offset;
	size_t n;

	assert_true(arc_block_bound(sizeof(rows)) <= sizeof(out));
	assert_int_equal(arc_block_encode(arc_table_layout(ARC_TABLE_FRAME),
					  ARC_TABLE_FRAME, 0, 0, rows, 100, out,
					  &n),
			 0);
	return mk_volwrite_put(w->vw, out, n, 0, &volume, &offset);
}

/* As framering does it. */
static int write_frame(struct writer *w, uint64_t i)
{
	const struct arc_span raw = { source[i], FRAME };
	struct arc_record_info info;
	struct mk_kept kept;
	bool found = w->resume &&
		     mk_resume_find(w->resume, i, raw, w->record, &kept);
	uint32_t volume;
	uint64_t offset;
	int r = 0;

	if (found && mk_resume_wait(&kept))
		r = mk_volwrite_keep(w->vw, kept.volume, kept.offset,
				     kept.info.stored);
	if (r > 0) {
		assert_int_equal(w->kept, i);
		w->kept++;
	}
	if (r != 0)
		return r;
	if (w->resume)
		mk_resume_end(w->resume, w->kept, w->kept * FRAME,
			      found ? &kept : NULL);
	assert_int_equal(
		arc_record_encode(w->encoder, i, raw, w->record, &info), 0);
	return mk_volwrite_put(w->vw, w->record, info.stored, 0, &volume,
			       &offset);
}

static int write_frames(struct writer *w, uint64_t n)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < n; i++) {
		if (i == BLOCK_BEFORE)
			r = put_block(w);
		if (r >= 0)
			r = write_frame(w, i);
	}
	return r;
}

static int write_all(struct writer *w)
{
	uint32_t volume;
	uint64_t offset;
	int r = write_frames(w, FRAMES);

	if (r >= 0)
		r = mk_volwrite_put(w->vw, root, ROOT, FOOT, &volume, &offset);
	return r < 0 ? r : mk_volwrite_finish(w->vw, offset, ROOT);
}

/* A set of `n` frames that was interrupted behind them. */
static void make_old(struct mk_memory_set *set, uint64_t n)
{
	struct writer w;

	memset(set, 0, sizeof(*set));
	open_writer(&w, set, id, false);
	assert_true(write_frames(&w, n) >= 0);
	close_writer(&w);
}

static struct arc_span bytes_of(const struct mk_memory_set *set, uint32_t i)
{
	return arc_store_memory_bytes(set->stores[i]);
}

static void assert_same_sets(const struct mk_memory_set *a,
			     const struct mk_memory_set *b)
{
	assert_int_equal(a->n, b->n);
	for (uint32_t i = 0; i < a->n; i++) {
		assert_int_equal(bytes_of(a, i).n, bytes_of(b, i).n);
		assert_memory_equal(bytes_of(a, i).p, bytes_of(b, i).p,
				    bytes_of(a, i).n);
	}
}

/* Resumes and drops the set; it must become what a fresh run makes. Returns
 * the frames that were kept. */
static unsigned resume(struct mk_memory_set *set)
{
	struct mk_memory_set fresh = { 0 };
	struct writer w;
	unsigned kept;

	open_writer(&w, &fresh, id, false);
	assert_int_equal(write_all(&w), 0);
	close_writer(&w);
	open_writer(&w, set, id, true);
	assert_int_equal(write_all(&w), 0);
	kept = w.kept;
	close_writer(&w);
	assert_same_sets(set, &fresh);
	memory_set_fini(set);
	memory_set_fini(&fresh);
	return kept;
}

/* ---- what may lie there ------------------------------------------------- */

static uint8_t *mutable_bytes(const struct mk_memory_set *set, uint32_t i,
			      uint64_t off)
{
	struct arc_span s = bytes_of(set, i);

	assert_true(off < s.n);
	return (uint8_t *)(uintptr_t)s.p + off;
}

/* Bytes of the record of a frame of noise. */
static uint64_t record_size(void)
{
	return arc_record_head_size(1, ARC_ENTRY_SIZE_MIN) + FRAME;
}

static void whole_records_are_all_kept(void **state)
{
	struct mk_memory_set set;

	(void)state;
	for (uint64_t n = 1; n <= FRAMES; n++) {
		make_old(&set, n);
		free(said);
		said = NULL;
		assert_int_equal(resume(&set), n);
		assert_int_equal(!said, n == FRAMES);
	}
}

static void nothing_there_is_a_run_like_any_other(void **state)
{
	struct mk_memory_set set = { 0 };

	(void)state;
	assert_int_equal(resume(&set), 0);
	assert_non_null(strstr(said, "nothing more had been written"));
}

static void a_complete_set_only_has_its_footer_written(void **state)
{
	struct mk_memory_set set = { 0 };
	struct writer w;

	(void)state;
	open_writer(&w, &set, id, false);
	assert_int_equal(write_all(&w), 0);
	close_writer(&w);
	assert_int_equal(resume(&set), FRAMES);
}

/* The footer that lies there is right, but it may not be believed yet. */
static void volumes_behind_the_last_are_removed(void **state)
{
	struct mk_memory_set set = { 0 }, more;
	struct writer w;

	(void)state;
	open_writer(&w, &set, id, false);
	assert_int_equal(write_all(&w), 0);
	close_writer(&w);
	make_old(&more, 1);
	set.stores = realloc(set.stores, (set.n + 1) * sizeof(set.stores[0]));
	assert_non_null(set.stores);
	set.stores[set.n++] = more.stores[0];
	more.n = 0;
	memory_set_fini(&more);
	assert_int_equal(resume(&set), FRAMES);
}

static void a_torn_end_is_cut_off_wherever_it_is(void **state)
{
	struct mk_memory_set set;
	uint64_t full = 0, want;

	(void)state;
	make_old(&set, 7);
	full = bytes_of(&set, 1).n;
	memory_set_fini(&set);
	for (uint64_t n = 0; n <= full; n += n < 300 ? 1 : 7919) {
		make_old(&set, 7);
		assert_int_equal(set.n, 2);
		assert_int_equal(arc_store_memory_resize(set.stores[1], n), 0);
		want = n < HEAD + record_size()	      ? 4
		       : n < HEAD + 2 * record_size() ? 5
						      : 6;
		assert_int_equal(resume(&set), want);
	}
}

/* Any byte of the first two records of volume 1 changed: never kept. */
static void a_flipped_byte_ends_what_is_kept(void **state)
{
	struct mk_memory_set set;

	(void)state;
	for (uint64_t at = 0; at < 2 * record_size();) {
		make_old(&set, 9);
		*mutable_bytes(&set, 0, HEAD + at) ^= 0x10;
		assert_int_equal(resume(&set), at / record_size());
		at += at % record_size() < 100 ? 1 : 9973;
	}
	assert_non_null(strstr(said, "not whole"));
}

static void numbers_that_lie_are_not_believed(void **state)
{
	static const uint32_t lies[] = { 0, 1, 65535, 0x7fffffff, 0xffffffff };
	struct arc_disk_record d;
	struct mk_memory_set set;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(lies); i++) {
		for (int field = 0; field < 3; field++) {
			struct arc_le32 lie = arc_put32(lies[i]);

			make_old(&set, 3);
			p = mutable_bytes(&set, 0, HEAD + record_size());
			memcpy(&d, p, sizeof(d));
			if (field == 0)
				d.payload = lie;
			else if (field == 1)
				d.raw = lie;
			else
				d.segments = lie;
			memcpy(p, &d, sizeof(d));
			/* 1 segment is no lie */
			assert_int_equal(resume(&set),
					 field == 2 && lies[i] == 1 ? 3 : 1);
		}
	}
}

static void a_block_that_lies_about_its_length_ends_it(void **state)
{
	struct arc_disk_block b;
	struct mk_memory_set set;
	uint8_t *p;

	(void)state;
	make_old(&set, 9);
	p = mutable_bytes(&set, 1, HEAD + 2 * record_size());
	memcpy(&b, p, sizeof(b));
	assert_memory_equal(b.magic, ARC_BLOCK_MAGIC, sizeof(b.magic));
	b.stored = arc_put32(0xffffffff);
	memcpy(p, &b, sizeof(b));
	assert_int_equal(resume(&set), 6);
}

/* The finder passes over it, but what is written decides. */
static void a_damaged_block_is_written_anew(void **state)
{
	struct mk_memory_set set;

	(void)state;
	make_old(&set, 9);
	*mutable_bytes(&set, 1, HEAD + 2 * record_size() + 50) ^= 1;
	assert_int_equal(resume(&set), 6);
}

static void zeros_are_no_records(void **state)
{
	struct mk_memory_set set;

	(void)state;
	for (uint64_t at = 0; at < 4 * record_size(); at += 4096 * 3) {
		struct arc_span s;

		make_old(&set, 9);
		s = bytes_of(&set, 0);
		memset(mutable_bytes(&set, 0, HEAD + at), 0,
		       ARC_MIN(s.n - HEAD - at, 4096));
		assert_int_equal(resume(&set), at / record_size());
	}
	make_old(&set, 9);
	memset(mutable_bytes(&set, 0, 0), 0, bytes_of(&set, 0).n);
	assert_int_equal(resume(&set), 0);
	assert_non_null(strstr(said, "damaged or of another source"));
}

static void a_foreign_volume_is_replaced(void **state)
{
	static const uint8_t other[16] = "2nd archive here";
	struct mk_memory_set set, foreign = { 0 };
	struct arc_store *mine;
	struct writer w;

	(void)state;
	open_writer(&w, &foreign, other, false);
	assert_true(write_frames(&w, 9) >= 0);
	close_writer(&w);
	make_old(&set, 9);
	mine = set.stores[1];
	set.stores[1] = foreign.stores[1];
	foreign.stores[1] = mine;
	assert_int_equal(resume(&set), 4);
	memory_set_fini(&foreign);

	/* a record with another id, in the right volume */
	open_writer(&w, &foreign, other, false);
	assert_true(write_frames(&w, 9) >= 0);
	close_writer(&w);
	make_old(&set, 9);
	memcpy(mutable_bytes(&set, 0, HEAD + record_size()),
	       bytes_of(&foreign, 0).p + HEAD + record_size(), record_size());
	assert_int_equal(resume(&set), 1);
	memory_set_fini(&foreign);
}

static void volumes_and_records_in_another_order_are_not_used(void **state)
{
	struct mk_memory_set set;
	struct arc_store *second;
	uint8_t *a;

	(void)state;
	make_old(&set, FRAMES);
	assert_int_equal(set.n, 3);
	second = set.stores[1];
	set.stores[1] = set.stores[2];
	set.stores[2] = second;
	assert_int_equal(resume(&set), 4);

	make_old(&set, 4);
	a = mutable_bytes(&set, 0, HEAD + record_size());
	for (uint64_t i = 0; i < record_size(); i++) {
		uint8_t byte = a[i];

		a[i] = a[i + record_size()];
		a[i + record_size()] = byte;
	}
	assert_int_equal(resume(&set), 1);
}

static void what_lies_behind_a_full_volume_is_cut_off(void **state)
{
	struct mk_memory_set set;
	uint64_t n;

	(void)state;
	make_old(&set, 9);
	n = bytes_of(&set, 0).n;
	assert_int_equal(arc_store_memory_resize(set.stores[0], n + 1), 0);
	assert_int_equal(resume(&set), 4);

	/* even if it looks like a block, and more than fits follows */
	make_old(&set, 9);
	assert_int_equal(arc_store_memory_resize(set.stores[0], n + LIMIT), 0);
	memcpy(mutable_bytes(&set, 0, n), ARC_BLOCK_MAGIC, 4);
	assert_int_equal(resume(&set), 4);
}

static void a_changed_source_is_stored_as_it_is_now(void **state)
{
	struct mk_memory_set set;

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		make_old(&set, 9);
		source[i][4000] ^= 1;
		assert_int_equal(resume(&set), i);
		assert_non_null(strstr(said, "source is not what it was"));
	}
	fill_source(NULL);
}

/* ---- volwrite alone ----------------------------------------------------- */

static void a_piece_is_kept_only_at_its_place(void **state)
{
	struct mk_memory_set set;
	struct writer w;
	uint32_t volume;
	uint64_t offset;
	size_t n = record_size();

	(void)state;
	make_old(&set, 9);
	open_writer(&w, &set, id, true);
	assert_int_equal(mk_volwrite_keep(w.vw, 1, HEAD + 1, n), 0);
	assert_int_equal(mk_volwrite_keep(w.vw, 2, HEAD, n), 0);
	assert_int_equal(mk_volwrite_keep(w.vw, 1, HEAD, LIMIT), 0);
	assert_int_equal(mk_volwrite_keep(w.vw, 1, HEAD, n), 1);
	assert_int_equal(mk_volwrite_keep(w.vw, 1, HEAD, n), 0);
	/* the next volume, though there is room in this one */
	assert_int_equal(mk_volwrite_keep(w.vw, 2, HEAD, n), 0);
	assert_int_equal(mk_volwrite_keep(w.vw, 1, HEAD + n, n), 1);
	/* all that was left is there still */
	assert_int_equal(set.n, 3);
	assert_int_equal(mk_volwrite_put(w.vw, root, ROOT, 0, &volume, &offset),
			 0);
	assert_int_equal(offset, HEAD + 2 * n);
	assert_int_equal(set.n, 1);
	assert_int_equal(bytes_of(&set, 0).n, HEAD + 2 * n + ROOT);
	/* and nothing can be kept any more */
	assert_int_equal(mk_volwrite_keep(w.vw, 1, offset + ROOT, n), 0);
	close_writer(&w);
	memory_set_fini(&set);
}

static void an_old_volume_is_opened_only_with_its_own_header(void **state)
{
	struct mk_memory_set set;
	struct arc_store *store;
	struct writer w;
	bool complete;

	(void)state;
	make_old(&set, 9);
	open_writer(&w, &set, id, true);
	assert_int_equal(mk_volwrite_old(w.vw, 1, &store, &complete), 0);
	assert_true(complete);
	arc_store_close(store);
	assert_int_equal(mk_volwrite_old(w.vw, 3, &store, &complete), 0);
	assert_false(complete);
	arc_store_close(store);
	assert_int_equal(mk_volwrite_old(w.vw, 4, &store, &complete), -ENOENT);
	*mutable_bytes(&set, 1, 40) ^= 1;
	assert_int_equal(mk_volwrite_old(w.vw, 2, &store, &complete), -ESTALE);
	close_writer(&w);
	memory_set_fini(&set);
}

/* Whatever fails while a run is resumed: it says so, or can do without; and
 * what it leaves can be resumed again. */
static void every_call_may_fail(void **state)
{
	bool done = false;

	(void)state;
	for (uint64_t n = 1; !done; n++) {
		struct faulty_sink fs = { .plan = { .fail_at = n,
						    .error = ENOSPC,
						    .short_io = n % 2 } };
		struct mk_volume_sink sink = faulty_sink_open(&fs);
		struct writer w;
		int r;

		assert_true(n < 1000);
		make_old(&fs.set, 7);
		*mutable_bytes(&fs.set, 1, HEAD + record_size() + 5000) ^= 1;
		open_writer_on(&w, &sink, id, true);
		r = write_all(&w);
		done = fs.plan.calls < n;
		assert_true(r == 0 || (r == -ENOSPC && !done));
		close_writer(&w);
		resume(&fs.set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_records_are_all_kept),
		cmocka_unit_test(nothing_there_is_a_run_like_any_other),
		cmocka_unit_test(a_complete_set_only_has_its_footer_written),
		cmocka_unit_test(volumes_behind_the_last_are_removed),
		cmocka_unit_test(a_torn_end_is_cut_off_wherever_it_is),
		cmocka_unit_test(a_flipped_byte_ends_what_is_kept),
		cmocka_unit_test(numbers_that_lie_are_not_believed),
		cmocka_unit_test(a_block_that_lies_about_its_length_ends_it),
		cmocka_unit_test(a_damaged_block_is_written_anew),
		cmocka_unit_test(zeros_are_no_records),
		cmocka_unit_test(a_foreign_volume_is_replaced),
		cmocka_unit_test(
			volumes_and_records_in_another_order_are_not_used),
		cmocka_unit_test(what_lies_behind_a_full_volume_is_cut_off),
		cmocka_unit_test(a_changed_source_is_stored_as_it_is_now),
		cmocka_unit_test(a_piece_is_kept_only_at_its_place),
		cmocka_unit_test(
			an_old_volume_is_opened_only_with_its_own_header),
		cmocka_unit_test(every_call_may_fail),
	};

	return cmocka_run_group_tests(tests, fill_source, drop_messages);
}
