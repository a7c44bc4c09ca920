#!/bin/bash
# An archive of many more volumes than there may be open files.
. "$(dirname "$0")/helpers"

mkdir "$work/src"
for i in $(seq 1 12); do
	random_file "$work/src/file$i" 10000000 $i
done
archive "$work/src" "$work/a" -s 1M -c raw
count=$(ls "$work"/a.* | wc -l)
[ "$count" -gt 100 ] || fail "only $count volumes"
mkdir "$work/mnt"
(
	ulimit -n 64
	arcfs "$work/a.001" "$work/mnt"
) || fail "cannot mount"
for i in $(seq 1 12); do
	cmp "$work/src/file$i" "$work/mnt/file$i" || fail "file$i differs" &
	pids="${pids:-} $!"
done
for pid in $pids; do
	wait "$pid" || fail "parallel reading"
done
server=$(pgrep -f "arcfs $work/a.001" | head -n 1)
open=$(ls "/proc/$server/fd" | wc -l)
[ "$open" -le 64 ] || fail "$open descriptors are open"
unmount "$work/mnt"
