#!/bin/bash
# The same input and options give the same bytes, whatever the threads, the
# place and the time.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" src 2>notes

# NAME OPTION...
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

for options in "-c lz4" "-c lz4hc -l 4 --reach 1M" "-c raw" \
	"-c auto -F 1M -s 8M --digest sha256"; do
	archive one -j 1 $options src
	for threads in 2 3 8; do
		archive many -j $threads $options src
		same_sets one many
		rm many.*
	done
	rm one.*
done

# Again, twenty times, where frames are small and threads many.
archive one -j 1 -F 64K -c lz4 src
for i in $(seq 20); do
	archive many -j 7 -F 64K -c lz4 src
	same_sets one many
	rm many.*
done

# Another tree of the same content: other inodes, other ctimes.
"$tests/maketree" again 2>notes
archive other -j 2 -F 64K -c lz4 again
same_sets one other
