#!/bin/bash
# user.arcfs.stats is JSON, and its counters count.
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
cat "$work/mnt/numbers" "$work/mnt/noise" >/dev/null
size=$(cat "$work/src/numbers" "$work/src/noise" | wc -c)
same "all served" True "$(stat_of "s['bytes_served'] >= $size")"
same "all decoded" True "$(stat_of "s['bytes_decoded'] >= $size")"
same "less read than decoded" True \
	"$(stat_of '0 < s["bytes_read"] < s["bytes_decoded"]')"
same "reads" True "$(stat_of 's["requests"]["read"] > 0')"
same "misses" True "$(stat_of 's["cache"]["misses"] > 0')"
same "bytes held" True "$(stat_of "s['cache']['bytes'] >= $size")"
same "index" True "$(stat_of 's["index_cache"]["bytes"] > 0')"
same "by codec" True \
	"$(stat_of 'sum(s["segments"].values()) * 65536 >= s["bytes_decoded"]')"
same "memory" True "$(stat_of 's["rss_bytes"] > 1000000')"
same "errors" 0 "$(stat_of 's["errors"]')"

# Cached by the kernel: another reading asks for nothing. Somebody may drop the
# kernel's caches in between, but hardly every time.
for i in 1 2 3 4 5; do
	before=$(stat_of 's["requests"]["read"]')
	cat "$work/mnt/numbers" "$work/mnt/noise" >/dev/null
	after=$(stat_of 's["requests"]["read"]')
	[ "$before" != "$after" ] || break
done
same "reads of cached files" "$before" "$after"
same "one open at most" True "$(stat_of 's["requests"]["open"] <= 1')"

# The counters grow while they are asked for.
(for i in $(seq 100); do stat "$work/mnt/none$i"; done >/dev/null 2>&1) &
for i in $(seq 10); do
	stat_of 's["uptime_seconds"]' >/dev/null || fail "no JSON"
done
wait
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
