/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, decoding. A work-group takes the segments of a chain, one after the
 * other; chains of one launch need nothing of each other. A segment is decoded
 * in batches of TOKENS tokens by ITEMS work-items; ITEMS and LOG_TOKENS are
 * given when this is built:
 *
 *  1. Each work-item has EACH tokens. Where their items stand in LO, HI, X8
 *     and LIT, and their bytes in the output, are sums over the tokens before;
 *     which distance K = 0 repeats is one, too: distances that are stored are
 *     put into a list, and the number of those so far says which was the last.
 *  2. A table in local memory says for each token where its bytes begin, where
 *     among them its match does, and where both come from. All that the format
 *     forbids has been asked when it stands. Whose a byte is, is asked so
 *     often that the answer is noted for every so many bytes: a search by
 *     halves took a third of the time.
 *  3. The output is shared out in aligned words of eight bytes, neighbours to
 *     neighbours, so that a warp stores 256 bytes in one go. A word is put
 *     together from pieces: the rest of a literal run or of a match. A piece
 *     whose source lies in the batch's own output is traced back through the
 *     table, from match to match, until it comes from a literal or from before
 *     the batch. Each step leads strictly to the front, so it ends, and no
 *     work-item ever waits for a byte of another one; one barrier ends a batch.
 *     Before, matches of matches have been made matches of what those copied.
 *
 * Tokens are work for lanes by themselves only in 1 and 2; in 3 they are not,
 * for their lengths differ by orders of magnitude, while all words cost about
 * the same. What is waited for is memory: tokens are loaded a batch ahead, and
 * everything else of a batch by all work-items at once.
 *
 * Nothing outside the segment is written, and nothing read that the host has
 * not passed: stored bytes are bounded by the counts of the entry, which the
 * host has checked against their size, and sources by DEC_LOW and DEC_USABLE.
 */
#define TOKENS (1 << LOG_TOKENS)
#define EACH ((TOKENS + ITEMS - 1) / ITEMS)

#define FLAG_X16 1U
#define FLAG_BAD 2U

struct batch {
	/* Of token i: its bytes are those at start[i]..start[i + 1], match[i]
   * is where its literals end. */
	uint start[TOKENS + 2];
	uint match[TOKENS + 1];
	uint lit[TOKENS + 1]; /* add a position to find its literal */
	uint dist[TOKENS + 1];
	uint known[TOKENS + 1]; /* distances that are stored; first the last
                           * one of the batch before */
	uchar hint[TOKENS]; /* the token at every 1 << hint_log bytes */
	uint2 sums[2][ITEMS];
	uint flags;
};

/* How far we are: the same in all work-items. */
struct cursor {
	global const uchar *src;
	/* next of each stream and behind its last, in bytes of src */
	uint lo, x16, tok, hi, x8, lit;
	uint lo_end, x16_end, tok_end, hi_end, x8_end, lit_end;
	uint at, end; /* positions in the output */
};

/* ---- what tokens are ----------------------------------------------------- */

static inline uint lit_of(uint token)
{
	return token >> LZX_LIT_SHIFT;
}

static inline uint k_of(uint token)
{
	return token >> LZX_DIST_SHIFT & LZX_DIST_MASK;
}

static inline uint len_of(uint token)
{
	return token & LZX_LEN_MASK;
}

/* The token takes X16, once its X8 is in. */
static inline uint wants_x16(uint length, uint more)
{
	return length == more + LZX_X8_MORE;
}

static inline uint load16(global const uchar *src, uint at)
{
	return *(global const ushort *)(src + at);
}

/*
 * The sums over the work-items before this one; *all: over all. Between two
 * calls there must be a barrier.
 */
static inline uint2 sums_before(local struct batch *b, uint2 mine, uint2 *all)
{
	const uint me = get_local_id(0);
	uint2 sum = mine;
	uint from = 0;

	b->sums[0][me] = sum;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint step = 1; step < ITEMS; step *= 2) {
		if (me >= step)
			sum += b->sums[from][me - step];
		from ^= 1;
		b->sums[from][me] = sum;
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	*all = b->sums[from][ITEMS - 1];
	return sum - mine;
}

/* This work-item's tokens of the next batch; 0 where there is none. */
static inline void load_tokens(const struct cursor *c, uchar *token)
{
	const uint first = get_local_id(0) * EACH;

	for (uint k = 0; k < EACH; k++) {
		uint i = first + k;

		token[k] = i < TOKENS && c->tok + i < c->tok_end
				   ? c->src[c->tok + i]
				   : 0;
	}
}

/* ---- 1: lengths and distances -------------------------------------------- */

/* A batch's tokens, as far as they are this work-item's. */
struct tokens {
	uint n; /* of all work-items */
	uint stored; /* distances, likewise */
	uchar token[EACH];
	uint lit[EACH];
	uint len[EACH]; /* of the match; 0 where there is no token */
	uint rank[EACH]; /* of its distance in the list */
};

/* What they have in LO, HI and X8, each at a place of its own. */
struct items {
	uint lit[EACH], len[EACH]; /* X8 */
	uint lo[EACH], hi[EACH];
};

/* How many this work-item's tokens take. x: LO below HI; y: X8 below distances
 * that are stored. */
static inline uint2 count_items(const struct tokens *t)
{
	uint x = 0, y = 0;

	for (uint k = 0; k < EACH; k++) {
		uint token = t->token[k];
		uint kind = k_of(token);

		x += kind >> 1 | (kind & 1) << 16;
		y += lit_of(token) == LZX_LIT_MORE;
		y += len_of(token) == LZX_LEN_MORE;
		y += kind != 0 ? 1U << 16 : 0;
	}
	return (uint2)(x, y);
}

/* From lo, hi and x8 on. A token that takes nothing gets the first byte, so
 * that nothing is asked between the loads and all of them are under way before
 * any is waited for. */
static inline void load_items(const struct tokens *t, global const uchar *src,
			      uint lo, uint hi, uint x8, struct items *ret)
{
	for (uint k = 0; k < EACH; k++) {
		uint token = t->token[k];
		uint kind = k_of(token);
		uint more_lit = lit_of(token) == LZX_LIT_MORE;
		uint more_len = len_of(token) == LZX_LEN_MORE;

		ret->lit[k] = src[more_lit ? x8 : 0];
		x8 += more_lit;
		ret->len[k] = src[more_len ? x8 : 0];
		x8 += more_len;
		ret->lo[k] = load16(src, kind & 2 ? lo : 0);
		lo += kind & 2;
		ret->hi[k] = src[kind & 1 ? hi : 0];
		hi += kind & 1;
	}
}

/* Puts tokens and items together; the distances that are stored go behind the
 * first `rank` ones of the list. Returns FLAG_X16 if X16 is needed. */
static inline uint join_items(local struct batch *b, struct tokens *t,
			      const struct items *x, uint rank)
{
	const uint first = get_local_id(0) * EACH;
	uint flags = 0;

	for (uint k = 0; k < EACH; k++) {
		uint token = t->token[k];
		uint kind = k_of(token);
		uint dist;

		t->lit[k] = lit_of(token);
		if (t->lit[k] == LZX_LIT_MORE)
			t->lit[k] += x->lit[k];
		t->len[k] = len_of(token);
		if (t->len[k] == LZX_LEN_MORE)
			t->len[k] += x->len[k];
		if (wants_x16(t->lit[k], LZX_LIT_MORE) ||
		    wants_x16(t->len[k], LZX_LEN_MORE))
			flags = FLAG_X16;
		/* HI is above LO, if there is LO */
		dist = kind & 2 ? x->lo[k] : 0;
		dist |= (kind & 1 ? x->hi[k] : 0) << (kind & 2) * 8;
		if (kind != 0)
			b->known[++rank] = dist;
		t->rank[k] = rank;
		t->len[k] += first + k < t->n ? LZX_MIN_MATCH : 0;
	}
	return flags;
}

/* As if there were none. */
static inline void drop_tokens(struct tokens *t)
{
	for (uint k = 0; k < EACH; k++)
		t->lit[k] = t->len[k] = t->rank[k] = 0;
}

/*
 * Takes LO, HI and X8. The number of items that all tokens want is known before
 * any is loaded, so that nothing is read behind the end of a stream; whether
 * there are enough is the same question for all work-items.
 */
static inline bool take_items(local struct batch *b, struct cursor *c,
			      struct tokens *t)
{
	struct items x;
	uint2 all;
	uint2 at = sums_before(b, count_items(t), &all);
	uint lo = c->lo + 2 * (at.x & 0xffff);
	uint hi = c->hi + (at.x >> 16);
	uint x8 = c->x8 + (at.y & 0xffff);
	uint flags = 0;
	bool good;

	c->lo += 2 * (all.x & 0xffff);
	c->hi += all.x >> 16;
	c->x8 += all.y & 0xffff;
	t->stored = all.y >> 16;
	good = c->lo <= c->lo_end && c->hi <= c->hi_end && c->x8 <= c->x8_end;
	if (good) {
		load_items(t, c->src, lo, hi, x8, &x);
		flags = join_items(b, t, &x, at.y >> 16);
	} else {
		drop_tokens(t);
	}
	if (flags)
		atomic_or(&b->flags, flags);
	barrier(CLK_LOCAL_MEM_FENCE);
	return good;
}

/* Adds what X16 has: rarely anything, so that it is asked for only then. */
static inline bool take_x16(local struct batch *b, struct cursor *c,
			    struct tokens *t)
{
	uint2 mine = 0, all;
	uint at;

	for (uint k = 0; k < EACH; k++)
		mine.x += wants_x16(t->lit[k], LZX_LIT_MORE) +
			  wants_x16(t->len[k], LZX_MIN_MATCH + LZX_LEN_MORE);
	at = c->x16 + 2 * sums_before(b, mine, &all).x;
	c->x16 += 2 * all.x;
	if (c->x16 > c->x16_end)
		drop_tokens(t);
	for (uint k = 0; k < EACH; k++) {
		if (wants_x16(t->lit[k], LZX_LIT_MORE)) {
			t->lit[k] += load16(c->src, at);
			at += 2;
		}
		if (wants_x16(t->len[k], LZX_MIN_MATCH + LZX_LEN_MORE)) {
			t->len[k] += load16(c->src, at);
			at += 2;
		}
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	return c->x16 <= c->x16_end;
}

/* ---- 2: the table -------------------------------------------------------- */

/* Whether len bytes may be copied to `to` from dist before it: from the usable
 * part of the group that reaches up to the segment; else from other usable
 * segments, of which only those of the group follow each other. */
static inline bool may_copy(global const uint *seg, uint low, uint to, uint len,
			    uint dist)
{
	uint own = seg[DEC_SEGMENT];
	uint at, last;

	if (dist - 1 < to - low)
		return true;
	if (dist > to)
		return false;
	at = to - dist;
	last = (at + len - 1) >> LZX_SEGMENT_LOG;
	for (uint s = at >> LZX_SEGMENT_LOG; s <= last; s++) {
		if (s >= own || !(seg[DEC_USABLE + s / 32] >> (s % 32) & 1))
			return false;
		if (s != last && s < seg[DEC_GROUP])
			return false;
	}
	return true;
}

/* So that n bytes have at most TOKENS hints, and half as many or more: about
 * one for a token. */
static inline uint hint_log(uint n)
{
	return max(32 - clz(n), (uint)LOG_TOKENS) - LOG_TOKENS;
}

/* Notes token i where it has the byte of a hint; positions count from the
 * batch's first byte. */
static inline void put_hints(local struct batch *b, uint i, uint start,
			     uint end, uint shift)
{
	uint step = 1U << shift;

	for (uint at = (start + step - 1) >> shift; (at << shift) < end; at++)
		b->hint[at] = (uchar)i;
}

/* Lengths never get less, so the last token has passed an end when any has. */
static inline uint make_table(local struct batch *b, struct cursor *c,
			      const struct tokens *t, global const uint *seg)
{
	const uint first = get_local_id(0) * EACH;
	const uint low = seg[DEC_LOW];
	const uint from = c->at;
	uint2 mine = 0, all, at;
	bool fits = true, bad = false;
	uint shift;

	for (uint k = 0; k < EACH; k++)
		mine += (uint2)(t->lit[k], t->lit[k] + t->len[k]);
	at = sums_before(b, mine, &all) + (uint2)(c->lit, c->at);
	if (all.x > c->lit_end - c->lit || all.y > c->end - c->at) {
		fits = false;
		all = 0;
	}
	shift = hint_log(all.y);
	for (uint k = 0; k < EACH; k++) {
		uint match = at.y + t->lit[k];
		uint end = match + t->len[k];
		uint dist = b->known[t->rank[k]];

		if (fits && t->len[k] > 0) {
			b->start[first + k] = at.y;
			b->match[first + k] = match;
			b->lit[first + k] = at.x - at.y;
			b->dist[first + k] = dist;
			put_hints(b, first + k, at.y - from, end - from, shift);
			bad |= !may_copy(seg, low, match, t->len[k], dist);
		}
		at += (uint2)(t->lit[k], end - at.y);
	}
	if (bad)
		atomic_or(&b->flags, FLAG_BAD);
	c->lit += all.x;
	c->at += all.y;
	if (get_local_id(0) == 0)
		b->start[t->n] = c->at;
	barrier(CLK_LOCAL_MEM_FENCE);
	if (!fits)
		return DEC_BAD_LENGTHS;
	return b->flags & FLAG_BAD ? DEC_BAD_DISTANCE : DEC_DONE;
}

/* The literals behind the last match are a token without one. */
static inline uint finish_table(local struct batch *b, struct cursor *c, uint n)
{
	uint rest = c->end - c->at;
	uint left = c->lit_end - c->lit;

	if (c->lo != c->lo_end || c->hi != c->hi_end || c->x8 != c->x8_end ||
	    c->x16 != c->x16_end)
		return DEC_BAD_STREAMS;
	if (rest > left)
		return DEC_BAD_LENGTHS;
	/* one byte of zero may follow, where it makes the size even */
	left -= rest;
	if (left > 1 ||
	    (left == 1 && (c->lit_end % 2 != 0 || c->src[c->lit_end - 1] != 0)))
		return DEC_BAD_STREAMS;
	if (get_local_id(0) == 0) {
		b->match[n] = c->end;
		b->lit[n] = c->lit - c->at;
		b->start[n + 1] = c->end;
	}
	c->at = c->end;
	return DEC_DONE;
}

/* ---- 3: copying ---------------------------------------------------------- */

/* What of a batch is copied, and to where. */
struct batch_output {
	uint n; /* tokens of the batch */
	uint from; /* its first byte */
	uint end; /* behind its last match; then literals */
	uint shift; /* of its hints */
};

/* The token whose byte that is. Few are between a hint and the next one, but
 * where another token makes so many bytes that it does not matter. */
static inline uint find(local const struct batch *b,
			const struct batch_output *o, uint pos)
{
	uint i;

	if (pos >= o->end)
		return o->n;
	i = b->hint[(pos - o->from) >> o->shift];
	while (b->start[i + 1] <= pos)
		i++;
	return i;
}

/* Makes the distance of token i a longer one that means the same: where all of
 * its source is what another match has copied, it is copied from there. */
static inline void shorten_way(local struct batch *b,
			       const struct batch_output *o, uint i)
{
	uint dist = atomic_or(&b->dist[i], 0);
	uint source = b->match[i] - dist;
	uint n = b->start[i + 1] - b->match[i];
	uint other;

	if (dist < n || source < o->from)
		return;
	other = find(b, o, source);
	if (source >= b->match[other] && source + n <= b->start[other + 1])
		atomic_add(&b->dist[i], atomic_or(&b->dist[other], 0));
}

/*
 * Tables, say of structures, make chains of matches as long as the batch, which
 * each round halves: two are enough to copy relocations in half the time, while
 * text is no slower. Whether another match has been made shorter itself does
 * not matter, for both of its distances mean the same.
 */
static inline void shorten_ways(local struct batch *b,
				const struct batch_output *o)
{
	const uint first = get_local_id(0) * EACH;

	for (uint round = 0; round < 2; round++) {
		for (uint k = 0; k < EACH; k++) {
			if (first + k < o->n)
				shorten_way(b, o, first + k);
		}
	}
}

/* Where up to n bytes lie, as many as follow each other. */
struct piece {
	uint at; /* of the stored bytes or of the output */
	uint n;
	bool stored;
};

/* Of a position in token i's bytes. */
static inline void trace(local const struct batch *b,
			 const struct batch_output *o, uint i, uint pos, uint n,
			 struct piece *p)
{
	while (pos >= b->match[i]) {
		uint dist = b->dist[i];
		uint off = pos - b->match[i];

		n = min(n, b->start[i + 1] - pos);
		/* what overlaps repeats the `dist` bytes before the match */
		if (off >= dist)
			off %= dist;
		n = min(n, dist - off);
		pos = b->match[i] - dist + off;
		if (pos < o->from) {
			p->at = pos;
			p->n = min(n, o->from - pos);
			p->stored = false;
			return;
		}
		i = find(b, o, pos);
	}
	p->at = b->lit[i] + pos;
	p->n = min(n, b->match[i] - pos);
	p->stored = true;
}

static inline ulong low_bytes(ulong v, uint n)
{
	return v & ~0UL >> (64 - 8 * n);
}

/* n <= 8 bytes at p + at. Loads the aligned words that have some of them. */
static inline ulong load(global const uchar *p, uint at, uint n)
{
	global const ulong *word = (global const ulong *)p + at / 8;
	uint shift = at % 8 * 8;
	ulong v = word[0] >> shift;

	if (shift + 8 * n > 64)
		v |= word[1] << (64 - shift);
	return low_bytes(v, n);
}

/* Byte by byte: the words have bytes of this batch, too, which others may be
 * writing. */
static inline ulong load_bytes(global const uchar *p, uint at, uint n)
{
	ulong v = 0;

	for (uint i = 0; i < n; i++)
		v |= (ulong)p[at + i] << (8 * i);
	return v;
}

static inline ulong load_piece(const struct piece *p, global const uchar *src,
			       global const uchar *out, uint from)
{
	if (p->stored)
		return load(src, p->at, p->n);
	if (((p->at + p->n + 7) & ~7U) <= from)
		return load(out, p->at, p->n);
	return load_bytes(out, p->at, p->n);
}

/* The bytes [at, end) of the aligned word they lie in. */
static inline void store(global uchar *out, uint at, uint end, ulong v)
{
	if (end - at == 8) {
		*(global ulong *)(out + at) = v;
		return;
	}
	for (; at < end; at++)
		out[at] = (uchar)(v >> (at % 8 * 8));
}

/* Puts the bytes [at, end) of a word together. */
static inline ulong gather(local const struct batch *b,
			   const struct batch_output *o, uint at, uint end,
			   global const uchar *src, global const uchar *out)
{
	uint i = find(b, o, at);
	uint run = max(at, b->match[i]); /* of a match in this word */
	ulong word = 0;

	while (at < end) {
		uint some;
		ulong v;

		if (at > run && at - run >= b->dist[i]) {
			/* the word has a whole period already */
			some = at - run;
			some -= some % b->dist[i];
			v = word >> ((at - some) % 8 * 8);
			some = min(some, min(end, b->start[i + 1]) - at);
			v = low_bytes(v, some);
		} else {
			struct piece p;

			trace(b, o, i, at, end - at, &p);
			v = load_piece(&p, src, out, o->from);
			some = p.n;
		}
		word |= v << (at % 8 * 8);
		at += some;
		if (at < end && b->start[i + 1] <= at) {
			i++;
			run = max(at, b->match[i]);
		}
	}
	return word;
}

/* The output up to `to`. */
static inline void copy(local const struct batch *b,
			const struct batch_output *o, uint to,
			global const uchar *src, global uchar *out)
{
	for (uint word = o->from / 8 + get_local_id(0); word * 8 < to;
	     word += ITEMS) {
		uint at = max(word * 8, o->from);
		uint end = min(word * 8 + 8, to);

		store(out, at, end, gather(b, o, at, end, src, out));
	}
}

/* ---- a segment ----------------------------------------------------------- */

static inline void begin(struct cursor *c, global const uint *seg,
			 global const uchar *payload)
{
	const size_t at = (size_t)seg[DEC_SRC] * DEC_UNIT;

	/* from the aligned word on in which it begins, for load() */
	c->src = payload + (at & ~(size_t)7);
	c->lo = at & 7;
	c->lo_end = c->x16 = c->lo + 2 * seg[DEC_LO];
	c->x16_end = c->tok = c->x16 + 2 * seg[DEC_X16];
	c->tok_end = c->hi = c->tok + seg[DEC_TOKENS];
	c->hi_end = c->x8 = c->hi + seg[DEC_HI];
	c->x8_end = c->lit = c->x8 + seg[DEC_X8];
	c->lit_end = c->lo + seg[DEC_STORED];
	c->at = seg[DEC_SEGMENT] << LZX_SEGMENT_LOG;
	c->end = c->at + seg[DEC_RAW];
}

/* Returns what has become of it, the same in all work-items. Whatever is wrong,
 * the way through a batch and its barriers stays the same: compilers for CPUs
 * cannot do with less. */
static inline uint decode_coded(local struct batch *b, global const uint *seg,
				global const uchar *payload, global uchar *out)
{
	struct cursor c;
	struct tokens t;
	uint status;
	bool last;

	begin(&c, seg, payload);
	if (get_local_id(0) == 0)
		b->known[0] = 0;
	load_tokens(&c, t.token);
	do {
		struct batch_output o = { .from = c.at };
		bool good;

		t.n = min(c.tok_end - c.tok, (uint)TOKENS);
		c.tok += t.n;
		last = c.tok == c.tok_end;
		if (get_local_id(0) == 0)
			b->flags = 0;
		good = take_items(b, &c, &t);
		if (b->flags & FLAG_X16)
			good = take_x16(b, &c, &t);
		status = make_table(b, &c, &t, seg);
		if (!good)
			status = DEC_BAD_STREAMS;
		o.n = t.n;
		o.end = c.at;
		o.shift = hint_log(o.end - o.from);
		if (status == DEC_DONE && last)
			status = finish_table(b, &c, t.n);
		if (status == DEC_DONE) {
			if (get_local_id(0) == 0)
				b->known[0] = b->known[t.stored];
			load_tokens(&c, t.token);
			shorten_ways(b, &o);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (status == DEC_DONE)
			copy(b, &o, c.at, c.src, out);
		barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	} while (!last && status == DEC_DONE);
	return status;
}

static inline void fill(global const uint *seg, global uchar *out)
{
	uint from = seg[DEC_SEGMENT] << LZX_SEGMENT_LOG;
	uint to = from + seg[DEC_RAW];
	ulong v = seg[DEC_FILL] * 0x0101010101010101UL;

	for (uint at = from + 8 * get_local_id(0); at < to; at += 8 * ITEMS)
		store(out, at, min(at + 8, to), v);
}

/*
 * One work-group for each of the chains from first_chain on; chain i is
 * chains[i].y segments from number chains[i].x on. A segment that is bad is
 * said to be so, and the next one decoded: nobody but the host, which compares
 * checksums, can say whether it has been harmed.
 */
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
decode(global const uchar *restrict payload,
       global const uint *restrict segments,
       global const uint2 *restrict chains, uint first_chain,
       global uchar *output, global uint *status)
{
	local struct batch b;
	uint2 chain = chains[first_chain + get_group_id(0)];

	for (uint i = chain.x; i < chain.x + chain.y; i++) {
		global const uint *seg = segments + (size_t)i * DEC_WORDS;
		global uchar *out =
			output + ((size_t)seg[DEC_FRAME] << LZX_SEGMENT_LOG);
		uint done = DEC_DONE;

		if (seg[DEC_FILL] == DEC_NO_FILL)
			done = decode_coded(&b, seg, payload, out);
		else
			fill(seg, out);
		if (get_local_id(0) == 0)
			status[seg[DEC_FRAME] + seg[DEC_SEGMENT]] = done;
		barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	}
}
