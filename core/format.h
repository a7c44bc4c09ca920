/* SPDX-License-Identifier: MIT */
/*
 * format - every structure of an archive on disk, its limits and validators.
 * The manual page arc-format(5) is the law and changes in the same commit.
 *
 * Everything is little-endian. K, M and G are powers of 1024. Reserved fields
 * are written as zero and ignored by readers.
 *
 *	volume 1..N:  | volume header | record | record | ... |
 *	volume N:     | volume header | ... records, index blocks | footer |
 *
 * An archive's content is one *stream*, cut in *frames* of up to 16 MiB; a
 * frame is stored as one *record*: header, table of segments, payload.
 * Records and index blocks never cross the border of a volume.
 *
 * Threads: pure.
 */
#ifndef ARC_FORMAT_H
#define ARC_FORMAT_H

#include <assert.h>

#include "bytes.h"

#define ARC_FORMAT_VERSION 1

/* ---- limits ------------------------------------------------------------ */

#define ARC_SEGMENT_SIZE ((uint32_t)65536) /* raw bytes of a segment */
#define ARC_SEGMENT_LOG 16
#define ARC_FRAME_MAX ((uint32_t)16 << 20) /* raw bytes of a frame */
#define ARC_FRAME_SEGMENTS_MAX 256
#define ARC_GROUP_LOG_MIN 16 /* group size: 64 KiB ... */
#define ARC_GROUP_LOG_MAX 24 /* ... 16 MiB */
#define ARC_ENTRY_SIZE_MIN 24 /* bytes of a segment entry */
#define ARC_ENTRY_SIZE_MAX 64 /* a multiple of 8 */
#define ARC_VOLUME_MIN ((uint64_t)1 << 20) /* smallest volume limit */
#define ARC_VOLUMES_MAX ((uint32_t)1 << 24)
#define ARC_BLOCK_MAX ((uint32_t)256 << 10) /* raw bytes of an index block */
#define ARC_LEVELS_MAX 8 /* of roots over one table */
#define ARC_NAME_MAX 255 /* bytes of a name */
#define ARC_TARGET_MAX 65535 /* bytes of a symlink's target */
#define ARC_XATTR_NAME_MAX 255
#define ARC_XATTR_VALUE_MAX 65536
#define ARC_XATTRS_MAX 65535 /* attributes of one inode */
#define ARC_ROOT_TEXT_MAX 16384
#define ARC_FILE_SIZE_MAX (UINT64_MAX >> 1)

/* ---- feature words ------------------------------------------------------ */

/* An unknown incompat bit refuses the archive; ro-compat and compat do not. */
#define ARC_INCOMPAT_KNOWN UINT64_C(0)

/* ---- volume header ------------------------------------------------------ */

#define ARC_VOLUME_MAGIC "ARCVOL01"

struct arc_disk_volume {
	uint8_t magic[8]; /* ARC_VOLUME_MAGIC */
	struct arc_le16 version; /* ARC_FORMAT_VERSION */
	struct arc_le16 size; /* of this header, 64 */
	struct arc_le32 number; /* of this volume, from 1 */
	struct arc_le64 incompat;
	uint8_t id[16]; /* of the archive; a hint */
	struct arc_le64 limit; /* no volume is longer */
	struct arc_le32 frame_size; /* raw bytes of every frame but the last */
	struct arc_le32 reserved;
	struct arc_le64 checksum; /* XXH3-64 of the 56 bytes before */
};
static_assert(sizeof(struct arc_disk_volume) == 64, "volume header");

/* ---- record ------------------------------------------------------------- */

#define ARC_RECORD_MAGIC "ARCREC01"

struct arc_disk_record {
	uint8_t magic[8]; /* ARC_RECORD_MAGIC */
	struct arc_le64 frame; /* number of the frame, from 0 */
	uint8_t codec; /* enum arc_codec_id */
	uint8_t group_log; /* log2 of the group size, 16..24 */
	uint8_t entry_size; /* bytes of a segment entry, 24..64 */
	uint8_t flags; /* 0 */
	struct arc_le32 segments; /* = raw / 64 KiB rounded up, 1..256 */
	struct arc_le32 raw; /* raw bytes of the frame, 1..16 MiB */
	struct arc_le32 payload; /* stored bytes after the table */
	struct arc_le64 digest; /* XXH3-64 of the raw frame */
	struct arc_le64 id; /* first 8 bytes of the archive id */
	struct arc_le64 reserved;
	struct arc_le64 checksum; /* XXH3-64 of the 56 bytes before | table */
};
static_assert(sizeof(struct arc_disk_record) == 64, "record header");

enum arc_codec_id {
	ARC_CODEC_RAW = 0,
	ARC_CODEC_LZ4 = 1, /* LZ4 and LZ4-HC: one decoder */
	ARC_CODEC_LZEXT3 = 2,
	ARC_CODEC_ZSTD = 3,
	ARC_CODEC_FLOAT = 4, /* reserved: float planes */
	ARC_CODEC_COUNT
};

enum arc_segment_type {
	ARC_SEGMENT_RAW = 0, /* the bytes as they are */
	ARC_SEGMENT_CODED = 1, /* what the record's codec makes of them */
	ARC_SEGMENT_FILL = 2, /* one byte repeated; nothing in the payload */
	ARC_SEGMENT_JOINED = 3, /* its bytes come with the coded bytes of its
				 * group's first segment; nothing in the
				 * payload; codecs of whole groups only */
	ARC_SEGMENT_TYPES
};

/* One per segment; codecs may use entry_size - 24 more bytes behind it. */
struct arc_disk_segment {
	struct arc_le32 offset; /* in the payload */
	struct arc_le32 size; /* stored bytes */
	uint8_t type; /* enum arc_segment_type */
	uint8_t fill; /* the byte of a fill segment, else 0 */
	struct arc_le16 reserved;
	struct arc_le32 reserved2;
	struct arc_le64 check; /* XXH3-64 of the raw bytes */
};
static_assert(sizeof(struct arc_disk_segment) == 24, "segment entry");

/*
 * LZ-EXT3's part of a segment entry: how many items each stream has, and the
 * segments it refers to. A group has 16 granules (of a segment at least); bit i
 * of `near` says that segments of granule i are used, as far as they lie
 * before this one. The list holds segments of earlier groups of the frame, in
 * ascending order; entries that are shorter end before it.
 */
struct arc_disk_lzext3 {
	struct arc_le16 tokens;
	struct arc_le16 lo; /* of two bytes */
	struct arc_le16 hi;
	struct arc_le16 x8;
	struct arc_le16 x16; /* of two bytes */
	struct arc_le16 near;
	uint8_t fars; /* segments in the list, 0..16 */
	uint8_t reserved[3];
	uint8_t far[16];
};
static_assert(sizeof(struct arc_disk_lzext3) == 32, "LZ-EXT3 entry");

/* ---- index -------------------------------------------------------------- */

/*
 * A table is rows of one fixed size, cut in blocks of rows_per_block rows
 * (the last may have fewer). Blocks are found through descriptors; the
 * descriptors of a level are themselves rows of the blocks one level up, until
 * one block is left: its descriptor stands in the top root.
 *
 * A block's raw bytes are transposed before they are deflated: column by
 * column, for each column first all lowest bytes, then all second bytes, ...;
 * a delta column holds each value minus the value of the row before (modulo
 * 2^(8 * width); the first row of a block is kept whole).
 */
#define ARC_BLOCK_MAGIC "ARCB"
#define ARC_BLOCK_STORED 1 /* flag: not deflated */

struct arc_disk_block {
	uint8_t magic[4]; /* ARC_BLOCK_MAGIC */
	uint8_t table; /* enum arc_table_id */
	uint8_t level; /* 0: rows; n: descriptors of level n - 1 */
	struct arc_le16 flags;
	struct arc_le64 number; /* of this block in its table and level */
	struct arc_le32 rows;
	struct arc_le32 raw; /* = rows * row size, <= 256 KiB */
	struct arc_le32 stored; /* bytes behind this header */
	struct arc_le32 reserved;
	struct arc_le64 checksum; /* XXH3-64 of the 32 bytes before | stored */
};
static_assert(sizeof(struct arc_disk_block) == 40, "index block header");

struct arc_disk_descriptor {
	struct arc_le64 offset; /* of the block header in its volume; delta */
	struct arc_le64 checksum; /* = the block header's */
	struct arc_le32 volume; /* from 1 */
	struct arc_le32 stored; /* bytes with the header */
	struct arc_le32 rows;
	struct arc_le32 reserved;
};
static_assert(sizeof(struct arc_disk_descriptor) == 32, "block descriptor");

enum arc_table_id {
	ARC_TABLE_ROOT = 0, /* the top root itself */
	ARC_TABLE_INODE = 1,
	ARC_TABLE_DIRENT = 2,
	ARC_TABLE_NAME = 3, /* heap of names: u8 length, bytes */
	ARC_TABLE_TEXT = 4, /* heap of targets, xattrs: u32 length, bytes */
	ARC_TABLE_EXTENT = 5,
	ARC_TABLE_XSET = 6,
	ARC_TABLE_XATTR = 7,
	ARC_TABLE_FRAME = 8,
	ARC_TABLE_DIGEST = 9, /* XXH3-128 by inode row, zeros: none */
	ARC_TABLE_SHA256 = 10, /* by inode row, zeros: none */
	ARC_TABLE_COUNT
};

/*
 * An item of a heap never crosses a block: where it does not fit into the
 * rest of a block, zeros fill the rest.
 */

/*
 * Row r is inode r + 1; row 0 is the root directory. The rows of a directory's
 * entries follow each other, a subdirectory's row is greater than its
 * directory's, and the rows of the subdirectories of one directory ascend with
 * their names: no loop can be expressed, and no directory has two names.
 */
struct arc_disk_inode {
	struct arc_le64 size; /* bytes; directory: entries; symlink: length */
	struct arc_le64 data; /* delta; by type, see below */
	struct arc_le64 mtime; /* delta; seconds since the epoch, signed */
	struct arc_le32 mtime_ns; /* 0..999,999,999 */
	struct arc_le32 mode; /* st_mode, type included */
	struct arc_le32 uid;
	struct arc_le32 gid;
	struct arc_le32 nlink; /* names in the archive; dir: 2 + subdirs */
	struct arc_le32 xset; /* 1 + row of XSET; 0: no attributes */
	struct arc_le64 leader; /* delta; row of the content leader; directory:
				 * row of the parent (root: 0) */
	struct arc_le64 share; /* delta; row of the sharing leader, own row
				* when alone */
	struct arc_le32 extents; /* rows of EXTENT, when FLAG_EXTENTS */
	struct arc_le32 share_nlink; /* names of the whole sharing class */
	struct arc_le32 flags; /* ARC_INODE_* */
	struct arc_le32 reserved;
};
static_assert(sizeof(struct arc_disk_inode) == 80, "inode row");
/*
 * data: regular file: stream offset of its bytes, or, with FLAG_EXTENTS, first
 * row of its extents (0 when it is empty) · directory: first row of its
 * entries · symlink: offset of its item in TEXT · device: major << 32 | minor ·
 * else 0.
 */
#define ARC_INODE_EXTENTS 1 /* regular file with an extent list */
#define ARC_INODE_KNOWN 1

struct arc_disk_dirent {
	struct arc_le64 name; /* delta; offset of its item in NAME */
	struct arc_le64 row; /* delta; of its inode */
	struct arc_le64 share; /* delta; row of the sharing leader */
	uint8_t type; /* S_IFMT bits >> 12 */
	uint8_t reserved[7];
};
static_assert(sizeof(struct arc_disk_dirent) == 32, "directory entry row");

/*
 * Extents of a file ascend in `file`, do not overlap and lie within its size;
 * what none covers is a hole and reads as zeros.
 */
struct arc_disk_extent {
	struct arc_le64 file; /* delta; offset in the file */
	struct arc_le64 len; /* > 0 */
	struct arc_le64 stream; /* delta; offset in the stream, or ZERO */
};
static_assert(sizeof(struct arc_disk_extent) == 24, "extent row");
#define ARC_STREAM_ZERO UINT64_MAX /* data (no hole) that is all zeros */

struct arc_disk_xset {
	struct arc_le64 first; /* delta; row of XATTR */
	struct arc_le32 count;
	struct arc_le32 reserved;
};
static_assert(sizeof(struct arc_disk_xset) == 16, "xattr set row");

struct arc_disk_xattr { /* names of a set ascend as raw bytes */
	struct arc_le64 name; /* offset of its item in TEXT */
	struct arc_le64 value; /* likewise */
};
static_assert(sizeof(struct arc_disk_xattr) == 16, "xattr row");

/* Rows ascend in `start`; frame n is row n; together they tile the stream. */
struct arc_disk_frame {
	struct arc_le64 start; /* delta; offset in the stream */
	struct arc_le64 offset; /* delta; of the record in its volume */
	struct arc_le64 checksum; /* = the record header's */
	struct arc_le32 volume; /* from 1 */
	struct arc_le32 raw;
	struct arc_le32 stored; /* bytes of the record */
	uint8_t codec;
	uint8_t group_log;
	uint8_t entry_size;
	uint8_t reserved;
};
static_assert(sizeof(struct arc_disk_frame) == 40, "frame row");

/*
 * How a table's rows are laid out; the same for every archive of version 1.
 * Each member of a row's struct is a column, each byte of an array a column of
 * its own. Only the rows of DIGEST and SHA256 are one column of 16 or 32 bytes:
 * a width other than 1, 2, 4 or 8 is not split by bytes, its values follow each
 * other as they are, and it is never a delta column.
 */
struct arc_column {
	uint8_t width; /* bytes */
	bool delta;
};

struct arc_table_layout {
	const char *name;
	uint32_t row_size;
	uint32_t rows_per_block;
	uint32_t columns;
	const struct arc_column *column;
};

/* Layout of a table's rows; id < ARC_TABLE_COUNT. */
const struct arc_table_layout *arc_table_layout(enum arc_table_id id);

/* Layout of the descriptors (levels above 0 of every table). */
const struct arc_table_layout *arc_descriptor_layout(void);

/*
 * Top root, the content of the one block of ARC_TABLE_ROOT (row size 1):
 * this head, `tables` table descriptors, text_len bytes of "key=value\n".
 * The counts inform people; no reader relies on them but on `stream`.
 */
struct arc_disk_root {
	struct arc_le32 tables;
	struct arc_le32 text_len;
	struct arc_le64 stream; /* bytes of the stream */
	struct arc_le64 entries; /* names, the root not counted */
	struct arc_le64 files; /* regular inodes */
	struct arc_le64 dirs; /* the root counted */
	struct arc_le64 symlinks;
	struct arc_le64 others; /* devices, fifos, sockets */
	struct arc_le64 hardlinks; /* further names of inodes */
	struct arc_le64 bytes; /* sum of st_size of regular inodes */
	struct arc_le64 holes; /* bytes of these in holes */
	struct arc_le64 duplicates; /* regular inodes with another leader */
	struct arc_le64 duplicate_bytes; /* their data bytes, not stored */
	struct arc_le64 stored; /* bytes of all records */
	struct {
		struct arc_le64 frames;
		struct arc_le64 raw;
		struct arc_le64 stored; /* bytes of the records */
	} codec[8]; /* by enum arc_codec_id */
};
static_assert(sizeof(struct arc_disk_root) == 296, "top root");

struct arc_disk_table {
	struct arc_le32 id; /* enum arc_table_id; unknown ones are skipped */
	struct arc_le32 row_size;
	struct arc_le64 rows;
	struct arc_le32 rows_per_block; /* of level 0 */
	struct arc_le32 levels; /* 0: no rows; 1: one block; ... */
	struct arc_disk_descriptor top; /* of the one block of the top level */
};
static_assert(sizeof(struct arc_disk_table) == 56, "table descriptor");

/* Descriptors per block of the levels above 0. */
#define ARC_DESCRIPTORS_PER_BLOCK 4096

/* ---- footer: the last bytes of the last volume -------------------------- */

#define ARC_FOOTER_MAGIC "ARCFOOT1"
#define ARC_END_MAGIC "GPU_IDX1"

struct arc_disk_footer {
	uint8_t magic[8]; /* ARC_FOOTER_MAGIC */
	struct arc_le16 version;
	struct arc_le16 size; /* of the footer, 128 */
	struct arc_le32 volumes; /* of the set; the number of this one */
	struct arc_le64 incompat;
	struct arc_le64 ro_compat;
	struct arc_le64 compat;
	uint8_t id[16];
	struct arc_le32 second_volume; /* second copy of the top root; 0: none */
	struct arc_le32 second_size;
	struct arc_le64 second_offset;
	struct arc_le32 frame_size;
	struct arc_le32 reserved;
	uint8_t reserved2[16];
	struct arc_le64 checksum; /* XXH3-64 of bytes 0..95 | 104..127 */
	struct arc_le64 offset; /* of the top root's block in this volume */
	struct arc_le64 length; /* its bytes with the header */
	uint8_t end[8]; /* ARC_END_MAGIC */
};
static_assert(sizeof(struct arc_disk_footer) == 128, "footer");
static_assert(offsetof(struct arc_disk_footer, checksum) == 96, "footer");

/* ---- validators: 0, -EBADMSG (corrupt), -EOPNOTSUPP (unknown) ----------- */

/* Checksums included. number 0: any; a sound header of another volume than
 * `number` answers -ESTALE. */
int arc_format_check_volume(const struct arc_disk_volume *v, uint32_t number);
int arc_format_check_footer(const struct arc_disk_footer *f);

/* A descriptor's and a block's own numbers; not the checksum. */
int arc_format_check_block(const struct arc_disk_block *b);

/* Everything about the header but its checksum, which covers the table too. */
int arc_format_check_record(const struct arc_disk_record *r);

/* A name: 1..255 bytes, no '/', no NUL, neither "." nor "..". */
bool arc_format_name_ok(const uint8_t *name, size_t n);

/* Fill in the checksum fields. */
void arc_format_seal_volume(struct arc_disk_volume *v);
void arc_format_seal_footer(struct arc_disk_footer *f);

/* Bytes of a record's header and table. */
static inline size_t arc_record_head_size(uint32_t segments, uint8_t entry_size)
{
	return sizeof(struct arc_disk_record) + (size_t)segments * entry_size;
}

static inline uint32_t arc_segment_count(uint32_t raw)
{
	return (uint32_t)arc_div_up(raw, ARC_SEGMENT_SIZE);
}

/* Volume file names: BASE.%03u. Writes into out (cap bytes). */
int arc_volume_name(const char *base, uint32_t number, char *out, size_t cap);

/*
 * Splits "x.017" at its last dot into the length of "x" and 17; -EINVAL when
 * the suffix is not a volume number in its canonical form (at least 3 digits,
 * no more zeros in front than %03u writes, 1..ARC_VOLUMES_MAX).
 */
int arc_volume_split(const char *name, size_t *ret_base, uint32_t *ret_number);

#endif
