#!/bin/bash
# SPDX-License-Identifier: MIT
# oclgrind.sh OCL_KERNELS - runs every kernel under Oclgrind, which interprets
# it and sees races, accesses out of bounds and values that nobody has written.
kernels=$1
command -v oclgrind >/dev/null || {
	echo "skipped: oclgrind is not installed"
	exit 77
}
work=$(mktemp -d /tmp/oclgrind-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
unset OPENCL_LAYERS OCL_ICD_VENDORS
# It is loaded before the program, and keeps what its compiler makes.
export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0:detect_leaks=0

fail()
{
	echo "FAILED: $*"
	head -n 60 "$work/log" "$work/out"
	exit 1
}

watch() # WORK OPTION...
{
	local what=$1

	shift
	rm -f "$work/log"
	oclgrind "$@" --max-errors 1000 --log "$work/log" "$kernels" "$what" \
		>"$work/out" 2>&1
	status=$?
	[ -e "$work/log" ] || fail "$what: oclgrind did not run"
}

clean() # WORK OPTION...
{
	watch "$@"
	[ $status = 0 ] || fail "$*: status $status"
	[ ! -s "$work/log" ] || fail "$*: something was found"
}

# It sees what it is to see.
watch mistakes --data-races --uninitialized
for mistake in 'Invalid write' 'Uninitialized value' 'data race'; do
	grep -q "$mistake" "$work/log" || fail "mistakes: no $mistake"
done

clean hash --data-races --check-api --uninitialized
clean encode --data-races --check-api --uninitialized
clean decode --data-races --check-api --uninitialized
