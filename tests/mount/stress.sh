#!/bin/bash
# Many processes read a mount at once: at odd places across the borders of
# segments, groups, frames and volumes, through the kernel's cache, beside it
# and mapped, while caches are dropped and the mount's own is tiny. No byte
# differs, no read is stuck, memory stays within bounds, unmounting works.
#
# Takes ten seconds, or STRESS_SECONDS; STRESS_SEED says what is read.
# lock: caches
. "$(dirname "$0")/helpers"
reader=$bin/../tests/stress_read
[ -x "$reader" ] || skip "stress_read is not built"
need getfattr

seed=${STRESS_SEED:-1}
each=$(((${STRESS_SECONDS:-10} + 4) / 5)) # seconds for each of five mounts
echo "seed $seed, $each s each"

# Text, noise, both in turns, holes, duplicates, and many small files: 11 MiB.
mkdir "$work/src" "$work/mnt"
python3 - "$work/src" <<'P'
import os, random, sys

root, r = sys.argv[1], random.Random(5)
words = [r.randbytes(r.randrange(1, 7)).hex() for _ in range(3000)]


def text(n):
    return (" ".join(r.choices(words, k=n // 5)).encode() + bytes(n))[:n]


def write(name, data):
    with open(os.path.join(root, name), "wb") as f:
        f.write(data)


write("text", text(4000001))
write("noise", r.randbytes(1500001))
write("turns", b"".join(text(70001) if i % 2 else r.randbytes(30011)
                        for i in range(60)))
write("again", text(70001) * 20)
write("text-again", open(root + "/text", "rb").read())
with open(root + "/holes", "wb") as f:
    for i in range(6):
        f.seek(r.randrange(300000), os.SEEK_CUR)
        f.write(text(r.randrange(1, 100000)))
    f.truncate(f.tell() + 123457)
os.mkdir(root + "/small")
for i in range(400):
    write("small/%d" % i, text(r.randrange(9000)))
P

archive "$work/src" "$work/lz4" -c lz4 -F 256K --reach 64K -s 1M
archive "$work/src" "$work/lzext3" -c lzext3 -l 3 -F 1M --reach 256K --far 4 \
	-s 2M
archive "$work/src" "$work/zstd" -c zstd -l 1 --reach 16M

sanitized() # PID
{
	grep -qE 'lib(a|t)san' "/proc/$1/maps"
}

memory() # PID FIELD: KiB
{
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

# The dropping of caches needs root; without it the readers' advice has to do.
drop_caches()
{
	while sleep 0.3 && [ -d "$work/src" ]; do
		echo 3 >/proc/sys/vm/drop_caches || exit 0
	done 2>/dev/null
}

# Mounts SET with OPTIONS and reads it; what one read may pin at most beyond
# the cache is ALLOWED, in MiB.
stress() # SET OPTIONS ALLOWED READER_OPTION...
{
	local set=$1 options=$2 allowed=$3 server dropper status=0 i
	shift 3

	arcfs -f -o "$options" "$work/$set.001" "$work/mnt" \
		2>"$work/messages" &
	server=$!
	for i in $(seq 1000); do
		! mountpoint -q "$work/mnt" || break
		sleep 0.02
	done
	drop_caches &
	dropper=$!
	"$reader" -s "$seed" -t "$each" "$@" "$work/src" "$work/mnt" ||
		status=$?
	kill $dropper
	wait $dropper || true
	kill -0 $server || fail "$set, $options: arcfs is gone"
	[ $status = 0 ] || fail "$set, $options: the reader ended with $status"

	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c '
import json, sys
s = json.load(sys.stdin)
print("%d requests to read, %d MiB decoded, %d evictions" % (
    s["operations"]["read"]["count"], s["bytes_decoded"] >> 20, s["cache"]["evictions"]))
assert s["errors"] == 0 and s["bad_segments"] == 0, s
assert s["operations"]["read"]["count"] > 0, s' || fail "$set, $options: counters"
	echo "$set, $options: $(memory $server VmRSS) KiB," \
		"at most $(memory $server VmHWM) KiB"
	# A sanitizer's own memory is not the program's.
	sanitized $server ||
		[ "$(memory $server VmHWM)" -le $((allowed * 1024)) ] ||
		fail "$set, $options: more than $allowed MiB"

	timeout 60 fusermount3 -u "$work/mnt" || fail "$set: cannot unmount"
	wait $server || status=$?
	[ ! -s "$work/messages" ] || cat "$work/messages"
	same "$set, $options: arcfs's exit status" 0 $status
	same "$set, $options: messages" "" "$(head -n 1 "$work/messages")"
}

# The allowance is the cache and 64 MiB. A group of zstd's is decoded whole, so
# that each request may hold one, and the stored bytes of it.
stress lz4 cache_size=1M,index_cache_size=1M 66 -n 16 -b 65536
stress lzext3 cache_size=1M,threads=1 65 -n 8 -b 262144
stress lzext3 cache_size=2M,threads=16 66 -n 64 -b 1048576 -f text
stress zstd cache_size=1M,threads=2 129 -n 8 -b 65536
stress lz4 cache_size=64M,threads=16 128 -n 16 -b 262144
