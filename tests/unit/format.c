/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"

/* ---- layouts ------------------------------------------------------------ */

static void check_layout(const struct arc_table_layout *l)
{
	uint32_t sum = 0;

	for (uint32_t c = 0; c < l->columns; c++) {
		unsigned w = l->column[c].width;

		sum += w;
		if (l->column[c].delta)
			assert_true(w == 1 || w == 2 || w == 4 || w == 8);
	}
	assert_int_equal(sum, l->row_size);
	assert_true(l->rows_per_block > 0);
	assert_true(l->rows_per_block <= ARC_BLOCK_MAX / l->row_size);
}

static void columns_of_every_table_make_its_row(void **state)
{
	(void)state;
	for (int id = 0; id < ARC_TABLE_COUNT; id++)
		check_layout(arc_table_layout((enum arc_table_id)id));
	check_layout(arc_descriptor_layout());
	assert_int_equal(arc_table_layout(ARC_TABLE_INODE)->row_size, 80);
	assert_int_equal(arc_table_layout(ARC_TABLE_INODE)->rows_per_block,
			 2048);
	assert_int_equal(arc_table_layout(ARC_TABLE_DIGEST)->row_size, 16);
	assert_int_equal(arc_table_layout(ARC_TABLE_SHA256)->row_size, 32);
	assert_int_equal(arc_descriptor_layout()->rows_per_block,
			 ARC_DESCRIPTORS_PER_BLOCK);
}

static uint32_t offset_of_column(const struct arc_table_layout *l, uint32_t c)
{
	uint32_t off = 0;

	while (c-- > 0)
		off += l->column[c].width;
	return off;
}

static void delta_columns_are_the_members_that_say_so(void **state)
{
	static const size_t inode[] = {
		offsetof(struct arc_disk_inode, data),
		offsetof(struct arc_disk_inode, mtime),
		offsetof(struct arc_disk_inode, leader),
		offsetof(struct arc_disk_inode, share),
	};
	const struct arc_table_layout *l = arc_table_layout(ARC_TABLE_INODE);
	size_t found = 0;

	(void)state;
	for (uint32_t c = 0; c < l->columns; c++) {
		if (!l->column[c].delta)
			continue;
		assert_true(found < ARC_COUNT(inode));
		assert_int_equal(offset_of_column(l, c), inode[found]);
		found++;
	}
	assert_int_equal(found, ARC_COUNT(inode));
}

/* ---- volume header ------------------------------------------------------ */

static struct arc_disk_volume good_volume(void)
{
	struct arc_disk_volume v = {
		.version = arc_put16(ARC_FORMAT_VERSION),
		.size = arc_put16(sizeof(v)),
		.number = arc_put32(7),
		.limit = arc_put64(98 * ARC_MIB),
		.frame_size = arc_put32(ARC_FRAME_MAX),
	};

	memcpy(v.magic, ARC_VOLUME_MAGIC, sizeof(v.magic));
	arc_format_seal_volume(&v);
	return v;
}

static void sealed_volume_header_is_accepted(void **state)
{
	struct arc_disk_volume v = good_volume();

	(void)state;
	assert_int_equal(arc_format_check_volume(&v, 0), 0);
	assert_int_equal(arc_format_check_volume(&v, 7), 0);
}

static void volume_header_of_another_place_is_stale(void **state)
{
	struct arc_disk_volume v = good_volume();

	(void)state;
	assert_int_equal(arc_format_check_volume(&v, 8), -ESTALE);
}

static void every_flipped_bit_of_a_volume_header_is_noticed(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < sizeof(struct arc_disk_volume) * 8; bit++) {
		struct arc_disk_volume v = good_volume();

		((uint8_t *)&v)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(arc_format_check_volume(&v, 0), -EBADMSG);
	}
}

static int check_sealed_volume(struct arc_disk_volume v)
{
	arc_format_seal_volume(&v);
	return arc_format_check_volume(&v, 0);
}

static void volume_header_of_a_newer_version_is_unsupported(void **state)
{
	struct arc_disk_volume v = good_volume();

	(void)state;
	v.version = arc_put16(2);
	v.size = arc_put16(96); /* must not matter any more */
	assert_int_equal(check_sealed_volume(v), -EOPNOTSUPP);
	v = good_volume();
	v.incompat = arc_put64(UINT64_C(1) << 63);
	assert_int_equal(check_sealed_volume(v), -EOPNOTSUPP);
}

static void volume_header_with_absurd_numbers_is_refused(void **state)
{
	struct arc_disk_volume v = good_volume();

	(void)state;
	v.size = arc_put16(63);
	assert_int_equal(check_sealed_volume(v), -EBADMSG);
	v = good_volume();
	v.number = arc_put32(0);
	assert_int_equal(check_sealed_volume(v), -EBADMSG);
	v.number = arc_put32(ARC_VOLUMES_MAX + 1);
	assert_int_equal(check_sealed_volume(v), -EBADMSG);
	v.number = arc_put32(ARC_VOLUMES_MAX);
	assert_int_equal(check_sealed_volume(v), 0);
	v.frame_size = arc_put32(0);
	assert_int_equal(check_sealed_volume(v), -EBADMSG);
	v.frame_size = arc_put32(ARC_FRAME_MAX + 1);
	assert_int_equal(check_sealed_volume(v), -EBADMSG);
}

/* ---- footer ------------------------------------------------------------- */

static struct arc_disk_footer good_footer(void)
{
	struct arc_disk_footer f = {
		.version = arc_put16(ARC_FORMAT_VERSION),
		.size = arc_put16(sizeof(f)),
		.volumes = arc_put32(3),
		.frame_size = arc_put32(ARC_FRAME_MAX),
		.offset = arc_put64(4096),
		.length = arc_put64(400),
	};

	memcpy(f.magic, ARC_FOOTER_MAGIC, sizeof(f.magic));
	memcpy(f.end, ARC_END_MAGIC, sizeof(f.end));
	arc_format_seal_footer(&f);
	return f;
}

static int check_sealed_footer(struct arc_disk_footer f)
{
	arc_format_seal_footer(&f);
	return arc_format_check_footer(&f);
}

static void every_flipped_bit_of_a_footer_is_noticed(void **state)
{
	struct arc_disk_footer good = good_footer();

	(void)state;
	assert_int_equal(arc_format_check_footer(&good), 0);
	for (size_t bit = 0; bit < sizeof(good) * 8; bit++) {
		struct arc_disk_footer f = good;

		((uint8_t *)&f)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(arc_format_check_footer(&f), -EBADMSG);
	}
}

static void
footer_with_unknown_features_is_refused_by_incompat_only(void **state)
{
	struct arc_disk_footer f = good_footer();

	(void)state;
	f.compat = arc_put64(UINT64_MAX);
	f.ro_compat = arc_put64(UINT64_MAX);
	assert_int_equal(check_sealed_footer(f), 0);
	f.incompat = arc_put64(1);
	assert_int_equal(check_sealed_footer(f), -EOPNOTSUPP);
	f = good_footer();
	f.version = arc_put16(2);
	assert_int_equal(check_sealed_footer(f), -EOPNOTSUPP);
}

static void footer_with_absurd_numbers_is_refused(void **state)
{
	struct arc_disk_footer f = good_footer();

	(void)state;
	f.size = arc_put16(129);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f = good_footer();
	f.volumes = arc_put32(0);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f = good_footer();
	f.second_volume = arc_put32(4);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f = good_footer();
	f.offset = arc_put64(63);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f = good_footer();
	f.length = arc_put64(40);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f.length = arc_put64(40 + (uint64_t)ARC_BLOCK_MAX + 1);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
	f.length = arc_put64(40 + (uint64_t)ARC_BLOCK_MAX);
	assert_int_equal(check_sealed_footer(f), 0);
	f.frame_size = arc_put32(0);
	assert_int_equal(check_sealed_footer(f), -EBADMSG);
}

/* ---- block header ------------------------------------------------------- */

static struct arc_disk_block block_of(uint32_t rows, uint32_t raw,
				      uint32_t stored, uint16_t flags)
{
	struct arc_disk_block b = {
		.table = ARC_TABLE_INODE,
		.flags = arc_put16(flags),
		.rows = arc_put32(rows),
		.raw = arc_put32(raw),
		.stored = arc_put32(stored),
	};

	memcpy(b.magic, ARC_BLOCK_MAGIC, sizeof(b.magic));
	return b;
}

static int check_block(uint32_t rows, uint32_t raw, uint32_t stored,
		       uint16_t flags)
{
	struct arc_disk_block b = block_of(rows, raw, stored, flags);

	return arc_format_check_block(&b);
}

static void block_header_numbers_must_agree(void **state)
{
	(void)state;
	assert_int_equal(check_block(2, 160, 159, 0), 0);
	assert_int_equal(check_block(2, 160, 160, ARC_BLOCK_STORED), 0);
	assert_int_equal(check_block(2, 160, 160, 0), -EBADMSG);
	assert_int_equal(check_block(2, 160, 0, 0), -EBADMSG);
	assert_int_equal(check_block(2, 160, 159, ARC_BLOCK_STORED), -EBADMSG);
	assert_int_equal(check_block(0, 160, 9, 0), -EBADMSG);
	assert_int_equal(check_block(3, 160, 9, 0), -EBADMSG);
	assert_int_equal(check_block(200, 160, 9, 0), -EBADMSG);
	assert_int_equal(check_block(1, ARC_BLOCK_MAX, 9, 0), 0);
	assert_int_equal(check_block(1, ARC_BLOCK_MAX + 1, 9, 0), -EBADMSG);
	assert_int_equal(check_block(UINT32_MAX, UINT32_MAX, 9, 0), -EBADMSG);
	assert_int_equal(check_block(2, 160, 9, 2), -EOPNOTSUPP);
}

static void block_header_of_no_table_or_level_is_refused(void **state)
{
	struct arc_disk_block b = block_of(2, 160, 9, 0);

	(void)state;
	b.level = ARC_LEVELS_MAX;
	assert_int_equal(arc_format_check_block(&b), -EBADMSG);
	b.level = ARC_LEVELS_MAX - 1;
	assert_int_equal(arc_format_check_block(&b), 0);
	b.table = ARC_TABLE_COUNT;
	assert_int_equal(arc_format_check_block(&b), -EBADMSG);
	b = block_of(2, 160, 9, 0);
	b.magic[3] = 'C';
	assert_int_equal(arc_format_check_block(&b), -EBADMSG);
}

/* ---- record header ------------------------------------------------------ */

static struct arc_disk_record good_record(void)
{
	struct arc_disk_record r = {
		.codec = ARC_CODEC_LZ4,
		.group_log = 18,
		.entry_size = 24,
		.segments = arc_put32(2),
		.raw = arc_put32(65537),
		.payload = arc_put32(1000),
	};

	memcpy(r.magic, ARC_RECORD_MAGIC, sizeof(r.magic));
	return r;
}

static int check_entry_and_group(uint8_t entry_size, uint8_t group_log)
{
	struct arc_disk_record r = good_record();

	r.entry_size = entry_size;
	r.group_log = group_log;
	return arc_format_check_record(&r);
}

static int check_sizes(uint32_t raw, uint32_t segments, uint32_t payload)
{
	struct arc_disk_record r = good_record();

	r.raw = arc_put32(raw);
	r.segments = arc_put32(segments);
	r.payload = arc_put32(payload);
	return arc_format_check_record(&r);
}

static void record_header_numbers_must_agree(void **state)
{
	(void)state;
	assert_int_equal(check_sizes(65537, 2, 65537), 0);
	assert_int_equal(check_sizes(65537, 2, 65538), -EBADMSG);
	assert_int_equal(check_sizes(65537, 1, 0), -EBADMSG);
	assert_int_equal(check_sizes(65537, 3, 0), -EBADMSG);
	assert_int_equal(check_sizes(65536, 1, 0), 0);
	assert_int_equal(check_sizes(1, 1, 0), 0);
	assert_int_equal(check_sizes(0, 0, 0), -EBADMSG);
	assert_int_equal(check_sizes(ARC_FRAME_MAX, 256, 0), 0);
	assert_int_equal(check_sizes(ARC_FRAME_MAX + 1, 257, 0), -EBADMSG);
	assert_int_equal(check_sizes(UINT32_MAX, 65536, 0), -EBADMSG);
}

static void record_header_outside_the_limits_is_refused(void **state)
{
	(void)state;
	for (unsigned size = 0; size < 256; size++) {
		bool ok = size >= 24 && size <= 64 && size % 8 == 0;

		assert_int_equal(check_entry_and_group((uint8_t)size, 18),
				 ok ? 0 : -EBADMSG);
	}
	for (unsigned log = 0; log < 256; log++) {
		bool ok = log >= 16 && log <= 24;

		assert_int_equal(check_entry_and_group(24, (uint8_t)log),
				 ok ? 0 : -EBADMSG);
	}
}

static void record_header_with_an_unknown_flag_is_unsupported(void **state)
{
	struct arc_disk_record r = good_record();

	(void)state;
	r.flags = 1;
	assert_int_equal(arc_format_check_record(&r), -EOPNOTSUPP);
	r.magic[0] = 'a';
	assert_int_equal(arc_format_check_record(&r), -EBADMSG);
}

/* ---- names -------------------------------------------------------------- */

static bool name_ok(const char *name)
{
	return arc_format_name_ok((const uint8_t *)name, strlen(name));
}

static void names_that_could_leave_their_directory_are_refused(void **state)
{
	uint8_t longest[256];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(name_ok("a"));
	assert_true(name_ok("..."));
	assert_true(name_ok(".a"));
	assert_true(name_ok("..a"));
	assert_true(name_ok("a."));
	assert_true(name_ok("\xff\n\\"));
	assert_true(arc_format_name_ok(longest, 255));
	assert_false(arc_format_name_ok(longest, 256));
	assert_false(name_ok(""));
	assert_false(name_ok("."));
	assert_false(name_ok(".."));
	assert_false(name_ok("/"));
	assert_false(name_ok("a/b"));
	assert_false(arc_format_name_ok((const uint8_t *)"a\0b", 3));
}

static void volume_names_have_at_least_three_digits(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(arc_volume_name("out", 7, name, sizeof(name)), 0);
	assert_string_equal(name, "out.007");
	assert_int_equal(arc_volume_name("a.b", 1000, name, sizeof(name)), 0);
	assert_string_equal(name, "a.b.1000");
	assert_int_equal(arc_volume_name("abcd", 1, name, 9), 0);
	assert_int_equal(arc_volume_name("abcd", 1, name, 8), -ERANGE);
}

static void volume_names_are_split_at_their_last_dot(void **state)
{
	static const uint32_t numbers[] = { 1,	  9,	 10,	 999,
					    1000, 12345, 999999, 16777216 };
	uint32_t number;
	size_t base;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(numbers); i++) {
		char name[64];

		assert_int_equal(arc_volume_name("d/a.001", numbers[i], name,
						 sizeof(name)),
				 0);
		assert_int_equal(arc_volume_split(name, &base, &number), 0);
		assert_int_equal(base, strlen("d/a.001"));
		assert_int_equal(number, numbers[i]);
	}
}

static void other_names_are_no_volumes(void **state)
{
	static const char *const names[] = {
		"",
		"x",
		"x.",
		"x.1",
		"x.01",
		"x.000",
		"x.0000",
		"x.0001",
		"x.01000",
		"x.00a",
		"x.-01",
		"x.+01",
		"x. 01",
		"x.001.part",
		"x.16777217",
		"x.4294967297",
		"x.001/y",
		"x.1e3",
		"x.99999999999",
		"x.001 ",
	};
	uint32_t number = 42;
	size_t base = 42;

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(names); i++)
		assert_int_equal(arc_volume_split(names[i], &base, &number),
				 -EINVAL);
	assert_int_equal(number, 42);
	assert_int_equal(base, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_of_every_table_make_its_row),
		cmocka_unit_test(delta_columns_are_the_members_that_say_so),
		cmocka_unit_test(sealed_volume_header_is_accepted),
		cmocka_unit_test(volume_header_of_another_place_is_stale),
		cmocka_unit_test(
			every_flipped_bit_of_a_volume_header_is_noticed),
		cmocka_unit_test(
			volume_header_of_a_newer_version_is_unsupported),
		cmocka_unit_test(volume_header_with_absurd_numbers_is_refused),
		cmocka_unit_test(every_flipped_bit_of_a_footer_is_noticed),
		cmocka_unit_test(
			footer_with_unknown_features_is_refused_by_incompat_only),
		cmocka_unit_test(footer_with_absurd_numbers_is_refused),
		cmocka_unit_test(block_header_numbers_must_agree),
		cmocka_unit_test(block_header_of_no_table_or_level_is_refused),
		cmocka_unit_test(record_header_numbers_must_agree),
		cmocka_unit_test(record_header_outside_the_limits_is_refused),
		cmocka_unit_test(
			record_header_with_an_unknown_flag_is_unsupported),
		cmocka_unit_test(
			names_that_could_leave_their_directory_are_refused),
		cmocka_unit_test(volume_names_have_at_least_three_digits),
		cmocka_unit_test(volume_names_are_split_at_their_last_dot),
		cmocka_unit_test(other_names_are_no_volumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
