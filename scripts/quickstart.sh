#!/bin/sh
# SPDX-License-Identifier: MIT
# quickstart.sh [FOLDER] - from a bare Debian or Ubuntu to a mounted archive:
# installs packages, builds, archives FOLDER (or one that it makes), mounts the
# archive, shows it, unmounts it. Leaves the programs in build/bin/ and nothing
# else behind.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

step()
{
	printf '\n== %s\n' "$*"
}

show() # COMMAND...: prints it, then runs it
{
	printf '$ %s\n' "$*"
	"$@"
}

step "Packages"
"$root/scripts/install-deps.sh" --run

step "Build"
cmake -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$root/build" -j "$(nproc)" >/dev/null
PATH=$root/build/bin:$PATH
mkarchive --version

work=$(mktemp -d "${TMPDIR:-/tmp}/arcfs-quickstart.XXXXXX")
clean_up()
{
	cd /
	! mountpoint -q "$work/mnt" || fusermount3 -u "$work/mnt" ||
		umount -l "$work/mnt"
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

if [ $# -gt 0 ]; then
	src=$(cd "$1" && pwd)
else
	src=folder
	mkdir -p "$work/$src"
	cd "$work"
	cp -r "$root/core" "$root/mkarchive" "$root/man" "$src"
	cp -r "$root/core" "$src/core-again"
	truncate -s 10M "$src/sparse"
	ln -s man/mkarchive.1 "$src/link"
fi

cd "$work"
step "Archive"
show mkarchive "$src" backup || [ $? = 1 ]
ls -l backup.*

step "Mount"
mkdir mnt
if [ ! -c /dev/fuse ]; then
	echo "There is no /dev/fuse here, so nothing can be mounted." \
		"arctool reads the archive without it:"
	show arctool list backup.001 | head -n 20
	exit 0
fi
show arcfs backup.001 mnt -o inodes=distinct
show ls -l mnt
show df -h mnt

step "Compare with the source"
if show diff -r --no-dereference "$src" mnt; then
	echo "no difference"
fi

step "Check all checksums"
show arctool verify backup.001

step "Unmount"
show fusermount3 -u mnt
printf '\nThe programs are in %s, their manuals in %s.\n' \
	"$root/build/bin" "$root/man"
