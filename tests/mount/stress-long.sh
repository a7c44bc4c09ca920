#!/bin/bash
# label: slow
# timeout: 1800
# mount/stress.sh for minutes, with another seed each time.
STRESS_SECONDS=${STRESS_SECONDS:-300}
STRESS_SEED=${STRESS_SEED:-$(date +%s)}
export STRESS_SECONDS STRESS_SEED
exec bash "$(dirname "$0")/stress.sh" "$@"
