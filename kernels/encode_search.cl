/* SPDX-License-Identifier: MIT */
/*
 * LZ-EXT3, the search of the parallel profile: see lzext3_parallel.h, whose C
 * code is the law. A work-group has a pair of tables and takes one group of a
 * frame after another; its work-items share out the positions of a tile:
 *
 *  1. hash the bytes, and put into local memory where in the tile each hash
 *     comes first;
 *  2. search: what the tiles before have entered, the tables tell;
 *  3. enter the tile. Entries are the larger the later their position is, so
 *     that atomic_max() leaves the same whoever comes first.
 *
 * Each step ends with a barrier. Neighbours look at neighbouring bytes, so that
 * positions of one match compare with the same cache lines. What is slow is
 * memory that is not in a cache: the entries of both tables are asked for before
 * any of them is used, and a byte of the hash in them keeps most places that
 * only look alike from being looked at. Tables are kept small, since all
 * work-groups together do well if they find theirs in the device's cache.
 *
 * Given when this is built: SEARCH_ITEMS work-items (a power of two, at most a
 * tile), HASH_LOG, SHORTS and LONGS candidates, in rows of 1 << SHORTS_LOG and
 * 1 << LONGS_LOG entries, GOOD bytes that end a search.
 */
#define EACH (LZP_TILE / SEARCH_ITEMS) /* positions of a work-item */
#define NONE LZP_TILE
#define SHORTS_SIZE ((size_t)1 << HASH_LOG)
#define LONGS_SIZE (LONGS ? (size_t)1 << HASH_LOG : 0)

/* The tables of a work-group. */
struct tables {
	global uint *shorts;
	global uint *longs;
	uint short_bits; /* of a hash, that name a row */
	uint long_bits;
};

struct search {
	global const uint *words;
	size_t p;
	uint at; /* in the group */
	uint most;
	uint match; /* the best so far */
	int gain;
};

/* Positions of a tile, from `from` on: those of a work-item. */
struct tile {
	uint from;
	uint hashed; /* behind the last that has bytes to hash */
	uint to;
	uint short_hash[EACH];
	uint long_hash[EACH];
};

inline uint tag_of(uint hash, uint bits)
{
	return hash >> (32 - LZP_TAG_LOG - bits) & LZP_TAG_MASK;
}

/* Of the row, the slot that tile number `tile` writes. */
inline size_t slot_of(uint hash, uint bits, uint width_log, uint tile)
{
	return ((size_t)(hash >> (32 - bits)) << width_log) +
	       (tile & ((1u << width_log) - 1));
}

inline void try_place(struct search *s, uint dist)
{
	size_t q = s->p - dist;
	uint need = max((uint)s->gain + 2 + dist_bytes(dist),
			(uint)LZX_MIN_MATCH);
	uint len;
	int gain;

	if (need > s->most ||
	    load4(s->words, s->p + need - LZX_MIN_MATCH) !=
		    load4(s->words, q + need - LZX_MIN_MATCH))
		return;
	len = common_from(s->words, s->p, q, 0, s->most);
	gain = gain_of(len, dist);
	if (len < need || gain <= s->gain)
		return;
	s->gain = gain;
	s->match = len << LZP_LEN_SHIFT | dist;
}

inline void try_entry(struct search *s, uint entry, uint tag)
{
	if (s->match >> LZP_LEN_SHIFT < GOOD && entry != 0 &&
	    (entry & LZP_TAG_MASK) == tag)
		try_place(s, s->at + 1 - (entry >> LZP_TAG_LOG));
}

/* The match at position i of the tile; first: of the tile, where the same hash
 * comes first. */
inline uint search(struct search *s, const struct tables *t, uint short_hash,
		   uint long_hash, uint i, uint first)
{
	uint tile = s->at >> LZP_TILE_LOG;
	uint shorts[SHORTS];
#if LONGS
	uint longs[LONGS];

	for (uint k = 0; k < LONGS; k++)
		longs[k] = t->longs[slot_of(long_hash, t->long_bits, LONGS_LOG,
					    tile - 1 - k)];
#endif
	for (uint k = 0; k < SHORTS; k++)
		shorts[k] = t->shorts[slot_of(short_hash, t->short_bits,
					      SHORTS_LOG, tile - 1 - k)];
	if (first < i)
		try_place(s, i - first);
	for (uint k = 0; k < SHORTS; k++)
		try_entry(s, shorts[k], tag_of(short_hash, t->short_bits));
#if LONGS
	for (uint k = 0; k < LONGS; k++)
		try_entry(s, longs[k], tag_of(long_hash, t->long_bits));
#endif
	return s->match;
}

inline void hash_tile(struct tile *t, global const uint *words, size_t base,
		      local uint *first)
{
	for (uint k = 0; k < EACH; k++) {
		uint i = k * SEARCH_ITEMS + get_local_id(0);
		uint2 bytes;

		if (t->from + i >= t->hashed)
			break;
		bytes = load8(words, base + t->from + i);
		t->short_hash[k] = bytes.x * LZP_HASH_SHORT;
		t->long_hash[k] =
			t->short_hash[k] + bytes.y * LZP_HASH_LONG;
		atomic_min(&first[t->short_hash[k] >> (32 - LZP_FIRSTS_LOG)],
			   i);
	}
}

inline void search_tile(const struct tile *t, const struct tables *tables,
			global const uint *words, size_t base, uint bytes,
			local const uint *first, global uint *way)
{
	for (uint k = 0; k < EACH; k++) {
		uint i = k * SEARCH_ITEMS + get_local_id(0);
		uint at = t->from + i;
		uint end = min((at | (LZX_SEGMENT - 1)) + 1, bytes);
		struct search s = { .words = words,
				    .p = base + at,
				    .at = at,
				    .most = min(end - at, (uint)LZP_LEN_MAX) };

		if (at >= t->to)
			break;
		if (at < t->hashed)
			search(&s, tables, t->short_hash[k], t->long_hash[k],
			       i,
			       first[t->short_hash[k] >> (32 - LZP_FIRSTS_LOG)]);
		way[base + at] = s.match;
	}
}

inline void enter_tile(const struct tile *t, const struct tables *tables)
{
	uint number = t->from >> LZP_TILE_LOG;

	for (uint k = 0; k < EACH; k++) {
		uint at = t->from + k * SEARCH_ITEMS + get_local_id(0);
		uint place = (at + 1) << LZP_TAG_LOG;
		uint hash = t->short_hash[k];

		if (at >= t->hashed)
			break;
		atomic_max(&tables->shorts[slot_of(hash, tables->short_bits,
						   SHORTS_LOG, number)],
			   place | tag_of(hash, tables->short_bits));
#if LONGS
		hash = t->long_hash[k];
		if (at % LZP_LONG_STEP == 0)
			atomic_max(&tables->longs[slot_of(hash,
							  tables->long_bits,
							  LONGS_LOG, number)],
				   place | tag_of(hash, tables->long_bits));
#endif
	}
}

/* Empties the tables, as large as they are for a group of so many bytes. */
inline void begin_group(struct tables *t, uint bytes)
{
	uint log = HASH_LOG;

	while (log > LZP_HASH_LOG_MIN && 1u << (log - 1) >= bytes)
		log--;
	t->short_bits = log - SHORTS_LOG;
	t->long_bits = log - LONGS_LOG;
	for (uint i = get_local_id(0); i < 1u << log; i += SEARCH_ITEMS) {
		t->shorts[i] = 0;
#if LONGS
		t->longs[i] = 0;
#endif
	}
}

inline void search_group(const struct tables *tables, global const uint *words,
			 size_t base, uint bytes, local uint *first,
			 global uint *way)
{
	struct tile t;

	for (t.from = 0; t.from < bytes; t.from += LZP_TILE) {
		t.to = min(t.from + LZP_TILE, bytes);
		t.hashed = min(t.to, bytes - min(bytes, LZP_HASH_BYTES - 1U));
		for (uint i = get_local_id(0); i < LZP_FIRSTS;
		     i += SEARCH_ITEMS)
			first[i] = NONE;
		barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
		hash_tile(&t, words, base, first);
		barrier(CLK_LOCAL_MEM_FENCE);
		search_tile(&t, tables, words, base, bytes, first, way);
		barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
		enter_tile(&t, tables);
	}
	barrier(CLK_GLOBAL_MEM_FENCE);
}

/* Tells for each position of all groups the best match there is, in way. */
kernel void encode_search(global const uint *words, global const uint *group,
			  uint groups, global uint *table, global uint *way)
{
	local uint first[LZP_FIRSTS];
	struct tables tables;

	tables.shorts = table + get_group_id(0) * (SHORTS_SIZE + LONGS_SIZE);
	tables.longs = tables.shorts + SHORTS_SIZE;
	for (uint g = get_group_id(0); g < groups; g += get_num_groups(0)) {
		global const uint *w = group + g * ENC_GROUP_WORDS;
		uint bytes = w[ENC_GROUP_BYTES];

		begin_group(&tables, bytes);
		search_group(&tables, words,
			     (size_t)w[ENC_GROUP_FIRST] << LZX_SEGMENT_LOG,
			     bytes, first, way);
	}
}
