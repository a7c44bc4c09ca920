#!/bin/bash
# The same input and options give the same bytes, whatever the threads, the
# place and the time.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" src 2>notes

# NAME OPTION... SOURCE
archive()
{
	local name=$1

	shift
	expect 0 mkarchive -q --no-sync "$@" "$name"
}

same_sets() # A B
{
	local a=$1 b=$2 volume

	[ "$(ls $a.* | wc -l)" = "$(ls $b.* | wc -l)" ] ||
		fail "$a and $b have not as many volumes"
	for volume in $a.*; do
		cmp "$volume" "$b.${volume##*.}" || fail "$a and $b differ"
	done
}

"$tests/maketree" --small small 2>notes

# SOURCE OPTION...: with one thread and with many
any_threads()
{
	local source=$1 threads

	shift
	archive one -j 1 "$@" $source
	for threads in 2 8; do
		archive many -j $threads "$@" $source
		same_sets one many
		rm many.*
	done
	rm one.*
}

any_threads src
any_threads src -c lz4
any_threads src -c raw
any_threads src -c auto -l 3 -F 1M -s 8M --digest sha256
any_threads small -c lz4hc -l 4 --reach 1M -F 256K
any_threads small -c auto -l 9 -F 64K -s 1M
any_threads small -l 1 -F 256K --reach 64K --far 16 -s 2M
any_threads small --reach auto -F 1M --hash-log 20
any_threads small -c zstd -l 5 -F 256K --reach 64K

# Again and again, where frames are small and threads many.
archive one -j 1 -F 64K -c lz4 src
for i in $(seq 12); do
	archive many -j 7 -F 64K -c lz4 src
	same_sets one many
	rm many.*
done

# Threads do without each other where descriptors are few.
(
	ulimit -n 24
	mkarchive -q --no-sync -j 16 -F 64K -c lz4 src many
) || fail "few descriptors are not enough"
same_sets one many

# Another tree of the same content: other inodes, other ctimes.
"$tests/maketree" again 2>notes
archive other -j 2 -F 64K -c lz4 again
same_sets one other
