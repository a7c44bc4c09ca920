#!/bin/bash
# mkarchive is killed at several moments: what is left is recognised by every
# program as unfinished, is not overwritten by accident, and --force makes a
# good archive of it.
. "$(dirname "$0")/tool_helpers"

mkdir src
python3 - <<'P'
import random
for i in range(1, 21):
    with open("src/%d" % i, "wb") as f:
        f.write(random.Random(i).randbytes(1000000))
P
mkarchive -q --no-sync -s 1M -F 256K src whole
mkdir mnt

# VOLUME: kills mkarchive once that file is there
kill_at()
{
	local pid i

	rm -f set.*
	mkarchive -q -s 1M -F 256K -j 2 src set 2>err &
	pid=$!
	for i in $(seq 100000); do
		[ ! -e "$1" ] || break
		kill -0 $pid 2>/dev/null || break
	done
	kill -KILL $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
}

killed=0
for volume in set.001.part set.001 set.004 set.009.part set.012 set.017; do
	kill_at $volume
	[ -e set.001 ] || [ -e set.001.part ] || continue
	if [ -e set.021 ] && arctool info set.001 >/dev/null 2>&1; then
		continue # it had finished
	fi
	killed=$((killed + 1))
	# Nothing was written twice; finished volumes are whole.
	for v in set.[0-9][0-9][0-9]; do
		[ -e "$v" ] || continue
		cmp "$v" "whole.${v##*.}" || fail "$v differs"
		for verb in info list verify; do
			expect 3 arctool $verb "$v"
			contains err 'not finished\|unfinished' \
				"$v\|set"
		done
		expect 3 arctool extract "$v" dest
		if [ -c /dev/fuse ]; then
			status=0
			arcfs "$v" mnt 2>err || status=$?
			[ $status = 1 ] || fail "arcfs: exit $status"
			contains err 'not finished\|unfinished'
		fi
		break
	done
	sum=$(cat set.* | cksum)
	expect 3 mkarchive -q --no-sync -s 1M -F 256K src set
	contains err 'exist' '[-]-force' '[-]-resume'
	[ "$sum" = "$(cat set.* | cksum)" ] || fail "it was overwritten"
	expect 0 mkarchive -q --no-sync -s 1M -F 256K --force src set
	for v in whole.*; do
		cmp "$v" "set.${v##*.}" || fail "not the same after --force"
	done
	[ "$(ls set.* | wc -l)" = "$(ls whole.* | wc -l)" ] ||
		fail "something was left"
done
[ $killed -ge 3 ] || fail "it was killed only $killed times"

# A signal that can be caught.
mkarchive -q -s 1M -F 256K src term 2>err &
pid=$!
for i in $(seq 100000); do
	[ ! -e term.002 ] || break
done
kill -TERM $pid 2>/dev/null || true
status=0
wait $pid || status=$?
if [ $status != 0 ]; then
	[ $status = 143 ] || fail "exit $status instead of death by SIGTERM"
	contains err 'interrupted' '[-]-resume'
	expect 3 arctool info term.001
fi
