#!/bin/bash
# A file of ten terabytes, nearly all of it hole, is archived in little memory and
# time, and what is read of it is right.
. "$(dirname "$0")/tool_helpers"

size=$((10 << 40))
mkdir src
truncate -s $size src/huge 2>/dev/null || skip "no file of ten terabytes here"
for at in 0 123456789 $((size / 2)) $((size - 5)); do
	printf 'here' | dd of=src/huge bs=1 seek=$at conv=notrunc status=none
done
truncate -s $size src/hole # of the same size: a duplicate it is not
expect 0 timeout 100 mkarchive --no-sync --json --digest none -j 2 -l 1 \
	src set
python3 - <<'P'
import json
s = json.load(open("out"))
assert s["bytes_in"] == 2 * (10 << 40), s
assert s["read_bytes"] <= 4 * (1 << 16), s
assert s["hole_bytes"] >= 2 * (10 << 40) - 8 * (1 << 16), s
assert s["bytes_out"] < 1 << 20, s
assert s["dedup"]["duplicates"] == 0, s
print("%.2f s, %d MiB" % (s["seconds"], s["peak_rss_bytes"] >> 20))
P
grep -q 'lib[at]san' <(ldd "$bin/mkarchive") ||
	[ "$(python3 -c 'import json
print(json.load(open("out"))["peak_rss_bytes"] >> 20)')" -lt 576 ] ||
	fail "too much memory"
expect 0 arctool list --json set.001
contains out "\"size\":$size"

# One that is hole from end to end is one extent less, and no data at all.
rm src/huge set.*
expect 0 timeout 100 mkarchive --no-sync --json --digest none src set
python3 - <<'P'
import json
s = json.load(open("out"))
assert s["hole_bytes"] == s["bytes_in"] == 10 << 40, s
assert s["frames"] == 0 and s["read_bytes"] == 0, s
P
