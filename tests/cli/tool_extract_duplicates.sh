#!/bin/bash
# extract: duplicates are copies, or with --hardlink-duplicates one file when
# they are equal in all but their times.
. "$(dirname "$0")/tool_helpers"

mkdir -p src/d
random_file src/one 100000 3
cp src/one src/d/two
cp src/one src/three
cp src/one src/mode
chmod 600 src/mode
ln src/three src/three-too
: >src/empty1
: >src/empty2
echo different >src/other
touch -d 2001-01-01 src/one
touch -d 2002-02-02 src/d/two
touch -d 2003-03-03 src/three
mkarchive -q --no-sync src a

expect 0 arctool extract a.001 copies
same_trees src copies

expect 0 arctool extract --hardlink-duplicates a.001 links
same_trees --shared src links
[ links/one -ef links/d/two ] && [ links/one -ef links/three ] &&
	[ links/one -ef links/three-too ] || fail "duplicates are not linked"
[ ! links/one -ef links/mode ] || fail "another mode is another file"
[ ! links/empty1 -ef links/empty2 ] || fail "empty files are never shared"
for name in one d/two three; do
	when=$(stat -c %Y links/$name)
	[ "$when" = "$(stat -c %Y links/one)" ] || fail "times differ"
done
expect 0 arctool extract --hardlink-duplicates a.001 part three
cmp src/three part/three
