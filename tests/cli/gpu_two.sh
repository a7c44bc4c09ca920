#!/bin/bash
# Two devices (PoCL's, twice) encode and decode side by side with the result of
# one, and of none; each can be chosen or left out.
. "$(dirname "$0")/tool_helpers"
export POCL_DEVICES="pthread pthread"
export GPU_TIMEOUT=120

mkdir src
cp "$tests"/golden/*.py src/
cp -r "$tests/unit" src/
make_archive() # NAME OPTION...
{
	local name=$1

	shift
	mkarchive -F 256K -l 3 "$@" src "$name" >"$name.out" 2>"$name.err" ||
		fail "mkarchive $*: $(cat "$name.err")"
}

make_archive cpu --gpu off --profile parallel
make_archive both --gpu force --gpu-batch 2
contains both.err 'device 0, .*: used:' 'device 1, .*: used:'
cmp cpu.001 both.001
make_archive second --gpu 1 --gpu-batch 1
contains second.err 'device 0, .*: not used: not among' 'device 1, .*: used:'
cmp cpu.001 second.001
make_archive list --gpu 0,1
contains list.err 'device 0, .*: used:' 'device 1, .*: used:'
cmp cpu.001 list.001

expect 0 arctool verify --gpu force both.001
expect 0 arctool verify --gpu 1:0 both.001
expect 0 arctool extract -q --gpu 0 both.001 dest
diff -r src dest

# What is asked for beside what is there is said, and not waited for.
make_archive more --gpu 1,nothing-like-it
contains more.err "no device is meant by 'nothing-like-it'"
cmp cpu.001 more.001
