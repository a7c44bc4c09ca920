#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh BUILD_FOLDER SECONDS - builds the libFuzzer targets and runs each for
# that long, beginning with its corpus. Inputs that fail are left in
# BUILD_FOLDER/finds; they belong into tests/fuzz/corpus/ once understood.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$1
seconds=$2

if ! command -v clang >/dev/null; then
	echo "fuzz: skipped: no clang"
	exit 0
fi
cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DARC_FUZZ=ON \
	-DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" \
	-DARC_SANITIZE=address,undefined >/dev/null
names=$(find "$root/tests/fuzz" -name 'fuzz_*.c' -exec basename {} .c \; |
	sed 's/^fuzz_//' | sort)
targets=
for name in $names; do
	targets="$targets libfuzzer-$name"
done
cmake --build "$build" -j "$(nproc)" --target $targets
mkdir -p "$build/finds"
for name in $names; do
	echo "-- $name for $seconds seconds"
	mkdir -p "$build/corpus/$name"
	given=$root/tests/fuzz/corpus/$name
	[ -d "$given" ] || given=
	"$build/tests/libfuzzer-$name" -max_total_time="$seconds" \
		-artifact_prefix="$build/finds/$name-" -rss_limit_mb=4096 \
		-timeout=20 -print_final_stats=1 "$build/corpus/$name" $given \
		2>"$build/$name.log" || {
		tail -n 40 "$build/$name.log"
		exit 1
	}
	grep 'stat::number_of_executed_units' "$build/$name.log"
done
