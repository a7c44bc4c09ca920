#!/bin/bash
# What a program was asked to print and cannot is an error, whatever printed it.
. "$(dirname "$0")/tool_helpers"

unprinted() # STATUS COMMAND...
{
	local want=$1 got

	shift
	# Once for a disk that is full, once for output that was closed.
	for out in /dev/full closed; do
		got=0
		case $out in
		closed) "$@" >&- 2>err || got=$? ;;
		*) "$@" >$out 2>err || got=$? ;;
		esac
		# arcfs opens what is closed, lest a volume be number 1.
		[ "$1 $out" != "arcfs closed" ] || continue
		[ $got -eq $want ] || fail "$*: exit $got, not $want ($out)"
		contains err "^$1: standard output cannot be written"
		[ "$(wc -l <err)" = 1 ] || fail "$*: said more than once"
	done
	expect 0 "$@"
	[ -s out ] && [ ! -s err ] || fail "$*: prints nothing"
}

for option in --help --usage --version --show-config; do
	unprinted 3 mkarchive $option
	unprinted 1 arctool $option
done
for option in --help --version --show-config; do
	unprinted 1 arcfs $option
done
for verb in info list extract verify status devices; do
	unprinted 1 arctool $verb --help
done

# A reader that has had enough is none: what ends it is the pipe.
for program in mkarchive arctool arcfs; do
	set +o pipefail
	$program --help 2>err | head -n 1 >line
	[ -s line ] && [ ! -s err ] || fail "$program: $(cat err)"
done

# Who fails for another reason says that, and nothing else.
status=0
mkarchive --no-such-option >/dev/full 2>err || status=$?
[ $status = 2 ] || fail "exit $status"
! grep 'standard output' err || fail "it had nothing to print"
