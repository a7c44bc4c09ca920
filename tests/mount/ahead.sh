#!/bin/bash
# What is read in order is decoded ahead of its readers; what is read here and
# there is not, and no more of it is decoded than it needs.
. "$(dirname "$0")/helpers"
need getfattr

mkdir "$work/src"
seq 1 6000000 >"$work/src/numbers"
seq 6000000 -1 1 >"$work/src/other"
archive "$work/src" "$work/a"

stat_of() # PYTHON EXPRESSION over s, and its part a on what is ahead
{
	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
a = s["ahead"]
print('"$1"')'
}

# A reader who pauses finds what comes next decoded. The kernel reads ahead by
# itself: so he does it without the kernel's cache.
mount_archive "$work/a.001" "$work/mnt" -o cache_size=512M
piece() # FILE N [OPTION]: the N-th MiB of it
{
	dd if="$1" bs=128K skip=$((8 * $2)) count=8 status=none ${3-}
}
for i in $(seq 0 29); do
	piece "$work/mnt/numbers" $i iflag=direct >"$work/piece"
	piece "$work/src/numbers" $i | cmp - "$work/piece"
	[ "$(stat_of 'a["used"] > 0')" = False ] || break
	sleep 0.1
done
same "pieces" True "$(stat_of '0 < a["pieces"] and not a["device_batches"]')"
same "used" True "$(stat_of '0 < a["used"] <= a["groups"] <= a["segments"]')"

# Nothing is decoded twice, whoever does it.
cmp "$work/src/numbers" "$work/mnt/numbers"
cmp "$work/src/other" "$work/mnt/other"
size=$(cat "$work/src/numbers" "$work/src/other" | wc -c)
same "decoded" "$size" "$(stat_of 's["bytes_decoded"]')"
unmount "$work/mnt"

# What lies behind who reads in order is kept by the kernel: little of it here.
mount_archive "$work/a.001" "$work/mnt" -o cache_size=64M
for i in 1 2; do
	dd if="$work/mnt/other" bs=1M status=none iflag=direct |
		cmp - "$work/src/other"
	same "held" True "$(stat_of '0 < s["memory"]["held"] < 24 << 20')"
done
same "decoded" True "$(stat_of "s['bytes_decoded'] <= 2 * $(
	stat -c %s "$work/src/other")")"
unmount "$work/mnt"

# Pages here and there, far apart.
mount_archive "$work/a.001" "$work/mnt"
python3 - "$work/src/numbers" "$work/mnt/numbers" <<'END'
import os, random, sys
source, mounted = (os.open(p, os.O_RDONLY) for p in sys.argv[1:])
os.posix_fadvise(mounted, 0, 0, os.POSIX_FADV_RANDOM)
size, r = os.fstat(source).st_size, random.Random(3)
for i in range(40):
    at = (i * 7 % 40) * (size // 40) + r.randrange(size // 80)
    if os.pread(source, 4096, at) != os.pread(mounted, 4096, at):
        sys.exit("different at %d" % at)
END
same "ahead of nobody" 0 "$(stat_of 'a["groups"]')"
unmount "$work/mnt"
