#!/bin/bash
# mkarchive's command line: what is wrong is refused with exit status 2, a source
# that is not there with 3, an existing set is never touched; nothing is left.
. "$(dirname "$0")/tool_helpers"

mkdir src
echo hello >src/file

refused() # OPTION...
{
	expect 2 mkarchive "$@" src set
	[ -s err ] || fail "nothing is said about $*"
	[ ! -s out ] || fail "$*: errors go to stderr"
}

for level in 0 10 -1 x 6x ""; do
	refused -l "$level"
done
for size in 0 1 1023K 1048575 x 1X 99999999999T -1M; do
	refused -s "$size"
done
for size in 0 32K 65537 17M; do
	refused -F "$size"
done
for reach in 0 32K 100K 32M autos Auto -1 ""; do
	refused --reach "$reach"
	contains err "^mkarchive: --reach: '$reach' is not a power of two"
done
for value in -1 17 x 1x 99999999999999999999 ""; do
	refused --far "$value"
done
for value in 0 11 25 x -12 ""; do
	refused --hash-log "$value"
done
for value in 0 65 x -1 4294967297 ""; do
	refused --hash-candidates "$value"
done
for value in 0 3 65537 x -4 ""; do
	refused --good-enough-match "$value"
done
# What one codec knows is refused with the others, in any order.
for codec in raw lz4 lz4hc zstd; do
	for option in --reach=auto --far=0 --far=2 --hash-log=16 \
		--hash-candidates=4 --good-enough-match=16; do
		refused -c $codec $option
		contains err "^mkarchive: ${option%%=*}[:=].*only for lzext3"
		refused $option -c $codec
	done
done
refused -c zip
refused -c LZEXT3
refused --digest md5
refused -j 0
refused -j many
refused --no-such-option
expect 2 mkarchive
expect 2 mkarchive src
expect 2 mkarchive src set more
refused --exclude-from nowhere
[ "$(ls -A)" = "$(printf 'err\nout\nsrc')" ] || fail "left: $(ls -A)"

expect 0 mkarchive --help
contains out 'Usage: mkarchive' '--volume-size'
[ ! -s err ] || fail "--help on stderr"
expect 0 mkarchive --version
contains out '[0-9]\.[0-9]'

# A source that is not there; a target that cannot be.
expect 3 mkarchive no-such-folder set
contains err 'no-such-folder' '[Nn]o such'
expect 3 mkarchive src no/such/folder/set
[ ! -e set.001 ] && [ ! -e set.001.part ] || fail "something was left"
expect 3 mkarchive /dev/null set
[ ! -e set.001 ] || fail "a device became an archive"

# An existing set.
for level in 1 2 3 4 5 6 7 8 9; do
	expect 0 mkarchive -q --force -l $level src set
	expect 0 arctool verify -q set.001
done
for options in '-c auto' '-c lzext3 --reach auto' '--reach=auto --far=16' \
	'-c lz4 -c lzext3 --far 0' '-c zstd --reach auto --reach 64K' \
	'--hash-log 12' '--hash-log 24 -c auto' '--hash-candidates 1' \
	'--hash-candidates 64' '--good-enough-match 4' \
	'--good-enough-match 64K'; do
	expect 0 mkarchive -q --force $options src set
	expect 0 arctool verify -q set.001
done
sum=$(cksum <set.001)
expect 3 mkarchive -q src set
contains err 'set' 'force'
[ "$sum" = "$(cksum <set.001)" ] || fail "it was overwritten"
: >set.007.part
rm set.001
expect 3 mkarchive -q src set
rm set.007.part

# --force removes all of the old set and nothing else.
random_file src/large 3000000 1
expect 0 mkarchive -q -s 1M src set
[ -e set.003 ] || fail "too few volumes"
rm src/large
echo other >set.b.001
echo other >set.txt
expect 0 mkarchive -q --force src set
[ "$(echo set.*)" = "set.001 set.b.001 set.txt" ] || fail "left: $(ls set.*)"

# The archive may be made inside its own source.
expect 0 mkarchive -q src src/inside
expect 0 arctool list src/inside.001
lacks out inside

# -q says nothing, in a pipe there is no progress line.
expect 0 mkarchive -q --force src set
[ ! -s out ] && [ ! -s err ] || fail "-q says something"
expect 0 mkarchive --force src set
[ ! -s err ] || fail "progress in a pipe: $(cat err)"
