#!/bin/sh
# SPDX-License-Identifier: MIT
# install-deps.sh [--run] [--fuzz] - installs the Debian/Ubuntu packages that
# building, running and testing need. --run: without what only tests need;
# --fuzz: with clang and its fuzzer as well. Asks for nothing.
set -eu

build="gcc make cmake pkg-config libc6-dev libfuse3-dev liblz4-dev libzstd-dev
	libxxhash-dev zlib1g-dev libssl-dev libarchive-dev libjansson-dev
	libinih-dev uthash-dev ocl-icd-opencl-dev"
run="fuse3"
tests="libcmocka-dev python3 attr acl util-linux procps man-db groff-base
	universal-ctags clang-format xxhash zstd strace
	libarchive-tools tar
	pocl-opencl-icd oclgrind"
fuzz="clang llvm"

want="$build $run $tests"
for arg; do
	case $arg in
	--run) want="$build $run libcmocka-dev python3-minimal" ;;
	--fuzz) want="$want $fuzz" ;;
	*)
		echo "usage: install-deps.sh [--run] [--fuzz]" >&2
		exit 2
		;;
	esac
done

if ! command -v apt-get >/dev/null; then
	echo "install-deps: no apt-get here; these are needed by their names" \
		"in Debian:" $want >&2
	exit 1
fi

installed() # PACKAGE
{
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed'
}

# The fuzzer's library is packaged by version: that of the default clang.
case $want in
*llvm*)
	version=$(apt-cache depends clang 2>/dev/null |
		sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
	want="$want libclang-rt-${version:-14}-dev"
	;;
esac

missing=
for package in $want; do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "install-deps: neither root nor sudo; missing:$missing" >&2
		exit 1
	}
	sudo="sudo"
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	--no-install-recommends $missing >/dev/null
