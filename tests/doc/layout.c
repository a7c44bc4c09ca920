/* SPDX-License-Identifier: MIT */
/*
 * Prints where every field of every structure on disk lies, how the tables are
 * laid out, and the limits: for comparison with arc-format(5).
 *
 *	field STRUCT FIELD OFFSET SIZE
 *	struct STRUCT SIZE
 *	table ID NAME ROW_SIZE ROWS_PER_BLOCK
 *	column TABLE OFFSET WIDTH DELTA
 *	limit NAME VALUE
 */
#include <inttypes.h>
#include <stdio.h>

#include "format.h"

#define FIELD(noun, field)                                                     \
	printf("field %s %s %zu %zu\n", #noun, #field,                         \
	       offsetof(struct arc_disk_##noun, field),                        \
	       sizeof(((struct arc_disk_##noun *)0)->field));
#define STRUCT(noun)                                                           \
	printf("struct %s %zu\n", #noun, sizeof(struct arc_disk_##noun));
#define LIMIT(name) printf("limit %s %" PRIu64 "\n", #name, (uint64_t)(name));

static void print_pieces(void)
{
	STRUCT(volume)
	FIELD(volume, magic)
	FIELD(volume, version)
	FIELD(volume, size)
	FIELD(volume, number)
	FIELD(volume, incompat)
	FIELD(volume, id)
	FIELD(volume, limit)
	FIELD(volume, frame_size)
	FIELD(volume, reserved)
	FIELD(volume, checksum)

	STRUCT(footer)
	FIELD(footer, magic)
	FIELD(footer, version)
	FIELD(footer, size)
	FIELD(footer, volumes)
	FIELD(footer, incompat)
	FIELD(footer, ro_compat)
	FIELD(footer, compat)
	FIELD(footer, id)
	FIELD(footer, second_volume)
	FIELD(footer, second_size)
	FIELD(footer, second_offset)
	FIELD(footer, frame_size)
	FIELD(footer, reserved)
	FIELD(footer, reserved2)
	FIELD(footer, checksum)
	FIELD(footer, offset)
	FIELD(footer, length)
	FIELD(footer, end)

	STRUCT(record)
	FIELD(record, magic)
	FIELD(record, frame)
	FIELD(record, codec)
	FIELD(record, group_log)
	FIELD(record, entry_size)
	FIELD(record, flags)
	FIELD(record, segments)
	FIELD(record, raw)
	FIELD(record, payload)
	FIELD(record, digest)
	FIELD(record, id)
	FIELD(record, reserved)
	FIELD(record, checksum)

	STRUCT(segment)
	FIELD(segment, offset)
	FIELD(segment, size)
	FIELD(segment, type)
	FIELD(segment, fill)
	FIELD(segment, reserved)
	FIELD(segment, reserved2)
	FIELD(segment, check)

	STRUCT(lzext3)
	FIELD(lzext3, tokens)
	FIELD(lzext3, lo)
	FIELD(lzext3, hi)
	FIELD(lzext3, x8)
	FIELD(lzext3, x16)
	FIELD(lzext3, near)
	FIELD(lzext3, fars)
	FIELD(lzext3, reserved)
	FIELD(lzext3, far)
}

static void print_index(void)
{
	STRUCT(block)
	FIELD(block, magic)
	FIELD(block, table)
	FIELD(block, level)
	FIELD(block, flags)
	FIELD(block, number)
	FIELD(block, rows)
	FIELD(block, raw)
	FIELD(block, stored)
	FIELD(block, reserved)
	FIELD(block, checksum)

	STRUCT(descriptor)
	FIELD(descriptor, offset)
	FIELD(descriptor, checksum)
	FIELD(descriptor, volume)
	FIELD(descriptor, stored)
	FIELD(descriptor, rows)
	FIELD(descriptor, reserved)

	STRUCT(root)
	FIELD(root, tables)
	FIELD(root, text_len)
	FIELD(root, stream)
	FIELD(root, entries)
	FIELD(root, files)
	FIELD(root, dirs)
	FIELD(root, symlinks)
	FIELD(root, others)
	FIELD(root, hardlinks)
	FIELD(root, bytes)
	FIELD(root, holes)
	FIELD(root, duplicates)
	FIELD(root, duplicate_bytes)
	FIELD(root, stored)
	FIELD(root, codec)

	STRUCT(table)
	FIELD(table, id)
	FIELD(table, row_size)
	FIELD(table, rows)
	FIELD(table, rows_per_block)
	FIELD(table, levels)
	FIELD(table, top)
}

static void print_rows(void)
{
	STRUCT(inode)
	FIELD(inode, size)
	FIELD(inode, data)
	FIELD(inode, mtime)
	FIELD(inode, mtime_ns)
	FIELD(inode, mode)
	FIELD(inode, uid)
	FIELD(inode, gid)
	FIELD(inode, nlink)
	FIELD(inode, xset)
	FIELD(inode, leader)
	FIELD(inode, share)
	FIELD(inode, extents)
	FIELD(inode, share_nlink)
	FIELD(inode, flags)
	FIELD(inode, reserved)

	STRUCT(dirent)
	FIELD(dirent, name)
	FIELD(dirent, row)
	FIELD(dirent, share)
	FIELD(dirent, type)
	FIELD(dirent, reserved)

	STRUCT(extent)
	FIELD(extent, file)
	FIELD(extent, len)
	FIELD(extent, stream)

	STRUCT(xset)
	FIELD(xset, first)
	FIELD(xset, count)
	FIELD(xset, reserved)

	STRUCT(xattr)
	FIELD(xattr, name)
	FIELD(xattr, value)

	STRUCT(frame)
	FIELD(frame, start)
	FIELD(frame, offset)
	FIELD(frame, checksum)
	FIELD(frame, volume)
	FIELD(frame, raw)
	FIELD(frame, stored)
	FIELD(frame, codec)
	FIELD(frame, group_log)
	FIELD(frame, entry_size)
	FIELD(frame, reserved)
}

static void print_columns(const struct arc_table_layout *layout)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; i < layout->columns; i++) {
		const struct arc_column *c = &layout->column[i];

		printf("column %s %" PRIu32 " %u %d\n", layout->name, offset,
		       c->width, c->delta);
		offset += c->width;
	}
}

static void print_tables(void)
{
	for (unsigned id = 0; id < ARC_TABLE_COUNT; id++) {
		const struct arc_table_layout *layout =
			arc_table_layout((enum arc_table_id)id);

		printf("table %u %s %" PRIu32 " %" PRIu32 "\n", id,
		       layout->name, layout->row_size, layout->rows_per_block);
		print_columns(layout);
	}
	print_columns(arc_descriptor_layout());
}

static void print_limits(void)
{
	LIMIT(ARC_SEGMENT_SIZE)
	LIMIT(ARC_FRAME_MAX)
	LIMIT(ARC_FRAME_SEGMENTS_MAX)
	LIMIT(ARC_GROUP_LOG_MIN)
	LIMIT(ARC_GROUP_LOG_MAX)
	LIMIT(ARC_ENTRY_SIZE_MIN)
	LIMIT(ARC_ENTRY_SIZE_MAX)
	LIMIT(ARC_VOLUME_MIN)
	LIMIT(ARC_VOLUMES_MAX)
	LIMIT(ARC_BLOCK_MAX)
	LIMIT(ARC_DESCRIPTORS_PER_BLOCK)
	LIMIT(ARC_LEVELS_MAX)
	LIMIT(ARC_NAME_MAX)
	LIMIT(ARC_TARGET_MAX)
	LIMIT(ARC_XATTR_NAME_MAX)
	LIMIT(ARC_XATTR_VALUE_MAX)
	LIMIT(ARC_XATTRS_MAX)
	LIMIT(ARC_ROOT_TEXT_MAX)
	LIMIT(ARC_FILE_SIZE_MAX)
}

int main(void)
{
	print_pieces();
	print_index();
	print_rows();
	print_tables();
	print_limits();
	return 0;
}
