#!/bin/bash
# label: slow
# timeout: 3600
# Ten million entries: duplicates are looked for and the index, which is small,
# is written in bounded memory, and mounting takes as long and as much memory as
# for one entry.
. "$(dirname "$0")/helpers"
make_scale=$bin/../tests/make_scale
[ -x "$make_scale" ] || skip "make_scale is not built"
entries=${ARC_SCALE:-10000000}
free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
[ "$free" -gt 6000000 ] || skip "needs 6 GB in ${TMPDIR:-/tmp}"

"$make_scale" "$entries" "$work/many" >"$work/made.json"
cat "$work/made.json"
mkdir "$work/empty"
"$make_scale" "$entries" "$work/empty" one-size >"$work/sought.json"
cat "$work/sought.json"
mkdir "$work/one" "$work/mnt"
echo one >"$work/one/file"
archive "$work/one" "$work/single"

# RSS of the mount's process before the first lookup, in KiB
rss_of() # VOLUME
{
	local pid i

	arcfs -f "$1" "$work/mnt" &
	pid=$!
	for i in $(seq 2000); do
		mountpoint -q "$work/mnt" && break
		sleep 0.01
	done
	awk '$1 == "VmRSS:" { print $2 }' /proc/$pid/status
	unmount "$work/mnt" >&2
	wait $pid
}

fastest_mount() # VOLUME: milliseconds, the best of nine
{
	local i

	for i in 1 2 3 4 5 6 7 8 9; do
		python3 -c 'import subprocess, sys, time
t = time.perf_counter()
subprocess.run(["arcfs"] + sys.argv[1:], check=True)
print(int((time.perf_counter() - t) * 1000))' "$1" "$work/mnt"
		unmount "$work/mnt"
	done | sort -n | head -n 1
}

small=$(fastest_mount "$work/single.001")
large=$(fastest_mount "$work/many.001")
rss=$(rss_of "$work/many.001")
echo "mount: $small ms for one entry, $large ms for $entries; $rss KiB"
[ "$large" -lt 50 ] || fail "mounting takes $large ms"
[ "$rss" -lt 32768 ] || fail "mounting takes $rss KiB"

python3 - "$work/made.json" "$work/sought.json" <<'P'
import json, sys
m = json.load(open(sys.argv[1]))
each = m["index_bytes"] / m["entries"] - 16
print("index: %.1f bytes per entry with its name, beside its digest" % each)
assert each <= 24, each
for m in json.load(open(sys.argv[1])), json.load(open(sys.argv[2])):
    assert m["peak_rss_kib"] < 1 << 19, m
P

# Somewhere in the middle, the first, the last, and one that is not there.
mount_archive "$work/many.001" "$work/mnt"
folders=$(ls "$work/mnt" | wc -l)
same "folders" $(((entries + 1000) / 1001)) "$folders"
for folder in 0 $((folders / 2)) $((folders - 1)); do
	path=$work/mnt/$(printf 'folder-%06d' $folder)
	same "files of $path" 1000 "$(ls -l "$path" | grep -c '^-')"
done
[ ! -e "$path/nothing" ] || fail "a file that is not there"
same "inodes" $((folders * 1001 + 1)) "$(stat -f -c %c "$work/mnt")"
unmount "$work/mnt"
