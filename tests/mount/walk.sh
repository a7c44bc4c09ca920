#!/bin/bash
# A mount shows the tree that was packed: names, attributes, contents.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
archive "$work/src" "$work/a" -s 1M
[ -e "$work/a.002" ] || fail "the archive has only one volume"
mount_archive "$work/a.002" "$work/mnt" -o inodes=distinct

listing "$work/src" >"$work/src.list"
listing "$work/mnt" >"$work/mnt.list"
diff -u "$work/src.list" "$work/mnt.list" || fail "entries differ"
(cd "$work/src" && find . -type f -exec sha256sum {} + | sort) \
	>"$work/src.sums"
(cd "$work/mnt" && find . -type f -exec sha256sum {} + | sort) \
	>"$work/mnt.sums"
diff -u "$work/src.sums" "$work/mnt.sums" || fail "contents differ"

# Twice the same from the kernel's caches and without them.
listing "$work/mnt" | cmp - "$work/mnt.list" || fail "second walk differs"

same "entries of many" 300 "$(ls "$work/mnt/many" | wc -l)"
same "size of a directory" 300 "$(stat -c %s "$work/mnt/many")"
same "blocks" 2930 "$(stat -c %b "$work/mnt/big")"
same "inode in readdir" "$(stat -c %i "$work/mnt/hello")" \
	"$(ls -i "$work/mnt" | awk '$2 == "hello" { print $1 }')"
same "hard links" "$(stat -c %i "$work/mnt/hard1")" \
	"$(stat -c %i "$work/mnt/sub/hard2")"

# A name that is not there, twice: the second answer is the kernel's.
for i in 1 2; do
	[ "$(status_of cat "$work/mnt/nothing")" = 1 ] || fail "no ENOENT"
	contains "missing name" "No such file" "$(cat "$work/err")"
done
long=$(printf '%0300d' 0)
[ "$(status_of cat "$work/mnt/$long")" = 1 ] || fail "no ENAMETOOLONG"
contains "long name" "File name too long" "$(cat "$work/err")"

same "inodes of df" "$(find "$work/src" -printf '%i\n' | sort -u | wc -l)" \
	"$(stat -f -c %c "$work/mnt")"
same "free blocks" 0 "$(stat -f -c %f "$work/mnt")"
same "longest name" 255 "$(stat -f -c %l "$work/mnt")"
same "type" fuse.arcfs "$(findmnt -n -o FSTYPE "$work/mnt")"
same "source" "$(realpath "$work/a.002")" \
	"$(findmnt -n -o SOURCE "$work/mnt")"
unmount "$work/mnt"
