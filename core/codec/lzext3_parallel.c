/* SPDX-License-Identifier: MIT */
/*
 * The search. A hash names a row of a table, a row has as many slots as there
 * are candidates (rounded up to a power of two); which slot a tile writes goes
 * by the tile's number. So a slot holds the highest position of one tile, and
 * is overwritten only by tiles a multiple of the row's width later.
 *
 * Places in the own tile are not in the tables yet. Of these, the first with
 * the same hash is tried, which is the same for all that come behind it.
 */
#include "lzext3_parallel.h"

#define REACH_LOG 20 /* that the tables are made for; they grow with it */
#define NONE UINT16_MAX

/* Made once for the usual numbers of candidates, which are constants then. */
#define BY_CANDIDATES inline __attribute__((always_inline))

static_assert(LZP_TILE <= NONE, "offsets in a tile");
static_assert(ARC_SEGMENT_SIZE % LZP_CHUNK == 0, "chunks of a segment");
static_assert(LZP_CHUNK % LZP_TILE == 0, "tiles of a chunk");
static_assert(ARC_GROUP_LOG_MAX + LZP_TAG_LOG <= 32, "entries of tables");
static_assert(LZX_DISTANCE_MAX <= LZP_DIST_MASK, "distances");

struct table {
	uint32_t *entry; /* position + 1 and tag; 0: nothing */
	unsigned candidates; /* 0: no such table */
	unsigned width_log; /* of slots in a row */
	unsigned row_bits; /* of the hash; by group */
};

struct state {
	struct table shorts;
	struct table longs;
	unsigned hash_log;
	unsigned good_enough;
	uint16_t first[LZP_FIRSTS]; /* offsets in the tile */
	uint32_t short_hash[LZP_TILE];
	uint32_t long_hash[LZP_TILE];
	uint32_t best[ARC_SEGMENT_SIZE];
};

/* A search for the match at one position. */
struct search {
	const uint8_t *p;
	uint32_t at;
	uint32_t most; /* bytes it can be long */
	uint32_t match; /* the best so far */
	int gain; /* of it */
};

/* ---- settings ----------------------------------------------------------- */

/* Hash, candidates of both kinds, good enough. */
static const struct lzx_settings levels[9] = {
	{ 14, 1, 0, 64, 0, false }, /* 1 */
	{ 14, 1, 1, 64, 0, false }, /* 2 */
	{ 15, 1, 1, 64, 0, false }, /* 3 */
	{ 16, 1, 1, 64, 0, false }, /* 4 */
	{ 17, 1, 1, 64, 0, false }, /* 5 */
	{ 18, 1, 1, 64, 0, false }, /* 6 */
	{ 18, 1, 4, 64, 0, false }, /* 7 */
	{ 19, 2, 8, 64, 0, false }, /* 8 */
	{ 19, 4, 16, 64, 0, false }, /* 9 */
};

struct lzx_settings
lzx_parallel_settings(const struct arc_encoder_params *params)
{
	struct lzx_settings set;

	assert(params->level >= 1 && params->level <= ARC_COUNT(levels));
	set = levels[params->level - 1];
	if (params->hash_log)
		set.hash_log = params->hash_log;
	else if (params->group_log > REACH_LOG)
		set.hash_log += params->group_log - REACH_LOG;
	set.hash_log =
		lzx_table_log(set.hash_log, (size_t)1 << params->group_log);
	if (params->candidates)
		set.candidates = params->candidates;
	if (params->candidates && set.long_candidates)
		set.long_candidates = params->candidates;
	if (params->good_enough)
		set.good_enough = params->good_enough;
	return set;
}

/* ---- tables ------------------------------------------------------------- */

static int table_init(struct table *t, unsigned log, unsigned candidates)
{
	t->candidates = candidates;
	t->width_log = lzx_parallel_width_log(candidates);
	if (candidates == 0)
		return 0;
	t->entry = malloc(sizeof(uint32_t) << log);
	return t->entry ? 0 : -ENOMEM;
}

static void table_begin(struct table *t, unsigned log)
{
	if (t->candidates == 0)
		return;
	t->row_bits = log - t->width_log;
	memset(t->entry, 0, sizeof(uint32_t) << log);
}

static inline uint32_t *row_of(const struct table *t, uint32_t hash)
{
	return t->entry +
	       ((size_t)(hash >> (32 - t->row_bits)) << t->width_log);
}

/* The bits of the hash below those that name the row. */
static inline uint32_t tag_of(const struct table *t, uint32_t hash)
{
	return hash >> (32 - LZP_TAG_LOG - t->row_bits) & LZP_TAG_MASK;
}

static inline void enter(const struct table *t, uint32_t hash, uint32_t at)
{
	uint32_t tile = at >> LZP_TILE_LOG;

	row_of(t, hash)[tile & ((1u << t->width_log) - 1)] =
		(at + 1) << LZP_TAG_LOG | tag_of(t, hash);
}

/* ---- search ------------------------------------------------------------- */

/* A match that saves more has at least `need` bytes. */
static BY_CANDIDATES void try_place(struct search *s, uint32_t dist)
{
	const uint8_t *q = s->p - dist;
	uint32_t need = (uint32_t)s->gain + 2 + lzx_dist_bytes(dist);
	uint32_t len;
	int gain;

	need = ARC_MAX(need, LZX_MIN_MATCH);
	if (need > s->most || lzx_load32(q + need - LZX_MIN_MATCH) !=
				      lzx_load32(s->p + need - LZX_MIN_MATCH))
		return;
	len = lzx_common(s->p, q, s->p + s->most);
	if (len < need)
		return;
	gain = lzx_parallel_gain(len, dist);
	if (gain <= s->gain)
		return;
	s->gain = gain;
	s->match = len << LZP_LEN_SHIFT | dist;
}

static inline bool is_good(const struct search *s, unsigned good_enough)
{
	return s->match >> LZP_LEN_SHIFT >= good_enough;
}

/* Tries the row's slots, that of the tile before first. */
static BY_CANDIDATES void try_row(struct search *s, const struct table *t,
				  uint32_t hash, unsigned good_enough)
{
	uint32_t tile = s->at >> LZP_TILE_LOG;
	const uint32_t *row;
	uint32_t tag;

	if (t->candidates == 0)
		return;
	row = row_of(t, hash);
	tag = tag_of(t, hash);
	for (uint32_t i = 1; i <= t->candidates; i++) {
		uint32_t e = row[(tile - i) & ((1u << t->width_log) - 1)];

		if (is_good(s, good_enough))
			return;
		if (e != 0 && (e & LZP_TAG_MASK) == tag)
			try_place(s, s->at + 1 - (e >> LZP_TAG_LOG));
	}
}

static BY_CANDIDATES uint32_t search(const struct state *st,
				     const struct table *shorts,
				     const struct table *longs,
				     const struct lzx_input *in, uint32_t at)
{
	uint32_t i = at % LZP_TILE;
	uint32_t first = st->first[st->short_hash[i] >> (32 - LZP_FIRSTS_LOG)];
	struct search s = { .p = in->base + at,
			    .at = at,
			    .most = ARC_MIN(in->end - at, LZP_LEN_MAX) };

	if (first < i)
		try_place(&s, i - first);
	try_row(&s, shorts, st->short_hash[i], st->good_enough);
	try_row(&s, longs, st->long_hash[i], st->good_enough);
	return s.match;
}

static BY_CANDIDATES void search_all(const struct state *s, struct table shorts,
				     struct table longs,
				     const struct lzx_input *in, uint32_t from,
				     uint32_t to, uint32_t *best)
{
	for (uint32_t at = from; at < to; at++)
		best[at - from] = search(s, &shorts, &longs, in, at);
}

/* A table of which it is known how many candidates it has. */
static BY_CANDIDATES struct table with(struct table t, unsigned candidates)
{
	t.candidates = candidates;
	t.width_log = lzx_parallel_width_log(candidates);
	return t;
}

/* Searches positions [from, to), which are in one tile. */
static void search_each(const struct state *s, const struct lzx_input *in,
			uint32_t from, uint32_t to, uint32_t *best)
{
	const struct table *t = &s->shorts, *u = &s->longs;

	if (t->candidates == 1 && u->candidates == 0)
		search_all(s, with(*t, 1), with(*u, 0), in, from, to, best);
	else if (t->candidates == 1 && u->candidates == 1)
		search_all(s, with(*t, 1), with(*u, 1), in, from, to, best);
	else
		search_all(s, *t, *u, in, from, to, best);
}

/* Hashes of positions [from, to), which are in one tile. */
static void hash_tile(struct state *s, const struct lzx_input *in,
		      uint32_t from, uint32_t to)
{
	memset(s->first, 0xff, sizeof(s->first));
	for (uint32_t at = from; at < to; at++) {
		uint64_t bytes = lzx_load64(in->base + at);
		uint32_t lo = (uint32_t)bytes * LZP_HASH_SHORT;
		uint32_t hi = (uint32_t)(bytes >> 32) * LZP_HASH_LONG;
		uint16_t *first = &s->first[lo >> (32 - LZP_FIRSTS_LOG)];

		s->short_hash[at - from] = lo;
		s->long_hash[at - from] = lo + hi;
		*first = ARC_MIN(*first, (uint16_t)(at - from));
		__builtin_prefetch(row_of(&s->shorts, lo));
		if (s->longs.candidates > 0)
			__builtin_prefetch(row_of(&s->longs, lo + hi));
	}
}

static void search_tile(struct state *s, const struct lzx_input *in,
			uint32_t from, uint32_t to)
{
	uint32_t *best = s->best + (from - in->off);
	uint32_t end = in->readable - ARC_MIN(in->readable, LZP_HASH_BYTES - 1);
	uint32_t hashed = ARC_MAX(ARC_MIN(to, end), from);

	hash_tile(s, in, from, hashed);
	search_each(s, in, from, hashed, best);
	for (uint32_t at = hashed; at < to; at++)
		best[at - from] = 0;
	for (uint32_t at = from; at < hashed; at++)
		enter(&s->shorts, s->short_hash[at - from], at);
	if (s->longs.candidates == 0)
		return;
	for (uint32_t at = from; at < hashed; at += LZP_LONG_STEP)
		enter(&s->longs, s->long_hash[at - from], at);
}

/* ---- parser ------------------------------------------------------------- */

static void free_state(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	free(s->shorts.entry);
	free(s->longs.entry);
	free(s);
}

static int new_state(const struct lzx_settings *set, void **ret)
{
	struct state *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->hash_log = set->hash_log;
	s->good_enough = set->good_enough;
	err = table_init(&s->shorts, s->hash_log, set->candidates);
	if (err == 0)
		err = table_init(&s->longs, s->hash_log, set->long_candidates);
	if (err < 0) {
		free_state(s);
		return err;
	}
	*ret = s;
	return 0;
}

static void begin(void *state, size_t n)
{
	struct state *s = state;
	unsigned log = lzx_table_log(s->hash_log, n);

	table_begin(&s->shorts, log);
	table_begin(&s->longs, log);
}

static void parse(void *state, const struct lzx_input *in,
		  struct lzx_matches *out)
{
	struct state *s = state;

	for (uint32_t at = in->off; at < in->end; at += LZP_TILE)
		search_tile(s, in, at, ARC_MIN(at + LZP_TILE, in->end));
	lzx_parallel_ways(in, s->best);
	lzx_parallel_walk(in, s->best, out);
}

const struct lzx_parser lzx_parallel = {
	.new_state = new_state,
	.free_state = free_state,
	.begin = begin,
	.parse = parse,
};
