# SPDX-License-Identifier: MIT
"""plain - what a reader of archives needs and Python's standard library lacks:
XXH3-64 with seed 0 and the decoder of LZ4 blocks, in plain Python."""
import struct
from operator import mul

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
       0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
# What the 16 stripes of a block of 1024 bytes are combined with.
BLOCK_KEY = int.from_bytes(
    b"".join(SECRET[8 * i:8 * i + 64] for i in range(16)), "little")


def u32(b, i):
    return int.from_bytes(b[i:i + 4], "little")


def u64(b, i):
    return int.from_bytes(b[i:i + 8], "little")


class Damaged(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Damaged(what)


# ---- XXH3-64 (doc/xxhash_spec.md of the xxHash project) --------------------

def fold(a, b):
    p = a * b
    return (p ^ p >> 64) & M64


def avalanche(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def avalanche64(h):
    h ^= h >> 33
    h = h * P64[1] & M64
    h ^= h >> 29
    h = h * P64[2] & M64
    return h ^ h >> 32


def mix(b, i, s):
    return fold(u64(b, i) ^ u64(SECRET, s), u64(b, i + 8) ^ u64(SECRET, s + 8))


def xxh3_short(b):
    n = len(b)
    if n == 0:
        return avalanche64(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        v = b[0] << 16 | b[n >> 1] << 24 | b[n - 1] | n << 8
        return avalanche64(v ^ u32(SECRET, 0) ^ u32(SECRET, 4))
    if n <= 8:
        h = u32(b, n - 4) + (u32(b, 0) << 32)
        h ^= u64(SECRET, 8) ^ u64(SECRET, 16)
        h ^= (h << 49 | h >> 15) & M64 ^ (h << 24 | h >> 40) & M64
        h = h * 0x9FB21C651E98DF25 & M64
        h ^= (h >> 35) + n
        h = h * 0x9FB21C651E98DF25 & M64
        return h ^ h >> 28
    lo = u64(b, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
    hi = u64(b, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
    swapped = int.from_bytes(lo.to_bytes(8, "little"), "big")
    return avalanche((n + swapped + hi + fold(lo, hi)) & M64)


def xxh3_middle(b):
    n = len(b)
    acc = n * P64[0]
    if n <= 128:
        for i in range((n - 1) // 32 + 1):
            acc += mix(b, 16 * i, 32 * i)
            acc += mix(b, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(acc & M64)
    for i in range(8):
        acc += mix(b, 16 * i, 16 * i)
    acc = avalanche(acc & M64)
    for i in range(8, n // 16):
        acc += mix(b, 16 * i, 16 * (i - 8) + 3)
    return avalanche((acc + mix(b, n - 16, 136 - 17)) & M64)


def accumulate_stripes(acc, data, key):
    """Adds whole stripes (64 bytes each) to the eight accumulators."""
    n = len(data)
    keyed = (int.from_bytes(data, "little") ^ key).to_bytes(n, "little")
    words = struct.unpack("<%dI" % (n // 4), keyed)
    products = list(map(mul, words[0::2], words[1::2]))
    values = struct.unpack("<%dQ" % (n // 8), data)
    for i in range(8):
        acc[i] += sum(products[i::8]) + sum(values[i ^ 1::8])


def xxh3(b):
    n = len(b)
    if n <= 16:
        return xxh3_short(b)
    if n <= 240:
        return xxh3_middle(b)
    acc = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]
    blocks = (n - 1) // 1024
    for k in range(blocks):
        accumulate_stripes(acc, b[1024 * k:1024 * k + 1024], BLOCK_KEY)
        for i in range(8):
            a = acc[i] & M64
            acc[i] = (a ^ a >> 47 ^ u64(SECRET, 128 + 8 * i)) * P32[0] & M64
    rest = b[1024 * blocks:1024 * blocks + (n - 1 - 1024 * blocks) // 64 * 64]
    if rest:
        mask = (1 << 8 * len(rest)) - 1
        accumulate_stripes(acc, rest, BLOCK_KEY & mask)
    accumulate_stripes(acc, b[n - 64:], int.from_bytes(SECRET[121:185],
                                                       "little"))
    h = n * P64[0]
    for i in range(4):
        h += fold(acc[2 * i] & M64 ^ u64(SECRET, 11 + 16 * i),
                  acc[2 * i + 1] & M64 ^ u64(SECRET, 19 + 16 * i))
    return avalanche(h & M64)


# ---- LZ4 blocks ------------------------------------------------------------

def lz4_length(src, i, n):
    """A length and the position behind it; n: its four bits."""
    more = n == 15
    while more:
        n += src[i]
        more = src[i] == 255
        i += 1
    return n, i


def lz4_decode(src, out, size):
    """Appends the block's `size` bytes to out, whose content may be used."""
    end, i = len(out) + size, 0
    while True:
        token = src[i]
        n, i = lz4_length(src, i + 1, token >> 4)
        need(i + n <= len(src), "LZ4: literals end early")
        out += src[i:i + n]
        i += n
        if i == len(src):
            break
        distance = src[i] | src[i + 1] << 8
        n, i = lz4_length(src, i + 2, token & 15)
        n += 4
        start = len(out) - distance
        need(distance and start >= 0 and len(out) + n <= end, "LZ4: a match")
        piece = out[start:start + n]
        out += (piece * (n // len(piece) + 1))[:n]
    need(len(out) == end, "LZ4: length")
