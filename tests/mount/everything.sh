#!/bin/bash
# A tree with every kind of entry, mounted: nothing differs from the source with
# inodes=distinct; with inodes=shared only what sharing means.
. "$(dirname "$0")/helpers"
tests=$(cd "$here/.." && pwd)

"$tests/maketree" "$work/src" 2>"$work/notes"
archive "$work/src" "$work/a" -s 8M -c lz4
archive "$work/src" "$work/b"
archive "$work/src" "$work/c" -c zstd

for set in a b c; do
	mount_archive "$work/$set.001" "$work/mnt" -o inodes=distinct
	"$tests/comparetree" --exact-holes "$work/src" "$work/mnt" ||
		fail "$set: inodes=distinct"
	unmount "$work/mnt"

	mount_archive "$work/$set.001" "$work/mnt" -o inodes=shared
	"$tests/comparetree" --exact-holes --shared "$work/src" "$work/mnt" ||
		fail "$set: inodes=shared"
	same "names of a duplicate" 5 \
		"$(stat -c %h "$work/mnt/duplicates/same0")"
	same "inodes of duplicates" 1 "$(stat -c %i \
		"$work"/mnt/duplicates/same[0-3] | sort -u | wc -l)"
	[ "$(stat -c %i "$work/mnt/duplicates/same0")" != \
		"$(stat -c %i "$work/mnt/duplicates/same-other-mode")" ] ||
		fail "files of different mode share an inode"
	unmount "$work/mnt"
done

# As tar reads it, many files at a time.
mount_archive "$work/b.001" "$work/mnt" -o inodes=distinct,cache_size=4M
find "$work/mnt/many" "$work/mnt/sizes" -type f -print0 | sort -z |
	xargs -0 -P 8 -n 100 cat >/dev/null || fail "reading in parallel"
(cd "$work/src" && find sizes many -type f -exec sha256sum {} + | sort) \
	>"$work/sums"
(cd "$work/mnt" && find sizes many -type f -print0 |
	xargs -0 -P 8 -n 50 sha256sum | sort) | cmp - "$work/sums" ||
	fail "contents differ when read in parallel"
unmount "$work/mnt"
