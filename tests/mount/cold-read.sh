#!/bin/bash
# A small read at a place that nobody has read before decodes 1 MiB at most, on
# average, though frames have 16 MiB.
. "$(dirname "$0")/helpers"

# 64 MiB of text, tables, noise, and repeats from near and far.
cat >"$work/make.py" <<'P'
import random, sys

r = random.Random(11)
words = [r.randbytes(r.randrange(1, 9)).hex() for _ in range(4000)]
with open(sys.argv[1], "wb") as f:
    for i in range(64):
        kind, piece = i % 4, b""
        if kind == 0:
            piece = " ".join(r.choices(words, k=140000)).encode()
        elif kind == 1:
            piece = b"".join(n.to_bytes(8, "little")
                             for n in range(i, i + 3 * 131072, 3))
        elif kind == 2:
            piece = r.randbytes(1 << 20)
        else:  # what was written 1, 2 or 3 MiB ago and what began the file
            piece = before[i % 3][:1 << 19] + first[:1 << 19]
        piece = (piece + bytes(1 << 20))[:1 << 20]
        before = ([piece] + before)[:3] if i else [piece]
        first = first if i else piece
        f.write(piece)
P
mkdir "$work/src"
python3 "$work/make.py" "$work/src/mixed"

# Reads 4 KiB in 200 places, none near one of the last, and prints the mean of
# the bytes that were decoded for each, and the most.
cat >"$work/read.py" <<'P'
import json, os, random, sys

mnt, source = sys.argv[1:]
r, last, costs = random.Random(4), [], []


def decoded():
    s = json.loads(os.getxattr(mnt, "user.arcfs.stats"))
    assert s["bytes_decoded"] >= s["bytes_served"] - 4096
    return s["bytes_decoded"]


f, plain = os.open(mnt + "/mixed", os.O_RDONLY), open(source, "rb").read()
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_RANDOM)
while len(costs) < 200:
    at = r.randrange(len(plain) // 4096) * 4096
    if any(abs(at - other) < 2 << 20 for other in last[-4:]) or at in last:
        continue
    last.append(at)
    before = decoded()
    assert os.pread(f, 4096, at) == plain[at:at + 4096], at
    costs.append(decoded() - before)
assert min(costs) > 0, "one was not cold"
print(sum(costs) // len(costs), max(costs))
P

cold() # NAME OPTION...: prints mean and maximum of the bytes decoded
{
	local name=$1
	shift
	archive "$work/src" "$work/$name" "$@"
	mount_archive "$work/$name.001" "$work/mnt" -o cache_size=1M
	python3 "$work/read.py" "$work/mnt" "$work/src/mixed" ||
		fail "$name: reading"
	unmount "$work/mnt"
}

at_most() # NAME BYTES COSTS
{
	echo "$1: decoded for a cold 4 KiB: mean ${3% *}, most ${3#* }"
	[ "${3% *}" -le "$2" ] || fail "$1: ${3% *} bytes on average"
}

at_most default 1048576 "$(cold default)"
at_most 1M 1048576 "$(cold 1M --reach 1M)"
at_most zstd 1048576 "$(cold zstd -c zstd --reach 1M)"

# Where reach is small, so is the cost.
at_most 64K 65536 "$(cold 64K --reach 64K)"
