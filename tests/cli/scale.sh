#!/bin/bash
# label: slow
# timeout: 3600
# Memory does not grow with the number of names: trees of a million, of several
# shapes, in less than 256 MiB. (Nothing is compressed: what that takes comes on
# top.) ARC_SCALE=5000000 makes them larger; a table of such trees is
# tests/perf/results/create-scale.md.
. "$(dirname "$0")/tool_helpers"
make_shape=$bin/../tests/make_shape
[ -x "$make_shape" ] || skip "make_shape is not built"
entries=${ARC_SCALE:-1000000}
free=$(df -Pk . | awk 'NR == 2 { print $4 }')
inodes=$(df -Pi . | awk 'NR == 2 { print $4 }')
[ "$free" -gt $((entries * 3)) ] && [ "$inodes" -gt $((entries * 2)) ] ||
	skip "needs room for $entries files in ${TMPDIR:-/tmp}"

for shape in folders folder links names xattrs; do
	expect 0 "$make_shape" $shape $entries tree
	expect 0 mkarchive --no-sync --force --json -j 2 tree set
	python3 - $shape $entries <<'P'
import json, sys
s, entries = json.load(open("out")), int(sys.argv[2])
peak = s["peak_rss_bytes"]
print("%-8s %.1f s, %.0f MiB" % (sys.argv[1], s["seconds"], peak / 2 ** 20))
assert s["files"] + s["hardlinks"] == entries, s
assert peak <= 256 << 20, peak
P
	rm -rf tree
done
