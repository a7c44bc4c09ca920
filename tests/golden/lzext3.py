# SPDX-License-Identifier: MIT
"""lzext3 - the decoder of LZ-EXT3 (codec 2), written from arc-format(5) alone."""
from itertools import accumulate
from struct import unpack, unpack_from

from plain import need

ENTRY = "<6HB3x16s"  # what stands in the entry of a segment behind its first 24 bytes
TOKENS = [(t >> 6, t >> 4 & 3, (t & 15) + 4) for t in range(256)]


def usable(start, log, near, far):
    """[(first, end)] of what the segment at `start` may copy from, the last open to its output."""
    group, granule, parts = start >> log << log, 1 << max(16, log - 4), []
    for i in range(16):
        first = group + i * granule
        if near >> i & 1:
            need(first < start, "LZ-EXT3: a granule")
            if not parts or parts[-1][1] != first:
                parts.append((first, first))
            parts[-1] = parts[-1][0], min(first + granule, start)
    need(all(a < b for a, b in zip(far, far[1:])), "LZ-EXT3: order of the list")
    need(not far or far[-1] + 1 << 16 <= group, "LZ-EXT3: the list")
    own = parts.pop()[0] if parts and parts[-1][1] == start else start
    return [(s << 16, s + 1 << 16) for s in far] + parts + [(own, 1 << 24)]


def streams(src, counts):
    """LO, X16, TOK, HI and X8 as iterators, and what is left."""
    lo, x16, tok, hi, x8 = counts
    ends = list(accumulate((2 * lo, 2 * x16, tok, hi, x8)))
    need(ends[-1] <= len(src), "LZ-EXT3: streams")
    pieces = [src[a:b] for a, b in zip([0] + ends, ends)]
    words = [iter(unpack("<%dH" % (len(p) // 2), p)) for p in pieces[:2]]
    return words + [iter(p) for p in pieces[2:]] + [src[ends[-1]:]]


def lzext3_decode(src, out, raw, log, ext):
    """Appends a segment to out, the frame so far. Of the frame: raw bytes, log2 of its groups."""
    tokens, lo, hi, x8, x16, near, fars, far = unpack_from(ENTRY, ext + bytes(16))
    pos = len(out)
    end = min(pos + 65536, raw)
    need(tokens <= (end - pos) // 4 and fars <= 16, "LZ-EXT3: entry")
    sources = usable(pos, log, near, far[:fars])
    try:
        pieces = streams(src, (lo, x16, tokens, hi, x8))
        decode(pieces, out, end, sources, even=len(src) % 2 == 0)
    except StopIteration:
        need(False, "LZ-EXT3: a stream ends early")


def decode(items, out, end, sources, even):
    lo, x16, tok, hi, x8, lit = items
    low, pos, at, distance = sources[-1][0], len(out), 0, 0
    for token in tok:
        literals, kind, n = TOKENS[token]
        if literals == 3:
            more = next(x8)
            literals += more + next(x16) if more == 255 else more
        if n == 19:
            more = next(x8)
            n += more + next(x16) if more == 255 else more
        if kind == 2:
            distance = next(lo)
        elif kind == 1:
            distance = next(hi)
        elif kind == 3:
            distance = next(lo) + 65536 * next(hi)
        if literals:
            out += lit[at:at + literals]
            at += literals
            pos += literals
        first = pos - distance
        if not low <= first < pos:
            need(any(a <= first < first + n <= b for a, b in sources[:-1]), "LZ-EXT3: a match")
        need(pos + n <= end and at <= len(lit), "LZ-EXT3: room")
        if n <= distance:
            out += out[first:first + n]
        else:
            out += (out[first:] * (n // distance + 1))[:n]
        pos += n
    out += lit[at:at + end - pos]
    padding = lit[at + end - pos:]
    need(len(out) == end and (not padding or padding == b"\0" and even), "LZ-EXT3: literals")
    need(all(next(it, None) is None for it in (lo, x16, hi, x8)), "LZ-EXT3: items left over")
