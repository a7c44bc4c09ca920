/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, from the match at each position to the matches of a segment: see
 * lzext3_parallel_ways.c, which is the law. Both kernels are chains of steps of
 * which each needs the one before; a device is kept busy by the number of
 * chains.
 *
 * The ways are found in place, from the end of each chunk to its begin, one
 * work-item for each. Four positions are loaded and stored at once: the
 * work-items of a warp are 16 KiB apart, and each would otherwise move a whole
 * sector of memory for each word. The prices of the next 64 positions, all that
 * can be reached, stand in local memory, in a ring whose items lie beside those
 * of the other work-items.
 *
 * Walking goes by tokens and literals, one work-item for each segment. Matches
 * are written over the ways: a match of two words has left four words or more
 * behind it.
 *
 * Given when this is built: WAYS_ITEMS work-items of encode_ways.
 */
#define CHUNKS (LZX_SEGMENT / LZP_CHUNK) /* of a segment */
#define LEN_LIT_MORE (LZX_LIT_MORE + LZX_X8_MORE)

/* ---- ways ---------------------------------------------------------------- */

/* What is behind a position, on the cheapest way from there. */
struct way {
	local ushort *ring; /* of prices */
	uint run;
	uint dist;
	uint agree;
	bool joined;
};

struct step {
	uint price;
	uint match;
};

static local ushort *price_at(const struct way *w, uint at)
{
	return &w->ring[(at & (LZP_LEN_MAX - 1)) * WAYS_ITEMS];
}

/* Weighs lengths of a match at `at`. */
static bool weigh(struct step *step, const struct way *w, uint at, uint len,
		  uint dist, uint bytes)
{
	uint least = max(len, (uint)(LZX_MIN_MATCH + LZP_CUTS - 1)) -
		     (LZP_CUTS - 1);
	bool better = false;

	for (; len >= least; len--) {
		uint all = LZP_TOKEN + (bytes + len_bytes(len)) * LZP_BYTE +
			   *price_at(w, at + len);

		if (all < step->price) {
			step->price = all;
			step->match = len << LZP_LEN_SHIFT | dist;
			better = true;
		}
	}
	return better;
}

static uint literal_price(uint run)
{
	return LZP_BYTE + (run == LZX_LIT_MORE ? LZP_BYTE : 0) +
	       (run == LEN_LIT_MORE ? 2 * LZP_BYTE : 0);
}

/* What to do at position `at` of the group, which begins at base; byte: what
 * stands there, found: the match. */
static uint step_to(struct way *w, global const uchar *base, uint at, uint byte,
		    uint found)
{
	uint dist = found & LZP_DIST_MASK;
	uint bytes = dist_bytes(w->dist);
	struct step step;

	step.price = *price_at(w, at + 1) + literal_price(++w->run);
	step.match = 0;
	if (w->dist == 0 || w->dist > at || byte != base[at - w->dist]) {
		w->agree = 0;
		w->joined = false;
	} else if (++w->agree >= LZX_MIN_MATCH) {
		if (!w->joined || w->agree > LZP_LEN_MAX)
			bytes = 0;
		if (weigh(&step, w, at, min(w->agree, (uint)LZP_LEN_MAX),
			  w->dist, bytes))
			w->joined = true;
	}
	if (found != 0 && weigh(&step, w, at, found >> LZP_LEN_SHIFT, dist,
				dist_bytes(dist))) {
		w->dist = dist;
		w->agree = found >> LZP_LEN_SHIFT;
		w->joined = true;
	}
	if (step.match != 0)
		w->run = 0;
	*price_at(w, at) = (ushort)step.price;
	return step.match;
}

/* Four positions, the last of them first; those from n on are not there. */
static uint4 step_four(struct way *w, global const uchar *base, uint at,
		       uint bytes, uint4 found, uint n)
{
	if (n > 3)
		found.s3 = step_to(w, base, at + 3, bytes >> 24, found.s3);
	if (n > 2)
		found.s2 = step_to(w, base, at + 2, bytes >> 16 & 0xff,
				   found.s2);
	if (n > 1)
		found.s1 = step_to(w, base, at + 1, bytes >> 8 & 0xff,
				   found.s1);
	found.s0 = step_to(w, base, at, bytes & 0xff, found.s0);
	return found;
}

/* In place of the match at each position, what to do there: a match, or 0 for a
 * literal. */
kernel void encode_ways(global const uchar *raw, global const uint *segment,
			uint segments, global uint4 *ways)
{
	local ushort ring[LZP_LEN_MAX * WAYS_ITEMS];
	uint s = get_global_id(0) / CHUNKS;
	uint begin = get_global_id(0) % CHUNKS * LZP_CHUNK;
	struct way w = { ring + get_local_id(0), 0, 0, 0, false };
	global const uchar *base;
	global uint4 *four;
	uint off, n;

	if (s >= segments || begin >= segment[s * ENC_WORDS + ENC_BYTES])
		return;
	segment += s * ENC_WORDS;
	off = segment[ENC_OFF] + begin;
	n = min(segment[ENC_BYTES] - begin, (uint)LZP_CHUNK);
	base = raw + ((size_t)segment[ENC_FIRST] << LZX_SEGMENT_LOG);
	four = ways +
	       (((size_t)segment[ENC_FIRST] << LZX_SEGMENT_LOG) + off) / 4;
	for (uint i = 0; i < LZP_LEN_MAX; i++)
		*price_at(&w, off + n + i) = (LZP_LEN_MAX - i) * LZP_BEHIND;
	for (uint i = (n + 3) / 4; i-- > 0;) {
		uint at = off + i * 4;

		four[i] = step_four(&w, base, at,
				    *(global const uint *)(base + at), four[i],
				    n - i * 4);
	}
}

/* ---- walk ---------------------------------------------------------------- */

/* The matches of a segment, on their way into memory. */
struct matches {
	global uint *to;
	uint n; /* with the one that follows, if there is any */
	uint lit, len, dist; /* the last one, which may grow */
	uint last; /* distance before it */
	uint lo, hi, x8, x16, lits; /* items of them all */
	uint at, earliest; /* where it begins; the earliest source of all */
};

/* Writes the last match. */
static void settle(struct matches *m)
{
	uint k = m->dist == m->last ? 0 : dist_bytes(m->dist);
	uint more = LZX_MIN_MATCH + LZX_LEN_MORE;

	if (m->n == 0)
		return;
	m->to[2 * m->n - 2] = m->lit | (m->len - LZX_MIN_MATCH) << 16;
	m->to[2 * m->n - 1] = m->dist;
	m->lo += k >> 1;
	m->hi += k & 1;
	m->x8 += (m->lit >= LZX_LIT_MORE) + (m->len >= more);
	m->x16 += (m->lit >= LEN_LIT_MORE) + (m->len >= more + LZX_X8_MORE);
	m->lits += m->lit;
	m->earliest = min(m->earliest, m->at - m->dist);
}

static void put(struct matches *m, uint at, uint lit, uint len, uint dist)
{
	if (m->n > 0 && lit == 0 && dist == m->dist) {
		m->len += len;
		return;
	}
	settle(m);
	m->n++;
	m->last = m->dist;
	m->at = at;
	m->lit = lit;
	m->len = len;
	m->dist = dist;
}

/* Granules from the one of the earliest source on, of those before the
 * segment. */
static uint near_of(uint off, uint earliest, uint granule_log)
{
	uint before = (off + (1u << granule_log) - 1) >> granule_log;

	if (earliest == off)
		return 0;
	return ((1u << before) - 1) & ~((1u << (earliest >> granule_log)) - 1);
}

/* Says what has come out; coded bytes begin at an even place, and are even. */
static void conclude(const struct matches *m, global const uint *segment,
		     global uint *result)
{
	uint bytes = segment[ENC_BYTES];
	uint size = 2 * (m->lo + m->x16) + m->n + m->hi + m->x8 + m->lits;

	size += size & 1;
	result[ENC_TOKENS] = m->n;
	result[ENC_LO] = m->lo;
	result[ENC_HI] = m->hi;
	result[ENC_X8] = m->x8;
	result[ENC_X16] = m->x16;
	result[ENC_NEAR] = near_of(segment[ENC_OFF], m->earliest,
				   segment[ENC_GRANULE_LOG]);
	result[ENC_SIZE] = size < bytes ? size : 0;
}

/* The match with the last distance at `at`, up to end, if it is as good as the
 * one given; else that one. */
static uint2 use_last(global const uint *words, size_t base, uint at, uint end,
		      uint last, uint2 given)
{
	size_t p = base + at;
	uint len;

	if (given.y == last || last == 0 || last > at ||
	    end - at < LZX_MIN_MATCH ||
	    load4(words, p) != load4(words, p - last))
		return given;
	len = common_from(words, p, p - last, LZX_MIN_MATCH, end - at);
	if (given.x > 0 &&
	    (int)len - (int)(1 + len_bytes(len)) < gain_of(given.x, given.y))
		return given;
	return (uint2)(len, last);
}

/* Makes a segment's matches of its ways, in place: of each, literals before it
 * and length - 4 in two halves of a word, and the distance. */
kernel void encode_walk(global const uint *words, global const uint *segment,
			uint segments, global uint *way, global uint *result)
{
	uint s = get_global_id(0);
	struct matches m = { 0 };
	uint at, end, lit = 0;
	size_t base;

	if (s >= segments)
		return;
	segment += s * ENC_WORDS;
	at = segment[ENC_OFF];
	end = at + segment[ENC_BYTES];
	base = (size_t)segment[ENC_FIRST] << LZX_SEGMENT_LOG;
	m.earliest = at;
	m.to = way + base + at;
	while (at < end) {
		uint w = way[base + at];
		uint2 match = { w >> LZP_LEN_SHIFT, w & LZP_DIST_MASK };

		match = use_last(words, base, at, end, m.dist, match);
		if (match.x == 0) {
			at++;
			lit++;
			continue;
		}
		if (match.x == LZP_LEN_MAX)
			match.x = common_from(words, base + at,
					      base + at - match.y, LZP_LEN_MAX,
					      end - at);
		put(&m, at, lit, match.x, match.y);
		lit = 0;
		at += match.x;
	}
	settle(&m);
	m.lits += lit;
	conclude(&m, segment, result + s * ENC_RESULTS);
}
