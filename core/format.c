/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <stdio.h>

#include "hash.h"

/* ---- layouts of the tables ---------------------------------------------- */

#define PLAIN(bytes)                                                           \
	{                                                                      \
		.width = (bytes)                                               \
	}
#define DELTA(bytes)                                                           \
	{                                                                      \
		.width = (bytes), .delta = true                                \
	}

static const struct arc_column byte_columns[] = { PLAIN(1) };

static const struct arc_column inode_columns[] = {
	PLAIN(8), /* size */
	DELTA(8), /* data */
	DELTA(8), /* mtime */
	PLAIN(4), /* mtime_ns */
	PLAIN(4), /* mode */
	PLAIN(4), /* uid */
	PLAIN(4), /* gid */
	PLAIN(4), /* nlink */
	PLAIN(4), /* xset */
	DELTA(8), /* leader */
	DELTA(8), /* share */
	PLAIN(4), /* extents */
	PLAIN(4), /* share_nlink */
	PLAIN(4), /* flags */
	PLAIN(4), /* reserved */
};

static const struct arc_column dirent_columns[] = {
	DELTA(8), /* name */
	DELTA(8), /* row */
	DELTA(8), /* share */
	PLAIN(1), /* type */
	PLAIN(1), PLAIN(1), PLAIN(1), PLAIN(1), /* reserved */
	PLAIN(1), PLAIN(1), PLAIN(1),
};

static const struct arc_column extent_columns[] = {
	DELTA(8), /* file */
	PLAIN(8), /* len */
	DELTA(8), /* stream */
};

static const struct arc_column xset_columns[] = {
	DELTA(8), /* first */
	PLAIN(4), /* count */
	PLAIN(4), /* reserved */
};

static const struct arc_column xattr_columns[] = {
	PLAIN(8), /* name */
	PLAIN(8), /* value */
};

static const struct arc_column frame_columns[] = {
	DELTA(8), /* start */
	DELTA(8), /* offset */
	PLAIN(8), /* checksum */
	PLAIN(4), /* volume */
	PLAIN(4), /* raw */
	PLAIN(4), /* stored */
	PLAIN(1), /* codec */
	PLAIN(1), /* group_log */
	PLAIN(1), /* entry_size */
	PLAIN(1), /* reserved */
};

/* Digests look random: to split them by bytes would gain nothing. */
static const struct arc_column digest_columns[] = { PLAIN(16) };
static const struct arc_column sha256_columns[] = { PLAIN(32) };

static const struct arc_column descriptor_columns[] = {
	DELTA(8), /* offset */
	PLAIN(8), /* checksum */
	PLAIN(4), /* volume */
	PLAIN(4), /* stored */
	PLAIN(4), /* rows */
	PLAIN(4), /* reserved */
};

#define LAYOUT(label, size, per_block, table)                                  \
	{                                                                      \
		.name = (label), .row_size = (uint32_t)(size),                 \
		.rows_per_block = (per_block), .columns = ARC_COUNT(table),    \
		.column = (table)                                              \
	}

static const struct arc_table_layout layouts[ARC_TABLE_COUNT] = {
	[ARC_TABLE_ROOT] = LAYOUT("root", 1, ARC_BLOCK_MAX, byte_columns),
	[ARC_TABLE_INODE] = LAYOUT("inode", sizeof(struct arc_disk_inode), 2048,
				   inode_columns),
	[ARC_TABLE_DIRENT] = LAYOUT("dirent", sizeof(struct arc_disk_dirent),
				    4096, dirent_columns),
	[ARC_TABLE_NAME] = LAYOUT("name", 1, ARC_BLOCK_MAX, byte_columns),
	[ARC_TABLE_TEXT] = LAYOUT("text", 1, ARC_BLOCK_MAX, byte_columns),
	[ARC_TABLE_EXTENT] = LAYOUT("extent", sizeof(struct arc_disk_extent),
				    8192, extent_columns),
	[ARC_TABLE_XSET] = LAYOUT("xset", sizeof(struct arc_disk_xset), 8192,
				  xset_columns),
	[ARC_TABLE_XATTR] = LAYOUT("xattr", sizeof(struct arc_disk_xattr), 8192,
				   xattr_columns),
	[ARC_TABLE_FRAME] = LAYOUT("frame", sizeof(struct arc_disk_frame), 4096,
				   frame_columns),
	[ARC_TABLE_DIGEST] = LAYOUT("digest", 16, 8192, digest_columns),
	[ARC_TABLE_SHA256] = LAYOUT("sha256", 32, 4096, sha256_columns),
};

static const struct arc_table_layout descriptors =
	LAYOUT("descriptor", sizeof(struct arc_disk_descriptor),
	       ARC_DESCRIPTORS_PER_BLOCK, descriptor_columns);

const struct arc_table_layout *arc_table_layout(enum arc_table_id id)
{
	assert(id < ARC_TABLE_COUNT);
	return &layouts[id];
}

const struct arc_table_layout *arc_descriptor_layout(void)
{
	return &descriptors;
}

/* ---- checksums ---------------------------------------------------------- */

static struct arc_le64 volume_checksum(const struct arc_disk_volume *v)
{
	return arc_put64(
		arc_xxh64(v, offsetof(struct arc_disk_volume, checksum)));
}

static struct arc_le64 footer_checksum(const struct arc_disk_footer *f)
{
	size_t front = offsetof(struct arc_disk_footer, checksum);
	size_t back = front + sizeof(f->checksum);
	const uint8_t *bytes = (const uint8_t *)f;
	struct arc_span a = { bytes, front };
	struct arc_span b = { bytes + back, sizeof(*f) - back };

	return arc_put64(arc_xxh64_2(a, b));
}

static bool same64(struct arc_le64 a, struct arc_le64 b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

void arc_format_seal_volume(struct arc_disk_volume *v)
{
	v->checksum = volume_checksum(v);
}

void arc_format_seal_footer(struct arc_disk_footer *f)
{
	f->checksum = footer_checksum(f);
}

/* ---- validators --------------------------------------------------------- */

static bool frame_size_ok(uint32_t n)
{
	return n >= 1 && n <= ARC_FRAME_MAX;
}

static bool volume_number_ok(uint32_t n)
{
	return n >= 1 && n <= ARC_VOLUMES_MAX;
}

/*
 * The version is looked at before anything else that the checksum covers: a
 * newer one may mean all of it differently.
 */
int arc_format_check_volume(const struct arc_disk_volume *v, uint32_t number)
{
	uint32_t own = arc_get32(v->number);

	if (memcmp(v->magic, ARC_VOLUME_MAGIC, sizeof(v->magic)) != 0 ||
	    !same64(v->checksum, volume_checksum(v)))
		return -EBADMSG;
	if (arc_get16(v->version) != ARC_FORMAT_VERSION ||
	    (arc_get64(v->incompat) & ~ARC_INCOMPAT_KNOWN) != 0)
		return -EOPNOTSUPP;
	if (arc_get16(v->size) != sizeof(*v) || !volume_number_ok(own) ||
	    !frame_size_ok(arc_get32(v->frame_size)))
		return -EBADMSG;
	return number != 0 && number != own ? -ESTALE : 0;
}

int arc_format_check_footer(const struct arc_disk_footer *f)
{
	uint32_t volumes = arc_get32(f->volumes);
	uint64_t length = arc_get64(f->length);

	if (memcmp(f->magic, ARC_FOOTER_MAGIC, sizeof(f->magic)) != 0 ||
	    memcmp(f->end, ARC_END_MAGIC, sizeof(f->end)) != 0 ||
	    !same64(f->checksum, footer_checksum(f)))
		return -EBADMSG;
	if (arc_get16(f->version) != ARC_FORMAT_VERSION ||
	    (arc_get64(f->incompat) & ~ARC_INCOMPAT_KNOWN) != 0)
		return -EOPNOTSUPP;
	if (arc_get16(f->size) != sizeof(*f) || !volume_number_ok(volumes) ||
	    !frame_size_ok(arc_get32(f->frame_size)) ||
	    arc_get32(f->second_volume) > volumes)
		return -EBADMSG;
	if (arc_get64(f->offset) < sizeof(struct arc_disk_volume) ||
	    length <= sizeof(struct arc_disk_block) ||
	    length > sizeof(struct arc_disk_block) + ARC_BLOCK_MAX)
		return -EBADMSG;
	return 0;
}

int arc_format_check_block(const struct arc_disk_block *b)
{
	uint32_t rows = arc_get32(b->rows);
	uint32_t raw = arc_get32(b->raw);
	uint32_t stored = arc_get32(b->stored);
	uint16_t flags = arc_get16(b->flags);

	if (memcmp(b->magic, ARC_BLOCK_MAGIC, sizeof(b->magic)) != 0)
		return -EBADMSG;
	if (b->table >= ARC_TABLE_COUNT || b->level >= ARC_LEVELS_MAX)
		return -EBADMSG;
	if (rows == 0 || raw > ARC_BLOCK_MAX || raw < rows || raw % rows != 0)
		return -EBADMSG;
	if ((flags & ~ARC_BLOCK_STORED) != 0)
		return -EOPNOTSUPP;
	if (flags & ARC_BLOCK_STORED ? stored != raw
				     : stored == 0 || stored >= raw)
		return -EBADMSG;
	return 0;
}

int arc_format_check_record(const struct arc_disk_record *r)
{
	uint32_t raw = arc_get32(r->raw);

	if (memcmp(r->magic, ARC_RECORD_MAGIC, sizeof(r->magic)) != 0)
		return -EBADMSG;
	if (!frame_size_ok(raw) ||
	    arc_get32(r->segments) != arc_segment_count(raw) ||
	    arc_get32(r->payload) > raw)
		return -EBADMSG;
	if (r->group_log < ARC_GROUP_LOG_MIN ||
	    r->group_log > ARC_GROUP_LOG_MAX ||
	    r->entry_size < ARC_ENTRY_SIZE_MIN ||
	    r->entry_size > ARC_ENTRY_SIZE_MAX || r->entry_size % 8 != 0)
		return -EBADMSG;
	return r->flags != 0 ? -EOPNOTSUPP : 0;
}

bool arc_format_name_ok(const uint8_t *name, size_t n)
{
	if (n < 1 || n > ARC_NAME_MAX)
		return false;
	if (memchr(name, '/', n) || memchr(name, '\0', n))
		return false;
	if (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.')))
		return false;
	return true;
}

/* ---- names of volumes --------------------------------------------------- */

int arc_volume_name(const char *base, uint32_t number, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s.%03u", base, number);

	return n < 0 || (size_t)n >= cap ? -ERANGE : 0;
}

int arc_volume_split(const char *name, size_t *ret_base, uint32_t *ret_number)
{
	const char *dot = strrchr(name, '.');
	uint32_t number = 0;
	size_t digits;

	if (!dot)
		return -EINVAL;
	digits = strlen(dot + 1);
	if (digits < 3 || (digits > 3 && dot[1] == '0'))
		return -EINVAL;
	for (const char *p = dot + 1; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		number = number * 10 + (uint32_t)(*p - '0');
		if (number > ARC_VOLUMES_MAX) /* long before it could wrap */
			return -EINVAL;
	}
	if (number == 0)
		return -EINVAL;
	*ret_base = (size_t)(dot - name);
	*ret_number = number;
	return 0;
}
