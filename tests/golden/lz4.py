# SPDX-License-Identifier: MIT
"""lz4 - the decoder of LZ4 blocks (codec 1; lz4_Block_format.md of LZ4)."""
from plain import need


def lz4_length(src, i, n):
    """A length and the position behind it; n: its four bits."""
    if n == 15:
        while src[i] == 255:
            n, i = n + 255, i + 1
        n, i = n + src[i], i + 1
    return n, i


def lz4_decode(src, out, raw, log, _):
    """Appends a segment to out, the frame so far. Of the frame: raw bytes, log2 of its groups."""
    end, group, i = min(len(out) + 65536, raw), len(out) >> log << log, 0
    while True:
        token = src[i]
        n, i = lz4_length(src, i + 1, token >> 4)
        need(i + n <= len(src), "LZ4: literals end early")
        out += src[i:i + n]
        i += n
        if i == len(src):
            return need(len(out) == end, "LZ4: length")
        distance = src[i] | src[i + 1] << 8
        n, i = lz4_length(src, i + 2, token & 15)
        n, start = n + 4, len(out) - distance
        need(distance and start >= group and len(out) + n <= end, "LZ4: a match")
        piece = out[start:start + n]
        out += (piece * (n // len(piece) + 1))[:n]
