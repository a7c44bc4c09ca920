#!/bin/bash
# Devices that hash find the same duplicates as the CPU: the archive is the
# same. One that computes wrongly is found out, and the CPU does its work.
. "$(dirname "$0")/tool_helpers"

layer=$bin/../tests/libfault_layer.so

# Duplicates, and files that differ where no sample is taken.
mkdir -p src/a src/b
python3 - <<'P'
import random
r = random.Random(1)
for n in (0, 1, 65535, 65536, 65537, 200000, 1 << 20, 2500001):
    data = r.randbytes(n)
    for folder in "ab":
        open("src/%s/%d" % (folder, n), "wb").write(data)
    if n > 60000:
        near = bytearray(data)
        near[50000] ^= 1
        open("src/b/%d-near" % n, "wb").write(near)
for folder in "ab":
    with open("src/%s/sparse" % folder, "wb") as f:
        f.truncate(5 << 20)
        f.seek(3 << 20)
        f.write(b"data in the middle")
open("src/a/zeros", "wb").write(bytes(2 << 20))
with open("src/b/hole", "wb") as f:
    f.truncate(2 << 20)
P

expect 0 mkarchive --no-sync --json --gpu off --profile parallel src cpu
mv out cpu.json
expect 0 mkarchive --no-sync --json --gpu force src gpu
mv out gpu.json
cmp cpu.001 gpu.001
python3 - <<'P'
import json
cpu, gpu = json.load(open("cpu.json")), json.load(open("gpu.json"))
assert cpu["dedup"].pop("hashed_by_devices") == 0, cpu
hashed = gpu["dedup"].pop("hashed_by_devices")
assert hashed > 2 * (65535 + 65536 + 65537 + 200000 + (1 << 20) + 2500001)
assert cpu["dedup"] == gpu["dedup"], (cpu, gpu)
assert gpu["dedup"]["duplicates"] == 9, gpu
assert cpu["device_frames"] == 0 and gpu["device_frames"] == gpu["frames"]
P

# For people, and only where there is something to say.
expect 0 mkarchive --no-sync --force --gpu force src gpu
contains out '^devices  *[1-9][0-9]* frames, [1-9][0-9]* bytes hashed$'
expect 0 mkarchive --no-sync --force --gpu off src gpu
lacks out '^devices '

# The trial of the device reads so often; then one more read is a hash.
mkdir empty pair
random_file pair/a 900000 2
cp pair/a pair/b
expect 0 mkarchive -q --no-sync --gpu off --profile parallel pair right
expect 0 env OPENCL_LAYERS="$layer" ARC_FAULT_COUNT="$work/count" \
	mkarchive -q --no-sync --gpu force empty counted
read -r calls live reads name <count
[ "$reads" -gt 2 ] || fail "the fault layer saw $reads reads in $calls calls"

# A wrong hash retires the device, and nothing is lost by it. Without fallback
# it is an error, and there is no archive.
flip="env OPENCL_LAYERS=$layer ARC_FAULT_FLIP=$((reads + 1))"
expect 0 $flip mkarchive --json --no-sync -j 1 --gpu force pair wrong
contains err 'it computes wrongly; going on without it'
[ "$(grep -c 'computes wrongly' err)" = 1 ] || fail "said more than once"
contains out '"duplicates": 1,' '"hashed_by_devices": 0,' \
	'"device_frames": 0,'
cmp right.001 wrong.001
GPU_FALLBACK_ENABLED=no expect 3 $flip mkarchive --no-sync -j 1 --gpu force \
	pair none
contains err 'it computes wrongly; to go on without it was not allowed' \
	'no archive was made'

# So does any later read, which is one of a frame.
for n in 2 3; do
	expect 0 env OPENCL_LAYERS="$layer" ARC_FAULT_FLIP=$((reads + n)) \
		mkarchive -q --no-sync -j 1 --force --gpu force pair wrong
	cmp right.001 wrong.001
done
