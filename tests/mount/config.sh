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

# ENOUGH OPTION...: sets n to the threads there are after many have read at once,
# again and again until there are enough, or it is in vain
count_threads()
{
	local enough=$1 i k pid pids

	shift
	arcfs -f "$@" a.001 mnt &
	pid=$!
	for i in $(seq 100); do
		! mountpoint -q "$mnt" || break
		sleep 0.1
	done
	mountpoint -q "$mnt" || fail "not mounted: $*"
	n=0
	for k in $(seq 20); do
		[ "$n" -lt "$enough" ] || break
		pids=
		for i in $(seq 12); do
			dd if=mnt/big iflag=direct bs=64K status=none |
				cmp src/big - &
			pids="$pids $!"
		done
		for i in $pids; do
			wait "$i" || fail "$*: what is read differs"
		done
		n=$(ls "/proc/$pid/task" | wc -l)
	done
	unmount "$mnt"
	wait "$pid" || fail "$*: arcfs ends with $?"
}

# Beside those that serve there are four, which arcfs.conf(5) names.
count_threads 100
one=$n
[ "$n" -le 5 ] || fail "one serves: $n threads"
count_threads $((one + 3)) -o config=six
[ "$n" -ge $((one + 3)) ] || fail "six serve: $n threads, one: $one"
count_threads 100 -o config=six,threads=1
[ "$n" -le $((one + 1)) ] || fail "the option says one: $n threads, not $one"

same "a bad value" 2 "$(status_of arcfs -o config=bad a.001 mnt)"
contains "a bad value" "arcfs: bad:1: MAX_WORKER_THREADS: 'none' is not a" \
	"$(cat err)"
same "a missing file" 2 "$(status_of arcfs -o config=none a.001 mnt)"
contains "a missing file" "arcfs: none: No such file" "$(cat err)"
! mountpoint -q "$mnt" || fail "mounted"
