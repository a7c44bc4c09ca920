#!/bin/bash
# A device that hangs when it is released, at the very end, is left alone with
# one message; what was done is done.
# timeout: 600
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"

mkdir src
seq 1 9000 >src/text
message=': it does not answer when it is released; going on without it$'

# COMMAND...: hangs at the end. Its time counts for the trial, too, for which a
# busy machine needs more.
hang()
{
	for timeout in 8 60; do
		status=0
		env OPENCL_LAYERS="$layer" ARC_FAULT_HANG_IN=clReleaseContext \
			GPU_TIMEOUT=$timeout "$@" >out 2>err || status=$?
		[ "$(refused)" != 0 ] || break
	done
	[ $status = 0 ] || broken "$*: status $status"
	contains err "$message"
	[ "$(grep -c 'does not answer' err)" = 1 ] || broken "said more than once"
}

expect 0 mkarchive -q --no-sync --gpu off --profile parallel src cpu
expect 0 mkarchive -q --no-sync --gpu force src dev # builds its programs
cmp cpu.001 dev.001
hang mkarchive -q --no-sync --force --gpu force src dev
cmp cpu.001 dev.001
expect 0 arctool verify -q --gpu force dev.001
hang arctool verify -q --gpu force dev.001
