#!/bin/bash
# -o subdir= shows one directory as if it were all there is.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
archive "$work/src" "$work/a"
for path in sub /sub sub/; do
	mount_archive "$work/a.001" "$work/mnt" \
		-o "inodes=distinct,subdir=$path"
	listing "$work/mnt" >"$work/mnt.list"
	# hard1 has its other name outside.
	listing "$work/src/sub" | diff -u - "$work/mnt.list" ||
		fail "$path: entries differ"
	cmp "$work/src/big" "$work/mnt/big-again" || fail "$path: content"
	same "number of ." "$(stat -c %i "$work/mnt")" \
		"$(stat -c %i "$work/mnt/deeper/..")"
	same "number of .. in readdir" "$(stat -c %i "$work/mnt")" \
		"$(ls -ia "$work/mnt/deeper" |
			awk '$2 == ".." { print $1 }')"
	getfattr -n user.arcfs.stats "$work/mnt" >/dev/null 2>&1 ||
		fail "no stats on the root"
	unmount "$work/mnt"
done
mount_archive "$work/a.001" "$work/mnt" -o subdir=sub/deeper/deepest
same "an empty directory" "" "$(ls -A "$work/mnt")"
unmount "$work/mnt"
for path in sub/.. ./sub sub/big-again link; do
	[ "$(status_of arcfs "$work/a.001" "$work/mnt" -o "subdir=$path")" \
		= 1 ] || fail "$path was mounted"
done
