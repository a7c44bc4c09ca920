#!/bin/sh
# SPDX-License-Identifier: MIT
# sizes.sh ARC_BENCH TABLE - whether `arc-bench sizes` still says what TABLE
# keeps. A change of the encoder that is meant rewrites the table with
#
#	build/bin/arc-bench sizes >tests/perf/sizes.csv
#
# and goes into the same commit. What must hold of any table: no level is more
# than half a percent larger than the one below it, and neither a longer reach
# nor far references are more than that larger than without.
set -eu
bench=$1
table=$2
now=$(mktemp)
trap 'rm -f "$now"' EXIT
"$bench" sizes >"$now"

awk -F, '
function check(what, size, than) {
	if (size > than * 1.005) {
		print what ": " size " bytes, but " than " with less"
		bad = 1
	}
}
NR > 1 {
	row = $1 " " $2 " far " $3 " level "
	if ($4 > 1)
		check(row $4, $5, size[$1 $2 $3, $4 - 1])
	if ($3 > 0)
		check(row $4, $5, size[$1 $2 0, $4])
	if ($2 == "1M")
		check(row $4, $5, size[$1 "256K" 0, $4])
	if ($2 == "16M")
		check(row $4, $5, size[$1 "1M" 0, $4])
	size[$1 $2 $3, $4] = $5
}
END {
	if (NR != 73) {
		print NR " lines"
		bad = 1
	}
	exit bad
}' "$now"
diff -u "$table" "$now"
