#!/bin/bash
# verify: 0 when intact, 1 with the damaged volumes, frames and paths named.
. "$(dirname "$0")/tool_helpers"

mkdir -p src/d
random_file src/a 100001 1
random_file src/b 1000000 2
seq 1 300000 >src/c
cp src/b src/d/same
ln src/b src/d/link
mkarchive -q --no-sync -c raw -s 1M -F 256K src a

expect 0 arctool verify a.001
contains out '^intact: .*no damage'
[ ! -s err ] || fail "it said something: $(cat err)"
expect 0 arctool verify -q a.002
[ ! -s out ] || fail "-q says something"
expect 0 arctool verify --json -j 1 a.001
python3 -c 'import json; j = json.load(open("out")); assert j["intact"]
assert j["damages"] == [] and j["affected"] == []'

mkdir keep
cp a.* keep
flip_content a src/b 500000
for threads in 1 3; do
	expect 1 arctool verify -j $threads a.001
	contains out '^damaged: .*a\.00[1-9]: frame [0-9]*, offset ' \
		'^affected: b: bytes [0-9]*\.\.[0-9]*$' \
		'^affected: d/same: bytes ' '^affected: d/link: bytes ' \
		'^DAMAGED: .* 3 entries affected'
	lacks out '^affected: [ac]:'
done
expect 1 arctool verify -q a.001
[ ! -s out ] || fail "-q says something"
expect 1 arctool verify --json a.001
python3 - <<'P'
import json
j = json.load(open("out"))
assert not j["intact"] and j["damages"], j
assert all(d["error"] == "corrupt" and "frame" in d for d in j["damages"])
paths = {a["path"]: a for a in j["affected"]}
assert set(paths) == {"b", "d/same", "d/link"}, paths
for a in paths.values():
    (lo, hi), = a["ranges"]
    assert lo <= 500000 < hi <= lo + 65536, a
assert j["affected_entries"] == 3
P

# A missing volume, and one of another archive.
cp keep/* .
rm a.002
expect 1 arctool verify a.001
contains out '^damaged: .*a\.002: a volume of the set is missing' \
	'^affected: [abcd]'
mkdir other
random_file other/file 2500000 7
mkarchive -q --no-sync -c raw -s 1M -F 256K other b
cp b.002 a.002
expect 1 arctool verify a.001
contains out '^damaged: .*a\.002: the volume belongs to another archive'
cp keep/* .

# The last volume holds the way into everything.
last=$(ls a.0* | tail -n 1)
rm "$last"
expect 3 arctool verify a.001
contains err '^arctool: '
cp keep/* .

# Any byte, anywhere.
python3 - <<'P'
import glob, os, random, subprocess
rnd = random.Random(11)
os.makedirs("flip", exist_ok=True)
paths = sorted(glob.glob("keep/a.*"))
for p in paths:
    os.link(p, p.replace("keep/", "flip/"))
for i in range(120):
    path = rnd.choice(paths)
    data = bytearray(open(path, "rb").read())
    at = rnd.choice([rnd.randrange(len(data)), rnd.randrange(64),
                     len(data) - 1 - rnd.randrange(4000)])
    data[at] ^= 1 << rnd.randrange(8)
    target = path.replace("keep/", "flip/")
    os.unlink(target)
    open(target, "wb").write(data)
    p = subprocess.run(["arctool", "verify", "flip/a.001"], timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode in (1, 3), (path, at, p)
    os.unlink(target)
    os.link(path, target)
p = subprocess.run(["arctool", "verify", "-q", "flip/a.001"])
assert p.returncode == 0
P
