#!/bin/bash
# Some calls of OpenCL fail, hang or give wrong results while arctool verifies
# and extracts with a device: nothing of it shows but a message.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"
. "$tests/cli/gpu_fallback_sweep"

prepare_tool
fail_some check 7 19
flip_some check 4 1
hang_some check 5 80 100
fail_for_good check 72 80 85
fail_some take_out 30 90
flip_some take_out 4 6
hang_some take_out 5 80
