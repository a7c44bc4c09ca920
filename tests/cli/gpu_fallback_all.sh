#!/bin/bash
# Every third call of OpenCL fails (ARC_FAULT_STEP: every Nth, from the
# ARC_FAULT_FIRSTth on), and some hang, while mkarchive, verify and extract use
# a device.
# label: slow
# timeout: 3600
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"
. "$tests/cli/gpu_fallback_sweep"

prepare_tool
for program in encode check take_out; do
	fail_some $program ${ARC_FAULT_FIRST:-1} ${ARC_FAULT_STEP:-3}
	flip_some $program 1 1
	hang_some $program 5 2 20 40 60 80 95
done
