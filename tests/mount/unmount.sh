#!/bin/bash
# A mount ends by unmounting and by signals, with files open too, and never
# stays behind in a way that fusermount3 -u cannot clear.
. "$(dirname "$0")/helpers"

mkdir "$work/src"
random_file "$work/src/data" 2000000 6
archive "$work/src" "$work/a"
mnt=$work/mnt

gone() # PID: waits until it has ended
{
	for i in $(seq 100); do
		[ -e "/proc/$1/exe" ] || return 0 # a zombie has none
		sleep 0.1
	done
	fail "arcfs is still there"
}

# The pid of the arcfs that serves $mnt: it has the archive's name and ours.
server() { pgrep -f "arcfs $work/a.001 $mnt" | head -n 1; }
need pgrep

mount_archive "$work/a.001" "$mnt"
pid=$(server)
unmount "$mnt"
gone "$pid"

# Busy: refused as for every file system; lazily it goes.
mount_archive "$work/a.001" "$mnt"
pid=$(server)
exec 5<"$mnt/data"
[ "$(status_of fusermount3 -u "$mnt")" != 0 ] || fail "unmounted while busy"
contains "busy" "busy" "$(cat "$work/err")"
cmp - "$work/src/data" <&5 || fail "content differs"
fusermount3 -u -z "$mnt"
! mountpoint -q "$mnt" || fail "still mounted"
exec 5<&-
gone "$pid"

for signal in TERM INT HUP; do
	mount_archive "$work/a.001" "$mnt"
	pid=$(server)
	exec 5<"$mnt/data"
	kill -$signal "$pid"
	gone "$pid"
	! mountpoint -q "$mnt" || fail "$signal: still mounted"
	exec 5<&-
	same "$signal: left below" "" "$(ls -A "$mnt")"
done

mount_archive "$work/a.001" "$mnt"
pid=$(server)
exec 5<"$mnt/data"
kill -KILL "$pid"
gone "$pid"
[ "$(status_of ls "$mnt")" != 0 ] || fail "KILL: something still answers"
exec 5<&-
fusermount3 -u "$mnt" || fail "KILL: cannot be cleared"
same "KILL: left below" "" "$(ls -A "$mnt")"

# In the foreground the exit status is that of the mount.
arcfs "$work/a.001" "$mnt" -f &
pid=$!
for i in $(seq 100); do
	! mountpoint -q "$mnt" || break
	sleep 0.1
done
cmp "$mnt/data" "$work/src/data" || fail "-f: content differs"
unmount "$mnt"
wait $pid || fail "-f: exit status $?"
