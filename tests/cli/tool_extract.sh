#!/bin/bash
# extract: a tree with every kind of entry comes back exactly.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" src
mkarchive -q --no-sync -s 4M src a
expect 0 arctool extract a.001 whole
[ ! -s out ] && [ ! -s err ] || fail "it said something: $(cat out err)"
same_trees --exact-holes src whole

rm -r src whole a.*
"$tests/maketree" --small src
mkarchive -q --no-sync -s 1M src a
expect 0 arctool extract a.001 whole
expect 0 arctool extract -j 1 a.001 one
same_trees --exact-holes src one
(ulimit -n 64; expect 0 arctool extract -j 64 a.001 few)
same_trees --exact-holes src few

# An inherited ACL is not what was archived.
mkdir acl
if setfacl -d -m u:4242:rwx acl 2>/dev/null; then
	expect 0 arctool extract a.001 acl
	same_trees src acl
fi

expect 0 arctool extract -v a.001 verbose
[ "$(wc -l <out)" -eq "$(arctool list a.001 | sed 1d | wc -l)" ] ||
	fail "-v does not print each path"

# Nothing that exists is replaced, and everything else is.
rm -r whole/duplicates
echo mine >whole/symlinks/file
expect 1 arctool extract a.001 whole
contains err 'symlinks/file: cannot be made: File exists'
[ "$(cat whole/symlinks/file)" = mine ] || fail "a file was replaced"
[ -e whole/duplicates/same0 ] || fail "what was missing is missing"
rm -r whole/hardlinks/z
echo in the way >whole/hardlinks/z
expect 0 arctool extract --force a.001 whole
same_trees --exact-holes src whole
rm whole/symlinks/file
mkdir whole/symlinks/file
expect 1 arctool extract --force a.001 whole
contains err 'symlinks/file: cannot be made'

# A single file.
mkarchive -q --no-sync src/symlinks/file single
expect 0 arctool extract single.001 from-single
cmp src/symlinks/file from-single/file

# DEST cannot be made.
expect 1 arctool extract a.001 no/such/folder
contains err 'no/such/folder: cannot be made'
expect 1 arctool extract a.001 src/symlinks/file

# A file that cannot be as large as it should be ends there, with one word; the
# others do not mind.
mkdir big
random_file big/large 6000000 5
random_file big/other 50000 6
mkarchive -q --no-sync -c raw big big-set
(
	trap '' XFSZ
	ulimit -f 1500
	expect 1 arctool extract -q big-set.001 big-out
)
[ "$(wc -l <err)" = 1 ] || fail "more than one word: $(head -c 2000 err)"
contains err 'large: cannot be written: File too large'
cmp big/other big-out/other || fail "the other file differs"
