#!/bin/bash
# A volume that is missing, foreign, cut or replaced costs what lies in it,
# nothing more; also under a mount that has been reading it.
. "$(dirname "$0")/helpers"

mkdir "$work/src" "$work/other" "$work/set" "$work/foreign"
for i in 1 2 3 4 5 6; do
	random_file "$work/src/file$i" 700000 $i
	random_file "$work/other/file$i" 700000 1$i
done
archive "$work/src" "$work/set/a" -s 1M -c raw
archive "$work/other" "$work/foreign/a" -s 1M -c raw
mnt=$work/mnt

readable() # EXPECTED: names of the files that can be read, right
{
	found=
	for i in 1 2 3 4 5 6; do
		if timeout 20 cat "$mnt/file$i" >"$work/got" 2>"$work/err"
		then
			cmp "$work/got" "$work/src/file$i" ||
				fail "file$i differs"
			found="$found $i"
		else
			contains "file$i" "Input/output error" \
				"$(cat "$work/err")"
		fi
	done
	same "readable files" "$1" "${found# }"
}

# Of 700,000-byte files in volumes of 1 MiB, these lie outside volume 2.
without_second()
{
	python3 - "$work" <<'P'
import os, sys
work = sys.argv[1]
volume = open(work + "/keep.002", "rb").read()
names = []
for i in range(1, 7):
	data = open("%s/src/file%d" % (work, i), "rb").read()
	inside = any(data[p:p + 64] in volume
		     for p in range(0, len(data) - 64, 16384))
	if not inside:
		names.append(str(i))
print(" ".join(names))
P
}
cp "$work/set/a.002" "$work/keep.002"
expected=$(without_second)
[ -n "$expected" ] || fail "every file touches volume 2"
[ "$expected" != "1 2 3 4 5 6" ] || fail "no file touches volume 2"

ls "$work/set" >"$work/names"
rm "$work/set/a.002"
mount_archive "$work/set/a.001" "$mnt"
same "entries" 6 "$(ls -l "$mnt" | grep -c file)"
readable "$expected"
unmount "$mnt"

cp "$work/foreign/a.002" "$work/set/a.002"
mount_archive "$work/set/a.001" "$mnt"
readable "$expected"
unmount "$mnt"

head -c 5000 "$work/keep.002" >"$work/set/a.002"
mount_archive "$work/set/a.001" "$mnt"
readable "$expected"
unmount "$mnt"

# Cut under a mount that has it open; the small cache forgets what it held.
cp "$work/keep.002" "$work/set/a.002"
mount_archive "$work/set/a.001" "$mnt" -o cache_size=1M
dd if="$mnt/file2" bs=4096 count=1 status=none | cmp -n 4096 - \
	"$work/src/file2" || fail "before the cut"
truncate -s 100 "$work/set/a.002"
readable_now=0
for i in 1 2 3 4 5 6; do
	if timeout 20 cat "$mnt/file$i" >"$work/got" 2>"$work/err"; then
		cmp "$work/got" "$work/src/file$i" || fail "file$i differs"
		readable_now=$((readable_now + 1))
	else
		contains "cut" "Input/output error" "$(cat "$work/err")"
	fi
done
[ $readable_now -lt 6 ] || fail "nobody noticed the cut"
mountpoint -q "$mnt" || fail "arcfs did not survive the cut"
unmount "$mnt"

# Overwritten in its middle under a mount that has it open; then mended.
cp "$work/keep.002" "$work/set/a.002"
mount_archive "$work/set/a.001" "$mnt"
dd if=/dev/zero of="$work/set/a.002" bs=1000 seek=300 count=300 conv=notrunc \
	status=none
for i in 1 2 3 4 5 6; do
	cat "$mnt/file$i" 2>/dev/null
done | cmp -s - <(cat "$work"/src/file?) && fail "nobody noticed the zeros"
dd if="$work/keep.002" of="$work/set/a.002" conv=notrunc status=none
readable "1 2 3 4 5 6"
unmount "$mnt"
