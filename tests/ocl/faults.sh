#!/bin/bash
# SPDX-License-Identifier: MIT
# faults.sh OCL_SMALL FAULT_LAYER - makes every call of a small run fail in
# turn, and some of them hang. Every failure must end as an error, but for calls
# that can do without; nothing may crash, and nothing that the driver made may
# be left. Built with AddressSanitizer, it also sees leaks of our own.
small=$1
export OPENCL_LAYERS=$2
work=$(mktemp -d /tmp/ocl-faults-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

export TSAN_OPTIONS=atexit_sleep_ms=0 # it would sleep a second in every run

# Releases have nobody to tell (clFinish is part of one, too); a build log,
# times and cached binaries are welcome, but not needed.
harmless='clRelease.*|clEnqueueUnmapMemObject|clFinish|clGetProgramBuildInfo'
harmless="$harmless|clGetEventProfilingInfo|clGetProgramInfo"

fail()
{
	echo "FAILED: $*"
	cat "$work/out"
	exit 1
}

# One run with the environment and arguments given: sets status, calls, live,
# reads and name.
run() # VARIABLE=VALUE... [-- ARGUMENT...]
{
	local settings=()

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	shift
	rm -f "$work/count"
	status=0
	env "${settings[@]}" ARC_FAULT_COUNT="$work/count" timeout 60 \
		"$small" "$work/cache" "$@" >"$work/out" 2>&1 || status=$?
	calls='' live='' reads='' name=''
	[ ! -e "$work/count" ] || read -r calls live reads name <"$work/count"
}

# Whether the run may end well although the call NAME failed. A binary that
# cannot be used is built anew.
may_do_without() # NAME CACHED
{
	[[ $1 =~ ^($harmless)$ ]] ||
		{ [ "$2" = yes ] && [[ $1 =~ ^clCreateProgramWithBinary$ ]]; } ||
		{ [ "$2" = yes ] && [[ $1 =~ ^clBuildProgram$ ]]; }
}

fail_each() # CACHED
{
	local n errors=0 all noticed=' '

	rm -rf "$work/cache" "$work/kept"
	mkdir "$work/cache"
	[ "$1" = no ] || run --
	cp -r "$work/cache" "$work/kept"
	run --
	[ "$status" = 0 ] || fail "without a fault: status $status"
	[ "$live" = 0 ] || fail "without a fault: $live objects are left"
	all=$calls
	[ "$all" -gt 50 ] || fail "only $all calls went through the layer"
	for ((n = 1; n <= all; n++)); do
		rm -rf "$work/cache"
		cp -r "$work/kept" "$work/cache"
		run ARC_FAULT_CALL=$n --
		[ "$live" = 0 ] ||
			fail "call $n ($name), cached $1: $live objects left"
		case $status in
		0)
			may_do_without "$name" "$1" ||
				fail "call $n ($name) failed unnoticed"
			;;
		3)
			errors=$((errors + 1))
			noticed="$noticed$name "
			;;
		*) fail "call $n ($name), cached $1: status $status" ;;
		esac
	done
	echo "cached $1: $all calls, $errors errors"
	[ "$errors" -gt 30 ] || fail "only $errors errors"
	[[ $noticed == *' clFinish '* ]] || fail "clFinish failed unnoticed"
}

hang_some()
{
	local n all

	run --
	all=$calls
	for ((n = 1; n <= all; n += 9)); do
		run ARC_FAULT_HANG=$n -- 2000
		[ "$status" = 4 ] || fail "call $n hangs: status $status"
	done
	run ARC_FAULT_HANG=$((all + 1)) -- 30000
	[ "$status" = 0 ] || fail "nothing hangs: status $status"
}

fail_each no
fail_each yes
hang_some
run ARC_FAULT_FLIP=1 --
[ "$status" = 5 ] || fail "a flipped bit: status $status"
[ "$reads" = 1 ] || fail "$reads reads"

# A machine without drivers, and one whose driver is not there.
mkdir "$work/none" "$work/lost"
echo /nonexistent/libdriver.so >"$work/lost/lost.icd"
for vendors in none lost; do
	run OCL_ICD_VENDORS="$work/$vendors" --
	[ "$status" = 3 ] || fail "$vendors: status $status"
	grep -q '^nodevice' "$work/out" || fail "$vendors: another error"
done
