#!/bin/bash
# label: slow
# In a control group that is short of memory a mount takes less by itself and
# gives back what it holds when the kernel tells of pressure.
. "$(dirname "$0")/helpers"
need getfattr pgrep
need_root
[ -e /proc/pressure/memory ] || skip "the kernel tells of no pressure"

# A group of our own, of version 2 or else 1.
group=
for place in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/memory; do
	mkdir "$place/arcfs-test.$$" 2>/dev/null || continue
	group=$place/arcfs-test.$$
	for limit in memory.max memory.limit_in_bytes; do
		[ ! -e "$group/$limit" ] ||
			! echo 96M 2>/dev/null >"$group/$limit" || break 2
	done
	rmdir "$group"
	group=
done
[ -n "$group" ] || skip "no control group for memory can be made"
if [ -e "$group/memory.pressure" ]; then
	pressure=$group/memory.pressure
else
	pressure=/proc/pressure/memory
fi

end_group()
{
	local pid

	for pid in $(cat "$group/cgroup.procs"); do
		kill "$pid" 2>/dev/null || true
	done
	for i in $(seq 100); do
		! rmdir "$group" 2>/dev/null || return 0
		sleep 0.1
	done
}
trap 'status=$?
set +e
fusermount3 -u -z "$work/mnt" 2>/dev/null
end_group
(exit $status)
clean_up' EXIT

# Begins a command in the group.
in_group=(bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")

stat_of() # PYTHON EXPRESSION over s
{
	getfattr --only-values -n user.arcfs.stats "$work/mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
print('"$1"')'
}

waited() # microseconds that tasks have waited for memory
{
	sed -n 's/^some .*total=//p' "$pressure"
}

mkdir "$work/src" "$work/mnt"
for i in $(seq 1 4); do
	seq -f "%.0f line of file $i" 1 400000 >"$work/src/text$i"
done
archive "$work/src" "$work/a"
"${in_group[@]}" arcfs "$work/a.001" "$work/mnt" || fail "cannot mount"
same "ceilings by the group" True \
	"$(stat_of 's["memory"]["ceiling"] == (48 + 12) << 20')"
cat "$work"/mnt/* | cmp - <(cat "$work"/src/*) || fail "other bytes"

# What is read in order is not kept for long: so backwards.
python3 - "$work"/mnt/* <<'P'
import mmap, os, sys
step = 1 << 20
buf = mmap.mmap(-1, step)
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    for at in range(os.fstat(fd).st_size // step * step, -1, -step):
        os.preadv(fd, [buf], at)
P
same "held" True "$(stat_of 's["memory"]["held"] > 20 << 20')"
before=$(waited)
earlier=$(stat_of 's["memory"]["shrinks"]')

# Four who go through more than fits, again and again, until it has been heard.
head -c 300000000 /dev/urandom >"$work/large"
sync "$work/large"
cat >"$work/hog.py" <<'P'
import mmap, os, sys, time
f = open(sys.argv[1], "rb")
os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
end = time.monotonic() + 20
at = int(sys.argv[2])
while time.monotonic() < end:
    for i in range(1000):
        m[at]
        at = (at + 4096) % len(m)
P
for i in 1 2 3 4; do
	"${in_group[@]}" python3 "$work/hog.py" "$work/large" $((i * 70000000)) &
	hogs="${hogs:-} $!"
done
for i in $(seq 150); do
	shrinks=$(stat_of 's["memory"]["shrinks"]')
	[ "$shrinks" = "$earlier" ] || break
	sleep 0.1
done
kill $hogs 2>/dev/null || true
wait
after=$(waited)
echo "$(((after - before) / 1000)) ms waited for memory, $shrinks shrinks"
if [ "$shrinks" = "$earlier" ]; then
	[ $((after - before)) -gt 2000000 ] ||
		skip "not enough pressure could be made here"
	fail "pressure was not heard"
fi
same "less is kept" True \
	"$(stat_of 's["memory"]["limit"] < s["memory"]["ceiling"]')"
dd if="$work/mnt/text1" bs=1M iflag=direct status=none |
	cmp - "$work/src/text1" || fail "text1 differs"
unmount "$work/mnt"
