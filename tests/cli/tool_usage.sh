#!/bin/bash
# Help goes to stdout, errors to stderr as "arctool: ..."; wrong usage is 2,
# an archive that cannot be read is 3.
. "$(dirname "$0")/tool_helpers"

expect 0 arctool --help
contains out '^Verbs:' '^  info' '^  list' '^  extract' '^  verify' '^  status'
[ ! -s err ] || fail "help on stderr"
expect 0 arctool --version
contains out '^arctool [0-9]'
for verb in info list extract verify; do
	dest=
	[ $verb != extract ] || dest=to
	expect 0 arctool $verb --help
	contains out "Usage: arctool $verb " ARCHIVE
	! grep -q '.\{81\}' out || fail "help of $verb is wider than 80"
	expect 2 arctool $verb
	contains err '^arctool: ARCHIVE is missing'
	[ ! -s out ] || fail "an error on stdout"
	expect 2 arctool $verb --no-such-option x.001
	contains err "^arctool $verb: unrecognized option"
	expect 3 arctool $verb no-such.001 $dest
	contains err '^arctool: '
	echo garbage >junk.001
	expect 3 arctool $verb junk.001 $dest
	contains err '^arctool: '
	[ ! -e to ] || fail "DEST was made for nothing"
done

expect 2 arctool
contains err 'VERB is missing'
expect 2 arctool mount x.001
contains err '^arctool: no such verb: mount'
expect 2 arctool extract x.001
contains err 'DEST is missing'
expect 2 arctool info x.001 y.001
contains err 'too many arguments: y.001'
for n in 0 -1 x 1x 4097 ''; do
	expect 2 arctool verify -j "$n" x.001
	contains err 'not a number of threads'
done

# The verb that takes a mount.
expect 0 arctool status --help
contains out 'Usage: arctool status ' MOUNTPOINT
expect 2 arctool status
contains err '^arctool: MOUNTPOINT is missing'
expect 2 arctool status here there
contains err 'too many arguments: there'
for n in 0 -1 x 1x . 1.2.3 nan 86401 ''; do
	expect 2 arctool status --watch="$n" here
	contains err 'not a number of seconds'
done
expect 3 arctool status no-such
contains err '^arctool: no-such: No such file'
expect 3 arctool status .
contains err '^arctool: \.: not a mount of arcfs$'

mkdir src
echo hello >src/file
mkarchive -q src a
expect 2 arctool list a.001 ../src
contains err '".." has no meaning'
expect 2 arctool extract a.001 to a/../../b
expect 2 arctool extract a.001 to --files-from no-such-list
[ ! -e to ] || fail "DEST was made for nothing"
expect 1 arctool list a.001 no/such
contains err 'no/such: no such entry'

# A set without its footer is no archive.
truncate -s -1 a.001
expect 3 arctool info a.001

# What cannot be printed is not passed over.
mkarchive -q --no-sync src b
status=0
arctool list b.001 >/dev/full 2>err || status=$?
[ $status -eq 1 ] || fail "exit $status with a full disk"
contains err 'standard output cannot be written'
