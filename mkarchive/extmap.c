/* SPDX-License-Identifier: MIT */
#include "extmap.h"

#include <assert.h>

#include "format.h"

static uint64_t end_of(const struct mk_extent *x)
{
	return x->file + x->len;
}

struct mk_extent mk_extmap_piece(struct mk_extmap *m, uint64_t off,
				 uint64_t end)
{
	struct mk_extent piece = { .file = off,
				   .len = end - off,
				   .stream = ARC_STREAM_ZERO };
	const struct mk_extent *x;

	assert(off < end);
	while (m->next < m->count && end_of(&m->extent[m->next]) <= off)
		m->next++;
	if (m->next == m->count)
		return piece;
	x = &m->extent[m->next];
	if (off < x->file) {
		piece.len = ARC_MIN(end, x->file) - off;
		return piece;
	}
	piece.len = ARC_MIN(end, end_of(x)) - off;
	if (x->stream != ARC_STREAM_ZERO)
		piece.stream = x->stream + (off - x->file);
	return piece;
}
