#!/bin/bash
# A mount whose devices decode ahead of its readers serves the right bytes,
# whatever the devices do; damage stays EIO where it is.
# timeout: 600
. "$(dirname "$0")/helpers"
need getfattr
. "$here/../cli/gpu_helpers"
export GPU_TIMEOUT=60
mnt=$work/mnt

# About 36 MB in 144 frames, larger than the caches below.
python3 - "$work/src" <<'P'
import os, random, sys
rnd = random.Random(5)
words = [b"%x " % rnd.getrandbits(rnd.randrange(4, 40)) for i in range(3000)]
for i in range(24):
    folder = os.path.join(sys.argv[1], "d%d" % (i // 8))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "f%d" % i), "wb") as f:
        f.write(b"".join(rnd.choices(words, k=180000)))
        f.write(rnd.randbytes(i * 10000) + bytes(i * 20000))
P
(cd "$work/src" && find . -type f | sort | xargs sha256sum) >"$work/sums"
archive "$work/src" "$work/a" -F 256K -l 1

ahead() # PYTHON EXPRESSION over s, the stats, and a, their part on devices
{
	getfattr --only-values -n user.arcfs.stats "$mnt" 2>/dev/null |
		python3 -c 'import json, sys
s = json.load(sys.stdin)
a = s["ahead"]
print('"$1"')'
}

wait_for() # WHAT EXPRESSION
{
	local i

	for ((i = 0; i < 600; i++)); do
		[ "$(ahead "$2")" != True ] || return 0
		sleep 0.1
	done
	fail "$1: $(ahead s)"
}

wait_end() # of the program, which is no longer mounted
{
	local i

	for ((i = 0; i < 300; i++)); do
		pgrep -f "arcfs $work/a.001" >/dev/null || return 0
		sleep 0.1
	done
	fail "the program has not ended"
}

# Reads files in order in four places at once, in small pieces and not too fast,
# so that devices can be ahead.
read_slowly()
{
	sed 's/.*  //' "$work/sums" | (cd "$mnt" && xargs -P 4 -n 6 \
		python3 -c 'import hashlib, sys, time
for path in sys.argv[1:]:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as f:
        while True:
            data = f.read(1 << 17)
            if not data:
                break
            digest.update(data)
            time.sleep(0.004)
    sys.stdout.write("%s  %s\n" % (digest.hexdigest(), path))') |
		sort -k 2 >"$work/found"
	sort -k 2 "$work/sums" | cmp - "$work/found" || fail "$1: wrong bytes"
}

mount_archive "$work/a.001" "$mnt" -o gpu=force,cache_size=16M
wait_for "no device" 'a["devices"] == "in use"'
read_slowly "in use"
same "frames of devices" True "$(ahead 'a["device_frames"] > 4')"
same "batches of devices" True \
	"$(ahead '0 < a["device_batches"] <= a["device_frames"]')"
same "segments of devices" True "$(ahead 'a["segments"] > 16')"
same "message" "" "$(ahead 'a["message"]')"
same "damage" 0 "$(ahead 's["bad_segments"] + s["errors"]')"
"$here/../comparetree" "$work/src" "$mnt" || fail "trees differ"
same "damage" 0 "$(ahead 's["bad_segments"] + s["errors"]')"
unmount "$mnt"

# Unmounted while devices work.
mount_archive "$work/a.001" "$mnt" -o gpu=force,cache_size=16M
wait_for "no device" 'a["devices"] == "in use"'
cat "$mnt"/d0/* >/dev/null
unmount "$mnt"
wait_end

mount_archive "$work/a.001" "$mnt" -o gpu=off
read_slowly "off"
same "off" "off" "$(ahead 'a["devices"]')"
unmount "$mnt"
FORCE_CPU_MODE=yes mount_archive "$work/a.001" "$mnt"
same "off by environment" "off" "$(ahead 'a["devices"]')"
unmount "$mnt"

# No such device: served all the same.
mount_archive "$work/a.001" "$mnt" -o gpu=99
wait_for "a device" 'a["devices"] == "none"'
contains "message" "99" "$(ahead 'a["message"]')"
cmp "$mnt/d1/f9" "$work/src/d1/f9" || fail "without a device"
unmount "$mnt"

# So many calls are made for a device to get to work, and some of that.
archive "$work/src/d0/f0" "$work/small" -F 256K -l 1
OPENCL_LAYERS=$layer ARC_FAULT_COUNT=$work/count arctool verify -q \
	--gpu force "$work/small.001" || fail "verify"
read -r calls live reads name <"$work/count"

# SECONDS: whether a message comes, which is then in $message. A device is ahead
# of who reads: what it does last is waited for.
has_message()
{
	local i

	for ((i = 0; i < $1 * 10; i++)); do
		message=$(ahead 'a["message"]')
		[ -z "$message" ] || return 0
		sleep 0.1
	done
	return 1
}

# VARIABLE=N TIMEOUT: all is served; sets message, and name (of the call that
# was made to fail, or "-"). When it comes, the device is gone.
serve_with_fault()
{
	rm -f "$work/count"
	env OPENCL_LAYERS="$layer" ARC_FAULT_COUNT="$work/count" "$1" \
		GPU_TIMEOUT="$2" arcfs "$work/a.001" "$mnt" \
		-o gpu=force,cache_size=16M || fail "$1: cannot mount"
	wait_for "$1: no trial ended" 'a["devices"] != "not looked for"'
	read_slowly "$1"
	# One that hangs is noticed when its time is up.
	if has_message $(($2 < 10 ? $2 + 2 : 2)); then
		same "$1: the device" none "$(ahead 'a["devices"]')"
	fi
	same "$1: damage" 0 "$(ahead 's["bad_segments"] + s["errors"]')"
	unmount "$mnt"
	wait_end
	name=-
	[ ! -e "$work/count" ] || read -r _ _ _ name <"$work/count"
}

# VARIABLE FIRST TIMEOUT MESSAGE: looks from there on for a place where it is
# noticed; elsewhere it must be harmless.
with_fault()
{
	local n

	for ((n = $2; n < $2 + 60; n += 5)); do
		serve_with_fault "$1=$n" "$3"
		[ -z "$message" ] || break
		is_harmless "$name" || fail "$1=$n: $name failed unnoticed"
	done
	echo "$1=$n ($name): $message"
	contains "$1=$n" "$4" "$message"
}

# On trial, and at work.
with_fault ARC_FAULT_CALL 40 60 "not used: cl"
with_fault ARC_FAULT_FLIP 1 60 "it computes wrongly"
with_fault ARC_FAULT_HANG 60 3 "it does not answer"
with_fault ARC_FAULT_CALL $((calls + 10)) 60 "going on without it"
with_fault ARC_FAULT_FLIP $((reads + 1)) 60 \
	"it computes wrongly; going on without it"
with_fault ARC_FAULT_HANG $calls 5 "it does not answer; going on"

# Damage is found by the CPU, too: what a device calls wrong is no fault of it.
cp "$work/a.001" "$work/damaged.001"
python3 - "$work/damaged.001" <<'P'
import os, sys
size = os.path.getsize(sys.argv[1])
with open(sys.argv[1], "r+b") as f:
    for at in range(size // 40, size * 9 // 10, size // 8):
        f.seek(at)
        f.write(bytes(200))
P
cat >"$work/pages.py" <<'P'
"""pages.py MOUNT SOURCE - prints for each file which pages answer EIO."""
import errno, os, sys
for top, dirs, files in os.walk(sys.argv[2]):
    dirs.sort()
    for name in sorted(files):
        source = os.path.join(top, name)
        path = os.path.relpath(source, sys.argv[2])
        want = open(source, "rb").read()
        fd, bad = os.open(os.path.join(sys.argv[1], path), os.O_RDONLY), []
        for off in range(0, len(want), 4096):
            try:
                got = os.pread(fd, 4096, off)
            except OSError as e:
                assert e.errno == errno.EIO, e
                bad.append(off // 4096)
                continue
            assert got == want[off:off + 4096], (path, off)
        print(path, bad)
P
mount_archive "$work/damaged.001" "$mnt" -o gpu=off,cache_size=16M
python3 "$work/pages.py" "$mnt" "$work/src" >"$work/by-cpu" ||
	fail "damage: wrong bytes"
grep -q '\[[0-9]' "$work/by-cpu" || fail "nothing is damaged"
unmount "$mnt"
mount_archive "$work/damaged.001" "$mnt" -o gpu=force,cache_size=16M
wait_for "no device" 'a["devices"] == "in use"'
python3 "$work/pages.py" "$mnt" "$work/src" >"$work/by-device" ||
	fail "damage: wrong bytes with a device"
cmp "$work/by-cpu" "$work/by-device" || fail "other pages are damaged"
same "damage: frames of devices" True "$(ahead 'a["device_frames"] > 4')"
same "damage: the device goes on" "in use" "$(ahead 'a["devices"]')"
same "damage: message" "" "$(ahead 'a["message"]')"
unmount "$mnt"
