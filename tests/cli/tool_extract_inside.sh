#!/bin/bash
# extract never writes outside DEST: no symlink there is followed, be it one
# that was there before or one from the archive.
. "$(dirname "$0")/tool_helpers"

mkdir -p src/folder outside to
echo data >src/folder/file
echo data >src/plain
echo data >src/fresh
mkarchive -q --no-sync src a
echo precious >outside/file
echo precious >outside/plain

ln -s ../outside to/folder
ln -s ../outside/plain to/plain
ln -s ../outside/fresh to/fresh
expect 1 arctool extract a.001 to
contains err 'folder: cannot be entered' 'plain: cannot be made' \
	'fresh: cannot be made'
check_outside()
{
	[ "$(cd outside && ls -A | tr '\n' ' ')" = "file plain " ] &&
		[ "$(cat outside/file outside/plain | sort -u)" = precious ] ||
		fail "something was written outside"
}
check_outside
[ -L to/folder ] && [ -L to/plain ] || fail "a symlink was replaced"

expect 0 arctool extract --force a.001 to
check_outside
same_trees src to

# DEST itself may be named through one.
mkdir real
ln -s real named
expect 0 arctool extract a.001 named
same_trees src real

# A symlink of the archive is not used by what comes after it.
mkdir src2
ln -s ../outside src2/folder
mkarchive -q --no-sync src2 b
mkdir both
expect 0 arctool extract b.001 both
expect 1 arctool extract a.001 both
check_outside
