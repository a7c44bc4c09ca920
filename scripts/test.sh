#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh [BUILD_FOLDER] - installs packages, builds Release, runs all tests
# but the slow ones (scripts/test-all.sh has those).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}

"$root/scripts/install-deps.sh"
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON
cmake --build "$build" -j "$(nproc)"
# Tests wait for mounts and disks now and then: so one more than cores.
ctest --test-dir "$build" --output-on-failure -LE slow -j $(($(nproc) + 1))
