#!/bin/bash
# label: slow
# timeout: 3600
# The tree of the Linux kernel, as Debian packages it: archived, mounted,
# compared byte for byte and attribute for attribute, extracted, unmounted.
#
# The package linux-source-* is taken from /usr/src when it is installed, else
# fetched through apt, once, into $ARC_CACHE (default: ~/.cache/arcfs-tests).
. "$(dirname "$0")/helpers"
tests=$(cd "$here/.." && pwd)
cache=${ARC_CACHE:-$HOME/.cache/arcfs-tests}

find_source()
{
	find /usr/src "$cache" -name 'linux-source-*.tar.xz' 2>/dev/null |
		sort -V | tail -n 1
}

fetch_source()
{
	local package

	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
		skip "no apt to fetch linux-source-* with"
	package=$(apt-cache search --names-only '^linux-source-[0-9.]+$' |
		awk '{ print $1 }' | sort -V | tail -n 1)
	if apt-cache show linux-source-6.1 >/dev/null 2>&1; then
		package=linux-source-6.1
	fi
	[ -n "$package" ] || skip "apt knows no linux-source-*"
	mkdir -p "$cache"
	(cd "$cache" && apt-get -qq download "$package") ||
		skip "$package cannot be fetched"
	dpkg-deb -x "$cache"/linux-source-*.deb "$cache/unpacked"
	rm "$cache"/linux-source-*.deb
}

free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
[ "$free" -gt 6000000 ] || skip "needs 6 GB in ${TMPDIR:-/tmp}"
[ -n "$(find_source)" ] || fetch_source
tarball=$(find_source)
[ -n "$tarball" ] || skip "no linux-source-*.tar.xz was found"

echo "tree: $tarball"
mkdir "$work/src"
tar -C "$work/src" -xJf "$tarball"
archive "$work/src" "$work/kernel" -c lz4
for volume in "$work"/kernel.*; do
	[ "$(stat -c %s "$volume")" -le $((98 << 20)) ] ||
		fail "$volume is too large"
done
ls -l "$work"/kernel.*

mount_archive "$work/kernel.001" "$work/mnt" -o inodes=distinct
"$tests/comparetree" --exact-holes "$work/src" "$work/mnt" || fail "distinct"
getfattr --only-values -n user.arcfs.stats "$work/mnt" || true
unmount "$work/mnt"

mount_archive "$work/kernel.002" "$work/mnt"
"$tests/comparetree" --shared "$work/src" "$work/mnt" || fail "shared"
unmount "$work/mnt"

arctool verify "$work/kernel.001"
arctool extract -q "$work/kernel.001" "$work/dest"
"$tests/comparetree" --exact-holes "$work/src" "$work/dest" || fail "extract"
