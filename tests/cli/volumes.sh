#!/bin/bash
# timeout: 900
# Volumes: none is longer than asked, any of them may be named, sets beside
# each other are never mixed up, and there may be more than 999.
. "$(dirname "$0")/tool_helpers"

mkdir src other
python3 - <<'P'
import random
for i in range(1, 7):
    for folder, seed in ("src", i), ("other", 10 + i):
        with open("%s/%d" % (folder, i), "wb") as f:
            f.write(random.Random(seed).randbytes(900000))
P

# SET LIMIT
within()
{
	local volume

	for volume in $1.[0-9]*; do
		[ "$(stat -c %s "$volume")" -le $2 ] ||
			fail "$volume is longer than $2"
	done
}

# The last volume, with the index, is no exception.
mkdir names
python3 - <<'P'
import random
r = random.Random(4)
for i in range(12000):
    open("names/%032x" % r.getrandbits(128), "w").close()
P
expect 0 mkarchive -q --no-sync -s 1M names index
within index 1048576
expect 0 arctool verify -q index.001
for size in 1M 1048577 1500000 3M; do
	expect 0 mkarchive -q --no-sync --force -s $size src size
	case $size in
	*M) within size $((${size%M} * 1048576)) ;;
	*) within size $size ;;
	esac
	expect 0 arctool verify -q size.001
done
rm size.*

# Sets whose names begin alike, and files that only look like volumes.
mkarchive -q --no-sync -s 1M src a
mkarchive -q --no-sync -s 1M other a.b
cp a.001 a.1
cp a.001 a.0001
cp a.b.002 a.b.02
mkdir a.099
for volume in a.001 a.004 a.006; do
	rm -rf dest
	expect 0 arctool extract -q $volume dest
	same_trees src dest
done
for volume in a.b.001 a.b.003 a.b.006; do
	rm -rf dest
	expect 0 arctool extract -q $volume dest
	same_trees other dest
done
rmdir a.099

# Left-overs with higher numbers, of another set or of none, are ignored.
mkarchive -q --no-sync -s 1M names stale
cp stale.001 a.050
cp a.b.006 a.051
head -c 100 a.003 >a.052
: >a.053
rm -rf dest
expect 0 arctool extract -q a.002 dest
same_trees src dest
rm a.05*

# A volume that is missing, foreign or at the wrong place.
mkdir keep
cp a.0* keep
rm a.003
expect 1 arctool verify -q a.001
rm -rf dest
expect 1 arctool extract -q a.001 dest
contains err 'a\.003'
[ "$(find dest -type f | wc -l)" = 6 ] || fail "files are missing"
good=0
for i in $(seq 6); do
	! cmp -s src/$i dest/$i || good=$((good + 1))
done
[ $good -ge 4 ] || fail "only $good files came back"
cp a.b.003 a.003
expect 1 arctool verify -q a.001
cp keep/a.004 a.003
expect 1 arctool verify -q a.001
cp keep/a.003 a.003
expect 0 arctool verify -q a.001
mv a.006 gone
expect 3 arctool info a.001
contains err 'a'
mv gone a.006
expect 0 arctool info a.001

# A name without a number is refused with a hint.
expect 3 arctool info a
contains err '\.001'

# Data is on the disk when all is done, and on its way before; --no-sync leaves
# both to the system.
if strace -o trace true 2>/dev/null; then
	# A sanitizer cannot look for leaks under a tracer.
	ASAN_OPTIONS=detect_leaks=0 expect 0 strace -f -o trace \
		-e trace=fsync,sync_file_range mkarchive -q src synced
	grep -q 'fsync(' trace || fail "nothing is synced"
	grep -q 'sync_file_range(' trace || fail "nothing is begun early"
	ASAN_OPTIONS=detect_leaks=0 expect 0 strace -f -o trace \
		-e trace=fsync,sync_file_range mkarchive -q --no-sync src unsynced
	! grep -q 'sync' trace || fail "--no-sync: $(head -n 1 trace)"
	rm synced.* unsynced.*
fi

# Dots in the name stay.
expect 0 mkarchive -q --no-sync src x.y.z
[ -e x.y.z.001 ] || fail "x.y.z.001 is not there"

# More than 999 volumes, with few open at a time. The frames are so long that
# no two fit a volume.
rm -rf dest src/* *.0*
python3 - <<'P'
import random
frame = bytearray(random.Random(5).randbytes(9 << 16))
for part in range(13):
    with open("src/%02d" % part, "wb") as f:
        for i in range(77):
            frame[:8] = (part * 77 + i).to_bytes(8, "little")
            f.write(frame)
P
expect 0 mkarchive -q --no-sync -c raw -F 576K -s 1M src many
[ -e many.1000 ] && [ -e many.1001 ] || fail "fewer than 1000 volumes"
within many 1048576
(
	ulimit -n 64
	arctool verify -q many.1000
	arctool extract -q many.1000 dest 00 12
) || fail "many volumes, few descriptors"
cmp src/00 dest/00 && cmp src/12 dest/12 || fail "the content differs"
