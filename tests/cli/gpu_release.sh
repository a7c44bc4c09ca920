#!/bin/bash
# A device that hangs when it is released, at the very end, is left alone with
# one message; what was done is done.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"

mkdir src
seq 1 9000 >src/text
hang="env OPENCL_LAYERS=$layer ARC_FAULT_HANG_IN=clReleaseContext"
message=': it does not answer when it is released; going on without it$'
export GPU_TIMEOUT=8

check() # STATUS COMMAND...
{
	expect "$@"
	contains err "$message"
	[ "$(grep -c 'does not answer' err)" = 1 ] || broken "said more than once"
}

expect 0 mkarchive -q --no-sync --gpu off --profile parallel src cpu
check 0 $hang mkarchive -q --no-sync --gpu force src dev
cmp cpu.001 dev.001
check 0 $hang arctool verify -q --gpu force dev.001
