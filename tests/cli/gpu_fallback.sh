#!/bin/bash
# Some calls of OpenCL fail, hang or give wrong results while mkarchive uses a
# device: the archive is right, or there is none and a clear message.
# timeout: 600
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"
. "$tests/cli/gpu_fallback_sweep"

prepare_encode
fail_some encode 11 43
flip_some encode 2 3
hang_some encode 6 75 100
fail_for_good encode
