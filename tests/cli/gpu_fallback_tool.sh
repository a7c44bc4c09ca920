#!/bin/bash
# Some calls of OpenCL fail, hang or give wrong results while arctool verifies
# and extracts with a device: nothing of it shows but a message.
# timeout: 600
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"
. "$tests/cli/gpu_fallback_sweep"

prepare_tool
fail_some check 7 19
flip_some check 4 1
hang_some check 5 80 100
fail_for_good check
fail_some take_out 30 90
flip_some take_out 4 6
hang_some take_out 5 80

# A damaged archive: the same report, and the same files, with a device, one
# that fails and none; the device is not blamed for it.
check NONE=1
cp cpu.001 damaged.001
for at in 5000 60000 90001 200000 300000; do
	flip damaged.001 $at
done
report()
{
	expect "$@" arctool verify damaged.001
	sed 's/^\(DAMAGED: .* checked\) in .*) *: /\1: /' out
}
report 1 env FORCE_CPU_MODE=yes >by-cpu
contains by-cpu '^damaged: ' '^affected: ' '^DAMAGED: .* entries affected'
for fault in NONE=1 ARC_FAULT_CALL=$((calls * 3 / 4)) \
	ARC_FAULT_FLIP=$((reads * 3 / 4)); do
	faulty $fault arctool verify --gpu force damaged.001
	[ "$status" = 1 ] || broken "damaged, $fault: status $status"
	sed 's/^\(DAMAGED: .* checked\) in .*) *: /\1: /' out >by-device
	cmp by-cpu by-device || broken "damaged, $fault: another report"
	[ $fault != NONE=1 ] || [ ! -s err ] || broken "the device is blamed"
done
for mode in off force; do
	rm -rf "$mode"
	expect 1 arctool extract -q --gpu $mode damaged.001 $mode
done
diff -r off force || fail "other files are taken out of a damaged archive"
