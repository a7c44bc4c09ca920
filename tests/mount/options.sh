#!/bin/bash
# uid=, gid=, umask=, threads=, sizes, --help and --version.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
archive "$work/src" "$work/a"
mnt=$work/mnt
mount_archive "$work/a.001" "$mnt" -o uid=4711,gid=4712,umask=0027
same "owners" "4711 4712" "$(find "$mnt" -printf '%U %G\n' | sort -u)"
same "mode" 4750 "$(stat -c %a "$mnt/numbers")"
same "bits taken away" "" "$(find "$mnt" ! -type l -perm /0027)"
same "type" fifo "$(stat -c %F "$mnt/fifo")"
unmount "$mnt"

for options in threads=1 threads=64 cache_size=1M,index_cache_size=1M \
	"cache_size=1m,threads=2"; do
	mount_archive "$work/a.001" "$mnt" -o "$options"
	for name in big numbers sparse sub/big-again; do
		cmp "$work/src/$name" "$mnt/$name" || fail "$options: $name" &
		pids="${pids:-} $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "$options"
	done
	pids=
	unmount "$mnt"
done

for flag in -h --help; do
	same "$flag" 0 "$(status_of arcfs $flag)"
	same "$flag on stderr" "" "$(cat "$work/err")"
	contains "$flag" "Usage: arcfs" "$(cat "$work/out")"
	same "wide lines" "" "$(awk 'length > 80' "$work/out")"
done
for flag in -V --version; do
	same "$flag" 0 "$(status_of arcfs $flag)"
	contains "$flag" "arcfs " "$(cat "$work/out")"
done
