/* SPDX-License-Identifier: MIT */
/*
 * What all the encode_*.cl need: bytes at any place, taken from aligned words
 * so that neighbours share what is loaded, and the prices of matches. Devices
 * are little-endian.
 */

/* Four bytes at p; up to seven behind it are loaded. */
inline uint load4(global const uint *words, size_t p)
{
	size_t i = p >> 2;
	ulong both = words[i] | (ulong)words[i + 1] << 32;

	return (uint)(both >> (p & 3) * 8);
}

/* Four bytes at p, and the four behind them. */
inline uint2 load8(global const uint *words, size_t p)
{
	size_t i = p >> 2;
	uint shift = (p & 3) * 8;
	ulong low = words[i] | (ulong)words[i + 1] << 32;
	ulong high = words[i + 1] | (ulong)words[i + 2] << 32;

	return (uint2)((uint)(low >> shift), (uint)(high >> shift));
}

/* Bytes that are equal at p and q, from n on that are known to be; at most
 * `most`. */
inline uint common_from(global const uint *words, size_t p, size_t q, uint n,
			uint most)
{
	while (n < most) {
		uint differ = load4(words, p + n) ^ load4(words, q + n);

		if (differ) {
			n += (31 - clz(differ & -differ)) >> 3;
			break;
		}
		n += 4;
	}
	return min(n, most);
}

inline uint dist_bytes(uint dist)
{
	return 1 + (dist > 0xff) + (dist > 0xffff);
}

/* Bytes of a length's extensions; `more`: length from which on there is one. */
inline uint more_bytes(uint n, uint more)
{
	return (n >= more) + 2 * (n >= more + LZX_X8_MORE);
}

inline uint len_bytes(uint len)
{
	return more_bytes(len, LZX_MIN_MATCH + LZX_LEN_MORE);
}

/* Bytes that a match saves against literals. */
inline int gain_of(uint len, uint dist)
{
	return (int)len - (int)(1 + dist_bytes(dist) + len_bytes(len));
}
