#!/bin/bash
# extract of some paths: these, the directories above them, nothing else.
. "$(dirname "$0")/tool_helpers"

mkdir -p src/a/b/c src/a.b src/z
echo one >src/a/b/c/one
echo two >src/a/b/two
echo three >src/a.b/three
echo four >src/z/four
echo "a-" >src/a-
ln src/a/b/two src/z/hard
chmod 0750 src/a
chmod 0711 src/a/b
touch -d 2003-04-05 src/a/b/two src/a/b/c/one
touch -d 2002-03-04 src/a/b/c src/a/b src/a
mkarchive -q --no-sync src a

expect 0 arctool extract a.001 to a/b/c
(cd to && find . | sort) >found
printf '%s\n' . ./a ./a/b ./a/b/c ./a/b/c/one | cmp - found
same_trees src/a/b/c to/a/b/c
[ "$(stat -c '%a %Y' to/a)" = "$(stat -c '%a %Y' src/a)" ] ||
	fail "a directory on the way has no metadata"

# Directories that exist on the way are left as they are.
chmod 0700 to/a
touch -d 2010-01-01 to/a
expect 0 arctool extract a.001 to a/b/two z/hard
[ "$(stat -c %a to/a)" = 700 ] || fail "mode of a directory on the way"
[ to/a/b/two -ef to/z/hard ] || fail "hard link"
[ ! -e to/z/four ] || fail "too much"

# The first name is not among what is wanted.
expect 0 arctool extract a.001 second z/hard
cmp src/a/b/two second/z/hard

printf 'a.b\n/a/b/c/one\n\n' >list
expect 0 arctool extract --files-from list a.001 listed a-
(cd listed && find . | sort) >found
printf '%s\n' . ./a ./a- ./a.b ./a.b/three ./a/b ./a/b/c ./a/b/c/one |
	sort | cmp - found

expect 0 arctool extract a.001 nested a a/b a/b/c/one
same_trees src/a nested/a --ignore nlink,link
expect 0 arctool extract a.001 all /
same_trees src all

expect 1 arctool extract a.001 partly z/four no/such
contains err 'no/such: no such entry'
cmp src/z/four partly/z/four

# Nothing at all on the list is not everything.
: >list
expect 0 arctool extract --files-from list a.001 none
[ -z "$(ls -A none)" ] || fail "an empty list extracts everything"
