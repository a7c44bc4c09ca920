#!/bin/bash
# A parallel read of everything stays within cache_size + 64 MiB.
. "$(dirname "$0")/helpers"
need pgrep

mkdir "$work/src"
for i in $(seq 1 8); do
	seq -f "%.0f line of file $i" 1 700000 >"$work/src/text$i"
	random_file "$work/src/noise$i" 4000000 $i
done
archive "$work/src" "$work/a" -c lz4
mount_archive "$work/a.001" "$work/mnt" -o cache_size=16M
for i in $(seq 1 8); do
	cat "$work/mnt/text$i" >/dev/null &
	cat "$work/mnt/noise$i" >/dev/null &
done
wait
server=$(pgrep -f "arcfs $work/a.001" | head -n 1)
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
echo "peak $peak KiB"
# A sanitizer's own memory is not the program's.
if ! grep -qE 'lib(a|t)san' "/proc/$server/maps"; then
	[ "$peak" -le $(((16 + 64) * 1024)) ] || fail "$peak KiB"
fi
for i in $(seq 1 8); do
	cmp "$work/src/text$i" "$work/mnt/text$i" || fail "text$i differs"
done
unmount "$work/mnt"
