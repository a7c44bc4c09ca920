#!/bin/bash
# The configuration file of a mount: relative to where arcfs was started, below
# options, and with an effect.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
archive "$work/src" "$work/a"
mnt=$work/mnt
mkdir "$mnt"
cd "$work"
export XDG_CONFIG_HOME=$work/home
mkdir -p home/arcfs
echo "MAX_WORKER_THREADS = 1" >home/arcfs/config
echo "MAX_WORKER_THREADS = 6" >six
echo "MAX_WORKER_THREADS = none" >bad

# OPTION...: sets n to the threads there are after eight have read at once
count_threads()
{
	local i pid pids=

	arcfs -f "$@" a.001 mnt &
	pid=$!
	for i in $(seq 100); do
		! mountpoint -q "$mnt" || break
		sleep 0.1
	done
	mountpoint -q "$mnt" || fail "not mounted: $*"
	for i in $(seq 8); do
		diff -r src/many mnt/many &
		pids="$pids $!"
		cmp src/big mnt/big &
		pids="$pids $!"
	done
	for i in $pids; do
		wait "$i" || fail "$*: what is read differs"
	done
	n=$(ls "/proc/$pid/task" | wc -l)
	unmount "$mnt"
	wait "$pid" || fail "$*: arcfs ends with $?"
}

count_threads
same "threads of one that serves, and the first" 2 "$n"
count_threads -o config=six
[ "$n" -gt 3 ] || fail "six serve: $n threads"
count_threads -o config=six,threads=1
same "threads where the option says so" 2 "$n"

same "a bad value" 2 "$(status_of arcfs -o config=bad a.001 mnt)"
contains "a bad value" "arcfs: bad:1: MAX_WORKER_THREADS: 'none' is not a" \
	"$(cat err)"
same "a missing file" 2 "$(status_of arcfs -o config=none a.001 mnt)"
contains "a missing file" "arcfs: none: No such file" "$(cat err)"
! mountpoint -q "$mnt" || fail "mounted"
