#!/bin/bash
# What is small becomes small: one line again and again two-hundredfold at
# least, real source code at least to 1/2.7.
. "$(dirname "$0")/tool_helpers"

# FOLDER: sets ratio to the input's bytes by those of the archive, in percent
ratio_of()
{
	local in out

	expect 0 mkarchive -q --no-sync --force "$1" set
	expect 0 arctool verify -q set.001
	in=$(find "$1" -type f -printf '%s\n' | awk "{ n += \$1 } END { print n }")
	out=$(cat set.* | wc -c)
	ratio=$((in * 100 / out))
	echo "$1: $in -> $out bytes"
}

mkdir lines
yes "the same line again and again, as in the log of a machine that is bored" |
	head -c 100000000 >lines/file
ratio_of lines
[ $ratio -ge 20000 ] || fail "a repeated line: $ratio %"

mkdir source
cp -r "$tests"/../core "$tests"/../mkarchive "$tests"/../fs "$tests"/unit source
ratio_of source
[ $ratio -ge 270 ] || fail "source code: $ratio %"
