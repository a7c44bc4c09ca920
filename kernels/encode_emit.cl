/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, the streams of segments, as lzext3_write.c makes them. Coded bytes
 * of all segments follow each other without gaps, so that nothing else need be
 * copied back.
 *
 * A work-group writes a segment, in batches of one token for each work-item:
 * where its items go are sums over the tokens before. Short runs of literals
 * are copied by the token's work-item, long ones by all.
 *
 * Given when this is built: EMIT_ITEMS work-items (a power of two).
 */
#define ALONE 32 /* literals that a work-item copies by itself */

/* Sums over tokens: x, items of LO, HI, X8 and X16, a byte for each; y,
 * literals; z, bytes with literals. */
typedef uint4 sums;

/* Next items of the streams, in `out`. */
struct tips {
	global uchar *out;
	uint lo, x16, tok, hi, x8, lit;
};

struct token {
	uint lit, len, dist;
	uint k; /* bytes of the distance */
};

/* Literals that all work-items copy. */
struct run {
	uint from, to, n;
};

struct room {
	sums sums[2][EMIT_ITEMS];
	struct run run[EMIT_ITEMS];
	uint runs;
};

inline struct token load_token(global const uint *match, uint i)
{
	uint last = i > 0 ? match[2 * i - 1] : 0;
	struct token t;

	t.lit = match[2 * i] & 0xffff;
	t.len = (match[2 * i] >> 16) + LZX_MIN_MATCH;
	t.dist = match[2 * i + 1];
	t.k = t.dist == last ? 0 : dist_bytes(t.dist);
	return t;
}

inline sums sums_of(const struct token *t)
{
	uint lit = more_bytes(t->lit, LZX_LIT_MORE);
	uint len = len_bytes(t->len);
	uint items = t->k >> 1 | (t->k & 1) << 8;

	/* an extension takes nothing, an item of X8, or that and one of X16 */
	items |= ((lit & 1) + (len & 1)) << 16;
	items |= ((lit >> 1) + (len >> 1)) << 24;
	return (sums)(items, t->lit, t->lit + t->len, 0);
}

/* Sums up to each work-item, its own included. */
inline sums add_up(local struct room *room, sums own)
{
	uint l = get_local_id(0), from = 0;

	room->sums[0][l] = own;
	for (uint step = 1; step < EMIT_ITEMS; step *= 2) {
		barrier(CLK_LOCAL_MEM_FENCE);
		if (l >= step)
			own += room->sums[from][l - step];
		from ^= 1;
		room->sums[from][l] = own;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	return own;
}

/* What all work-items together add. */
inline sums sum_of_all(local const struct room *room)
{
	uint from = 0;

	for (uint step = 1; step < EMIT_ITEMS; step *= 2)
		from ^= 1;
	return room->sums[from][EMIT_ITEMS - 1];
}

inline void put16(global uchar *to, uint v)
{
	to[0] = (uchar)v;
	to[1] = (uchar)(v >> 8);
}

inline void advance(struct tips *t, sums s)
{
	t->lo += (s.x & 0xff) * 2;
	t->hi += s.x >> 8 & 0xff;
	t->x8 += s.x >> 16 & 0xff;
	t->x16 += (s.x >> 24) * 2;
	t->lit += s.y;
}

/* The extension of a length that begins to have one at `more`. */
inline void put_more(struct tips *t, uint n, uint more)
{
	if (n < more)
		return;
	t->out[t->x8++] = (uchar)min(n - more, (uint)LZX_X8_MORE);
	if (n - more < LZX_X8_MORE)
		return;
	put16(t->out + t->x16, n - more - LZX_X8_MORE);
	t->x16 += 2;
}

inline void put_token(struct tips t, const struct token *m, uint i)
{
	uint lit = min(m->lit, (uint)LZX_LIT_MORE);
	uint len = min(m->len - LZX_MIN_MATCH, (uint)LZX_LEN_MORE);

	t.out[t.tok + i] =
		(uchar)(lit << LZX_LIT_SHIFT | m->k << LZX_DIST_SHIFT | len);
	if (m->k >= 2)
		put16(t.out + t.lo, m->dist);
	if (m->k & 1)
		t.out[t.hi] = (uchar)(m->dist >> (m->k & 2) * 8);
	put_more(&t, m->lit, LZX_LIT_MORE);
	put_more(&t, m->len, LZX_MIN_MATCH + LZX_LEN_MORE);
}

inline void copy(global uchar *to, global const uchar *from, uint n, uint first,
		 uint step)
{
	for (uint i = first; i < n; i += step)
		to[i] = from[i];
}

/* In what order they are is of no matter. */
inline void add_run(local struct room *room, uint from, uint to, uint n)
{
	uint i = atomic_inc(&room->runs);

	room->run[i].from = from;
	room->run[i].to = to;
	room->run[i].n = n;
}

/* One batch: tokens from `first` on, up to n. raw: where the literals of the
 * first one are. Returns the bytes of the segment that are done by it. */
inline uint put_batch(struct tips *tips, global const uint *match,
		      global const uchar *raw, uint first, uint n,
		      local struct room *room)
{
	uint i = first + get_local_id(0);
	struct token m = { 0 };
	sums own = 0, before, all;
	struct tips t = *tips;

	if (i < n) {
		m = load_token(match, i);
		own = sums_of(&m);
	}
	if (get_local_id(0) == 0)
		room->runs = 0;
	before = add_up(room, own) - own;
	all = sum_of_all(room);
	advance(&t, before);
	if (i < n)
		put_token(t, &m, i);
	if (m.lit > ALONE)
		add_run(room, before.z, t.lit, m.lit);
	else
		copy(t.out + t.lit, raw + before.z, m.lit, 0, 1);
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint k = 0; k < room->runs; k++) {
		local const struct run *r = &room->run[k];

		copy(t.out + r->to, raw + r->from, r->n, get_local_id(0),
		     EMIT_ITEMS);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	advance(tips, all);
	return all.z;
}

/* Says where the coded bytes of each segment begin. One work-group. */
kernel void encode_place(global uint *result, uint segments)
{
	local struct room room;
	uint each = (segments + EMIT_ITEMS - 1) / EMIT_ITEMS;
	uint first = min((uint)get_local_id(0) * each, segments);
	uint end = min(first + each, segments);
	sums own = 0, before;
	uint at;

	for (uint s = first; s < end; s++)
		own.z += result[s * ENC_RESULTS + ENC_SIZE];
	before = add_up(&room, own) - own;
	at = before.z;
	for (uint s = first; s < end; s++) {
		result[s * ENC_RESULTS + ENC_AT] = at;
		at += result[s * ENC_RESULTS + ENC_SIZE];
	}
	if (get_local_id(0) == EMIT_ITEMS - 1)
		result[segments * ENC_RESULTS + ENC_AT] = at;
}

/* Writes the streams of the matches that encode_walk has left in way. */
kernel void encode_emit(global const uchar *raw, global const uint *segment,
			global const uint *way, global const uint *result,
			global uchar *out)
{
	local struct room room;
	uint l = get_local_id(0);
	size_t at;
	uint n, rest, done = 0;
	struct tips t;

	segment += get_group_id(0) * ENC_WORDS;
	result += get_group_id(0) * ENC_RESULTS;
	if (result[ENC_SIZE] == 0)
		return;
	n = result[ENC_TOKENS];
	at = ((size_t)segment[ENC_FIRST] << LZX_SEGMENT_LOG) + segment[ENC_OFF];
	t.out = out + result[ENC_AT];
	t.lo = 0;
	t.x16 = 2 * result[ENC_LO];
	t.tok = t.x16 + 2 * result[ENC_X16];
	t.hi = t.tok + n;
	t.x8 = t.hi + result[ENC_HI];
	t.lit = t.x8 + result[ENC_X8];
	for (uint i = 0; i < n; i += EMIT_ITEMS)
		done += put_batch(&t, way + at, raw + at + done, i, n, &room);
	rest = segment[ENC_BYTES] - done;
	copy(t.out + t.lit, raw + at + done, rest, l, EMIT_ITEMS);
	if (l == 0 && t.lit + rest < result[ENC_SIZE])
		t.out[t.lit + rest] = 0;
}
