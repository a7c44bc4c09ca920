#!/bin/bash
# A full disk: a clear message, exit status 3, and what is left is recognised as
# unfinished.
. "$(dirname "$0")/tool_helpers"
[ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"

mkdir -p src small
for i in 1 2 3 4 5 6; do
	random_file src/$i 1000000 $i
done
cp -a src keep
mount -t tmpfs -o size=3500K none small 2>/dev/null ||
	skip "a tmpfs cannot be mounted"
mounted=$work/small

for options in "-s 1M" "-s 1M -j 1 -c raw" "-c lz4 -F 1M"; do
	expect 3 mkarchive --no-sync $options src small/set
	contains err '[Nn]o space' '[-]-resume goes on'
	for volume in small/set.[0-9]*; do
		[ -e "$volume" ] || break
		case $volume in
		*.part) continue ;;
		esac
		expect 3 arctool info "$volume"
		contains err 'not finished\|unfinished\|last volume'
	done
	rm -f small/*
done

# It fails at every point: the room is a little larger each time.
for room in 1100 1500 2000 4100 5200 5900 6000; do
	mount -o remount,size=${room}K small
	expect 3 mkarchive -q --no-sync -s 1M -F 256K src small/set
	contains err '[Nn]o space'
	! arctool info small/set.001 >/dev/null 2>&1 ||
		fail "with ${room}K: looks like an archive"
	rm -f small/*
done
mount -o remount,size=16M small
expect 0 mkarchive -q --no-sync -s 1M -F 256K src small/set
expect 0 arctool verify -q small/set.001
same_trees src keep

# Room for the volumes of a small tree is room for it all.
mkdir few
for i in 1 2 3; do
	random_file few/$i 60000 $i
done
rm -f small/*
mount -o remount,size=1000K small
expect 0 mkarchive -q --no-sync few small/set
expect 0 arctool verify -q small/set.001

# A limit on the size of files is no other case.
status=0
(
	ulimit -f 1000
	mkarchive -q --no-sync src limited
) 2>err || status=$?
[ $status = 3 ] || fail "exit $status instead of 3"
contains err 'limited\.001'
expect 3 arctool info limited.001

# The archive is there, but nobody got to know.
status=0
mkarchive --no-sync src untold >/dev/full 2>err || status=$?
[ $status = 1 ] || fail "exit $status instead of 1"
contains err 'summary'
expect 0 arctool verify -q untold.001

# A folder that may not be written to.
if command -v setpriv >/dev/null; then
	mkdir -m 755 closed
	chmod 755 "$work"
	expect 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
		mkarchive -q src closed/set
	contains err '[Pp]ermission denied'
	[ -z "$(ls closed)" ] || fail "something was left"
fi
