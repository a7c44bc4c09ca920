# SPDX-License-Identifier: MIT
"""plain - what a reader of archives needs and Python's standard library lacks: XXH3-64 with seed 0
(doc/xxhash_spec.md of xxHash)."""
from operator import mul
from struct import pack, unpack, unpack_from

M64 = 0xFFFFFFFFFFFFFFFF
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578"
    "825ad07dccff7221b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea3"
    "71644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931"
    "c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
WORDS = unpack("<24Q", SECRET)
# What the 16 stripes of a block of 1024 bytes are combined with, and the last 64 bytes.
BLOCK_KEY = int.from_bytes(b"".join(SECRET[8 * i:8 * i + 64] for i in range(16)), "little")
LAST_KEY = int.from_bytes(SECRET[121:185], "little")
START = (0xC2B2AE3D, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
         0x85EBCA77C2B2AE63, 0x85EBCA77, 0x27D4EB2F165667C5, 0x9E3779B1)
P64_1, P64_2, P64_3, P32_1 = START[1], START[2], START[3], START[7]
XXH3_STEPS, XXH64_STEPS = ((37, 0x165667919E3779F9),), ((33, P64_2), (29, P64_3))


def need(condition, what):
    if not condition:
        raise ValueError(what)


def avalanche(h, steps=XXH3_STEPS):
    h &= M64
    for shift, factor in steps:
        h = (h ^ h >> shift) * factor & M64
    return h ^ h >> 32


def mix(b, i, k):
    """The 16 bytes at i and those of the secret at k, multiplied and folded."""
    (low, high), (key_low, key_high) = unpack_from("<QQ", b, i), unpack_from("<QQ", SECRET, k)
    p = (low ^ key_low) * (high ^ key_high)
    return (p ^ p >> 64) & M64


def xxh3_short(b):
    n, w = len(b), WORDS
    if n == 0:
        return avalanche(w[7] ^ w[8], XXH64_STEPS)
    if n <= 3:
        h = b[0] << 16 | b[n >> 1] << 24 | b[n - 1] | n << 8
        return avalanche(h ^ (w[0] ^ w[0] >> 32) & 0xFFFFFFFF, XXH64_STEPS)
    if n <= 8:
        h = int.from_bytes(b[-4:] + b[:4], "little") ^ w[1] ^ w[2]
        h ^= (h << 49 | h >> 15) & M64 ^ (h << 24 | h >> 40) & M64
        h = h * 0x9FB21C651E98DF25 & M64
        h = (h ^ (h >> 35) + n) * 0x9FB21C651E98DF25 & M64
        return h ^ h >> 28
    low, high = unpack("<QQ", b[:8] + b[-8:])
    low, high = low ^ w[3] ^ w[4], high ^ w[5] ^ w[6]
    swapped, p = int.from_bytes(low.to_bytes(8, "little"), "big"), low * high
    return avalanche(n + swapped + high + (p ^ p >> 64))


def xxh3_middle(b):
    n = len(b)
    h = n * P64_1
    if n <= 128:
        for i in range(0, (n + 31) // 32 * 16, 16):
            h += mix(b, i, 2 * i) + mix(b, n - i - 16, 2 * i + 16)
        return avalanche(h)
    h = avalanche(h + sum(mix(b, i, i) for i in range(0, 128, 16)))
    h += sum(mix(b, i, i - 125) for i in range(128, n - 15, 16))
    return avalanche(h + mix(b, n - 16, 119))


def add_stripes(acc, data, key):
    """The eight accumulators with whole stripes (64 bytes each) added."""
    n = len(data)
    keyed = int.from_bytes(data, "little") ^ key & (1 << 8 * n) - 1
    words = unpack("<%dI" % (n // 4), keyed.to_bytes(n, "little"))
    products = list(map(mul, words[0::2], words[1::2]))
    values = unpack("<%dQ" % (n // 8), data)
    return [a + sum(products[i::8]) + sum(values[i ^ 1::8]) & M64 for i, a in enumerate(acc)]


def xxh3(b):
    n, acc = len(b), START
    if n <= 240:
        return xxh3_short(b) if n <= 16 else xxh3_middle(b)
    end = (n - 1) // 64 * 64
    for i in range(0, end, 1024):
        acc = add_stripes(acc, b[i:min(i + 1024, end)], BLOCK_KEY)
        if i + 1024 <= end:
            acc = [(a ^ a >> 47 ^ key) * P32_1 & M64 for a, key in zip(acc, WORDS[16:])]
    acc = pack("<8Q", *add_stripes(acc, b[-64:], LAST_KEY))
    return avalanche(n * P64_1 + sum(mix(acc, i, i + 11) for i in (0, 16, 32, 48)))
