/* SPDX-License-Identifier: MIT */
/*
 * lzext3_expand - puts tokens together with what belongs to them in LO, HI and
 * X8. Where each one's items stand is the sum of what the tokens before took;
 * with SSSE3 that is done for eight tokens at a time: a table says, for each
 * pattern of those that take an item, how to spread the next items over them.
 *
 * Threads: pure.
 */
#ifndef ARC_LZEXT3_EXPAND_H
#define ARC_LZEXT3_EXPAND_H

#include "lzext3_i.h"

#define LZX_BATCH 64 /* tokens; a multiple of 8 */

struct lzx_streams {
	const uint8_t *tok;
	const uint8_t *lo, *lo_end;
	const uint8_t *hi, *hi_end;
	const uint8_t *x8, *x8_end;
};

struct lzx_batch {
	/* literals | length of the match << 16, without what X16 adds */
	uint32_t length[LZX_BATCH];
	uint32_t dist[LZX_BATCH]; /* 0: the last one again */
};

static inline uint32_t lzx_load16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline bool lzx_streams_done(const struct lzx_streams *s)
{
	return s->lo == s->lo_end && s->hi == s->hi_end && s->x8 == s->x8_end;
}

/*
 * Takes n <= LZX_BATCH tokens. May read up to ARC_DECODE_SLACK bytes behind the
 * ends of streams. -EBADMSG when a stream has not enough, or a distance is 0.
 */
int lzx_expand(struct lzx_streams *s, size_t n, struct lzx_batch *b);

/* The same for any processor; lzx_expand() chooses. */
int lzx_expand_portable(struct lzx_streams *s, size_t n, struct lzx_batch *b);

#endif
