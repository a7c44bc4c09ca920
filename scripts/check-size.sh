#!/bin/sh
# SPDX-License-Identifier: MIT
# check-size.sh [ROOT] - functions have at most 100 lines, files at most 800, and
# the reader in Python, without what decodes codecs, 400 in all.
# Needs universal-ctags; exits 77 without it.
set -eu
root=${1:-$(dirname "$0")/..}
cd "$root"

if ! ctags --version 2>/dev/null | grep -q Universal; then
	echo "check-size: skipped: no universal-ctags"
	exit 77
fi

# Exceptions, one a line: PATH or PATH:FUNCTION, a space, the reason.
exceptions=$(cat <<'END'
END
)

excepted() {
	printf '%s\n' "$exceptions" | cut -d' ' -f1 | grep -qxF "$1"
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
find core mkarchive fs arctool tests -name '*.[ch]' -type f | sort |
	while read -r file; do
		lines=$(wc -l <"$file")
		if [ "$lines" -gt 800 ] && ! excepted "$file"; then
			echo "$file: $lines lines"
		fi
	done >"$found"
find core mkarchive fs arctool tests -name '*.c' -type f | sort |
	ctags --languages=C --kinds-C=f --fields=ne -x \
		--_xformat='%F:%N %n %e' -L - |
	while read -r name first last; do
		lines=$((last - first + 1))
		if [ "$lines" -gt 100 ] && ! excepted "$name"; then
			echo "$name: $lines lines"
		fi
	done >>"$found"

lines=$(cat tests/golden/arcread.py tests/golden/plain.py 2>/dev/null | wc -l)
if [ "$lines" -gt 400 ]; then
	echo "tests/golden/arcread.py and plain.py: $lines lines"
fi >>"$found"

if [ -s "$found" ]; then
	echo "check-size: too long (the walls are 100, 800 and 400 lines):"
	cat "$found"
	exit 1
fi
echo "check-size: functions, files and the reader are within their walls"
