#!/bin/bash
# Every single call of OpenCL fails, and some hang, while mkarchive, verify and
# extract use a device.
# label: slow
# timeout: 7200
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"
. "$tests/cli/gpu_fallback_sweep"

prepare_tool
for program in encode check take_out; do
	fail_some $program 1 1
	flip_some $program 1 1
	hang_some $program 10 2 10 20 30 40 50 60 70 80 90 100
done
