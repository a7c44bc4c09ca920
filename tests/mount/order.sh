#!/bin/bash
# A mount shows the same tree whatever the order of the contents is.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
listing "$work/src" >"$work/src.list"
(cd "$work/src" && find . -type f -exec sha256sum {} + | sort) \
	>"$work/src.sums"
for order in path revpath size similarity; do
	archive "$work/src" "$work/$order" -s 1M --order=$order
	mount_archive "$work/$order.001" "$work/mnt" -o inodes=distinct
	listing "$work/mnt" >"$work/mnt.list"
	diff -u "$work/src.list" "$work/mnt.list" || fail "$order: entries"
	(cd "$work/mnt" && find . -type f -exec sha256sum {} + | sort) \
		>"$work/mnt.sums"
	diff -u "$work/src.sums" "$work/mnt.sums" || fail "$order: contents"
	unmount "$work/mnt"
done
