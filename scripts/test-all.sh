#!/bin/sh
# SPDX-License-Identifier: MIT
# test-all.sh [WORK_FOLDER] - everything that is too slow for every change:
# the tests labelled slow (the kernel's tree, ten million entries), clang, all
# unit tests under ThreadSanitizer, core's format code on a 32-bit and on a
# big-endian machine, ten minutes of each fuzzer (ARC_FUZZ_SECONDS). Takes an
# hour or two and 20 GB.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$root/build-all}
mkdir -p "$work"
work=$(cd "$work" && pwd)
failed=

step() # NAME COMMAND...
{
	local name=$1 status=0

	shift
	printf '\n== %s\n' "$name"
	"$@" || status=$?
	case $status in
	0) ;;
	77) printf '== %s: skipped\n' "$name" ;;
	*)
		printf '== %s: FAILED\n' "$name"
		failed="$failed
  $name"
		;;
	esac
}

build() # FOLDER CMAKE_ARGUMENT...
{
	local folder=$work/$1

	shift
	cmake -S "$root" -B "$folder" "$@" >/dev/null &&
		cmake --build "$folder" -j "$(nproc)"
}

run_clang()
{
	build clang -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
		-DARC_WERROR=ON &&
		ctest --test-dir "$work/clang" --output-on-failure \
			-LE 'slow|doc' -j "$(nproc)"
}

run_tsan()
{
	build tsan -DCMAKE_BUILD_TYPE=RelWithDebInfo -DARC_WERROR=ON \
		-DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" \
		-DARC_SANITIZE=thread &&
		ctest --test-dir "$work/tsan" --output-on-failure \
			-R '^(unit-|mount-(ahead|direct-read|stress|unmount)$)' \
			-j "$(nproc)"
}

run_slow()
{
	build release -DCMAKE_BUILD_TYPE=Release &&
		ctest --test-dir "$work/release" --output-on-failure -L slow
}

"$root/scripts/install-deps.sh" --fuzz
step "clang" run_clang
step "ThreadSanitizer, all unit tests and mounts under stress" run_tsan
step "32 bits" "$root/scripts/test-foreign.sh" "$work/foreign" i386
step "big-endian" "$root/scripts/test-foreign.sh" "$work/foreign" s390x
step "fuzzers" "$root/scripts/fuzz.sh" "$work/fuzz" \
	"${ARC_FUZZ_SECONDS:-600}"
step "slow tests" run_slow
if [ -n "$failed" ]; then
	printf '\nfailed:%s\n' "$failed"
	exit 1
fi
printf '\nall passed\n'
