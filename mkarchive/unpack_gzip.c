/* SPDX-License-Identifier: MIT */
/*
 * libarchive does not compare gzip's checksum, so damage in a .tar.gz would go
 * by unseen: this is inflated here (RFC 1952), through all members there are,
 * to the last one's end.
 */
#include <string.h>
#include <zlib.h>

#include "unpack_i.h"

#define BLOCK ((size_t)256 << 10)

#define GZIP_ONLY (16 + MAX_WBITS)

struct mk_gunzip {
	z_stream z;
	uint8_t *out; /* BLOCK bytes */
	bool within; /* a member */
	bool behind; /* what is no member */
	bool ended;
};

bool mk_gunzip_is_gzip(const uint8_t *p, size_t n)
{
	return n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8;
}

int mk_gunzip_new(struct mk_gunzip **ret)
{
	struct mk_gunzip *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->out = malloc(BLOCK);
	if (!g->out || inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g->out);
		free(g);
		return -ENOMEM;
	}
	g->within = true;
	*ret = g;
	return 0;
}

void mk_gunzip_free(struct mk_gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g->out);
	free(g);
}

bool mk_gunzip_wants(const struct mk_gunzip *g)
{
	return !g->ended && !g->z.avail_in;
}

void mk_gunzip_put(struct mk_gunzip *g, const uint8_t *p, size_t n)
{
	g->z.next_in = (z_const Bytef *)(uintptr_t)p;
	g->z.avail_in = g->behind ? 0 : (uInt)n;
	/* No more: fine between members, and else the end is missing. */
	if (n == 0)
		g->ended = true;
}

/* Behind a member stands another, or something that gzip leaves alone. */
static void next_member(struct mk_gunzip *g)
{
	g->within = g->z.next_in[0] == 0x1f;
	if (g->within)
		inflateReset(&g->z);
	else
		g->z.avail_in = 0;
	g->behind = !g->within;
}

int mk_gunzip_get(struct mk_gunzip *g, const void **ret, size_t *ret_n)
{
	int status = Z_OK;

	g->z.next_out = g->out;
	g->z.avail_out = BLOCK;
	while (g->z.avail_in > 0 && g->z.avail_out > 0) {
		if (!g->within)
			next_member(g);
		if (!g->within)
			break;
		status = inflate(&g->z, Z_NO_FLUSH);
		if (status == Z_STREAM_END)
			g->within = false;
		else if (status != Z_OK && status != Z_BUF_ERROR)
			return status == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	}
	*ret = g->out;
	*ret_n = BLOCK - g->z.avail_out;
	if (*ret_n == 0 && g->ended && g->within)
		return -ENODATA;
	return 0;
}
