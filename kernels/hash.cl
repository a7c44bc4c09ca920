/* SPDX-License-Identifier: MIT */
/*
 * FNV-1a, 64 bits, of many leaves at once (hash.h): one work-item each, since
 * every byte needs the result of the one before. Leaves lie one behind the
 * other in units of 16 bytes, which are loaded whole.
 *
 * That chain is what limits: an exclusive or and a multiplication, some ten
 * clocks a byte, so that a work-item makes about 170 MB/s and six hundred of
 * them 100 GB/s, if they never wait for memory. Therefore the next block is
 * loaded before the last one is hashed, which takes as long as memory does
 * to answer. Neighbours read 64 KiB apart from each other; but each uses whole
 * sectors of 32 bytes, two at a time, and the traffic is a small part of what
 * the memory can do, so it is not worth a transposed layout, neither here by
 * way of local memory nor by the host, whose copying is what takes longest.
 */
#define FNV_INIT 0xcbf29ce484222325UL
#define FNV_PRIME 0x100000001b3UL

#define BLOCK 4 /* units: 64 bytes, some six hundred clocks */

/* The n lowest bytes of a word, the lowest first. */
static inline ulong take_word(ulong state, uint word, uint n)
{
	for (uint i = 0; i < n; i++)
		state = (state ^ (word >> (8 * i) & 0xff)) * FNV_PRIME;
	return state;
}

static inline ulong take_unit(ulong state, uint4 v)
{
	state = take_word(state, v.x, 4);
	state = take_word(state, v.y, 4);
	state = take_word(state, v.z, 4);
	return take_word(state, v.w, 4);
}

/* The first n < 16 bytes of a unit. */
static inline ulong take_part(ulong state, uint4 v, uint n)
{
	state = take_word(state, v.x, min(n, 4U));
	state = take_word(state, v.y, clamp((int)n - 4, 0, 4));
	state = take_word(state, v.z, clamp((int)n - 8, 0, 4));
	return take_word(state, v.w, clamp((int)n - 12, 0, 4));
}

/* No array, which compilers might put into memory. */
struct block {
	uint4 a, b, c, d;
};

static inline void load_block(global const uint4 *at, struct block *ret)
{
	ret->a = at[0];
	ret->b = at[1];
	ret->c = at[2];
	ret->d = at[3];
}

/* Leaf i is where[i].y bytes at where[i].x units from the begin of data. */
kernel void hash_leaves(global const uint4 *restrict data,
			global const uint2 *restrict where, uint leaves,
			global ulong *restrict hash)
{
	const uint i = get_global_id(0);
	ulong state = FNV_INIT;
	global const uint4 *at;
	struct block next;
	uint blocks, n;

	if (i >= leaves)
		return;
	at = data + where[i].x;
	n = where[i].y;
	blocks = n / (16 * BLOCK);
	n -= blocks * (16 * BLOCK);
	if (blocks > 0)
		load_block(at, &next);
	for (; blocks > 0; blocks--) {
		struct block now = next;

		at += BLOCK;
		if (blocks > 1)
			load_block(at, &next);
		state = take_unit(state, now.a);
		state = take_unit(state, now.b);
		state = take_unit(state, now.c);
		state = take_unit(state, now.d);
	}
	for (; n >= 16; n -= 16)
		state = take_unit(state, *at++);
	if (n > 0)
		state = take_part(state, *at, n);
	hash[i] = state;
}
