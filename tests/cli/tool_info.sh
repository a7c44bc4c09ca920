#!/bin/bash
# info: its numbers are those of the tree and of the volumes.
. "$(dirname "$0")/tool_helpers"

mkdir src src/sub
random_file src/big 3000000 1
cp src/big src/copy
seq 1 50000 >src/text
truncate -s 1M src/hole
ln -s text src/link
ln src/text src/sub/text-too
mkfifo src/fifo
mkarchive -q --no-sync -s 1M -F 256K -c lz4 src dir.x/../a 2>/dev/null ||
	mkarchive -q --no-sync -s 1M -F 256K -c lz4 src a

expect 0 arctool info a.002
contains out '^archive id ' '^format  *1,' '^volumes  *4$' ' a.001$' \
	' a.004$' '^files  *4$' '^directories  *2$' \
	'1 symlinks, 1 special files, 1 further' \
	'^duplicates  *1, 3000000 bytes saved' '^holes  *1048576 ' \
	'^  raw ' '^  lz4 ' '^reduction ' '^made with'

expect 0 arctool info --json a.001
python3 - <<'P'
import json, glob, os
j = json.load(open("out"))
sizes = [os.path.getsize(p) for p in sorted(glob.glob("a.0*"))]
assert [v["size"] for v in j["volumes"]] == sizes, j["volumes"]
assert all(v["state"] == "ok" for v in j["volumes"])
assert j["bytes_out"] == sum(sizes)
text = os.path.getsize("src/text")
assert j["bytes_in"] == 2 * 3000000 + text + (1 << 20), j["bytes_in"]
assert j["stream_bytes"] == 3000000 + text, j["stream_bytes"]
assert j["entries"] == 8 and j["files"] == 4, j
assert j["duplicates"] == 1 and j["duplicate_bytes"] == 3000000
assert j["frames"] == sum(c["frames"] for c in j["codecs"].values())
assert abs(sum(c["percent"] for c in j["codecs"].values()) - 100) < .01
assert j["stored_bytes"] == sum(c["stored"] for c in j["codecs"].values())
assert j["stream_bytes"] == sum(c["raw"] for c in j["codecs"].values())
reduction = 100 * (1 - j["bytes_out"] / j["bytes_in"])
assert abs(j["reduction_percent"] - reduction) < .01
assert abs(j["ratio"] - j["bytes_in"] / j["bytes_out"]) < .01
assert len(j["id"]) == 32 and j["features"]["incompat"] == 0
assert j["options"], j
P

# Codecs have their names.
mkarchive -q --no-sync -c zstd src/text z
expect 0 arctool info z.001
contains out '^  zstd ' '^frames  *1, level 6, reach 1.0 MiB$'
expect 0 arctool info --json z.001
python3 - <<'P'
import json
j = json.load(open("out"))
assert list(j["codecs"]) == ["zstd"], j["codecs"]
assert j["options"]["codec"] == "zstd", j["options"]
assert j["options"]["reach"] == "1048576", j["options"]
assert (j["level"], j["reach"]) == (6, 1048576), j
assert "closure" not in j
P

# What must be decoded to read a segment, as the tables of the frames tell it
# to another reader.
cat >closure.py <<'P'
import json, struct, sys
sys.path.insert(0, sys.argv[1])
import arcread


def needs(codec, log, s, entry, kinds):
    """The segments that one needs at once."""
    group = s >> log - 16 << log - 16
    end = min(group + (1 << log - 16), len(kinds))
    if codec == 3 and kinds[group] == 1:
        return set(range(group, end))
    if kinds[s] != 1:
        return set()
    if codec != 2:
        return set(range(group, s))
    near, count, far = struct.unpack("<10xHB3x16s", (entry + bytes(32))[24:56])
    granule = max(log - 4, 16) - 16
    return {i for i in range(group, s) if near >> (i - group >> granule) & 1
            } | set(far[:count])


def closures(a):
    for number in range(a.tables[8][0]):
        f = a.row(8, number)
        n, size, raw = -(-f["raw"] // 65536), f["entry_size"], f["raw"]
        table = a.pread(f["volume"], f["offset"] + 64, n * size)
        entries = [table[i:i + size] for i in range(0, n * size, size)]
        kinds = [e[8] for e in entries]
        for s in range(n):
            found, unvisited = {s}, {s}
            while unvisited:
                i = unvisited.pop()
                new = needs(f["codec"], f["group_log"], i, entries[i], kinds)
                unvisited |= new - found
                found |= new
            yield f["codec"], sum(min(65536, raw - 65536 * i) for i in found)


for name in sys.argv[2:]:
    j = json.load(open(name + ".json"))
    found = list(closures(arcread.Archive(name + ".001")))
    for codec, c in [("all", j["closure"])] + [
            (codec, j["codecs"][codec]["closure"]) for codec in j["codecs"]]:
        ids = {"all": (0, 1, 2, 3), "raw": (0,), "lz4": (1,), "lzext3": (2,),
               "zstd": (3,)}[codec]
        all = [n for i, n in found if i in ids]
        assert all, codec
        assert c == {"segments": len(all), "mean": sum(all) // len(all),
                     "max": max(all)}, (name, codec, c)
    assert j["closure_unknown_frames"] == 0
    assert sum(j["reaches"].values()) == j["frames"]
    assert name == "auto" or list(j["reaches"]) == [str(j["reach"])], j
P
mkarchive -q --no-sync -c lz4 --reach 64K src near
mkarchive -q --no-sync -c lz4 --reach 256K -F 1M src far
mkarchive -q --no-sync -c zstd --reach 256K -F 1M src whole
mkarchive -q --no-sync -c lzext3 --reach 256K -F 1M src ext
mkarchive -q --no-sync -c lzext3 --reach 64K --far 16 src listed
mkarchive -q --no-sync -c lzext3 --reach auto -F 1M src auto
for name in near far whole ext listed auto; do
	expect 0 arctool info --closure --json $name.001
	mv out $name.json
done
python3 closure.py "$tests/golden" near far whole ext listed auto
expect 0 arctool info --closure listed.001
contains out '^frames  *1, level 6, reach 64.0 KiB, far 16$' '^  lzext3 .* closure'
expect 0 arctool info auto.001
contains out '^frames  *4, level 6, reach auto$'
expect 0 arctool info --closure near.001
contains out '^  lz4 .*, closure 63.0 KiB$' '^reach  *64.0 KiB (1 frame)$' \
	'^closure  *63.0 KiB decoded .*, 64.0 KiB at most$'

# Missing and foreign volumes are marked, and nothing is computed from them.
rm a.002
mkdir other
random_file other/file 2500000 9
mkarchive -q --no-sync -s 1M -F 256K other b
cp b.001 a.003
expect 1 arctool info a.001
contains out '^volumes  *4, 2 of them' 'missing  *.*a.002$' \
	'foreign  *.*a.003$' '^reduction  *not known'
[ ! -s err ] || fail "said twice"
expect 1 arctool info --json a.004
python3 - <<'P'
import json
j = json.load(open("out"))
assert [v["state"] for v in j["volumes"]] == [
    "ok", "missing", "foreign", "ok"], j["volumes"]
assert j["missing_volumes"] == 2 and j["ratio"] is None
P

expect 1 arctool info --closure a.001
contains out '^closure .* decoded' '^closure  *not known of [1-9][0-9]* frames*$'
expect 1 arctool info --closure --json a.001
python3 - <<'P'
import json
j = json.load(open("out"))
lost = j["closure_unknown_frames"]
assert 0 < lost < j["frames"], j
P

# Several in a row are one fact, however many a footer claims: here is the only
# volume of an archive made to say that it is the last of 16 million.
mkarchive -q --no-sync -F 256K other claim
python3 - "$tests/golden" <<'P'
import os, struct, sys
sys.path.insert(0, sys.argv[1])
from plain import xxh3
v = bytearray(open("claim.001", "rb").read())
struct.pack_into("<I", v, 12, 1 << 24)
struct.pack_into("<Q", v, 56, xxh3(bytes(v[:56])))
struct.pack_into("<I", v, len(v) - 128 + 12, 1 << 24)
foot = bytes(v[-128:])
struct.pack_into("<Q", v, len(v) - 32, xxh3(foot[:96] + foot[104:]))
open("claim.16777216", "wb").write(v)
os.unlink("claim.001")
P
for verb in info verify; do
	expect 1 timeout 20 arctool $verb claim.16777216
	contains out 'claim.001 and 16777214 behind it'
	[ "$(wc -c <out)" -lt 4000 ] || fail "$verb: a long list"
	expect 1 timeout 20 arctool $verb --json claim.16777216
	[ "$(wc -c <out)" -lt 8000 ] || fail "$verb: a long list"
	contains out '"name": *"claim.001"' 1677721
done
