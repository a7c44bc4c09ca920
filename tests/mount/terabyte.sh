#!/bin/bash
# A mount of an archive of a terabyte takes no more memory, and no more time to
# be made, than one of a gigabyte: the same is read of both.
. "$(dirname "$0")/helpers"
need pgrep
make_long=$bin/../tests/make_long
[ -x "$make_long" ] || skip "make_long is not built"
frame=$((16 << 20))

read_some() # FRAMES STEP: a piece in each frame that is there, as many do
{
	local i

	for i in $(seq 0 "$2" $(($1 - 1))); do
		dd if="$work/mnt/long" bs=1M count=4 iflag=direct,skip_bytes \
			skip=$((i * frame + 5000000 / 4096 * 4096)) \
			status=none | awk -v want="$i" 'NR > 1 && NR < 100000 &&
				$1 != want { bad++ } END { exit bad > 0 }' ||
			fail "frame $i of $1"
	done
}

measure() # NAME FRAMES: sets peak (KiB)
{
	local server

	"$make_long" "$2" "$work/$1" 32
	mount_archive "$work/$1.001" "$work/mnt" \
		-o cache_size=16M,index_cache_size=1M
	same "size" $(($2 * frame)) "$(stat -c %s "$work/mnt/long")"
	read_some "$2" $(($2 / 32)) &
	read_some "$2" $(($2 / 32)) || fail "reading"
	wait $! || fail "reading"
	server=$(pgrep -n -f "arcfs $work/$1.001")
	peak=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
	sanitized=no
	! grep -qE 'lib(a|t)san' "/proc/$server/maps" || sanitized=yes
	unmount "$work/mnt"
	rm "$work/$1".[0-9]*
}

measure small 64
small=$peak
measure large 65536
echo "1 GiB: $small KiB, 1 TiB: $peak KiB"
if [ $sanitized = no ]; then
	[ "$peak" -le $((small + 2048)) ] || fail "$peak KiB against $small KiB"
	[ "$peak" -le $(((16 + 1 + 12) * 1024)) ] || fail "$peak KiB"
fi
