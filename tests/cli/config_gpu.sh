#!/bin/bash
# What the configuration file says of devices is done.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"

mixed_tree src
expect 0 mkarchive -q --no-sync --gpu off --profile parallel -F 64K src cpu

# NAME VALUE: a file that says so, beside what keeps busy machines from hanging
say()
{
	printf 'GPU_TIMEOUT = 60\n%s = %s\n' "$@" >file
}

encode()
{
	rm -f dev.0*
	faulty NONE=1 mkarchive -q --no-sync --gpu force -F 64K \
		--config file src dev
	[ "$status" = 0 ] || broken "$(tail -n 1 file): status $status"
	cmp cpu.001 dev.001 || fail "$(tail -n 1 file): other bytes"
}

check() # FAULT
{
	faulty "$1" arctool verify -q --gpu force --config file cpu.001
}

# More frames at once need fewer calls for all of them, unless a launch takes too
# long for that: a busy machine has more than one try.
say COMPRESSOR_BATCH_SIZE 1
encode
single=$calls
say COMPRESSOR_BATCH_SIZE 4
encode
say COMPRESSOR_BATCH_SIZE 16
for i in 1 2 3 4 5; do
	encode
	[ "$calls" -ge "$single" ] || break
done
[ "$calls" -lt "$single" ] ||
	fail "COMPRESSOR_BATCH_SIZE 1, 16: $single, $calls calls"
for key in READ_BUFFER_BATCHES WRITE_BUFFER_BATCHES; do
	printf '%s = 4\nCOMPRESSOR_BATCH_SIZE = 4\nGPU_TIMEOUT = 60\n' $key >file
	encode
done

say DECOMPRESSOR_BATCH_SIZE 1
check NONE=1
[ "$status" = 0 ] || broken "verify: status $status"
single=$calls
say DECOMPRESSOR_BATCH_SIZE 16
for i in 1 2 3 4 5; do
	check NONE=1
	[ "$status" = 0 ] || broken "verify: status $status"
	[ "$calls" -ge "$single" ] || break
done
[ "$calls" -lt "$single" ] ||
	fail "DECOMPRESSOR_BATCH_SIZE 1, 16: $single, $calls calls"

# A wrong result at work: the CPU takes over, or may not.
wrong=$reads
say GPU_FALLBACK_ENABLED yes
check ARC_FAULT_FLIP=$wrong
[ "$status" = 0 ] || broken "yes: status $status"
[ "$(given_up)" = 1 ] || broken "read $wrong was not at work"
say GPU_FALLBACK_ENABLED no
check ARC_FAULT_FLIP=$wrong
[ "$status" = 3 ] || broken "no: status $status"
contains err 'to go on without it was not allowed'

# A call that does not come back is waited for as long as that.
echo 'GPU_TIMEOUT = 3' >file
check ARC_FAULT_HANG=$((calls * 9 / 10))
[ "$status" = 0 ] && [ "$seconds" -ge 3 ] && [ "$seconds" -lt 30 ] ||
	broken "GPU_TIMEOUT: status $status after $seconds s"

# Nothing touches OpenCL.
say FORCE_CPU_MODE yes
expect 0 arctool --config file devices --json
contains out 'switched off'
truncate -s 1G src/hole
for options in "--config file" "--set FORCE_CPU_MODE=on"; do
	faulty NONE=1 mkarchive -q --no-sync --force $options src cpu
	[ "$status" = 0 ] || broken "$options: status $status"
	[ "$calls" = 0 ] || fail "$options: $calls calls of OpenCL"
done
