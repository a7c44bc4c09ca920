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
# the bytes that were decoded for each, and the most. On a busy machine a thread
# that was slow to let go of a group may have kept it: that place was not cold.
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
    assert len(last) < 400, "too few were cold"
    at = r.randrange(len(plain) // 4096) * 4096
    if any(abs(at - other) < 2 << 20 for other in last[-8:]) or at in last:
        continue
    last.append(at)
    before = decoded()
    assert os.pread(f, 4096, at) == plain[at:at + 4096], at
    if decoded() > before:
        costs.append(decoded() - before)
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

at_most() # BYTES NAME OPTION...
{
	local most=$1 name=$2 costs
	shift
	costs=$(cold "$@") || exit 1
	echo "$name: decoded for a cold 4 KiB: mean ${costs% *}, most ${costs#* }"
	[ "${costs% *}" -le "$most" ] || fail "$name: ${costs% *} on average"
}

at_most 1048576 default
at_most 1048576 1M --reach 1M
at_most 1048576 zstd -c zstd --reach 1M

# Where reach is small, so is the cost.
at_most 65536 64K --reach 64K
