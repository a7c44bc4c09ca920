#!/bin/bash
# A mount gives memory back: after a time without use (tidy=) and when it is
# asked to (SIGUSR1).
. "$(dirname "$0")/helpers"
need getfattr pgrep

mkdir "$work/src"
for i in $(seq 1 6); do
	seq -f "%.0f line of file $i" 1 500000 >"$work/src/text$i"
done
archive "$work/src" "$work/a"
archive "$work/src" "$work/whole" -c zstd --reach 16M

# The mount that served last; a sanitizer's own memory is not the program's.
server_of() # VOLUME
{
	server=$(pgrep -n -f "arcfs $1")
	measured=yes
	! grep -qE 'lib(a|t)san' "/proc/$server/maps" || measured=no
}

rss() # KiB
{
	awk '/VmRSS/ { print $2 }' "/proc/$server/status"
}

held() # bytes of the caches
{
	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
print(s["memory"]["held"])'
}

# A condition that comes true in time.
eventually() # WHAT COMMAND...
{
	local what=$1 i

	shift
	for i in $(seq 300); do
		! "$@" || return 0
		sleep 0.1
	done
	fail "$what: $(rss) KiB, $(held) bytes in the caches"
}

holds_at_most() { [ "$(held)" -le "$1" ]; }
takes_at_most() { [ $measured = no ] || [ "$(rss)" -le "$1" ]; }

read_all()
{
	cat "$work"/mnt/text* | cmp - <(cat "$work"/src/text*) ||
		fail "other bytes"
}

# Reading the counters reads index blocks: a few are there again at once.
for set in a whole; do
	mount_archive "$work/$set.001" "$work/mnt" -o tidy=1
	server_of "$work/$set.001"
	idle=$(rss)
	read_all
	eventually "$set: idle" holds_at_most 300000
	eventually "$set: idle" takes_at_most $((idle + 8192))
	echo "$set: $idle KiB at first, $(rss) KiB idle"
	unmount "$work/mnt"
	mount_archive "$work/$set.001" "$work/mnt" -o tidy=0
	server_of "$work/$set.001"
	read_all
	full=$(held) big=$(rss)
	[ "$full" -gt 60000000 ] || fail "$set: only $full bytes held"
	kill -USR1 "$server"
	eventually "$set: asked to" holds_at_most $((full / 2 + 300000))
	eventually "$set: asked to" takes_at_most $((big - full / 2048 + 4096))
	for i in 1 2 3 4 5 6; do
		kill -USR1 "$server"
		sleep 0.1
	done
	eventually "$set: asked again" holds_at_most 5000000
	eventually "$set: asked again" takes_at_most $((idle + 12288))
	echo "$set: $big KiB full, $(rss) KiB after six signals"
	# what has been dropped is decoded again
	for i in $(seq 1 6); do
		dd if="$work/mnt/text$i" bs=1M iflag=direct status=none |
			cmp - "$work/src/text$i" || fail "text$i differs"
	done
	unmount "$work/mnt"
done

same "nonsense" 2 "$(status_of arcfs "$work/a.001" "$work/mnt" -o tidy=soon)"
same "nonsense" 2 "$(status_of arcfs "$work/a.001" "$work/mnt" -o tidy=-1)"
