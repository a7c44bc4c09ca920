#!/bin/sh
# SPDX-License-Identifier: MIT
# test-foreign.sh WORK_FOLDER [i386|s390x]... - builds the programs for a 32-bit
# and for a big-endian machine and runs the tests of core's format code (blocks,
# records, codecs, index, volumes, hashes) and the golden archives, through
# qemu-user. The system is left as it is: the libraries of the other machine are
# unpacked into WORK_FOLDER.
#
# mkarchive's own tests stay out: its writers of the format are tested with
# core's readers here, and its spools reserve a terabyte of addresses, which
# costs nothing on a real machine and gigabytes of tables in qemu-user. So does
# the list of LZ-EXT3's sizes: an emulator takes too long to encode so much.
#
# Needs Debian or Ubuntu with gcc-i686-linux-gnu, gcc-s390x-linux-gnu (each
# with its libc6-dev-*-cross) and qemu-user; exits 77 where something is missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- i386 s390x
modules='archive|block|bytes|cache|codec|config|format|hash|index|lru|lzext3|record|volume|zstd'
tests="^(unit-($modules)(_.*)?|fuzz-.*)\$"

skip()
{
	echo "test-foreign: skipped: $*"
	exit 77
}

fetch_libraries() # ARCHITECTURE
{
	local opts deb

	[ ! -e "$work/$1/done" ] || return 0
	command -v apt-get >/dev/null || skip "no apt-get"
	mkdir -p "$work/$1/state/lists/partial" "$work/$1/sys" \
		"$work/$1/cache/archives/partial"
	: >"$work/$1/status"
	opts="-o APT::Architecture=$1 -o APT::Architectures=$1
		-o Dir::State=$work/$1/state -o Dir::Cache=$work/$1/cache
		-o Dir::State::status=$work/$1/status -o Debug::NoLocking=1"
	apt-get -qq $opts update || true
	apt-get -qq $opts install -y --download-only \
		--no-install-recommends libc6-dev libfuse3-dev liblz4-dev \
		libzstd-dev libxxhash-dev zlib1g-dev libssl-dev \
		libjansson-dev libinih-dev libarchive-dev libcmocka-dev uthash-dev \
		ocl-icd-opencl-dev ||
		skip "no libraries for $1"
	for deb in "$work/$1"/cache/archives/*.deb; do
		dpkg -x "$deb" "$work/$1/sys"
	done
	: >"$work/$1/done"
}

build() # ARCHITECTURE GNU_NAME LIBRARY_FOLDER
{
	local sys=$work/$1/sys

	PKG_CONFIG_SYSROOT_DIR=$sys
	PKG_CONFIG_LIBDIR=$sys/usr/lib/$3/pkgconfig:$sys/usr/share/pkgconfig
	export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
	cmake -S "$root" -B "$work/$1/build" -DCMAKE_SYSTEM_NAME=Linux \
		-DCMAKE_SYSTEM_PROCESSOR="$1" -DCMAKE_C_COMPILER="$2-gcc" \
		-DCMAKE_SYSROOT="$sys" -DCMAKE_FIND_ROOT_PATH="$sys" \
		-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
		-DCMAKE_LIBRARY_ARCHITECTURE="$3" -DCMAKE_BUILD_TYPE=Debug \
		-DCMAKE_CROSSCOMPILING_EMULATOR="qemu-$1;-L;$sys" \
		-DPython3_EXECUTABLE="$(command -v python3)" >/dev/null
	cmake --build "$work/$1/build" -j "$(nproc)"
}

# The Python reader needs no other machine: what arctool of that machine lists
# is compared with it.
wrap_arctool() # ARCHITECTURE
{
	mkdir -p "$work/$1/bin"
	printf '#!/bin/sh\nexec qemu-%s -L %s %s "$@"\n' "$1" \
		"$work/$1/sys" "$work/$1/build/bin/arctool" \
		>"$work/$1/bin/arctool"
	chmod +x "$work/$1/bin/arctool"
}

for arch; do
	case $arch in
	i386) gnu=i686-linux-gnu libs=i386-linux-gnu ;;
	s390x) gnu=s390x-linux-gnu libs=s390x-linux-gnu ;;
	*)
		echo "test-foreign: unknown machine: $arch" >&2
		exit 2
		;;
	esac
	for program in $gnu-gcc qemu-$arch python3; do
		command -v $program >/dev/null || skip "no $program"
	done
	echo "-- $arch"
	fetch_libraries $arch
	build $arch $gnu $libs
	ctest --test-dir "$work/$arch/build" --output-on-failure \
		-j "$(nproc)" -R "$tests" \
		-E '^(fuzz-match|unit-lzext3_sizes)$'
	wrap_arctool $arch
	for version in "$root"/tests/golden/v*; do
		python3 "$root/tests/golden/check.py" "$work/$arch/bin" \
			"$version"
	done
done
