#!/bin/bash
# Duplicates are one inode by default, and every way to ask agrees.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
cp "$work/src/big" "$work/src/other-mode"
chmod 640 "$work/src/other-mode"
: >"$work/src/empty2"
archive "$work/src" "$work/a"
mount_archive "$work/a.001" "$work/mnt"
mount_archive "$work/a.001" "$work/distinct" -o inodes=distinct

names="big sub/big-again sub/deeper/big-too"
cd "$work/mnt"
inode=$(stat -c %i big)
for name in $names; do
	same "inode of $name" "$inode" "$(stat -c %i "$name")"
	same "links of $name" 3 "$(stat -c %h "$name")"
	same "inode of $name in readdir" "$inode" \
		"$(ls -i "$(dirname "$name")" |
			awk -v n="$(basename "$name")" '$2 == n { print $1 }')"
	cmp "$name" "$work/src/$name" || fail "$name differs"
done
same "inodes of the class" 1 "$(stat -c %i:%Y:%y $names | sort -u | wc -l)"
[ "$(stat -c %i other-mode)" != "$inode" ] || fail "shared across modes"
[ "$(stat -c %i empty)" != "$(stat -c %i empty2)" ] || fail "empty shared"
same "links of a hard link" 2 "$(stat -c %h hard1)"
same "du counts it once" 1 "$(du -k $names | wc -l)"

cd "$work/distinct"
same "distinct inodes" 3 "$(stat -c %i $names | sort -u | wc -l)"
same "distinct links" 1 "$(stat -c %h $names | sort -u)"
for name in $names; do
	same "own time of $name" "$(stat -c %y "$work/src/$name")" \
		"$(stat -c %y "$name")"
done

# Only links, inodes and times of duplicates may differ from the source.
strip() { (cd "$1" && find . -printf '%p %y %m %U %G %l\n' | sort); }
strip "$work/src" >"$work/src.list"
strip "$work/mnt" | diff -u "$work/src.list" - || fail "entries differ"
cd /
unmount "$work/mnt"
unmount "$work/distinct"
