#!/bin/bash
# user.arcfs.stats is JSON, and its counters count.
# lock: caches
. "$(dirname "$0")/helpers"
need getfattr

mkdir "$work/src"
seq 1 300000 >"$work/src/numbers"
random_file "$work/src/noise" 500000 8
archive "$work/src" "$work/a" -c lz4
mount_archive "$work/a.001" "$work/mnt"
stat_of() # PYTHON EXPRESSION over s
{
	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
print('"$1"')'
}
same "served at first" 0 "$(stat_of 's["bytes_served"]')"
same "decoded at first" 0 "$(stat_of 's["bytes_decoded"]')"
same "amplification at first" None "$(stat_of 's["amplification"]')"
cat "$work/mnt/numbers" "$work/mnt/noise" >/dev/null
size=$(cat "$work/src/numbers" "$work/src/noise" | wc -c)
same "all served" True "$(stat_of "s['bytes_served'] >= $size")"
same "all decoded" True "$(stat_of "s['bytes_decoded'] >= $size")"
same "less read than decoded" True \
	"$(stat_of '0 < s["bytes_read"] < s["bytes_decoded"]')"
same "reads" True "$(stat_of 's["operations"]["read"]["count"] > 0')"
same "amplification" True "$(stat_of "abs(s['amplification'] -
	s['bytes_decoded'] / s['bytes_served']) < .001")"
same "hit rate" True "$(stat_of "all(abs(c['hit_rate'] -
	c['hits'] / (c['hits'] + c['misses'])) < .001
	for c in (s['cache'], s['index_cache']))")"
same "misses" True "$(stat_of 's["cache"]["misses"] > 0')"
same "bytes held" True "$(stat_of "s['cache']['bytes'] >= $size")"
same "index" True "$(stat_of 's["index_cache"]["bytes"] > 0')"
same "by codec" True \
	"$(stat_of 'sum(s["segments"].values()) * 65536 >= s["bytes_decoded"]')"
same "memory" True \
	"$(stat_of '1000000 < s["rss_bytes"] <= s["peak_rss_bytes"]')"
same "errors" 0 "$(stat_of 's["errors"]')"

# Cached by the kernel: another reading asks for nothing. Somebody may drop the
# kernel's caches in between, but hardly every time.
for i in 1 2 3 4 5; do
	before=$(stat_of 's["operations"]["read"]["count"]')
	cat "$work/mnt/numbers" "$work/mnt/noise" >/dev/null
	after=$(stat_of 's["operations"]["read"]["count"]')
	[ "$before" != "$after" ] || break
done
same "reads of cached files" "$before" "$after"
same "one open at most" True \
	"$(stat_of 's["operations"]["open"]["count"] <= 1')"

# The counters grow while they are asked for.
(for i in $(seq 100); do stat "$work/mnt/none$i"; done >/dev/null 2>&1) &
for i in $(seq 10); do
	stat_of 's["uptime_seconds"]' >/dev/null || fail "no JSON"
done
wait
unmount "$work/mnt"

# Asked so many times is counted so many times, and the times are in order. A
# request is counted before it is answered: nothing has to be waited for.
mkdir "$work/src/names"
archive "$work/src" "$work/b"
mount_archive "$work/b.001" "$work/mnt"
cat >"$work/counted.py" <<'P'
import json, os, sys
mnt = sys.argv[1]

def operations():
	return json.loads(os.getxattr(mnt, "user.arcfs.stats"))["operations"]

def refused(call, *args):
	try:
		call(*args)
	except OSError:
		return
	sys.exit("%s%s is there" % (call, args))

before = operations()
for i in range(150):
	refused(os.lstat, "%s/names/absent-%d" % (mnt, i))
for i in range(70):
	refused(os.getxattr, mnt + "/noise", "user.none-%d" % i)
for i in range(30):
	os.statvfs(mnt)
fd = os.open(mnt + "/noise", os.O_RDONLY)
for i in range(40):
	assert os.lseek(fd, 0, os.SEEK_HOLE) == 500000
after = operations()
grown = {k: after[k]["count"] - before[k]["count"] for k in after}
# "names" and "noise" are looked up too, again if somebody drops the kernel's
# caches. The counters are asked for their length and then for themselves.
assert 152 <= grown["lookup"] <= 160, grown
assert 71 <= grown["getxattr"] <= 72, grown
assert grown["statfs"] == 30 and grown["lseek"] == 40, grown
assert grown["readlink"] == grown["refused"] == 0, grown
for name, op in operations().items():
	times = [op[k] for k in ("p50_us", "p95_us", "p99_us", "max_us")]
	assert times == sorted(times) and times[-1] < 60e6, (name, op)
	assert (op["count"] > 0) == (times[0] > 0), (name, op)
P
python3 "$work/counted.py" "$work/mnt" || fail "counts"
unmount "$work/mnt"

# Each codec has its counter.
for codec in raw lzext3 zstd; do
	archive "$work/src" "$work/$codec" -c $codec
	mount_archive "$work/$codec.001" "$work/mnt"
	cat "$work/mnt/numbers" "$work/mnt/noise" >/dev/null
	same "$codec: segments" "{'$codec': $(((size + 65535) / 65536))}" \
		"$(stat_of 's["segments"]')"
	same "$codec: decoded" "$size" "$(stat_of 's["bytes_decoded"]')"
	same "$codec: served" True \
		"$(stat_of "$size <= s['bytes_served'] < $size + 8192")"
	unmount "$work/mnt"
done
