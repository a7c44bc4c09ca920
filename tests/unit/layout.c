/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "layout.h"
#include "setmaker.h"
#include "testdata.h"

#define FRAME ((uint32_t)256 << 10)
#define FRAMES 3
#define LIMIT ((uint64_t)98 << 20)

/* A set whose one file is the root's row 1, and the text about it. */
struct opened {
	struct setmaker m;
	struct arc_archive *a;
	struct listener l;
	char *text;
};

/* Frames of which the first two are raw and the third is all the same. */
static void begin(struct opened *o)
{
	uint8_t *raw = calloc(FRAMES, FRAME);

	assert_non_null(raw);
	memset(o, 0, sizeof(*o));
	listener_init(&o->l);
	testdata_fill(TESTDATA_RANDOM, raw, 2 * FRAME, 3);
	set_begin(&o->m, LIMIT, FRAME, 1);
	set_stream(&o->m, raw, FRAMES * FRAME, FRAME, NULL, 17);
	set_dir(&o->m, 0, 0, 0);
	free(raw);
}

static void end(struct opened *o, struct arc_disk_inode row, uint32_t extents)
{
	row.flags = arc_put32(extents ? ARC_INODE_EXTENTS : 0);
	row.extents = arc_put32(extents);
	set_inode(&o->m, row);
	set_end(&o->m);
}

static void open_archive(struct opened *o)
{
	struct arc_volume_source source = set_source(&o->m);

	assert_int_equal(arc_archive_open_source(&source, 1, NULL, &o->l.diag,
						 &o->a),
			 0);
}

static void tell(struct opened *o)
{
	struct arc_inode inode;

	assert_int_equal(arc_index_inode(arc_archive_index(o->a), 2, &inode),
			 0);
	assert_int_equal(arcfs_layout_text(o->a, &inode, &o->text), 0);
	assert_true(strlen(o->text) <= ARCFS_LAYOUT_MAX);
}

static void drop(struct opened *o)
{
	free(o->text);
	arc_archive_close(o->a);
	set_fini(&o->m);
}

static const char *last_line(const char *text)
{
	const char *line = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\n' && p[1])
			line = p + 1;
	}
	return line;
}

static void extents_of_all_kinds_are_told_in_order(void **state)
{
	char want[2048];
	struct arc_frame f[FRAMES];
	struct opened o;

	(void)state;
	begin(&o);
	set_extent(&o.m, 0, 70000, FRAME - 65536);
	set_extent(&o.m, 70000, 5, ARC_STREAM_ZERO);
	set_extent(&o.m, 80000, 10, FRAME + 65535);
	set_extent(&o.m, 90000, 10, 2 * FRAME);
	end(&o, row_of_file(&o.m, 0, 100000), 4);
	open_archive(&o);
	tell(&o);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(
			arc_index_frame(arc_archive_index(o.a), i, &f[i]), 0);
	snprintf(want, sizeof(want),
		 "{\"ino\":2,\"leader\":2,\"size\":100000,\"extents\":4}\n"
		 "{\"file\":0,\"len\":70000,\"stream\":196608}\n"
		 "{\"frame\":0,\"volume\":1,\"offset\":%" PRIu64
		 ",\"codec\":\"raw\",\"group\":131072,\"raw\":262144,"
		 "\"stored\":%u,\"segments\":[3,3],\"types\":{\"raw\":1},"
		 "\"segment_bytes\":65536}\n"
		 "{\"frame\":1,\"volume\":1,\"offset\":%" PRIu64
		 ",\"codec\":\"raw\",\"group\":131072,\"raw\":262144,"
		 "\"stored\":%u,\"segments\":[0,0],\"types\":{\"raw\":1},"
		 "\"segment_bytes\":65536}\n"
		 "{\"file\":70000,\"len\":5,\"zeros\":true}\n"
		 "{\"file\":70005,\"len\":9995,\"hole\":true}\n"
		 "{\"file\":80000,\"len\":10,\"stream\":327679}\n"
		 "{\"frame\":1,\"segments\":[0,1],\"types\":{\"raw\":2},"
		 "\"segment_bytes\":131072}\n"
		 "{\"file\":80010,\"len\":9990,\"hole\":true}\n"
		 "{\"file\":90000,\"len\":10,\"stream\":524288}\n"
		 "{\"frame\":2,\"volume\":1,\"offset\":%" PRIu64
		 ",\"codec\":\"raw\",\"group\":131072,\"raw\":262144,"
		 "\"stored\":%u,\"segments\":[0,0],\"types\":{\"fill\":1},"
		 "\"segment_bytes\":0}\n"
		 "{\"file\":90010,\"len\":9990,\"hole\":true}\n",
		 f[0].offset, f[0].stored, f[1].offset, f[1].stored,
		 f[2].offset, f[2].stored);
	assert_string_equal(o.text, want);
	drop(&o);
}

/* Each extent lies in another frame than the one before, whose head must be
 * read anew. */
static void work_ends_where_the_text_ends(void **state)
{
	const uint32_t extents = 300000;
	uint64_t before, read;
	struct opened o;

	(void)state;
	begin(&o);
	for (uint64_t i = 0; i < extents; i++)
		set_extent(&o.m, i * 2, 1, (i & 1) * FRAME);
	end(&o, row_of_file(&o.m, 0, extents * 2), extents);
	open_archive(&o);
	before = arc_volumes_bytes_read(arc_archive_volumes(o.a));
	tell(&o);
	read = arc_volumes_bytes_read(arc_archive_volumes(o.a)) - before;
	assert_true(strlen(o.text) > ARCFS_LAYOUT_MAX - 1024);
	assert_non_null(strstr(last_line(o.text), "{\"cut_at\":"));
	assert_non_null(strstr(last_line(o.text), "no room"));
	assert_true(read < 400000);
	drop(&o);
}

/* The stream is claimed to be large; no frames of it are there. */
static void claims_of_the_index_cost_nothing(void **state)
{
	const uint64_t claimed = UINT64_C(1) << 60;
	struct opened o;

	(void)state;
	begin(&o);
	set_stream_length(&o.m, claimed);
	end(&o, row_of_file(&o.m, 0, claimed), 0);
	open_archive(&o);
	tell(&o);
	assert_true(strlen(o.text) < 2048);
	assert_non_null(strstr(last_line(o.text), "checksum"));
	drop(&o);
}

static void extents_that_break_the_rules_end_it(void **state)
{
	struct opened o;

	(void)state;
	begin(&o);
	set_extent(&o.m, 0, 1000, 0);
	set_extent(&o.m, 500, 1000, 5000);
	end(&o, row_of_file(&o.m, 0, 5000), 2);
	open_archive(&o);
	tell(&o);
	assert_string_equal(last_line(o.text),
			    "{\"cut_at\":0,\"error\":\"the bytes are not what "
			    "their checksum says\"}\n");
	drop(&o);
}

static void without_the_table_of_frames_extents_are_told(void **state)
{
	struct opened o;

	(void)state;
	begin(&o);
	set_extent(&o.m, 0, 1000, 0);
	set_extent(&o.m, 1000, 1000, FRAME);
	end(&o, row_of_file(&o.m, 0, 2000), 2);
	damage_block(&o.m, ARC_TABLE_FRAME, 0, 0);
	open_archive(&o);
	tell(&o);
	assert_string_equal(
		o.text,
		"{\"ino\":2,\"leader\":2,\"size\":2000,\"extents\":2}\n"
		"{\"file\":0,\"len\":1000,\"stream\":0}\n"
		"{\"stream\":0,\"error\":\"the bytes are not what their "
		"checksum says\"}\n"
		"{\"file\":1000,\"len\":1000,\"stream\":262144}\n"
		"{\"stream\":262144,\"error\":\"the bytes are not what their "
		"checksum says\"}\n");
	drop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_of_all_kinds_are_told_in_order),
		cmocka_unit_test(work_ends_where_the_text_ends),
		cmocka_unit_test(claims_of_the_index_cost_nothing),
		cmocka_unit_test(extents_that_break_the_rules_end_it),
		cmocka_unit_test(without_the_table_of_frames_extents_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
