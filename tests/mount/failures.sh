#!/bin/bash
# What cannot be mounted says why on stderr, with the right exit status, and
# leaves no mount behind.
. "$(dirname "$0")/helpers"

mkdir "$work/src" "$work/mnt"
random_file "$work/src/data" 2500000 9
archive "$work/src" "$work/a" -s 1M -c raw
last=$(ls "$work"/a.* | tail -n 1)
cd "$work"

refused() # WHAT STATUS PATTERN ARGUMENT...
{
	what=$1 want=$2 pattern=$3
	shift 3
	same "$what: exit status" "$want" "$(status_of arcfs "$@")"
	contains "$what" "$pattern" "$(cat err)"
	[ ! -s out ] || fail "$what: something on standard output"
	same "$what: mounts" "" "$(mounts_below "$work")"
}

refused "no such file" 1 "arcfs: " nothing.001 mnt
contains "no such file" "nothing" "$(cat err)"
echo "just text" >text
refused "no volume number" 1 ".001" text mnt
refused "a directory that is missing" 1 "away" away/a.001 mnt
refused "mount point missing" 1 "nowhere" a.001 nowhere
echo "just text" >file
refused "mount point no directory" 1 "arcfs: " a.001 file
refused "subdir missing" 1 "subdir=none" a.001 mnt -o subdir=none
refused "subdir no directory" 1 "subdir=data" a.001 mnt -o subdir=data

mkdir cut damaged unfinished text-volume
cp a.* cut/
truncate -s -100 "cut/${last##*/}"
refused "footer cut off" 1 "arcfs: " cut/a.001 mnt
cp a.* damaged/
python3 - "damaged/${last##*/}" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
	f.seek(-100, 2)
	byte = f.read(1)[0]
	f.seek(-100, 2)
	f.write(bytes([byte ^ 1]))
P
refused "footer damaged" 1 "arcfs: " damaged/a.001 mnt
cp a.001 unfinished/
refused "last volume missing" 1 "arcfs: " unfinished/a.001 mnt
cp "$last" "unfinished/${last##*/}.part"
refused "unfinished" 1 "unfinished" unfinished/a.001 mnt
cp text text-volume/a.001
refused "no volume at all" 1 "arcfs: " text-volume/a.001 mnt

refused "no arguments" 2 "no ARCHIVE"
refused "one argument" 2 "no MOUNTPOINT" a.001
refused "three arguments" 2 "too many" a.001 mnt again
refused "unknown option" 2 "unknown option" a.001 mnt -o colour=blue
refused "unknown flag" 2 "unknown option" a.001 mnt --colour
refused "no size" 2 "cache_size=many" a.001 mnt -o cache_size=many
refused "a small size" 2 "cache_size=1K" a.001 mnt -o cache_size=1K
refused "a large size" 2 "cache_size=" a.001 mnt \
	-o cache_size=99999999999999G
refused "threads" 2 "threads=0" a.001 mnt -o threads=0
refused "inodes" 2 "inodes=some" a.001 mnt -o inodes=some
refused "uid" 2 "uid=root" a.001 mnt -o uid=root
refused "umask" 2 "umask=9" a.001 mnt -o umask=9
