#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""repeats.py FOLDER - makes FOLDER/repeats and FOLDER/noise: files that repeat themselves and each
other from near and far, and little else, so that archives of them are small. The same each time.
"""
import os
import random
import sys

r = random.Random(3)
words = [r.randbytes(r.randrange(1, 6)).hex() for _ in range(600)]
text = " ".join(r.choices(words, k=1300)).encode()
noise = r.randbytes(65536)


def again(n):
    """n bytes of pieces of the text in another order."""
    out = b""
    while len(out) < n:
        at, size = r.randrange(len(text)), r.choice((50, 700, 9000))
        out += text[at:at + size] + b"%d" % len(out)
    return out[:n]


def make(folder, **files):
    os.mkdir(folder)
    for name, data in files.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(data)
        os.utime(path, (10**9, 10**9))
    os.utime(folder, (10**9, 10**9))


near = again(30000)
make(sys.argv[1] + "/repeats", near=near, one_byte=b"x", text=text + again(9000),
     table=b"".join((i * i // 64).to_bytes(4, "little") + b"\1\0\0\0" for i in range(4000)),
     periods=b"".join(r.randbytes(n) * (9000 // n) for n in (1, 2, 3, 5, 8, 13, 31, 64, 65)),
     spread=b"".join(near[i:i + 1500] + bytes([i & 255]) * 110000
                     for i in range(0, 30000, 1500)),
     towards_the_end=text[::-1][:1000] + near + text, zeros=bytes(300000))
make(sys.argv[1] + "/noise", a_noise=noise, b_again=noise[1000:40000] + text + noise[:99],
     c_text=text + noise[30000:])
