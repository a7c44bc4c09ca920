#!/bin/sh
# SPDX-License-Identifier: MIT
# manual.sh PAGE... - every manual page is formatted without a complaint.
set -eu
command -v man >/dev/null && command -v groff >/dev/null || {
	echo "skipped: no man and groff"
	exit 77
}
status=0
for page; do
	said=$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 \
		>/dev/null)
	if [ -n "$said" ]; then
		printf '%s:\n%s\n' "$page" "$said"
		status=1
	fi
done
exit $status
