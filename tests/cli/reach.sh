#!/bin/bash
# Repeats are found as far back as the reach says, far references find some of
# those behind it, and --reach auto gives each frame the reach that it needs.
. "$(dirname "$0")/tool_helpers"

mkdir twice long near middle fourfold far
python3 - <<'P'
import random
r = random.Random(1)
K, M = 1 << 10, 1 << 20


def put(name, *pieces):
    with open(name, "wb") as f:
        f.writelines(pieces)


half = r.randbytes(8 * M)
put("twice/file", half, half)
put("long/file", half, r.randbytes(12 * M), half)
# A frame each, of pieces and their copies.
put("near/file", *[r.randbytes(32 * K) * 2 for i in range(256)])
put("middle/file", *[r.randbytes(512 * K) * 2 for i in range(16)])
put("fourfold/file", *[r.randbytes(256 * K) * 4 for i in range(16)])
put("far/file", half, half)
P

# FOLDER OPTION...: sets n to the size of the archive
size_of()
{
	local src=$1

	shift
	expect 0 mkarchive -q --no-sync --force -l 3 "$@" $src set
	expect 0 arctool verify -q set.001
	n=$(cat set.* | wc -c)
}

# LOW HIGH: n, in KiB
between()
{
	[ $n -ge $(($1 << 10)) ] && [ $n -le $(($2 << 10)) ] ||
		fail "$n bytes, not $1 to $2 KiB"
}

# 8 MiB of random bytes twice, directly one after the other and 12 MiB apart,
# which no frame spans.
size_of twice
between 16384 16500
for level in 1 3 6 9; do
	size_of twice --reach 16M -l $level
	between 8192 8300
done
rm -rf dest
expect 0 arctool extract set.001 dest
same_trees twice dest
size_of long --reach 16M
between 28672 28900

# What the window of LZ4 does not see.
size_of middle -c lz4 -l 1
between 16384 16500
size_of middle
between 8192 8300
size_of middle --reach 256K
between 16384 16500
size_of near --reach 64K
between 8192 8300

# The reach of each frame, as powers of two.
reaches()
{
	python3 - "$tests/golden" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
import arcread
a = arcread.Archive("set.001")
print(*[a.row(8, i)["group_log"] for i in range(a.tables[8][0])])
P
}

# FOLDER REACH...: auto chooses that, and loses little by it
chooses()
{
	local src=$1 most

	shift
	size_of $src --reach 16M
	most=$((n + n / 16))
	size_of $src --reach auto
	[ $n -le $most ] || fail "$src: $n bytes of at most $most"
	[ "$(reaches)" = "$*" ] || fail "$src: reach $(reaches), not $*"
}

chooses near 16
chooses middle 20
chooses fourfold 20
chooses far 24
mkdir all
cat near/file middle/file far/file >all/file
chooses all 16 20 24

# No more than a frame, however it is cut.
size_of near --reach auto -F 64K
[ "$(reaches | tr ' ' '\n' | sort -u)" = 16 ] || fail "reach: $(reaches)"
size_of far --reach auto -F 9M
# The second frame is noise: RAW.
[ "$(reaches)" = "24 18" ] || fail "reach: $(reaches)"

# Far references, one segment or many for each; beyond the frame there is none.
mkdir mixed
python3 - <<'P'
import random
r = random.Random(2)
pieces = [r.randbytes(16 << 10) for i in range(256)]
with open("mixed/file", "wb") as f:
    f.writelines(pieces)
    f.writelines(r.sample(pieces, len(pieces)))
P
size_of twice --far 16
between 8192 8300
last=999999999
for far in 0 1 2 16; do
	size_of mixed --reach 256K --far $far
	[ $n -lt $last ] || fail "--far $far: $n bytes after $last"
	last=$n
done
between 4096 4200
rm -rf dest
expect 0 arctool extract set.001 dest
same_trees mixed dest
size_of mixed --reach 256K --far 16 -F 4M
between 8192 8300
