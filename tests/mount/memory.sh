#!/bin/bash
# A parallel read of everything stays within cache_size and what the program
# itself takes, also with a cache that is smaller than one group of each reader.
. "$(dirname "$0")/helpers"
need pgrep

mkdir "$work/src"
for i in $(seq 1 8); do
	seq -f "%.0f line of file $i" 1 250000 >"$work/src/text$i"
	random_file "$work/src/noise$i" 2000000 $i
done
archive "$work/src" "$work/a" -c lz4
archive "$work/src" "$work/far" --reach 16M
archive "$work/src" "$work/whole" -c zstd --reach 4M

# Everything is read by as many as there are files, times some.
read_by_many() # TIMES
{
	local i k pids=

	for k in $(seq "$1"); do
		for i in $(seq 1 8); do
			cmp "$work/src/text$i" "$work/mnt/text$i" &
			pids="$pids $!"
			dd if="$work/mnt/noise$i" bs=128K iflag=direct \
				status=none | cmp - "$work/src/noise$i" &
			pids="$pids $!"
		done
	done
	for i in $pids; do
		wait "$i" || fail "other bytes"
	done
}

check() # VOLUME CACHE_MIB MORE_MIB THREADS TIMES
{
	local peak server

	mount_archive "$work/$1.001" "$work/mnt" \
		-o "cache_size=${2}M,index_cache_size=1M,threads=$4"
	read_by_many "$5"
	server=$(pgrep -n -f "arcfs $work/$1.001")
	peak=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
	echo "$1: cache $2 MiB, $4 threads: peak $peak KiB"
	# A sanitizer's own memory is not the program's.
	if ! grep -qE 'lib(a|t)san' "/proc/$server/maps"; then
		[ "$peak" -le $((($2 + $3) * 1024)) ] || fail "$peak KiB"
	fi
	unmount "$work/mnt"
}

# Beside the cache: the program (some 4 MiB, and some for each thread), and one
# request that passes the ceiling.
check a 16 16 10 1
check a 1 16 64 4
check far 32 48 16 1
check whole 1 24 64 1
