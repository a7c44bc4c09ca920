#!/bin/bash
# arctool status shows what user.arcfs.stats says, of the mount that a path lies
# in; with --watch until a signal or the end of the mount.
. "$(dirname "$0")/helpers"
need getfattr pgrep

mkdir -p "$work/src/sub/deeper"
seq 1 200000 >"$work/src/sub/deeper/numbers"
archive "$work/src" "$work/a"
mnt=$work/mnt
chmod 755 "$work"
mount_archive "$work/a.001" "$mnt"
cat "$mnt/sub/deeper/numbers" >/dev/null
ln -s "$mnt/sub" "$work/link"

# JSON is the attribute, however the mount is named.
keys='import json, sys
def keys(o, path=""):
    for k, v in o.items() if isinstance(o, dict) else ():
        yield path + "." + k
        yield from keys(v, path + "." + k)
print("\n".join(keys(json.load(sys.stdin))))'
want=$(getfattr --only-values -n user.arcfs.stats "$mnt" 2>/dev/null |
	python3 -c "$keys")
contains "keys" ".operations.read.p99_us" "$want"
for path in "$mnt" "$mnt/" "$mnt/sub/deeper/numbers" "$work/link/deeper"; do
	same "$path" 0 "$(status_of arctool status --json "$path")"
	same "keys of $path" "$want" "$(python3 -c "$keys" <"$work/out")"
done
cd "$mnt/sub"
same "." 0 "$(status_of arctool status .)"
cd /

# The table has the same figures, once nothing is read ahead any more.
settle() # until two looks find the same
{
	local before= now i

	for ((i = 0; i < 200; i++)); do
		now=$(arctool status --json "$mnt" | python3 -c '
import json, sys
s = json.load(sys.stdin)
print(s["cache"], s["segments"], s["amplification"], s["ahead"], s["prefill"])')
		[ "$now" != "$before" ] || return 0
		before=$now
		sleep 0.1
	done
	fail "figures never rest: $now"
}
settle
row() # LABEL: the rest of its row in $work/out
{
	sed -n "s/^$1  *//p" "$work/out"
}
json() # PYTHON EXPRESSION over s
{
	arctool status --json "$mnt" |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
print('"$1"')'
}
same "table" 0 "$(status_of arctool status "$work/link/deeper/numbers")"
same "mount" "$mnt" "$(row mount)"
same "archive" "$work/a.001" "$(row archive)"
contains "up" "00:0" "$(row up)"
same "reads and their times" "$(json '"%d - %.1f %.1f %.1f %.1f" % tuple(
	s["operations"]["read"][k]
	for k in ("count", "p50_us", "p95_us", "p99_us", "max_us"))')" \
	"$(row read | tail -n 1 | tr -s ' ')"
contains "decoded" "$(json '"%.2f times" % s["amplification"]')" \
	"$(row decoded)"
contains "cache" "$(json '"%d hits, %d misses" % (s["cache"]["hits"],
	s["cache"]["misses"])')" "$(row cache)"
same "segments" "$(json '"lzext3 %d" % s["segments"]["lzext3"]')" \
	"$(row segments)"
contains "ahead" "$(json '"devices " + s["ahead"]["devices"]')" \
	"$(row ahead)"
same "what was not asked for" "" "$(row listxattr)$(row refused)"

same "a full disk" 1 "$(arctool status "$mnt" >/dev/full 2>"$work/err" ||
	echo $?)"
same "message about it" 1 "$(grep -c 'cannot be written' "$work/err")"

# Again and again, until a signal.
wait_for() # WHAT PATTERN COUNT: until so many lines of $work/watched have it
{
	local i

	for ((i = 0; i < 600; i++)); do
		[ "$(grep -c -e "$2" "$work/watched")" -lt $3 ] || return 0
		sleep 0.05
	done
	fail "$1: $(cat "$work/watched")"
}
for signal in INT TERM; do
	: >"$work/watched" # the command below may be late to make it
	arctool status --watch=0.05 --json "$mnt" >"$work/watched" &
	wait_for "lines of JSON" '^{.*}$' 4
	kill -$signal $!
	status=0
	wait $! || status=$?
	case $status in
	0 | 130 | 143) ;; # the latter: while the mount was being asked
	*) fail "$signal: exit status $status" ;;
	esac
	python3 - "$work/watched" <<'P' || fail "$signal: lines"
import json, sys
with open(sys.argv[1]) as f:
	lines = [json.loads(line) for line in f]
counts = [line["operations"]["getxattr"]["count"] for line in lines]
ups = [line["uptime_seconds"] for line in lines]
assert counts == sorted(set(counts)), counts
assert ups == sorted(ups) and ups[-1] - ups[0] > .1, ups
P
done

# Rates, and the end of the mount, which is not kept busy.
: >"$work/watched"
arctool status --watch=0.1 "$mnt/sub" >"$work/watched" &
wait_for "the first look" '^getxattr ' 1
(for ((i = 0; i < 1000000; i++)); do [ ! -e "$mnt/none$i" ]; done) &
asking=$!
wait_for "a rate" '^lookup  *[0-9]*  *[0-9]*[1-9][0-9]*\.[0-9] ' 1
kill $asking
wait $asking 2>/dev/null || true
same "rates in the first look" - "$(sed -n '/^getxattr /{p;q}' \
	"$work/watched" | tr -s ' ' | cut -d' ' -f3)"
contains "rates of bytes" "/s" "$(grep '^served' "$work/watched" | tail -n 1)"
unmount "$mnt"
wait %1 || fail "unmounted: exit status $?"
same "unmounted" "no longer mounted" "$(tail -n 1 "$work/watched")"
same "no mount" 3 "$(status_of arctool status "$mnt")"
contains "no mount" "$mnt: not a mount of arcfs" "$(cat "$work/err")"

# A part of an archive, and a program that is gone.
mount_archive "$work/a.001" "$mnt" -o subdir=sub
same "subdir" 0 "$(status_of arctool status "$mnt/deeper/numbers")"
same "mount of a part" "$mnt" "$(row mount)"
pid=$(pgrep -f "arcfs $work/a.001 $mnt -o subdir=sub")
kill -KILL "$pid"
for ((i = 0; i < 100; i++)); do
	[ -e "/proc/$pid/exe" ] || break
	sleep 0.1
done
same "killed" 3 "$(status_of arctool status "$mnt")"
contains "killed" "has ended" "$(cat "$work/err")"
fusermount3 -u "$mnt"
[ "$(id -u)" = 0 ] || exit 0

# Mounts of others.
mount_archive "$work/a.001" "$mnt"
if command -v setpriv >/dev/null; then
	same "another user" 3 "$(status_of setpriv --reuid=1000 --regid=1000 \
		--clear-groups arctool status "$mnt")"
	contains "another user" "allow_other" "$(cat "$work/err")"
fi
unmount "$mnt"

# Who answers need not be arcfs, and does not drive the terminal.
mount -t tmpfs none "$mnt" || exit 0
answers() # VALUE
{
	setfattr -n user.arcfs.stats -v "$1" "$mnt" 2>/dev/null
}
if answers "junk"; then
	same "junk" 3 "$(status_of arctool status "$mnt")"
	contains "junk" "not understood" "$(cat "$work/err")"
	answers '[1]'
	same "an array" 3 "$(status_of arctool status "$mnt")"
	answers '{"ahead":{"\u001b[2J":"\u001b[3J"},"segments":[],
"operations":{"\u001b[1m":{"count":3,"p50_us":"x"},"read":7},"errors":-1}'
	same "another program" 0 "$(status_of arctool status "$mnt")"
	same "controls" 0 "$(tr -cd '\033' <"$work/out" | wc -c)"
	contains "escaped" '\x1b[1m' "$(cat "$work/out")"
fi
umount "$mnt"
