/* SPDX-License-Identifier: MIT */
/*
 * FNV-1a, 64 bits, of many leaves at once (hash.h): one work-item each, since
 * every byte needs the result of the one before. Leaves lie one behind the
 * other in units of ARC_HASH_UNIT bytes, so that whole units are loaded.
 */
#define FNV_INIT 0xcbf29ce484222325UL
#define FNV_PRIME 0x100000001b3UL

/* The n lowest bytes of a word, the lowest first. */
inline ulong take_bytes(ulong state, uint word, uint n)
{
	for (uint i = 0; i < n; i++)
		state = (state ^ ((word >> (8 * i)) & 0xff)) * FNV_PRIME;
	return state;
}

/* Leaf i is where[i].y bytes at where[i].x units from the begin of data, of
 * which `units` can be read. */
kernel void hash_leaves(global const uint4 *data, uint units,
			global const uint2 *where, uint leaves,
			global ulong *hash)
{
	uint i = get_global_id(0);
	ulong state = FNV_INIT;
	uint at, n;

	if (i >= leaves)
		return;
	at = where[i].x;
	n = where[i].y;
	for (; n >= 16 && at < units; n -= 16) {
		uint4 v = data[at++];

		state = take_bytes(state, v.x, 4);
		state = take_bytes(state, v.y, 4);
		state = take_bytes(state, v.z, 4);
		state = take_bytes(state, v.w, 4);
	}
	if (n > 0 && at < units) {
		uint4 v = data[at];

		state = take_bytes(state, v.x, min(n, 4U));
		state = take_bytes(state, v.y, clamp((int)n - 4, 0, 4));
		state = take_bytes(state, v.z, clamp((int)n - 8, 0, 4));
		state = take_bytes(state, v.w, clamp((int)n - 12, 0, 4));
	}
	hash[i] = state;
}
