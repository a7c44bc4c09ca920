/* SPDX-License-Identifier: MIT */
#include "bytes.h"

/* The smallest capacity a buffer starts with. */
#define BUF_START ((size_t)256)

/* NULL when there are fewer than n bytes left, or were before. */
static const uint8_t *advance(struct arc_cursor *c, size_t n)
{
	/* A view of nothing is no failure, also of an empty span at NULL. */
	static const uint8_t nothing[1];
	const uint8_t *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		c->left = 0;
		return NULL;
	}
	if (n == 0)
		return p ? p : nothing;
	c->p += n;
	c->left -= n;
	return p;
}

bool arc_cursor_take(struct arc_cursor *c, void *dst, size_t n)
{
	const uint8_t *p = advance(c, n);

	if (n == 0)
		return p != NULL;
	if (!p) {
		memset(dst, 0, n);
		return false;
	}
	memcpy(dst, p, n);
	return true;
}

const uint8_t *arc_cursor_view(struct arc_cursor *c, size_t n)
{
	return advance(c, n);
}

uint8_t arc_cursor_u8(struct arc_cursor *c)
{
	const uint8_t *p = advance(c, 1);

	return p ? *p : 0;
}

uint16_t arc_cursor_u16(struct arc_cursor *c)
{
	struct arc_le16 v;

	arc_cursor_take(c, &v, sizeof(v));
	return arc_get16(v);
}

uint32_t arc_cursor_u32(struct arc_cursor *c)
{
	struct arc_le32 v;

	arc_cursor_take(c, &v, sizeof(v));
	return arc_get32(v);
}

uint64_t arc_cursor_u64(struct arc_cursor *c)
{
	struct arc_le64 v;

	arc_cursor_take(c, &v, sizeof(v));
	return arc_get64(v);
}

void arc_buf_fini(struct arc_buf *b)
{
	free(b->p);
	*b = (struct arc_buf){ 0 };
}

int arc_buf_reserve(struct arc_buf *b, size_t more)
{
	size_t need;
	size_t cap;
	uint8_t *p;

	/* No object may be larger than half the address space. */
	if (!arc_add_ok(b->n, more, &need) || need > PTRDIFF_MAX)
		return -ENOMEM;
	if (need <= b->cap)
		return 0;
	/* Half as much again keeps the cost of n appends linear. */
	cap = ARC_MIN(b->cap + b->cap / 2, (size_t)PTRDIFF_MAX);
	cap = ARC_MAX(cap, ARC_MAX(need, BUF_START));
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

int arc_buf_append(struct arc_buf *b, const void *bytes, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	err = arc_buf_reserve(b, n);
	if (err < 0)
		return err;
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
	return 0;
}

int arc_buf_fill(struct arc_buf *b, uint8_t value, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	err = arc_buf_reserve(b, n);
	if (err < 0)
		return err;
	memset(b->p + b->n, value, n);
	b->n += n;
	return 0;
}

void arc_hex(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[bytes[i] >> 4];
		*ret++ = digits[bytes[i] & 15];
	}
	*ret = '\0';
}
