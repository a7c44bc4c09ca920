#!/bin/bash
# Small files that are read in order are with the kernel before they are asked
# for: right, without requests, and never in the way of the end of a mount.
# lock: caches
. "$(dirname "$0")/helpers"
need getfattr
need_root # drops the kernel's caches

python3 - "$work/src" <<'END'
import os, random, sys
r = random.Random(21)
for d in range(5):
    os.makedirs("%s/d%d/inner" % (sys.argv[1], d))
    for i in range(120):
        n = r.choice((0, 1, 4095, 4096, 5000, 20000, 131072, 131073, 300000))
        if i < 40:
            n = r.randrange(1, 9000)
        with open("%s/d%d/f%03d" % (sys.argv[1], d, i), "wb") as f:
            f.write(r.randbytes(n))
    for i in range(30):
        with open("%s/d%d/inner/%02d" % (sys.argv[1], d, i), "wb") as f:
            f.write(b"the same in each %02d\n" % i * 100)
END
archive "$work/src" "$work/a" --volume-size 1M
mount_archive "$work/a.001" "$work/mnt"

stat_of() # PYTHON EXPRESSION over s
{
	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
print('"$1"')'
}

# A reader who stops after some files: those in front of him are read without a
# request.
# The kernel may forget their names at any time, and what it does not know is
# not stored: then once more.
for attempt in 1 2 3; do
	ls -l "$work/mnt/d0" >/dev/null
	cat "$work/mnt/d0/f00"[0-3] >/dev/null
	for i in $(seq 100); do
		stored=$(stat_of 's["prefill"]["files"] >= 8')
		[ "$stored" = False ] || break 2
		sleep 0.05
	done
	unmount "$work/mnt"
	mount_archive "$work/a.001" "$work/mnt"
done
same "stored" True "$stored"
before=$(stat_of 's["operations"]["read"]["count"]')
for i in 08 09 10 11 12 13 14; do
	cmp "$work/src/d0/f0$i" "$work/mnt/d0/f0$i"
done
same "reads of what was stored" "$before" "$(stat_of 's["operations"]["read"]["count"]')"
same "bytes" True "$(stat_of 's["prefill"]["bytes"] > 1000')"

# Everything, in order, in any other order, by several at once, shared or not.
for inodes in shared distinct; do
	unmount "$work/mnt"
	mount_archive "$work/a.001" "$work/mnt" -o inodes=$inodes
	for order in sort 'sort -r' 'shuf --random-source=/dev/zero'; do
		echo 3 >/proc/sys/vm/drop_caches
		(cd "$work/mnt" && find . -type f | $order | xargs md5sum) |
			sort >"$work/$inodes.found"
		(cd "$work/src" && find . -type f | xargs md5sum) |
			sort >"$work/$inodes.expected"
		cmp "$work/$inodes.expected" "$work/$inodes.found"
	done
	echo 3 >/proc/sys/vm/drop_caches
	(cd "$work/mnt" && find . -type f | sort | xargs -P4 -n40 md5sum) |
		sort | cmp "$work/$inodes.expected" -
done
unmount "$work/mnt"

# The mount ends at any moment, with readers and without.
for i in $(seq 12); do
	arcfs "$work/a.001" "$work/mnt" -f &
	daemon=$!
	for n in $(seq 100); do
		! mountpoint -q "$work/mnt" || break
		sleep 0.02
	done
	(cp -r "$work/mnt" "$work/copy" 2>/dev/null; true) &
	sleep "0.0$((i % 10))"
	if [ $((i % 2)) = 0 ]; then
		kill -TERM "$daemon"
	else
		fusermount3 -u -z "$work/mnt"
	fi
	for n in $(seq 200); do
		kill -0 "$daemon" 2>/dev/null || break
		[ "$n" != 200 ] || fail "round $i: the mount does not end"
		sleep 0.05
	done
	wait
	rm -rf "$work/copy"
done

# Also when many wait for the very files that are being stored.
cat >"$work/many.py" <<'END'
import os, sys, threading
files = sorted((os.stat(path).st_ino, path)
               for path in (os.path.join(top, name)
                            for top, _, names in os.walk(sys.argv[1])
                            for name in names))
lock = threading.Lock()
def read():
    while True:
        with lock:
            if not files:
                return
            path = files.pop(0)[1]
        try:
            with open(path, "rb") as f:
                f.read()
        except OSError:
            return
readers = [threading.Thread(target=read) for _ in range(64)]
print("ready", flush=True)
for r in readers:
    r.start()
END
for i in $(seq 12); do
	arcfs "$work/a.001" "$work/mnt" -f -o threads=1 &
	daemon=$!
	for n in $(seq 100); do
		! mountpoint -q "$work/mnt" || break
		sleep 0.02
	done
	exec 5< <(python3 "$work/many.py" "$work/mnt" 2>/dev/null)
	read -r line <&5
	sleep "0.0$((i % 4))"
	kill -TERM "$daemon"
	for n in $(seq 200); do
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.05
		[ "$n" != 200 ] || {
			umount -f "$work/mnt" # nothing else would end it
			fail "many, round $i: the mount does not end"
		}
	done
	wait "$daemon" || fail "many, round $i: exit status $?"
	exec 5<&-
done

# Damage is told to who reads the file, and to nobody else.
python3 - "$work" <<'END'
import sys
name = sys.argv[1] + "/a.002"
data = bytearray(open(name, "rb").read())
data[500000] ^= 1
open(name, "wb").write(data)
END
mount_archive "$work/a.001" "$work/mnt"
ls -lR "$work/mnt" >/dev/null
bad=0
for file in $(cd "$work/src" && find . -type f | sort); do
	if cat "$work/mnt/$file" >"$work/out" 2>/dev/null; then
		cmp "$work/src/$file" "$work/out"
	else
		bad=$((bad + 1))
	fi
done
[ $bad -gt 0 ] && [ $bad -lt 60 ] || fail "$bad files are damaged"
unmount "$work/mnt"
