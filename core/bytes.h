/* SPDX-License-Identifier: MIT */
/*
 * bytes - little-endian integers as types that cannot be used unconverted, a
 * bounded reading cursor, a growing buffer. All parsing of bytes that come
 * from outside goes through the cursor or through sized structs of format.h.
 *
 * Threads: pure.
 */
#ifndef ARC_BYTES_H
#define ARC_BYTES_H

#include <string.h>

#include "base.h"

struct arc_le16 {
	uint8_t b[2];
};
struct arc_le32 {
	uint8_t b[4];
};
struct arc_le64 {
	uint8_t b[8];
};

static inline uint16_t arc_get16(struct arc_le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t arc_get32(struct arc_le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 |
	       (uint32_t)v.b[2] << 16 | (uint32_t)v.b[3] << 24;
}

static inline uint64_t arc_get64(struct arc_le64 v)
{
	uint64_t r = 0;

	for (int i = 7; i >= 0; i--)
		r = r << 8 | v.b[i];
	return r;
}

static inline struct arc_le16 arc_put16(uint16_t v)
{
	return (struct arc_le16){ { (uint8_t)v, (uint8_t)(v >> 8) } };
}

static inline struct arc_le32 arc_put32(uint32_t v)
{
	return (struct arc_le32){ { (uint8_t)v, (uint8_t)(v >> 8),
				    (uint8_t)(v >> 16), (uint8_t)(v >> 24) } };
}

static inline struct arc_le64 arc_put64(uint64_t v)
{
	struct arc_le64 r;

	for (int i = 0; i < 8; i++, v >>= 8)
		r.b[i] = (uint8_t)v;
	return r;
}

/*
 * Bounded cursor: a read past the end returns zeros and makes the cursor bad
 * for good; check `bad` once at the end.
 */
struct arc_cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct arc_cursor arc_cursor_of(struct arc_span s)
{
	return (struct arc_cursor){ .p = s.p, .left = s.n };
}

/* Copies n bytes out; on failure dst is zeroed and false returned. */
bool arc_cursor_take(struct arc_cursor *c, void *dst, size_t n);

/* A view of the next n bytes, NULL when there are fewer. */
const uint8_t *arc_cursor_view(struct arc_cursor *c, size_t n);

uint8_t arc_cursor_u8(struct arc_cursor *c);
uint16_t arc_cursor_u16(struct arc_cursor *c);
uint32_t arc_cursor_u32(struct arc_cursor *c);
uint64_t arc_cursor_u64(struct arc_cursor *c);

/*
 * Growing buffer. Zero-initialised is empty and valid. An append that fails
 * returns -ENOMEM and leaves the buffer as it was.
 */
struct arc_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
};

void arc_buf_fini(struct arc_buf *b);
int arc_buf_reserve(struct arc_buf *b, size_t more);
int arc_buf_append(struct arc_buf *b, const void *bytes, size_t n);
int arc_buf_fill(struct arc_buf *b, uint8_t value, size_t n);

/* n bytes as lower-case hex and a NUL: 2 * n + 1 bytes in ret. */
void arc_hex(const uint8_t *bytes, size_t n, char *ret);

#endif
