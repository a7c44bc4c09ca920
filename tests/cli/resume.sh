#!/bin/bash
# An interrupted run is gone on with: it is killed at many places, and what
# --resume makes of what is left is byte for byte what a run makes that nothing
# happened to. Finished volumes are not touched, nothing is encoded twice, and
# damage, a changed source, other options are noticed.
. "$(dirname "$0")/tool_helpers"
killer=$bin/../tests/libkill_at.so
[ -e "$killer" ] || skip "libkill_at.so is not built"

python3 - <<'P'
import os, random
os.mkdir("src")
for i in range(1, 41):
    r = random.Random(i)
    with open("src/%02d" % i, "wb") as f:
        for k in range(4):
            f.write(r.randbytes(22000))
            f.write(b"%d lines of text that shrink\n" % i * 700)
os.link("src/03", "src/link")
os.symlink("03", "src/symlink")
with open("src/07", "rb") as a, open("src/copy", "wb") as b:
    b.write(a.read())
P
options="-s 1M -F 128K -l 1"

# OPTION... : as all runs are made
make_set()
{
	mkarchive --no-sync $options "$@"
}

# Of a run with KILL_AT=N: it dies, or had finished before. Under a sanitizer
# its library comes second; that is meant.
killed_at()
{
	local n=$1 status=0

	shift
	(
		export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
		KILL_AT=$n LD_PRELOAD=$killer make_set -q "$@"
	) 2>err || status=$?
	[ $status = 137 ] || [ $status = 0 ] || {
		cat err
		fail "killed at $n: exit $status"
	}
	return $status
}

same_as_whole() # SET [WHOLE]
{
	local volume whole=${2:-whole}

	for volume in $whole.*; do
		cmp "$volume" "$1.${volume##*.}" || fail "$1 is not as $whole"
	done
	[ "$(ls $1.* | wc -l)" = "$(ls $whole.* | wc -l)" ] ||
		fail "left behind: $(ls $1.*)"
}

# Inode and times of the volumes that have their final name.
finished()
{
	ls $1.[0-9][0-9][0-9] >/dev/null 2>&1 || return 0
	stat -c '%n %i %s %y %z' $1.[0-9][0-9][0-9]
}

# What a summary (in out) says of KEY
value()
{
	sed -n "s/^  \"$1\": \([0-9a-z]*\),*\$/\1/p" out
}

# SET: resumes it; volumes that were finished stay as they are
resume()
{
	local before line

	before=$(finished $1)
	expect 0 make_set --resume --json src $1
	same_as_whole $1
	while read -r line; do
		[ -z "$line" ] || finished $1 | grep -qxF "$line" ||
			fail "touched: $line"
	done <<<"$before"
}

expect 0 make_set --json src whole
frames=$(value frames)
[ $frames -ge 30 ] && [ -e whole.003 ] || fail "too small a source"

# ---- killed ----------------------------------------------------------------

# How many steps there are, and which of them are tried.
ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
	KILL_AT_COUNT=$work/steps LD_PRELOAD=$killer \
	mkarchive --no-sync $options -q src set
same_as_whole set
steps=$(cat steps)
moments=$(python3 -c 'import random, sys
n = int(sys.argv[1])
seeded = random.Random(14).sample(range(6, n - 6), 20)
print(1, 2, *sorted(seeded), n - 2, n - 1, n)' $steps)

kills=0
most=0
for n in $moments; do
	rm -f set.*
	! killed_at $n src set || fail "it was not killed at $n of $steps"
	kills=$((kills + 1))
	volumes=$(ls set.*[0-9] 2>/dev/null | wc -l)
	resume set
	kept=$(value kept_frames)
	kept=${kept:-$frames} # it was complete
	# A volume holds at least so many frames, all of which were kept.
	[ $kept -ge $((volumes * 7)) ] || [ $kept = $frames ] ||
		fail "killed at $n, $volumes volumes: only $kept frames kept"
	[ $kept -le $most ] || most=$kept
done
[ $kills -ge 20 ] || fail "killed $kills times"
[ $most = $frames ] || fail "not even in the end all frames were kept"

# Killed again and again: each run goes as far as its n-th step.
rm -f set.*
runs=0
n=9
until killed_at $n --resume src set; do
	runs=$((runs + 1))
	[ $runs -lt 100 ] || fail "it comes to no end"
	[ $((runs % 2)) = 0 ] || n=$((n + 3))
done
same_as_whole set
[ $runs -ge 3 ] || fail "killed $runs times"

# Killed while a volume that turned out damaged is made anew.
for n in 1 2 3 5 7; do
	rm -f set.*
	! killed_at $((steps - 3)) src set || fail "not killed"
	printf 'some other bytes' |
		dd of=set.001 bs=1 seek=300000 conv=notrunc status=none
	killed_at $n --resume src set || true
	for verb in info verify; do
		[ -e set.making ] || break
		! arctool $verb set.001 >/dev/null 2>&1 ||
			fail "looks complete, killed at $n"
	done
	expect 0 make_set -q --resume src set
	same_as_whole set
done

# ---- power lost ------------------------------------------------------------

# FILE SEED: cuts it, or fills parts of it with zeros or noise
spoil()
{
	python3 - "$@" <<'P'
import os, random, sys
path, r = sys.argv[1], random.Random(int(sys.argv[2]))
with open(path, "r+b") as f:
    n = os.path.getsize(path)
    way = int(sys.argv[2]) % 4
    if way == 0:
        f.truncate(r.randrange(n + 1))
    elif way == 1: # its length came to the disk, its end did not
        at = r.randrange(n + 1)
        f.truncate(at)
        f.truncate(n)
    else:
        for i in range(1 + r.randrange(3)):
            at = r.randrange(n) // 512 * 512
            f.seek(at)
            m = min(n - at, 512 << r.randrange(6))
            f.write(bytes(m) if way == 2 else r.randbytes(m))
P
}

# Two volumes and a good part of the third.
for n in $(seq $((steps / 2)) $steps); do
	rm -f set.*
	! killed_at $n src set || fail "not killed"
	[ ! -e set.003.part ] || [ $(stat -c %s set.003.part) -lt 500000 ] ||
		break
done
mkdir left
mv set.* left
[ -e left/set.002 ] && [ -e left/set.003.part ] || fail "no good place"
for seed in $(seq 8); do
	rm -f set.*
	cp -p left/* .
	for file in set.*.part; do
		spoil $file $seed
	done
	resume set
	rm -f set.*
	cp -p left/* .
	spoil set.002 $seed
	before=$(stat -c '%i %y' set.001)
	expect 0 make_set -q --resume src set
	same_as_whole set
	[ "$before" = "$(stat -c '%i %y' set.001)" ] || fail "touched: set.001"
done

# ---- another source --------------------------------------------------------

# TOUCHED FILE: some bytes of it change after the kill
for file in 01 20 39; do
	rm -rf set.* other.* now
	cp -p left/* .
	cp -a src now
	printf 'changed' | dd of=now/$file bs=1 seek=7777 conv=notrunc \
		status=none
	make_set -q now other
	if [ $file = 01 ]; then
		# From the first frame on: it may be a mistake.
		before=$(finished set)
		expect 3 make_set --resume --json now set
		contains err 'is it the right one' '[-]-force'
		[ "$before" = "$(finished set)" ] || fail "it was touched"
		expect 0 make_set --force -q now set
		same_as_whole set other
		continue
	fi
	expect 0 make_set --resume --json now set
	same_as_whole set other
	kept=$(value kept_frames)
	case $file in
	20) [ $kept -gt 10 ] && [ $kept -lt 25 ] || fail "$kept frames kept" ;;
	esac
	[ $file = 39 ] || contains err 'source'
done
rm -rf set.* other.* now
cp -p left/* .
mkdir now
cp -p src/0[1-5] now
make_set -q now other
expect 0 make_set -q --resume now set
same_as_whole set other

# ---- other options, another build ------------------------------------------

rm -f set.* other.*
cp -p left/* .
sum=$(cat set.* | cksum)
# PATTERN OPTION...
refused()
{
	local pattern=$1

	shift
	expect 3 mkarchive -q --no-sync $options --resume "$@" src set
	contains err 'set\.making' "$pattern" '[-]-force'
	[ "$sum" = "$(cat set.* | cksum)" ] || fail "it was touched"
}
refused 'level: 1 there, 2 here' -l 2
refused 'codec: lzext3 there, lz4 here' -c lz4
refused 'frame_size: 131072 there, 65536 here' -F 64K
refused 'volume_size: 1048576 there, 2097152 here' -s 2M
refused 'reach: 1048576 there, 65536 here' --reach 64K
refused 'far: nothing there, 3 here' --far 3
refused 'profile: serial there, parallel here' --profile parallel
refused 'digest: xxh128 there, sha256 here' --digest sha256
sed -i 's/^build = ./build = x/' set.making
sum=$(cat set.* | cksum)
refused 'another build of mkarchive'
cp -p left/set.making .
sed -i 's/^zlib = .*/zlib = 0.9/' set.making
sum=$(cat set.* | cksum)
refused 'zlib: 0\.9 there'
first=$(head -n 1 left/set.making)
for text in '' "${first:0:20}" "$first" "$first
level = 1"; do
	printf '%s' "$text" >set.making
	sum=$(cat set.* | cksum)
	refused 'level: nothing there'
done
head -c 5000 /dev/zero >set.making
sum=$(cat set.* | cksum)
refused 'level: nothing there'
rm set.making
sum=$(cat set.* | cksum)
refused 'is missing'
ln -s src/01 set.making
for option in --resume --force; do
	expect 3 make_set -q $option src set
	contains err 'set\.making is no regular file: remove it'
done
rm set.making

# A file that only has that name is somebody's, and stays.
echo 'how the set was made' >set.making
for option in --resume --force; do
	expect 3 make_set -q $option src set
	contains err 'set\.making is no file of mkarchive' 'rename it'
done
for option in -l1 --resume --force; do
	mv set.making other.making
	expect 3 make_set -q $option src other
	contains err 'other\.making is no file of mkarchive'
	[ "$(echo other.*)" = other.making ] || fail "left: $(echo other.*)"
	mv other.making set.making
done
[ "$(cat set.making)" = 'how the set was made' ] || fail "it was touched"
rm set.making

# What decides no byte may differ.
cp -p left/set.making .
expect 0 mkarchive -q $options --resume -j 3 --set READ_BUFFER_BATCHES=2 src set
same_as_whole set

# ---- sets that are not as they should be -----------------------------------

# A volume is away: nothing is made over the head of whoever has it.
rm -f set.*
cp -p left/* .
mv set.001 away
expect 3 make_set -q --resume src set
contains err 'set\.001 is missing' 'bring that back'
mv away set.001
cp set.001 set.001.part
expect 3 make_set -q --resume src set
contains err 'set\.001\.part' 'remove'
rm set.001.part
expect 3 make_set -q src set
contains err 'exist' '[-]-resume' '[-]-force'
expect 2 make_set --force --resume src set
contains err 'contradict'
resume set

# A complete set stays, and is no error; one of something else is no mistake
# to be paid for.
before=$(finished set)
expect 0 make_set --resume src set
contains err 'complete already'
[ "$before" = "$(finished set)" ] || fail "it was touched"
expect 0 make_set --resume --json src set
[ "$(value already_complete)" = true ] || fail "not said as JSON"
expect 1 make_set --resume --verify src set
contains err 'nothing was verified' 'arctool verify'
cp left/set.making .
expect 0 make_set -q --resume src set
same_as_whole set
expect 3 make_set -q --resume -l 2 src set
contains err 'complete archive of another source' '[-]-force'
expect 3 make_set -q --resume now/04 set
contains err 'complete archive of another source'
[ "$before" = "$(finished set)" ] || fail "it was touched"

# Nothing is there; or the list of what was to be made, and no more.
rm -f set.*
expect 0 make_set --resume --json src set
same_as_whole set
[ "$(value kept_frames)" = 0 ] || fail "frames were kept"
rm -f set.*
cp left/set.making .
expect 0 make_set -q --resume src set
same_as_whole set

# Nothing is there; but somebody else makes a set before there is anything to
# be written. That is not what was to be resumed.
rm -f set.*
mkfifo pipe
mkarchive -q --no-sync --resume --stdin-name x - set <pipe 2>err &
exec 7>pipe
head -c 100000 src/01 >&7 # more than a pipe holds: it has looked for a set
expect 0 make_set -q src set
cat src/01 >&7
exec 7>&-
! wait $! || fail "a second set was made of the same name"
contains err 'set\.001: '
rm set.001.part set.making pipe
same_as_whole set

# --force takes all of it away.
rm -f set.*
cp -p left/* .
expect 0 make_set -q --force -l 2 src set
mkarchive -q --no-sync $options -l 2 src other
same_as_whole set other

# Somebody is at work on it.
rm -f set.* other.*
cp -p left/* .
for option in --resume --force; do
	expect 3 flock set.making mkarchive -q --no-sync $options $option src set
	contains err 'being written by another'
done
sum=$(cat set.* | cksum)
[ "$sum" = "$(cat left/* | cksum)" ] || fail "it was touched"
rm -f set.*

# ---- other ways in and codecs ----------------------------------------------

tar -C src -cf src.tar --sort=name .
for codec in raw lz4 zstd; do
	rm -f whole.* set.*
	make_set -q -c $codec - whole <src.tar
	! killed_at $((steps / 2)) -c $codec - set <src.tar || fail "not killed"
	expect 0 make_set --json --resume -c $codec - set <src.tar
	same_as_whole set
	[ "$(value kept_frames)" -ge 8 ] || fail "$codec: nothing was kept"
done
grep -q 'codec_library' <(
	rm -f set.*
	killed_at $((steps / 2)) -c zstd src set || true
	cat set.making
) || fail "the library is not named"

# In its own source: neither volumes nor what stands beside them get into it.
rm -f set.* whole.*
mkdir inside
cp -a src inside
! killed_at $((steps / 2)) inside inside/set || fail "not killed"
expect 0 make_set -q --resume inside inside/set
expect 0 arctool list inside/set.001
lacks out 'set\.'
contains out 'src/01'
rm -rf inside

# ---- a full disk -----------------------------------------------------------

make_set -q src whole
[ "$(id -u)" = 0 ] || exit 0
mkdir small
mount -t tmpfs -o size=1200K none small 2>/dev/null || exit 0
mounted=$work/small
for room in 1500 2300 2900; do
	expect 3 mkarchive --no-sync $options -q --resume src small/set
	contains err '[Nn]o space' '[-]-resume goes on'
	mount -o remount,size=${room}K small
done
mount -o remount,size=16M small
expect 0 make_set --resume --json src small/set
[ "$(value kept_frames)" -ge 15 ] || fail "too few were kept"
for volume in whole.*; do
	cmp $volume small/set.${volume##*.} || fail "not as whole"
done
[ "$(ls small | wc -l)" = "$(ls whole.* | wc -l)" ] || fail "left: $(ls small)"
